//! Our side of the table: what peers are measured at, at one SIMD level with some threads, each with its model.

use std::collections::BTreeMap;

use arras::ckks::Parameters;
use arras_backend_cpu::{CpuEngine, SimdLevel};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    fixture::ROTATIONS,
    layers::{self, Layer},
    roofline::{Costs, Counts, Work},
    timing::Timing,
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
    let engine = &CpuEngine::builder().simd(simd).threads(threads).build()?;
    let host = ["encode (to integers)", "decode (from integers)"];
    let expand = "expand a seeded ciphertext into an engine";
    let compared = COMPARED.iter().flat_map(|(_, of)| of.iter().copied());
    let names: Vec<&str> = compared.chain(host).chain([expand]).chain(STEPS).collect();
    let measured = layers::times(params, engine, &Layer::ALL, &names, seconds)?;
    let of = |name: &str| measured.get(name).map_or(f64::NAN, |times| times.median);
    let (costs, row) = costs_of(params, &measured)?;
    let level = params.max_level();
    let counts = Counts::new(params, level);
    let (digits, extended, window) = counts.sizes();
    let uniform = of(expand) / window as f64;
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
        let parts = of.iter().filter_map(|name| measured.get(name));
        parts.fold(Timing::default(), |sum, times| sum.plus(times))
    };
    let mut rows: Vec<Ours> = COMPARED
        .iter()
        .map(|(name, of)| entry(name, sum(of), model(name)))
        .collect();
    rows.push(entry(TRANSFORM, row, None));
    Ok(rows)
}

/// Operations of the ring that are steps of [`Work`], in the order of [`Costs`].
const STEPS: [&str; 4] = [
    "ntt",
    "base conversion, centred (one digit)",
    "inner product with a key",
    "tensor product",
];

/// What the steps of [`Work`] cost alone at the top level of a set.
pub(crate) fn unit_costs(params: &Parameters, engine: &CpuEngine, seconds: f64) -> Result<Costs> {
    let times = layers::times(params, engine, &[Layer::Ring], &STEPS, seconds)?;
    Ok(costs_of(params, &times)?.0)
}

/// The same from measured times, and the time of a transformed row.
fn costs_of(
    params: &Parameters,
    times: &BTreeMap<&'static str, Timing>,
) -> Result<(Costs, Timing)> {
    let level = params.max_level();
    let (digits, extended, window) = Counts::new(params, level).sizes();
    let first = params.active_digits(level);
    let digit = first.first().map_or(1, |digit| digit.limbs.len());
    let rows = digit * (extended - digit);
    let units = [2 * window, rows, 2 * digits * extended, 4 * window];
    let mut each = Vec::new();
    for (name, units) in STEPS.iter().zip(units) {
        let time = times
            .get(name)
            .ok_or_else(|| format!("no operation {name:?}"))?;
        each.push(time.each(units));
    }
    let costs = Costs {
        transform: each[0].median,
        conversion: each[1].median,
        product: each[2].median,
        tensor: each[3].median,
    };
    Ok((costs, each[0]))
}
