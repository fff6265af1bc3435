//! Key switching, fused over groups of limbs.
//!
//! ```text
//!   x        = intt of the window, times the digits' constants, plus half        [window limb][B]     once
//!   digits   = convert + ntt                                [group of limbs][digit][B]     a task's scratch
//!   sums     = inner products with the key                  [extended limb][2][B]
//!   result   = rescale(sums + P sigma(addend))
//! ```
//! A limb of the key is read once for the whole batch.

use std::ops::Range;

use arras_hal::{GaloisElement, KeySwitchPlan, ModUpPlan, Result, Shape};

use super::{
    CpuKey,
    convert::{Sources, Target, convert_rows},
    rescale::Input,
};
use crate::{
    CpuEngine, CpuRing,
    kernels::{PIECE, inner::MAX_DIGITS},
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

impl CpuEngine {
    /// The coefficients of `src` as conversions read them: `[window limb][B]`.
    fn prepare_digits(
        &self,
        ring: &CpuRing,
        src: View<'_>,
        plan: &ModUpPlan,
        secret: bool,
    ) -> Result<Words> {
        let (n, batch) = (ring.n(), src.polys());
        let mut x = self.scratch(plan.window().len() * batch * n, secret)?;
        self.each_chunk(x.as_mut(), n, |row, words| {
            let (w, p) = (row / batch, row % batch);
            let limb = plan.window().at(w);
            let prime = ring.prime(limb);
            let found = plan
                .digits()
                .iter()
                .find_map(|d| Some((d, d.source().position(limb)?)));
            debug_assert!(found.is_some(), "digits cover the window");
            let Some((digit, i)) = found else { return };
            words.copy_from_slice(src.row(p, w));
            let scale = digit.source_scale().as_slice()[i].value;
            let factor = prime.mul(prime.n_inverse, scale);
            simd::inverse(ring.level(), prime, words, factor);
            simd::add_constant(ring.level(), prime, words, digit.table().half()[i]);
        });
        Ok(x)
    }

    /// All digits at some extended limbs, `[limb][digit][B]`, canonical evaluations.
    fn extend(
        &self,
        ring: &CpuRing,
        plan: &ModUpPlan,
        src: View<'_>,
        x: &[u32],
        limbs: Range<usize>,
        out: &mut [u32],
    ) {
        let (n, batch) = (ring.n(), src.polys());
        let digits = plan.digits();
        let row = |k: usize, j: usize, p: usize| ((k * digits.len() + j) * batch + p) * n;
        for (j, digit) in digits.iter().enumerate() {
            let mut places = [0; 4];
            let mut targets: Vec<Target> = Vec::with_capacity(limbs.len());
            for (k, e) in limbs.clone().enumerate() {
                let limb = plan.ext().at(e);
                if let Some(position) = digit.table().to().position(limb) {
                    places[targets.len()] = k;
                    targets.push(Target::new(ring, digit.table(), position));
                } else if let Some(w) = plan.window().position(limb) {
                    for p in 0..batch {
                        out[row(k, j, p)..][..n].copy_from_slice(src.row(p, w));
                    }
                }
            }
            for p in 0..batch {
                let sources = digit.source_in_window().iter();
                let sources = Sources::new(sources.map(|&w| &x[(w * batch + p) * n..][..n]));
                convert_rows(ring, &sources, &targets, out, |k| row(places[k], j, p));
            }
            for (target, &k) in targets.iter().zip(&places) {
                for p in 0..batch {
                    let words = &mut out[row(k, j, p)..][..n];
                    simd::forward(ring.level(), ring.prime(target.limb()), words, true);
                }
            }
        }
    }

    pub(super) fn mod_up_view(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        src: View<'_>,
        plan: &ModUpPlan,
    ) -> Result<()> {
        let x = self.prepare_digits(ring, src, plan, dst.is_secret())?;
        let rows = plan.digits().len() * src.polys();
        let group = self.group(plan.ext().len(), rows);
        let stride = rows * ring.n();
        self.each_chunk(dst.words_mut(), group * stride, |g, words| {
            let first = g * group;
            let limbs = first..first + words.len() / stride;
            self.extend(ring, plan, src, x.as_ref(), limbs, words);
        });
        Ok(())
    }

    /// The inner products of one limb: `digits` is `[digit][B]`, `out` `[2][B]`.
    fn inner_products(
        &self,
        ring: &CpuRing,
        limb: usize,
        digits: &[u32],
        (key, key_digits): (&CpuKey, &[usize]),
        permutation: Option<&Permutation>,
        out: &mut [u32],
    ) {
        let n = ring.n();
        let batch = out.len() / (2 * n);
        let len = n.min(PIECE);
        let position = key.layout.limbs.position(limb);
        debug_assert!(position.is_some(), "the key has the limb");
        let position = position.unwrap_or_default();
        let prime = ring.prime(limb);
        let (b, a) = out.split_at_mut(batch * n);
        for at in (0..n).step_by(len) {
            for (chunk, numbers) in key_digits.chunks(MAX_DIGITS).enumerate() {
                let key = (key.piece(position, at, len), key.layout.digits, numbers);
                for p in 0..batch {
                    let mut rows: [&[u32]; MAX_DIGITS] = [&[]; MAX_DIGITS];
                    for (j, row) in rows.iter_mut().take(numbers.len()).enumerate() {
                        *row = &digits[((chunk * MAX_DIGITS + j) * batch + p) * n..][..n];
                    }
                    let dst = [&mut b[p * n + at..][..len], &mut a[p * n + at..][..len]];
                    let rows = &rows[..numbers.len()];
                    let level = ring.level();
                    simd::inner_product(level, prime, dst, at, rows, key, permutation, chunk > 0);
                }
            }
        }
    }

    pub(super) fn inner_product_buffer(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        digits: &CpuBuf,
        key: (&CpuKey, &[usize]),
        galois: GaloisElement,
    ) {
        let permutation = ring.permutation(galois);
        let (n, polys) = (ring.n(), dst.polys());
        let limbs = dst.shape().limbs.clone();
        let stride = digits.polys() * n;
        self.each_chunk(dst.words_mut(), polys * n, |l, out| {
            let digits = &digits.words()[l * stride..][..stride];
            self.inner_products(ring, limbs.at(l), digits, key, permutation.as_deref(), out);
        });
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
        let (n, batch, up) = (ring.n(), src.polys(), plan.mod_up());
        let secret = dst.is_secret();
        let mut sums = self.buffer(ring, &Shape::new(2 * batch, plan.ext().clone()), secret)?;
        let x = self.prepare_digits(ring, src, up, secret)?;
        let rows = up.digits().len() * batch;
        let group = self.group(plan.ext().len(), rows);
        let stride = 2 * batch * n;
        self.reserve(group * rows * n)?;
        self.try_each_chunk(sums.words_mut(), group * stride, |g, words| {
            let first = g * group;
            let limbs = first..first + words.len() / stride;
            let mut digits = self.scratch(limbs.len() * rows * n, secret)?;
            self.extend(ring, up, src, x.as_ref(), limbs.clone(), digits.as_mut());
            let digits = digits.as_ref().chunks_exact(rows * n);
            for ((e, digits), out) in limbs.zip(digits).zip(words.chunks_exact_mut(stride)) {
                let key = (key, up.key_digits());
                self.inner_products(ring, plan.ext().at(e), digits, key, permutation, out);
            }
            Ok(())
        })?;
        drop(x);
        let input = Input {
            src: Some(sums.all()),
            addend: addend.map(|addend| (addend, plan.mod_down())),
            permutation,
        };
        self.rescale_input(ring, dst, input, plan.mod_down().rescale())
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
        let up = plan.mod_up();
        let secret = dsts.iter().any(|dst| dst.is_secret());
        let digits = if keys.iter().any(Option::is_some) {
            let shape = Shape::new(up.digits().len() * batch, plan.ext().clone());
            let mut digits = self.buffer(ring, &shape, secret)?;
            self.mod_up_view(ring, &mut digits, src.part(batch, batch), up)?;
            Some(digits)
        } else {
            None
        };
        let mut sums = self.buffer(ring, &Shape::new(2 * batch, plan.ext().clone()), secret)?;
        for ((dst, key), &g) in dsts.iter_mut().zip(keys).zip(galois) {
            let permutation = ring.permutation(g);
            let input = if let (Some(key), Some(digits)) = (key, &digits) {
                self.inner_product_buffer(ring, &mut sums, digits, (key, up.key_digits()), g);
                Input {
                    src: Some(sums.all()),
                    addend: Some((src.part(0, batch), plan.mod_down())),
                    permutation: permutation.as_deref(),
                }
            } else {
                // The identity: P times the ciphertext, brought down.
                Input {
                    src: None,
                    addend: Some((src.all(), plan.mod_down())),
                    permutation: None,
                }
            };
            self.rescale_input(ring, dst, input, plan.mod_down().rescale())?;
        }
        Ok(())
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
        let (n, batch, up) = (ring.n(), src.polys() / 2, plan.mod_up());
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
        let second = src.part(batch, batch);
        let secret = dst.is_secret();
        let mut total = self.buffer(ring, &Shape::new(2 * batch, plan.ext().clone()), secret)?;
        let x = self.prepare_digits(ring, second, up, secret)?;
        let rows = up.digits().len() * batch;
        let group = self.group(plan.ext().len(), rows);
        let stride = 2 * batch * n;
        self.reserve(group * rows * n)?;
        self.reserve(stride)?;
        self.try_each_chunk(total.words_mut(), group * stride, |g, words| {
            let first = g * group;
            let limbs = first..first + words.len() / stride;
            let mut digits = self.scratch(limbs.len() * rows * n, secret)?;
            let mut part = self.scratch(stride, secret)?;
            self.extend(ring, up, second, x.as_ref(), limbs.clone(), digits.as_mut());
            let digits = digits.as_ref().chunks_exact(rows * n);
            for ((e, digits), out) in limbs.zip(digits).zip(words.chunks_exact_mut(stride)) {
                for (k, term) in terms.iter().enumerate() {
                    self.rotated(ring, e, digits, src, *term, plan, part.as_mut());
                    accumulate(
                        ring,
                        plan.ext().at(e),
                        e,
                        term.weight,
                        k,
                        part.as_ref(),
                        out,
                    );
                }
            }
            Ok(())
        })?;
        drop(x);
        let input = Input {
            src: Some(total.all()),
            addend: None,
            permutation: None,
        };
        self.rescale_input(ring, dst, input, plan.mod_down().rescale())
    }

    /// P times one rotated ciphertext at extended limb e, `[2][B]`.
    fn rotated(
        &self,
        ring: &CpuRing,
        e: usize,
        digits: &[u32],
        src: &CpuBuf,
        term: Term<'_>,
        plan: &KeySwitchPlan,
        out: &mut [u32],
    ) {
        let (n, level) = (ring.n(), ring.level());
        let limb = plan.ext().at(e);
        let (window, prime) = (plan.window().position(limb), ring.prime(limb));
        let special = |w: usize| plan.mod_down().special_product().as_slice()[w].value;
        if let Some(key) = term.key {
            let key = (key, plan.mod_up().key_digits());
            self.inner_products(ring, limb, digits, key, term.permutation, out);
            if let Some(w) = window {
                for (p, out) in out.chunks_exact_mut(n).take(src.polys() / 2).enumerate() {
                    let addend = src.row(p, w);
                    simd::lift_assign(level, prime, out, addend, term.permutation, special(w));
                }
            }
        } else {
            for (p, out) in out.chunks_exact_mut(n).enumerate() {
                match window {
                    None => out.fill(0),
                    Some(w) => simd::scale(level, prime, out, src.row(p, w), special(w)),
                }
            }
        }
    }
}

/// Adds term k, times its weight, to a sum; the first one starts it.
fn accumulate(
    ring: &CpuRing,
    limb: usize,
    position: usize,
    weight: Option<&CpuBuf>,
    k: usize,
    part: &[u32],
    total: &mut [u32],
) {
    let (n, level, prime) = (ring.n(), ring.level(), ring.prime(limb));
    let rows = total.chunks_exact_mut(n).zip(part.chunks_exact(n));
    for (p, (total, part)) in rows.enumerate() {
        match weight {
            None if k == 0 => total.copy_from_slice(part),
            None => simd::add_assign(level, prime, total, part),
            Some(weight) => {
                let weight = weight.row(p % weight.polys(), position);
                if k == 0 {
                    simd::mul(level, prime, total, part, weight);
                } else {
                    simd::mul_acc(level, prime, total, part, weight);
                }
            }
        }
    }
}
