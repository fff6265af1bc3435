//! The embedding against its definition, its symmetries, and what it refuses.

use std::f64::consts::PI;

use num_complex::Complex64;

use super::*;

/// A reproducible stream of words (splitmix64).
pub(super) fn words(seed: u64, len: usize) -> Vec<u64> {
    let mut state = seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1);
    (0..len)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        })
        .collect()
}

/// Reproducible numbers in [-1, 1).
pub(super) fn signed_units(seed: u64, len: usize) -> Vec<f64> {
    words(seed, len)
        .iter()
        .map(|&w| (w as i64 >> 11) as f64 / 2f64.powi(52))
        .collect()
}

/// Reproducible numbers in the unit disc.
fn discs(seed: u64, len: usize) -> Vec<Complex64> {
    let scale = std::f64::consts::FRAC_1_SQRT_2;
    signed_units(seed, 2 * len)
        .chunks_exact(2)
        .map(|p| Complex64::new(p[0], p[1]) * scale)
        .collect()
}

fn floats(coefficients: &IntCoefficients) -> Vec<f64> {
    coefficients.to_i128().iter().map(|&c| c as f64).collect()
}

fn worst(a: &[Complex64], b: &[Complex64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).norm())
        .fold(0.0, f64::max)
}

/// `m(zeta^(5^j))` by summation.
fn evaluate(coefficients: &[f64]) -> Vec<Complex64> {
    let n = coefficients.len();
    let mut power = 1;
    (0..n / 2)
        .map(|_| {
            let sum = (0..n)
                .map(|k| {
                    Complex64::cis(PI * ((power * k) % (2 * n)) as f64 / n as f64) * coefficients[k]
                })
                .sum();
            power = 5 * power % (2 * n);
            sum
        })
        .collect()
}

/// The coefficients of `m(X^g)`.
fn automorphism(coefficients: &[f64], g: usize) -> Vec<f64> {
    let n = coefficients.len();
    let mut out = vec![0.0; n];
    for (k, &c) in coefficients.iter().enumerate() {
        let e = g * k % (2 * n);
        out[e % n] = if e < n { c } else { -c };
    }
    out
}

#[test]
fn decoding_is_evaluation_and_encoding_its_inverse() {
    for log_n in 4..=9 {
        let encoder = Encoder::new(log_n).unwrap();
        let sizes = (encoder.n(), encoder.slots());
        assert_eq!(sizes, (1 << log_n, 1 << (log_n - 1)));
        let scale = 2f64.powi(40);
        let values = discs(u64::from(log_n), encoder.slots());
        let coefficients = floats(&encoder.encode(&values, scale).unwrap());
        let by_definition: Vec<Complex64> =
            evaluate(&coefficients).iter().map(|z| z / scale).collect();
        let decoded = encoder.decode_complex(&coefficients, scale).unwrap();
        assert!(worst(&decoded, &by_definition) < 1e-12, "N = 2^{log_n}");
        // Rounding moves a slot by at most N/2 units of 1/scale.
        let error = worst(&values, &by_definition);
        assert!(error < encoder.n() as f64 / scale, "N = 2^{log_n}");
        // a_k = (2/N) Re sum_j z_j conj(zeta^(5^j k)), before rounding.
        let n = encoder.n();
        for k in 0..n {
            let mut power = 1;
            let mut sum = 0.0;
            for z in &values {
                sum += (z * Complex64::cis(-PI * ((power * k) % (2 * n)) as f64 / n as f64)).re;
                power = 5 * power % (2 * n);
            }
            let want = sum * 2.0 / n as f64 * scale;
            let near = (coefficients[k] - want).abs() < 0.51;
            assert!(near, "N = 2^{log_n}, coefficient {k}");
        }
    }
}

#[test]
fn round_trip_at_working_sizes() {
    for log_n in 13..=17 {
        let encoder = Encoder::new(log_n).unwrap();
        let values = discs(u64::from(log_n), encoder.slots());
        // At the first scale the rounding to integers is far below that of f64.
        let error = |scale, is_small| {
            let encoded = encoder.encode(&values, scale).unwrap();
            assert_eq!(encoded.is_small(), is_small);
            let decoded = encoder.decode_complex(&floats(&encoded), scale);
            worst(&values, &decoded.unwrap())
        };
        let bits = error(2f64.powi(70), false).log2();
        assert!(bits < -49.0, "N = 2^{log_n}: 2^{bits:.2}");
        // At a working scale rounding dominates: standard deviation sqrt(N/12) units of 1/scale.
        let scale = 2f64.powi(36);
        let sigma = (encoder.n() as f64 / 12.0).sqrt() / scale;
        let sigmas = error(scale, true) / sigma;
        let usual = sigmas < 6.0 && sigmas > 1.0;
        assert!(usual, "N = 2^{log_n}: {sigmas:.2} sigma");
    }
}

#[test]
fn round_trip_through_residues() {
    let moduli = [2_147_483_489, 1_073_479_681, 1_073_217_537];
    let encoder = Encoder::new(13).unwrap();
    let values = discs(3, encoder.slots());
    for (rows, log_scale) in [(1, 30), (2, 50), (3, 80)] {
        let scale = 2f64.powi(log_scale);
        let encoded = encoder.encode(&values, scale).unwrap();
        assert!(encoded.max_bits() < 31 * rows as u32 - 2);
        let moduli = &moduli[..rows];
        let mut residues = vec![0; rows * encoder.n()];
        for (&q, row) in moduli.iter().zip(residues.chunks_exact_mut(encoder.n())) {
            encoded.residues_into(q, row);
        }
        let rows: Vec<&[u32]> = residues.chunks_exact(encoder.n()).collect();
        assert_eq!(compose_centred(&rows, moduli).unwrap(), floats(&encoded));
    }
}

#[test]
fn x_to_the_fifth_rotates_left_by_one_and_x_inverse_conjugates() {
    for log_n in [4, 8, 13] {
        let encoder = Encoder::new(log_n).unwrap();
        let scale = 2f64.powi(45);
        let values = discs(11, encoder.slots());
        let coefficients = floats(&encoder.encode(&values, scale).unwrap());
        let plain = encoder.decode_complex(&coefficients, scale).unwrap();
        let after = |g| {
            let moved = automorphism(&coefficients, g);
            encoder.decode_complex(&moved, scale).unwrap()
        };
        let mut rotated = plain.clone();
        rotated.rotate_left(1);
        assert!(worst(&after(5), &rotated) < 1e-13, "N = 2^{log_n}");
        assert!(worst(&values, &rotated) > 0.1);
        let conjugates: Vec<Complex64> = plain.iter().map(Complex64::conj).collect();
        let inverse = after(2 * encoder.n() - 1);
        assert!(worst(&inverse, &conjugates) < 1e-13, "N = 2^{log_n}");
    }
}

#[test]
fn scalar_is_the_constant_vector() {
    let value = Complex64::new(0.375_111, -1.25);
    for log_n in [4, 10, 17] {
        let encoder = Encoder::new(log_n).unwrap();
        for scale in [2f64.powi(30), 2f64.powi(45), 2f64.powi(100)] {
            let scalar = encoder.encode_scalar(value, scale).unwrap();
            let integers = scalar.to_i128();
            let want = [value.re, value.im].map(|x| (x * scale).round_ties_even() as i128);
            assert_eq!([integers[0], integers[encoder.slots()]], want);
            assert_eq!(integers.iter().filter(|&&c| c != 0).count(), 2);
            let decoded = encoder.decode_complex(&floats(&scalar), scale).unwrap();
            assert!(worst(&decoded, &vec![value; encoder.slots()]) < 1.0 / scale + 1e-14);
        }
        let scale = 2f64.powi(40);
        let vector = encoder.encode(&vec![value; encoder.slots()], scale);
        let scalar = encoder.encode_scalar(value, scale);
        assert_eq!(vector.unwrap().to_i128(), scalar.unwrap().to_i128());
    }
}

#[test]
fn real_in_real_out() {
    let encoder = Encoder::new(13).unwrap();
    let scale = 2f64.powi(40);
    let values = signed_units(5, encoder.slots());
    let complex: Vec<Complex64> = values.iter().map(|&v| Complex64::from(v)).collect();
    let encoded = encoder.encode(&values, scale).unwrap();
    let same = encoder.encode(&complex, scale).unwrap();
    assert_eq!(encoded.to_i128(), same.to_i128());
    let decoded = encoder.decode_real(&floats(&encoded), scale).unwrap();
    for (a, b) in values.iter().zip(&decoded) {
        assert!((a - b).abs() < 1e-9);
    }
    let full = encoder.decode_complex(&floats(&encoded), scale).unwrap();
    for (z, re) in full.iter().zip(&decoded) {
        assert_eq!(z.re, *re);
        assert!(z.im.abs() < 1e-9);
    }
}

#[test]
fn short_vectors_are_padded_with_zeros() {
    let encoder = Encoder::new(8).unwrap();
    let scale = 2f64.powi(40);
    let mut padded = vec![0.0; encoder.slots()];
    padded[..3].copy_from_slice(&[0.5, -1.0, 0.25]);
    let short = encoder.encode(&padded[..3], scale).unwrap();
    let whole = encoder.encode(&padded, scale).unwrap();
    assert_eq!(short.to_i128(), whole.to_i128());
    let empty = encoder.encode::<f64>(&[], scale).unwrap();
    assert_eq!((empty.max_bits(), empty.len()), (0, 256));
    assert!(!empty.is_empty());
}

#[test]
fn ties_go_to_the_even_integer() {
    let encoder = Encoder::new(4).unwrap();
    for (value, want) in [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2)] {
        let scalar = encoder.encode_scalar(Complex64::new(value, value), 1.0);
        let scalar = scalar.unwrap().to_i128();
        assert_eq!((scalar[0], scalar[8]), (want, want), "{value}");
    }
}

#[test]
fn bad_input_is_an_error() {
    use EncodingError as E;
    for log_n in [0, 3, 18, u32::MAX] {
        assert_eq!(Encoder::new(log_n).unwrap_err(), E::BadRingDegree { log_n });
    }
    let encoder = Encoder::new(4).unwrap();
    let real = |values: &[f64], scale| encoder.encode(values, scale);
    let p = |e: i32| 2f64.powi(e);
    let imaginary = |value| Complex64::new(0.0, value);
    refused! {
        real(&[0.0; 9], 1.0) => E::TooManyValues { given: 9, slots: 8 },
        encoder.encode(&[Complex64::default(); 9], 1.0) => E::TooManyValues { given: 9, slots: 8 },
        real(&[0.0, f64::INFINITY], 1.0) => E::NotFinite { slot: 1, value: f64::INFINITY },
        encoder.encode(&[imaginary(f64::NAN)], 1.0) => E::NotFinite { slot: 0, value } if value.is_nan(),
        real(&[1.0, 2.0, -4.0, 4.0], p(118)) =>
            E::DoesNotFit { slot: 2, value: -4.0, scale, bound } if [*scale, *bound] == [p(118), p(120)],
        encoder.encode_scalar(imaginary(f64::MAX), 2.0) =>
            E::DoesNotFit { slot: 0, value: f64::MAX, scale: 2.0, bound } if *bound == p(120),
    }
    for scale in [
        0.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        f64::MIN_POSITIVE,
        p(127),
    ] {
        refused! {
            real(&[1.0], scale) => E::BadScale { .. },
            encoder.decode_real(&[0.0; 16], scale) => E::BadScale { .. },
            encoder.encode_scalar(1.0.into(), scale) => E::BadScale { .. },
        }
    }
    refused! { encoder.decode_real(&[0.0; 15], 1.0) => E::LengthMismatch { expected: 16, given: 15, .. } }
    for value in [f64::NAN, f64::NEG_INFINITY, 2f64.powi(127)] {
        let mut coefficients = [0.0; 16];
        coefficients[5] = value;
        refused! { encoder.decode_complex(&coefficients, 1.0) => E::CoefficientOutOfRange { index: 5, .. } }
    }
    says! { real(&[1.0, p(90)], p(40)).unwrap_err() => ["slot 1", "scale"] }
}

/// The largest input that fits, at the largest ring, does not overflow on the way.
#[test]
fn the_largest_values_fit() {
    let encoder = Encoder::new(17).unwrap();
    let top = 2f64.powi(120).next_down();
    let encoded = encoder.encode(&vec![Complex64::new(top, -top); encoder.slots()], 1.0);
    assert_eq!(encoded.unwrap().max_bits(), 120);
    let huge = encoder.encode(&[f64::MAX / 2f64.powi(910), 0.0], 2f64.powi(5));
    assert!(huge.unwrap().max_bits() <= 120);
    let largest = vec![2f64.powi(126); encoder.n()];
    let decoded = encoder.decode_complex(&largest, 2f64.powi(-126));
    assert!(decoded.unwrap().iter().all(|z| z.is_finite()));
}

#[test]
fn golden_hash_of_an_encoded_vector() {
    let encoder = Encoder::new(12).unwrap();
    let values: Vec<Complex64> = (0..encoder.slots())
        .map(|j| (j as f64 - 1000.0, ((j * j) % 2047) as f64))
        .map(|(re, im)| Complex64::new(re / 1024.0, im / -2048.0))
        .collect();
    let encoded = encoder.encode(&values, 2f64.powi(58)).unwrap();
    let mut hasher = blake3::Hasher::new();
    for c in encoded.to_i128() {
        hasher.update(&c.to_le_bytes());
    }
    assert_eq!(
        hasher.finalize().to_hex().as_str(),
        "481efeb9cfdd963b29b87889de122668cf0343de9be6f0004c59e95a7c2fbc38"
    );
}
