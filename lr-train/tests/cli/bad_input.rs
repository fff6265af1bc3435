//! Data that cannot be trained on, evaluated or planned for.

use crate::support::{Desk, finished, small_csv};

const ENCRYPT: &str = "encrypt --keys keys --data bad.csv --label y --out out.arras";

/// Encryption refuses a table with these words and leaves nothing behind.
#[track_caller]
fn refused(table: &str, words: &str) {
    let desk = finished().copy_of("keys");
    desk.write("bad.csv", table);
    let before = desk.listing(".");
    desk.fails(ENCRYPT, 3, words);
    assert_eq!(desk.listing("."), before);
}

#[test]
fn tables_without_anything_to_learn() {
    refused("", "bad.csv | no rows");
    refused("a,same,b,y\n", "bad.csv | after its header");
    let one_class = small_csv(24).replace("yes", "no");
    refused(&one_class, "bad.csv | 24 labels | two different values");
}

#[test]
fn fields_are_named_by_line_and_column() {
    let table = small_csv(24);
    for (line, text, words) in [
        (5, "NaN,4,0.1,yes", "bad.csv | column 1 (\"a\") | missing"),
        (6, "0.2,4,inf,no", "column 3 (\"b\") | finite"),
        (7, "0.2,four,0.1,no", "\"four\" | not a number"),
        (8, "0.2,4,no", "3 fields | 4"),
        (9, "0.2,4,0.1,maybe", "third label | maybe"),
    ] {
        let mut lines: Vec<&str> = table.lines().collect();
        lines[line - 1] = text;
        refused(&lines.join("\n"), &format!("line {line} | {words}"));
    }
}

#[test]
fn more_than_the_plan_holds() {
    refused(&small_csv(25), "25 rows | 16 to 24 | make a plan");
    let with = |(i, line)| match i {
        0 => format!("c,{line}\n"),
        _ => format!("{i},{line}\n"),
    };
    let wider: String = small_csv(24).lines().enumerate().map(with).collect();
    // A column more is left out, unless nobody has kept what the plan's columns were.
    let desk = finished().copy_of("keys");
    desk.write("bad.csv", wider);
    std::fs::remove_file(desk.path("keys/secret/columns.json")).unwrap();
    desk.fails(ENCRYPT, 3, "4 features | 1 to 3");
}

#[test]
fn options_that_do_not_fit_the_source() {
    finished().copy_of("keys train.csv model.json").refuses(
        r#"
        2 | encrypt --keys keys --data train.csv --out out.arras | --label
        3 | encrypt --keys keys --data train.csv --label z --out out.arras | train.csv | "z" | "b"
        5 | encrypt --keys keys --data absent.csv --label y --out out.arras | absent.csv
        2 | evaluate --model model.json --data builtin:iris | builtin:digits
        2 | evaluate --model model.json --data builtin:digits --label y | CSV
        5 | evaluate --model model.json --data mnist:. | train-images-idx3-ubyte
        2 | plan | --data
        2 | train --eval-keys keys/eval --data d --out o --engine tpu | tpu | reference
        2 | train --eval-keys keys/eval --data d --out o --engine cpu:100000 | 1024
        2 | plan --features 3 --rows 100 --threads 100000 | 1024
        2 | fly | fly
        "#,
    );
}

#[test]
fn ways_out_are_the_command_line_s() {
    let desk = finished().copy_of("keys train.csv data.arras plan.toml");
    desk.refuses(
        r#"
        5 | plan --data train.csv --label y --minibatch 16 --iterations 1 --out plan.toml | plan.toml exists already | replace it with --force
        5 | keygen --plan plan.toml --out keys | exists already | replace it with --force
        4 | train --eval-keys keys --data data.arras --out out.arras | --eval-keys keys/eval
        "#,
    );
    let ran = desk.run("keygen --plan absent.toml --out new").ends_with(5);
    ran.notes("absent.toml | check the path");
    assert!(!ran.stderr.contains("create the folder"), "{ran}");
    // Where something is to be written, it is said.
    desk.fails(
        "plan --features 3 --rows 100 --out absent/plan.toml",
        5,
        "create the folder first",
    );
}

#[test]
fn data_that_do_not_fit_the_model() {
    let desk = finished().copy_of("model.json train.csv");
    let narrow: String = small_csv(6)
        .lines()
        .map(|line| format!("{}\n", line.split_once(',').unwrap().1))
        .collect();
    desk.write("narrow.csv", narrow);
    desk.write("renamed.csv", small_csv(6).replace("same", "other"));
    desk.write("classes.csv", small_csv(6).replace("yes", "oui"));
    desk.refuses(
        r#"
        3 | evaluate --model model.json --data narrow.csv --label y | "a" that was trained on is missing | "same", "b"
        3 | evaluate --model model.json --data renamed.csv --label y | "same" | "other"
        3 | evaluate --model model.json --data classes.csv --label y | oui
        3 | evaluate --model model.json --data builtin:digits | model tells | classes
        "#,
    );
}

#[test]
fn plans_that_cannot_be() {
    let desk = Desk::new();
    desk.refuses(
        "
        6 | plan --data builtin:digits --settings fixed --circuit baseline --iterations 6 --log-n 15 --out plan.toml | 6 iterations | 2^15 | 2^16 | low-depth | rounds
        6 | plan --features 10 --rows 4000 --minibatch 4000 --circuit single-chain | 4000 | smaller minibatches
        6 | plan --features 1000 --rows 10000000 --minibatch 10000000 --rounds fastest | 4096 | 2^17 | rows of so many features fit | --minibatch
        6 | plan --features 10 --rows 100 --lr 0 | rate
        6 | plan --features 10 --rows 100 --lr 1 --l2 1e30 | penalty is 1e30
        6 | plan --features 10 --rows 100 --lr=-1e300 | rate is -1e300
        6 | plan --features 10 --rows 100 --iterations 0 | iterations
        6 | plan --features 10 --rows 1000000000000 --minibatch 1000000000000 | minibatch is 1000000000000 | 2^24
        6 | plan --features 1000000000000 --rows 100 | 2^20 features
        6 | plan --features 10 --rows 100 --iterations 1000000000000 | 10,000 iterations
        2 | plan --features 10 --rows 100 --rounds of:0 | rounds of N
        2 | plan --features 10 --rows 100 --rounds quickest | fewest | fastest
        ",
    );
    assert!(desk.listing(".").is_empty());
}

#[test]
fn with_json_a_failure_is_an_object_too() {
    let ran = Desk::new()
        .run("plan --features 10 --rows 100 --lr 0 --json")
        .ends_with(6);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&said["ok"], &said["code"], &said["verb"]),
        (&false.into(), &6.into(), &"plan".into())
    );
    assert!(said["error"].as_str().unwrap().contains("rate"), "{said}");
}
