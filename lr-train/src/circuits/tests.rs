//! Every circuit's plaintext interpretation gives the numbers of the optimizer it is named after.

use arras_toolkit::{Cleartext, Program, circuit::Summing};
use ndarray::{Array1, Array2};

use super::{Constants, Kind, Results, Spec, Start, Step, TrainingCircuit};
use crate::{
    plain::{Examples, FirstStep, Rate, State, of_chain},
    sigmoid::Approximation,
};

struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 / (1u64 << 53) as f64) * 2.0 - 1.0
    }

    fn minibatches(&mut self, k: usize, rows: usize, features: usize) -> Vec<Array2<f64>> {
        (0..k)
            .map(|_| Array2::from_shape_simple_fn((rows, features), || self.next()))
            .collect()
    }

    /// The same with constants.
    fn examples(&mut self, spec: &Spec) -> Vec<Examples> {
        let rows = self.minibatches(spec.iterations(), spec.minibatch, spec.features);
        let apart = spec.constants == Constants::Apart;
        rows.into_iter()
            .map(|rows| match apart {
                true => {
                    let shape = (spec.minibatch, spec.chains);
                    let constants = Array2::from_shape_simple_fn(shape, || self.next());
                    Examples::side_by_side(rows, constants).unwrap()
                }
                false => rows.into(),
            })
            .collect()
    }

    fn vector(&mut self, len: usize) -> Array1<f64> {
        Array1::from_shape_simple_fn(len, || self.next())
    }
}

/// w_k and w_{k-1} by the formulas, of every training side by side.
fn reference(spec: &Spec, minibatches: &[Examples], start: &State) -> (Array1<f64>, Array1<f64>) {
    let all = (0..spec.chains).map(|chain| reference_of(spec, minibatches, start, chain));
    let (w, previous): (Vec<_>, Vec<_>) = all.unzip();
    let joined = |parts: Vec<Array1<f64>>| parts.into_iter().flatten().collect();
    (joined(w), joined(previous))
}

fn reference_of(
    spec: &Spec,
    minibatches: &[Examples],
    start: &State,
    chain: usize,
) -> (Array1<f64>, Array1<f64>) {
    let own = |all| of_chain(all, chain, spec.features).to_owned();
    let (mut w, mut v) = (own(&start.w), own(&start.v));
    let mut previous = w.clone();
    for (examples, step) in minibatches.iter().zip(&spec.steps) {
        let z = examples.rows();
        let s = match examples.constants() {
            None => z.dot(&v).mapv(|t| spec.activation.eval(t)),
            Some(c) => &c.column(chain) + z.dot(&v).mapv(|t| spec.activation.eval(t) - 0.5),
        };
        // The penalty leaves the intercept free.
        let mut kept = &v * step.keep;
        kept[0] = v[0];
        let next = kept + z.t().dot(&s) * step.gamma;
        v = &next * (1.0 - step.eta) + &w * step.eta;
        previous = std::mem::replace(&mut w, next);
    }
    (w, previous)
}

fn spec(kind: Kind, k: usize, slots: usize, features: usize, rows: usize) -> Spec {
    let steps = Spec::nesterov_steps(&Rate::Constant(1.0), rows, 0, k).unwrap();
    Spec::new(kind, slots, features, rows, steps).results(Results::State)
}

/// The depth of k iterations from an encrypted start.
fn formula(kind: Kind, k: usize, degree: usize) -> usize {
    let (more, less) = match degree {
        // The low-depth circuit's weights, and conversions, are on the critical path then.
        1 if kind == Kind::LowDepth => (k / 2, k),
        1 => (2 * usize::from(kind.uses_gram()), k),
        3 => (0, 0),
        _ => (k, 0),
    };
    let cubic = match kind {
        Kind::Baseline => 5 * k - 1,
        Kind::MaskFree => 3 * k + 1,
        Kind::LowDepth | Kind::SingleChain => (5 * k).div_ceil(2) + 1,
        Kind::SingleChainMaskFree => 2 * k + 1,
    };
    cubic + more - less
}

/// Errors below 1e-9, and no deeper than the formula; returns the depth.
#[track_caller]
fn check(spec: Spec, seed: u64) -> usize {
    let (kind, k, degree) = (spec.kind, spec.iterations(), spec.activation.degree());
    let what = format!("{kind} k={k} degree {degree}, {} features", spec.features);
    let (error, depth) = train(spec, seed);
    assert!(error < 1e-9, "{what}: {error}");
    let most = formula(kind, k, degree);
    assert!(depth <= most, "{what}: depth {depth} of {most}");
    depth
}

/// The worst error of the last two weights, and the depth.
fn train(spec: Spec, seed: u64) -> (f64, usize) {
    let mut numbers = Numbers(seed);
    let minibatches = numbers.examples(&spec);
    let encrypted = spec.start == Start::Encrypted;
    let weights = spec.features * spec.chains;
    let mut start = State::zero(weights);
    if encrypted {
        start.iteration = 3;
        start.w = numbers.vector(weights) * 0.3;
        start.v = numbers.vector(weights) * 0.3;
    }
    let (w, previous) = reference(&spec, &minibatches, &start);
    let circuit = TrainingCircuit::record(spec).unwrap();
    let inputs = circuit
        .inputs(&minibatches, encrypted.then_some(&start))
        .unwrap();
    let program = Program::new(circuit.circuit().clone());
    let run = Cleartext::run(&program, &inputs).unwrap();
    let (got, before) = circuit.weights(|name| run.outputs.get(name)).unwrap();
    let worst = |a: &Array1<f64>, b: &Array1<f64>| {
        a.iter()
            .zip(b)
            .fold(0.0f64, |m, (a, b)| m.max((a - b).abs()))
    };
    let error = worst(&got, &w).max(worst(&before.unwrap(), &previous));
    (error, program.levels_needed())
}

#[test]
fn all_circuits_compute_the_optimizer() {
    for kind in Kind::ALL {
        for k in 1..=8 {
            for (features, rows) in [(20, 16), (32, 16), (9, 5)] {
                let doubling = spec(kind, k, 1024, features, rows);
                let depth = check(doubling.clone(), k as u64);
                for summing in [Summing::Fours, Summing::Eights] {
                    let levels = check(doubling.clone().summing(summing), k as u64);
                    assert_eq!(levels, depth, "{kind} k={k} {summing:?}");
                }
            }
        }
    }
}

#[test]
fn depths_from_an_encrypted_start_are_the_formulas() {
    for kind in Kind::ALL {
        let depth = |k| {
            let mut spec = spec(kind, k, 1024, 20, 16).start(Start::Encrypted);
            spec.steps = Spec::nesterov_steps(&Rate::Constant(1.0), 16, 3, k).unwrap();
            (check(spec, 77 + k as u64), formula(kind, k, 3))
        };
        let depths: Vec<(usize, usize)> = (1..=8).map(depth).collect();
        println!("{kind}: (depth, formula) {depths:?}");
    }
}

#[test]
fn depths_of_six_iterations_from_zero() {
    let depths = Kind::ALL.map(|kind| train(spec(kind, 6, 1024, 20, 16), 3).1);
    assert_eq!(depths, [25, 16, 13, 13, 10]);
}

#[test]
fn gradients_needed_often_are_converted_the_others_met_through_gram_matrices() {
    for kind in [Kind::SingleChain, Kind::SingleChainMaskFree] {
        // Beside those of neighbours: (3, 0) (4, 1) (5, 2) (5, 0); in longer runs six.
        for (k, further, conversions) in [(3, 0, 0), (6, 4, 0), (8, 6, 1), (12, 6, 5)] {
            let circuit = TrainingCircuit::record(spec(kind, k, 1024, 20, 16)).unwrap();
            let grams = circuit.input_names().0;
            let grams = grams.iter().filter(|name| name.starts_with("gram")).count();
            assert_eq!(grams, k - 1 + further, "{kind} k={k}");
            let program = Program::new(circuit.circuit().clone());
            let converted = program
                .steps()
                .iter()
                .filter(|step| step.op().name() == "weighted_rotation_sum")
                .count();
            assert_eq!(converted, conversions, "{kind} k={k}");
        }
    }
}

#[test]
fn tiles_of_features_and_rows() {
    for kind in Kind::ALL {
        // More features than a unit has columns.
        check(spec(kind, 5, 256, 70, 7), 5);
        check(spec(kind, 4, 256, 40, 8).start(Start::Encrypted), 6);
    }
    for kind in [Kind::Baseline, Kind::MaskFree] {
        // More rows than slots.
        check(spec(kind, 3, 256, 20, 100), 5);
    }
}

#[test]
fn higher_degrees_cost_a_level_for_each_iteration() {
    for kind in Kind::ALL {
        for activation in [Approximation::quintic_8(), Approximation::septic_8()] {
            for k in [1, 2, 5] {
                let spec = spec(kind, k, 1024, 20, 16).start(Start::Encrypted);
                check(spec.activation(activation.clone()), 9);
            }
        }
    }
}

#[test]
fn gradient_descent_and_steps_of_one_s_own() {
    for kind in Kind::ALL {
        let mut own = spec(kind, 5, 1024, 20, 16);
        own.steps = (1..)
            .zip([0.0, 0.5, -0.25, 0.9, 0.0])
            .map(|(i, eta)| Step::new(0.1 / f64::from(i), eta))
            .collect();
        let (error, _) = train(own, 11);
        assert!(error < 1e-9, "{kind}: {error}");
        let mut descent = spec(kind, 5, 1024, 20, 16);
        descent.steps = Spec::descent_steps(&Rate::Harmonic(2.0), 16, 0, 5).unwrap();
        let (error, depth) = train(descent, 12);
        assert!(error < 1e-9, "{kind}: {error}");
        println!("{kind}: gradient descent of 5 iterations, depth {depth}");
    }
}

/// A penalty and a whole first step, from zero and from a state, at every degree: the same numbers, and not a level more.
#[test]
fn a_penalty_costs_no_level() {
    for kind in Kind::ALL {
        for (activation, start) in [
            (Approximation::cubic_16(), Start::Zero),
            (Approximation::cubic_16(), Start::Encrypted),
            (Approximation::least_squares(7, 24.0).unwrap(), Start::Zero),
            (Approximation::quintic_8(), Start::Encrypted),
        ] {
            for (k, features) in [(1, 20), (2, 32), (5, 9), (6, 70)] {
                let mut plain = spec(kind, k, 1024, features, 8).start(start);
                plain.activation = activation.clone();
                let without = check(plain.clone(), 21);
                let first = if start == Start::Zero { 0 } else { 3 };
                plain.steps =
                    Spec::nesterov_steps_from(FirstStep::Full, &Rate::Constant(1.0), 8, first, k)
                        .unwrap();
                for step in &mut plain.steps {
                    step.keep = 0.9;
                }
                let with = check(plain, 22);
                assert!(
                    with <= without,
                    "{kind} k={k}: {with} levels, {without} without"
                );
            }
        }
    }
}

/// Rows without signs and constants of their own, at every degree, from zero and from a state, with a penalty: the same numbers, as deep
/// as signed rows at most.
#[test]
fn constants_apart_from_the_rows_cost_no_level() {
    for kind in Kind::ALL {
        for activation in [
            Approximation::linear(8.0).unwrap(),
            Approximation::cubic_16(),
            Approximation::septic_8(),
        ] {
            for (k, features, start) in [
                (1, 20, Start::Zero),
                (2, 32, Start::Encrypted),
                (5, 9, Start::Zero),
                (6, 70, Start::Encrypted),
                (8, 20, Start::Zero),
            ] {
                let mut of = spec(kind, k, 1024, features, 8).start(start);
                of.activation = activation.clone();
                for step in &mut of.steps {
                    step.keep = 0.9;
                }
                let signed = check(of.clone(), 31);
                let apart = check(of.constants(Constants::Apart), 32);
                let what = format!("{kind} k={k} {activation}");
                assert!(apart <= signed, "{what}: {apart} levels, {signed} signed");
            }
        }
    }
    for kind in [Kind::Baseline, Kind::MaskFree] {
        // More rows than slots.
        let of = spec(kind, 3, 256, 20, 100).activation(Approximation::linear(8.0).unwrap());
        check(of.constants(Constants::Apart), 5);
    }
}

/// Rows and Gram matrices are there once, however many trainings there are, and none is deeper than one alone.
#[test]
fn trainings_side_by_side_share_their_rows() {
    for kind in Kind::ALL {
        for start in [Start::Zero, Start::Encrypted] {
            let one = spec(kind, 4, 1024, 20, 16)
                .start(start)
                .constants(Constants::Apart);
            let (error, depth) = train(one.clone(), 41);
            let three = one.clone().chains(3);
            let (of_three, deepest) = train(three.clone(), 42);
            assert!(error.max(of_three) < 1e-9, "{kind}: {error} {of_three}");
            assert_eq!(depth, deepest, "{kind}");
            let shared = |spec| {
                let circuit = TrainingCircuit::record(spec).unwrap();
                let (names, _) = circuit.input_names();
                let shared = |n: &&str| ["rows", "col", "gram"].iter().any(|p| n.starts_with(p));
                let count = names.iter().filter(|n| shared(n)).count();
                (count, names.len() - count)
            };
            let ((a, b), (c, d)) = (shared(one), shared(three));
            assert_eq!((a, 3 * b), (c, d), "{kind}");
        }
    }
    let signed = spec(Kind::Baseline, 2, 1024, 20, 16).chains(2);
    assert!(TrainingCircuit::record(signed).is_err());
}

#[test]
fn depths_of_linear_regression() {
    let depths = |k| {
        Kind::ALL.map(|kind| {
            let of = spec(kind, k, 1024, 20, 16).constants(Constants::Apart);
            train(of.activation(Approximation::linear(8.0).unwrap()), 3).1
        })
    };
    let all = [6, 8].map(depths);
    assert_eq!(all, [[20, 11, 9, 9, 7], [28, 15, 13, 13, 10]]);
}

#[test]
fn minibatches_too_large_for_a_gram_matrix_are_refused() {
    for kind in Kind::ALL {
        let result = TrainingCircuit::record(spec(kind, 2, 1024, 20, 33));
        if kind.uses_gram() {
            let error = result.unwrap_err().to_string();
            assert!(
                error.contains("mask-free") && error.contains("33"),
                "{error}"
            );
        } else {
            result.unwrap();
        }
    }
}
