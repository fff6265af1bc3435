//! Key switches, hoisted rotations and sums of rotations, limb by limb.
//!
//! ```text
//!   y        = intt of the sums at the limbs that are dropped on the way down     [dropped][2][B]     once
//!   result   = (sum + P sigma(addend) - ntt(convert(y))) / S                      limb by limb
//!   sum      = inner products of the digits with the key, made where it is used
//! ```
//! No sum over all extended limbs is ever in memory: a sum at a limb that stays is used up while it is in the cache.

use arras_hal::{GaloisElement, KeySwitchPlan, Result};

use super::{
    CpuKey, Part,
    batch::{Grid, Needs, Rows, split, stride},
    key_switch::MAX_GROUP,
    rescale::{Input, drop_row, finish_row},
};
use crate::{
    CpuEngine, CpuRing,
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

/// Where extended digits come from.
#[derive(Clone, Copy)]
enum Digits<'a> {
    /// Extended where they are used, from coefficients and evaluations of the polynomial.
    Later { x: &'a Words, src: View<'a> },
    /// `[extended limb][digit][B]`.
    Ready(Grid<'a>),
}

/// Extended digits at a few limbs.
enum Held<'a> {
    Made(Words),
    Ready(Grid<'a>),
}

/// What is summed at every extended limb.
#[derive(Clone, Copy)]
enum Sum<'a> {
    /// One key, moved by a permutation.
    Switch(&'a CpuKey, Option<&'a Permutation>),
    /// P times the terms of `[2][B]` ciphertexts.
    Rotations(&'a [Term<'a>], View<'a>, Part),
}

/// A switch of some ciphertexts.
#[derive(Clone, Copy)]
struct Job<'a> {
    digits: Digits<'a>,
    sum: Sum<'a>,
    input: Input<'a>,
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
    /// Scratch of [`CpuEngine::bring_down`] for this many ciphertexts; with the coefficients of the digits.
    fn switch_needs(&self, ring: &CpuRing, plan: &KeySwitchPlan, count: usize) -> Needs {
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
                down.dropped().len() * 2 * count * stride,
                2 * count * stride,
            ],
            task,
        }
    }

    /// Words of scratch for one ciphertext.
    fn switch_words(ring: &CpuRing, plan: &KeySwitchPlan) -> usize {
        let dropped = plan.mod_down().rescale().dropped().len();
        (plan.window().len() + 2 * dropped) * stride(ring.n())
    }

    fn hold<'a>(
        &self,
        ring: &CpuRing,
        job: &Job<'a>,
        limbs: &[usize],
        most: usize,
    ) -> Result<Held<'a>> {
        match job.digits {
            Digits::Ready(grid) => Ok(Held::Ready(grid)),
            Digits::Later { x, src } => {
                let (n, stride) = (ring.n(), stride(ring.n()));
                // One size for all tasks, the last and shorter one too.
                let each = job.rows() * stride;
                let mut words = self.scratch(most * each, job.secret)?;
                let mut rows = split(&mut words.as_mut()[..limbs.len() * each], n, stride);
                self.extend(ring, job.plan.mod_up(), src, x, limbs, &mut rows);
                Ok(Held::Made(words))
            }
        }
    }

    /// The sums at extended limb e, the k-th of those whose digits are held, to the rows `[2][B]` of `out`; `part` is scratch
    /// for weighted terms.
    fn sum_at(
        &self,
        ring: &CpuRing,
        job: &Job<'_>,
        (k, e): (usize, usize),
        held: &Held<'_>,
        part: &mut [&mut [u32]],
        out: &mut [&mut [u32]],
    ) {
        let rows = job.rows();
        let digits = match held {
            Held::Made(words) => {
                Grid::new(words.as_ref(), ring.n(), stride(ring.n())).from(k * rows)
            }
            Held::Ready(grid) => grid.from(e * rows),
        };
        match job.sum {
            Sum::Switch(key, permutation) => {
                let key = (key, job.plan.mod_up().key_digits());
                let limb = job.plan.ext().at(e);
                self.inner_products(ring, limb, digits, key, permutation, out, false);
            }
            Sum::Rotations(terms, src, which) => {
                for (i, term) in terms.iter().enumerate() {
                    if term.weight.is_none() {
                        self.rotated(ring, e, digits, src, *term, job.plan, out, i > 0);
                    } else {
                        self.rotated(ring, e, digits, src, *term, job.plan, part, false);
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

    /// From digits to the result, rows `[target][2][B]`.
    fn bring_down(&self, ring: &CpuRing, job: &Job<'_>, dst: &mut [&mut [u32]]) -> Result<()> {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let plan = job.plan.mod_down().rescale();
        let (dropped, polys) = (plan.dropped(), 2 * job.batch);
        let weighted = match job.sum {
            Sum::Switch(..) => false,
            Sum::Rotations(terms, ..) => terms.iter().any(|term| term.weight.is_some()),
        };
        let part = || match weighted {
            true => self.scratch(polys * stride, job.secret).map(Some),
            false => Ok(None),
        };
        let mut y = self.scratch(dropped.len() * polys * stride, job.secret)?;
        let group = self.group(dropped.len(), job.rows());
        self.try_each_chunk(y.as_mut(), group * polys * stride, |g, words| {
            let mut rows = split(words, n, stride);
            let first = g * group;
            let limbs = &plan.dropped_in_from()[first..first + rows.len() / polys];
            let held = self.hold(ring, job, limbs, group.min(dropped.len()))?;
            let mut part = part()?;
            let mut part = part
                .as_mut()
                .map_or(Rows::new(), |part| split(part.as_mut(), n, stride));
            for (k, (rows, &e)) in rows.chunks_mut(polys).zip(limbs).enumerate() {
                self.sum_at(ring, job, (k, e), &held, &mut part, rows);
                let limb = dropped.at(first + k);
                for (p, row) in rows.iter_mut().enumerate() {
                    if let Some((addend, factor)) = job.input.addend(p, limb) {
                        let (level, prime) = (ring.level(), ring.prime(limb));
                        let permutation = job.input.permutation;
                        simd::lift_assign(level, prime, row, addend, permutation, factor);
                    }
                    drop_row(ring, plan, first + k, row);
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
            let held = self.hold(ring, job, &limbs[..kept], group.min(plan.to().len()))?;
            let mut sums = self.scratch(polys * stride, job.secret)?;
            let mut part = part()?;
            let mut part = part
                .as_mut()
                .map_or(Rows::new(), |part| split(part.as_mut(), n, stride));
            self.convert_down(ring, plan, &y, first, rows);
            let mut k = 0;
            for (t, rows) in targets.zip(rows.chunks_mut(polys)) {
                let kept = plan.to_in_from()[t];
                if let Some(e) = kept {
                    let mut sums = split(sums.as_mut(), n, stride);
                    self.sum_at(ring, job, (k, e), &held, &mut part, &mut sums);
                    k += 1;
                }
                let sums = Grid::new(sums.as_ref(), n, stride);
                for (p, row) in rows.iter_mut().enumerate() {
                    let addend = job.input.addend(p, plan.to().at(t));
                    let src = kept.map(|_| sums.row(p));
                    finish_row(ring, plan, t, row, src, addend, job.input.permutation);
                }
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
            (src.polys(), Self::switch_words(ring, plan)),
            &mut [dst],
            |engine, count| engine.switch_needs(ring, plan, count),
            |engine, part, dst| {
                let src = src.of(part);
                let x = engine.prepare_digits(ring, src, plan.mod_up(), secret)?;
                let job = Job {
                    digits: Digits::Later { x: &x, src },
                    sum: Sum::Switch(key, permutation),
                    input: input.of(part),
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
        let (n, stride, batch) = (ring.n(), stride(ring.n()), src.polys() / 2);
        let up = plan.mod_up();
        let secret = dsts.iter().any(|dst| dst.is_secret());
        let permutations: Vec<_> = galois.iter().map(|&g| ring.permutation(g)).collect();
        let extended = plan.ext().len() * up.digits().len() * stride;
        self.each_part(
            n,
            (batch, Self::switch_words(ring, plan) + extended),
            dsts,
            |engine, count| {
                let mut needs = engine.switch_needs(ring, plan, count);
                needs.part.push(extended * count);
                needs
            },
            |engine, part, dsts| {
                let count = part.count;
                let mut digits = None;
                if keys.iter().any(Option::is_some) {
                    let mut words = engine.scratch(extended * count, secret)?;
                    let mut rows = split(words.as_mut(), n, stride);
                    let second = src.part(batch, batch).of(part);
                    engine.mod_up_rows(ring, &mut rows, second, up, secret)?;
                    digits = Some(words);
                }
                for ((dst, key), permutation) in dsts.iter_mut().zip(keys).zip(&permutations) {
                    let (Some(key), Some(digits)) = (key, &digits) else {
                        // The identity: P times the ciphertext, brought down.
                        let input = Input {
                            src: None,
                            addend: Some((src.all().of(part), plan.mod_down())),
                            permutation: None,
                        };
                        let plan = plan.mod_down().rescale();
                        engine.rescale_rows(ring, dst, input, plan, secret)?;
                        continue;
                    };
                    let permutation = permutation.as_deref();
                    let job = Job {
                        digits: Digits::Ready(Grid::new(digits.as_ref(), n, stride)),
                        sum: Sum::Switch(key, permutation),
                        input: Input {
                            src: None,
                            addend: Some((src.part(0, batch).of(part), plan.mod_down())),
                            permutation,
                        },
                        plan,
                        batch: count,
                        secret,
                    };
                    engine.bring_down(ring, &job, dst)?;
                }
                Ok(())
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
            (batch, Self::switch_words(ring, plan)),
            &mut [dst],
            |engine, count| engine.switch_needs(ring, plan, count),
            |engine, part, dst| {
                let second = src.part(batch, batch).of(part);
                let x = engine.prepare_digits(ring, second, plan.mod_up(), secret)?;
                let job = Job {
                    digits: Digits::Later { x: &x, src: second },
                    sum: Sum::Rotations(&terms, src.all().of(part), part),
                    input: Input {
                        src: None,
                        addend: None,
                        permutation: None,
                    },
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
        digits: Grid<'_>,
        src: View<'_>,
        term: Term<'_>,
        plan: &KeySwitchPlan,
        out: &mut [&mut [u32]],
        accumulate: bool,
    ) {
        let level = ring.level();
        let limb = plan.ext().at(e);
        let (window, prime) = (plan.window().position(limb), ring.prime(limb));
        let special = |w: usize| plan.mod_down().special_product().as_slice()[w].value;
        // Without a key both components are there; with one, the second is in the inner product.
        let mut lifted = out.len();
        if let Some(key) = term.key {
            let key = (key, plan.mod_up().key_digits());
            self.inner_products(ring, limb, digits, key, term.permutation, out, accumulate);
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
