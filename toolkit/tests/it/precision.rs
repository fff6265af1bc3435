//! Predicted precision against measured: never more than one bit too optimistic, nor three too pessimistic.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Parameters,
    params::{Dnum, LevelWidth, deepest},
};
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Program, Recorder, Samples, ScaleAndPrecision, Slots, Value,
    interpret::PredictedPrecision,
};

use crate::support::{
    Numbers, chain, circuit, client, function, homomorphic, insecure, matrix_by_vector,
    survives_json, worst,
};

/// Encryptions of which the median error counts.
const RUNS: usize = 3;

fn secure(log_n: u32, levels: usize, width: LevelWidth) -> Parameters {
    let builder = Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .level_width(width);
    builder.build().unwrap()
}

/// The median over a few encryptions of the worst error of every output.
fn measured(
    params: &Parameters,
    program: &Program,
    inputs: &Bindings<Value>,
) -> Vec<(String, f64)> {
    let entries = inputs.iter().flat_map(|(_, value)| value.entries());
    let largest = entries.fold(1.0, |m: f64, x| m.max(x.abs()));
    let client = client(params, CpuEngine::new()).largest_value(largest);
    let context = client.context();
    let expected = Cleartext::run(program, inputs).unwrap().outputs;
    let homomorphic = homomorphic(&client, program);
    let mut errors: Vec<Vec<f64>> = vec![vec![]; expected.len()];
    for _ in 0..RUNS {
        let sent = client.encrypt_inputs(program, inputs).unwrap();
        let encrypted = sent.expand(context).unwrap();
        let run = homomorphic.run(program, &encrypted).unwrap();
        for (errors, (name, expected)) in errors.iter_mut().zip(&expected) {
            let actual = client.decrypt(&run.outputs[name]).unwrap();
            errors.push(worst(&actual, expected));
        }
    }
    let medians = errors.into_iter().map(|mut errors| {
        errors.sort_by(f64::total_cmp);
        errors[RUNS / 2]
    });
    expected.into_keys().zip(medians).collect()
}

/// Predicts, measures, compares.
fn check(
    what: &str,
    params: &Parameters,
    circuit: Circuit,
    samples: Samples,
) -> PredictedPrecision {
    let program = Program::new(circuit);
    let inputs = samples.draw(program.circuit(), 77).unwrap();
    let report = ScaleAndPrecision::new(params, samples)
        .predict(&program)
        .unwrap();
    assert!(report.exceeded().is_none(), "{report}");
    for (name, error) in measured(params, &program, &inputs) {
        let predicted = report.output(&name).unwrap().bits();
        let measured = -error.log2();
        let width = params.level_width().bits();
        println!(
            "| {what} | 2^{} | {width} | {name} | {predicted:.2} | {measured:.2} |",
            params.log_n()
        );
        let optimism = predicted - measured;
        assert!(
            (-3.0..=1.0).contains(&optimism),
            "{what}, {name}: predicted {predicted:.2} bits, measured {measured:.2}"
        );
    }
    report
}

/// x^4 + 2 in 3 levels and in 2.
fn fourth_powers(slots: usize) -> Circuit {
    circuit(slots, |r| {
        let x = r.slots_input("x", 1);
        let deep = x.multiply(&x).multiply(&x).multiply(&x);
        r.output("deep", &deep.add_scalar(2.0));
        r.output("shallow", &x.square().square().add_scalar(2.0));
    })
}

fn sum_of_slots(slots: usize) -> Circuit {
    circuit(slots, |r| {
        r.largest_value(400.0);
        let x = r.slots_input("x", 1);
        r.output("sum", &x.rotate_and_sum(1, slots));
        let sum = x.rotate_and_sum(1, slots);
        r.output("scaled", &sum.multiply_scalar(1.0 / 64.0));
    })
}

/// 0.5 + 0.197 t - 0.004 t^3 on slots of magnitude up to 8.
fn cubic(t: &Slots) -> Slots {
    let inner = t.square().multiply_scalar(-0.004).add_scalar(0.197);
    inner.multiply(t).add_scalar(0.5)
}

/// One step of gradient descent on rows of 64 features, all in one ciphertext; twice.
fn regression(slots: usize) -> Circuit {
    let (width, height) = (64, slots as i64 / 64);
    let recorder = Recorder::new(slots).unwrap();
    // Gradients of a thousand rows cancel out.
    recorder.largest_value(400.0);
    let z = recorder.slots_input("z", 1);
    let mut v = recorder.slots_input("v", 1);
    let first: Vec<f64> = (0..width).map(|j| f64::from(u8::from(j == 0))).collect();
    for _ in 0..1 {
        let sums = z.multiply(&v).rotate_and_sum(1, width);
        let t = sums.multiply_plain(vec![first.clone()]);
        let t = t.rotate_and_sum(-1, width);
        let gradient = cubic(&t).multiply(&z);
        let gradient = gradient.rotate_and_sum(width as i64, height as usize);
        v = v.add(&gradient.multiply_scalar(1.0 / height as f64));
    }
    recorder.output("v", &v);
    recorder.finish().unwrap()
}

fn weighted(slots: usize) -> Circuit {
    let mut numbers = Numbers(5);
    let recorder = Recorder::new(slots).unwrap();
    let x = recorder.slots_input("x", 2);
    let terms = [0, 1, -3, 64]
        .map(|steps| (steps, vec![(0..slots).map(|_| numbers.next()).collect()]))
        .to_vec();
    recorder.output("sum", &x.weighted_rotation_sum(terms));
    let constants: Vec<f64> = (0..slots).map(|_| 3.0 * numbers.next()).collect();
    let masked = x.multiply_plain(vec![constants.clone()]).rotate(7);
    recorder.output("masked", &masked.add_plain(vec![constants]));
    recorder.finish().unwrap()
}

fn unit_samples() -> Samples {
    Samples::uniform(-1.0, 1.0)
}

#[test]
fn fourth_power_both_ways() {
    for params in [
        secure(13, 3, LevelWidth::Bits34),
        secure(14, 4, LevelWidth::Bits39),
        secure(14, 6, LevelWidth::Bits34),
    ] {
        let circuit = fourth_powers(params.slots());
        check("x^4 + 2", &params, circuit, unit_samples());
    }
    // Larger values amplify their errors: the prediction follows.
    let params = secure(14, 4, LevelWidth::Bits39);
    let circuit = fourth_powers(params.slots());
    let samples = Samples::uniform(-4.0, 4.0);
    check("x^4 + 2, x to 4", &params, circuit, samples);
}

#[test]
fn deep_chains() {
    let samples = || unit_samples().with_bounds("y", 0.8, 1.1);
    let params = insecure(13, 10);
    check("10 products", &params, chain(params.slots(), 10), samples());
    for width in LevelWidth::ALL {
        let levels = deepest(14, width, Dnum::Auto).unwrap();
        let params = secure(14, levels, width);
        let what = format!("{levels} products");
        check(&what, &params, chain(params.slots(), levels), samples());
    }
    // Squaring doubles the relative error every time.
    let power = |x: &Slots| (0..8).fold(x.clone(), |x, _| x.square());
    let circuit = function(params.slots(), power);
    check("x^256", &params, circuit, Samples::uniform(-1.01, 1.01));
}

#[test]
fn rotations_and_sums() {
    for params in [
        secure(13, 2, LevelWidth::Bits39),
        secure(13, 2, LevelWidth::Bits34),
        insecure(13, 1),
    ] {
        let slots = params.slots();
        assert_eq!(slots, 4096);
        for (what, circuit) in [
            ("sum of 4096 slots", sum_of_slots(slots)),
            ("weighted rotations", weighted(slots)),
        ] {
            check(what, &params, circuit, unit_samples());
        }
    }
}

#[test]
fn matrices_by_vectors() {
    let params = secure(13, 2, LevelWidth::Bits39);
    for (rows, cols) in [(64, 64), (134, 100), (1, 60), (2, 5)] {
        let (what, circuit) = (
            format!("matrix {rows}x{cols} by vector"),
            matrix_by_vector(rows, cols),
        );
        check(&what, &params, circuit, unit_samples());
    }
}

#[test]
fn polynomials_and_iterations() {
    let params = secure(14, 4, LevelWidth::Bits39);
    let circuit = function(params.slots(), cubic);
    check("cubic", &params, circuit, Samples::uniform(-8.0, 8.0));

    let samples = || unit_samples().with_bounds("v", -0.5, 0.5);
    for params in [secure(14, 7, LevelWidth::Bits34), insecure(13, 8)] {
        let circuit = regression(params.slots());
        println!("{} levels", circuit.levels_needed());
        check("regression step", &params, circuit, samples());
    }
}

#[test]
fn the_operation_that_exceeds_the_headroom_is_named() {
    let params = secure(14, 4, LevelWidth::Bits39);
    let program = Program::new(function(params.slots(), |x| x.square().square()));
    let headroom = params.headroom_bits(0);
    let predict = |largest: f64| {
        let predictor = ScaleAndPrecision::new(&params, Samples::uniform(0.0, largest));
        predictor.trials(1).predict(&program).unwrap()
    };
    let fits = predict((headroom / 4.0 - 0.01).exp2());
    assert!(fits.exceeded().is_none(), "{fits}");
    assert!(fits.tightest().unwrap().bits_left() < 0.5);
    let exceeds = predict((headroom / 4.0 + 0.1).exp2());
    let magnitude = exceeds.exceeded().unwrap();
    assert_eq!((magnitude.kind.as_str(), magnitude.level), ("multiply", 0));
    assert!(magnitude.place.file.ends_with("precision.rs"));
    let text = exceeds.to_string();
    assert!(text.contains("headroom exceeded by multiply at"), "{text}");
    assert!(!exceeds.suffices(1.0) && fits.suffices(1.0));

    survives_json(&exceeds);
    // The same seed, the same prediction.
    assert_eq!(predict(2.0), predict(2.0));
}

#[test]
fn inputs_of_the_public_key_are_less_precise_as_predicted() {
    let params = secure(13, 1, LevelWidth::Bits39);
    let client = client(&params, CpuEngine::new());
    let program = Program::new(function(params.slots(), Slots::negate));
    let samples = unit_samples();
    let inputs = samples.draw(program.circuit(), 5).unwrap();
    let x = inputs.get("x").unwrap();
    let layout = *program.circuit().inputs()[0].layout();
    let predictor = ScaleAndPrecision::new(&params, samples);
    let secret_key = predictor.predict(&program).unwrap().bits();
    let public_key = predictor.public_key().predict(&program).unwrap().bits();
    assert!(public_key < secret_key - 3.0, "{public_key} {secret_key}");

    let encrypted = client.encrypt(layout, x.clone(), 0).unwrap();
    let encrypted = encrypted.expand(client.context()).unwrap();
    let error = worst(&client.decrypt(&encrypted).unwrap(), x);
    assert!((-3.0..=1.0).contains(&(secret_key + error.log2())));
    let encrypted = client.encrypt_public(layout, x.clone(), 0).unwrap();
    let error = worst(&client.decrypt(&encrypted).unwrap(), x);
    assert!((-3.0..=1.0).contains(&(public_key + error.log2())));
}
