//! Definitions computed the slow way, with nothing from the engines: sums, big integers.

use num_bigint::{BigInt, BigUint};
use num_traits::{Signed, ToPrimitive, Zero};

use crate::{ConversionMode, Domain, Limbs, Modulus, RingBasis, galois::bit_reverse};

use super::values::Words;

/// Evaluations of a row of coefficients by Horner's rule: index i at psi^(2 bitrev(i) + 1).
pub(super) fn evaluate(row: &[u32], q: Modulus, psi: u32) -> Vec<u32> {
    let bits = row.len().trailing_zeros();
    (0..row.len() as u32)
        .map(|i| {
            let x = q.pow(psi, u64::from(2 * bit_reverse(i, bits) + 1));
            row.iter().rev().fold(0, |acc, &c| q.add(q.mul(acc, x), c))
        })
        .collect()
}

/// Coefficients of a row of evaluations, by the inverse sum.
pub(super) fn interpolate(row: &[u32], q: Modulus, psi: u32) -> Vec<u32> {
    let n = row.len() as u32;
    let bits = n.trailing_zeros();
    let n_inverse = q.inv(n);
    (0..n)
        .map(|k| {
            let sum = (0..n).fold(0, |acc, i| {
                let exponent = u64::from(2 * bit_reverse(i, bits) + 1) * u64::from(k);
                q.add(acc, q.mul(row[i as usize], q.inv(q.pow(psi, exponent))))
            });
            q.mul(sum, n_inverse)
        })
        .collect()
}

/// a * b modulo X^N + 1, by the schoolbook.
pub(super) fn negacyclic_product(a: &[u32], b: &[u32], q: Modulus) -> Vec<u32> {
    let n = a.len();
    let mut product = vec![0; n];
    for (i, &a) in a.iter().enumerate() {
        for (j, &b) in b.iter().enumerate() {
            let (k, term) = ((i + j) % n, q.mul(a, b));
            product[k] = if i + j < n {
                q.add(product[k], term)
            } else {
                q.sub(product[k], term)
            };
        }
    }
    product
}

/// The polynomial at X^g.
pub(super) fn substitute(row: &[u32], g: u32, q: Modulus) -> Vec<u32> {
    let n = row.len();
    let mut image = vec![0; n];
    for (k, &c) in row.iter().enumerate() {
        let exponent = k * g as usize % (2 * n);
        image[exponent % n] = if exponent < n { c } else { q.neg(c) };
    }
    image
}

/// All rows through `f`, which gets the row, its modulus and psi; the result is in the other domain.
pub(super) fn map_rows(
    basis: &RingBasis,
    words: &Words,
    domain: Domain,
    f: impl Fn(&[u32], Modulus, u32) -> Vec<u32>,
) -> Words {
    let limbs = &words.shape.limbs;
    let rows = words.words.chunks_exact(basis.n()).enumerate();
    Words {
        shape: words.shape.clone(),
        domain,
        words: rows
            .flat_map(|(row, values)| {
                let limb = limbs.at(row % limbs.len());
                f(values, basis.modulus(limb), basis.psi(limb))
            })
            .collect(),
    }
}

/// Evaluations of coefficients.
pub(super) fn to_eval(basis: &RingBasis, words: &Words) -> Words {
    map_rows(basis, words, Domain::Eval, evaluate)
}

/// Coefficients of evaluations.
pub(super) fn to_coeff(basis: &RingBasis, words: &Words) -> Words {
    map_rows(basis, words, Domain::Coeff, interpolate)
}

/// `x mod q`, not negative.
pub(super) fn residue(x: &BigInt, q: u32) -> u32 {
    let q = BigInt::from(q);
    (((x % &q) + &q) % &q).to_u32().expect("below a u32")
}

/// The residues of coefficient `k` of polynomial `poly`, one per limb.
pub(super) fn column(words: &Words, n: usize, poly: usize, k: usize) -> Vec<u32> {
    let limbs = words.shape.limbs.len();
    (0..limbs)
        .map(|l| words.words[(poly * limbs + l) * n + k])
        .collect()
}

/// The integer in [0, product) with these residues.
pub(super) fn crt(basis: &RingBasis, limbs: &Limbs, residues: &[u32]) -> BigInt {
    let product = basis.product(limbs);
    let mut sum = BigUint::zero();
    for (limb, &r) in limbs.iter().zip(residues) {
        let q = basis.modulus(limb);
        let cofactor = &product / q.value();
        let inverse = q.inv((&cofactor % q.value()).to_u32().expect("below a u32"));
        sum += cofactor * q.mul(r, inverse);
    }
    BigInt::from(sum % product)
}

/// The integer that a base conversion stands for: `x` are the residues modulo the primes of `from`, already multiplied by
/// (S/s_i)^-1.
pub(super) fn representative(
    basis: &RingBasis,
    from: &Limbs,
    x: &[u32],
    mode: ConversionMode,
) -> BigInt {
    let product = BigInt::from(basis.product(from));
    let sources = || from.iter().map(|i| basis.modulus(i).value()).zip(x);
    let sum = sources().fold(BigInt::zero(), |acc, (s, &x)| {
        let lifted = match mode {
            ConversionMode::Centred if x > (s - 1) / 2 => i64::from(x) - i64::from(s),
            _ => i64::from(x),
        };
        acc + &product / s * lifted
    });
    match mode {
        ConversionMode::Centred => sum,
        ConversionMode::Quotient => {
            let estimate: u64 = sources()
                .map(|(s, &x)| {
                    let reciprocal = ((1u64 << 41) / u64::from(s)).div_ceil(2);
                    u64::from(x >> 14) * reciprocal
                })
                .sum();
            sum - product * ((estimate + (1 << 25)) >> 26)
        }
    }
}

/// |a| * 100 <= percent * |b|.
pub(super) fn at_most_percent(a: &BigInt, percent: u32, b: &BigInt) -> bool {
    a.abs() * 100u32 <= b.abs() * percent
}
