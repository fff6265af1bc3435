//! The reader of docs/format.md in Python reads every file of an exchange, and finds in them what this crate put there.

use std::process::Command;

use arras_toolkit::{Encrypted, SeededEncrypted};
use serde_json::{Value, json};

use super::*;

/// What Python finds in a container; `None` without Python.
fn python(path: &Path) -> Option<Value> {
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format_reader.py");
    let Ok(output) = Command::new("python3").arg(reader).arg(path).output() else {
        eprintln!("SKIPPED: there is no python3 to read {}", path.display());
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[track_caller]
fn has(found: &Value, fields: &Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&found[name], value, "{name} of {}", found["file"]);
    }
}

/// Level, number and the reader's sum over all values of ciphertexts.
fn seeded(input: &SeededEncrypted, context: &arras_ckks::Context<CpuEngine>) -> Value {
    let ciphertext = input.expand(context).unwrap();
    let words = ciphertext.ciphertext().poly().to_words().unwrap();
    let fields =
        json!({"kind": 8, "level": ciphertext.level(), "batch": ciphertext.layout().units()});
    with_sum(fields, &words[..words.len() / 2])
}

fn whole(output: &Encrypted<CpuEngine>) -> Value {
    let ciphertext = output.ciphertext();
    let fields = json!({"kind": 7, "level": ciphertext.level(), "batch": ciphertext.batch(), "components": 2, "pending": false});
    with_sum(fields, &ciphertext.poly().to_words().unwrap())
}

fn with_sum(mut fields: Value, words: &[u32]) -> Value {
    let weighted = words.iter().zip(1u64..).map(|(&w, i)| u64::from(w) * i);
    fields["sum"] = weighted.fold(0, u64::wrapping_add).into();
    fields
}

#[track_caller]
fn holds(found: &Value, objects: &[Value]) {
    let there = found["objects"].as_array().unwrap();
    assert_eq!(there.len(), objects.len(), "{}", found["file"]);
    for (found, object) in there.iter().zip(objects) {
        has(found, object);
    }
}

#[test]
fn python_reads_every_file_of_an_exchange() {
    let exchange = Exchange::new();
    let context = exchange.owner.context();
    let data = exchange.write_data();
    let Some(found) = python(&data) else { return };
    let opened = DatasetFile::open(&data, &exchange.plan, exchange.owner.key_set_id()).unwrap();
    let origin = opened.origin();
    let ids = json!({
        "plan": origin.plan.to_string(), "keys": origin.keys.to_string(), "dataset": origin.dataset.to_string(),
        "training_version": 2,
    });
    has(&found, &ids);
    has(&found, &json!({"kind": 12, "rounds": 2}));
    let mut inputs = vec![];
    for round in 0..2 {
        let round = opened.round(round).unwrap();
        let shapes = &exchange.plan.data_shapes().unwrap()[round.round];
        let named = shapes
            .iter()
            .map(|shape| round.inputs.get(&shape.name).unwrap());
        inputs.extend(named.map(|input| seeded(input, context)));
    }
    holds(&found, &inputs);

    let result = exchange
        .server()
        .train(&opened.round(0).unwrap(), None)
        .unwrap();
    let (out, start) = (exchange.path("out.arras"), exchange.path("state.arras"));
    save_result(&exchange.plan, &result, created(&out)).unwrap();
    let found = python(&out).unwrap();
    has(&found, &ids);
    has(&found, &json!({"kind": 9, "round": 0, "content": "state"}));
    let round = exchange.plan.round(0).unwrap();
    let outputs = round.program.circuit().outputs().iter();
    let outputs: Vec<Value> = outputs
        .map(|output| whole(&result.outputs[output.name()]))
        .collect();
    holds(&found, &outputs);

    let state = exchange
        .owner
        .refresh(exchange.data.record(), &result)
        .unwrap();
    save_state(&exchange.plan, &state, created(&start)).unwrap();
    let found = python(&start).unwrap();
    has(&found, &ids);
    has(&found, &json!({"kind": 9, "round": 1, "content": "start"}));
    let shapes = exchange.plan.round(1).unwrap().start_shapes();
    let inputs: Vec<Value> = shapes
        .iter()
        .map(|shape| seeded(state.inputs.get(&shape.name).unwrap(), context))
        .collect();
    holds(&found, &inputs);

    // Arrays of the toolkit.
    let (name, input) = state.inputs.iter().next().unwrap();
    let path = exchange.path(name);
    input.save(&path, REFUSE).unwrap();
    let found = python(&path).unwrap();
    has(&found, &json!({"kind": 11}));
    holds(&found, &[seeded(input, context)]);
    let array = input.expand(context).unwrap();
    array.save(&path, Overwrite::Replace).unwrap();
    let found = python(&path).unwrap();
    has(&found, &json!({"kind": 10}));
    holds(&found, &[whole(&array)]);

    // Keys.
    let keys = exchange.keys.evaluation().join("evaluation-keys.arras");
    let (_, set) = load_evaluation(&exchange.keys.evaluation(), true).unwrap();
    let found = python(&keys).unwrap();
    let kinds: Vec<u32> = set.set().iter().map(|key| key.kind().code()).collect();
    let listed = found["keys"].as_array().unwrap().iter();
    let listed: Vec<u64> = listed.map(|key| key["key"].as_u64().unwrap()).collect();
    assert!(listed.iter().copied().eq(kinds.into_iter().map(u64::from)));
    let secret = exchange.keys.secret().join("secret-key.arras");
    has(&python(&secret).unwrap(), &json!({"kind": 2, "rows": 1}));
}
