//! Times training circuits side by side on random data, each at its own smallest secure parameters.
use std::time::Instant;

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Context, Evaluator, KeyGenerator,
    params::{LevelWidth, ParametersBuilder},
};
use arras_toolkit::{
    Bindings, Client, Encrypted, Homomorphic, Plaintext, Program, Value,
    plan::KeyRequests,
    run::{Batching, Options},
};
use lr_train::{
    circuits::{Kind, Results, Spec, Start, TrainingCircuit},
    plain::Rate,
    sigmoid::Approximation,
};
use ndarray::Array2;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let k: usize = args.get(1).and_then(|a| a.parse().ok()).unwrap_or(6);
    let only = args.get(2).cloned().unwrap_or_default();
    let mut x = 1u64;
    let mut next = || {
        x = x
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (x >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0
    };
    for kind in Kind::ALL {
        if !only.is_empty() && kind.name() != only {
            continue;
        }
        let rows = if kind == Kind::SingleChainMaskFree {
            32
        } else {
            64
        };
        let (params, circuit) = [14u32, 15, 16, 17]
            .into_iter()
            .find_map(|log_n| {
                let spec = Spec {
                    kind,
                    slots: 1 << (log_n - 1),
                    features: 163,
                    minibatch: rows,
                    steps: Spec::nesterov_steps(&Rate::Constant(1.0), rows, 0, k).unwrap(),
                    activation: Approximation::cubic_16(),
                    start: Start::Zero,
                    results: Results::Model,
                };
                let c = TrainingCircuit::record(spec).ok()?;
                let levels = c.circuit().levels_needed();
                let p = ParametersBuilder::new(log_n)
                    .levels(levels)
                    .level_width(LevelWidth::Bits39)
                    .build()
                    .ok()?;
                Some((p, c))
            })
            .unwrap();
        let minibatches: Vec<Array2<f64>> = (0..k)
            .map(|_| Array2::from_shape_simple_fn((rows, 163), &mut next))
            .collect();
        let inputs = circuit.inputs(&minibatches, None).unwrap();
        let program = Program::new(circuit.circuit().clone());
        let plain = Plaintext::run(&program, &inputs).unwrap();
        let (twin, _) = circuit.weights(|n| plain.outputs.get(n)).unwrap();
        println!(
            "== {kind} k={k} N=2^{} levels {} dnum {} logQP {:.0} steps {} largest {:.2} keys {}",
            params.log_n(),
            params.max_level(),
            params.dnum(),
            params.log2_qp(),
            program.steps().len(),
            plain.largest,
            KeyRequests::of(&program).len()
        );
        let mut count: std::collections::BTreeMap<String, (usize, usize)> = Default::default();
        for s in program.steps() {
            let name = format!("{:?}", s.op());
            let name = name.split(['(', ' ', '{']).next().unwrap().to_owned();
            let name = if name == "Settle" {
                format!(
                    "Settle{}",
                    program.step(s.operands()[0]).form().components()
                )
            } else {
                name
            };
            let e = count.entry(name).or_default();
            e.0 += 1;
            e.1 += s.units();
        }
        println!("{count:?}");
        for threads in [1usize, 2] {
            let engine = CpuEngine::with_threads(threads).unwrap();
            let context = Context::new(&params, engine).unwrap();
            let client = Client::generate(&context).unwrap();
            let t = Instant::now();
            let keys = KeyRequests::of(&program)
                .generate(&KeyGenerator::new(client.secret_key("x").unwrap()).unwrap())
                .unwrap();
            let loaded = keys.load(&context).unwrap();
            let kt = t.elapsed();
            let enc = client.encrypt_inputs(&program, &inputs).unwrap();
            let enc: Bindings<Encrypted<CpuEngine>> = enc
                .iter()
                .map(|(n, v)| (n.to_owned(), v.expand(&context).unwrap()))
                .collect();
            let evaluator = std::sync::Arc::new(Evaluator::new(&context, loaded).unwrap());
            for (batching, side) in [
                (Batching::Waves, 1),
                (Batching::Off, 1),
                (Batching::Waves, threads),
                (Batching::Off, threads),
            ] {
                let h = Homomorphic::with_options(
                    evaluator.clone(),
                    Options::new().batching(batching).side_by_side(side),
                );
                h.run(&program, &enc).unwrap();
                let run = h.run(&program, &enc).unwrap();
                let out: std::collections::BTreeMap<String, Value> = run
                    .outputs
                    .iter()
                    .map(|(n, v)| (n.clone(), client.decrypt(v).unwrap()))
                    .collect();
                let (w, _) = circuit.weights(|n| out.get(n)).unwrap();
                let err = w
                    .iter()
                    .zip(&twin)
                    .fold(0f64, |m, (a, b)| m.max((a - b).abs()));
                println!(
                    "threads {threads} {batching:?} side {side}: {:.3} s work {:.3} calls {} waves {} width {} peak {:.0} MiB consts {:.0} MiB, err {err:.2e} (keys {:.2}s)",
                    run.report.seconds,
                    run.report.work_seconds,
                    run.report.calls,
                    run.report.waves,
                    run.report.width,
                    run.report.peak_ciphertext_bytes as f64 / 1048576.,
                    run.report.constant_bytes as f64 / 1048576.,
                    kt.as_secs_f64()
                );
                if threads == 1 && side == 1 && batching == Batching::Off {
                    break;
                }
            }
        }
    }
}
