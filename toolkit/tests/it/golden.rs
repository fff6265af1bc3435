//! Every operation of the suite recorded, counted and run with fixed seeds: levels, steps, counts, keys and the residues of every
//! output are those written down in `golden.txt`.
//!
//! `ARRAS_WRITE_GOLDEN=1` writes the file anew; a change of it means that a circuit or its ciphertexts have changed, which the
//! changelog mentions.

use std::{fmt::Write as _, path::Path};

use arras_backend_cpu::CpuEngine;
use arras_toolkit::{
    Program,
    conformance::{
        golden::{assert_written_down, counts, digest, shape},
        lists, party,
        sheet::{SIZES, Sheet},
    },
    plan::KeyRequests,
};

const SEED: u8 = 0x71;

/// Lists that the suite has and the file has not: they are held against the reference engine alone.
const NOT_WRITTEN_DOWN: [&str; 1] = ["constants"];

fn record() -> String {
    let mut text = String::new();
    let (written, others): (Vec<_>, Vec<_>) = lists()
        .into_iter()
        .partition(|(name, _)| !NOT_WRITTEN_DOWN.contains(name));
    assert_eq!(others.len(), NOT_WRITTEN_DOWN.len());
    for (name, operations) in written {
        for size in SIZES {
            let sheet = Sheet::new(size).unwrap();
            operations(&sheet);
            let (circuit, inputs) = sheet.finish().unwrap();
            let program = Program::new(circuit);
            let levels = program.levels_needed();
            writeln!(
                text,
                "{name} {}x{}: levels {levels} steps {} {} {} keys {}",
                size.0,
                size.1,
                program.steps().len(),
                shape(&program),
                counts(&program),
                KeyRequests::of(&program).len(),
            )
            .unwrap();

            let params = party::insecure(8, levels.max(1)).unwrap();
            let client = party::client(&params, CpuEngine::new(), SEED).unwrap();
            let sent = client.encrypt_inputs(&program, &inputs).unwrap();
            let inputs = sent.expand(client.context()).unwrap();
            let server = party::homomorphic(&client, &program, SEED).unwrap();
            let run = server.run(&program, &inputs).unwrap();
            let outputs = run.outputs.values();
            let words = outputs.map(|output| output.ciphertext().poly().to_words().unwrap());
            writeln!(text, "    residues {}", digest(words)).unwrap();
        }
    }
    text
}

#[test]
fn circuits_and_ciphertexts_are_those_written_down() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden.txt");
    assert_written_down(&path, &record());
}
