//! Key switches, limb by limb.
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
    CpuKey,
    batch::{Grid, MAX_GROUP, Needs, Rows, split, stride},
    key_switch::{Digits, How, shares},
    rescale::{Dropped, Input, drop_row, finish_row},
};
use crate::{
    CpuEngine, CpuRing,
    kernels::{dispatch, inner::LAZY_DIGITS},
    memory::{CpuBuf, Part, View, Words},
    permutation::Permutation,
};

/// What is summed at every extended limb.
#[derive(Clone, Copy)]
pub(super) enum Sum<'a> {
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

/// One term of a sum of rotations.
#[derive(Clone, Copy)]
pub(super) struct Term<'a> {
    pub(super) key: Option<&'a CpuKey>,
    pub(super) permutation: Option<&'a Permutation>,
    pub(super) weight: Option<&'a CpuBuf>,
}

/// A switch of some ciphertexts.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// Coefficients of the digits' polynomial as conversions read them, and its evaluations.
    pub(super) x: &'a Words,
    pub(super) src: View<'a>,
    /// What is made of the digits, and what is added to each: one ciphertext or several.
    pub(super) outputs: &'a [(Sum<'a>, Input<'a>)],
    pub(super) plan: &'a KeySwitchPlan,
    pub(super) batch: usize,
    pub(super) secret: bool,
}

impl Job<'_> {
    /// Rows of digits at one limb.
    fn rows(&self) -> usize {
        self.plan.mod_up().digits().len() * self.batch
    }
}

impl CpuEngine {
    /// Scratch of [`CpuEngine::bring_down`] for this many ciphertexts and outputs; with the coefficients of the digits.
    pub(super) fn switch_needs(
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
    pub(super) fn switch_words(ring: &CpuRing, plan: &KeySwitchPlan, outputs: usize) -> usize {
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

    /// Evaluates the digits at extended limb e, the k-th of those that are held. Whether the first output's key was asked for.
    fn evaluate(
        &self,
        ring: &CpuRing,
        job: &Job<'_>,
        (k, e): (usize, usize),
        held: &mut Words,
    ) -> bool {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let each = job.rows() * stride;
        let mut rows = split(&mut held.as_mut()[k * each..][..each], n, stride);
        let plan = job.plan.mod_up();
        let canonical = plan.digits().len() > LAZY_DIGITS;
        let key = job.outputs.first().and_then(|(sum, _)| sum.first_key());
        let ahead = key.map_or(&[][..], |key| key.limb(plan.ext().at(e)));
        self.evaluate_digits(ring, plan, e, &mut rows, canonical, ahead)
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
                let how = How {
                    accumulate: false,
                    fetched,
                };
                self.inner_products(ring, limb, digits, key, permutation, out, how);
            }
            Sum::Rotations(terms, src, which) => {
                let at = (e, digits);
                self.rotations_at(ring, at, (terms, src, which), job.plan, part, out, fetched);
            }
        }
    }

    /// From digits to the results, rows `[target][output][2][B]`.
    pub(super) fn bring_down(
        &self,
        ring: &CpuRing,
        job: &Job<'_>,
        dst: &mut [&mut [u32]],
    ) -> Result<()> {
        let dropped = self.drop_sums(ring, job)?;
        self.finish_sums(ring, job, &dropped, dst)
    }

    /// Scratch for the weighted terms of one output at one limb, where there are any.
    fn part_scratch(&self, ring: &CpuRing, job: &Job<'_>) -> Result<Option<Words>> {
        let weighted = job.outputs.iter().any(|(sum, _)| match sum {
            Sum::Switch(..) => false,
            Sum::Rotations(terms, ..) => terms.iter().any(|term| term.weight.is_some()),
        });
        let words = 2 * job.batch * stride(ring.n());
        weighted
            .then(|| self.scratch(words, job.secret))
            .transpose()
    }

    /// The sums at the limbs that are dropped, as conversions read them.
    fn drop_sums(&self, ring: &CpuRing, job: &Job<'_>) -> Result<Dropped> {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let plan = job.plan.mod_down().rescale();
        let each = 2 * job.batch;
        let (dropped, polys) = (plan.dropped(), each * job.outputs.len());
        let mut y = self.scratch(dropped.len() * polys * stride, job.secret)?;
        let group = self.group(dropped.len(), job.rows());
        self.try_each_chunk(y.as_mut(), group * polys * stride, |g, words| {
            let mut rows = split(words, n, stride);
            let first = g * group;
            let limbs = &plan.dropped_in_from()[first..first + rows.len() / polys];
            let mut held = self.hold(ring, job, limbs, group.min(dropped.len()))?;
            let mut part = self.part_scratch(ring, job)?;
            let mut part = part
                .as_mut()
                .map_or(Rows::new(), |part| split(part.as_mut(), n, stride));
            for (k, (rows, &e)) in rows.chunks_mut(polys).zip(limbs).enumerate() {
                let asked = self.evaluate(ring, job, (k, e), &mut held);
                for (o, (rows, (sum, input))) in rows.chunks_mut(each).zip(job.outputs).enumerate()
                {
                    let fetched = asked && o == 0;
                    self.sum_at(ring, (job, *sum), (k, e), &held, &mut part, rows, fetched);
                    let limb = dropped.at(first + k);
                    for (p, row) in rows.iter_mut().enumerate() {
                        if let Some((addend, factor)) = input.addend(p, limb) {
                            let (level, prime) = (ring.level(), ring.prime(limb));
                            let permutation = input.permutation;
                            dispatch::lift_assign(level, prime, row, addend, permutation, factor);
                        }
                        drop_row(ring, plan, first + k, row, None);
                    }
                }
            }
            Ok(())
        })?;
        self.dropped(ring, plan, y, (polys, job.secret))
    }

    /// The sums at the limbs that stay, brought down.
    fn finish_sums(
        &self,
        ring: &CpuRing,
        job: &Job<'_>,
        dropped: &Dropped,
        dst: &mut [&mut [u32]],
    ) -> Result<()> {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let plan = job.plan.mod_down().rescale();
        let each = 2 * job.batch;
        let polys = each * job.outputs.len();
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
            let mut part = self.part_scratch(ring, job)?;
            let mut part = part
                .as_mut()
                .map_or(Rows::new(), |part| split(part.as_mut(), n, stride));
            self.convert_down(ring, plan, dropped, first, rows);
            let mut k = 0;
            for (t, rows) in targets.zip(rows.chunks_mut(polys)) {
                let kept = plan.to_in_from()[t];
                let asked = kept.is_some_and(|e| self.evaluate(ring, job, (k, e), &mut held));
                for (o, (rows, (sum, input))) in rows.chunks_mut(each).zip(job.outputs).enumerate()
                {
                    if let Some(e) = kept {
                        let mut sums = split(sums.as_mut(), n, stride);
                        // The transforms of the output before asked for this one's key.
                        let fetched = asked || o > 0;
                        self.sum_at(
                            ring,
                            (job, *sum),
                            (k, e),
                            &held,
                            &mut part,
                            &mut sums,
                            fetched,
                        );
                    }
                    let sums = Grid::new(sums.as_ref(), n, stride);
                    let next = job.outputs.get(o + 1).and_then(|(sum, _)| sum.first_key());
                    let ahead = match (kept, next) {
                        (Some(e), Some(key)) => key.limb(job.plan.ext().at(e)),
                        _ => &[],
                    };
                    let mut ahead = shares(ahead, each);
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
}
