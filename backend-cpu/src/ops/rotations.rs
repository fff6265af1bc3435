//! Rotations of one ciphertext that share its digits: hoisted ones, and sums of them.

use arras_hal::{GaloisElement, KeySwitchPlan, Result};

use super::{
    CpuKey,
    batch::Rows,
    key_switch::{Digits, How},
    rescale::Input,
    switch::{Job, Sum, Term},
};
use crate::{
    CpuEngine, CpuRing,
    kernels::dispatch,
    memory::{CpuBuf, Part, View},
};

impl CpuEngine {
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

    /// The sum of some terms at extended limb e, rows `[2][B]`; `part` is scratch for weighted ones. `fetched`: the first key was asked for
    /// before.
    pub(super) fn rotations_at(
        &self,
        ring: &CpuRing,
        (e, digits): (usize, Digits<'_>),
        (terms, src, which): (&[Term<'_>], View<'_>, Part),
        plan: &KeySwitchPlan,
        part: &mut [&mut [u32]],
        out: &mut [&mut [u32]],
        mut fetched: bool,
    ) {
        for (i, term) in terms.iter().enumerate() {
            let fetched = term.key.is_some() && std::mem::take(&mut fetched);
            let how = |accumulate| How {
                accumulate,
                fetched,
            };
            if term.weight.is_none() {
                self.rotated(ring, e, digits, src, *term, plan, out, how(i > 0));
            } else {
                self.rotated(ring, e, digits, src, *term, plan, part, how(false));
                weigh(ring, plan.ext().at(e), e, *term, which, part, out, i > 0);
            }
        }
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
        how: How,
    ) {
        let level = ring.level();
        let limb = plan.ext().at(e);
        let (window, prime) = (plan.window().position(limb), ring.prime(limb));
        let special = |w: usize| plan.mod_down().special_product().as_slice()[w].value;
        // Without a key both components are there; with one, the second is in the inner product.
        let mut lifted = out.len();
        if let Some(key) = term.key {
            let key = (key, plan.mod_up().key_digits());
            self.inner_products(ring, limb, digits, key, term.permutation, out, how);
            lifted /= 2;
        } else if !how.accumulate {
            out.iter_mut().for_each(|row| row.fill(0));
        }
        let Some(w) = window else { return };
        for (p, out) in out.iter_mut().take(lifted).enumerate() {
            dispatch::lift_assign(
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
            dispatch::mul_acc(level, prime, total, part, weight);
        } else {
            dispatch::mul(level, prime, total, part, weight);
        }
    }
}
