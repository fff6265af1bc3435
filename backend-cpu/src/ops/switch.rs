//! Key switches, hoisted rotations and sums of rotations, limb by limb.
//!
//! ```text
//!   y        = intt of the sums at the limbs that are dropped on the way down     [dropped][2][B]     once
//!   result   = (sum + P sigma(addend) - ntt(convert(y))) / S                      limb by limb
//!   sum      = inner products of the digits with the key, made where it is used
//! ```
//! No sum over all extended limbs is ever in memory: a sum at a limb that stays is used up while it is in the cache. Nor are the
//! extended digits: hoisted rotations are one switch with several outputs, which go through it limb by limb together.

use arras_hal::{GaloisElement, KeySwitchPlan, Result};

use super::{
    CpuKey, Part,
    batch::{Grid, Needs, Rows, split, stride},
    key_switch::{Digits, MAX_GROUP},
    rescale::{Input, drop_row, finish_row},
};
use crate::{
    CpuEngine, CpuRing,
    kernels::inner::LAZY_DIGITS,
    memory::{CpuBuf, View, Words},
    permutation::Permutation,
    simd,
};

/// One term of a sum of rotations.
#[derive(Clone, Copy)]
struct Term<'a> {
    key: Option<&'a CpuKey>,
    permutation: Option<&'a Permutation>,
    weight: Option<&'a CpuBuf>,
}

/// What is summed at every extended limb.
#[derive(Clone, Copy)]
enum Sum<'a> {
    /// One key, moved by a permutation.
    Switch(&'a CpuKey, Option<&'a Permutation>),
    /// P times the terms of `[2][B]` ciphertexts.
    Rotations(&'a [Term<'a>], View<'a>, Part),
}

impl<'a> Sum<'a> {
    /// The key that is read first.
    fn first_key(&self) -> Option<&'a CpuKey> {
        match self {
            Self::Switch(key, _) => Some(key),
            Self::Rotations(terms, ..) => terms.iter().find_map(|term| term.key),
        }
    }
}

/// A switch of some ciphertexts.
#[derive(Clone, Copy)]
struct Job<'a> {
    /// Coefficients of the digits' polynomial as conversions read them, and its evaluations.
    x: &'a Words,
    src: View<'a>,
    /// What is made of the digits, and what is added to each: one ciphertext or several.
    outputs: &'a [(Sum<'a>, Input<'a>)],
    plan: &'a KeySwitchPlan,
    batch: usize,
    secret: bool,
}

impl Job<'_> {
    /// Rows of digits at one limb.
    fn rows(&self) -> usize {
        self.plan.mod_up().digits().len() * self.batch
    }
}

impl CpuEngine {
    /// Scratch of [`CpuEngine::bring_down`] for this many ciphertexts and outputs; with the coefficients of the digits.
    fn switch_needs(
        &self,
        ring: &CpuRing,
        plan: &KeySwitchPlan,
        outputs: usize,
        count: usize,
    ) -> Needs {
        let (stride, down) = (stride(ring.n()), plan.mod_down().rescale());
        let rows = plan.mod_up().digits().len() * count;
        let group = |limbs| self.group(limbs, rows).min(limbs);
        let mut task = vec![2 * count * stride; 2];
        for limbs in [down.dropped().len(), down.to().len()] {
            task.push(group(limbs) * rows * stride);
        }
        Needs {
            part: vec![
                plan.window().len() * count * stride,
                down.dropped().len() * outputs * 2 * count * stride,
                outputs * 2 * count * stride,
            ],
            task,
        }
    }

    /// Words of scratch for one ciphertext.
    fn switch_words(ring: &CpuRing, plan: &KeySwitchPlan, outputs: usize) -> usize {
        let dropped = plan.mod_down().rescale().dropped().len();
        (plan.window().len() + 2 * outputs * dropped) * stride(ring.n())
    }

    /// Coefficients of digits at a few limbs, in scratch memory for `most`: one size for all tasks, the last and shorter one too.
    fn hold(&self, ring: &CpuRing, job: &Job<'_>, limbs: &[usize], most: usize) -> Result<Words> {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let each = job.rows() * stride;
        let mut words = self.scratch(most * each, job.secret)?;
        let mut rows = split(&mut words.as_mut()[..limbs.len() * each], n, stride);
        self.convert_digits(ring, job.plan.mod_up(), job.x, limbs, &mut rows);
        Ok(words)
    }

    /// Evaluates the digits at extended limb e, the k-th of those that are held.
    fn evaluate(&self, ring: &CpuRing, job: &Job<'_>, (k, e): (usize, usize), held: &mut Words) {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let each = job.rows() * stride;
        let mut rows = split(&mut held.as_mut()[k * each..][..each], n, stride);
        let plan = job.plan.mod_up();
        let canonical = plan.digits().len() > LAZY_DIGITS;
        let key = job.outputs.first().and_then(|(sum, _)| sum.first_key());
        let ahead = key.map_or(&[][..], |key| key.limb(plan.ext().at(e)));
        self.evaluate_digits(ring, plan, e, &mut rows, canonical, ahead);
    }

    /// The sums of one output at extended limb e, the k-th of those whose digits are held, to the rows `[2][B]` of `out`; `part` is
    /// scratch for weighted terms. `fetched`: its first key was asked for before.
    fn sum_at(
        &self,
        ring: &CpuRing,
        (job, sum): (&Job<'_>, Sum<'_>),
        (k, e): (usize, usize),
        held: &Words,
        part: &mut [&mut [u32]],
        out: &mut [&mut [u32]],
        fetched: bool,
    ) {
        let held = Grid::new(held.as_ref(), ring.n(), stride(ring.n()));
        let held = held.from(k * job.rows());
        let digits = Digits::new(job.plan.mod_up(), job.plan.ext().at(e), held, job.src);
        match sum {
            Sum::Switch(key, permutation) => {
                let key = (key, job.plan.mod_up().key_digits());
                let limb = job.plan.ext().at(e);
                self.inner_products(ring, limb, digits, key, permutation, out, (false, fetched));
            }
            Sum::Rotations(terms, src, which) => {
                let mut fetched = fetched;
                for (i, term) in terms.iter().enumerate() {
                    let near = term.key.is_some() && std::mem::take(&mut fetched);
                    if term.weight.is_none() {
                        self.rotated(ring, e, digits, src, *term, job.plan, out, (i > 0, near));
                    } else {
                        self.rotated(ring, e, digits, src, *term, job.plan, part, (false, near));
                        weigh(
                            ring,
                            job.plan.ext().at(e),
                            e,
                            *term,
                            which,
                            part,
                            out,
                            i > 0,
                        );
                    }
                }
            }
        }
    }

    /// From digits to the results, rows `[target][output][2][B]`.
    fn bring_down(&self, ring: &CpuRing, job: &Job<'_>, dst: &mut [&mut [u32]]) -> Result<()> {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let plan = job.plan.mod_down().rescale();
        let each = 2 * job.batch;
        let (dropped, polys) = (plan.dropped(), each * job.outputs.len());
        let weighted = job.outputs.iter().any(|(sum, _)| match sum {
            Sum::Switch(..) => false,
            Sum::Rotations(terms, ..) => terms.iter().any(|term| term.weight.is_some()),
        });
        let part = || match weighted {
            true => self.scratch(each * stride, job.secret).map(Some),
            false => Ok(None),
        };
        let mut y = self.scratch(dropped.len() * polys * stride, job.secret)?;
        let group = self.group(dropped.len(), job.rows());
        self.try_each_chunk(y.as_mut(), group * polys * stride, |g, words| {
            let mut rows = split(words, n, stride);
            let first = g * group;
            let limbs = &plan.dropped_in_from()[first..first + rows.len() / polys];
            let mut held = self.hold(ring, job, limbs, group.min(dropped.len()))?;
            let mut part = part()?;
            let mut part = part
                .as_mut()
                .map_or(Rows::new(), |part| split(part.as_mut(), n, stride));
            for (k, (rows, &e)) in rows.chunks_mut(polys).zip(limbs).enumerate() {
                self.evaluate(ring, job, (k, e), &mut held);
                for (o, (rows, (sum, input))) in rows.chunks_mut(each).zip(job.outputs).enumerate()
                {
                    let fetched = o == 0;
                    self.sum_at(ring, (job, *sum), (k, e), &held, &mut part, rows, fetched);
                    let limb = dropped.at(first + k);
                    for (p, row) in rows.iter_mut().enumerate() {
                        if let Some((addend, factor)) = input.addend(p, limb) {
                            let (level, prime) = (ring.level(), ring.prime(limb));
                            let permutation = input.permutation;
                            simd::lift_assign(level, prime, row, addend, permutation, factor);
                        }
                        drop_row(ring, plan, first + k, row, None);
                    }
                }
            }
            Ok(())
        })?;
        let y = self.dropped(ring, plan, y, (polys, job.secret))?;

        let group = self.group(plan.to().len(), job.rows());
        self.each_rows(dst, group * polys, |g, rows| {
            let first = g * group;
            let targets = first..first + rows.len() / polys;
            let mut limbs = [0; MAX_GROUP];
            let mut kept = 0;
            for t in targets.clone() {
                if let Some(e) = plan.to_in_from()[t] {
                    limbs[kept] = e;
                    kept += 1;
                }
            }
            let mut held = self.hold(ring, job, &limbs[..kept], group.min(plan.to().len()))?;
            let mut sums = self.scratch(each * stride, job.secret)?;
            let mut part = part()?;
            let mut part = part
                .as_mut()
                .map_or(Rows::new(), |part| split(part.as_mut(), n, stride));
            self.convert_down(ring, plan, &y, first, rows);
            let mut k = 0;
            for (t, rows) in targets.zip(rows.chunks_mut(polys)) {
                let kept = plan.to_in_from()[t];
                if let Some(e) = kept {
                    self.evaluate(ring, job, (k, e), &mut held);
                }
                for (o, (rows, (sum, input))) in rows.chunks_mut(each).zip(job.outputs).enumerate()
                {
                    if let Some(e) = kept {
                        let mut sums = split(sums.as_mut(), n, stride);
                        self.sum_at(ring, (job, *sum), (k, e), &held, &mut part, &mut sums, true);
                    }
                    let sums = Grid::new(sums.as_ref(), n, stride);
                    let next = job.outputs.get(o + 1).and_then(|(sum, _)| sum.first_key());
                    let ahead = match (kept, next) {
                        (Some(e), Some(key)) => key.limb(job.plan.ext().at(e)),
                        _ => &[],
                    };
                    let mut ahead = ahead.chunks(ahead.len().div_ceil(each).max(1));
                    for (p, row) in rows.iter_mut().enumerate() {
                        let addend = input.addend(p, plan.to().at(t));
                        let src = kept.map(|_| sums.row(p));
                        let ahead = ahead.next().unwrap_or_default();
                        finish_row(ring, plan, t, row, src, addend, input.permutation, ahead);
                    }
                }
                k += usize::from(kept.is_some());
            }
            Ok(())
        })
    }

    pub(super) fn switch(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        src: View<'_>,
        addend: Option<View<'_>>,
        key: &CpuKey,
        galois: GaloisElement,
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let permutation = ring.permutation(galois);
        let permutation = permutation.as_deref();
        let secret = dst.is_secret();
        let input = Input {
            src: None,
            addend: addend.map(|addend| (addend, plan.mod_down())),
            permutation,
        };
        self.each_part(
            ring.n(),
            (src.polys(), Self::switch_words(ring, plan, 1)),
            &mut [dst],
            |engine, count| engine.switch_needs(ring, plan, 1, count),
            |engine, part, dst| {
                let src = src.of(part);
                let x = engine.prepare_digits(ring, src, plan.mod_up(), secret)?;
                let job = Job {
                    x: &x,
                    src,
                    outputs: &[(Sum::Switch(key, permutation), input.of(part))],
                    plan,
                    batch: part.count,
                    secret,
                };
                engine.bring_down(ring, &job, &mut dst[0])
            },
        )
    }

    pub(super) fn hoist(
        &self,
        ring: &CpuRing,
        dsts: &mut [&mut CpuBuf],
        src: &CpuBuf,
        keys: &[Option<&CpuKey>],
        galois: &[GaloisElement],
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let batch = src.polys() / 2;
        let secret = dsts.iter().any(|dst| dst.is_secret());
        let permutations: Vec<_> = galois.iter().map(|&g| ring.permutation(g)).collect();
        let outputs = keys.iter().flatten().count();
        // The identity alone needs what one output does.
        let most = outputs.max(1);
        self.each_part(
            ring.n(),
            (batch, Self::switch_words(ring, plan, most)),
            dsts,
            |engine, count| engine.switch_needs(ring, plan, most, count),
            |engine, part, dsts| {
                // Without a key it is the identity: P times the ciphertext, brought down.
                for (dst, _) in dsts.iter_mut().zip(keys).filter(|(_, key)| key.is_none()) {
                    let input = Input {
                        src: None,
                        addend: Some((src.all().of(part), plan.mod_down())),
                        permutation: None,
                    };
                    let plan = plan.mod_down().rescale();
                    engine.rescale_rows(ring, dst, input, plan, secret)?;
                }
                if outputs == 0 {
                    return Ok(());
                }
                let second = src.part(batch, batch).of(part);
                let x = engine.prepare_digits(ring, second, plan.mod_up(), secret)?;
                let (mut sums, mut rows) = (Vec::new(), Vec::new());
                for ((dst, &key), permutation) in dsts.iter_mut().zip(keys).zip(&permutations) {
                    let Some(key) = key else { continue };
                    let permutation = permutation.as_deref();
                    let input = Input {
                        src: None,
                        addend: Some((src.part(0, batch).of(part), plan.mod_down())),
                        permutation,
                    };
                    sums.push((Sum::Switch(key, permutation), input));
                    rows.push(std::mem::take(dst).into_iter());
                }
                let job = Job {
                    x: &x,
                    src: second,
                    outputs: &sums,
                    plan,
                    batch: part.count,
                    secret,
                };
                // [output][target][2][B] to [target][output][2][B].
                let mut dst = Rows::new();
                for _ in 0..plan.mod_down().rescale().to().len() {
                    for rows in &mut rows {
                        dst.extend(rows.by_ref().take(2 * part.count));
                    }
                }
                engine.bring_down(ring, &job, &mut dst)
            },
        )
    }

    pub(super) fn sum_rotations(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        src: &CpuBuf,
        (keys, galois): (&[Option<&CpuKey>], &[GaloisElement]),
        weights: &[&CpuBuf],
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let batch = src.polys() / 2;
        let permutations: Vec<_> = galois.iter().map(|&g| ring.permutation(g)).collect();
        let terms: Vec<Term<'_>> = keys
            .iter()
            .zip(&permutations)
            .enumerate()
            .map(|(k, (&key, permutation))| Term {
                key,
                permutation: permutation.as_deref(),
                weight: weights.get(k).copied(),
            })
            .collect();
        let secret = dst.is_secret();
        self.each_part(
            ring.n(),
            (batch, Self::switch_words(ring, plan, 1)),
            &mut [dst],
            |engine, count| engine.switch_needs(ring, plan, 1, count),
            |engine, part, dst| {
                let second = src.part(batch, batch).of(part);
                let x = engine.prepare_digits(ring, second, plan.mod_up(), secret)?;
                let sum = Sum::Rotations(&terms, src.all().of(part), part);
                let input = Input {
                    src: None,
                    addend: None,
                    permutation: None,
                };
                let job = Job {
                    x: &x,
                    src: second,
                    outputs: &[(sum, input)],
                    plan,
                    batch: part.count,
                    secret,
                };
                engine.bring_down(ring, &job, &mut dst[0])
            },
        )
    }

    /// P times one rotated ciphertext at extended limb e, rows `[2][B]`, added to `out` if asked.
    fn rotated(
        &self,
        ring: &CpuRing,
        e: usize,
        digits: Digits<'_>,
        src: View<'_>,
        term: Term<'_>,
        plan: &KeySwitchPlan,
        out: &mut [&mut [u32]],
        (accumulate, fetched): (bool, bool),
    ) {
        let level = ring.level();
        let limb = plan.ext().at(e);
        let (window, prime) = (plan.window().position(limb), ring.prime(limb));
        let special = |w: usize| plan.mod_down().special_product().as_slice()[w].value;
        // Without a key both components are there; with one, the second is in the inner product.
        let mut lifted = out.len();
        if let Some(key) = term.key {
            let key = (key, plan.mod_up().key_digits());
            let how = (accumulate, fetched);
            self.inner_products(ring, limb, digits, key, term.permutation, out, how);
            lifted /= 2;
        } else if !accumulate {
            out.iter_mut().for_each(|row| row.fill(0));
        }
        let Some(w) = window else { return };
        for (p, out) in out.iter_mut().take(lifted).enumerate() {
            simd::lift_assign(
                level,
                prime,
                out,
                src.row(p, w),
                term.permutation,
                special(w),
            );
        }
    }
}

/// Adds a term times its weight to a sum; the first one starts it.
fn weigh(
    ring: &CpuRing,
    limb: usize,
    position: usize,
    term: Term<'_>,
    which: Part,
    part: &[&mut [u32]],
    total: &mut [&mut [u32]],
    accumulate: bool,
) {
    let Some(weight) = term.weight else { return };
    let (level, prime) = (ring.level(), ring.prime(limb));
    for (p, (total, part)) in total.iter_mut().zip(part).enumerate() {
        // The polynomial's number in the whole batch.
        let poly = p / which.count * which.batch + which.first + p % which.count;
        let weight = weight.row(poly % weight.polys(), position);
        if accumulate {
            simd::mul_acc(level, prime, total, part, weight);
        } else {
            simd::mul(level, prime, total, part, weight);
        }
    }
}
