//! Counts and times of one operation.

use std::time::Instant;

use arras::{
    CpuEngine,
    ckks::{Context, Evaluator, KeyGenerator, Parameters, SecretKey, random::Seed},
    toolkit::{
        Bindings, Client, EncodingUnit, Encrypted, Homomorphic, OpCount, Plaintext, Program,
        Samples, plan::KeyRequests, run::Options,
    },
};
use serde::Serialize;

use super::{Case, Sizes};
use crate::{Result, suite::host_threads};

/// The fewest runs that a median is taken of, however long one takes.
const FEWEST_RUNS: usize = 3;

/// What everything is measured with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Parameters.
    pub params: Parameters,
    /// The unit.
    pub unit: EncodingUnit,
    /// Threads of the engine, a column each.
    pub threads: Vec<usize>,
    /// Seconds to repeat an operation for.
    pub seconds: f64,
    /// Levels that a result has left.
    pub left: usize,
}

/// Time of an operation with one number of threads.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RunTime {
    /// Half of the runs were faster. The first run, which encodes the constants, is not among them.
    pub median_seconds: f64,
    /// Number of runs.
    pub runs: usize,
}

/// What is known about an operation.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The group that it stands in.
    pub group: &'static str,
    /// What is computed.
    pub name: &'static str,
    /// Levels consumed.
    pub depth: usize,
    /// Rotations of single ciphertexts.
    pub rotations: usize,
    /// Rotations and relinearizations of single ciphertexts.
    pub key_switches: usize,
    /// Products of two ciphertexts.
    pub ciphertext_products: usize,
    /// Products of a ciphertext and an encoded constant.
    pub plaintext_products: usize,
    /// Keys.
    pub keys: usize,
    /// Bytes of the keys, as the client sends them.
    pub key_bytes: u64,
    /// Depth and rotations of the published toolkit, and its formula for them.
    pub published: Option<(usize, usize, &'static str)>,
    /// A time for each number of threads; `None` if the parameters have too few levels.
    pub times: Option<Vec<RunTime>>,
    /// Worst error of an entry, in bits after the binary point; `None` if it was not run or is exact.
    pub bits: Option<f64>,
}

/// Counts an operation and runs it.
///
/// # Errors
/// The toolkit's; if a result is not what the operation gives in the clear.
pub fn measure(case: &Case, setting: &Setting) -> Result<Measured> {
    let program = Program::new(case.circuit(setting.unit, setting.left)?);
    let count = OpCount::of(&program);
    let requests = KeyRequests::of(&program);
    let enough = program.levels_needed() <= setting.params.max_level();
    let mut measured = Measured {
        group: case.group,
        name: case.name,
        depth: program.levels_needed() - setting.left,
        rotations: count.rotations(),
        key_switches: count.key_switches(),
        ciphertext_products: count.ciphertext_products(),
        plaintext_products: count.plaintext_products(),
        keys: requests.len(),
        key_bytes: 0,
        published: case.published.map(|published| {
            let rotations = (published.rotations)(&Sizes::of(setting.unit));
            (published.depth, rotations, published.formula)
        }),
        times: None,
        bits: None,
    };
    if !enough {
        return Ok(measured);
    }
    measured.key_bytes = requests
        .planned(&setting.params)?
        .iter()
        .map(|key| key.bytes.wire)
        .sum();

    let context = Context::new(&setting.params, CpuEngine::new())?;
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32]))?;
    let keys = requests.generate(&KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32])))?;
    let client = Client::with_secret_key(secret)?.with_seed(Seed::from_bytes([3; 32]));
    let (low, high) = case.range;
    let inputs = Samples::uniform(low, high).draw(program.circuit(), 1)?;
    let sent = client.encrypt_inputs(&program, &inputs)?;
    let expected = Plaintext::run(&program, &inputs)?.outputs["result"].entries();

    let mut times = Vec::new();
    for &threads in &setting.threads {
        let server = Context::new(&setting.params, CpuEngine::with_threads(threads)?)?;
        let mut received: Bindings<Encrypted<CpuEngine>> = Bindings::new();
        for (name, value) in sent.iter() {
            received.insert(name, value.expand(&server)?);
        }
        let evaluator = Evaluator::new(&server, keys.load(&server)?)?;
        let homomorphic =
            Homomorphic::with_options(evaluator, Options::new().side_by_side(threads));
        let pool = host_threads(threads)?;
        let first = pool.install(|| homomorphic.run(&program, &received))?;

        let result = client.decrypt(&on_client(first.output("result")?, &context)?)?;
        let error = worst(&expected, &result.entries());
        let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        if error.is_nan() || error > 1e-3 * largest {
            return Err(format!("{}: off by {error:.1e}", case.name).into());
        }
        measured.bits = (error > 0.0).then(|| -error.log2());

        let start = Instant::now();
        let mut seconds = Vec::new();
        while seconds.len() < FEWEST_RUNS || start.elapsed().as_secs_f64() < setting.seconds {
            let run = pool.install(|| homomorphic.run(&program, &received))?;
            seconds.push(run.report.seconds);
        }
        times.push(RunTime {
            median_seconds: median(&mut seconds),
            runs: seconds.len(),
        });
    }
    measured.times = Some(times);
    Ok(measured)
}

/// A server's result in the client's context, by way of the bytes that would be sent.
fn on_client(
    result: &Encrypted<CpuEngine>,
    context: &Context<CpuEngine>,
) -> Result<Encrypted<CpuEngine>> {
    Ok(Encrypted::from_bytes(&result.to_bytes()?, context)?)
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    let errors = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    // A NaN stays.
    errors.fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m })
}

/// `seconds` is not empty.
pub(crate) fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_unstable_by(f64::total_cmp);
    let runs = seconds.len();
    f64::midpoint(seconds[(runs - 1) / 2], seconds[runs / 2])
}
