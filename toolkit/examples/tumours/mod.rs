//! A real data set for the examples, and the exchange between client and server.
//!
//! The Wisconsin breast cancer set (W. H. Wolberg, W. N. Street, O. L. Mangasarian, UCI Machine Learning Repository, 1995,
//! <https://doi.org/10.24432/C5DW2B>, CC BY 4.0): 569 fine needle aspirates, 30 measurements each. The file is that of `lr-train/data`,
//! where its README says where it comes from.
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

use std::time::Instant;

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, Parameters};
use arras_toolkit::{Bindings, Cleartext, Client, Homomorphic, OpCount, Program, Value};
use ndarray::{Array1, Array2, Axis};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const FILE: &str = include_str!("../../../lr-train/data/breast-cancer.csv");

/// Columns by name, in the order of the names; each with mean 0 and variance 1.
pub(crate) fn standardized(names: &[&str]) -> Result<Array2<f64>> {
    let mut lines = FILE.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let columns = names
        .iter()
        .map(|name| head.iter().position(|h| h == name).ok_or(*name))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|name| format!("no column {name}"))?;
    let mut entries = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        for &column in &columns {
            entries.push(fields[column].parse::<f64>()?);
        }
    }
    let rows = entries.len() / columns.len();
    let data = Array2::from_shape_vec((rows, columns.len()), entries)?;
    let mean = data.sum_axis(Axis(0)) / rows as f64;
    let data = data - mean;
    let variance: Array1<f64> = (&data * &data).sum_axis(Axis(0)) / rows as f64;
    Ok(data / variance.mapv(f64::sqrt))
}

/// What the client decrypts.
pub(crate) struct Answer {
    outputs: std::collections::BTreeMap<String, Value>,
}

impl Answer {
    /// An output that is a vector.
    pub(crate) fn vector(&self, name: &str) -> Result<Vec<f64>> {
        let value = self.outputs.get(name);
        Ok(value.ok_or_else(|| format!("no output {name}"))?.entries())
    }
}

/// Keys, encryption, the server's run and decryption, told; the worst error against the same circuit in the clear is at most
/// 2^-`bits`, or it is an error.
pub(crate) fn exchange(
    params: &Parameters,
    program: &Program,
    inputs: &Bindings<Value>,
    bits: u32,
) -> Result<Answer> {
    // The client.
    let context = Context::new(params, CpuEngine::new())?;
    let client = Client::generate(&context)?;
    let start = Instant::now();
    let keys = client.evaluation_keys(program)?;
    println!(
        "   client: {} keys, {:.0} MiB, in {:.2} s",
        keys.len(),
        keys.to_bytes()?.len() as f64 / f64::from(1 << 20),
        start.elapsed().as_secs_f64()
    );
    let sent = client.encrypt_inputs(program, inputs)?;

    // The server: evaluation keys and ciphertexts only.
    let received = sent.expand(&context)?;
    let server = Homomorphic::new(Evaluator::new(&context, keys.load(&context)?)?);
    let run = server.run(program, &received)?;
    let count = OpCount::of(program);
    println!(
        "   server: {} products, {} rotations in {:.2} s",
        count.ciphertext_products(),
        count.rotations(),
        run.report.seconds
    );

    // The client again.
    let expected = Cleartext::run(program, inputs)?.outputs;
    let mut outputs = std::collections::BTreeMap::new();
    let mut worst: f64 = 0.0;
    for (name, result) in &run.outputs {
        let value = client.decrypt(result)?;
        let errors = value.entries().into_iter().zip(expected[name].entries());
        worst = errors.fold(worst, |m, (a, b)| m.max((a - b).abs()));
        outputs.insert(name.clone(), value);
    }
    println!("   client: decrypted, off by at most {worst:.1e} from the same circuit in the clear");
    if worst > 0.5f64.powi(bits as i32) {
        return Err(format!("more than 2^-{bits}").into());
    }
    Ok(Answer { outputs })
}
