//! Every evaluator operation against the computation in the clear, at a small insecure size.

use crate::support::{Party, bits, insecure, values};
use arras_ckks::{
    CkksError, CkksErrorKind, Decryptor, Encryptor, EvaluationKeys, Evaluator, KeyGenerator,
    doubling_steps,
};
use arras_hal::Reference;
use num_complex::Complex64;

const FLOOR: f64 = 24.0;

fn party() -> Party<Reference> {
    let mut rotations = doubling_steps(1, 64);
    rotations.extend([3, 5, -1, -4]);
    Party::new(&insecure(7, 5), Reference::new(), &rotations)
}

fn kind<T>(outcome: arras_ckks::Result<T>) -> Result<T, CkksErrorKind> {
    outcome.map_err(CkksError::into_kind)
}

fn zip(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

fn rotated(x: &[f64], steps: i64) -> Vec<f64> {
    let n = x.len() as i64;
    (0..n)
        .map(|j| x[(j + steps).rem_euclid(n) as usize])
        .collect()
}

#[test]
fn sums_align_levels_and_batches() {
    let p = party();
    let (x, y, z) = (values(1, 64), values(2, 64), values(3, 64));
    let (a, b) = (p.encrypt(&x, 5), p.encrypt(&y, 2));
    let sum = p.evaluator.add(&a, &b).unwrap();
    assert_eq!(sum.level(), 2);
    assert!(bits(&zip(&x, &y, |a, b| a + b), &p.decrypt(&sum)) > FLOOR);
    let difference = p.evaluator.sub(&b, &a).unwrap();
    assert!(bits(&zip(&y, &x, |a, b| a - b), &p.decrypt(&difference)) > FLOOR);
    let negated = p.evaluator.neg(&a).unwrap();
    assert!(bits(&zip(&x, &x, |a, _| -a), &p.decrypt(&negated)) > FLOOR);

    let pair = p.encrypt_batch(&[&x, &z], 3);
    let sums = p.decrypt_batch(&p.evaluator.add(&pair, &b).unwrap());
    assert!(bits(&zip(&x, &y, |a, b| a + b), &sums[0]) > FLOOR);
    assert!(bits(&zip(&z, &y, |a, b| a + b), &sums[1]) > FLOOR);
    let three = p.encrypt_batch(&[&x, &y, &z], 3);
    says! { p.evaluator.add(&pair, &three).unwrap_err() => ["batches of 2 and 3"] }
    refused! { kind(p.evaluator.add_many(&[])) => CkksErrorKind::Empty }
}

#[test]
fn products_are_pending_until_they_are_needed() {
    let p = party();
    let e = &p.evaluator;
    let (x, y, z) = (values(1, 64), values(2, 64), values(3, 64));
    let (a, b, c) = (p.encrypt(&x, 3), p.encrypt(&y, 3), p.encrypt(&z, 3));
    let product = e.multiply(&a, &b).unwrap();
    assert!(product.is_pending() && product.components() == 3 && product.level() == 2);
    let expected = zip(&x, &y, |a, b| a * b);
    // A pending product decrypts as it is, and after each way of settling it.
    assert!(bits(&expected, &p.decrypt(&product)) > FLOOR);
    let settled = p.settle(&product);
    assert!(!settled.is_pending() && settled.components() == 2 && settled.level() == 2);
    assert!(bits(&expected, &p.decrypt(&settled)) > FLOOR);
    let linear = e.relinearize(&product).unwrap();
    assert!(linear.is_pending() && linear.components() == 2);
    assert!(bits(&expected, &p.decrypt(&e.rescale(&linear).unwrap())) > FLOOR);
    refused! {
        kind(e.rescale(&product)) => CkksErrorKind::WrongForm { .. },
        kind(e.rescale(&settled)) => CkksErrorKind::WrongForm { .. },
        kind(e.relinearize(&linear)) => CkksErrorKind::WrongForm { .. },
    }

    // Pending sums of three and two components, in both orders and signs.
    let scaled = e.multiply_scalar(&c, 0.75).unwrap();
    assert!(scaled.is_pending() && scaled.components() == 2);
    for (left, right, f) in [
        (&product, &scaled, (|p, s| p + s) as fn(f64, f64) -> f64),
        (&scaled, &product, |s, p| s + p),
    ] {
        let sum = e.add(left, right).unwrap();
        assert!(sum.is_pending() && sum.components() == 3);
        let want = zip(&expected, &z, |p, s| f(p, 0.75 * s));
        assert!(bits(&want, &p.decrypt(&p.settle(&sum))) > FLOOR);
    }
    let minus = e.sub(&scaled, &product).unwrap();
    assert!(bits(&zip(&expected, &z, |p, s| 0.75 * s - p), &p.decrypt(&minus)) > FLOOR);
    let minus = e.sub(&product, &scaled).unwrap();
    assert!(bits(&zip(&expected, &z, |p, s| p - 0.75 * s), &p.decrypt(&minus)) > FLOOR);

    let sum = e.sum_of_products(&[&a, &b], &[&c, &c]).unwrap();
    let want: Vec<f64> = (0..64).map(|i| (x[i] + y[i]) * z[i]).collect();
    assert!(sum.is_pending() && bits(&want, &p.decrypt(&p.settle(&sum))) > FLOOR);
    let square = e.square(&e.square(&a).unwrap()).unwrap();
    assert_eq!(square.level(), 1);
    assert!(bits(&zip(&x, &x, |a, _| a.powi(4)), &p.decrypt(&square)) > FLOOR - 1.0);
}

#[test]
fn plaintexts_and_scalars() {
    let p = party();
    let e = &p.evaluator;
    let (x, y) = (values(1, 64), values(2, 64));
    let a = p.encrypt(&x, 3);
    let plain = e.encode(&[&y], 3).unwrap();
    let check = |want: Vec<f64>, ct: &_| assert!(bits(&want, &p.decrypt(ct)) > FLOOR);
    check(zip(&x, &y, |a, b| a + b), &e.add_plain(&a, &plain).unwrap());
    check(zip(&x, &y, |a, b| a - b), &e.sub_plain(&a, &plain).unwrap());
    let product = e.multiply_plain(&a, &plain).unwrap();
    assert_eq!((product.level(), product.components()), (2, 2));
    check(zip(&x, &y, |a, b| a * b), &p.settle(&product));
    check(zip(&x, &y, |a, _| a + 2.5), &e.add_scalar(&a, 2.5).unwrap());
    // A scalar is added to a pending product at the product's own scale.
    let sum = e.add_scalar(&product, -1.25).unwrap();
    check(zip(&x, &y, |a, b| a * b - 1.25), &p.settle(&sum));
    let scaled = e.multiply_scalar(&a, -0.3).unwrap();
    check(zip(&x, &y, |a, _| a * -0.3), &p.settle(&scaled));
    let tripled = e.multiply_integer(&a, -3).unwrap();
    assert_eq!(tripled.level(), 3);
    check(zip(&x, &y, |a, _| -3.0 * a), &tripled);
    says! {
        e.add_plain(&p.encrypt(&x, 2), &plain).unwrap_err() => ["level 3", "level 2"],
        e.encode(&[&[1.0, f64::NAN]], 1).unwrap_err() => ["1", "NaN"],
    }
    for bad in [f64::NAN, f64::INFINITY, 1e30] {
        refused! { kind(e.add_scalar(&a, bad)) => CkksErrorKind::OutOfRange { .. } }
    }

    // Batches: one vector for all, one for each, and many vectors for one ciphertext.
    let pair = p.encrypt_batch(&[&x, &y], 3);
    let both = e.encode(&[&y, &x], 3).unwrap();
    let got = p.decrypt_batch(&p.settle(&e.multiply_plain(&pair, &both).unwrap()));
    assert!(bits(&zip(&x, &y, |a, b| a * b), &got[0]) > FLOOR);
    assert!(bits(&zip(&x, &y, |a, b| a * b), &got[1]) > FLOOR);
    let got = p.decrypt_batch(&e.add_plain(&a, &both).unwrap());
    assert!(bits(&zip(&x, &y, |a, b| a + b), &got[0]) > FLOOR);
    assert!(bits(&zip(&x, &x, |a, b| a + b), &got[1]) > FLOOR);
}

#[test]
fn complex_values_conjugate_and_turn() {
    let p = party();
    let z: Vec<Complex64> = values(1, 64)
        .iter()
        .zip(values(2, 64))
        .map(|(&a, b)| Complex64::new(a, b))
        .collect();
    let ct = p.encrypt_values(&[&z], 2);
    let decryptor = Decryptor::new(&p.secret);
    let check = |f: fn(Complex64) -> Complex64, ct: &_| {
        let got = decryptor.decrypt_complex(ct).unwrap().remove(0);
        let want: Vec<Complex64> = z.iter().map(|&z| f(z)).collect();
        let report = arras_ckks::PrecisionReport::new(&want, &got).unwrap();
        assert!(report.worst_bits() > FLOOR, "{report}");
    };
    check(|z| z, &ct);
    check(|z| z.conj(), &p.evaluator.conjugate(&ct).unwrap());
    let turned = p.evaluator.multiply_i(&ct).unwrap();
    assert_eq!(turned.level(), 2);
    check(|z| z * Complex64::i(), &turned);
}

#[test]
fn rotations_in_every_form() {
    let p = party();
    let e = &p.evaluator;
    let x = values(1, 64);
    let a = p.encrypt(&x, 3);
    for steps in [1, 2, 3, -1, -4, 0, 63] {
        let got = p.decrypt(&e.rotate(&a, steps).unwrap());
        assert!(bits(&rotated(&x, steps), &got) > FLOOR, "{steps}");
    }
    // A pending product of two components rotates and rescales in one step.
    let pending = e.multiply_scalar(&a, 0.5).unwrap();
    let got = e.rotate(&pending, 3).unwrap();
    assert!(!got.is_pending() && got.level() == 2);
    let half: Vec<f64> = x.iter().map(|x| x / 2.0).collect();
    assert!(bits(&rotated(&half, 3), &p.decrypt(&got)) > FLOOR);

    let hoisted = e.hoisted_rotations(&a, &[0, 1, 5]).unwrap();
    for (ct, steps) in hoisted.iter().zip([0, 1, 5]) {
        assert!(bits(&rotated(&x, steps), &p.decrypt(ct)) > FLOOR);
    }
    // Hoisted and separate rotations agree to the bit.
    let separate = e.rotate(&a, 5).unwrap();
    let words = |ct: &arras_ckks::Ciphertext<_>| ct.poly().to_words().unwrap();
    assert_eq!(words(&hoisted[2]), words(&separate));

    let sum = e.rotation_sum(&a, &[0, 1, 3]).unwrap();
    let want: Vec<f64> = (0..64)
        .map(|j| x[j] + x[(j + 1) % 64] + x[(j + 3) % 64])
        .collect();
    assert!(bits(&want, &p.decrypt(&sum)) > FLOOR);
    let total = e.rotate_and_sum(&a, 1, 64).unwrap();
    assert!(bits(&vec![x.iter().sum(); 64], &p.decrypt(&total)) > FLOOR - 3.0);

    let (w0, w1) = (values(4, 64), values(5, 64));
    let weights = [&w0, &w1].map(|w| e.encode_weights(&[w], 3).unwrap());
    let product = e.weighted_rotation_sum(&a, &[0, 5], &weights.each_ref());
    let product = product.unwrap();
    assert_eq!((product.level(), product.is_pending()), (2, false));
    let want: Vec<f64> = (0..64)
        .map(|j| w0[j] * x[j] + w1[j] * x[(j + 5) % 64])
        .collect();
    assert!(bits(&want, &p.decrypt(&product)) > FLOOR);

    says! { e.rotate(&a, 7).unwrap_err() => ["rotation by 7"] }
    refused! { kind(e.rotate_and_sum(&a, 1, 12)) => CkksErrorKind::OutOfRange { .. } }
}

#[test]
fn levels_run_out_with_a_message_that_says_so() {
    let p = party();
    let e = &p.evaluator;
    let x = values(1, 64);
    let a = p.encrypt(&x, 0);
    says! {
        e.multiply(&a, &a).unwrap_err() => ["needs a level of at least 1", "level 0"],
        e.level_down(&a, 3).unwrap_err() => ["3 more"],
        p.encryptor().encrypt(&[&[1e6]], 2).unwrap_err() => ["headroom"],
    }
    assert!(p.encryptor().encrypt(&[&x], 6).is_err());
    for from in 1..=5 {
        let a = p.encrypt(&x, from);
        for to in 0..from {
            let down = e.level_down(&a, to).unwrap();
            assert_eq!(down.level(), to);
            assert!(bits(&x, &p.decrypt(&down)) > FLOOR, "{from} to {to}");
        }
    }
}

#[test]
fn keys_that_are_missing_or_cut_are_named() {
    let p = party();
    let x = values(1, 64);
    let a = p.encrypt(&x, 3);
    let bare = Evaluator::without_keys(&p.context);
    let product = bare.multiply(&a, &a).unwrap();
    says! {
        bare.relinearize_and_rescale(&product).unwrap_err() => ["relinearization key"],
        bare.conjugate(&a).unwrap_err() => ["conjugation"],
    }

    let generator = KeyGenerator::new(&p.secret).unwrap();
    let full = generator.relinearization_key().unwrap();
    let cut = full.cut(2).unwrap();
    assert!(cut.expanded_bytes() < full.expanded_bytes());
    let mut keys = EvaluationKeys::none(&p.context);
    keys.insert(&cut).unwrap();
    let small = Evaluator::new(&p.context, keys).unwrap();
    let square = |ct: &_| small.relinearize_and_rescale(&small.square(ct).unwrap());
    says! { square(&a).unwrap_err() => ["cut to level 2", "level 3"] }
    let got = square(&p.encrypt(&x, 2)).unwrap();
    assert!(bits(&zip(&x, &x, |a, b| a * b), &p.decrypt(&got)) > FLOOR);
}

#[test]
fn results_are_cut_for_sending_and_still_decrypt() {
    let p = party();
    let x = values(1, 64);
    let a = p.encrypt(&x, 4);
    let cut = p.evaluator.drop_moduli(&a, 2.0).unwrap();
    assert_eq!(cut.limbs().len(), 2);
    assert!(cut.is_cut() && cut.bytes() < a.bytes());
    assert!(bits(&x, &p.decrypt(&cut)) > FLOOR);
    let low = p.encrypt(&x, 0);
    refused! {
        kind(p.evaluator.add(&cut, &a)) => CkksErrorKind::Cut { .. },
        kind(p.evaluator.drop_moduli(&low, 1e9)) => CkksErrorKind::CannotCut { .. },
    }
    assert!(p.evaluator.drop_moduli(&a, f64::NAN).is_err());
    // However small the values are, one limb stays.
    for max_abs in [1e-13, f64::MIN_POSITIVE] {
        let cut = p.evaluator.drop_moduli(&a, max_abs).unwrap();
        assert_eq!(cut.limbs().len(), 1);
    }
}

#[test]
fn public_key_encryption_decrypts() {
    let p = party();
    let x = values(1, 64);
    let public = p.public_key();
    let encryptor = Encryptor::with_streams(&public, &p.streams);
    let ct = encryptor.encrypt(&[&x, &x], 3).unwrap();
    assert_eq!((ct.batch(), ct.level()), (2, 3));
    for got in p.decrypt_batch(&ct) {
        assert!(bits(&x, &got) > FLOOR);
    }
}
