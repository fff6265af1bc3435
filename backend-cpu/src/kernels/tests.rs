//! Kernels at their stated limits, every level, against 128-bit arithmetic.

use arras_hal::{GaloisElement, RingBasis, RingSpec, is_prime};

use super::{
    convert::{MAX_SOURCES, MAX_TARGETS, Weights},
    dispatch,
    inner::{KEY_BLOCK, Key, LAZY_DIGITS, MAX_DIGITS, Source},
    products,
    reduce::FOLD,
};
use crate::{
    pages::Line,
    permutation::Permutation,
    ring::Prime,
    simd::{Level, SimdLevel},
};

/// Words of the rows: eight of the widest vectors.
const N: usize = 128;

/// Rows in one aligned piece of memory.
struct Rows(Vec<Line>);

impl Rows {
    fn new(count: usize, value: impl Fn(usize, usize) -> u32) -> Self {
        let mut rows = Self(vec![Line::default(); count * N / 16]);
        let words: &mut [u32] = bytemuck::cast_slice_mut(&mut rows.0);
        for (i, word) in words.iter_mut().enumerate() {
            *word = value(i / N, i % N);
        }
        rows
    }

    fn all(&self) -> Vec<&[u32]> {
        bytemuck::cast_slice(&self.0).chunks_exact(N).collect()
    }

    fn all_mut(&mut self) -> Vec<&mut [u32]> {
        let words: &mut [u32] = bytemuck::cast_slice_mut(&mut self.0);
        words.chunks_exact_mut(N).collect()
    }
}

/// The smallest prime of the ring, one near 2^24, and the two ends of 30 bits.
fn primes() -> Vec<Prime> {
    let moduli = vec![257, 16_776_961, 536_871_169, 1_073_741_569];
    let moduli = moduli
        .into_iter()
        .map(|from: u32| {
            (0..)
                .map(|k| {
                    if from > 1 << 29 {
                        from - 256 * k
                    } else {
                        from + 256 * k
                    }
                })
                .map(|q| q - (q - 1) % 256)
                .find(|&q| is_prime(q))
                .unwrap()
        })
        .collect();
    let basis = RingBasis::new(&RingSpec { log_n: 7, moduli }).unwrap();
    (0..basis.len()).map(|i| Prime::new(&basis, i)).collect()
}

fn levels() -> impl Iterator<Item = Level> {
    SimdLevel::available().filter_map(Level::new)
}

/// All of them; the first alone under Miri, which takes a thousand times as long.
fn some<T>(all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    all.into_iter()
        .take(if cfg!(miri) { 1 } else { usize::MAX })
}

/// Values that press on the bounds first, then mixed ones, all below `bound`.
fn value(bound: u32, row: usize, i: usize) -> u32 {
    match i % 8 {
        0..=2 => bound - 1,
        3 => 0,
        4 => bound / 2,
        _ => (row * 40_503 + i * 65_599) as u32 % bound,
    }
}

#[test]
fn conversions_of_the_most_and_largest_sources() {
    let primes = primes();
    let sources = Rows::new(MAX_SOURCES, |r, i| value(1 << 30, r, i));
    let sources = sources.all();
    for count in some([MAX_SOURCES, 1, 10, 11, 12, 15, 23]) {
        // What the two ways to end leave.
        let most = if count > FOLD { 3 } else { 4 };
        let sources = &sources[..count];
        let weights: Vec<Vec<u32>> = primes
            .iter()
            .map(|prime| (0..count).map(|r| value(prime.q, 1, r)).collect())
            .collect();
        let targets: Vec<Weights<'_>> = primes
            .iter()
            .zip(&weights)
            .map(|(prime, weights)| Weights {
                prime,
                weights,
                start: prime.q - 1,
            })
            .collect();
        assert_eq!(targets.len(), MAX_TARGETS);
        for (level, first, end) in levels().flat_map(|level| {
            let ranges = [(0, 4), (1, 4), (2, 4), (0, 2), (0, 1), (3, 4)];
            ranges.map(|(first, end)| (level, first, end))
        }) {
            let targets = &targets[first..end];
            let mut out = Rows::new(targets.len(), |_, _| 0);
            dispatch::convert(level, &mut out.all_mut(), sources, targets);
            for (target, out) in targets.iter().zip(out.all()) {
                let (prime, start) = (target.prime, target.start);
                for (i, &got) in out.iter().enumerate() {
                    let products = sources.iter().zip(target.weights);
                    let sum = products.fold(u128::from(start), |sum, (row, &w)| {
                        sum + u128::from(row[i]) * u128::from(w)
                    });
                    assert!(u64::from(got) < most * u64::from(prime.q));
                    let lifted = u128::from(got) << 32;
                    assert_eq!(lifted % u128::from(prime.q), sum % u128::from(prime.q));
                }
            }
        }
    }
}

#[test]
fn inner_products_of_the_most_digits() {
    for prime in some(primes()) {
        let canonical = Rows::new(MAX_DIGITS, |r, i| value(prime.q, r, i));
        let lazy = Rows::new(LAZY_DIGITS, |r, i| value(prime.q, r, i) + 3 * prime.q);
        // [block][digit][2][KEY_BLOCK], and where word i of a half is.
        let stride = 2 * MAX_DIGITS;
        let key = Rows::new(stride, |r, i| value(prime.q, r + 3, i));
        let key: &[u32] = bytemuck::cast_slice(&key.0);
        let at = |d: usize, c: usize, i: usize| {
            key[(i / KEY_BLOCK * stride + 2 * d + c) * KEY_BLOCK + i % KEY_BLOCK]
        };
        for count in some([MAX_DIGITS, 1, 4, 11, 12]) {
            // Digits of the key in another order.
            let numbers: Vec<usize> = (0..count).map(|j| MAX_DIGITS - 1 - j).collect();
            let digits = if count > LAZY_DIGITS {
                &canonical
            } else {
                &lazy
            }
            .all();
            let digits = &digits[..count];
            let sources = [Source::Memory, Source::Fetched, Source::Shared];
            let galois = [GaloisElement::rotation(0, 7), GaloisElement::rotation(3, 7)];
            for (level, source, galois, accumulate) in levels().flat_map(|l| {
                let moved = sources.map(|s| galois.map(|g| [(l, s, g, false), (l, s, g, true)]));
                moved.into_iter().flatten().flatten()
            }) {
                let places = galois.evaluation_permutation(7);
                // The identity goes the way without a permutation.
                let permutation = (galois != GaloisElement::rotation(0, 7))
                    .then(|| Permutation::new(galois, 7, level.lanes()));
                let permutation = permutation.as_ref();
                let mut out = Rows::new(2, |_, _| prime.q - 1);
                let mut rows = out.all_mut().into_iter();
                let dst = [rows.next().unwrap(), rows.next().unwrap()];
                let key = Key {
                    words: key,
                    digits: MAX_DIGITS,
                    numbers: &numbers,
                    source,
                };
                dispatch::inner_product(
                    level,
                    &prime,
                    dst,
                    0,
                    digits,
                    key,
                    permutation,
                    accumulate,
                );
                for (c, out) in out.all().into_iter().enumerate() {
                    for i in 0..N {
                        let products = digits.iter().zip(&numbers);
                        let sum = products.fold(0, |sum, (digit, &d)| {
                            let x = digit[places[i] as usize];
                            sum + u128::from(x) * u128::from(at(d, c, i))
                        });
                        let before = if accumulate { prime.q - 1 } else { 0 };
                        let got = prime.mul(out[i] + prime.q - before, prime.radix);
                        assert!(out[i] < prime.q);
                        assert_eq!(u128::from(got), sum % u128::from(prime.q));
                    }
                }
            }
        }
    }
}

#[test]
fn sums_of_the_most_products() {
    for prime in some(primes()) {
        let rows = Rows::new(30, |r, i| value(prime.q, r, i));
        let rows = rows.all();
        let q = u128::from(prime.q);
        let product =
            |a: usize, b: usize, i: usize| u128::from(rows[a][i]) * u128::from(rows[b][i]);
        for (level, accumulate) in levels().flat_map(|l| [(l, false), (l, true)]) {
            let before = if accumulate { q - 1 } else { 0 };
            let mut out = Rows::new(3, |_, _| prime.q - 1);
            let pairs: Vec<_> = (0..products::MAX_TERMS)
                .map(|k| [rows[k], rows[29 - k]])
                .collect();
            dispatch::weighted_sum(level, &prime, out.all_mut()[0], &pairs, accumulate);
            for i in 0..N {
                let sum: u128 = (0..pairs.len()).map(|k| product(k, 29 - k, i)).sum();
                assert_eq!(u128::from(out.all()[0][i]), (sum + before) % q);
            }

            let mut out = Rows::new(3, |_, _| prime.q - 1);
            let mut dst = out.all_mut().into_iter();
            let dst = std::array::from_fn(|_| dst.next().unwrap());
            let pairs: Vec<_> = (0..products::MAX_PAIRS)
                .map(|k| std::array::from_fn(|c| rows[4 * k + c]))
                .collect();
            dispatch::sum_of_products(level, &prime, dst, &pairs, accumulate);
            for i in 0..N {
                let mut sums = [before; 3];
                for k in (0..pairs.len()).map(|k| 4 * k) {
                    sums[0] += product(k, k + 2, i);
                    sums[1] += product(k, k + 3, i) + product(k + 1, k + 2, i);
                    sums[2] += product(k + 1, k + 3, i);
                }
                assert_eq!(
                    sums.map(|s| s % q),
                    [0, 1, 2].map(|c| u128::from(out.all()[c][i]))
                );
            }
        }
    }
}

#[test]
fn forward_takes_any_value_below_4q_and_inverse_undoes_it() {
    for prime in some(primes()) {
        let plain = Rows::new(1, |r, i| value(prime.q, r, i));
        let mut expected = Rows::new(1, |r, i| value(prime.q, r, i));
        dispatch::forward(Level::SCALAR, &prime, expected.all_mut()[0], true, &[]);
        for level in levels() {
            // Multiples of q that leave the residues alone.
            let lazy = |r, i| value(prime.q, r, i) + prime.q * (i as u32 % 4);
            for canonical in [true, false] {
                let mut row = Rows::new(1, lazy);
                // Nothing that is only asked for is read.
                let ahead = if canonical { plain.all()[0] } else { &[] };
                dispatch::forward(level, &prime, row.all_mut()[0], canonical, ahead);
                if !canonical {
                    dispatch::canonical(level, &prime, row.all_mut()[0]);
                }
                assert_eq!(row.all(), expected.all(), "{level:?}, q = {}", prime.q);
                let mut back = Rows::new(1, |_, _| prime.q - 1);
                let (src, n_inverse) = (Some(row.all()[0]), prime.n_inverse);
                dispatch::inverse(level, &prime, back.all_mut()[0], src, n_inverse);
                dispatch::inverse(level, &prime, row.all_mut()[0], None, n_inverse);
                for back in [&back, &row] {
                    assert_eq!(back.all(), plain.all(), "{level:?}, q = {}", prime.q);
                }
            }
        }
    }
}
