//! Statistics of ciphertexts: what is sent looks uniform, and errors have the standard deviations that the scheme's analysis
//! gives. An error of half the size is as wrong as one of twice the size: the first is a hole, the second costs precision.
//!
//! Errors are measured as the mean square over slots. A slot is a sum of N coefficients times numbers of magnitude 1, so it is N times
//! the variance of a coefficient, over the square of the scale.

mod support;

use arras_ckks::{
    Ciphertext, Decryptor, KeyGenerator, Parameters,
    params::{Dnum, ParametersBuilder, Security},
    random::{CENTRED_BINOMIAL_ETA, Purpose, Seed, ternary, uniform_row},
};
use arras_hal::Reference;
use num_complex::Complex64;
use support::{Party, secure, values};

/// Variance of a fresh error's coefficient.
const FRESH: f64 = CENTRED_BINOMIAL_ETA as f64 / 2.0;
/// Variance of rounding to an integer.
const ROUNDING: f64 = 1.0 / 12.0;
const BATCH: usize = 8;

fn party(params: &Parameters) -> Party<Reference> {
    Party::new(params, Reference::new(), &[1])
}

fn vectors(slots: usize) -> Vec<Vec<f64>> {
    (0..BATCH as u64).map(|i| values(i, slots)).collect()
}

fn slices(vectors: &[Vec<f64>]) -> Vec<&[f64]> {
    vectors.iter().map(Vec::as_slice).collect()
}

/// Errors of every slot of a batch.
fn errors(
    p: &Party<Reference>,
    ct: &Ciphertext<Reference>,
    expected: &[Vec<f64>],
) -> Vec<Vec<Complex64>> {
    let actual = Decryptor::new(&p.secret).decrypt_complex(ct).unwrap();
    actual
        .iter()
        .zip(expected)
        .map(|(a, e)| a.iter().zip(e).map(|(a, e)| a - e).collect())
        .collect()
}

/// The variance of a coefficient, from slots at a scale.
fn coefficient_variance(errors: &[Vec<Complex64>], scale: f64) -> f64 {
    let slots: Vec<f64> = errors.iter().flatten().map(Complex64::norm_sqr).collect();
    let n = 2 * errors[0].len();
    scale * scale * slots.iter().sum::<f64>() / (slots.len() * n) as f64
}

/// The statistical error of a measurement, and of the keys' own errors in the predictions, is about 1%.
fn assert_variance(what: &str, measured: f64, predicted: f64) {
    println!("{what}: variance of a coefficient {measured:.2}, predicted {predicted:.2}");
    assert!(
        (measured / predicted - 1.0).abs() < 0.05,
        "{what}: variance {measured}, predicted {predicted}"
    );
}

/// The rounding of two components, of which the second meets the secret of [`Party`].
fn rounded_ciphertext(n: usize) -> f64 {
    let mut secret = vec![0; n];
    let mut stream = Seed::from_bytes([1; 32]).stream(Purpose::SecretKey, [0; 3]);
    ternary(&mut stream, &mut secret);
    let square = secret.iter().filter(|&&c| c != 0).count() as f64;
    assert!((square / n as f64 - 2.0 / 3.0).abs() < 0.05);
    ROUNDING * (1.0 + square)
}

#[test]
fn fresh_errors_have_the_stated_variance() {
    let p = party(&secure(13, 2));
    let n = p.context.params().n();
    let x = vectors(n / 2);
    let public_key = KeyGenerator::with_seed(&p.secret, Seed::from_bytes([9; 32]))
        .public_key()
        .unwrap();
    for level in 0..=2 {
        let scale = p.context.params().scale(level);
        let ct = p.encrypt_batch(&slices(&x), level);
        let measured = coefficient_variance(&errors(&p, &ct, &x), scale);
        // The encoder rounds once.
        assert_variance("secret-key encryption", measured, FRESH + ROUNDING);

        let ct = p
            .encryptor
            .encrypt_public(&public_key, &slices(&x), level)
            .unwrap();
        let measured = coefficient_variance(&errors(&p, &ct, &x), scale);
        // Errors are divided by a prime near 2^30 and leave only the rounding of that division.
        let predicted = rounded_ciphertext(n) + ROUNDING;
        assert_variance("public-key encryption", measured, predicted);
    }
}

/// Of hybrid key switching (NUMERICS section 4): digit j, of |D_j| limbs lifted one by one and centred, has the variance
/// |D_j| D_j^2 / 12; it meets N coefficients of an error and is divided by P.
fn key_switch_variance(params: &Parameters, level: usize) -> f64 {
    let log2 = |limbs: std::ops::Range<usize>| -> f64 {
        params.moduli()[limbs]
            .iter()
            .map(|&q| f64::from(q).log2())
            .sum()
    };
    let p = log2(params.special_range());
    let digits: f64 = params
        .active_digits(level)
        .iter()
        .map(|d| d.limbs.len() as f64 * (2.0 * (log2(d.limbs.clone()) - p)).exp2() / 12.0)
        .sum();
    params.n() as f64 * FRESH * digits
}

#[test]
fn key_switching_adds_what_the_model_says() {
    // The set with the smallest margin of P over a digit: there the errors of the keys show most.
    let params = ParametersBuilder::new(12)
        .levels(11)
        .dnum(Dnum::Fixed(3))
        .security(Security::InsecureForTests)
        .build()
        .unwrap();
    assert!(params.margin_bits() < 6.5);
    let p = Party::new(&params, Reference::new(), &[1, 2, 3, 4]);
    let x = vectors(params.slots());
    for level in [11, 10] {
        let scale = params.scale(level);
        let ct = p.encrypt_batch(&slices(&x), level);
        let fresh = errors(&p, &ct, &x);
        let added = |steps: &[i64]| -> f64 {
            let sum = p.evaluator.rotation_sum(&ct, steps).unwrap();
            let slots = params.slots();
            let rotated = |j: usize, k: i64| (j + k as usize) % slots;
            let expected: Vec<Vec<f64>> = x
                .iter()
                .map(|v| {
                    let slot = |j| steps.iter().map(|&k| v[rotated(j, k)]).sum();
                    (0..slots).map(slot).collect()
                })
                .collect();
            let mut all = errors(&p, &sum, &expected);
            for (e, fresh) in all.iter_mut().zip(&fresh) {
                for (j, e) in e.iter_mut().enumerate() {
                    *e -= steps
                        .iter()
                        .map(|&k| fresh[rotated(j, k)])
                        .sum::<Complex64>();
                }
            }
            coefficient_variance(&all, scale)
        };
        let (key, rounding) = (
            key_switch_variance(&params, level),
            rounded_ciphertext(params.n()),
        );
        assert_variance("one rotation", added(&[1]), key + rounding);
        // A rotation taken 16 times has 16 times its error; the division by P rounds once.
        let steps: Vec<i64> = (0..64).map(|i| 1 + i % 4).collect();
        let predicted = 4.0 * 16.0 * 16.0 * key + rounding;
        assert!(
            predicted > 5.0 * rounding,
            "the errors of the keys do not show: {predicted}"
        );
        assert_variance("16 times each of 4 rotations", added(&steps), predicted);
    }
}

#[test]
fn a_rescale_adds_its_rounding() {
    let p = party(&secure(13, 2));
    let params = p.context.params();
    let x = vectors(params.slots());
    let ct = p.encrypt_batch(&slices(&x), 1);
    // A product by 1 is exact up to the rounding of the factor (2^-39 of the value) before it is rescaled.
    let rescaled = p
        .evaluator
        .settle(&p.evaluator.multiply_scalar(&ct, 1.0).unwrap())
        .unwrap();
    let measured = coefficient_variance(&errors(&p, &rescaled, &x), params.scale(0));
    let fresh = (FRESH + ROUNDING) * (params.scale(0) / params.scale(1)).powi(2);
    assert_variance("rescale", measured, rounded_ciphertext(params.n()) + fresh);
}

/// Pearson's statistic of 64 equal bins, for the high and for the low bits.
fn chi_square(words: &[u32], q: u32) -> [f64; 2] {
    let high = |x: u32| (u64::from(x) * 64 / u64::from(q)) as usize;
    let low = |x: u32| (x % 64) as usize;
    let statistic = |bin: &dyn Fn(u32) -> usize| {
        let mut counts = [0f64; 64];
        for &x in words {
            counts[bin(x)] += 1.0;
        }
        let expected = words.len() as f64 / 64.0;
        counts
            .iter()
            .map(|c| (c - expected).powi(2) / expected)
            .sum()
    };
    [statistic(&high), statistic(&low)]
}

fn assert_uniform(what: &str, rows: &[u32], moduli: &[u32], n: usize) {
    for (limb, &q) in moduli.iter().enumerate() {
        let words: Vec<u32> = rows
            .chunks_exact(n)
            .skip(limb)
            .step_by(moduli.len())
            .flatten()
            .copied()
            .collect();
        assert!(words.iter().all(|&x| x < q));
        for statistic in chi_square(&words, q) {
            // 63 degrees of freedom: mean 63, standard deviation 11.2; between four below and six above.
            assert!(
                (18.0..130.0).contains(&statistic),
                "{what}, limb {limb}: {statistic}"
            );
        }
    }
}

#[test]
fn what_is_sent_is_uniform() {
    let p = party(&secure(13, 2));
    let n = p.context.params().n();
    let zeros = vec![vec![0.0]; BATCH];
    let public_key = KeyGenerator::with_seed(&p.secret, Seed::from_bytes([9; 32]))
        .public_key()
        .unwrap();
    for level in 0..=2 {
        let limbs = p.context.params().window(level);
        let moduli = &p.context.params().moduli()[limbs];
        let secret = p.encrypt_batch(&slices(&zeros), level);
        let public = p
            .encryptor
            .encrypt_public(&public_key, &slices(&zeros), level)
            .unwrap();
        let again = p.encrypt_batch(&slices(&zeros), level);
        let difference = p.evaluator.sub(&secret, &again).unwrap();
        for (what, ct) in [
            ("secret-key encryption", secret),
            ("public-key encryption", public),
            ("difference of two encryptions of one message", difference),
        ] {
            for component in 0..2 {
                let part = ct
                    .poly()
                    .select(component * BATCH..(component + 1) * BATCH, ct.limbs())
                    .unwrap();
                let what = format!("{what}, level {level}, component {component}");
                assert_uniform(&what, &part.to_words().unwrap(), moduli, n);
                // An error that nothing masks would show here.
                let coefficients = part.intt().to_words().unwrap();
                assert_uniform(&format!("{what}, coefficients"), &coefficients, moduli, n);
            }
        }
    }
}

#[test]
fn the_uniformity_test_sees_small_and_skewed_values() {
    let uniform = |count: u64, q: u32| -> Vec<u32> {
        let mut words = vec![0; count as usize];
        uniform_row(
            &mut Seed::from_bytes([4; 32]).stream(Purpose::KeyUniform, [0; 3]),
            q,
            &mut words,
        );
        words
    };
    let q = 536_903_681;
    let words = uniform(1 << 16, q);
    assert!(
        chi_square(&words, q)
            .iter()
            .all(|c| (18.0..130.0).contains(c))
    );
    // Plain reduction of 30-bit words modulo q, small errors, and words with a cleared bit.
    let biased: Vec<u32> = uniform(1 << 16, 1 << 30)
        .iter()
        .map(|x| x % (q - q / 8))
        .collect();
    assert!(chi_square(&biased, q)[0] > 1000.0);
    let small: Vec<u32> = words.iter().map(|x| x % 43).collect();
    assert!(chi_square(&small, q)[0] > 1000.0);
    let even: Vec<u32> = words.iter().map(|x| x & !1).collect();
    assert!(chi_square(&even, q)[1] > 1000.0);
}
