//! What files say does not reach a terminal as commands.

use crate::support::{Desk, finished, small_csv};

/// Clears the screen, in two ways, and turns the rest of the line around.
const COMMANDS: &str = "\u{1b}[2J\u{9b}2J\u{202e}";

/// A verb says this word and what is left of the commands, and nothing that a terminal obeys, as text and as JSON.
#[track_caller]
fn harmless(desk: &Desk, verb: &str, word: &str) {
    for json in ["", " --json"] {
        let ran = desk.run(&format!("{verb}{json}"));
        let said = ran.to_string();
        // The first line is the command.
        let (_, said) = said.split_once('\n').unwrap();
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(obeyed), "{said:?}");
        let says = said.contains(word) && said.contains("[2J");
        // A program gets what it asked for alone.
        assert!(says || !json.is_empty(), "{ran}");
    }
}

#[test]
fn of_a_plan() {
    let desk = finished().copy_of("plan.toml keys data.arras");
    let hostile = desk
        .text("plan.toml")
        .replacen("kind = \"", &format!("kind = \"{COMMANDS}"), 1);
    desk.write("plan.toml", &hostile);
    harmless(&desk, "keygen --plan plan.toml --out new", "plan.toml");
    harmless(&desk, "inspect plan.toml", "plan.toml");
    desk.write("keys/eval/plan.toml", hostile);
    harmless(
        &desk,
        "train --eval-keys keys/eval --data data.arras --out out.arras",
        "plan.toml",
    );
}

#[test]
fn of_data_and_models() {
    let desk = finished().copy_of("keys");
    // What the plan's columns were called is not known any more.
    std::fs::remove_file(desk.path("keys/secret/columns.json")).unwrap();
    let table = small_csv(24)
        .replacen("same", &format!("same{COMMANDS}"), 1)
        .replace("yes", &format!("yes{COMMANDS}"));
    desk.write("train.csv", &table);
    desk.write("other.csv", table.replacen("same", "other", 1));
    let encrypt = "encrypt --keys keys --data train.csv --label y";
    harmless(&desk, &format!("{encrypt} --out out.arras --force"), "same");
    desk.ok("train --eval-keys keys/eval --data out.arras --out result.arras");
    desk.ok("decrypt --keys keys --result result.arras --dataset out.arras --out model.json");
    harmless(&desk, "inspect model.json", "yes");
    harmless(
        &desk,
        "evaluate --model model.json --data train.csv --label y",
        "yes",
    );
    harmless(
        &desk,
        "evaluate --model model.json --data other.csv --label y",
        "other",
    );
    harmless(
        &desk,
        "encrypt --keys keys --data train.csv --label z --out o.arras",
        "same",
    );
    // Predictions are for programs, which get them as they are.
    let predict = "predict --model model.json --data train.csv --label y";
    desk.ok(predict).says(COMMANDS);
}

#[cfg(unix)]
#[test]
fn of_names_of_files() {
    let desk = finished().copy_of("keys result.arras");
    let name = format!("result{COMMANDS}.arras");
    desk.write(&name, desk.read("result.arras"));
    harmless(&desk, &format!("inspect {name}"), "encrypted model");
    let refresh = format!("refresh --keys keys --state {name} --out out.arras");
    harmless(&desk, &refresh, "finished model");
    let decrypt = format!("decrypt --keys keys --result {name} --out {name}.json --force");
    harmless(&desk, &decrypt, "model");
}
