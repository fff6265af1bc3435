//! Operations on one word of each operand.

use arras_hal::{GaloisElement, LimbConstants, Result, RowCopy};

use crate::{
    CpuEngine, CpuRing,
    kernels::{
        dispatch,
        inner::KEY_BLOCK,
        products::{MAX_PAIRS, MAX_TERMS},
    },
    memory::CpuBuf,
    ring::Prime,
    simd::Level,
};

type Binary = fn(Level, &Prime, &mut [u32], &[u32], &[u32]);
type Unary = fn(Level, &Prime, &mut [u32], &[u32]);

impl CpuEngine {
    /// Calls `f` with (polynomial, limb position, absolute limb, row) of every row.
    pub(super) fn rows(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        f: impl Fn(usize, usize, &Prime, &mut [u32]) + Sync + Send,
    ) {
        let (polys, limbs) = (dst.polys(), dst.shape().limbs.clone());
        self.each_row(dst.words_mut(), ring.n(), |row, words| {
            let (l, p) = (row / polys, row % polys);
            f(p, l, ring.prime(limbs.at(l)), words);
        });
    }

    pub(super) fn binary(&self, r: &CpuRing, dst: &mut CpuBuf, a: &CpuBuf, b: &CpuBuf, f: Binary) {
        self.rows(r, dst, |p, l, prime, words| {
            let (a, b) = (a.row(p % a.polys(), l), b.row(p % b.polys(), l));
            f(r.level(), prime, words, a, b);
        });
    }

    pub(super) fn unary(&self, r: &CpuRing, dst: &mut CpuBuf, a: &CpuBuf, f: Unary) {
        self.rows(r, dst, |p, l, prime, words| {
            f(r.level(), prime, words, a.row(p % a.polys(), l));
        });
    }

    pub(super) fn scale_rows(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        a: Option<&CpuBuf>,
        constants: &LimbConstants,
    ) {
        debug_assert_eq!(&dst.shape().limbs, constants.limbs());
        self.rows(ring, dst, |p, l, prime, words| {
            let c = constants.as_slice()[l].value;
            match a {
                None => dispatch::scale_assign(ring.level(), prime, words, c),
                Some(a) => dispatch::scale(ring.level(), prime, words, a.row(p % a.polys(), l), c),
            }
        });
    }

    pub(super) fn permute(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        a: &CpuBuf,
        galois: GaloisElement,
    ) {
        let permutation = ring.permutation(galois);
        self.rows(ring, dst, |p, l, _, words| {
            let a = a.row(p % a.polys(), l);
            match &permutation {
                None => words.copy_from_slice(a),
                Some(permutation) => dispatch::permute(ring.level(), words, a, permutation),
            }
        });
    }

    /// Destinations are scattered over the buffer, so this runs on one thread: it moves memory only.
    pub(super) fn copy(&self, dst: &mut CpuBuf, src: &CpuBuf, rows: &[RowCopy]) {
        for r in rows {
            let row = src.row(r.src_poly as usize, r.src_limb as usize);
            dst.row_mut(r.dst_poly as usize, r.dst_limb as usize)
                .copy_from_slice(row);
        }
    }

    pub(super) fn products(&self, ring: &CpuRing, dst: &mut CpuBuf, a: &[&CpuBuf], b: &[&CpuBuf]) {
        let (n, batch) = (ring.n(), dst.polys() / 3);
        let limbs = dst.shape().limbs.clone();
        self.each_chunk(dst.words_mut(), 3 * batch * n, |l, words| {
            let prime = ring.prime(limbs.at(l));
            let (d0, rest) = words.split_at_mut(batch * n);
            let (d1, d2) = rest.split_at_mut(batch * n);
            let dst = d0.chunks_mut(n).zip(d1.chunks_mut(n)).zip(d2.chunks_mut(n));
            for (p, ((d0, d1), d2)) in dst.enumerate() {
                if let ([a], [b]) = (a, b) {
                    let a = [a.row(p, l), a.row(batch + p, l)];
                    let b = [b.row(p, l), b.row(batch + p, l)];
                    dispatch::tensor(ring.level(), prime, [d0, d1, d2], a, b);
                    continue;
                }
                for (k, (a, b)) in a.chunks(MAX_PAIRS).zip(b.chunks(MAX_PAIRS)).enumerate() {
                    let mut pairs: [[&[u32]; 4]; MAX_PAIRS] = [[&[]; 4]; MAX_PAIRS];
                    for (pair, (a, b)) in pairs.iter_mut().zip(a.iter().zip(b)) {
                        *pair = [
                            a.row(p, l),
                            a.row(batch + p, l),
                            b.row(p, l),
                            b.row(batch + p, l),
                        ];
                    }
                    let (dst, pairs) = ([&mut *d0, &mut *d1, &mut *d2], &pairs[..a.len()]);
                    dispatch::sum_of_products(ring.level(), prime, dst, pairs, k > 0);
                }
            }
        });
    }

    pub(super) fn weighted(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        terms: &[&CpuBuf],
        weights: &[&CpuBuf],
    ) {
        self.rows(ring, dst, |p, l, prime, words| {
            let chunks = terms.chunks(MAX_TERMS).zip(weights.chunks(MAX_TERMS));
            for (k, (terms, weights)) in chunks.enumerate() {
                let mut pairs: [[&[u32]; 2]; MAX_TERMS] = [[&[]; 2]; MAX_TERMS];
                for (pair, (a, b)) in pairs.iter_mut().zip(terms.iter().zip(weights)) {
                    *pair = [a.row(p % a.polys(), l), b.row(p % b.polys(), l)];
                }
                let pairs = &pairs[..terms.len()];
                dispatch::weighted_sum(ring.level(), prime, words, pairs, k > 0);
            }
        });
    }

    /// Rows in or out of boundary order `[poly][limb][N]`.
    pub(super) fn load(&self, dst: &mut CpuBuf, words: &[u32], n: usize) {
        let (polys, limbs) = (dst.polys(), dst.shape().limbs.len());
        self.each_row(dst.words_mut(), n, |row, dst| {
            let (l, p) = (row / polys, row % polys);
            dst.copy_from_slice(&words[(p * limbs + l) * n..][..n]);
        });
    }

    pub(super) fn store(&self, src: &CpuBuf, words: &mut [u32], n: usize) {
        let limbs = src.shape().limbs.len();
        self.each_row(words, n, |row, dst| {
            dst.copy_from_slice(src.row(row / limbs, row % limbs));
        });
    }
}

impl CpuEngine {
    /// `2^32 * words` modulo their primes, `[digit][2][limb][N]` to a key's own layout.
    pub(super) fn load_key(
        &self,
        ring: &CpuRing,
        layout: &arras_hal::KeyLayout,
        words: &[u32],
    ) -> Result<super::CpuKey> {
        let (n, halves, limbs) = (ring.n(), 2 * layout.digits, layout.limbs.len());
        let block = KEY_BLOCK.min(n);
        let mut key = self.scratch(words.len(), false)?;
        self.each_chunk(key.as_mut(), halves * n, |l, dst| {
            for (i, dst) in dst.chunks_exact_mut(block).enumerate() {
                let (b, h) = (i / halves, i % halves);
                let at = (h * limbs + l) * n + b * block;
                dst.copy_from_slice(&words[at..at + block]);
            }
            let prime = ring.prime(layout.limbs.at(l));
            dispatch::scale_assign(ring.level(), prime, dst, prime.radix);
        });
        Ok(super::CpuKey {
            layout: layout.clone(),
            words: key,
            n,
        })
    }
}
