//! Trainings with every circuit, planned as a user plans them and run with fixed seeds: parameters, keys, rounds, steps, counts and
//! the residues of inputs and results are those written down in `golden.txt`.
//!
//! `ARRAS_WRITE_GOLDEN=1` writes the file anew; a change of it means that trainings or their ciphertexts have changed, which the
//! changelog mentions.

use std::{fmt::Write as _, path::Path};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, KeyGenerator, SecretKey, params::Security, random::Seed};
use arras_toolkit::{Client, Homomorphic, OpCount, Program};
use lr_train::{
    circuits::Kind,
    data::builtin,
    preprocess::{Preprocessor, Scheme, signed_rows},
    trainer::{PlannerOptions, Rounds, Settings, plan},
};
use ndarray::{Array1, Array2, Axis};

/// What a program is: each step by its operands, ciphertexts, level and components.
fn shape(program: &Program) -> String {
    let mut hasher = blake3::Hasher::new();
    for step in program.steps() {
        for operand in step.operands() {
            hasher.update(&(operand.index() as u64).to_le_bytes());
        }
        for number in [step.units(), step.level(), step.form().components()] {
            hasher.update(&(number as u64).to_le_bytes());
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn digest<'a>(words: impl Iterator<Item = Vec<u32>> + 'a) -> String {
    let mut hasher = blake3::Hasher::new();
    for word in words.flatten() {
        hasher.update(&word.to_le_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

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
        let count = OpCount::of(&round.program);
        writeln!(
            text,
            "    round {index}: needs {} steps {} {} waves {} products {} plaintext {} scalar {} key-switches {} rotations {}",
            round.program.levels_needed(),
            round.program.steps().len(),
            shape(&round.program),
            round.program.waves().len(),
            count.ciphertext_products(),
            count.plaintext_products(),
            count.scalar_products(),
            count.key_switches(),
            count.rotations(),
        )
        .unwrap();
    }
    if !run {
        return text;
    }
    let round = plan.round(0).unwrap();
    let context = Context::new(params, CpuEngine::new()).unwrap();
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([0x51; 32])).unwrap();
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([0x52; 32]));
    let keys = keys.generate(&generator).unwrap();
    let client = Client::with_secret_key(secret)
        .unwrap()
        .with_seed(Seed::from_bytes([0x53; 32]));
    let minibatches: Vec<Array2<f64>> = (0..report.chosen.rounds[0])
        .map(|i| {
            let rows: Vec<usize> = (0..settings.minibatch)
                .map(|r| (i * settings.minibatch + r) % z.nrows())
                .collect();
            z.select(Axis(0), &rows)
        })
        .collect();
    let values = round.circuit.inputs(&minibatches, None).unwrap();
    let sent = client.encrypt_inputs(&round.program, &values).unwrap();
    let inputs = sent.expand(&context).unwrap();
    let words = inputs
        .iter()
        .map(|(_, input)| input.ciphertext().poly().to_words().unwrap());
    writeln!(text, "    inputs  {}", digest(words)).unwrap();
    let evaluator = Evaluator::new(&context, keys.into_loaded(&context).unwrap()).unwrap();
    let run = Homomorphic::new(evaluator)
        .run(&round.program, &inputs)
        .unwrap();
    let words = run
        .outputs
        .values()
        .map(|output| output.ciphertext().poly().to_words().unwrap());
    writeln!(text, "    results {}", digest(words)).unwrap();
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
    let made = made();
    if std::env::var_os("ARRAS_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    for (line, (made, known)) in made.lines().zip(known.lines()).enumerate() {
        assert_eq!(made, known, "line {}", line + 1);
    }
    assert_eq!(made.lines().count(), known.lines().count());
}
