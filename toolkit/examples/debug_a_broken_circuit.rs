//! A circuit whose result is wrong, and how to find out why.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example debug_a_broken_circuit
//! ```
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, params::ParametersBuilder};
use arras_toolkit::{
    Bindings, Circuit, Client, Debug, Encrypted, Homomorphic, Plaintext, Program, Recorder, Result,
    Samples, ScaleAndPrecision, Value, interpret::Bound,
};

/// The mean of the squares of all slots, in every slot.
fn circuit(slots: usize, scale_first: bool) -> Result<Circuit> {
    let recorder = Recorder::new(slots)?;
    let x = recorder.slots_input("x", 1);
    let squares = x.square();
    let one_of_all = 1.0 / slots as f64;
    let mean = if scale_first {
        let small = squares.multiply_scalar(one_of_all);
        small.rotate_and_sum(1, slots)
    } else {
        let sum = squares.rotate_and_sum(1, slots);
        sum.multiply_scalar(one_of_all)
    };
    recorder.output("mean", &mean);
    recorder.finish()
}

fn main() -> Result<()> {
    let params = ParametersBuilder::new(14).levels(2).build()?;
    let context = Context::new(&params, CpuEngine::new())?;
    let client = Client::generate(&context)?;
    let slots = params.slots();
    let speeds: Vec<f64> = (0..slots).map(|j| 150.0 + (j % 97) as f64).collect();
    let inputs = Bindings::new().with("x", vec![speeds]);

    println!("The mean square of {slots} numbers between 150 and 246, encrypted.");
    println!("Parameters: {params}\n");

    println!("1. Sum the squares, then divide by their number.\n");
    let broken = circuit(slots, false)?;
    examine(&client, broken, &inputs)?;

    println!("\n2. Divide first, then sum: no value ever exceeds the mean by much.\n");
    let mended = circuit(slots, true)?;
    examine(&client, mended, &inputs)
}

/// Runs, sees that the result is wrong or right, and looks for the first step that went wrong.
fn examine(client: &Client<CpuEngine>, circuit: Circuit, inputs: &Bindings<Value>) -> Result<()> {
    let program = Program::new(circuit);
    let context = client.context();
    let keys = client.evaluation_keys(&program)?;
    let evaluator = Evaluator::new(context, keys.load(context)?)?;
    let homomorphic = Homomorphic::new(evaluator);
    let mut encrypted: Bindings<Encrypted<CpuEngine>> = Bindings::new();
    for (name, value) in client.encrypt_inputs(&program, inputs)?.iter() {
        encrypted.insert(name, value.expand(context)?);
    }
    let run = homomorphic.run(&program, &encrypted)?;
    let actual = client.decrypt(run.output("mean")?)?.entries()[0];
    let expected = Plaintext::run(&program, inputs)?.outputs["mean"].entries()[0];
    println!("expected {expected:.3}, decrypted {actual:.3}\n");

    println!("The debugger runs the circuit on ciphertexts and on plaintext in lock step:");
    let secret = client.secret_key("debug")?;
    let bound = Bound::relative(1e-3);
    let debug = Debug::new(&program, &homomorphic, secret, &encrypted, inputs, bound)?;
    println!("{}\n", debug.run(&program)?);

    println!("Without any key, the prediction says as much before the first run:");
    let samples = Samples::given(inputs.clone());
    let predictor = ScaleAndPrecision::new(context.params(), samples);
    println!("{}", predictor.predict(&program)?);
    Ok(())
}
