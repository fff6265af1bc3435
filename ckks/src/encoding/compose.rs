//! From residues back to centred integers.

use zeroize::Zeroizing;

use super::EncodingError;
use super::reduce::{Factor, subtract_once};

/// Most residue rows accepted.
const MAX_ROWS: usize = 4;
/// The product of the moduli stays below `2^MAX_PRODUCT_BITS`.
const MAX_PRODUCT_BITS: u32 = 126;

/// The integers in `(-Q/2, Q/2]` with the residues `rows[i][k]` modulo `moduli[i]`, each rounded once to
/// f64 (nearest, ties to even); `Q` is the product of the moduli. Coefficient form in, coefficient form
/// out.
///
/// Garner's algorithm (Knuth, TAOCP volume 2, 4.3.2): mixed-radix digits in 32-bit words, their sum exactly
/// in 128 bits.
///
/// # Errors
///
/// [`BadRowCount`](EncodingError::BadRowCount) unless there are 1 to 4 rows;
/// [`LengthMismatch`](EncodingError::LengthMismatch) if there are not as many moduli as rows or rows
/// differ in length; [`BadModulus`](EncodingError::BadModulus) below 2;
/// [`NotCoprime`](EncodingError::NotCoprime); [`ProductTooLarge`](EncodingError::ProductTooLarge) from
/// `2^126`; [`NotCanonical`](EncodingError::NotCanonical) for a residue that is not below its modulus.
pub fn compose_centred(rows: &[&[u32]], moduli: &[u32]) -> Result<Vec<f64>, EncodingError> {
    compose(rows, moduli, |x| x as f64)
}

/// [`compose_centred`] before it is rounded.
///
/// # Errors
/// As [`compose_centred`].
pub(crate) fn compose_integers(
    rows: &[&[u32]],
    moduli: &[u32],
) -> Result<Vec<i128>, EncodingError> {
    compose(rows, moduli, |x| x)
}

fn compose<T>(
    rows: &[&[u32]],
    moduli: &[u32],
    finish: impl Fn(i128) -> T,
) -> Result<Vec<T>, EncodingError> {
    check(rows, moduli)?;
    let garner = Garner::new(moduli);
    let len = rows[0].len();
    let mut digits = Zeroizing::new(rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>());
    // Row by row: each digit is final before the next row uses it, and the loops are over whole rows.
    for i in 1..rows.len() {
        let (done, rest) = digits.split_at_mut(i);
        for (j, previous) in done.iter().enumerate() {
            garner.eliminate(i, j, previous, &mut rest[0]);
        }
    }
    let half = garner.product / 2;
    Ok((0..len)
        .map(|k| {
            let x = digits
                .iter()
                .zip(&garner.radices)
                .fold(0u128, |x, (d, r)| x + u128::from(d[k]) * r);
            let negative = u128::from(x > half).wrapping_neg();
            finish(x.wrapping_sub(garner.product & negative) as i128)
        })
        .collect())
}

fn check(rows: &[&[u32]], moduli: &[u32]) -> Result<(), EncodingError> {
    if !(1..=MAX_ROWS).contains(&rows.len()) {
        return Err(EncodingError::BadRowCount {
            given: rows.len(),
            max: MAX_ROWS,
        });
    }
    let mismatch = |what, expected, given| EncodingError::LengthMismatch {
        operation: "compose",
        what,
        expected,
        given,
    };
    if moduli.len() != rows.len() {
        return Err(mismatch("moduli", rows.len(), moduli.len()));
    }
    for row in rows {
        if row.len() != rows[0].len() {
            return Err(mismatch("residues in a row", rows[0].len(), row.len()));
        }
    }
    for (index, &modulus) in moduli.iter().enumerate() {
        if modulus < 2 {
            return Err(EncodingError::BadModulus { index, modulus });
        }
        if let Some(&first) = moduli[..index]
            .iter()
            .find(|&&first| gcd(first, modulus) != 1)
        {
            return Err(EncodingError::NotCoprime {
                first,
                second: modulus,
            });
        }
    }
    // Four words never overflow 128 bits.
    let product: u128 = moduli.iter().map(|&q| u128::from(q)).product();
    let bits = 128 - product.leading_zeros();
    if bits > MAX_PRODUCT_BITS {
        return Err(EncodingError::ProductTooLarge {
            bits,
            max: MAX_PRODUCT_BITS,
        });
    }
    for (row, (residues, &modulus)) in rows.iter().zip(moduli).enumerate() {
        if let Some(index) = residues.iter().position(|&r| r >= modulus) {
            return Err(EncodingError::NotCanonical {
                row,
                index,
                residue: residues[index],
                modulus,
            });
        }
    }
    Ok(())
}

struct Garner {
    moduli: Vec<u32>,
    /// `radices[i] = moduli[0] * .. * moduli[i-1]`.
    radices: Vec<u128>,
    product: u128,
}

impl Garner {
    /// For moduli that passed [`check`].
    fn new(moduli: &[u32]) -> Self {
        let mut product = 1u128;
        let radices = moduli
            .iter()
            .map(|&q| {
                let radix = product;
                product *= u128::from(q);
                radix
            })
            .collect();
        Self {
            moduli: moduli.to_vec(),
            radices,
            product,
        }
    }

    /// `row = (row - previous) / moduli[j]` modulo `moduli[i]`, for digits `previous` below `moduli[j]`.
    fn eliminate(&self, i: usize, j: usize, previous: &[u32], row: &mut [u32]) {
        let q = self.moduli[i];
        let one = Factor::new(1, q);
        let inverse = Factor::new(u128::from(inverse_mod(self.moduli[j], q)), q);
        for (x, &d) in row.iter_mut().zip(previous) {
            let difference = u64::from(*x) + u64::from(q - one.mul(d));
            *x = inverse.mul(subtract_once(difference, u64::from(q)) as u32);
        }
    }
}

fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The inverse of `a` modulo `q >= 2`, for coprime `a` and `q`, by the extended Euclidean algorithm.
fn inverse_mod(a: u32, q: u32) -> u32 {
    let (mut r0, mut r1) = (i64::from(q), i64::from(a % q));
    let (mut t0, mut t1) = (0i64, 1i64);
    while r1 != 0 {
        let quotient = r0 / r1;
        (r0, r1) = (r1, r0 - quotient * r1);
        (t0, t1) = (t1, t0 - quotient * t1);
    }
    t0.rem_euclid(i64::from(q)) as u32
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use num_traits::ToPrimitive;

    use super::*;
    use crate::encoding::tests::words;

    /// The centred integer by the textbook formula, sum of r_i (Q/q_i) ((Q/q_i)^-1 mod q_i).
    fn by_big_integers(residues: &[u32], moduli: &[u32]) -> BigInt {
        let product: BigInt = moduli.iter().map(|&q| BigInt::from(q)).product();
        let mut x = BigInt::from(0);
        for (&r, &q) in residues.iter().zip(moduli) {
            let cofactor = &product / q;
            let inverse = cofactor.modpow(&BigInt::from(phi(q) - 1), &BigInt::from(q));
            x += BigInt::from(r) * &cofactor * inverse;
        }
        x %= &product;
        if BigInt::from(2) * &x > product {
            x - product
        } else {
            x
        }
    }

    /// Euler's function by trial division.
    fn phi(mut q: u32) -> u32 {
        let (mut phi, mut p) = (q, 2);
        while u64::from(p) * u64::from(p) <= u64::from(q) {
            if q.is_multiple_of(p) {
                phi -= phi / p;
                while q.is_multiple_of(p) {
                    q /= p;
                }
            }
            p += 1;
        }
        if q > 1 { phi - phi / q } else { phi }
    }

    #[test]
    fn matches_big_integers() {
        let sets: [&[u32]; 9] = [
            &[2],
            &[2_147_483_489],
            &[u32::MAX],
            &[2, 3, 5, 7],
            &[8, 15],
            &[65_537, 4_294_967_291],
            &[4_294_967_291, 65_537],
            &[2_147_483_489, 1_073_479_681, 1_073_217_537],
            &[2_147_483_489, 2_147_483_647, 2_147_483_629, 2_147_483_587],
        ];
        for (s, moduli) in sets.iter().enumerate() {
            let w = words(s as u64, 2000 * moduli.len());
            let reduce =
                |words: &[u64], q| words.iter().map(|v| (v % u64::from(q)) as u32).collect();
            let mut rows: Vec<Vec<u32>> = std::iter::zip(w.chunks_exact(2000), *moduli)
                .map(|(words, &q)| reduce(words, q))
                .collect();
            // 0, 1, -1, floor(Q/2), floor(Q/2) + 1.
            let product: u128 = moduli.iter().map(|&q| u128::from(q)).product();
            let half = product / 2;
            for x in [0, 1, product - 1, half, half + 1].map(|x| x % product) {
                for (row, &q) in rows.iter_mut().zip(*moduli) {
                    row.push((x % u128::from(q)) as u32);
                }
            }
            let refs: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
            let got = compose_centred(&refs, moduli).unwrap();
            for (k, &x) in got.iter().enumerate() {
                let residues: Vec<u32> = rows.iter().map(|row| row[k]).collect();
                let want = by_big_integers(&residues, moduli).to_i128().unwrap();
                assert_eq!(x, want as f64, "{residues:?} modulo {moduli:?}");
            }
        }
    }

    /// A tie between two f64 goes to the even one, and the sum is not rounded before the end.
    #[test]
    fn rounds_once() {
        let moduli = [2_147_483_489, 2_147_483_647, 2_147_483_629];
        for (x, want) in [
            ((1i128 << 53) + 1, 2f64.powi(53)),
            ((1 << 53) + 3, 2f64.powi(53) + 4.0),
            ((1 << 80) + (1 << 27) + 1, 2f64.powi(80) + 2f64.powi(28)),
            (-(1 << 80) - (1 << 27), -(2f64.powi(80))),
        ] {
            let rows = moduli.map(|q| [x.rem_euclid(i128::from(q)) as u32]);
            let refs: Vec<&[u32]> = rows.iter().map(<[u32; 1]>::as_slice).collect();
            assert_eq!(compose_centred(&refs, &moduli).unwrap(), [want], "{x}");
        }
    }

    #[test]
    fn bad_input_is_an_error() {
        use EncodingError as E;
        let r: &[u32] = &[1, 2];
        let one: &[u32] = &[1];
        refused! {
            compose_centred(&[], &[]) => E::BadRowCount { given: 0, max: 4 },
            compose_centred(&[r; 5], &[3, 5, 7, 11, 13]) => E::BadRowCount { given: 5, max: 4 },
            compose_centred(&[r, r], &[3]) => E::LengthMismatch { what: "moduli", .. },
            compose_centred(&[r, one], &[3, 5]) => E::LengthMismatch { expected: 2, given: 1, .. },
            compose_centred(&[r], &[1]) => E::BadModulus { index: 0, modulus: 1 },
            compose_centred(&[r], &[0]) => E::BadModulus { index: 0, modulus: 0 },
            compose_centred(&[r; 3], &[7, 6, 9]) => E::NotCoprime { first: 6, second: 9 },
            compose_centred(&[r; 2], &[7, 7]) => E::NotCoprime { first: 7, second: 7 },
            compose_centred(&[r; 4], &[0, 1, 2, 4].map(|x| u32::MAX - x)) => E::ProductTooLarge { bits: 128, max: 126 },
            compose_centred(&[r, r], &[5, 2]) => E::NotCanonical { row: 1, index: 1, residue: 2, modulus: 2 },
        }
        assert_eq!(compose_centred(&[&[]], &[5]), Ok(vec![]));
    }
}
