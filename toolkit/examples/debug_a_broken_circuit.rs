//! A circuit whose result is wrong, and how to find out why.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example debug_a_broken_circuit
//! ```
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, Parameters};
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Client, Encrypted, Homomorphic, Program, Recorder, Result,
    Samples, ScaleAndPrecision, Tracer, Value, interpret::Bound,
};

/// The sum of the squares of all slots, each square times `weight` if there is one, in every slot; `assumed` is what its author says of its
/// size.
fn sum_of_squares(slots: usize, weight: Option<f64>, assumed: Option<f64>) -> Result<Circuit> {
    let recorder = Recorder::new(slots)?;
    let x = recorder.slots_input("x", 1);
    let squares = match weight {
        Some(weight) => x.multiply_scalar(weight).multiply(&x),
        None => x.square(),
    };
    if let Some(bound) = assumed {
        recorder.largest_value(bound);
    }
    recorder.output("sum", &squares.rotate_and_sum(1, slots));
    recorder.finish()
}

fn main() -> Result<()> {
    let params = Parameters::builder().log_n(14).levels(2).build()?;
    let context = Context::new(&params, CpuEngine::new())?;
    let client = Client::generate(&context)?.largest_value(16.0);
    let slots = params.slots();
    let numbers: Vec<f64> = (0..slots).map(|j| 5.0 + (j % 97) as f64 / 10.0).collect();
    let inputs = Bindings::new().with("x", vec![numbers]);

    println!("The mean square of {slots} numbers between 5 and 14.6, encrypted.");
    println!("Parameters: {params}\n");

    println!("1. The server sums the squares, the client divides by their number.\n");
    let refused = run(
        &client,
        &Program::new(sum_of_squares(slots, None, None)?),
        &inputs,
    );
    match refused {
        Err(error) => println!("Refused before the first step: {error}\n"),
        Ok(_) => println!("The level holds the sum.\n"),
    }
    println!(
        "Whoever says that the sum is small, which it is not, gets a number that nobody can tell from a result:\n"
    );
    let broken = sum_of_squares(slots, None, Some(400.0))?;
    examine(&client, broken, &inputs, slots as f64)?;

    println!("\n2. The server divides before it sums, at the price of a level.\n");
    let mended = sum_of_squares(slots, Some(1.0 / slots as f64), None)?;
    examine(&client, mended, &inputs, 1.0)
}

type Ran = (
    Homomorphic<CpuEngine>,
    Bindings<Encrypted<CpuEngine>>,
    Encrypted<CpuEngine>,
);

/// The server, what it was sent, and the sum that it returns.
fn run(client: &Client<CpuEngine>, program: &Program, inputs: &Bindings<Value>) -> Result<Ran> {
    let context = client.context();
    let keys = client.evaluation_keys(program)?;
    let evaluator = Evaluator::new(context, keys.load(context)?)?;
    let homomorphic = Homomorphic::new(evaluator);
    let encrypted = client.encrypt_inputs(program, inputs)?.expand(context)?;
    let sum = homomorphic.run(program, &encrypted)?.output("sum")?.clone();
    Ok((homomorphic, encrypted, sum))
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
    let (homomorphic, encrypted, sum) = run(client, &program, inputs)?;
    let actual = client.decrypt(&sum)?.entries()[0] / divisor;
    let clear = Cleartext::run(&program, inputs)?;
    let expected = clear.outputs["sum"].entries()[0] / divisor;
    println!("expected {expected:.3}, decrypted {actual:.3}\n");
    if let Some(broken) = clear.broken.first() {
        println!("The run in the clear says why: {broken}\n");
    }

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
