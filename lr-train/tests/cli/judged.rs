//! Trainings that would give no useful model are refused before there are keys; what the client can know is said.

use std::fmt::Write;

use crate::support::{Desk, finished, small_csv};

/// Two features of about ±1 around their classes' centres, which a line separates but for a few rows.
fn separable(rows: usize) -> String {
    let mut state = 1u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let mut text = String::from("a,b,y\n");
    for row in 0..rows {
        let centre = if row % 2 == 1 { 0.8 } else { -0.8 };
        let (a, b) = (centre + 2.0 * uniform(), 0.5 * centre + 2.0 * uniform());
        writeln!(text, "{a:.4},{b:.4},{}", row % 2).unwrap();
    }
    text
}

const PLAN: &str = "plan --data train.csv --label y --settings fixed --first-step published --normalize standard --minibatch 64 --iterations 4";

#[test]
fn rates_that_diverge_are_refused_unless_they_are_meant() {
    let desk = Desk::new();
    desk.write("train.csv", separable(100));
    desk.fails(
        &format!("{PLAN} --lr 100 --out plan.toml"),
        6,
        "a ciphertext of the result holds | [-16, 16] | --lr | --iterations | --normalize | --sigmoid | log loss | --force",
    );
    desk.fails(
        &format!("{PLAN} --lr 30 --out plan.toml"),
        6,
        "leave [-16, 16] | scores from",
    );
    assert_eq!(desk.listing("."), ["train.csv"]);
    // Rows that break what the circuits of a plan assume are not encrypted, either.
    desk.ok(&format!("{PLAN} --lr 30 --out broken.toml --force"));
    desk.ok("keygen --plan broken.toml --out broken");
    let encrypt = "encrypt --keys broken --data train.csv --label y --out broken.arras";
    desk.fails(
        encrypt,
        6,
        "leave [-16, 16] | the circuits assume | by row | in iteration 1 | --lr | --force",
    );
    assert_eq!(desk.listing("broken/secret/datasets").len(), 0);
    desk.ok(&format!("{encrypt} --force"))
        .notes("WARNING: from iteration | [-16, 16]");
    let said = desk.json(&format!("{PLAN} --lr 3"));
    assert_eq!(
        said["report"]["forecast"]["left-in"],
        serde_json::Value::Null
    );
    // Those who mean it hear of it at each step.
    let meant = PLAN.replace("--iterations 4", "--iterations 3");
    desk.ok(&format!("{meant} --lr 30 --out plan.toml --force"))
        .notes("WARNING (--force): | scores from");
    desk.ok("keygen --plan plan.toml --out keys");
    desk.ok("encrypt --keys keys --data train.csv --label y --out data.arras")
        .notes("WARNING: | scores from | [-16, 16]");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
    desk.ok("decrypt --keys keys --result result.arras --out model.json")
        .notes("final weights give scores from | [-16, 16]");
}

#[test]
fn numbers_that_json_does_not_have_are_named() {
    let desk = Desk::new();
    let said = desk.run(
        "plan --features 3 --rows 100 --minibatch 32 --iterations 6 --circuit baseline --lr 1e9 --json --force",
    );
    let said: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let error = &said["report"]["predicted-error"];
    assert!(
        error.as_f64().is_some_and(|e| e > 1e10) || error == "inf" || error == "NaN",
        "{said}"
    );
    assert!(!said["notes"].as_array().unwrap().is_empty(), "{said}");
    desk.fails(
        "plan --features 3 --rows 100 --minibatch 32 --iterations 6 --circuit baseline --lr 1e9",
        6,
        "predicted error | --lr",
    );
}

#[test]
fn a_model_that_says_one_class_is_refused() {
    let desk = Desk::new();
    // About 2000 in all rows: nothing is left after a division by the largest.
    let mut shifted = String::from("a,b,y\n");
    for line in separable(100).lines().skip(1) {
        let fields: Vec<f64> = line
            .split(',')
            .map(|field| field.parse().unwrap())
            .collect();
        let (a, b) = (2000.0 + fields[0], 2000.0 + fields[1]);
        writeln!(shifted, "{a},{b},{}", fields[2]).unwrap();
    }
    desk.write("train.csv", shifted);
    let plan = "plan --data train.csv --label y --settings fixed --lr 1 --minibatch 30 --iterations 3 --order original";
    desk.fails(
        &format!("{plan} --normalize max-abs"),
        6,
        "of all 100 rows | 50 of which | --normalize standard",
    );
    desk.ok(&format!("{plan} --normalize standard"));
}

#[test]
fn a_value_that_cannot_be_trained_with_is_named() {
    let desk = finished().copy_of("keys");
    let mut lines: Vec<String> = small_csv(24).lines().map(str::to_owned).collect();
    lines[8] = "0.2,4,1e300,no".to_owned();
    desk.write("wild.csv", lines.join("\n"));
    desk.fails(
        "encrypt --keys keys --data wild.csv --label y --normalize none --out out.arras",
        3,
        "column \"b\", row 8 | 1.000e300 | --normalize",
    );
    // What a ciphertext of the data's level could hold, and the plan did not promise.
    lines[8] = "0.2,4,450,no".to_owned();
    desk.write("wild.csv", lines.join("\n"));
    desk.fails(
        "encrypt --keys keys --data wild.csv --label y --normalize none --out out.arras",
        3,
        "column \"b\", row 8 | 4.500e2 | 4.000e2 at most | --normalize",
    );
    lines[8] = "0.2,4,1e300,no".to_owned();
    desk.write("wild.csv", lines.join("\n"));
    desk.fails(
        "plan --data wild.csv --label y --settings fixed --normalize none --minibatch 16 --iterations 3",
        6,
        "diverged | --normalize | --lr",
    );
}

#[test]
fn normalization_is_the_plan_s_and_other_data_are_said() {
    let desk = Desk::new();
    desk.write("train.csv", small_csv(24));
    desk.ok(
        "plan --data train.csv --label y --settings fixed --minibatch 16 --iterations 1 --circuit baseline --normalize standard --out plan.toml",
    );
    desk.ok("keygen --plan plan.toml --out keys");
    let encrypt = "encrypt --keys keys --label y --out data.arras --force";
    let said = desk.json(&format!("{encrypt} --data train.csv"));
    assert_eq!(said["normalization"], "standard");
    desk.ok(&format!("{encrypt} --data train.csv --normalize max-abs"))
        .notes("normalized by max-abs | made for standard");
    desk.write("fewer.csv", small_csv(20));
    desk.ok(&format!("{encrypt} --data fewer.csv"))
        .notes("20 rows, the plan was made for 24");
}

#[test]
fn rows_used_are_told_from_rows_given() {
    let desk = Desk::new();
    desk.write("train.csv", separable(100));
    let plan = "plan --data train.csv --label y --settings fixed --minibatch 16 --iterations 2 --circuit baseline --out plan.toml";
    let said = desk.ok(plan);
    said.says("32 of 100 rows | 0.32 passes");
    said.notes("uses 32 of 100 rows, less than one pass | --iterations");
    desk.ok("keygen --plan plan.toml --out keys");
    desk.ok("encrypt --keys keys --data train.csv --label y --out data.arras")
        .says("32 of 100 rows");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
    let said = desk.json("decrypt --keys keys --result result.arras --out model.json");
    assert_eq!(
        (&said["usage"]["used"], &said["usage"]["rows"]),
        (&32.into(), &100.into())
    );
    assert_eq!(said["usage"]["passes"], 0.32);
}
