//! The reader of docs/format.md in Python, which shares no code with this crate, finds in files what this crate finds.
//!
//! Skipped, and said so, where there is no `python3`.

use std::{path::PathBuf, process::Command};

use arras_ckks::{
    BootstrapPlan, Ciphertext, Context, Encryptor, EvaluationKeySet, KeyGenerator, KeyKind,
    Parameters, SecretKey, SeededCiphertext, SwitchingKey, params::Security, random::Seed,
};
use arras_hal::Reference;
use serde_json::{Value, json};

fn here(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn golden(name: &str) -> PathBuf {
    here("tests/golden/v1").join(format!("{name}.arras"))
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).unwrap()
}

/// What Python finds in a golden file; `None` without Python.
fn read(name: &str) -> Option<Value> {
    let output = Command::new("python3")
        .arg(here("../docs/format_reader.py"))
        .arg(golden(name))
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is no python3 to read {name} with");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The reader's sum over all values.
fn sum(words: &[u32]) -> u64 {
    let weighted = words.iter().zip(1u64..).map(|(&w, i)| u64::from(w) * i);
    weighted.fold(0, u64::wrapping_add)
}

#[track_caller]
fn has(found: &Value, fields: &Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&found[name], value, "{name} of {}", found["file"]);
    }
}

#[test]
fn python_reads_what_this_crate_wrote() {
    let params = Parameters::from_bytes_allowing_insecure(&bytes("parameters")).unwrap();
    let context = Context::new(&params, Reference::new()).unwrap();
    let Some(found) = read("parameters") else {
        return;
    };
    let spec = params.spec();
    let windows: Vec<_> = spec
        .windows
        .iter()
        .map(|w| (w.mains, w.terminals))
        .collect();
    has(&found, &json!({"kind": 1, "rows": 0}));
    has(
        &found["parameters"],
        &json!({
            "log_n": spec.log_n, "windows": windows, "terminals": spec.terminals, "mains": spec.mains, "specials": spec.specials,
            "digit_sizes": spec.digit_sizes, "security": "INSECURE", "basis": params.moduli(),
        }),
    );
    let scale = found["parameters"]["base_scale"].as_f64().unwrap();
    assert!((scale / spec.base_scale - 1.0).abs() < 1e-15);

    for name in ["ciphertext", "ciphertext_pending", "ciphertext_cut"] {
        let ct = Ciphertext::from_bytes(&bytes(name), &context).unwrap();
        let words = ct.poly().to_words().unwrap();
        has(
            &read(name).unwrap(),
            &json!({
                "kind": 7, "level": ct.level(), "batch": ct.batch(), "components": ct.components(), "pending": ct.is_pending(),
                "limbs": ct.limbs().iter().collect::<Vec<_>>(), "rows": words.len() / params.n(), "sum": sum(&words),
            }),
        );
    }
    // A seeded ciphertext is component 0 of what it expands to.
    let seeded = SeededCiphertext::from_bytes(&bytes("seeded_ciphertext"), &params).unwrap();
    let words = seeded.expand(&context).unwrap().poly().to_words().unwrap();
    let c0 = &words[..words.len() / 2];
    has(
        &read("seeded_ciphertext").unwrap(),
        &json!({"kind": 8, "level": 2, "batch": 2, "rows": c0.len() / params.n(), "sum": sum(c0)}),
    );

    let rows = |key: &SwitchingKey| key.layout().digits * key.layout().limbs.len();
    let key = SwitchingKey::from_bytes(&bytes("switching_key"), &params).unwrap();
    has(
        &read("switching_key").unwrap(),
        &json!({"kind": 4, "key": key.kind().code(), "level_budget": key.level_budget(), "rows": rows(&key)}),
    );
    let set = EvaluationKeySet::from_bytes(&bytes("evaluation_keys"), &params).unwrap();
    let found = read("evaluation_keys").unwrap();
    has(
        &found,
        &json!({"kind": 5, "rows": set.iter().map(rows).sum::<usize>()}),
    );
    for (found, key) in found["keys"].as_array().unwrap().iter().zip(set.iter()) {
        has(
            found,
            &json!({"key": key.kind().code(), "level_budget": key.level_budget()}),
        );
    }
    for (name, fields) in [
        ("secret_key", json!({"kind": 2, "rows": 1})),
        (
            "public_key",
            json!({"kind": 3, "rows": params.special_range().start + 1}),
        ),
        (
            "plaintext",
            json!({"kind": 6, "level": 1, "weights": false, "batch": 1}),
        ),
        (
            "plaintext_weights",
            json!({"kind": 6, "level": 2, "weights": true, "batch": 1}),
        ),
    ] {
        has(&read(name).unwrap(), &fields);
    }
}

#[test]
fn python_reads_sets_and_keys_of_bootstraps() {
    let builder = Parameters::builder().log_n(8).levels(3).bootstrapping(16);
    let builder = builder.security(Security::InsecureForTests);
    let params = builder.build().unwrap();
    let context = Context::new(&params, Reference::new()).unwrap();
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
    let plan = BootstrapPlan::new(&params, 16).unwrap();
    let keys = generator.bootstrapping_keys(&plan).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    for (kind, level) in [(KeyKind::ToSparse, 0), (KeyKind::FromSparse, 13)] {
        let key = keys.get(kind).unwrap();
        std::fs::write(&path, key.to_bytes().unwrap()).unwrap();
        let output = Command::new("python3")
            .arg(here("../docs/format_reader.py"))
            .arg(&path)
            .output();
        let Ok(output) = output else {
            eprintln!("SKIPPED: there is no python3");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{kind}: {said}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = key.layout().digits * key.layout().limbs.len();
        has(
            &found,
            &json!({"kind": 4, "key": kind.code(), "level_budget": level, "rows": rows}),
        );
        has(
            &found["parameters"],
            &json!({
                "security": "INSECURE", "levels": 3,
                "bootstrap": {
                    "levels": 3, "coefficients_to_slots": 2, "slots_to_coefficients": 2, "secret_weight": 32, "integer_bound": 13,
                },
            }),
        );
    }
}

#[test]
fn python_refuses_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    let good = bytes("ciphertext");
    let header = u32::from_le_bytes(good[16..20].try_into().unwrap()) as usize;
    // The magic, the version, the bound, the length of the payload, a residue above its modulus, the end.
    for (at, byte) in [(0, 0), (8, 3), (15, 0xff), (20, 1), (28 + header + 3, 0xff)] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        if at > 28 {
            bytes[at - 3..at + 6].fill(byte);
        }
        std::fs::write(&path, &bytes).unwrap();
        let output = Command::new("python3")
            .arg(here("../docs/format_reader.py"))
            .arg(&path)
            .output();
        let Ok(output) = output else {
            eprintln!("SKIPPED: there is no python3");
            return;
        };
        assert!(!output.status.success(), "byte {at}");
    }
}

#[test]
fn python_reads_bounds_and_refuses_those_that_cannot_be() {
    let params = Parameters::from_bytes_allowing_insecure(&bytes("parameters")).unwrap();
    let context = Context::new(&params, Reference::new()).unwrap();
    let secret = SecretKey::from_bytes(&bytes("secret_key"), &context).unwrap();
    let encryptor = Encryptor::with_seed(&secret, Seed::from_bytes([3; 32])).largest_value(2.5);
    let good = encryptor.encrypt(&[&[1.5]], 1).unwrap().to_bytes().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bounded");
    let read = |bound: f32| {
        let mut bytes = good.clone();
        bytes[12..16].copy_from_slice(&bound.to_le_bytes());
        let signed = bytes.len() - 32;
        let checksum = *blake3::hash(&bytes[..signed]).as_bytes();
        bytes[signed..].copy_from_slice(&checksum);
        std::fs::write(&path, &bytes).unwrap();
        Command::new("python3")
            .arg(here("../docs/format_reader.py"))
            .arg(&path)
            .output()
    };
    let Ok(output) = read(2.5) else {
        eprintln!("SKIPPED: there is no python3");
        return;
    };
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    has(&found, &json!({"kind": 8, "level": 1, "bound": 2.5}));
    let most = params.headroom(1) as f32;
    assert!(read(0.999 * most).unwrap().status.success());
    for bad in [1.001 * most, -1.0, -0.0, f32::NAN, f32::INFINITY] {
        assert!(!read(bad).unwrap().status.success(), "{bad}");
    }
}
