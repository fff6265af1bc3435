//! Statistics of ciphertexts: what is sent looks uniform, and errors have the standard deviations that [`NoiseModel`]
//! predicts. An error of half the size is as wrong as one of twice the size: the first is a hole, the second costs precision.
//!
//! Errors are measured as the root mean square over the real parts of all slots, against what the decrypted operands would give
//! without a further error.

use std::{
    fmt::Display,
    ops::{Add, Mul, Sub},
};

use crate::support::{Party, secure, values};
use arras_ckks::{
    Ciphertext, Decryptor, Encryptor, NoiseModel, Parameters,
    params::{Dnum, LevelWidth, ParamsError, Security},
    random::{Purpose, Seed, uniform_row},
};
use arras_hal::Reference;
use num_complex::Complex64;

const BATCH: usize = 8;

fn party(params: &Parameters) -> Party<Reference> {
    Party::new(params, Reference::new(), &[1])
}

fn vectors(seed: u64, slots: usize) -> Vec<Vec<f64>> {
    let seeds = (0..BATCH as u64).map(|i| 100 * seed + i);
    seeds.map(|i| values(i, slots)).collect()
}

fn slices(vectors: &[Vec<f64>]) -> Vec<&[f64]> {
    vectors.iter().map(Vec::as_slice).collect()
}

/// Slots of a batch, all of its ciphertexts in one vector.
#[derive(Clone)]
struct Slots(Vec<Complex64>);

impl Slots {
    fn real(vectors: &[Vec<f64>]) -> Self {
        Self(vectors.iter().flatten().map(|&x| x.into()).collect())
    }

    fn of(p: &Party<Reference>, ct: &Ciphertext<Reference>) -> Self {
        let vectors = Decryptor::new(&p.secret).decrypt_complex(ct).unwrap();
        Self(vectors.into_iter().flatten().collect())
    }

    fn rotated(&self, steps: i64, slots: usize) -> Self {
        let mut rotated = self.clone();
        for vector in rotated.0.chunks_exact_mut(slots) {
            vector.rotate_left(steps as usize);
        }
        rotated
    }

    fn times(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|x| x * factor).collect())
    }

    fn zip(&self, other: &Self, f: impl Fn(Complex64, Complex64) -> Complex64) -> Self {
        assert_eq!(self.0.len(), other.0.len());
        let pairs = self.0.iter().zip(&other.0);
        Self(pairs.map(|(&a, &b)| f(a, b)).collect())
    }

    /// Root mean square of the real parts.
    fn deviation(&self) -> f64 {
        (self.0.iter().map(|x| x.re * x.re).sum::<f64>() / self.0.len() as f64).sqrt()
    }
}

macro_rules! slot_by_slot {
    ($($Trait:ident $method:ident)+) => {$(
        impl $Trait for &Slots {
            type Output = Slots;
            fn $method(self, other: &Slots) -> Slots {
                self.zip(other, $Trait::$method)
            }
        }
    )+};
}

slot_by_slot! { Add add Sub sub Mul mul }

/// The statistical error of a measurement, and of the keys' own errors and the secret in the predictions, is about 1%.
fn assert_deviation(what: impl Display, errors: &Slots, predicted: f64) {
    let measured = errors.deviation();
    let bits = [measured, predicted].map(f64::log2);
    println!("{what}: measured and predicted, in bits: {bits:.3?}");
    assert!(
        (measured / predicted - 1.0).abs() < 0.025,
        "{what}: standard deviation {measured:e}, predicted {predicted:e}"
    );
}

#[test]
fn fresh_errors_have_the_predicted_deviation() {
    let params = secure(13, 2);
    let (p, model) = (party(&params), NoiseModel::new(&params));
    let x = vectors(0, params.slots());
    let exact = Slots::real(&x);
    let public_key = p.public_key();
    for level in 0..=2 {
        let ct = p.encrypt_batch(&slices(&x), level);
        let fresh = Slots::of(&p, &ct);
        let what = format!("secret-key encryption, level {level}");
        assert_deviation(what, &(&fresh - &exact), model.encryption(level).unwrap());

        let encryptor = Encryptor::with_streams(&public_key, &p.streams);
        let ct = encryptor.encrypt(&slices(&x), level).unwrap();
        let errors = &Slots::of(&p, &ct) - &exact;
        let what = format!("public-key encryption, level {level}");
        assert_deviation(what, &errors, model.public_encryption(level).unwrap());

        let y = vectors(1, params.slots());
        let plain = p.evaluator.encode(&slices(&y), level).unwrap();
        let ct = p.encrypt_batch(&slices(&x), level);
        let ct = p.evaluator.add_plain(&ct, &plain).unwrap();
        let zero = p.evaluator.sub_plain(&ct, &plain).unwrap();
        let errors = &(&Slots::of(&p, &ct) - &Slots::of(&p, &zero)) - &Slots::real(&y);
        let what = format!("encoding, level {level}");
        assert_deviation(what, &errors, model.encoding(level).unwrap());
    }
}

/// The set with the smallest margin of P over a digit: there the errors of the keys show most.
fn narrow_margin() -> Parameters {
    let params = Parameters::builder()
        .log_n(12)
        .levels(11)
        .dnum(Dnum::Fixed(3))
        .security(Security::InsecureForTests)
        .build()
        .unwrap();
    assert!(params.margin_bits() < 6.5);
    params
}

#[test]
fn rotations_add_what_the_model_says() {
    let params = narrow_margin();
    let p = Party::new(&params, Reference::new(), &[1, 2, 3, 4]);
    let model = NoiseModel::new(&params);
    let slots = params.slots();
    let x = vectors(0, slots);
    for level in [11, 10, 6] {
        let ct = p.encrypt_batch(&slices(&x), level);
        let fresh = Slots::of(&p, &ct);
        let added = |steps: &[i64]| -> Slots {
            let sum = p.evaluator.rotation_sum(&ct, steps).unwrap();
            let rotated = steps.iter().map(|&k| fresh.rotated(k, slots));
            rotated.fold(Slots::of(&p, &sum), |sum, term| &sum - &term)
        };
        let predicted = model.rotation(level).unwrap();
        let one = p.evaluator.rotate(&ct, 1).unwrap();
        let one = &Slots::of(&p, &one) - &fresh.rotated(1, slots);
        assert_deviation(format!("a rotation, level {level}"), &one, predicted);
        let four = model.rotation_sum(level, 4).unwrap();
        let what = format!("4 rotations, level {level}");
        assert_deviation(what, &added(&[1, 2, 3, 4]), four);
        // The operand itself needs no key.
        assert_deviation("a rotation and the operand", &added(&[0, 3]), predicted);

        // A rotation taken 16 times has 16 times its error; the division by P rounds once. So the errors of the keys show.
        let steps: Vec<i64> = (0..64).map(|i| 1 + i % 4).collect();
        let squares = 4.0 * 16.0 * 16.0;
        let many = model.rotation_sum_of_squares(level, squares).unwrap();
        let switches = 32.0 * model.key_switch(level).unwrap();
        assert!(
            level < 10 || switches > 2.0 * model.rescale(level).unwrap(),
            "the errors of the keys do not show: {switches:e}"
        );
        let what = format!("64 rotations, level {level}");
        assert_deviation(what, &added(&steps), many);
    }
}

#[test]
fn weighted_rotations_add_what_the_model_says() {
    let params = narrow_margin();
    let p = Party::new(&params, Reference::new(), &[1, 2]);
    let model = NoiseModel::new(&params);
    let (slots, level) = (params.slots(), 11);
    // Small weights show the rounding, large ones the keys, large values the rounding of the weights.
    for (weight, value) in [(1.0, 1.0), (200.0, 0.01), (0.01, 200.0)] {
        let scaled = |seed, by| {
            let mut vectors = vectors(seed, slots);
            vectors.iter_mut().flatten().for_each(|x| *x *= by);
            vectors
        };
        let ct = p.encrypt_up_to(&slices(&scaled(0, value)), level, value);
        let fresh = Slots::of(&p, &ct);
        let weights: Vec<Vec<Vec<f64>>> = (1..=3).map(|seed| scaled(seed, weight)).collect();
        let encode = |w: &Vec<_>| p.evaluator.encode_weights(&slices(w), level).unwrap();
        let encoded: Vec<_> = weights.iter().map(encode).collect();
        let encoded: Vec<_> = encoded.iter().collect();
        let steps = [0, 1, 2];
        let sum = p.evaluator.weighted_rotation_sum(&ct, &steps, &encoded);
        let sum = sum.unwrap();
        let terms = steps.iter().zip(&weights);
        let errors = terms.fold(Slots::of(&p, &sum), |sum, (&k, w)| {
            &sum - &(&fresh.rotated(k, slots) * &Slots::real(w))
        });
        // Uniform numbers up to 1 have a mean square of 1/3; two of the three terms need a key.
        let (w, v) = (2.0 * weight * weight / 3.0, 3.0 * value * value / 3.0);
        let predicted = model.weighted_rotation_sum(level, w, v).unwrap();
        assert_deviation(format!("weights up to {weight}"), &errors, predicted);
    }
}

#[test]
fn products_add_what_the_model_says() {
    let params = narrow_margin();
    let (p, model) = (party(&params), NoiseModel::new(&params));
    let slots = params.slots();
    let (x, y) = (vectors(0, slots), vectors(1, slots));
    for level in [11, 7, 1] {
        let [a, b] = [&x, &y].map(|x| p.encrypt_batch(&slices(x), level));
        let exact = &Slots::of(&p, &a) * &Slots::of(&p, &b);
        let product = p.settle(&p.evaluator.multiply(&a, &b).unwrap());
        let errors = &Slots::of(&p, &product) - &exact;
        let predicted = model.relinearize_and_rescale(level - 1).unwrap();
        assert_deviation(format!("a product, level {level}"), &errors, predicted);

        let plain = p.evaluator.encode(&slices(&y), level).unwrap();
        let product = p.evaluator.multiply_plain(&a, &plain).unwrap();
        // The pending product is exact but for the rounding of the plaintext, which meets values of mean square 1/3.
        let pending = Slots::of(&p, &product);
        let rounded = &pending - &(&Slots::of(&p, &a) * &Slots::real(&y));
        let predicted = model.encoding(level).unwrap() / 3f64.sqrt();
        assert_deviation("rounding of a plaintext factor", &rounded, predicted);
        let settled = Slots::of(&p, &p.evaluator.rescale(&product).unwrap());
        let predicted = model.rescale(level - 1).unwrap();
        let what = format!("a rescale, level {level}");
        assert_deviation(what, &(&settled - &pending), predicted);

        // A pending operand is rotated and rescaled in one step.
        let rotated = Slots::of(&p, &p.evaluator.rotate(&product, 1).unwrap());
        let errors = &rotated - &pending.rotated(1, slots);
        let predicted = model.relinearize_and_rescale(level - 1).unwrap();
        let what = format!("rotation and rescale, level {level}");
        assert_deviation(what, &errors, predicted);
    }
}

#[test]
fn relinearization_adds_what_the_model_says() {
    let params = narrow_margin();
    let (p, model) = (party(&params), NoiseModel::new(&params));
    let zeros = vec![vec![0.0; params.slots()]; BATCH];
    for level in [11, 10] {
        // Errors at the square of a scale: only next to zeros do the doubles of a decryption hold them.
        let encrypted = || p.encrypt_batch(&slices(&zeros), level);
        let product = p.evaluator.multiply(&encrypted(), &encrypted()).unwrap();
        let linear = p.evaluator.relinearize(&product).unwrap();
        assert_eq!((product.components(), linear.components()), (3, 2));
        let errors = &Slots::of(&p, &linear) - &Slots::of(&p, &product);
        let predicted = model.relinearize(level).unwrap();
        assert_deviation(
            format!("relinearization, level {level}"),
            &errors,
            predicted,
        );
    }
}

#[test]
fn going_down_adds_one_rounding() {
    let params = secure(14, 3);
    let (p, model) = (party(&params), NoiseModel::new(&params));
    let x = vectors(0, params.slots());
    for (from, to) in [(3, 2), (3, 1), (3, 0), (2, 0), (1, 0)] {
        let ct = p.encrypt_batch(&slices(&x), from);
        let down = p.evaluator.level_down(&ct, to).unwrap();
        let errors = &Slots::of(&p, &down) - &Slots::of(&p, &ct);
        let what = format!("level {from} to {to}");
        assert_deviation(what, &errors, model.level_down(from, to).unwrap());
    }
}

/// Few coefficients make small errors of the ordinary kind, so that what large values show can be seen.
fn tiny(width: LevelWidth) -> Parameters {
    Parameters::builder()
        .log_n(5)
        .levels(4)
        .level_width(width)
        .security(Security::InsecureForTests)
        .build()
        .unwrap()
}

#[test]
fn going_down_changes_large_values_by_the_predicted_part() {
    for (width, large) in [(LevelWidth::Bits39, 400.0), (LevelWidth::Bits34, 10_000.0)] {
        let params = tiny(width);
        let (p, model) = (party(&params), NoiseModel::new(&params));
        let mut seen = 0;
        for from in 1..=4 {
            for to in 0..from {
                let bias = model.level_down_bias(from, to).unwrap();
                assert!(bias.abs() < 2f64.powi(-33), "{from} to {to}: {bias:e}");
                let x = vec![vec![large; params.slots()]; BATCH];
                let ct = p.encrypt_up_to(&slices(&x), from, large);
                let after = p.evaluator.level_down(&ct, to).unwrap();
                let errors = &Slots::of(&p, &after) - &Slots::of(&p, &ct);
                let mean = errors.0.iter().sum::<Complex64>().re / errors.0.len() as f64;
                // The mean over all slots is that of the constant coefficient's rounding, and of its batch.
                let count = BATCH as f64 * params.slots() as f64;
                let noise = model.rescale(to).unwrap() / count.sqrt();
                let predicted = bias * large;
                seen += usize::from(predicted.abs() > 20.0 * noise);
                let found = format!("{from} to {to}: {mean:e}, predicted {predicted:e}");
                println!("{found}, noise {noise:e}");
                assert!((mean - predicted).abs() < 6.0 * noise, "{found}");
            }
        }
        assert!(seen > 1, "{width}: the bias shows nowhere");
    }
}

#[test]
fn scalars_are_rounded_as_predicted() {
    let params = tiny(LevelWidth::Bits39);
    let (p, model) = (party(&params), NoiseModel::new(&params));
    let level = 3;
    let x = vec![vec![400.0; params.slots()]; BATCH];
    let ct = p.encrypt_up_to(&slices(&x), level, 400.0);
    let before = Slots::of(&p, &ct);
    let (mut sums, mut products) = (Slots(vec![]), Slots(vec![]));
    for scalar in values(5, 2000) {
        let constant = Slots(vec![scalar.into(); before.0.len()]);
        let sum = Slots::of(&p, &p.evaluator.add_scalar(&ct, scalar).unwrap());
        sums.0.push((&(&sum - &before) - &constant).0[0]);
        // Pending, so that no rescale hides it.
        let product = Slots::of(&p, &p.evaluator.multiply_scalar(&ct, scalar).unwrap());
        products.0.push((&product - &before.times(scalar)).0[0]);
    }
    let one = model.scalar(level).unwrap();
    assert_deviation("sums with scalars", &sums, one);
    assert_deviation("products with scalars", &products, 400.0 * one);
}

#[test]
fn values_wrap_around_beyond_the_headroom() {
    let params = secure(13, 2);
    let (p, model) = (party(&params), NoiseModel::new(&params));
    let most = model.headroom(0).unwrap();
    let values = vec![0.49 * most; params.slots()];
    let ct = p.encrypt_up_to(&[&values], 0, 0.49 * most);
    let doubled = p.decrypt(&p.evaluator.multiply_integer(&ct, 2).unwrap());
    assert!(doubled.iter().all(|x| (x / most - 0.98).abs() < 1e-6));
    assert!(p.evaluator.multiply_integer(&ct, 3).is_err());
    let assuming = p.evaluator.assuming(most).unwrap();
    let tripled = p.decrypt(&assuming.multiply_integer(&ct, 3).unwrap());
    // 1.47 is as far from 1 as -0.53 is from -1.
    let wrapped = tripled.iter().all(|x| (x / most + 0.53).abs() < 1e-6);
    assert!(wrapped, "{}", tripled[0] / most);
}

#[test]
fn the_worst_slot_is_where_a_laplace_distribution_has_it() {
    let params = secure(13, 2);
    let model = NoiseModel::new(&params);
    let mut worst = 0.0;
    let parties = 3;
    for secret in 0..parties {
        let mut p = party(&params);
        let seed = Seed::from_bytes([20 + secret; 32]);
        p.secret = arras_ckks::SecretKey::from_seed(&p.context, &seed).unwrap();
        let ct = p.encrypt_batch(&slices(&vectors(0, params.slots())), 1);
        let down = p.evaluator.level_down(&ct, 0).unwrap();
        let errors = &Slots::of(&p, &down) - &Slots::of(&p, &ct);
        for vector in errors.0.chunks_exact(params.slots()) {
            worst += vector.iter().map(|e| e.re.abs()).fold(0.0, f64::max);
        }
    }
    let measured = worst / (BATCH as f64 * f64::from(parties));
    let deviation = model.rescale(0).unwrap();
    let predicted = model.worst_slot(deviation);
    // The largest of 4096 varies by about a fifth from vector to vector, and the secret's largest slots are shared.
    let near = (measured / predicted - 1.0).abs() < 0.1;
    assert!(near, "{measured:e}, {predicted:e}");
    // A normal distribution would have it at 3.7 deviations.
    assert!(measured > 5.0 * deviation);
}

#[test]
fn levels_that_do_not_exist_are_named() {
    let model = NoiseModel::new(&secure(13, 2));
    type Prediction = fn(&NoiseModel, usize) -> Result<f64, ParamsError>;
    let all: [(&str, Prediction); 14] = [
        ("encoding", |m, l| m.encoding(l)),
        ("scalar", |m, l| m.scalar(l)),
        ("encryption", |m, l| m.encryption(l)),
        ("public-key encryption", |m, l| m.public_encryption(l)),
        ("rescale", |m, l| m.rescale(l)),
        ("key switch", |m, l| m.key_switch(l)),
        ("sum of rotations", |m, l| m.rotation(l)),
        ("sum of rotations", |m, l| m.rotation_sum(l, 3)),
        ("sum of rotations", |m, l| {
            m.weighted_rotation_sum(l, 1.0, 1.0)
        }),
        ("sum of rotations", |m, l| m.relinearize(l)),
        ("product", |m, l| m.relinearize_and_rescale(l - 1)),
        ("down", |m, l| m.level_down(l, 0)),
        ("down", |m, l| m.level_down_bias(l, l)),
        ("headroom", |m, l| m.headroom(l)),
    ];
    for (what, predict) in all {
        let ok = predict(&model, 2).unwrap();
        assert!(ok.is_finite() && ok >= 0.0);
        says! { predict(&model, 3).unwrap_err() => [what] }
        refused! { predict(&model, 3) => ParamsError::NoSuchLevel { level: 3, max: 2, .. } }
    }
    refused! {
        model.weighted_rotation_sum(0, 1.0, 1.0) => ParamsError::LevelOrder { .. },
        model.level_down(0, 1) => ParamsError::LevelOrder { .. },
        model.level_down_bias(1, 2) => ParamsError::LevelOrder { .. },
    }
    assert_eq!(model.level_down(1, 1).unwrap(), 0.0);
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
        let parts = counts.map(|c| (c - expected).powi(2) / expected);
        parts.iter().sum()
    };
    [statistic(&high), statistic(&low)]
}

fn assert_uniform(what: &str, rows: &[u32], moduli: &[u32], n: usize) {
    for (limb, &q) in moduli.iter().enumerate() {
        let rows = rows.chunks_exact(n).skip(limb).step_by(moduli.len());
        let words: Vec<u32> = rows.flatten().copied().collect();
        assert!(words.iter().all(|&x| x < q));
        for statistic in chi_square(&words, q) {
            // 63 degrees of freedom: mean 63, standard deviation 11.2; between four below and six above.
            let usual = (18.0..130.0).contains(&statistic);
            assert!(usual, "{what}, limb {limb}: {statistic}");
        }
    }
}

#[test]
fn what_is_sent_is_uniform() {
    let p = party(&secure(13, 2));
    let n = p.context.params().n();
    let zeros = vec![vec![0.0]; BATCH];
    let public_key = p.public_key();
    let encryptor = Encryptor::with_streams(&public_key, &p.streams);
    for level in 0..=2 {
        let limbs = p.context.params().window(level);
        let moduli = &p.context.params().moduli()[limbs];
        let secret = p.encrypt_batch(&slices(&zeros), level);
        let public = encryptor.encrypt(&slices(&zeros), level).unwrap();
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
        let mut stream = Seed::from_bytes([4; 32]).stream(Purpose::KeyUniform, [0; 3]);
        uniform_row(&mut stream, q, &mut words);
        words
    };
    let q = 536_903_681;
    let words = uniform(1 << 16, q);
    let mut sound = chi_square(&words, q).into_iter();
    assert!(sound.all(|c| (18.0..130.0).contains(&c)));
    // Plain reduction of 30-bit words modulo q, small errors, and words with a cleared bit.
    let mapped = |words: &[u32], f: &dyn Fn(u32) -> u32| {
        let words: Vec<u32> = words.iter().map(|&x| f(x)).collect();
        chi_square(&words, q)
    };
    assert!(mapped(&uniform(1 << 16, 1 << 30), &|x| x % (q - q / 8))[0] > 1000.0);
    assert!(mapped(&words, &|x| x % 43)[0] > 1000.0);
    assert!(mapped(&words, &|x| x & !1)[1] > 1000.0);
}
