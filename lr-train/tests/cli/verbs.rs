//! What verbs say.

use crate::support::{Desk, finished, small_csv};

#[test]
fn every_verb_has_help_and_the_whole_has_exit_codes() {
    let desk = Desk::new();
    for verb in [
        "demo", "try", "plan", "keygen", "encrypt", "train", "refresh", "decrypt", "evaluate",
        "predict", "inspect", "devices",
    ] {
        desk.ok(&format!("{verb} --help")).says("Example | --json");
        let help = desk.ok(&format!("{verb} -h")).stdout;
        let lines: Vec<&str> = help.lines().filter(|line| !line.is_empty()).collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        for pair in lines.windows(2) {
            let option = pair[0].trim_start();
            let below = indent(pair[1]) > indent(pair[0]) && !pair[1].trim_start().starts_with('-');
            let said = option.contains("  ") || below;
            assert!(said || !option.starts_with('-'), "{verb} {option}: no help");
        }
    }
    desk.ok("--help").says("Exit codes | lr-train decrypt");
}

#[test]
fn plan_answers_everything_before_any_key() {
    let desk = Desk::new();
    let said = desk.ok("plan --data builtin:digits --settings fixed --minibatch 32 --iterations 3");
    said.says(
        "circuit | ring degree N | levels | dnum | log2(QP) | for 128 bits | evaluation keys | data to send | server memory | \
         key switches | time | predicted error | iterations that fit | baseline | single-chain-mask-free | 285 rows | \
         10 constant columns left out | nothing written",
    );
    let report =
        &desk.json("plan --features 54 --rows 285 --minibatch 32 --iterations 3")["report"];
    let seconds =
        |candidate: &serde_json::Value| candidate["seconds"][0]["seconds"].as_f64().unwrap();
    let candidates = report["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 5);
    // auto takes the fastest.
    assert!(
        candidates
            .iter()
            .all(|c| seconds(c) >= seconds(&report["chosen"]))
    );
    let chosen = &report["chosen"];
    assert!(chosen["log2-qp"].as_f64() <= chosen["log2-qp-bound"].as_f64());
}

#[test]
fn try_finds_settings_that_plan_takes() {
    let desk = Desk::new();
    desk.write("train.csv", small_csv(60));
    let said = desk.ok("try --data train.csv --label y --most-iterations 6");
    said.says("log loss | AUC | accuracy | exact solver | chosen | lr-train plan --data train.csv --label y");
    let found = desk.json("try --data train.csv --label y --most-iterations 6 --threads 1");
    assert!(
        found["found"]["chosen"]["setting"]["iterations"]
            .as_u64()
            .unwrap()
            <= 6
    );
    assert!(found["seconds"].as_f64().unwrap() > 0.0);
    let arguments = found["arguments"].as_str().unwrap();
    desk.ok(&format!("plan --data train.csv --label y {arguments}"));
    desk.refuses("3 | try --data train.csv --label a --positive 1 | a");
}

#[test]
fn fastest_rounds_are_no_slower_than_any_others() {
    let desk = Desk::new();
    let seconds = |rounds: &str| {
        let plan = desk.json(&format!(
            "plan --features 54 --rows 285 --minibatch 32 --iterations 6 --log-n 15 --rounds {rounds}"
        ));
        let chosen = &plan["report"]["chosen"];
        let lengths = chosen["rounds"].as_array().unwrap().len();
        (chosen["seconds"][0]["seconds"].as_f64().unwrap(), lengths)
    };
    let (fastest, many) = seconds("fastest");
    assert!(many > 1, "{many} rounds");
    for others in ["one", "fewest", "2"] {
        let (least, _) = seconds(others);
        assert!(fastest <= least, "{others}: {least} against {fastest}");
    }
    desk.ok("plan --help").says("fastest");
}

#[test]
fn inspect_knows_every_file() {
    let desk = finished();
    let records = desk.listing("keys/secret/datasets");
    for (file, words) in [
        ("plan.toml", "training plan | baseline"),
        (
            "data.arras",
            "encrypted data of 1 rounds | checksum verified | 2^",
        ),
        ("result.arras", "an encrypted model | checksum verified"),
        ("model.json", "model | weights"),
        (
            "keys/eval/evaluation-keys.arras",
            "evaluation key | Galois element",
        ),
        (
            "keys/secret/secret-key.arras",
            "secret key | keep it private",
        ),
        (&records[0], "record of an exchange | rounds-taken 1"),
        (&records[1], "record of a data set"),
    ] {
        desk.ok(&format!("inspect {file}")).says(words);
        let size = desk.json(&format!("inspect {file}"))["bytes"].as_u64();
        assert_eq!(size, Some(desk.read(file).len() as u64), "{file}");
    }
    desk.refuses(
        "
        4 | inspect train.csv | train.csv | is not a file that lr-train writes
        5 | inspect absent | absent
        ",
    );
}

#[test]
fn progress_and_notes_stay_off_standard_output() {
    let desk = finished();
    let said = desk.ok("evaluate --model model.json --data train.csv --label y --json");
    assert_eq!((said.stderr.as_str(), said.stdout.lines().count()), ("", 1));
    let said = desk.ok("predict --model model.json --data train.csv --label y --quiet");
    assert_eq!(
        (said.stderr.as_str(), said.stdout.lines().count()),
        ("", 25)
    );
}

#[test]
fn measured_costs_serve_the_planner() {
    let desk = Desk::new();
    let said =
        desk.json("devices --engine cpu:1 --measure --log-n 13 --seconds 0.1 --out costs.toml");
    let test = &said["engines"][0]["self-test"];
    assert!(
        test["products-per-second"].as_f64().unwrap() > 1.0
            && test["rotations-per-second"].as_f64().unwrap() > 1.0,
        "{said}"
    );
    desk.ok("inspect costs.toml");
    let plan =
        desk.json("plan --features 5 --rows 40 --minibatch 16 --iterations 1 --costs costs.toml");
    let engine = plan["report"]["chosen"]["seconds"][0]["engine"]
        .as_str()
        .unwrap();
    assert!(engine.contains("1 thread"), "{engine}");
    desk.write("costs.json", "{}");
    desk.refuses("4 | plan --features 5 --rows 40 --costs costs.json | costs.json | --measure");
    let listed = desk.json("devices --list");
    assert_eq!(listed["engines"].as_array().unwrap().len(), 3);
}

/// Half a minute on two cores, more where they are shared.
#[test]
#[ignore = "takes half a minute"]
fn demo_tells_the_story() {
    let desk = Desk::new();
    let said = desk.json("demo --out page.html --seconds 1");
    let rows = said["report"]["comparison"]["rows"].as_array().unwrap();
    assert!(rows.len() >= 2);
    for row in rows {
        assert!(
            row["accuracy"].as_f64().unwrap() > 0.95
                && row["weight_error"].as_f64().unwrap() < 1e-3,
            "{row}"
        );
    }
    assert!(desk.text("page.html").starts_with("<!DOCTYPE html>"));
    let rounds = desk.json("demo --rounds --out rounds.html");
    let points = &rounds["report"]["accuracy"][0]["points"];
    assert_eq!(points.as_array().unwrap().len(), 3);
}
