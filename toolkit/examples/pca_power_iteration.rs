//! The first principal component of encrypted data by power iteration, beside the eigenvectors of a plaintext library.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example pca_power_iteration
//! ```
//! It shows a product of two encrypted matrices, a symmetric matrix that meets vectors from both sides (two steps for three levels),
//! and a norm that is divided out without a division. The data are real (see `tumours/mod.rs`), the parameters have 128-bit security.
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

mod tumours;

use arras_ckks::Parameters;
use arras_toolkit::{
    Bindings, Circuit, EncodingUnit, Matrix, Program, Recorder,
    linalg::{Dot, polynomial::Stop},
};
use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::{Array1, Array2};
use tumours::{Result, exchange, standardized};

const COLUMNS: [&str; 10] = [
    "mean radius",
    "mean texture",
    "mean perimeter",
    "mean area",
    "mean smoothness",
    "mean compactness",
    "mean concavity",
    "mean concave points",
    "mean symmetry",
    "mean fractal dimension",
];
/// The owner of the data gives an estimate of the largest eigenvalue: the covariance is divided by it.
const SCALE: f64 = 5.5;
/// And so bounds of the squared norm of what the iteration comes to: 10 (1.1)^10 at most and 10 (0.9)^10 times the part of the start
/// that lies along the component, if the eigenvalue is within a tenth of the estimate and that part is at least 0.72.
const SQUARED_NORM: (f64, f64) = (2.5, 26.0);
/// The inverse square root on that interval is right to this; the client divides the rest out.
const NORM_ERROR: f64 = 0.02;
/// Bits after the binary point that are asked of the result.
const BITS: u32 = 12;

fn main() -> Result<()> {
    let data = standardized(&COLUMNS)?;
    let (rows, features) = data.dim();
    println!(
        "1. The data: {rows} patients, {features} measurements, each with mean 0 and variance 1; the client"
    );
    println!(
        "   divides by the square root of {rows}, so that X^T X is the matrix of correlations.\n"
    );
    let x = data / (rows as f64).sqrt();

    println!(
        "2. The circuit: C = X^T X / {SCALE}; five steps from (1, .., 1); the norm divided out by an inverse root"
    );
    println!(
        "   on [{}, {}]. C is symmetric: C v and v C are the same numbers, as row and as column vector,",
        SQUARED_NORM.0, SQUARED_NORM.1
    );
    println!("   so nothing needs turning.");
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
        "   {depth} levels: N = 2^{}, units of {unit}.\n",
        params.log_n()
    );

    println!("3. The exchange");
    let inputs = Bindings::new().with("X", x.view());
    let found = exchange(params, &program, &inputs, BITS)?.vector("component")?;
    let length = norm(&found);
    println!("   its length is {length:.4}, 1 within {NORM_ERROR} as asked\n");
    assert!((length - 1.0).abs() < NORM_ERROR + 0.5f64.powi(BITS as i32 - 2));

    println!("4. Beside the eigenvectors of X^T X (nalgebra), in the clear\n");
    let (values, exact) = eigen(&x);
    println!("   {:<24} {:>10} {:>10}", "", "encrypted", "nalgebra");
    let found: Vec<f64> = found.iter().map(|v| v / length).collect();
    for (name, (found, exact)) in COLUMNS.iter().zip(found.iter().zip(&exact)) {
        println!("   {name:<24} {found:>10.4} {exact:>10.4}");
    }
    let variance = |v: &[f64]| x.dot(&Array1::from(v.to_vec())).mapv(|a| a * a).sum();
    let (ours, theirs) = (variance(&found), values[0]);
    println!("   {:<24} {ours:>10.4} {theirs:>10.4}", "variance along it");
    let cosine: f64 = found.iter().zip(&exact).map(|(a, b)| a * b).sum();
    let ratio = values[1] / values[0];
    println!(
        "\n   cosine of the angle between them: {cosine:.6}. Each step shrinks what is left of the second"
    );
    println!("   component by {ratio:.2}, the ratio of the eigenvalues.");
    assert!(cosine > 0.999 && (ours - theirs).abs() < 1e-2 * theirs);
    Ok(())
}

/// X to the component: three levels for C, six for four of the five steps, the rest for the norm.
fn record(unit: EncodingUnit, rows: usize, features: usize) -> Result<Circuit> {
    let recorder = Recorder::new(unit.slots())?;
    let x = recorder.matrix("X", rows, features, unit);
    let c = recorder.within("covariance", || {
        Matrix::multiply_row_major_mixed_unit(&x, &x, 1.0 / SCALE)
    });
    // The first step takes no product: C (1, .., 1) is the sum of the rows.
    let mut v = recorder.within("step 1", || c.sum_rows());
    for step in [2, 4] {
        v = recorder.within(&format!("steps {step} and {}", step + 1), || {
            c.dot(&v).dot(&c)
        });
    }
    let component = recorder.within("norm", || {
        let (low, high) = SQUARED_NORM;
        // What the interval of the root says of the entries; operations cannot tell.
        recorder.assume(&v, high.sqrt());
        let stop = Stop::RelativeError(NORM_ERROR);
        let inverse = v.norm_squared().inverse_sqrt(low, high, stop);
        v.multiply_encrypted(&inverse)
    });
    recorder.output("component", &component);
    Ok(recorder.finish()?)
}

/// Eigenvalues of X^T X from the largest on, and the vector of the largest, its sum positive.
fn eigen(x: &Array2<f64>) -> (Vec<f64>, Vec<f64>) {
    let c = x.t().dot(x);
    let eigen = SymmetricEigen::new(DMatrix::from_fn(c.nrows(), c.ncols(), |r, k| c[(r, k)]));
    let mut order: Vec<usize> = (0..c.nrows()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let vector = eigen.eigenvectors.column(order[0]);
    let sign = vector.sum().signum();
    let values = order.iter().map(|&k| eigen.eigenvalues[k]).collect();
    (values, vector.iter().map(|v| sign * v).collect())
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}
