//! A wide circuit, run in several ways: what batching and running side by side do to wall time, calls and memory.
//!
//! ```text
//!   x_1, y_1 --- x y --- rotate by 1 --- times x ---> z_1
//!   ...                                                ...        chains that do not depend on each other
//!   x_k, y_k --- x y --- rotate by 1 --- times x ---> z_k
//! ```

use std::fmt::Write;

use arras::{
    CpuEngine,
    ckks::{
        Context, EvaluationKeySet, Evaluator, KeyGenerator, Parameters, SecretKey, random::Seed,
    },
    hal::{Backend, Counting},
    toolkit::{
        Bindings, Client, Encrypted, Homomorphic, Plaintext, Program, Recorder, Samples,
        SeededEncrypted, Value,
        plan::KeyRequests,
        run::{Batching, Options, RunReport},
    },
};

use crate::{
    Result,
    operations::median,
    report::{Machine, bytes, machine_table, peak_memory, reset_peak_memory, seconds, table},
    suite::{all_threads, host_threads},
};

/// The program of `chains` independent chains.
///
/// # Errors
/// The recorder's.
pub fn wide_program(slots: usize, chains: usize) -> Result<Program> {
    let recorder = Recorder::new(slots)?;
    for chain in 0..chains {
        let x = recorder.slots_input(&format!("x{chain}"), 1);
        let y = recorder.slots_input(&format!("y{chain}"), 1);
        let z = x.multiply(&y).rotate(1).multiply(&x);
        recorder.output(&format!("z{chain}"), &z);
    }
    Ok(Program::new(recorder.finish()?))
}

/// One way to run it, and what it took.
#[derive(Debug)]
pub struct Way {
    /// Threads of the engine.
    pub threads: usize,
    /// Whether steps of one kind become one call.
    pub batching: Batching,
    /// The most calls side by side.
    pub side_by_side: usize,
    /// The report of the run with the median wall time.
    pub report: RunReport,
    /// Calls of the engine's operations, in a run of their own.
    pub engine_calls: u64,
    /// Those among them that only copy: what joins and parts batches.
    pub copies: u64,
    /// The most memory of the process during the runs, keys and inputs included; `None` where the system does not say.
    pub peak_memory: Option<u64>,
}

/// A client's part: program, keys, encrypted inputs.
struct Sent {
    program: Program,
    keys: EvaluationKeySet,
    inputs: Bindings<SeededEncrypted>,
}

impl Sent {
    fn received<B: Backend>(&self, context: &Context<B>) -> Result<Bindings<Encrypted<B>>> {
        let mut received = Bindings::new();
        for (name, value) in self.inputs.iter() {
            received.insert(name, value.expand(context)?);
        }
        Ok(received)
    }
}

/// Runs the wide program with 1 and 2 threads (and with all, if there are more), batched and not, side by side and not, each way
/// `runs` times.
///
/// # Errors
/// The toolkit's; if a result is not what the circuit gives in the clear.
pub fn ways(params: &Parameters, chains: usize, runs: usize) -> Result<Vec<Way>> {
    let program = wide_program(params.slots(), chains)?;
    let context = Context::new(params, CpuEngine::new())?;
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32]))?;
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
    let keys = KeyRequests::of(&program).generate(&generator)?;
    let client = Client::with_secret_key(secret)?.with_seed(Seed::from_bytes([3; 32]));
    let values: Bindings<Value> = Samples::uniform(-1.0, 1.0).draw(program.circuit(), 1)?;
    let inputs = client.encrypt_inputs(&program, &values)?;
    let expected = Plaintext::run(&program, &values)?.outputs;
    let sent = Sent {
        program,
        keys,
        inputs,
    };

    let mut threads = vec![1, 2, all_threads()];
    threads.sort_unstable();
    threads.dedup();
    let mut ways = Vec::new();
    for threads in threads {
        for batching in [Batching::Off, Batching::Hoisting, Batching::Waves] {
            for side_by_side in [1, all_threads().max(2)] {
                let options = Options::new().batching(batching).side_by_side(side_by_side);
                let (engine_calls, copies) = engine_calls(params, &sent, options.clone())?;
                reset_peak_memory();
                let server = Context::new(params, CpuEngine::with_threads(threads)?)?;
                let evaluator = Evaluator::new(&server, sent.keys.load(&server)?)?;
                let homomorphic = Homomorphic::with_options(evaluator, options);
                let received = sent.received(&server)?;
                let pool = host_threads(threads)?;
                let mut reports = Vec::new();
                for run in 0..=runs.max(1) {
                    let done = pool.install(|| homomorphic.run(&sent.program, &received))?;
                    if run > 0 {
                        reports.push(done.report);
                        continue;
                    }
                    // The first run warms up, and shows that the results are right.
                    for (name, result) in &done.outputs {
                        let result = Encrypted::from_bytes(&result.to_bytes()?, &context)?;
                        let found = client.decrypt(&result)?.entries();
                        let wanted = expected[name].entries();
                        if found
                            .iter()
                            .zip(&wanted)
                            .any(|(a, b)| (a - b).is_nan() || (a - b).abs() >= 1e-3)
                        {
                            return Err(format!("{name} is wrong").into());
                        }
                    }
                }
                let mut walls: Vec<f64> = reports.iter().map(|r| r.seconds).collect();
                let middle = median(&mut walls);
                reports.sort_by(|a, b| {
                    (a.seconds - middle)
                        .abs()
                        .total_cmp(&(b.seconds - middle).abs())
                });
                ways.push(Way {
                    threads,
                    batching,
                    side_by_side,
                    report: reports.swap_remove(0),
                    engine_calls,
                    copies,
                    peak_memory: peak_memory(),
                });
            }
        }
    }
    Ok(ways)
}

/// Calls of the engine in one run, and how many of them only copy.
fn engine_calls(params: &Parameters, sent: &Sent, options: Options) -> Result<(u64, u64)> {
    let engine = Counting::new(CpuEngine::new());
    let context = Context::new(params, engine.clone())?;
    let evaluator = Evaluator::new(&context, sent.keys.load(&context)?)?;
    let received = sent.received(&context)?;
    let before = engine.counts();
    Homomorphic::with_options(evaluator, options).run(&sent.program, &received)?;
    let counts = &engine.counts() - &before;
    Ok((counts.total_calls(), counts.calls("copy_rows")))
}

/// The page.
pub fn page(ways: &[Way], params: &Parameters, chains: usize, machine: &Machine) -> String {
    let mut text = String::from(
        "# A wide circuit: batches and calls side by side\n\n\
         Made by `cargo run --release -p arras-benches --bin waves -- --out docs/benchmarks`.\n\n",
    );
    text += &machine_table(machine);
    let _ = writeln!(
        text,
        "\n{chains} independent chains of product, rotation, product, each on a ciphertext of its own, with N = 2^{} and {} levels. The run \
         with the median wall time. \"Work\" is the sum of the times of all calls, \"work / wall\" how many of them ran at once; a call \
         may itself use all threads of its engine. \"Calls\" are calls of the evaluator, \"engine calls\" what they become: operations \
         of the engine on rows of residues; \"copies\" are those among them that only move rows into batches and out of them. \"Ciphertexts\" is the most memory that ciphertexts of the run held at once, \"process\" that of \
         the whole process, keys and client included.\n",
        params.log_n(),
        params.max_level(),
    );
    let rows: Vec<Vec<String>> = ways
        .iter()
        .map(|way| {
            let report = &way.report;
            vec![
                way.threads.to_string(),
                match way.batching {
                    Batching::Waves => "waves".to_owned(),
                    Batching::Off => "off".to_owned(),
                    Batching::Hoisting => "hoisting".to_owned(),
                    Batching::Auto => "auto".to_owned(),
                },
                way.side_by_side.to_string(),
                seconds(report.seconds),
                seconds(report.work_seconds),
                format!("{:.2}", report.work_seconds / report.seconds),
                report.calls.to_string(),
                way.engine_calls.to_string(),
                way.copies.to_string(),
                report.waves.to_string(),
                report.width.to_string(),
                bytes(report.peak_ciphertext_bytes as u64),
                way.peak_memory.map_or_else(|| "unknown".to_owned(), bytes),
            ]
        })
        .collect();
    let head = [
        "engine threads",
        "batching",
        "side by side",
        "wall",
        "work",
        "work / wall",
        "calls",
        "engine calls",
        "copies",
        "waves",
        "width",
        "ciphertexts",
        "process",
    ];
    text + &table(&head, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_wide_and_two_products_deep() {
        let program = wide_program(32, 5).unwrap();
        assert_eq!(program.levels_needed(), 2);
        let widest = program.waves().iter().map(Vec::len).max();
        assert!(widest.unwrap() >= 5);
    }
}
