//! Our transforms and those of `tfhe-ntt`, on the same primes, one thread, in one process, in turns: JSON on standard output.
//!
//! Run with: cargo run --release --manifest-path benches/peers/ntt/Cargo.toml -- [log N, ..] [seconds a row]
//!
//! Both are negacyclic, in place, natural order in and each crate's own order out. Ours ends canonical and includes the factor 1/N in the
//! inverse; theirs ends canonical and leaves the factor to a pass of its own, so the inverse is shown without and with that pass.
#![forbid(unsafe_code)]

use std::{error::Error, time::Instant};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Parameters,
    params::{Dnum, LevelWidth},
};
use arras_hal::{Backend, Domain, Limbs, RingBasis, RingSpec, Shape};
use serde_json::{Value, json};
use tfhe_ntt::prime32::Plan;

/// Transforms of a round together take about this long, so that a clock tick does not matter.
const ROUND_SECONDS: f64 = 1e-3;
/// The fewest rounds.
const FEWEST: usize = 11;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let sizes = arguments.next().unwrap_or_else(|| "14,15,16".into());
    let seconds: f64 = arguments.next().unwrap_or_else(|| "1".into()).parse()?;
    let engine = CpuEngine::with_threads(1)?;
    let mut rows = Vec::new();
    for size in sizes.split(',') {
        let log_n: u32 = size.trim().parse()?;
        // The largest prime by itself, in the cache; and the limbs of a deep ciphertext with its special ones, each once.
        let params = Parameters::builder().log_n(log_n)
            .levels(match log_n {
                0..=13 => 1,
                14 => 7,
                15 => 15,
                _ => 30,
            })
            .level_width(LevelWidth::Bits39)
            .dnum(Dnum::Auto)
            .build()?;
        let largest = params.moduli().iter().copied().max().unwrap_or_default();
        for moduli in [vec![largest], params.moduli().to_vec()] {
            rows.extend(measure(&engine, log_n, moduli, seconds)?);
        }
    }
    let report = json!({
        "peer": "tfhe-ntt 0.7.1, default features",
        "engine": engine.name(),
        "rows": rows,
    });
    println!("{report:#}");
    Ok(())
}

/// Seconds for all limbs of a row of N residues, each with a prime of its own.
fn measure(
    engine: &CpuEngine,
    log_n: u32,
    moduli: Vec<u32>,
    seconds: f64,
) -> Result<[Value; 3], Box<dyn Error>> {
    let n = 1usize << log_n;
    let limbs = moduli.len();
    let bits: f64 = moduli.iter().map(|&q| f64::from(q).log2()).sum();
    let plans: Vec<Plan> = moduli
        .iter()
        .map(|&q| Plan::try_new(n, q).ok_or_else(|| format!("tfhe-ntt refuses {q} at N = {n}")))
        .collect::<Result<_, _>>()?;
    let mut words: Vec<u32> = moduli
        .iter()
        .flat_map(|&q| (0..n as u32).map(move |i| i.wrapping_mul(2_654_435_761) % q))
        .collect();
    let basis = RingBasis::new(&RingSpec { log_n, moduli })?;
    let ring = engine.ring(&basis)?;
    let shape = Shape::new(1, Limbs::new(0..limbs));
    let mut buffer = engine.upload(&ring, &shape, Domain::Coeff, &words)?;
    agree(engine, &ring, &shape, &plans, &words)?;

    let forward = in_turns(
        seconds,
        &mut || engine.ntt(&ring, &mut buffer),
        &mut || each(&plans, &mut words, Plan::fwd),
    );
    let mut buffer = engine.upload(&ring, &shape, Domain::Eval, &words)?;
    let inverse = in_turns(
        seconds,
        &mut || engine.intt(&ring, &mut buffer),
        &mut || each(&plans, &mut words, Plan::inv),
    );
    let inverse_normalized = in_turns(
        seconds,
        &mut || engine.intt(&ring, &mut buffer),
        &mut || {
            each(&plans, &mut words, |plan, row| {
                plan.inv(row);
                plan.normalize(row);
            });
        },
    );
    let row = |direction, [ours, theirs]: [Value; 2]| {
        json!({"log_n": log_n, "limbs": limbs, "bits": bits, "direction": direction, "ours": ours, "theirs": theirs})
    };
    Ok([
        row("forward", forward),
        row("inverse, theirs without 1/N", inverse),
        row("inverse", inverse_normalized),
    ])
}

fn each(plans: &[Plan], words: &mut [u32], run: impl Fn(&Plan, &mut [u32])) {
    let n = words.len() / plans.len();
    for (plan, row) in plans.iter().zip(words.chunks_exact_mut(n)) {
        run(plan, row);
    }
}

/// Both multiply polynomials: the squares of `words` by both must be the same, or one of them is not measured doing its work.
fn agree(
    engine: &CpuEngine,
    ring: &<CpuEngine as Backend>::Ring,
    shape: &Shape,
    plans: &[Plan],
    words: &[u32],
) -> Result<(), Box<dyn Error>> {
    let mut x = engine.upload(ring, shape, Domain::Coeff, words)?;
    engine.ntt(ring, &mut x);
    let mut square = engine.alloc(ring, shape)?;
    engine.mul(ring, &mut square, &x, &x);
    engine.intt(ring, &mut square);
    let mut ours = vec![0; words.len()];
    engine.download(ring, &square, Domain::Coeff, &mut ours)?;
    let mut theirs = words.to_vec();
    each(plans, &mut theirs, |plan, row| {
        plan.fwd(row);
        let copy = row.to_vec();
        plan.mul_assign_normalize(row, &copy);
        plan.inv(row);
    });
    if ours == theirs {
        return Ok(());
    }
    Err("the two transforms do not give the same product".into())
}

/// Rounds of each by turns, so that what disturbs the machine disturbs both.
fn in_turns<'a>(seconds: f64, ours: &'a mut dyn FnMut(), theirs: &'a mut dyn FnMut()) -> [Value; 2] {
    let mut sides = [(ours, Vec::new(), 1usize), (theirs, Vec::new(), 1)];
    for (run, _, repeats) in &mut sides {
        run();
        let start = Instant::now();
        run();
        *repeats = ((ROUND_SECONDS / start.elapsed().as_secs_f64()) as usize).max(1);
    }
    let start = Instant::now();
    while sides[0].1.len() < FEWEST || start.elapsed().as_secs_f64() < seconds {
        for (run, times, repeats) in &mut sides {
            let start = Instant::now();
            for _ in 0..*repeats {
                run();
            }
            times.push(start.elapsed().as_secs_f64() / *repeats as f64);
        }
    }
    sides.map(|(_, mut times, _)| {
        times.sort_unstable_by(f64::total_cmp);
        json!({"median": times[times.len() / 2], "fastest": times[0]})
    })
}
