//! Bounds on values: they follow every operation, and no result goes beyond what its level holds without an error.

use crate::support::{Party, insecure, values};
use arras_ckks::{
    Ciphertext, CkksError, CkksErrorKind, Complex64, Decryptor, Encryptor, Evaluator, Parameters,
    Plaintext, Result, SeededCiphertext, doubling_steps, wire,
};
use arras_hal::Reference;
use rand_core::{Rng, SeedableRng};

type Ct = Ciphertext<Reference>;

/// What the scheme adds to values.
const ERROR: f64 = 1e-4;

fn party() -> Party<Reference> {
    let mut rotations = doubling_steps(1, 64);
    rotations.extend([3, 5]);
    Party::new(&insecure(7, 4), Reference::new(), &rotations)
}

fn encrypt(p: &Party<Reference>, x: &[f64], level: usize, largest: f64) -> Ct {
    let encryptor = p.encryptor().largest_value(largest);
    let seeded = encryptor.encrypt(&[x], level).unwrap();
    seeded.expand(&p.context).unwrap()
}

fn plain(e: &Evaluator<Reference>, largest: f64, level: usize) -> Plaintext<Reference> {
    e.encode(&[&[largest, -0.5 * largest]], level).unwrap()
}

fn overflows<T: std::fmt::Debug>(what: &str, outcome: Result<T>) {
    let error = outcome.expect_err(what);
    assert!(
        matches!(error.kind(), CkksErrorKind::Overflow { .. }),
        "{what}: {error}"
    );
}

/// An operation on a ciphertext whose bound is b: the level of its operand, what the bound of its result is, and b for a given result.
type Case = (
    &'static str,
    usize,
    fn(&Evaluator<Reference>, &Ct) -> Result<Ct>,
    fn(f64) -> f64,
    fn(f64) -> f64,
);

const CASES: &[Case] = &[
    ("add", 0, |e, a| e.add(a, a), |b| 2.0 * b, |h| h / 2.0),
    ("sub", 0, |e, a| e.sub(a, a), |b| 2.0 * b, |h| h / 2.0),
    ("neg", 0, |e, a| e.neg(a), |b| b, |h| h),
    (
        "add_many",
        0,
        |e, a| e.add_many(&[a, a, a]),
        |b| 3.0 * b,
        |h| h / 3.0,
    ),
    (
        "add at two levels",
        2,
        |e, a| e.add(&e.level_down(a, 0)?, a),
        |b| 2.0 * b,
        |h| h / 2.0,
    ),
    (
        "add of pending products",
        1,
        |e, a| e.add(&e.multiply_scalar(a, 2.0)?, &e.multiply_scalar(a, 0.5)?),
        |b| 2.5 * b,
        |h| h / 2.5,
    ),
    (
        "multiply",
        1,
        |e, a| e.multiply(a, &a.try_clone()?),
        |b| b * b,
        f64::sqrt,
    ),
    ("square", 1, |e, a| e.square(a), |b| b * b, f64::sqrt),
    (
        "sum_of_products",
        1,
        |e, a| e.sum_of_products(&[a, a], &[a, a]),
        |b| 2.0 * b * b,
        |h| (h / 2.0).sqrt(),
    ),
    (
        "add_plain",
        0,
        |e, a| e.add_plain(a, &plain(e, 100.0, 0)),
        |b| b + 100.0,
        |h| h - 100.0,
    ),
    (
        "sub_plain",
        0,
        |e, a| e.sub_plain(a, &plain(e, 100.0, 0)),
        |b| b + 100.0,
        |h| h - 100.0,
    ),
    (
        "multiply_plain",
        1,
        |e, a| e.multiply_plain(a, &plain(e, 3.0, 1)),
        |b| 3.0 * b,
        |h| h / 3.0,
    ),
    (
        "weighted_sum",
        1,
        |e, a| e.weighted_sum(&[a, a], &[&plain(e, 3.0, 1), &plain(e, 0.5, 1)]),
        |b| 3.5 * b,
        |h| h / 3.5,
    ),
    (
        "add_scalar",
        0,
        |e, a| e.add_scalar(a, -7.0),
        |b| b + 7.0,
        |h| h - 7.0,
    ),
    (
        "multiply_scalar",
        1,
        |e, a| e.multiply_scalar(a, -0.25),
        |b| 0.25 * b,
        |h| 4.0 * h,
    ),
    (
        "multiply_integer",
        0,
        |e, a| e.multiply_integer(a, -3),
        |b| 3.0 * b,
        |h| h / 3.0,
    ),
    ("multiply_i", 0, |e, a| e.multiply_i(a), |b| b, |h| h),
    ("rotate", 0, |e, a| e.rotate(a, 3), |b| b, |h| h),
    ("conjugate", 0, |e, a| e.conjugate(a), |b| b, |h| h),
    (
        "hoisted_rotations",
        0,
        |e, a| Ok(e.hoisted_rotations(a, &[1, 3])?.remove(1)),
        |b| b,
        |h| h,
    ),
    (
        "rotation_sum",
        0,
        |e, a| e.rotation_sum(a, &[0, 1, 3, 3]),
        |b| 4.0 * b,
        |h| h / 4.0,
    ),
    (
        "rotate_and_sum",
        0,
        |e, a| e.rotate_and_sum(a, 1, 16),
        |b| 16.0 * b,
        |h| h / 16.0,
    ),
    (
        "weighted_rotation_sum",
        1,
        |e, a| {
            let weights = [
                e.encode_weights(&[&[2.0]], 1)?,
                e.encode_weights(&[&[-1.0]], 1)?,
            ];
            e.weighted_rotation_sum(a, &[0, 5], &weights.each_ref())
        },
        |b| 3.0 * b,
        |h| h / 3.0,
    ),
    (
        "relinearize and rescale",
        1,
        |e, a| e.rescale(&e.relinearize(&e.square(a)?)?),
        |b| b * b,
        f64::sqrt,
    ),
    (
        "relinearize_and_rescale",
        1,
        |e, a| e.relinearize_and_rescale(&e.square(a)?),
        |b| b * b,
        f64::sqrt,
    ),
    ("level_down", 3, |e, a| e.level_down(a, 0), |b| b, |h| h),
    (
        "concat",
        0,
        |e, a| e.concat(&[&a.try_clone()?.assume(1.0)?, a]),
        |b| b,
        |h| h,
    ),
    ("pick", 0, |_, a| a.pick(&[0, 0]), |b| b, |h| h),
    ("drop_moduli", 0, |e, a| e.drop_moduli(a, 1.0), |b| b, |h| h),
];

#[test]
fn bounds_follow_every_operation_up_to_what_the_level_holds() {
    let p = party();
    let (e, params) = (&p.evaluator, p.context.params());
    let x = values(1, 64);
    for &(name, level, run, result, operand) in CASES {
        let headroom = params.headroom(0);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
        let a = encrypt(&p, &x, level, 1.5);
        let ct = run(e, &a).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(near(ct.bound(), result(1.5)), "{name}: {}", ct.bound());

        // At the edge: a hair below the headroom passes, a hair above is refused, where it was not refused before.
        let below = operand(headroom) * (1.0 - 1e-9);
        let ct = run(e, &encrypt(&p, &x, level, below)).unwrap();
        let share = ct.bound() / headroom;
        assert!(share < 1.0 && share > 1.0 - 1e-8, "{name}: {share}");
        let above = operand(headroom) * (1.0 + 1e-9);
        let seeded = p.encryptor().largest_value(above).encrypt(&[&x], level);
        match seeded {
            Err(error) => overflows::<()>(name, Err(error)),
            Ok(seeded) => overflows(name, run(e, &seeded.expand(&p.context).unwrap())),
        }

        // What is assumed of a result is its bound, and what the level must hold.
        let ct = run(&e.assuming(1.25).unwrap(), &a).unwrap();
        let own = ["pick", "drop_moduli"].contains(&name);
        let want = if own { 1.5 } else { result(1.5).min(1.25) };
        assert!(near(ct.bound(), want), "{name}: {}", ct.bound());
    }
}

#[test]
fn levels_above_hold_more() {
    let p = party();
    let params = p.context.params();
    let x = [1000.0, -3.0];
    let a = encrypt(&p, &x, 2, 1000.0);
    assert!(params.headroom(0) < 1000.0 && params.headroom(1) > 1e9);
    // The product lands on level 1, which holds it; divided, it may go on.
    let square = p.settle(&p.evaluator.square(&a).unwrap());
    assert!((p.decrypt(&square)[0] - 1e6).abs() < 1.0);
    overflows("level_down", p.evaluator.level_down(&square, 0));
    // Who knows better says so; what is assumed of a result holds for the value that is lowered.
    let known = p.evaluator.assuming(5.0).unwrap();
    let lowered = known.level_down(&encrypt(&p, &[5.0], 2, 1000.0), 0);
    assert_eq!(lowered.as_ref().unwrap().bound(), 5.0);
    assert!((p.decrypt(&lowered.unwrap())[0] - 5.0).abs() < 1e-3);
    let small = p.evaluator.multiply_scalar(&square, 1e-4).unwrap();
    assert!((p.decrypt(&small)[0] - 100.0).abs() < 1e-3);
    assert!((small.bound() - 100.0).abs() < 1e-9);
}

#[test]
fn operands_are_checked_like_encrypted_values() {
    let p = party();
    let e = &p.evaluator;
    let x = encrypt(&p, &[2.0, 1.0], 0, 2.0);
    overflows("add_scalar", e.add_scalar(&x, 1e3));
    overflows("add_scalar", e.add_scalar(&x, 1e20));
    overflows("multiply_integer", e.multiply_integer(&x, 1 << 40));
    overflows("encode", e.encode(&[&[1e12, 0.0]], 0));
    overflows("encode_weights", e.encode_weights(&[&[1e30]], 1));
    let i = [Complex64::new(400.0, 400.0)];
    overflows("encode of complex values", e.encode(&[&i], 0));
    let one = encrypt(&p, &[2.0, 1.0], 1, 2.0);
    overflows("multiply_scalar", e.multiply_scalar(&one, 1e6));
    let large = e.encode(&[&[1e6]], 1).unwrap();
    overflows("multiply_plain", e.multiply_plain(&one, &large));
    says! {
        e.add_scalar(&x, 1e3).unwrap_err() => ["add_scalar", "1.0020e3", "level 0", "4.", "e2", "largest_value", "assuming"]
    }
}

#[test]
fn what_would_wrap_around_is_refused_before_it_does() {
    let params = Parameters::builder()
        .depth(2)
        .precision_bits(18)
        .slots(1000);
    let params = params.build().unwrap();
    let p = Party::new(&params, arras_backend_cpu::CpuEngine::new(), &[]);
    let e = &p.evaluator;
    let seeded = p.encryptor().largest_value(100.0);
    let seeded = seeded.encrypt(&[&[100.0, 1.0]], 2).unwrap();
    let x = seeded.expand(&p.context).unwrap();
    // 10^8 at level 0, which holds 417: the result would be noise that looks like values.
    let square = e.square(&x).unwrap();
    says! { e.square(&square).unwrap_err() => ["square", "1.0000e8", "level 0"] }
    // Whoever assumes what is not so gets what nobody could tell, but for the size of the values.
    let wrapped = e.assuming(1.0).unwrap().square(&square).unwrap();
    let wrapped = e.relinearize_and_rescale(&wrapped).unwrap();
    let error = Decryptor::new(&p.secret).decrypt(&wrapped).unwrap_err();
    assert!(
        matches!(error.kind(), CkksErrorKind::NotAResult { level: 0, .. }),
        "{error}"
    );
    says! { error => ["decrypt", "wrapped around"] }
}

#[test]
fn another_key_gives_no_values() {
    let p = party();
    let other = arras_ckks::SecretKey::generate(&p.context).unwrap();
    let x = values(1, 64);
    for level in [0, 1, 4] {
        let ct = p.encrypt(&x, level);
        let pending = (level > 0).then(|| p.evaluator.square(&ct).unwrap());
        let cut = p.evaluator.drop_moduli(&ct, 1.0).unwrap();
        for ct in [Some(ct), pending, Some(cut)].into_iter().flatten() {
            assert!(Decryptor::new(&p.secret).decrypt(&ct).is_ok());
            for error in [
                Decryptor::new(&other).decrypt(&ct).map(drop).unwrap_err(),
                Decryptor::new(&other)
                    .decrypt_complex(&ct)
                    .map(drop)
                    .unwrap_err(),
            ] {
                let kind = error.kind();
                assert!(matches!(kind, CkksErrorKind::NotAResult { .. }), "{error}");
            }
        }
    }
}

#[test]
fn largest_values_are_declared_and_held() {
    let p = party();
    let encryptor = |largest| p.encryptor().largest_value(largest);
    says! {
        p.encryptor().encrypt(&[&[1.5]], 2).unwrap_err() => ["largest value", "1.5", "Encryptor::largest_value", "scale"],
        encryptor(100.0).encrypt(&[&[99.0], &[101.0]], 2).unwrap_err() => ["101", "100"],
        encryptor(1e3).encrypt(&[&[0.0]], 0).unwrap_err() => ["1.0000e3", "level 0"]
    }
    let z = [Complex64::new(0.8, 0.8)];
    assert!(p.encryptor().encrypt(&[&z], 1).is_err());
    assert!(encryptor(1.2).encrypt(&[&z], 1).is_ok());
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        let kind = encryptor(bad)
            .encrypt(&[&[0.0]], 2)
            .map_err(CkksError::into_kind);
        refused! { kind => CkksErrorKind::OutOfRange { .. } }
        assert!(p.evaluator.assuming(bad).is_err());
        assert!(p.encrypt(&[0.0], 1).assume(bad).is_err());
    }
    // The public key's encryptions say the same.
    let public = p.public_key();
    let public = Encryptor::with_streams(&public, &p.streams).largest_value(7.0);
    assert_eq!(public.encrypt(&[&[3.0]], 1).unwrap().bound(), 7.0);
    assert!(public.encrypt(&[&[7.5]], 1).is_err());
}

/// Bounds are public numbers: they do not depend on what is encrypted.
#[test]
fn bounds_do_not_tell_values() {
    let p = party();
    let bounds = |x: f64| {
        let a = encrypt(&p, &[x; 64], 2, 3.0);
        let sum = p.evaluator.rotate_and_sum(&a, 1, 8).unwrap();
        p.evaluator.square(&sum).unwrap().bound()
    };
    assert_eq!(bounds(0.0), bounds(2.9));
}

#[test]
fn files_carry_bounds_as_hints() {
    let p = party();
    let context = &p.context;
    let read = |bytes: &[u8]| Ct::from_bytes(bytes, context);
    for (largest, said) in [(3.0, 3.0), (0.1, f64::from(0.1f32.next_up())), (0.0, 0.0)] {
        let said = if f64::from(largest as f32) == largest {
            largest
        } else {
            said
        };
        let ct = encrypt(&p, &[0.0], 1, largest);
        let bytes = ct.to_bytes().unwrap();
        let again = read(&bytes).unwrap();
        assert!(again.bound() >= largest && again.bound() <= said);
        assert_eq!(again.to_bytes().unwrap(), bytes);
        let inspection = wire::inspect(bytes.as_slice()).unwrap();
        assert_eq!(inspection.version(), wire::BOUNDED_VERSION);
        assert_eq!(inspection.bound(), Some(again.bound()));
        says! { inspection => ["values   up to"] }
    }
    let seeded = p.encryptor().largest_value(5.0).encrypt(&[&[1.0]], 2);
    let bytes = seeded.unwrap().to_bytes().unwrap();
    let seeded = SeededCiphertext::from_bytes(&bytes, context.params()).unwrap();
    assert_eq!(
        (seeded.bound(), seeded.expand(context).unwrap().bound()),
        (5.0, 5.0)
    );
    let text = plain(&p.evaluator, 4.0, 1).to_bytes().unwrap();
    assert_eq!(
        Plaintext::from_bytes(&text, context).unwrap().largest(),
        4.0
    );

    // Of what nothing is known the file says nothing: it is of version 1, and its bound is what the level holds.
    let most = context.params().headroom(1);
    let ct = encrypt(&p, &[0.5], 1, most);
    let bytes = ct.to_bytes().unwrap();
    assert_eq!(wire::peek(&bytes).unwrap().version, wire::FORMAT_VERSION);
    let old = read(&bytes).unwrap();
    assert_eq!(old.bound(), most);
    assert!((p.decrypt(&old)[0] - 0.5).abs() < ERROR);
    overflows("add", p.evaluator.add(&old, &old));
    // Its owner knows better.
    let known = old.assume(1.0).unwrap();
    assert_eq!(p.evaluator.add(&known, &known).unwrap().bound(), 2.0);
}

#[test]
fn bounds_in_files_that_cannot_be_are_refused() {
    let p = party();
    let ct = encrypt(&p, &[0.5], 0, 3.0);
    let with = |bound: f32| {
        let mut bytes = ct.to_bytes().unwrap();
        bytes[12..16].copy_from_slice(&bound.to_le_bytes());
        let signed = bytes.len() - wire::CHECKSUM_LEN;
        let checksum = *blake3::hash(&bytes[..signed]).as_bytes();
        bytes[signed..].copy_from_slice(&checksum);
        Ct::from_bytes(&bytes, &p.context).map(|ct| ct.bound())
    };
    assert_eq!(with(400.0).unwrap(), 400.0);
    for bad in [-1.0, -0.0, f32::NAN, f32::INFINITY, 1e6] {
        says! { with(bad).unwrap_err() => ["values are at most"] }
    }
}

#[test]
fn requests_take_the_largest_value() {
    let request = |largest: f64| {
        let builder = Parameters::builder().depth(2).slots(1000);
        builder.precision_bits(12).largest_value(largest).choose()
    };
    for largest in [1.0, 400.0, 5000.0, 11_000.0] {
        let choice = request(largest).unwrap();
        assert!(choice.parameters().headroom(0) > largest);
        says! { choice.explanation() => ["level 0 holds values below 2^", &format!("values up to {largest} at level 0")] }
    }
    for bad in [1e8, f64::INFINITY, f64::NAN, -1.0] {
        says! { request(bad).unwrap_err() => ["level 1", "scale"] }
    }
    // The precision that only wide levels have, and values that only narrow ones hold.
    let both = Parameters::builder()
        .depth(2)
        .precision_bits(20)
        .largest_value(5000.0);
    says! { both.build().unwrap_err() => ["precision"] }
}

/// Random programs: whatever is decrypted is within its bound.
#[test]
fn no_result_is_beyond_its_bound() {
    let p = party();
    let e = &p.evaluator;
    let seed = 0x6d61_676e;
    let mut rng = chacha20::ChaCha20Rng::seed_from_u64(seed);
    let mut refused = 0;
    for program in 0..12u64 {
        let mut pool: Vec<Ct> = (0..3)
            .map(|i| {
                let largest = [0.5, 1.0, 3.0][i as usize];
                let x: Vec<f64> = values(3 * program + i, 64)
                    .iter()
                    .map(|x| largest * x)
                    .collect();
                encrypt(&p, &x, 2, largest)
            })
            .collect();
        for step in 0..14 {
            let mut pick = || {
                pool[rng.next_u64() as usize % pool.len()]
                    .try_clone()
                    .unwrap()
            };
            let (a, b) = (pick(), pick());
            let number = (rng.next_u64() as i64 as f64 / (1u64 << 63) as f64) * 4.0;
            let result = match rng.next_u64() % 11 {
                0 => e.add(&a, &b),
                1 => e.sub(&a, &b),
                2 => e.multiply(&a, &b),
                3 => e.square(&a),
                4 => e.multiply_scalar(&a, number),
                5 => e.add_scalar(&a, number),
                6 => e.multiply_integer(&a, number.round() as i64),
                7 => e.rotation_sum(&a, &[0, 1, 3]),
                8 => e.rotate_and_sum(&a, 1, 8),
                9 => {
                    let level = a.level();
                    let weights = values(rng.next_u64(), 64);
                    e.encode(&[&weights], level)
                        .and_then(|w| e.multiply_plain(&a, &w))
                }
                _ => e.sum_of_products(&[&a, &b], &[&b, &b]),
            };
            let what = format!("seed {seed:#x}, program {program}, step {step}");
            match result.map_err(CkksError::into_kind) {
                Ok(ct) => {
                    let largest = p.decrypt(&ct).iter().fold(0.0, |m: f64, x| m.max(x.abs()));
                    let allowed = ct.bound() * (1.0 + ERROR) + ERROR;
                    assert!(largest <= allowed, "{what}: {largest} of {}", ct.bound());
                    pool.push(ct);
                }
                Err(CkksErrorKind::Overflow { .. }) => refused += 1,
                Err(CkksErrorKind::OutOfLevels { .. }) => {}
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
    assert!(refused > 0);
}
