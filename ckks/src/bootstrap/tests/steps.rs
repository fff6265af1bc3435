//! Every step alone, decrypted, against what it must be.

use arras_hal::{Reference, SecretEngine};

use super::super::eval_mod::{MESSAGE_RATIO, REACH};
use super::super::raise;
use super::{Party, answers, bits, cpu, party, reversed, toy, values};
use crate::EvaluationKeySet;

fn q0(party: &Party<arras_backend_cpu::CpuEngine>) -> f64 {
    let window = party.context.raised_window(0).unwrap();
    party
        .context
        .moduli_of(window)
        .into_iter()
        .map(f64::from)
        .product()
}

#[test]
fn each_step_gives_what_it_must() {
    let party = party();
    let (params, bootstrapper) = (party.context.params(), party.bootstrapper(1.0));
    let (n, count, q0) = (params.n(), 32, q0(party));
    let (copies, place) = (n / count, reversed(count));
    let z = values(1, count);
    let ct = party.encrypt(&[&z], 1.0);

    // Slots to coefficients: 2^-12.5 of Q_0 for 1, at powers of X^copies.
    let small = bootstrapper.coefficients(ct.poly()).unwrap();
    let coefficients = party.coefficients(&small);
    let unit = q0 / MESSAGE_RATIO;
    let messages = |coefficients: &[f64]| -> Vec<f64> {
        (0..count)
            .map(|j| coefficients[copies * place(j)] / unit)
            .collect()
    };
    let there = bits(&z, messages(&coefficients));
    assert!(there >= 25.0, "coefficients: {there:.1} bits");
    let between = coefficients
        .iter()
        .enumerate()
        .filter(|(i, _)| i % copies > 0);
    let between = bits(&[0.0], between.map(|(_, c)| c / unit));
    assert!(between >= 25.0, "coefficients between: {between:.1} bits");

    // Raised: the same and multiples of Q_0, of which none is beyond 13.
    let sparse = raise::to_sparse(&bootstrapper.evaluator, &small).unwrap();
    let lifted = raise::lift(&party.context, sparse).unwrap();
    let raised = raise::from_sparse(&bootstrapper.evaluator, &lifted).unwrap();
    let t: Vec<f64> = party.coefficients(&raised).iter().map(|t| t / q0).collect();
    let integers: Vec<f64> = t.iter().map(|t| t.round()).collect();
    let largest = integers.iter().fold(0.0f64, |most, i| most.max(i.abs()));
    assert!(
        (3.0..=13.0).contains(&largest),
        "largest multiple {largest}"
    );
    let kept: Vec<f64> = (0..n).map(|i| (t[i] - integers[i]) * q0).collect();
    let there = bits(&z, messages(&kept));
    assert!(there >= 24.5, "raised: {there:.1} bits");

    // Coefficients to slots.
    let level = bootstrapper.plan.eval_mod_level();
    let v = bootstrapper.slots(raised).unwrap();
    let want: Vec<f64> = (0..count)
        .map(|j| 2.0 * (t[copies * place(j)] - 0.25) / REACH)
        .collect();
    let slots = party.slots(&v, level);
    // A message is 2^-15 of v.
    let there = bits(&want, slots.iter().map(|z| z.re)) - 12.5 - (REACH / 2.0).log2();
    assert!(there >= 24.5, "slots: {there:.1} bits");
    let imaginary = bits(&[0.0], slots.iter().map(|z| z.im));
    assert!(imaginary >= 40.0, "imaginary parts: {imaginary:.1} bits");

    // The cosine: its slope at t is at most 2 pi / 8 a_0.
    let c0 = bootstrapper.cosine(v).unwrap();
    let a0 = (2.0 * bootstrapper.numbers.angles[0]).sqrt();
    let cosine = |v: &f64| a0 * (std::f64::consts::TAU / 16.0 * REACH * v).cos();
    let want: Vec<f64> = want.iter().map(cosine).collect();
    let there = bits(&want, party.slots(&c0, level - 5).iter().map(|z| z.re));
    assert!(there >= 30.0, "cosine: {there:.1} bits");

    // All of it.
    let c3 = bootstrapper.double_angles(c0).unwrap();
    let slots = party.slots(&c3, params.max_level());
    let there = bits(&z, slots.iter().map(|z| z.re));
    assert!(there >= 23.0, "values: {there:.1} bits");
    let whole = bootstrapper.bootstrap(&ct).unwrap();
    assert!(whole.poly().to_words().unwrap() == c3.to_words().unwrap());
}

#[test]
fn multiples_of_the_modulus_up_to_13_vanish_and_larger_ones_bend() {
    let party = party();
    let bootstrapper = party.bootstrapper(1.0);
    let (count, q0) = (32, q0(party));
    let (copies, place) = (party.context.params().n() / count, reversed(count));
    for part in answers().reduction.chunks(count) {
        let mut coefficients = vec![0; party.context.params().n()];
        for (j, answer) in part.iter().enumerate() {
            let t = f64::from(answer.integer) * q0 + answer.message * q0 / MESSAGE_RATIO;
            coefficients[copies * place(j)] = t.round() as i64;
        }
        let v = bootstrapper.slots(party.raised(&coefficients)).unwrap();
        let c0 = bootstrapper.cosine(v).unwrap();
        let c3 = bootstrapper.double_angles(c0).unwrap();
        let slots = party.slots(&c3, party.context.params().max_level());
        for (j, answer) in part.iter().enumerate() {
            let (got, name) = (
                slots[j].re,
                format!("{} and {}", answer.integer, answer.message),
            );
            let error = (got - answer.message).abs();
            let most = match answer.integer {
                -13..=13 => 2f64.powf(-23.0),
                14 => 7e-6,
                -14 => 2.5e-4,
                15 => 5e-3,
                -15 => 7e-2,
                16 => 1.4,
                _ => 8.0,
            };
            assert!(error < most, "{name}: {got}");
            if answer.integer.abs() >= 14 {
                // As far off as the polynomial is there.
                let known = (answer.c3 - answer.message).abs();
                assert!(error > known / 2.0, "{name}: {error} of {known}");
                assert!(
                    (got - answer.c3).abs() < known / 50.0 + 2f64.powf(-23.0),
                    "{name}: {got}, not {}",
                    answer.c3
                );
            }
        }
    }
}

#[test]
fn products_are_settled_and_higher_levels_lowered_first() {
    let party = party();
    let (bootstrapper, evaluator) = (party.bootstrapper(1.0), party.evaluator());
    let z = values(10, 32);
    let product = evaluator.square(&party.encrypt_at(6, &[&z], 1.0)).unwrap();
    assert!(product.is_pending() && product.level() == 5);
    let out = bootstrapper.bootstrap(&product).unwrap();
    let want: Vec<f64> = z.iter().map(|z| z * z).collect();
    let bits = bits(&want, party.decrypt(&out).remove(0));
    assert!(bits >= 22.5, "{bits:.1} bits");
}

#[test]
fn every_engine_gives_the_same_bytes() {
    fn bootstrapped<S: SecretEngine>(engine: S) -> (EvaluationKeySet, Vec<u32>, f64) {
        let party = Party::new(&toy(8, 17, 32), engine, 32);
        let z = values(2, 32);
        let out = party
            .bootstrapper(1.0)
            .bootstrap(&party.encrypt(&[&z], 1.0))
            .unwrap();
        let words = out.poly().to_words().unwrap();
        (
            party.keys.clone(),
            words,
            bits(&z, party.decrypt(&out).remove(0)),
        )
    }
    let (keys, words, precision) = bootstrapped(Reference::new());
    assert!(precision >= 23.0, "{precision:.1} bits");
    for threads in [1, 2] {
        let (again, same, _) = bootstrapped(cpu(threads));
        assert!(keys == again, "keys, {threads} threads");
        assert!(words == same, "values, {threads} threads");
    }
}
