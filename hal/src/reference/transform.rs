//! The negacyclic number-theoretic transform, radix 2.
//!
//! Forward: decimation in time with psi folded into the twiddles, natural order in, bit-reversed order
//! out. Inverse: its mirror (Longa and Naehrig, ePrint 2016/504, algorithms 1 and 2). Canonical in, canonical out.

use crate::Modulus;

/// `row` becomes its evaluations: index i the value at psi^(2 bitrev(i) + 1).
pub(super) fn forward(row: &mut [u32], q: Modulus, twiddles: &[u32]) {
    let mut half = row.len();
    let mut blocks = 1;
    while blocks < row.len() {
        half /= 2;
        for (block, &w) in row.chunks_exact_mut(2 * half).zip(&twiddles[blocks..]) {
            let (low, high) = block.split_at_mut(half);
            for (x, y) in low.iter_mut().zip(high) {
                let t = q.mul(*y, w);
                *y = q.sub(*x, t);
                *x = q.add(*x, t);
            }
        }
        blocks *= 2;
    }
}

/// `row` becomes the coefficients of its evaluations.
pub(super) fn inverse(row: &mut [u32], q: Modulus, twiddles: &[u32], n_inverse: u32) {
    let mut half = 1;
    let mut blocks = row.len() / 2;
    while blocks >= 1 {
        for (block, &w) in row.chunks_exact_mut(2 * half).zip(&twiddles[blocks..]) {
            let (low, high) = block.split_at_mut(half);
            for (x, y) in low.iter_mut().zip(high) {
                let difference = q.sub(*x, *y);
                *x = q.add(*x, *y);
                *y = q.mul(difference, w);
            }
        }
        half *= 2;
        blocks /= 2;
    }
    for x in row {
        *x = q.mul(*x, n_inverse);
    }
}

#[cfg(test)]
mod tests {
    use crate::{RingBasis, RingSpec};

    #[test]
    fn evaluations_are_the_values_at_the_stated_points() {
        let basis = RingBasis::new(&RingSpec {
            log_n: 4,
            moduli: vec![97, 193],
        })
        .unwrap();
        for limb in 0..2 {
            let (q, psi) = (basis.modulus(limb), basis.psi(limb));
            let coefficients: Vec<u32> = (0..16u32).map(|i| (i * i * 7 + 3) % q.value()).collect();
            let mut row = coefficients.clone();
            super::forward(&mut row, q, &basis.forward_twiddles(limb));
            for (i, &value) in row.iter().enumerate() {
                let exponent = 2 * crate::galois::bit_reverse(i as u32, 4) + 1;
                let point = q.pow(psi, u64::from(exponent));
                let horner = coefficients
                    .iter()
                    .rev()
                    .fold(0, |acc, &c| q.add(q.mul(acc, point), c));
                assert_eq!(value, horner);
            }
            super::inverse(
                &mut row,
                q,
                &basis.inverse_twiddles(limb),
                basis.n_inverse(limb).value,
            );
            assert_eq!(row, coefficients);
        }
    }
}
