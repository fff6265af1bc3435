//! The pieces of key switching: digits of a polynomial, their extension to other limbs, inner products with a key.
//!
//! ```text
//!   x        = intt of the window, times the digits' constants, plus half     [window limb][B]     once
//!   digits   = convert + ntt                                [some limbs][digit][B]     a task's scratch, but the limb's own
//!   sums     = inner products with the key                  [2][B]     of one limb
//! ```

use arras_hal::{GaloisElement, ModUpPlan, Result};

use super::{
    CpuKey,
    batch::{Grid, MAX_GROUP, Needs, split, stride},
    convert::{Sources, Target, convert_rows},
};
use crate::{
    CpuEngine, CpuRing,
    kernels::{
        PIECE, dispatch,
        inner::{Key, MAX_DIGITS, Source},
    },
    memory::{CpuBuf, View, Words},
    permutation::Permutation,
};

/// Digits at one limb: rows `[digit][B]`, canonical, or below 4q if the digits are at most
/// [`LAZY_DIGITS`](crate::kernels::inner::LAZY_DIGITS); but for the limb's own digit, which is the polynomial itself.
#[derive(Clone, Copy)]
pub(super) struct Digits<'a> {
    held: Grid<'a>,
    batch: usize,
    /// The own digit, the polynomials and their place in the window.
    own: Option<(usize, View<'a>, usize)>,
}

impl<'a> Digits<'a> {
    /// `held` starts with the limb's rows.
    pub(super) fn new(plan: &ModUpPlan, limb: usize, held: Grid<'a>, src: View<'a>) -> Self {
        Self {
            held,
            batch: src.polys(),
            own: own_digit(plan, limb)
                .map(|(j, i)| (j, src, plan.digits()[j].source_in_window()[i])),
        }
    }

    fn row(&self, digit: usize, poly: usize) -> &'a [u32] {
        match self.own {
            Some((own, src, place)) if own == digit => src.row(poly, place),
            _ => self.held.row(digit * self.batch + poly),
        }
    }
}

/// How an inner product is made.
#[derive(Clone, Copy, Default)]
pub(super) struct How {
    /// It is added to what is there.
    pub(super) accumulate: bool,
    /// The limb's key was asked for before.
    pub(super) fetched: bool,
}

impl CpuEngine {
    /// The coefficients of `src` as conversions read them: `[window limb][B]`.
    pub(super) fn prepare_digits(
        &self,
        ring: &CpuRing,
        src: View<'_>,
        plan: &ModUpPlan,
        secret: bool,
    ) -> Result<Words> {
        let (n, stride, batch) = (ring.n(), stride(ring.n()), src.polys());
        let mut x = self.scratch(plan.window().len() * batch * stride, secret)?;
        self.each_chunk(x.as_mut(), stride, |row, words| {
            let (w, p) = (row / batch, row % batch);
            let (limb, words) = (plan.window().at(w), &mut words[..n]);
            let prime = ring.prime(limb);
            let found = own_digit(plan, limb);
            debug_assert!(found.is_some(), "digits cover the window");
            let Some((j, i)) = found else { return };
            let digit = &plan.digits()[j];
            let scale = digit.source_scale().as_slice()[i].value;
            let factor = prime.mul(prime.n_inverse, scale);
            dispatch::inverse(ring.level(), prime, words, Some(src.row(p, w)), factor);
            dispatch::add_constant_assign(ring.level(), prime, words, digit.table().half()[i]);
        });
        Ok(x)
    }

    /// The digits that are converted to some extended limbs (positions), as coefficients below 4q, rows `[limb][digit][B]`. A limb's
    /// own digit is the polynomial itself: its rows are not written and must not be read.
    pub(super) fn convert_digits(
        &self,
        ring: &CpuRing,
        plan: &ModUpPlan,
        x: &Words,
        limbs: &[usize],
        rows: &mut [&mut [u32]],
    ) {
        let digits = plan.digits();
        let batch = rows.len() / (limbs.len() * digits.len()).max(1);
        let x = Grid::new(x.as_ref(), ring.n(), stride(ring.n()));
        for (j, digit) in digits.iter().enumerate() {
            let mut places = [0; MAX_GROUP];
            let mut targets: Vec<Target> = Vec::with_capacity(limbs.len());
            for (k, &e) in limbs.iter().enumerate() {
                if let Some(position) = digit.table().to().position(plan.ext().at(e)) {
                    places[targets.len()] = k;
                    targets.push(Target::new(ring, digit.table(), position));
                }
            }
            for p in 0..batch {
                let sources = digit.source_in_window().iter();
                let sources = Sources::new(sources.map(|&w| x.row(w * batch + p)));
                convert_rows(ring, &sources, &targets, rows, |k| {
                    (places[k] * digits.len() + j) * batch + p
                });
            }
        }
    }

    /// Evaluations of the converted digits of one extended limb, rows `[digit][B]`: canonical if asked, otherwise below 4q. What will
    /// be read next, `ahead`, is asked for meanwhile; whether it was, is returned: where all digits are the limb's own, nothing is transformed.
    pub(super) fn evaluate_digits(
        &self,
        ring: &CpuRing,
        plan: &ModUpPlan,
        e: usize,
        rows: &mut [&mut [u32]],
        canonical: bool,
        ahead: &[u32],
    ) -> bool {
        let limb = plan.ext().at(e);
        let batch = rows.len() / plan.digits().len().max(1);
        let own = own_digit(plan, limb);
        let count = plan.digits().len() - usize::from(own.is_some());
        let asked = count * batch > 0 && !ahead.is_empty();
        let mut ahead = shares(ahead, count * batch);
        for (j, rows) in rows.chunks_mut(batch.max(1)).enumerate() {
            if own.is_some_and(|(digit, _)| digit == j) {
                continue;
            }
            for row in rows {
                let ahead = ahead.next().unwrap_or_default();
                dispatch::forward(ring.level(), ring.prime(limb), row, canonical, ahead);
            }
        }
        asked
    }

    pub(super) fn mod_up_buffer(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        src: &CpuBuf,
        plan: &ModUpPlan,
    ) -> Result<()> {
        let secret = dst.is_secret();
        let words = plan.window().len() * stride(ring.n());
        self.each_part(
            ring.n(),
            (src.polys(), words),
            &mut [dst],
            |_, count| Needs {
                part: vec![words * count],
                task: Vec::new(),
            },
            |engine, part, dst| {
                let src = src.all().of(part);
                engine.mod_up_rows(ring, &mut dst[0], src, plan, secret)
            },
        )
    }

    /// All digits at all extended limbs, rows `[limb][digit][B]`.
    pub(super) fn mod_up_rows(
        &self,
        ring: &CpuRing,
        rows: &mut [&mut [u32]],
        src: View<'_>,
        plan: &ModUpPlan,
        secret: bool,
    ) -> Result<()> {
        let x = self.prepare_digits(ring, src, plan, secret)?;
        let each = plan.digits().len() * src.polys();
        let group = self.group(plan.ext().len(), each);
        self.each_rows(rows, group * each, |g, rows| {
            let mut limbs = [0; MAX_GROUP];
            let limbs = &mut limbs[..rows.len() / each];
            for (k, limb) in limbs.iter_mut().enumerate() {
                *limb = g * group + k;
            }
            self.convert_digits(ring, plan, &x, limbs, rows);
            for (&e, rows) in limbs.iter().zip(rows.chunks_mut(each)) {
                self.evaluate_digits(ring, plan, e, rows, true, &[]);
                if let Some((j, i)) = own_digit(plan, plan.ext().at(e)) {
                    let w = plan.digits()[j].source_in_window()[i];
                    let rows = rows.iter_mut().skip(j * src.polys());
                    for (p, row) in rows.take(src.polys()).enumerate() {
                        row.copy_from_slice(src.row(p, w));
                    }
                }
            }
            Ok(())
        })
    }

    /// The inner products of one limb, added to `out` if asked: `digits` is `[digit][B]`, `out` has the rows `[2][B]`.
    pub(super) fn inner_products(
        &self,
        ring: &CpuRing,
        limb: usize,
        digits: Digits<'_>,
        (key, key_digits): (&CpuKey, &[usize]),
        permutation: Option<&Permutation>,
        out: &mut [&mut [u32]],
        how: How,
    ) {
        let n = ring.n();
        let batch = out.len() / 2;
        let len = n.min(PIECE);
        let position = key.position(limb);
        let prime = ring.prime(limb);
        let (b, a) = out.split_at_mut(batch);
        for at in (0..n).step_by(len) {
            for (chunk, numbers) in key_digits.chunks(MAX_DIGITS).enumerate() {
                let key = Key {
                    words: key.piece(position, at, len),
                    digits: key.layout.digits,
                    numbers,
                    source: match (batch, how.fetched) {
                        (1, true) => Source::Fetched,
                        (1, false) => Source::Memory,
                        _ => Source::Shared,
                    },
                };
                for p in 0..batch {
                    let mut rows: [&[u32]; MAX_DIGITS] = [&[]; MAX_DIGITS];
                    for (j, row) in rows.iter_mut().take(numbers.len()).enumerate() {
                        *row = digits.row(chunk * MAX_DIGITS + j, p);
                    }
                    let dst = [&mut b[p][at..at + len], &mut a[p][at..at + len]];
                    let rows = &rows[..numbers.len()];
                    let (level, more) = (ring.level(), how.accumulate || chunk > 0);
                    dispatch::inner_product(level, prime, dst, at, rows, key, permutation, more);
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
        let all = Grid::new(digits.words(), n, n);
        self.each_chunk(dst.words_mut(), polys * n, |l, out| {
            let (limb, held) = (limbs.at(l), all.from(l * digits.polys()));
            let digits = Digits {
                held,
                batch: polys / 2,
                own: None,
            };
            let mut out = split(out, n, n);
            let permutation = permutation.as_deref();
            let how = How::default();
            self.inner_products(ring, limb, digits, key, permutation, &mut out, how);
        });
    }
}

/// The digit that a limb of the window belongs to, and its place among the digit's limbs.
fn own_digit(plan: &ModUpPlan, limb: usize) -> Option<(usize, usize)> {
    let mut digits = plan.digits().iter().enumerate();
    digits.find_map(|(j, digit)| Some((j, digit.source().position(limb)?)))
}

/// Words to ask for in nearly equal shares, one for each of some transforms.
pub(super) fn shares(words: &[u32], transforms: usize) -> std::slice::Chunks<'_, u32> {
    words.chunks(words.len().div_ceil(transforms.max(1)).max(1))
}
