//! Every operation of the suite recorded, counted and run with fixed seeds: levels, steps, counts, keys and the residues of every
//! output are those written down in `golden.txt`.
//!
//! `ARRAS_WRITE_GOLDEN=1` writes the file anew; a change of it means that a circuit or its ciphertexts have changed, which the
//! changelog mentions.

use std::{fmt::Write as _, path::Path};

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Context, Evaluator, KeyGenerator, Parameters, SecretKey,
    params::{Dnum, LevelWidth, Security},
    random::Seed,
};
use arras_toolkit::{
    Client, Homomorphic, OpCount, Program,
    conformance::{
        lists,
        sheet::{SIZES, Sheet},
    },
    plan::KeyRequests,
};

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

fn record() -> String {
    let mut text = String::new();
    for (name, operations) in lists() {
        for size in SIZES {
            let sheet = Sheet::new(size).unwrap();
            operations(&sheet);
            let (circuit, inputs) = sheet.finish().unwrap();
            let program = Program::new(circuit);
            let count = OpCount::of(&program);
            let keys = KeyRequests::of(&program);
            writeln!(
                text,
                "{name} {}x{}: levels {} steps {} {} products {} plaintext {} scalar {} key-switches {} rotations {} keys {}",
                size.0,
                size.1,
                program.levels_needed(),
                program.steps().len(),
                shape(&program),
                count.ciphertext_products(),
                count.plaintext_products(),
                count.scalar_products(),
                count.key_switches(),
                count.rotations(),
                keys.len(),
            )
            .unwrap();

            let params = Parameters::builder()
                .log_n(8)
                .levels(program.levels_needed().max(1))
                .level_width(LevelWidth::Bits39)
                .dnum(Dnum::Fixed(3))
                .security(Security::InsecureForTests)
                .build()
                .unwrap();
            let context = Context::new(&params, CpuEngine::new()).unwrap();
            let secret = SecretKey::from_seed(&context, &Seed::from_bytes([0x71; 32])).unwrap();
            let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([0x72; 32]));
            let keys = keys.generate(&generator).unwrap();
            let client = Client::with_secret_key(secret)
                .unwrap()
                .with_seed(Seed::from_bytes([0x73; 32]));
            let sent = client.encrypt_inputs(&program, &inputs).unwrap();
            let inputs = sent.expand(&context).unwrap();
            let evaluator = Evaluator::new(&context, keys.load(&context).unwrap()).unwrap();
            let run = Homomorphic::new(evaluator).run(&program, &inputs).unwrap();
            let mut hasher = blake3::Hasher::new();
            for output in run.outputs.values() {
                for word in output.ciphertext().poly().to_words().unwrap() {
                    hasher.update(&word.to_le_bytes());
                }
            }
            writeln!(text, "    residues {}", hasher.finalize().to_hex()).unwrap();
        }
    }
    text
}

#[test]
fn circuits_and_ciphertexts_are_those_written_down() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden.txt");
    let made = record();
    if std::env::var_os("ARRAS_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    for (line, (made, known)) in made.lines().zip(known.lines()).enumerate() {
        assert_eq!(made, known, "line {}", line + 1);
    }
    assert_eq!(made.lines().count(), known.lines().count());
}
