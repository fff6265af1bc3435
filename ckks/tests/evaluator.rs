//! Every evaluator operation against the computation in the clear, at a small insecure size.

mod support;

use arras_ckks::{
    CkksErrorKind, Decryptor, Encryptor, EvaluationKeys, Evaluator, KeyGenerator, doubling_steps,
};
use arras_hal::Reference;
use num_complex::Complex64;
use support::{Party, bits, insecure, values};

const FLOOR: f64 = 24.0;

fn party() -> Party<Reference> {
    let mut rotations = doubling_steps(1, 64);
    rotations.extend([3, 5, -1, -4]);
    Party::new(&insecure(7, 5), Reference::new(), &rotations)
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
    let error = p.evaluator.add(&pair, &three).unwrap_err().to_string();
    assert!(error.contains("batches of 2 and 3"), "{error}");
    assert!(matches!(
        p.evaluator.add_many(&[]).unwrap_err().kind(),
        CkksErrorKind::Empty
    ));
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
    let settled = e.relinearize_and_rescale(&product).unwrap();
    assert!(!settled.is_pending() && settled.components() == 2 && settled.level() == 2);
    assert!(bits(&expected, &p.decrypt(&settled)) > FLOOR);
    let linear = e.relinearize(&product).unwrap();
    assert!(linear.is_pending() && linear.components() == 2);
    assert!(bits(&expected, &p.decrypt(&e.rescale(&linear).unwrap())) > FLOOR);
    assert!(matches!(
        e.rescale(&product).unwrap_err().kind(),
        CkksErrorKind::WrongForm { .. }
    ));
    assert!(matches!(
        e.rescale(&settled).unwrap_err().kind(),
        CkksErrorKind::WrongForm { .. }
    ));
    assert!(matches!(
        e.relinearize(&linear).unwrap_err().kind(),
        CkksErrorKind::WrongForm { .. }
    ));

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
        assert!(bits(&want, &p.decrypt(&e.relinearize_and_rescale(&sum).unwrap())) > FLOOR);
    }
    let minus = e.sub(&scaled, &product).unwrap();
    assert!(bits(&zip(&expected, &z, |p, s| 0.75 * s - p), &p.decrypt(&minus)) > FLOOR);
    let minus = e.sub(&product, &scaled).unwrap();
    assert!(bits(&zip(&expected, &z, |p, s| p - 0.75 * s), &p.decrypt(&minus)) > FLOOR);

    let sum = e.sum_of_products(&[&a, &b], &[&c, &c]).unwrap();
    let want: Vec<f64> = (0..64).map(|i| (x[i] + y[i]) * z[i]).collect();
    assert!(
        sum.is_pending()
            && bits(&want, &p.decrypt(&e.relinearize_and_rescale(&sum).unwrap())) > FLOOR
    );
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
    check(
        zip(&x, &y, |a, b| a * b),
        &e.relinearize_and_rescale(&product).unwrap(),
    );
    check(zip(&x, &y, |a, _| a + 2.5), &e.add_scalar(&a, 2.5).unwrap());
    // A scalar is added to a pending product at the product's own scale.
    check(
        zip(&x, &y, |a, b| a * b - 1.25),
        &e.relinearize_and_rescale(&e.add_scalar(&product, -1.25).unwrap())
            .unwrap(),
    );
    check(
        zip(&x, &y, |a, _| a * -0.3),
        &e.relinearize_and_rescale(&e.multiply_scalar(&a, -0.3).unwrap())
            .unwrap(),
    );
    let tripled = e.multiply_integer(&a, -3).unwrap();
    assert_eq!(tripled.level(), 3);
    check(zip(&x, &y, |a, _| -3.0 * a), &tripled);
    let error = e
        .add_plain(&p.encrypt(&x, 2), &plain)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("level 3") && error.contains("level 2"),
        "{error}"
    );
    for bad in [f64::NAN, f64::INFINITY, 1e30] {
        assert!(
            matches!(
                e.add_scalar(&a, bad).unwrap_err().kind(),
                CkksErrorKind::OutOfRange { .. }
            ),
            "{bad}"
        );
    }
    let error = e.encode(&[&[1.0, f64::NAN]], 1).unwrap_err().to_string();
    assert!(error.contains('1') && error.contains("NaN"), "{error}");

    // Batches: one vector for all, one for each, and many vectors for one ciphertext.
    let pair = p.encrypt_batch(&[&x, &y], 3);
    let both = e.encode(&[&y, &x], 3).unwrap();
    let got = p.decrypt_batch(
        &e.relinearize_and_rescale(&e.multiply_plain(&pair, &both).unwrap())
            .unwrap(),
    );
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
    let ct = p
        .encryptor()
        .encrypt(&[&z], 2)
        .unwrap()
        .expand(&p.context)
        .unwrap();
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
    assert_eq!(
        hoisted[2].poly().to_words().unwrap(),
        separate.poly().to_words().unwrap()
    );

    let sum = e.rotation_sum(&a, &[0, 1, 3]).unwrap();
    let want: Vec<f64> = (0..64)
        .map(|j| x[j] + x[(j + 1) % 64] + x[(j + 3) % 64])
        .collect();
    assert!(bits(&want, &p.decrypt(&sum)) > FLOOR);
    let total = e.rotate_and_sum(&a, 1, 64).unwrap();
    assert!(bits(&vec![x.iter().sum(); 64], &p.decrypt(&total)) > FLOOR - 3.0);

    let (w0, w1) = (values(4, 64), values(5, 64));
    let weights = [
        e.encode_weights(&[&w0], 3).unwrap(),
        e.encode_weights(&[&w1], 3).unwrap(),
    ];
    let product = e
        .weighted_rotation_sum(&a, &[0, 5], &[&weights[0], &weights[1]])
        .unwrap();
    assert_eq!((product.level(), product.is_pending()), (2, false));
    let want: Vec<f64> = (0..64)
        .map(|j| w0[j] * x[j] + w1[j] * x[(j + 5) % 64])
        .collect();
    assert!(bits(&want, &p.decrypt(&product)) > FLOOR);

    let error = e.rotate(&a, 7).unwrap_err().to_string();
    assert!(error.contains("rotation by 7"), "{error}");
    assert!(matches!(
        e.rotate_and_sum(&a, 1, 12).unwrap_err().kind(),
        CkksErrorKind::OutOfRange { .. }
    ));
}

#[test]
fn levels_run_out_with_a_message_that_says_so() {
    let p = party();
    let e = &p.evaluator;
    let x = values(1, 64);
    let a = p.encrypt(&x, 0);
    let error = e.multiply(&a, &a).unwrap_err().to_string();
    assert!(
        error.contains("needs a level of at least 1") && error.contains("level 0"),
        "{error}"
    );
    let error = e.level_down(&a, 3).unwrap_err().to_string();
    assert!(error.contains("3 more"), "{error}");
    assert!(p.encryptor().encrypt(&[&x], 6).is_err());
    assert!(
        p.encryptor()
            .encrypt(&[&[1e6]], 2)
            .unwrap_err()
            .to_string()
            .contains("headroom")
    );
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
    assert!(
        bare.relinearize_and_rescale(&product)
            .unwrap_err()
            .to_string()
            .contains("relinearization key")
    );
    assert!(
        bare.conjugate(&a)
            .unwrap_err()
            .to_string()
            .contains("conjugation")
    );

    let generator = KeyGenerator::new(&p.secret).unwrap();
    let full = generator.relinearization_key().unwrap();
    let cut = full.cut(2).unwrap();
    assert!(cut.expanded_bytes() < full.expanded_bytes());
    let mut keys = EvaluationKeys::none(&p.context);
    keys.insert(&cut).unwrap();
    let small = Evaluator::new(&p.context, keys).unwrap();
    let error = small
        .relinearize_and_rescale(&small.square(&a).unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cut to level 2") && error.contains("level 3"),
        "{error}"
    );
    let low = p.encrypt(&x, 2);
    let got = p.decrypt(
        &small
            .relinearize_and_rescale(&small.square(&low).unwrap())
            .unwrap(),
    );
    assert!(bits(&zip(&x, &x, |a, b| a * b), &got) > FLOOR);
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
    assert!(matches!(
        p.evaluator.add(&cut, &a).unwrap_err().kind(),
        CkksErrorKind::Cut { .. }
    ));
    let low = p.encrypt(&x, 0);
    assert!(matches!(
        p.evaluator.drop_moduli(&low, 1e9).unwrap_err().kind(),
        CkksErrorKind::CannotCut { .. }
    ));
    assert!(p.evaluator.drop_moduli(&a, f64::NAN).is_err());
    // However small the values are, one limb stays.
    for max_abs in [1e-13, f64::MIN_POSITIVE] {
        let cut = p.evaluator.drop_moduli(&a, max_abs).unwrap();
        assert_eq!(cut.limbs().len(), 1);
    }
}

#[test]
fn public_key_encryption_and_shared_decryption() {
    let p = party();
    let x = values(1, 64);
    let public = KeyGenerator::new(&p.secret).unwrap().public_key().unwrap();
    let public = public.load(&p.context).unwrap();
    let ct = Encryptor::with_streams(&public, &p.streams)
        .encrypt(&[&x, &x], 3)
        .unwrap();
    assert_eq!((ct.batch(), ct.level()), (2, 3));
    for got in p.decrypt_batch(&ct) {
        assert!(bits(&x, &got) > FLOOR);
    }
    let decryptor = Decryptor::new(&p.secret);
    let shared = decryptor.decrypt_for_sharing(&ct, 10.0).unwrap();
    assert!(shared.flooding_bits > 15.0, "{}", shared.flooding_bits);
    let precision = bits(&x, &shared.values[0]);
    assert!((6.0..11.0).contains(&precision), "{precision}");
    assert_ne!(
        shared.values[0],
        decryptor.decrypt_for_sharing(&ct, 10.0).unwrap().values[0]
    );
    let error = decryptor
        .decrypt_for_sharing(&ct, 60.0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("bits = 60"), "{error}");
}
