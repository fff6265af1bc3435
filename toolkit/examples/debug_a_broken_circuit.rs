//! A circuit whose result is wrong, and how to find out why.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example debug_a_broken_circuit
//! ```
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, Parameters};
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Client, Homomorphic, Program, Recorder, Result, Samples,
    ScaleAndPrecision, Tracer, Value, interpret::Bound,
};

/// The sum of the squares of all slots, each square times `weight` if there is one; in every slot.
fn sum_of_squares(slots: usize, weight: Option<f64>) -> Result<Circuit> {
    let recorder = Recorder::new(slots)?;
    let x = recorder.slots_input("x", 1);
    let squares = match weight {
        Some(weight) => x.multiply_scalar(weight).multiply(&x),
        None => x.square(),
    };
    recorder.output("sum", &squares.rotate_and_sum(1, slots));
    recorder.finish()
}

fn main() -> Result<()> {
    let params = Parameters::builder().log_n(14).levels(2).build()?;
    let context = Context::new(&params, CpuEngine::new())?;
    let client = Client::generate(&context)?;
    let slots = params.slots();
    let numbers: Vec<f64> = (0..slots).map(|j| 5.0 + (j % 97) as f64 / 10.0).collect();
    let inputs = Bindings::new().with("x", vec![numbers]);

    println!("The mean square of {slots} numbers between 5 and 14.6, encrypted.");
    println!("Parameters: {params}\n");

    println!("1. The server sums the squares, the client divides by their number.\n");
    let broken = sum_of_squares(slots, None)?;
    examine(&client, broken, &inputs, slots as f64)?;

    println!("\n2. The server divides before it sums, at the price of a level.\n");
    let mended = sum_of_squares(slots, Some(1.0 / slots as f64))?;
    examine(&client, mended, &inputs, 1.0)
}

/// Runs, compares the result with what it should be, and looks for the first step that went wrong.
fn examine(
    client: &Client<CpuEngine>,
    circuit: Circuit,
    inputs: &Bindings<Value>,
    divisor: f64,
) -> Result<()> {
    let program = Program::new(circuit);
    let context = client.context();
    let keys = client.evaluation_keys(&program)?;
    let evaluator = Evaluator::new(context, keys.load(context)?)?;
    let homomorphic = Homomorphic::new(evaluator);
    let encrypted = client.encrypt_inputs(&program, inputs)?.expand(context)?;
    let run = homomorphic.run(&program, &encrypted)?;
    let actual = client.decrypt(run.output("sum")?)?.entries()[0] / divisor;
    let expected = Cleartext::run(&program, inputs)?.outputs["sum"].entries()[0] / divisor;
    println!("expected {expected:.3}, decrypted {actual:.3}\n");

    println!("The debugger runs the circuit on ciphertexts and on plaintext in lock step:");
    let secret = client.secret_key()?;
    let bound = Bound::relative(1e-3);
    let debug = Tracer::new(&program, &homomorphic, secret, &encrypted, inputs, bound)?;
    println!("{}\n", debug.run(&program)?);

    println!("Without any key, the prediction says as much before the first run:");
    let samples = Samples::given(inputs.clone());
    let predictor = ScaleAndPrecision::new(context.params(), samples);
    println!("{}", predictor.predict(&program)?);
    Ok(())
}
