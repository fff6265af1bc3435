//! Trainings with every circuit, planned as a user plans them and run with fixed seeds: parameters, keys, rounds, steps, counts and
//! the residues of inputs and results are those written down in `golden.txt`.
//!
//! `ARRAS_WRITE_GOLDEN=1` writes the file anew; a change of it means that trainings or their ciphertexts have changed, which the
//! changelog mentions.

use std::{fmt::Write as _, path::Path};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Evaluator, params::Security};
use arras_toolkit::{
    Homomorphic,
    conformance::{
        golden::{assert_written_down, counts, digest, shape},
        party,
    },
};
use lr_train::{
    circuits::Kind,
    data::builtin,
    plain::Examples,
    preprocess::{Preprocessor, Scheme, signed_rows},
    trainer::{PlannerOptions, Rounds, Settings, plan},
};
use ndarray::{Array1, Array2, Axis};

const SEED: u8 = 0x51;

/// A plan and what its rounds are; with `run`, the first round trained with fixed seeds.
fn record(settings: &Settings, z: &Array2<f64>, options: &PlannerOptions, run: bool) -> String {
    let mut text = String::new();
    let (plan, report) = plan(settings, z.ncols(), z.nrows(), options).unwrap();
    let params = plan.params();
    let keys = plan.key_requests();
    writeln!(
        text,
        "{}: N = 2^{} levels {} {} dnum {} keys {} of {} bytes, data {} bytes, rounds {:?}",
        plan.kind(),
        params.log_n(),
        params.max_level(),
        params
            .fingerprint()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>(),
        report.chosen.dnum,
        keys.len(),
        report.chosen.key_file_bytes,
        report.chosen.data_bytes,
        report.chosen.rounds,
    )
    .unwrap();
    let rotations: Vec<String> = keys
        .rotations
        .iter()
        .map(|(steps, level)| format!("{steps}@{level}"))
        .collect();
    writeln!(
        text,
        "    relinearization {:?} rotations {}",
        keys.relinearization,
        rotations.join(" ")
    )
    .unwrap();
    for index in 0..report.chosen.rounds.len() {
        let round = plan.round(index).unwrap();
        writeln!(
            text,
            "    round {index}: needs {} steps {} {} waves {} {}",
            round.program.levels_needed(),
            round.program.steps().len(),
            shape(&round.program),
            round.program.waves().len(),
            counts(&round.program),
        )
        .unwrap();
    }
    if !run {
        return text;
    }
    let round = plan.round(0).unwrap();
    let client = party::client(params, CpuEngine::new(), SEED).unwrap();
    let context = client.context();
    let keys = party::keys(&client, keys, SEED).unwrap();
    let minibatches: Vec<Examples> = (0..report.chosen.rounds[0])
        .map(|i| {
            let rows: Vec<usize> = (0..settings.minibatch)
                .map(|r| (i * settings.minibatch + r) % z.nrows())
                .collect();
            z.select(Axis(0), &rows).into()
        })
        .collect();
    let values = round.circuit.inputs(&minibatches, None).unwrap();
    let sent = client.encrypt_inputs(&round.program, &values).unwrap();
    let inputs = sent.expand(context).unwrap();
    let words = inputs
        .iter()
        .map(|(_, input)| input.ciphertext().poly().to_words().unwrap());
    writeln!(text, "    inputs  {}", &digest(words)[..32]).unwrap();
    let evaluator = Evaluator::new(context, keys.into_loaded(context).unwrap()).unwrap();
    let run = Homomorphic::new(evaluator)
        .run(&round.program, &inputs)
        .unwrap();
    let words = run
        .outputs
        .values()
        .map(|output| output.ciphertext().poly().to_words().unwrap());
    writeln!(text, "    results {}", &digest(words)[..32]).unwrap();
    // Decrypted they are weights, so that the digests are not those of noise.
    let mut outputs = std::collections::BTreeMap::new();
    for (name, output) in &run.outputs {
        outputs.insert(name.clone(), client.decrypt(output).unwrap());
    }
    let (weights, _): (Array1<f64>, _) = round.circuit.weights(|name| outputs.get(name)).unwrap();
    assert!(weights.iter().any(|w| w.abs() > 1e-3), "{weights}");
    assert!(weights.iter().all(|w| w.abs() < 10.0), "{weights}");
    text
}

fn made() -> String {
    let digits = builtin::digits().unwrap();
    let preprocessor = Preprocessor::fit(&digits, Scheme::MaxAbs).unwrap();
    let z = signed_rows(&preprocessor.apply(&digits).unwrap(), digits.labels()).unwrap();
    let mut text = String::new();
    let options = PlannerOptions::new().threads(1);
    for kind in Kind::ALL {
        let settings = Settings::new(32, 6).circuit(kind);
        text += &record(&settings, &z, &options, false);
        let settings = Settings::new(64, 8).circuit(kind).rounds(Rounds::Count(2));
        text += &record(&settings, &z, &options, false);
    }
    let small = PlannerOptions::new()
        .log_n(11..=11)
        .security(Security::InsecureForTests)
        .threads(1);
    for kind in Kind::ALL {
        let settings = Settings::new(16, 4).circuit(kind).rounds(Rounds::Count(2));
        text += &record(&settings, &z, &small, true);
    }
    let settings = Settings::new(32, 3).circuit(Kind::SingleChainMaskFree);
    text += &record(&settings, &z, &options, true);
    text
}

#[test]
fn trainings_are_those_written_down() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.txt");
    assert_written_down(&path, &made());
}
