//! The trainers against their formulas, and against the figures of the literature.

use approx::assert_relative_eq;
use ndarray::array;

use super::*;
use crate::{
    TrainError,
    data::{DataError, Dataset, builtin, csv, mnist, tests::external},
    metrics::{Quality, auc, log_loss},
    preprocess::{Preprocessor, Scheme, signed_rows},
    sigmoid::Approximation,
    split::{Order, k_fold},
};

fn small() -> Array2<f64> {
    array![
        [1.0, 0.5, -0.25],
        [-1.0, -0.75, 0.5],
        [1.0, -0.125, 1.0],
        [-1.0, 0.25, 0.75],
        [1.0, 1.0, 0.0]
    ]
}

/// At a constant rate with the sigmoid itself on all rows.
fn exact(iterations: usize, rate: f64, rows: usize) -> PlainSettings {
    let batches = Minibatches::full(rows).unwrap();
    PlainSettings::new(iterations, batches).rate(Rate::Constant(rate))
}

/// At a constant rate with the cubic on [-16, 16].
fn cubic(iterations: usize, rate: f64, batches: Minibatches) -> PlainSettings {
    PlainSettings::new(iterations, batches)
        .rate(Rate::Constant(rate))
        .approximation(Approximation::cubic_16())
}

fn quality(x: &Array2<f64>, weights: &Array1<f64>, data: &Dataset) -> Quality {
    Quality::measure(&scores(x, weights).unwrap(), data.labels()).unwrap()
}

/// Signed rows of a normalized set, and the set's features.
fn prepared(data: &Dataset, scheme: Scheme) -> (Array2<f64>, Array2<f64>) {
    let x = Preprocessor::fit(data, scheme)
        .unwrap()
        .apply(data)
        .unwrap();
    (signed_rows(&x, data.labels()).unwrap(), x)
}

#[test]
fn momentum_has_the_known_beginning() {
    let etas = etas(4);
    assert_relative_eq!(1.0 - etas[0], 0.0101, max_relative = 1e-3);
    assert_relative_eq!(etas[1], -6.18e-5, max_relative = 1e-3);
    // alpha_2 = 1.6181, alpha_3 = 2.1936.
    assert_relative_eq!(etas[2], -0.2818, max_relative = 1e-3);
    assert!(etas[3] < etas[2] && etas[3] > -1.0);
}

#[test]
fn nesterov_follows_its_formulas() {
    let z = small();
    let batches = Minibatches::new(5, 2, Order::Original).unwrap();
    let (history, end) = nesterov(&z, &cubic(4, 0.8, batches), State::zero(3)).unwrap();
    // Matrix by matrix, as the formulas stand.
    let (mut w, mut v) = (Array1::<f64>::zeros(3), Array1::<f64>::zeros(3));
    for (t, rows) in [[0, 1], [2, 3], [0, 1], [2, 3]].iter().enumerate() {
        let batch = z.select(ndarray::Axis(0), rows);
        let u = batch.dot(&v);
        let s = u.mapv(|u: f64| 0.5 - 0.0843 * u + 0.0002 * u.powi(3));
        let next = &v + &(batch.t().dot(&s) * (0.8 / 2.0));
        let eta = etas(4)[t];
        v = &next * (1.0 - eta) + &w * eta;
        w = next;
        let largest = u.iter().fold(0.0f64, |m, u| m.max(u.abs()));
        let iteration = &history.iterations()[t];
        assert_relative_eq!(iteration.largest_t, largest, max_relative = 1e-14);
        for (ours, expected) in iteration.weights.iter().zip(&w) {
            assert_relative_eq!(ours, expected, max_relative = 1e-13);
        }
    }
    for (ours, expected) in end.v.iter().zip(&v) {
        assert_relative_eq!(ours, expected, max_relative = 1e-13);
    }
}

#[test]
fn rounds_give_the_bits_of_one_run() {
    let z = small();
    let batches = Minibatches::new(5, 2, Order::Shuffled { seed: 9 }).unwrap();
    let run = |n| PlainSettings::new(n, batches.clone()).rate(Rate::Harmonic(2.0));
    let (whole, end) = nesterov(&z, &run(7), State::zero(3)).unwrap();
    let (first, middle) = nesterov(&z, &run(4), State::zero(3)).unwrap();
    let weights = |i: usize| first.iterations()[i].weights.clone();
    let rebuilt = State::from_last_two(FirstStep::Published, 4, weights(3), &weights(2)).unwrap();
    assert_eq!(rebuilt, middle);
    let (second, last) = nesterov(&z, &run(3), rebuilt).unwrap();
    assert_eq!(second.iterations(), &whole.iterations()[4..]);
    assert_eq!((second.first(), last), (4, end));
    assert!(matches!(
        State::from_last_two(FirstStep::Published, 0, array![1.0], &array![1.0]),
        Err(TrainError::Fit(FitError::Hyperparameter { .. }))
    ));

    let one = gradient_descent(&z, &run(5), 0, Array1::zeros(3)).unwrap();
    let part = gradient_descent(&z, &run(2), 3, one.iterations()[2].weights.clone()).unwrap();
    assert_eq!(part.iterations(), &one.iterations()[3..]);
}

#[test]
fn all_trainers_reach_the_same_optimum() {
    // Each row twice and its opposite once: no weights separate the classes, so there is an optimum.
    let z = ndarray::concatenate![ndarray::Axis(0), small(), small(), -small()];
    let rows: Vec<usize> = (0..15).collect();
    let run = |n| exact(n, 1.0, 15);
    let descent = gradient_descent(&z, &run(20_000), 0, Array1::zeros(3)).unwrap();
    let optimum = descent.weights().unwrap();
    let (gradient, _) = ascent((&z).into(), &rows, optimum, &Sigmoid::Exact);
    assert!(gradient.iter().all(|g| g.abs() < 1e-9), "{gradient}");
    let (accelerated, _) = nesterov(&z, &run(20_000), State::zero(3)).unwrap();
    let newton = fixed_hessian(&z, &run(20_000), 0, Array1::zeros(3)).unwrap();
    for other in [accelerated, newton] {
        for (a, b) in other.weights().unwrap().iter().zip(optimum) {
            assert_relative_eq!(a, b, epsilon = 1e-6);
        }
    }
}

#[test]
fn the_fixed_bound_is_above_the_hessian_and_the_loss_falls() {
    let data = builtin::breast_cancer().unwrap();
    let (z, x) = prepared(&data, Scheme::Standard);
    let h = hessian_bound(&z);
    // Directions from weights of training, where the Hessian is far from a multiple of the identity.
    let run = exact(30, 1.0, z.nrows());
    let history = fixed_hessian(&z, &run, 0, Array1::zeros(z.ncols())).unwrap();
    let mut before = 2f64.ln();
    for iteration in history.iterations() {
        let v = &iteration.weights;
        let quadratic = z.dot(v).mapv(|t| t * t).sum() / (4.0 * z.nrows() as f64);
        assert!((&h * &v.mapv(|v| v * v)).sum() >= quadratic);
        let loss = log_loss(&scores(&x, v).unwrap(), data.labels()).unwrap();
        assert!(loss < before, "{loss} after {before}");
        before = loss;
    }
    let quality = quality(&x, history.weights().unwrap(), &data);
    assert!(
        quality.accuracy > 0.94 && quality.auc.unwrap() > 0.98,
        "{quality:?}"
    );
}

#[test]
fn built_in_digits_are_learnt_in_few_iterations() {
    let data = builtin::digits().unwrap();
    let (z, x) = prepared(&data, Scheme::MaxAbs);
    assert_eq!(z.ncols(), 64 - 10 + 1);
    let batches = Minibatches::new(z.nrows(), 64, Order::Shuffled { seed: 0 }).unwrap();
    let run = cubic(6, 1.0, batches);
    let (history, _) = nesterov(&z, &run, State::zero(z.ncols())).unwrap();
    let quality = quality(&x, history.weights().unwrap(), &data);
    assert!(
        quality.accuracy > 0.94 && quality.auc.unwrap() > 0.99,
        "{quality:?}"
    );
    assert_eq!(history.left_interval(), None);
}

#[test]
fn leaving_the_interval_and_divergence_are_told() {
    let z = small() * 10.0;
    let run = |n| cubic(n, 3.0, Minibatches::full(5).unwrap());
    let history = gradient_descent(&z, &run(2), 0, Array1::zeros(3)).unwrap();
    let left = history.left_interval().unwrap();
    assert_eq!(left.iteration, 1);
    assert!(left.largest_t > 16.0 && left.largest_t == history.largest_t());
    // The row that is farthest outside is that of the largest inner product with the weights before.
    let before = &history.iterations()[0].weights;
    let inputs = z.dot(before).mapv(f64::abs);
    assert!(inputs.iter().all(|t| *t <= inputs[left.row]));
    assert_relative_eq!(inputs[left.row], left.largest_t, max_relative = 1e-12);
    assert!(matches!(
        gradient_descent(&z, &run(50), 0, Array1::zeros(3)),
        Err(TrainError::Fit(FitError::Diverged { .. }))
    ));
    let history = gradient_descent(&z, &exact(2, 3.0, 5), 0, Array1::zeros(3)).unwrap();
    assert_eq!(history.left_interval(), None);
}

#[test]
fn sizes_and_rates_are_checked() {
    let z = small();
    let run = |rate| exact(3, 1.0, 5).rate(rate);
    for rate in [
        Rate::Constant(0.0),
        Rate::Constant(f64::NAN),
        Rate::Harmonic(-1.0),
        Rate::Given(vec![1.0, 0.5]),
    ] {
        assert!(matches!(
            nesterov(&z, &run(rate), State::zero(3)),
            Err(TrainError::Fit(FitError::Hyperparameter { .. }))
        ));
    }
    assert!(nesterov(&z, &run(Rate::Given(vec![1.0, 0.5, 0.25])), State::zero(3)).is_ok());
    assert!(matches!(
        nesterov(&z, &run(Rate::Constant(1.0)), State::zero(4)),
        Err(TrainError::Data(DataError::Length {
            found: 4,
            expected: 3,
            ..
        }))
    ));
    assert!(matches!(
        gradient_descent(&z, &exact(1, 1.0, 6), 0, Array1::zeros(3)),
        Err(TrainError::Data(DataError::Length {
            found: 6,
            expected: 5,
            ..
        }))
    ));
    assert!(scores(&z, &array![1.0, 2.0, 3.0]).is_err());
}

/// Simulated elsewhere with an order that was not recorded: 91.4, 93.5, 94.6, 95.5 and 96.4 % (AUC 0.992) after 8, 13, 16, 20 and 32
/// iterations. Measured here over seeds 0 to 4: 91.34 (90.0 to 92.7), 93.52, 94.55, 95.41, 96.27 (96.1 to 96.6; AUC 0.9916).
#[test]
fn mnist_reaches_the_figures_of_the_literature() {
    let Some(folder) = external("mnist") else {
        return;
    };
    let parts = mnist::three_against_eight(&folder).unwrap();
    let normalization = Preprocessor::fit(&parts.train, Scheme::MaxAbs).unwrap();
    let train = normalization.apply(&parts.train).unwrap();
    let z = signed_rows(&train, parts.train.labels()).unwrap();
    let test = normalization.apply(&parts.test).unwrap();
    let run = |rate, seed| {
        let batches = Minibatches::new(z.nrows(), 128, Order::Shuffled { seed }).unwrap();
        nesterov(&z, &cubic(32, rate, batches), State::zero(z.ncols()))
    };
    let checkpoints = [(8, 91.4), (13, 93.5), (16, 94.6), (20, 95.5), (32, 96.4)];
    let mut accuracy = [0.0; 5];
    let mut area = 0.0;
    for seed in 0..5 {
        let (history, _) = run(1.0, seed).unwrap();
        assert_eq!(history.left_interval(), None);
        for (sum, (iterations, _)) in accuracy.iter_mut().zip(checkpoints) {
            let weights = &history.iterations()[iterations - 1].weights;
            let quality = quality(&test, weights, &parts.test);
            *sum += 20.0 * quality.accuracy;
            if iterations == 32 {
                area += quality.auc.unwrap() / 5.0;
            }
        }
    }
    for (measured, (iterations, expected)) in accuracy.iter().zip(checkpoints) {
        assert!(
            (measured - expected).abs() < 0.2,
            "{iterations} iterations: {measured:.2} %"
        );
    }
    assert!(
        accuracy[4] >= 96.0 && (area - 0.992).abs() < 0.001,
        "{accuracy:?} {area}"
    );
    // Rate 2 leaves the interval, rate 3 diverges for most orders.
    assert!(run(2.0, 0).unwrap().0.left_interval().is_some());
    assert!(matches!(
        run(3.0, 0),
        Err(TrainError::Fit(FitError::Diverged { .. }))
    ));
}

/// Simulated elsewhere: .957, .690, .695, .740, .614, with a division into training and test that was not recorded. They lie within the
/// spread over seeds of the mean of stratified 5-fold cross-validation (standard deviation .0161 for lbw, .0070 for uis, .0050 for
/// pcs); trained and tested on all rows, lbw is .018 higher. The rate is 10, 10/2, 10/3, ..: beginning with 10/2 gives .675 for
/// nhanes3.
#[test]
fn clinical_sets_reach_the_figures_of_the_literature() {
    const SEEDS: u64 = 20;
    let Some(folder) = external("clinical") else {
        return;
    };
    let train = |data: &Dataset| {
        let normalization = Preprocessor::fit(data, Scheme::MaxAbs).unwrap();
        let z = signed_rows(&normalization.apply(data).unwrap(), data.labels()).unwrap();
        let run = exact(7, 1.0, z.nrows())
            .rate(Rate::Harmonic(10.0))
            .approximation(Approximation::quintic_8());
        let (history, _) = nesterov(&z, &run, State::zero(z.ncols())).unwrap();
        assert_eq!(history.left_interval(), None);
        (normalization, history)
    };
    for (name, simulated, all_rows, mean_of_folds) in [
        ("edin", 0.957, 0.9558, 0.9548),
        ("lbw", 0.690, 0.7081, 0.6640),
        ("nhanes3", 0.695, 0.6953, 0.6945),
        ("pcs", 0.740, 0.7435, 0.7377),
        ("uis", 0.614, 0.6225, 0.6048),
    ] {
        let options = csv::Options::new(csv::ColumnId::Index(-1));
        let data = csv::read_file(&folder.join(format!("{name}.txt")), &options).unwrap();
        let area = |(normalization, history): &(Preprocessor, History), rows: &Dataset| {
            let x = normalization.apply(rows).unwrap();
            let scores = scores(&x, history.weights().unwrap()).unwrap();
            auc(&scores, rows.labels()).unwrap()
        };
        assert_relative_eq!(area(&train(&data), &data), all_rows, epsilon = 1e-4);
        let means: Vec<f64> = (0..SEEDS)
            .map(|seed| {
                let folds = k_fold(data.labels(), 5, seed).unwrap();
                let areas = folds.iter().map(|fold| {
                    let [train_rows, test_rows] =
                        [&fold.train, &fold.test].map(|rows| data.select(rows).unwrap());
                    area(&train(&train_rows), &test_rows)
                });
                areas.sum::<f64>() / 5.0
            })
            .collect();
        let mean = means.iter().sum::<f64>() / SEEDS as f64;
        let spread =
            (means.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / SEEDS as f64).sqrt();
        assert_relative_eq!(mean, mean_of_folds, epsilon = 1e-4);
        assert!(
            (mean - simulated).abs() < 2.0 * spread + 0.0005,
            "{name}: {mean:.4} +- {spread:.4}"
        );
    }
}
