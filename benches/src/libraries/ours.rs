//! Our side of the table: what peers are measured at, at one SIMD level with some threads, each with its model.

use arras::{ckks::Parameters, hal::Backend};
use arras_backend_cpu::{CpuEngine, SimdLevel};
use serde::{Deserialize, Serialize};

use crate::{
    Client, Operation, Result, Server,
    fixture::ROTATIONS,
    process::host_threads,
    ring::RingData,
    roofline::{Costs, Counts, Work},
    scheme::{client_operations, server_operations},
    timing::Timing,
    transfers,
};

pub(super) const ROTATE: &str = "rotate";
pub(super) const MULTIPLY: &str = "multiply, relinearize, rescale";
pub(super) const TRANSFORM: &str = "NTT, a row";

/// What is compared: the name in the table and the operations of ours whose times it adds up.
pub(super) const COMPARED: [(&str, &[&str]); 8] = [
    (ROTATE, &[ROTATE]),
    (MULTIPLY, &[MULTIPLY]),
    ("8 rotations, hoisted", &["8 rotations, hoisted"]),
    ("key for one rotation", &["generate a key-switching key"]),
    (
        "secret and public key",
        &["generate a secret key", "generate a public key"],
    ),
    ("encode", &["encode a plaintext"]),
    ("encode and encrypt", &["encrypt with the public key"]),
    ("decrypt and decode", &["decrypt"]),
];

/// One operation of ours.
#[derive(Serialize, Deserialize)]
pub(super) struct Ours {
    pub(super) log_n: u32,
    /// Multiplications in a row that the set allows.
    pub(super) levels: usize,
    /// Bits of Q at the top.
    pub(super) q_bits: f64,
    pub(super) simd: String,
    pub(super) threads: usize,
    /// A name of [`COMPARED`], or [`TRANSFORM`].
    pub(super) operation: String,
    pub(super) times: Timing,
    /// Its steps, counted, at what they cost alone in the same run; none where the steps are not measured alone.
    pub(super) model: Option<f64>,
    /// The steps themselves and what one of each costs, of operations that are made of nothing else.
    #[serde(default)]
    pub(super) steps: Option<(Work, Costs)>,
}

impl Ours {
    /// What tells rows apart: ring, SIMD level, threads, operation.
    pub(super) fn key(&self) -> (u32, &str, usize, &str) {
        (self.log_n, &self.simd, self.threads, &self.operation)
    }
}

/// Measures a set.
pub(super) fn measure(
    params: &Parameters,
    simd: SimdLevel,
    threads: usize,
    seconds: f64,
) -> Result<Vec<Ours>> {
    let engine = CpuEngine::builder().simd(simd).threads(threads).build()?;
    host_threads(threads)?.install(|| on_engine(params, &engine, threads, seconds))
}

fn on_engine(
    params: &Parameters,
    engine: &CpuEngine,
    threads: usize,
    seconds: f64,
) -> Result<Vec<Ours>> {
    let mut measured: Vec<(&'static str, Timing)> = Vec::new();
    let mut take = |list: Vec<Operation<'_>>, wanted: &[&str]| -> Result<()> {
        for mut operation in list {
            if wanted.contains(&operation.name) {
                let what = operation.name;
                eprintln!("2^{}, {}: {what}", params.log_n(), engine.name());
                let times = Timing::of_operation(&mut operation, seconds)?;
                measured.push((what, times));
            }
        }
        Ok(())
    };
    let client = Client::new(params, engine.clone())?;
    let names: Vec<&str> = COMPARED
        .iter()
        .flat_map(|(_, of)| of.iter().copied())
        .collect();
    let host = ["encode (to integers)", "decode (from integers)"];
    take(client_operations(&client)?, &[&names[..], &host].concat())?;
    {
        let server = Server::new(&client, engine.clone())?;
        take(server_operations(&server)?, &names)?;
        let expand = "expand a seeded ciphertext into an engine";
        take(
            transfers::between_host_and_engine(&client, &server)?,
            &[expand],
        )?;
    }
    let (costs, row) = unit_costs(params, engine, seconds)?;

    let of = |name: &str| {
        let found = measured.iter().find(|(known, _)| *known == name);
        found.map_or(f64::NAN, |(_, times)| times.median)
    };
    let level = params.max_level();
    let counts = Counts::new(params, level);
    let (digits, extended, window) = counts.sizes();
    let uniform = of("expand a seeded ciphertext into an engine") / window as f64;
    let encode = of(host[0]) + window as f64 * costs.transform;
    let work = |name: &str| match name {
        ROTATE => Some(counts.rotations(1)),
        MULTIPLY => Some(counts.multiply()),
        "8 rotations, hoisted" => Some(counts.rotations(ROTATIONS.len())),
        _ => None,
    };
    let model = |name: &str| match name {
        // A uniform row, the transform of an error, and the product with the secret; the error's sampling is left out.
        "key for one rotation" => {
            let rows = (digits * extended) as f64;
            Some(rows * (uniform + costs.transform + costs.product))
        }
        "encode" => Some(encode),
        // Three small polynomials modulo Q and a special prime, two products, two components brought down; sampling is left out.
        "encode and encrypt" => {
            let limbs = (window + 1) as f64;
            Some(
                encode
                    + 5.0 * limbs * costs.transform
                    + 2.0 * limbs * costs.product
                    + 2.0 * window as f64 * costs.conversion,
            )
        }
        _ => work(name).map(|work| work.seconds(&costs)),
    };
    let entry = |operation: &str, times: Timing, model: Option<f64>| Ours {
        log_n: params.log_n(),
        levels: level,
        q_bits: params.log2_q(level),
        simd: engine.simd_level().to_string(),
        threads,
        operation: operation.into(),
        times,
        model: model.filter(|seconds| seconds.is_finite()),
        steps: work(operation).map(|work| (work, costs)),
    };
    let sum = |of: &[&str]| {
        let parts = measured.iter().filter(|(name, _)| of.contains(name));
        parts.fold(Timing::default(), |sum, (_, times)| sum.plus(times))
    };
    let mut rows: Vec<Ours> = COMPARED
        .iter()
        .map(|(name, of)| entry(name, sum(of), model(name)))
        .collect();
    rows.push(entry(TRANSFORM, row, None));
    Ok(rows)
}

/// What the steps of [`Work`] cost alone at the top level of a set, in a pool of the engine's threads; and the time of
/// a transformed row.
pub(crate) fn unit_costs(
    params: &Parameters,
    engine: &CpuEngine,
    seconds: f64,
) -> Result<(Costs, Timing)> {
    let level = params.max_level();
    let (digits, extended, window) = Counts::new(params, level).sizes();
    let first = params.active_digits(level);
    let digit = first.first().map_or(1, |digit| digit.limbs.len());
    let data = RingData::new(params, engine.clone())?;
    let mut list = data.operations()?;
    let mut step = |name: &str, units: usize| -> Result<Timing> {
        let found = list.iter_mut().find(|operation| operation.name == name);
        let operation = found.ok_or_else(|| format!("no operation {name:?}"))?;
        Ok(Timing::of_operation(operation, seconds)?.each(units))
    };
    let transform = step("ntt", 2 * window)?;
    let conversion = step(
        "base conversion, centred (one digit)",
        digit * (extended - digit),
    )?;
    let product = step("inner product with a key", 2 * digits * extended)?;
    let tensor = step("tensor product", 4 * window)?;
    let costs = Costs {
        transform: transform.median,
        conversion: conversion.median,
        product: product.median,
        tensor: tensor.median,
    };
    Ok((costs, transform))
}
