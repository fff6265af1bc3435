//! What a circuit will take, told before any key exists, and what it then takes.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example plan_before_you_pay
//! ```
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, KeyGenerator};
use arras_toolkit::{
    Cleartext, Client, EncodingUnit, Homomorphic, PlanOptions, Program, Recorder, Result, Samples,
    Stage, linalg::Dot, plan,
};

fn main() -> Result<()> {
    println!("The scores A x of 300 customers by 90 features, A and x encrypted.\n");
    let unit = EncodingUnit::new(64, 128)?;
    let recorder = Recorder::new(unit.slots())?;
    let a = recorder.matrix("A", 300, 90, unit);
    let x = recorder.column_vector("x", 90, unit);
    recorder.output("scores", &a.dot(&x));
    let program = Program::new(recorder.finish()?);

    println!("1. The plan, for 15 bits after the point and entries between -1 and 1:\n");
    let samples = Samples::uniform(-1.0, 1.0);
    let options = PlanOptions::new(15.0, samples.clone());
    let plan = plan(&[Stage::once(&program)], &options)?;
    let stage = &plan.stages()[0];
    println!("{plan}\n");

    println!("2. The run:\n");
    let context = Context::new(plan.parameters(), CpuEngine::new())?;
    let client = Client::generate(&context)?;
    let generator = KeyGenerator::new(client.secret_key()?)?;
    let keys = plan.key_requests().generate(&generator)?;
    let inputs = samples.draw(program.circuit(), 1)?;
    let seeded = client.encrypt_inputs(&program, &inputs)?;
    let mut sent = 0;
    for (_, value) in seeded.iter() {
        sent += value.ciphertext().to_bytes()?.len();
    }
    let encrypted = seeded.expand(&context)?;
    let evaluator = Evaluator::new(&context, keys.load(&context)?)?;
    let homomorphic = Homomorphic::new(evaluator);
    let first = homomorphic.run(&program, &encrypted)?;
    let run = homomorphic.run(&program, &encrypted)?;
    let scores = run.output("scores")?;
    let exact = Cleartext::run(&program, &inputs)?.outputs["scores"].entries();
    let actual = client.decrypt(scores)?.entries();
    let worst = exact.iter().zip(&actual).map(|(a, b)| (a - b).abs());
    let worst = worst.fold(0.0, f64::max);

    let received = scores.ciphertext().to_bytes()?.len();
    let row = |what: &str, planned: String, found: String| {
        println!("{what:<28} {planned:>14} {found:>14}");
    };
    row("", "planned".into(), "found".into());
    let numbers = [
        (
            "bytes of keys",
            plan.key_set_bytes().wire,
            keys.to_bytes()?.len(),
        ),
        (
            "bytes of keys, loaded",
            plan.key_set_bytes().loaded,
            keys.expanded_bytes() as usize,
        ),
        ("bytes of inputs", plan.input_bytes().wire, sent),
        ("bytes of outputs", plan.output_bytes().wire, received),
        (
            "peak bytes of ciphertexts",
            stage.peak_ciphertext_bytes,
            run.report.peak_ciphertext_bytes,
        ),
        (
            "bytes of constants",
            stage.constant_bytes,
            run.report.constant_bytes,
        ),
        ("calls", stage.calls as u64, run.report.calls),
    ];
    for (what, planned, found) in numbers {
        row(what, planned.to_string(), found.to_string());
    }
    row(
        "worst error, in bits",
        format!("{:.1}", plan.bits().unwrap_or(f64::NAN)),
        format!("{:.1}", -worst.log2()),
    );
    let time = plan.time();
    row(
        "first run, in ms",
        format!("{:.1}", 1e3 * (time.work_seconds + time.encoding_seconds)),
        format!("{:.1}", 1e3 * first.report.seconds),
    );
    row(
        "next runs, in ms",
        format!("{:.1}", 1e3 * time.work_seconds),
        format!("{:.1}", 1e3 * run.report.seconds),
    );
    println!(
        "\nThe times are those of another machine, or of this one at another hour: measure a table"
    );
    println!("(CostTable::measure) where they matter.");
    Ok(())
}
