//! Samplers. Each consumes a stream in a fixed order, so its output is a function of the stream alone.

use arras_hal::{HalError, Workers};

use super::{PublicSeed, Purpose, Stream};
use crate::widest;

/// The parameter of [`centred_binomial`]: variance eta/2 = 10.5, standard deviation 3.24, not below the 3.19 of the
/// security table.
pub const CENTRED_BINOMIAL_ETA: u32 = 21;

/// Uniform residues below `q`: 32-bit words masked to the bit length of q, rejected if not below it.
///
/// Public data; its running time depends on what is rejected.
pub fn uniform_row(stream: &mut Stream, q: u32, out: &mut [u32]) {
    let mask = u32::MAX >> q.leading_zeros();
    let mut rest = out;
    while !rest.is_empty() {
        // Not more words than places, so that nothing is drawn that a place is missing for.
        let taken = stream.next_words(rest.len(), |words| {
            let mut taken = 0;
            for &word in words {
                let candidate = u32::from_le_bytes(word) & mask;
                // Written before it is judged, and overwritten by the next if rejected: a branch would be guessed wrong every
                // third time, and a wrong guess costs more than the word.
                if let Some(x) = rest.get_mut(taken) {
                    *x = candidate;
                }
                taken += usize::from(candidate < q);
            }
            taken
        });
        rest = rest.get_mut(taken..).unwrap_or_default();
    }
}

/// Rows of uniform residues, one stream per (prefix, absolute limb index), in parallel: `out` is `[limbs][n]`. A key that
/// is cut to fewer limbs has the same rows at those it keeps.
///
/// # Errors
/// As [`Workers::check`].
pub fn uniform_rows(
    workers: &Workers,
    seed: &PublicSeed,
    purpose: Purpose,
    prefix: [u64; 2],
    limbs: &[(usize, u32)],
    n: usize,
    out: &mut [u32],
) -> Result<(), HalError> {
    debug_assert_eq!(out.len(), limbs.len() * n);
    workers.each_chunk(out, n, |i, row| {
        if let Some(&(limb, q)) = limbs.get(i) {
            let mut stream = seed.stream(purpose, [prefix[0], prefix[1], limb as u64]);
            uniform_row(&mut stream, q, row);
        }
        Ok(())
    })
}

/// Uniform values of {-1, 0, 1}: 2-bit chunks of 32-bit words, 3 rejected.
///
/// How many chunks are rejected shows in the running time; rejected chunks say nothing about the accepted ones.
pub fn ternary(stream: &mut Stream, out: &mut [i8]) {
    const CHUNKS: usize = 16;
    let mut rest = out;
    while !rest.is_empty() {
        let most = rest.len().div_ceil(CHUNKS);
        let taken = stream.next_words(most, |words| {
            let mut taken = 0;
            for &word in words {
                let word = u32::from_le_bytes(word);
                for chunk in 0..CHUNKS {
                    let chunk = word >> (2 * chunk) & 3;
                    // As in `uniform_row`. What a place is missing for, at the end of the last word, is dropped.
                    if let Some(x) = rest.get_mut(taken) {
                        *x = chunk as i8 - 1;
                    }
                    taken += usize::from(chunk != 3);
                }
            }
            taken
        });
        let len = rest.len();
        rest = rest.get_mut(taken.min(len)..).unwrap_or_default();
    }
}

/// Exactly `weight` values of -1 or 1 at places drawn without replacement, 0 elsewhere: from each 32-bit word its lowest bits are a place,
/// rejected if it is taken or there is none, and its highest bit the sign. All places, if `weight` is more.
///
/// Which words are rejected shows in the running time; rejected ones say that two draws were equal, not where.
pub fn sparse_ternary(stream: &mut Stream, weight: usize, out: &mut [i8]) {
    out.fill(0);
    let mask = out.len().next_power_of_two() - 1;
    let mut missing = weight.min(out.len());
    while missing > 0 {
        let word = stream.next_u32();
        if let Some(x @ 0) = out.get_mut(word as usize & mask) {
            *x = 1 - 2 * (word >> 31) as i8;
            missing -= 1;
        }
    }
}

/// Centred binomial values: the difference of two sums of [`CENTRED_BINOMIAL_ETA`] bits, from one 64-bit word
/// each. Constant time.
pub fn centred_binomial(stream: &mut Stream, out: &mut [i8]) {
    const MINUS: u64 = ((1 << CENTRED_BINOMIAL_ETA) - 1) << CENTRED_BINOMIAL_ETA;
    const BITS: u64 = (1 << (2 * CENTRED_BINOMIAL_ETA)) - 1;
    let mut rest = out;
    while !rest.is_empty() {
        let taken = stream.next_words(rest.len(), |words| {
            // For the instruction that counts ones, which not every processor has.
            widest(|| {
                for (x, &word) in rest.iter_mut().zip(words) {
                    // Subtracting ones is adding zeros and subtracting their greatest number.
                    let ones = ((u64::from_le_bytes(word) ^ MINUS) & BITS).count_ones();
                    *x = ones as i8 - CENTRED_BINOMIAL_ETA as i8;
                }
            });
            words.len()
        });
        rest = rest.get_mut(taken..).unwrap_or_default();
    }
}

/// Rounded Gaussian values of standard deviation `sigma` (Box-Muller), for the noise of opened values, which travels in no
/// file: its last bits may differ between platforms.
pub fn flooding(stream: &mut Stream, sigma: f64, out: &mut [f64]) {
    // 53 random bits, shifted off zero so that the logarithm is finite.
    let mut unit = || ((stream.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    for pair in out.chunks_mut(2) {
        let radius = sigma * (-2.0 * unit().ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * unit()).sin_cos();
        for (x, direction) in pair.iter_mut().zip([cos, sin]) {
            *x = (radius * direction).round();
        }
    }
}

/// Residues modulo `q` of small signed values. Constant time.
pub fn small_residues(values: &[i8], q: u32, out: &mut [u32]) {
    debug_assert!(q > 128);
    widest(|| {
        for (x, &value) in out.iter_mut().zip(values) {
            let value = i32::from(value);
            // The arithmetic shift is all ones for negative values.
            *x = value.wrapping_add((value >> 31) & q as i32) as u32;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn stream(index: u64) -> Stream {
        Seed::from_bytes([42; 32]).stream(Purpose::KeyError, [index, 0, 0])
    }

    fn moments(values: &[i8]) -> (f64, f64) {
        let n = values.len() as f64;
        let values = values.iter().map(|&v| f64::from(v));
        let mean = values.clone().sum::<f64>() / n;
        let squares: f64 = values.map(|v| (v - mean).powi(2)).sum();
        (mean, squares / n)
    }

    /// The samplers word by word, as they are defined.
    mod plain {
        use crate::random::Stream;

        pub(super) fn uniform_row(stream: &mut Stream, q: u32, out: &mut [u32]) {
            let mask = u32::MAX >> q.leading_zeros();
            for x in out {
                *x = loop {
                    let candidate = stream.next_u32() & mask;
                    if candidate < q {
                        break candidate;
                    }
                };
            }
        }

        pub(super) fn ternary(stream: &mut Stream, out: &mut [i8]) {
            let mut filled = 0;
            while filled < out.len() {
                let word = stream.next_u32();
                for shift in (0..32).step_by(2) {
                    let chunk = word >> shift & 3;
                    if chunk != 3 && filled < out.len() {
                        out[filled] = chunk as i8 - 1;
                        filled += 1;
                    }
                }
            }
        }

        pub(super) fn centred_binomial(stream: &mut Stream, out: &mut [i8]) {
            const MASK: u64 = (1 << super::CENTRED_BINOMIAL_ETA) - 1;
            for x in out {
                let word = stream.next_u64();
                let plus = (word & MASK).count_ones();
                let minus = (word >> super::CENTRED_BINOMIAL_ETA & MASK).count_ones();
                *x = plus as i8 - minus as i8;
            }
        }
    }

    #[test]
    fn many_words_at_a_time_are_the_same_values_and_leave_the_stream_at_the_same_place() {
        let (mut fast, mut slow) = (stream(7), stream(7));
        for round in 0..60 {
            // Lengths around the buffer's, and streams that stand in the middle of a buffer and of a 64-bit word.
            for len in [0, 1, 15, 16, 17, 500, 1023, 1024, 1025, 3000 + round] {
                for q in [257, 16_515_073, 575_275_009, 1_073_479_681] {
                    let (mut a, mut b) = (vec![0; len], vec![0; len]);
                    uniform_row(&mut fast, q, &mut a);
                    plain::uniform_row(&mut slow, q, &mut b);
                    assert_eq!(a, b, "{len} below {q}");
                }
                let (mut a, mut b) = (vec![0; len], vec![0; len]);
                ternary(&mut fast, &mut a);
                plain::ternary(&mut slow, &mut b);
                assert_eq!(a, b, "{len}");
                centred_binomial(&mut fast, &mut a);
                plain::centred_binomial(&mut slow, &mut b);
                assert_eq!(a, b, "{len}");
                assert_eq!(fast.next_u32(), slow.next_u32());
            }
        }
    }

    #[test]
    fn ternary_values_are_uniform() {
        let mut values = vec![0; 300_000];
        ternary(&mut stream(1), &mut values);
        for v in -1..=1 {
            let count = values.iter().filter(|&&x| x == v).count() as f64;
            // Five standard deviations of a binomial with p = 1/3.
            let most = 5.0 * (3e5 * 2.0 / 9.0f64).sqrt();
            assert!((count - 1e5).abs() < most, "{v}: {count}");
        }
        // Neighbours are independent.
        let pairs = values.windows(2).filter(|w| w[0] == w[1]).count() as f64;
        assert!((pairs - 1e5).abs() < 1500.0, "{pairs}");
    }

    #[test]
    fn sparse_values_have_their_weight_and_are_anywhere() {
        let (mut stream, mut values) = (stream(5), [0; 256]);
        let (mut places, mut plus) = ([0u32; 256], 0);
        for _ in 0..4000 {
            sparse_ternary(&mut stream, 32, &mut values);
            assert_eq!(values.iter().filter(|&&v| v != 0).count(), 32);
            plus += values.iter().filter(|&&v| v == 1).count();
            for (place, value) in places.iter_mut().zip(&values) {
                *place += u32::from(value.unsigned_abs());
            }
        }
        // 500 expected at each place, with a deviation of 21; 64 000 of either sign, with one of 179.
        assert!(
            places.iter().all(|place| place.abs_diff(500) < 105),
            "{places:?}"
        );
        assert!(plus.abs_diff(64_000) < 900, "{plus}");
        sparse_ternary(&mut stream, 9, &mut values[..5]);
        assert!(values[..5].iter().all(|&v| v != 0));
    }

    #[test]
    fn errors_have_the_stated_variance_and_range() {
        let mut values = vec![0; 400_000];
        centred_binomial(&mut stream(2), &mut values);
        let (mean, variance) = moments(&values);
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 10.5).abs() < 0.15, "{variance}");
        assert!(values.iter().all(|v| v.unsigned_abs() <= 21));
        assert!(values.iter().any(|v| *v >= 12) && values.iter().any(|v| *v <= -12));
        // The probability of zero is binomial(42, 21) / 2^42 = 0.1224.
        let zeros = values.iter().filter(|&&v| v == 0).count() as f64 / 4e5;
        assert!((zeros - 0.1224).abs() < 0.004, "{zeros}");
    }

    #[test]
    fn uniform_residues_fill_their_range_evenly() {
        for q in [20_054_017, 1_073_479_681, 536_870_912] {
            let mut row = vec![0; 1 << 17];
            uniform_row(&mut stream(3), q, &mut row);
            assert!(row.iter().all(|&x| x < q));
            let mut cells = [0f64; 64];
            for &x in &row {
                cells[(u64::from(x) * 64 / u64::from(q)) as usize] += 1.0;
            }
            let expected = row.len() as f64 / 64.0;
            let parts = cells.map(|c| (c - expected).powi(2) / expected);
            let chi: f64 = parts.iter().sum();
            // 63 degrees of freedom: mean 63, standard deviation 11.2.
            assert!((20.0..120.0).contains(&chi), "q = {q}: chi-square {chi}");
        }
    }

    #[test]
    fn flooding_noise_has_its_standard_deviation() {
        let mut noise = vec![0.0; 100_001];
        flooding(&mut stream(4), 1e6, &mut noise);
        let variance = noise.iter().map(|x| x * x).sum::<f64>() / noise.len() as f64;
        assert!((variance.sqrt() / 1e6 - 1.0).abs() < 0.02);
        assert!(noise.iter().all(|x| x.fract() == 0.0));
    }

    #[test]
    fn small_residues_are_canonical() {
        let q = 1_073_479_681;
        let values: Vec<i8> = (-128..=127).collect();
        let mut out = vec![0; values.len()];
        small_residues(&values, q, &mut out);
        for (&v, &r) in values.iter().zip(&out) {
            assert_eq!(i64::from(r), i64::from(v).rem_euclid(i64::from(q)));
        }
    }

    #[test]
    fn rows_do_not_depend_on_threads_or_on_the_other_limbs() {
        let seed = PublicSeed::from_bytes([9; 32]);
        let moduli = [20_054_017, 1_073_479_681, 998_244_353, 97 << 20 | 1];
        let limbs: Vec<(usize, u32)> = [0, 3, 7, 9].into_iter().zip(moduli).collect();
        let make = |threads, limbs: &[(usize, u32)]| {
            let mut out = vec![0; limbs.len() * 256];
            let workers = Workers::new(threads, "test").unwrap();
            let (purpose, prefix) = (Purpose::KeyUniform, [1, 2]);
            uniform_rows(&workers, &seed, purpose, prefix, limbs, 256, &mut out).unwrap();
            out
        };
        let one = make(1, &limbs);
        assert_eq!(one, make(3, &limbs));
        assert_eq!(make(2, &limbs[1..3]), one[256..768]);
    }
}
