//! Automorphisms of rows of evaluations, as permutations of whole vectors and of lanes.
//!
//! In boundary order, index i stands for the exponent 2 bitrev(i) + 1: the upper bits of i are the lower bits of the
//! exponent. Multiplying by g modulo 2N, those depend on nothing above them, so all words of an aligned block of 2^k come from
//! one aligned block of 2^k: a load and a permutation inside the vector, no gather. And there are only 2^k different
//! permutations inside a vector, numbered by the bits that the product carries into the upper part.

use arras_hal::GaloisElement;

use crate::{pages::Line, simd::Simd};

/// How many vectors ahead one is asked for.
const AHEAD: usize = 16;

/// X -> X^g of one row, for vectors of a given width.
#[derive(Debug)]
pub(crate) struct Permutation {
    /// Per vector: number of the vector it comes from, times 16, plus the number of its pattern.
    vectors: Box<[u32]>,
    /// Lane indices, one line per pattern; the words behind the vector's width are not used.
    patterns: Box<[Line]>,
}

impl Permutation {
    /// The permutation of rows of `2^log_n` words in vectors of `lanes`, at most 16.
    pub(crate) fn new(galois: GaloisElement, log_n: u32, lanes: usize) -> Self {
        let words = galois.evaluation_permutation(log_n);
        let mut patterns: Vec<Line> = Vec::with_capacity(lanes);
        let vectors = words
            .chunks_exact(lanes)
            .map(|block| {
                let source = block[0] / lanes as u32;
                let mut pattern = Line::default();
                for (lane, &word) in pattern.0.iter_mut().zip(block) {
                    debug_assert_eq!(word / lanes as u32, source);
                    *lane = word % lanes as u32;
                }
                let number = patterns.iter().position(|p| *p == pattern);
                let number = number.unwrap_or_else(|| {
                    patterns.push(pattern);
                    patterns.len() - 1
                });
                debug_assert!(number < 16);
                source * 16 + number as u32
            })
            .collect();
        Self {
            vectors,
            patterns: patterns.into(),
        }
    }

    /// Vector i of the image of a row is this vector of the row with its lanes permuted so.
    #[inline(always)]
    pub(crate) fn place<S: Simd>(&self, s: S, i: usize) -> (usize, S::V) {
        let entry = self.vectors[i];
        let pattern = s.view(&self.patterns[(entry & 15) as usize].0)[0];
        ((entry >> 4) as usize, pattern)
    }

    /// The vector of the row that is needed a little after vector i of its image: the processor cannot guess where the next ones
    /// come from.
    #[inline(always)]
    pub(crate) fn ahead(&self, i: usize) -> usize {
        let last = self.vectors.len() - 1;
        (self.vectors[(i + AHEAD).min(last)] >> 4) as usize
    }

    /// Vector i of the image of a row.
    #[inline(always)]
    pub(crate) fn vector<S: Simd>(&self, s: S, row: &[S::V], i: usize) -> S::V {
        s.prefetch(row, self.ahead(i));
        let (from, pattern) = self.place(s, i);
        s.permute(row[from], pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernels::dispatch,
        simd::{Level, SimdLevel},
    };

    #[test]
    fn every_width_moves_words_as_the_plain_permutation() {
        for level in SimdLevel::available() {
            let level = Level::new(level).unwrap();
            // Miri takes minutes for the larger ones.
            for &log_n in if cfg!(miri) { &[5][..] } else { &[5, 8, 11] } {
                let n = 1usize << log_n;
                let mut words = vec![Line::default(); n / 16];
                let row: &mut [u32] = bytemuck::cast_slice_mut(&mut words);
                for (i, x) in row.iter_mut().enumerate() {
                    *x = i as u32;
                }
                for g in (1..2 * n as u64).step_by(if log_n == 11 { 254 } else { 2 }) {
                    let galois = GaloisElement::new(g, log_n).unwrap();
                    let permutation = Permutation::new(galois, log_n, level.lanes());
                    let mut out = vec![Line::default(); n / 16];
                    dispatch::permute(
                        level,
                        bytemuck::cast_slice_mut(&mut out),
                        bytemuck::cast_slice(&words),
                        &permutation,
                    );
                    let out: &[u32] = bytemuck::cast_slice(&out);
                    assert_eq!(out, galois.evaluation_permutation(log_n), "{level:?} {g}");
                }
            }
        }
    }
}
