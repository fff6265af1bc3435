//! Both parties in one process.

use std::fs;

use crate::support::{Desk, small_csv};

const RUN: &str =
    "run --data train.csv --label y --settings fixed --minibatch 8 --iterations 3 --out both";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("train.csv", small_csv(24));
    desk
}

/// Every file under a folder.
fn names(desk: &Desk, folder: &str) -> String {
    let prefix = format!("{folder}/");
    let names = desk.listing(folder);
    let names: Vec<&str> = (names.iter())
        .map(|name| name.strip_prefix(&prefix).unwrap())
        .collect();
    names.join(" ")
}

#[test]
fn each_party_has_its_own_folder_and_the_verbs_go_on_from_there() {
    let desk = desk();
    let said = desk.json(&format!("{RUN} --rounds of:1 --engine cpu:2"));
    assert_eq!(
        (&said["rounds"], &said["rounds-trained"]),
        (&3.into(), &3.into())
    );
    assert_eq!(said["losses"].as_array().unwrap().len(), 3);
    assert!(
        said["quality"]["accuracy"].as_f64().unwrap() > 0.9,
        "{said}"
    );
    assert_eq!(
        names(&desk, "both/server"),
        "data.arras eval eval/evaluation-keys.arras eval/keys.json eval/plan.toml result-1.arras result-2.arras result-3.arras \
         state-2.arras state-3.arras"
    );
    let bytes = |name: &str| desk.read(&format!("both/{name}")).len();
    assert_eq!(said["bytes"]["data"], bytes("server/data.arras"));
    assert_eq!(
        said["bytes"]["keys"],
        bytes("client/keys/eval/evaluation-keys.arras")
    );

    let page = desk.text("both/client/report.html");
    assert!(page.contains("24 encrypted rows") && page.contains("ROC curve"));

    // The verbs find what they need, and come to the same model.
    let server = desk.copy_of("both/server");
    let result = "--out again.arras --state both/server/state-3.arras";
    server.ok(&format!(
        "train --eval-keys both/server/eval --data both/server/data.arras {result}"
    ));
    assert_eq!(
        server.read("again.arras"),
        desk.read("both/server/result-3.arras")
    );
    desk.ok("decrypt --keys both/client/keys --result both/server/result-3.arras --data train.csv --label y --out model.json");
    assert_eq!(desk.text("model.json"), desk.text("both/client/model.json"));

    desk.fails(RUN, 4, "holds a run already | --resume");
    desk.fails(
        &format!("{RUN} --resume"),
        2,
        "settings are given in the first call",
    );
}

#[test]
fn a_run_that_was_ended_goes_on() {
    let desk = desk();
    let whole = desk.json(&format!("{RUN} --rounds of:1"));
    let model = desk.text("both/client/model.json");
    let resume = "run --data train.csv --label y --out both --resume";
    // It ended after the second result was taken and before the third round's start was written.
    for name in [
        "client/model.json",
        "server/result-3.arras",
        "server/state-3.arras",
    ] {
        fs::remove_file(desk.path(&format!("both/{name}"))).unwrap();
    }
    let exchange = desk.listing("both/client/keys/secret/datasets");
    let exchange = exchange
        .iter()
        .find(|name| name.ends_with(".exchange.json"))
        .unwrap();
    let record = desk.text(exchange);
    let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
    record["taken"].as_array_mut().unwrap().truncate(2);
    desk.write(exchange, record.to_string());
    let said = desk.json(resume);
    assert_eq!(said["losses"].as_array().unwrap().len(), 1);
    let close = |a: &serde_json::Value, b: &serde_json::Value| {
        (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-4
    };
    assert!(
        close(&said["losses"][0], &whole["losses"][2]),
        "{said} {whole}"
    );
    // Whole already: nothing is trained again.
    let said = desk.json(resume);
    assert!(said["losses"].as_array().unwrap().is_empty(), "{said}");
    assert!(
        desk.text("both/client/model.json")
            .len()
            .abs_diff(model.len())
            < 200
    );
    // Other rows are refused.
    desk.write("train.csv", small_csv(24).replace("yes", "maybe"));
    desk.fails(resume, 4, "holds other rows");
    desk.fails(
        "run --data train.csv --label y --out none --resume",
        5,
        "plan.toml",
    );
}

#[test]
fn a_loss_that_no_longer_falls_ends_it() {
    let desk = desk();
    let run = RUN.replace("--iterations 3", "--iterations 8 --lr 0.0001");
    let said = desk.json(&format!("{run} --rounds of:1 --patience 2"));
    assert_eq!(said["rounds-trained"], 3, "{said}");
    // Those who want the rest go on.
    let said = desk.json("run --data train.csv --label y --out both --resume");
    assert_eq!(said["rounds-trained"], 8, "{said}");
}
