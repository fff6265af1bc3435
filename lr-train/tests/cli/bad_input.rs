//! Data that cannot be trained on, evaluated or planned for.

use crate::support::{Desk, finished, small_csv};

const ENCRYPT: &str = "encrypt --keys keys --data bad.csv --label y --out out.arras";

/// Encryption refuses a table with these words and leaves nothing behind.
#[track_caller]
fn refused(table: &str, words: &[&str]) {
    let desk = Desk::with(finished(), &["keys"]);
    desk.write("bad.csv", table);
    let before = desk.listing(".");
    desk.fails(ENCRYPT, 3, words);
    assert_eq!(desk.listing("."), before);
}

#[test]
fn tables_without_anything_to_learn() {
    refused("", &["bad.csv", "no rows"]);
    refused("a,same,b,y\n", &["bad.csv", "after its header"]);
    let one_class: String = small_csv(24).replace("yes", "no");
    refused(
        &one_class,
        &["bad.csv", "24 labels", "two different values"],
    );
}

#[test]
fn fields_are_named_by_line_and_column() {
    let table = small_csv(24);
    let lines: Vec<&str> = table.lines().collect();
    let with = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = text;
        lines.join("\n")
    };
    refused(
        &with(5, "NaN,4,0.1,yes"),
        &["bad.csv", "line 5", "column 1 (\"a\")", "missing"],
    );
    refused(
        &with(6, "0.2,4,inf,no"),
        &["line 6", "column 3 (\"b\")", "finite"],
    );
    refused(
        &with(7, "0.2,four,0.1,no"),
        &["line 7", "\"four\"", "not a number"],
    );
    refused(&with(8, "0.2,4,no"), &["line 8", "3 fields", "4"]);
    refused(
        &with(9, "0.2,4,0.1,maybe"),
        &["line 9", "third label", "maybe"],
    );
}

#[test]
fn more_than_the_plan_holds() {
    refused(&small_csv(25), &["25 rows", "16 to 24", "make a plan"]);
    let wider: String = small_csv(24)
        .lines()
        .enumerate()
        .map(|(i, line)| {
            if i == 0 {
                format!("c,{line}\n")
            } else {
                format!("{i},{line}\n")
            }
        })
        .collect();
    refused(&wider, &["4 features", "1 to 3"]);
}

#[test]
fn options_that_do_not_fit_the_source() {
    let desk = Desk::with(finished(), &["keys", "train.csv", "model.json"]);
    desk.fails(
        "encrypt --keys keys --data train.csv --out out.arras",
        2,
        &["--label"],
    );
    desk.fails(
        "encrypt --keys keys --data train.csv --label z --out out.arras",
        3,
        &["train.csv", "\"z\"", "\"b\""],
    );
    desk.fails(
        "encrypt --keys keys --data absent.csv --label y --out out.arras",
        5,
        &["absent.csv"],
    );
    desk.fails(
        "evaluate --model model.json --data builtin:iris",
        2,
        &["builtin:digits"],
    );
    desk.fails(
        "evaluate --model model.json --data builtin:digits --label y",
        2,
        &["CSV"],
    );
    desk.fails(
        "evaluate --model model.json --data mnist:. ",
        5,
        &["train-images-idx3-ubyte"],
    );
    desk.fails("plan", 2, &["--data"]);
    desk.fails(
        "train --eval-keys keys/eval --data d --out o --engine tpu",
        2,
        &["tpu", "reference"],
    );
    desk.fails("fly", 2, &["fly"]);
}

#[test]
fn data_that_do_not_fit_the_model() {
    let desk = Desk::with(finished(), &["model.json", "train.csv"]);
    let narrow: String = small_csv(6)
        .lines()
        .map(|line| format!("{}\n", line.split_once(',').unwrap().1))
        .collect();
    desk.write("narrow.csv", narrow);
    desk.write("renamed.csv", small_csv(6).replace("same", "other"));
    desk.write("classes.csv", small_csv(6).replace("yes", "oui"));
    desk.fails(
        "evaluate --model model.json --data narrow.csv --label y",
        3,
        &["3 features", "2"],
    );
    desk.fails(
        "predict --model model.json --data train.csv",
        3,
        &["\"no\"", "not a number"],
    );
    desk.fails(
        "evaluate --model model.json --data renamed.csv --label y",
        3,
        &["\"same\"", "\"other\""],
    );
    desk.fails(
        "evaluate --model model.json --data classes.csv --label y",
        3,
        &["oui"],
    );
    desk.fails(
        "evaluate --model model.json --data builtin:digits",
        3,
        &["model tells", "classes"],
    );
}

#[test]
fn plans_that_cannot_be() {
    let desk = Desk::new();
    desk.fails(
        "plan --data builtin:digits --circuit baseline --iterations 6 --log-n 15 --out plan.toml",
        6,
        &["6 iterations", "2^15", "2^16", "low-depth", "rounds"],
    );
    desk.fails(
        "plan --features 10 --rows 4000 --minibatch 4000 --circuit single-chain",
        6,
        &["4000", "smaller minibatches"],
    );
    desk.fails("plan --features 10 --rows 100 --lr 0", 6, &["rate"]);
    desk.fails(
        "plan --features 10 --rows 100 --iterations 0",
        6,
        &["iterations"],
    );
    desk.fails(
        "plan --features 10 --rows 100 --rounds of:0",
        2,
        &["rounds of N"],
    );
    desk.fails(
        "plan --features 10 --rows 100 --rounds quickest",
        2,
        &["fewest", "fastest"],
    );
    assert!(desk.listing(".").is_empty());
}

#[test]
fn with_json_a_failure_is_an_object_too() {
    let desk = Desk::new();
    let ran = desk.run("plan --features 10 --rows 100 --lr 0 --json");
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.code, Some(6));
    assert_eq!(
        (&said["ok"], &said["code"], &said["verb"]),
        (&false.into(), &6.into(), &"plan".into())
    );
    assert!(said["error"].as_str().unwrap().contains("rate"), "{said}");
}
