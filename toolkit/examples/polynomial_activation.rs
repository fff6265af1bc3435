//! An activation function on encrypted values: the sigmoid as a Chebyshev series.
//!
//! Run it with `cargo run --release -p arras-toolkit --example polynomial_activation`.

use std::time::Instant;

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, Parameters};
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Client, EncodingUnit, Homomorphic, Polynomial, Program, Recorder,
    Value,
    linalg::polynomial::{Iteration, Method, Stop},
};
use ndarray::Array2;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROWS: usize = 40;
const COLS: usize = 100;
const BITS: u32 = 18;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn main() -> Result<()> {
    println!("1. What a ciphertext can compute");
    println!(
        "   Sums and products only. So sigma(x) = 1 / (1 + e^-x) on [-8, 8] becomes a polynomial:"
    );
    println!("   degree  largest error   levels  products  with Horner: levels, products");
    let fit = |degree| Polynomial::interpolate(sigmoid, -8.0, 8.0, degree);
    for degree in [3, 7, 15, 31] {
        let p = fit(degree)?;
        let (auto, horner) = (p.cost(Method::Auto), p.cost(Method::Horner));
        println!(
            "   {degree:>6}  {:>13.1e}  {:>7}  {:>8}  {:>19}, {:>8}",
            p.largest_error(sigmoid, |_| 1.0),
            auto.levels,
            auto.products,
            horner.levels,
            horner.products,
        );
    }
    println!("   One of the levels takes [-8, 8] to [-2, 2]; an interval like [-1, 1] needs none.");

    println!("\n2. {ROWS} x {COLS} hidden values, encrypted, for each degree");
    let hidden = Array2::from_shape_fn((ROWS, COLS), |(r, c)| {
        8.0 * f64::from((r * 37 + c * 11) as u32 % 201) / 100.0 - 8.0
    });
    for degree in [3, 7, 15] {
        let p = fit(degree)?;
        let record = |unit: EncodingUnit| -> Result<Circuit> {
            let recorder = Recorder::new(unit.slots())?;
            let x = recorder.matrix("hidden", ROWS, COLS, unit);
            recorder.output("active", &x.polynomial(&p));
            Ok(recorder.finish()?)
        };
        println!("   degree {degree}");
        let (series, largest) = (
            hidden.mapv(|x| p.eval(x)),
            p.largest_error(sigmoid, |_| 1.0),
        );
        let active = run(record, &hidden, "hidden", "active")?;
        let noise = worst(&active, &series);
        let error = worst(&active, &hidden.mapv(sigmoid));
        println!(
            "     from the series:  predicted below {:.1e}, measured {noise:.1e}",
            bits()
        );
        println!(
            "     from the sigmoid: predicted below {:.1e}, measured {error:.1e}",
            largest + bits()
        );
        assert!(noise < bits() && error < largest + bits());
    }

    println!("\n3. Functions with a pole: 1 / x on [1, 10] by iteration");
    let stop = Stop::RelativeError(1e-5);
    let iteration = Iteration::inverse(1.0, 10.0, stop)?;
    println!(
        "   start of degree {}, {} steps, {} levels, {} products; relative error below {:.1e}",
        iteration.start().degree(),
        iteration.steps(),
        iteration.levels(),
        iteration.products(),
        iteration.relative_error(),
    );
    let divisors = hidden.mapv(|x| 5.5 + 4.5 * x / 8.0);
    let record = |unit: EncodingUnit| -> Result<Circuit> {
        let recorder = Recorder::new(unit.slots())?;
        let x = recorder.matrix("divisors", ROWS, COLS, unit);
        recorder.output("inverse", &x.inverse(1.0, 10.0, stop));
        Ok(recorder.finish()?)
    };
    let inverse = run(record, &divisors, "divisors", "inverse")?;
    let relative = (&inverse * &divisors - 1.0)
        .iter()
        .fold(0.0, |m: f64, e| m.max(e.abs()));
    let predicted = iteration.relative_error() + 10.0 * bits();
    println!("     relative error:   predicted below {predicted:.1e}, measured {relative:.1e}");
    assert!(relative < predicted);
    Ok(())
}

/// The precision asked for.
fn bits() -> f64 {
    0.5f64.powi(BITS as i32)
}

fn worst(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    (a - b).iter().fold(0.0, |m, e| m.max(e.abs()))
}

/// Chooses safe parameters for the circuit's depth, makes keys, encrypts, runs, decrypts.
fn run(
    record: impl Fn(EncodingUnit) -> Result<Circuit>,
    value: &Array2<f64>,
    input: &str,
    output: &str,
) -> Result<Array2<f64>> {
    // The depth does not depend on the unit; the parameters' slots give the unit to use.
    let depth = record(EncodingUnit::new(64, 64)?)?.levels_needed();
    let choice = Parameters::builder()
        .depth(depth)
        .precision_bits(BITS)
        .slots(4096)
        .choose()?;
    let params = choice.parameters();
    let unit = EncodingUnit::new(64, params.slots() / 64)?;
    let program = Program::new(record(unit)?);
    println!(
        "     depth {depth}: N = 2^{}, {} levels, 128-bit security; {BITS} bits wanted, {:.1} predicted",
        params.log_n(),
        params.max_level(),
        f64::from(choice.explanation().predicted_tenths) / 10.0,
    );

    let context = Context::new(params, CpuEngine::new())?;
    let client = Client::generate(&context)?;
    let keys = client.evaluation_keys(&program)?;
    let inputs = Bindings::new().with(input, value.view());
    let sent = client.encrypt_inputs(&program, &inputs)?;

    // The server: evaluation keys and ciphertexts only.
    let received = sent.expand(&context)?;
    let server = Homomorphic::new(Evaluator::new(&context, keys.load(&context)?)?);
    let start = Instant::now();
    let result = server.run(&program, &received)?;
    println!(
        "     {} calls in {:.2} s, largest value on the way {:.1}",
        result.report.calls,
        start.elapsed().as_secs_f64(),
        Cleartext::run(&program, &inputs)?.largest,
    );

    match client.decrypt(result.output(output)?)? {
        Value::Matrix(matrix) => Ok(matrix),
        other => Err(format!("expected a matrix, found {other:?}").into()),
    }
}
