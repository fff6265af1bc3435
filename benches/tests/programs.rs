//! Every program runs, on built-in data and as little of it as shows that it works, and writes what it says.

use std::{fs, path::Path, process::Command};

use arras::toolkit::cost::{CostTable, CostTableSpec};
use arras_backend_cpu::SimdLevel;
use arras_benches::{
    libraries::{Before, ours::COMPARED},
    training::{circuits::Circuits, plans::Plans, quality::Qualities},
};
use lr_train::report::Comparison;

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.arg("--quick").args(arguments);
    command
}

/// What a program prints, which is the page that it writes. Its numbers are beside it.
fn run(name: &str, arguments: &[&str], folder: &Path) -> String {
    let output = bench(&[name])
        .args(arguments)
        .arg("--out")
        .arg(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert_eq!(read(folder, &format!("{name}.md")), text);
    assert!(text.contains(&format!("-- {name} ")), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&read(folder, &format!("{name}.json"))).unwrap();
    assert!(json["machine"]["cpu"].is_string() && json["command"].is_string());
    text
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn circuits_compares_all_circuits_with_the_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let text = run("circuits", &[], folder.path());
    let circuits: Circuits = serde_json::from_str(&read(folder.path(), "circuits.json")).unwrap();
    let rows = &circuits.comparison.rows;
    assert_eq!((rows.len(), circuits.details.len()), (5, 5));
    for (row, detail) in rows.iter().zip(&circuits.details) {
        assert!(text.contains(&row.circuit));
        assert_eq!(row.circuit, detail.circuit.name());
        assert!(row.log_qp <= row.log_qp_bound, "{row:?}");
        assert!(row.weight_error.unwrap() < 1e-3, "{row:?}");
        // After two small minibatches the intercept still leans to one class, so that accuracy says little.
        assert!(row.auc.unwrap() > 0.95, "{row:?}");
        assert_eq!(row.seconds.len(), 2);
        assert!(detail.models.critical_path <= detail.models.operations);
        assert!(detail.models.key_switches <= detail.models.operations);
        assert!(detail.depth_from_encrypted_start >= row.depth);
    }
    assert_eq!(rows[0].circuit, "baseline");
    assert!(
        rows.iter()
            .all(|row| row.peak_bytes.unwrap() > row.key_bytes)
    );
    assert!(rows[1..].iter().all(|row| row.depth < rows[0].depth));
    assert!(text.contains("levels^2"));
    assert!(read(folder.path(), "circuits.html").starts_with("<!DOCTYPE html>"));
    let json = circuits.comparison.to_json().unwrap();
    assert_eq!(Comparison::from_json(&json).unwrap(), circuits.comparison);
}

#[test]
fn libraries_measures_ours_where_no_peer_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let text = run("libraries", &[], folder.path());
    assert!(text.contains("**left out**: OpenFHE"), "{text}");
    let before: Before = serde_json::from_str(&read(folder.path(), "libraries.json")).unwrap();
    // Every operation at each SIMD level of this processor, and with two threads.
    let levels = SimdLevel::available().count();
    assert_eq!(
        before.results.ours.len(),
        (levels + 1) * (COMPARED.len() + 1)
    );
    for row in &before.results.ours {
        assert!(row.times.median > 0.0, "{row:?}");
        assert!(row.model.is_none_or(|model| model > 0.0), "{row:?}");
    }
    assert_eq!(before.results.gains.len(), 3);
    assert!(before.results.training[0].peak_bytes.unwrap() > 1 << 20);
    let own = folder.path().join("libraries.json");
    // By its former name.
    let output = bench(&["peers", "--before"]).arg(own).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("before / now"), "{text}\n{errors}");
}

#[test]
fn scaling_draws_its_curves_and_makes_a_cost_table() {
    let folder = tempfile::tempdir().unwrap();
    let costs = folder.path().join("costs.json");
    let text = run(
        "scaling",
        &["--costs", costs.to_str().unwrap()],
        folder.path(),
    );
    for of in ["N", "level", "batch", "threads"] {
        assert!(text.contains(&format!("## By {of}")), "{text}");
    }
    assert!(read(folder.path(), "scaling.svg").starts_with("<svg"));
    let tables: Vec<CostTableSpec> =
        serde_json::from_str(&read(folder.path(), "costs.json")).unwrap();
    assert!(!tables.is_empty());
    for table in tables {
        assert_eq!(CostTable::from_spec(table).unwrap().log_n(), 13);
    }
}

#[test]
fn quality_is_that_of_plaintext_training() {
    let folder = tempfile::tempdir().unwrap();
    let text = run("quality", &[], folder.path());
    let qualities: Qualities = serde_json::from_str(&read(folder.path(), "quality.json")).unwrap();
    assert_eq!(qualities.table.len(), 3);
    assert_eq!(qualities.checks.len(), 3);
    assert!(qualities.passed() && !text.contains("FAILED"), "{text}");
    let images = qualities.table[0].encrypted.as_ref().unwrap();
    assert_eq!(images.rounds.iter().sum::<usize>(), 2);
    assert!(images.weight_error < 1e-3);
    assert!(text.contains("breast cancer"));
}

#[test]
fn plans_are_what_runs_take() {
    let folder = tempfile::tempdir().unwrap();
    // Fails by itself if bytes are not exact or memory is off.
    let text = run("plans", &[], folder.path());
    let plans: Plans = serde_json::from_str(&read(folder.path(), "plans.json")).unwrap();
    assert_eq!(plans.rows.len(), 5);
    for row in &plans.rows {
        assert!(text.contains(row.circuit.name()));
        assert!(row.bytes_are_exact() && row.sent.data.run > 0, "{row:?}");
        let seconds = row.seconds(1).unwrap();
        assert!(seconds.plan > 0.0 && seconds.run > 0.0, "{row:?}");
        if let Some(memory) = row.memory() {
            assert!(memory.off().abs() <= 0.2, "{row:?}");
        }
    }
}

#[test]
fn pages_of_single_operations_have_their_tables() {
    let folder = tempfile::tempdir().unwrap();
    for (name, parts) in [
        ("primitives", ["### Ring", "| decrypt ", "### Memory"]),
        (
            "operations",
            [
                "## With an encrypted number",
                "| matrix x number ",
                "## Beside the published figures",
            ],
        ),
        (
            "batching",
            [" hoisting |", " waves |", "3 independent chains"],
        ),
    ] {
        let text = run(name, &[], folder.path());
        for part in parts {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}

#[cfg(not(feature = "gpu"))]
#[test]
fn programs_for_a_gpu_say_which_feature_is_missing() {
    for name in ["engines", "kernels", "recording"] {
        let output = bench(&[name, "--adapter", "any"]).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(
            errors.contains("--features gpu") && errors.contains(name),
            "{errors}"
        );
    }
}
