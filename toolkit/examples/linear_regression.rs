//! Linear regression on encrypted data: gradient steps with Chebyshev's step sizes, beside the least squares of a plaintext library.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example linear_regression
//! ```
//! It shows a matrix that stays where it is while a vector goes through it and back: Z w is a row vector, (y - Z w) Z a column vector
//! again, three levels for both. The data are real (see `tumours/mod.rs`), the parameters have 128-bit security.
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

mod tumours;

use std::f64::consts::PI;

use arras_ckks::Parameters;
use arras_toolkit::{Bindings, Circuit, EncodingUnit, Program, Recorder, linalg::Dot};
use nalgebra::{DMatrix, DVector};
use ndarray::{Array1, Array2, s};
use tumours::{Result, exchange, standardized};

/// What is known of a cell when it is first seen, and what is to be foretold: the largest radius of the cells.
const COLUMNS: [&str; 5] = [
    "mean radius",
    "mean texture",
    "mean smoothness",
    "mean symmetry",
    "worst radius",
];
/// Gradient steps.
const STEPS: usize = 5;
/// Bounds of the eigenvalues of Z^T Z, which the owner of the data gives to the server.
const EIGENVALUES: (f64, f64) = (0.4, 1.7);
/// Bits after the binary point that the parameters are chosen for.
const BITS: u32 = 14;
/// Bits that the result must have: sums over the rows add up the errors of ten rotations each time, which takes up to four.
const RESULT_BITS: u32 = 10;

fn main() -> Result<()> {
    let data = standardized(&COLUMNS)?;
    let (rows, features) = (data.nrows(), COLUMNS.len() - 1);
    let length = (rows as f64).sqrt();
    let z = data.slice(s![.., ..features]).to_owned() / length;
    let y = data.column(features).to_owned() / length;
    println!(
        "1. The data: {rows} patients; \"{}\" from",
        COLUMNS[features]
    );
    println!("   {}.", COLUMNS[..features].join(", "));
    println!(
        "   The client brings every column to mean 0 and length 1 and encrypts all of them.\n"
    );

    println!(
        "2. The circuit: {STEPS} steps w <- w + a_k (y - Z w) Z, the a_k from Chebyshev's polynomial"
    );
    let (low, high) = EIGENVALUES;
    println!(
        "   for eigenvalues of Z^T Z between {low} and {high}: the error shrinks by {:.0} or more.",
        shrinks()
    );
    let depth = record(EncodingUnit::new(1024, 16)?, rows, features)?.levels_needed();
    let choice = Parameters::builder()
        .depth(depth)
        .precision_bits(BITS)
        .slots(1024 * 16)
        .choose()?;
    let params = choice.parameters();
    let unit = EncodingUnit::with_height(params.slots(), 1024)?;
    let program = Program::new(record(unit, rows, features)?);
    println!(
        "   {depth} levels: N = 2^{}. {rows} x {features} numbers fit into one ciphertext, in units of {unit}.\n",
        params.log_n()
    );

    println!("3. The exchange");
    let inputs = Bindings::new().with("Z", z.view()).with("y", y.view());
    let found = Array1::from(exchange(params, &program, &inputs, RESULT_BITS)?.vector("w")?);

    println!("\n4. Beside least squares by singular values (nalgebra), in the clear\n");
    let exact = least_squares(&z, &y)?;
    println!("   {:<18} {:>10} {:>10}", "", "encrypted", "nalgebra");
    for (name, (found, exact)) in COLUMNS.iter().zip(found.iter().zip(&exact)) {
        println!("   {name:<18} {found:>10.4} {exact:>10.4}");
    }
    let (ours, theirs) = (explained(&z, &y, &found), explained(&z, &y, &exact));
    println!("   {:<18} {ours:>10.4} {theirs:>10.4}", "R^2");
    let distance = norm(&(&found - &exact)) / norm(&exact);
    let bound = 1.0 / shrinks() + 0.5f64.powi(RESULT_BITS as i32);
    println!(
        "\n   relative distance: {distance:.1e}, below the {bound:.1e} that {STEPS} steps promise."
    );
    assert!(distance < bound && (ours - theirs).abs() < 1e-3);
    Ok(())
}

/// y and Z to w after all steps; w starts at zero, so that the first step is y Z.
fn record(unit: EncodingUnit, rows: usize, features: usize) -> Result<Circuit> {
    let recorder = Recorder::new(unit.slots())?;
    let z = recorder.matrix("Z", rows, features, unit);
    let y = recorder.row_vector("y", rows, unit);
    let sizes = step_sizes();
    // Columns and y have length 1: weights and the sums that they are made of stay small, which operations on single slots cannot tell.
    recorder.largest_value(100.0);
    let mut w = recorder.within("step 1", || (&y * sizes[0]).dot(&z));
    recorder.assume(&w, 100.0);
    for (k, &a) in sizes.iter().enumerate().skip(1) {
        // The step size goes into the products' masks: it takes no level of its own.
        w = recorder.within(&format!("step {}", k + 1), || {
            let residual = &y * a - z.dot_scaled(&w, a);
            &w + residual.dot(&z)
        });
        recorder.assume(&w, 100.0);
    }
    recorder.output("w", &w);
    Ok(recorder.finish()?)
}

/// One over the roots of Chebyshev's polynomial on the interval of the eigenvalues.
fn step_sizes() -> Vec<f64> {
    let (low, high) = EIGENVALUES;
    let root = |k: usize| (PI * (2 * k + 1) as f64 / (2 * STEPS) as f64).cos();
    let at = |x: f64| f64::midpoint(low, high) + 0.5 * (high - low) * x;
    (0..STEPS).map(|k| 1.0 / at(root(k))).collect()
}

/// By how much the steps together shrink the distance to the solution, at least.
fn shrinks() -> f64 {
    let (low, high) = EIGENVALUES;
    (STEPS as f64 * ((high + low) / (high - low)).acosh()).cosh()
}

fn least_squares(z: &Array2<f64>, y: &Array1<f64>) -> Result<Array1<f64>> {
    let (rows, cols) = z.dim();
    let z = DMatrix::from_fn(rows, cols, |r, c| z[(r, c)]);
    let y = DVector::from_iterator(rows, y.iter().copied());
    let w = z.svd(true, true).solve(&y, 1e-12)?;
    Ok(w.iter().copied().collect())
}

/// The part of the variance of y that Z w explains.
fn explained(z: &Array2<f64>, y: &Array1<f64>, w: &Array1<f64>) -> f64 {
    let rest = y - &z.dot(w);
    1.0 - rest.dot(&rest) / y.dot(y)
}

fn norm(x: &Array1<f64>) -> f64 {
    x.dot(x).sqrt()
}
