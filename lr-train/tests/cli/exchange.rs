//! The whole exchange: client and server in folders of their own.

use crate::support::{Desk, prepared, small_csv};

#[test]
fn plan_to_evaluation_on_built_in_data() {
    let client = Desk::new();
    let plan = client.json("plan --data builtin:breast-cancer --settings fixed --lr 1 --first-step published --normalize standard --circuit single-chain-mask-free --minibatch 16 --iterations 2 --out plan.toml");
    client.json("keygen --plan plan.toml --out keys");
    let encrypted = client.json(
        "encrypt --keys keys --data builtin:breast-cancer --normalize standard --out data.arras",
    );

    // What the plan said is what is sent, to the byte.
    assert_eq!(plan["data-file-bytes"], encrypted["bytes"]);
    let keys = client.read("keys/eval/evaluation-keys.arras").len();
    assert_eq!(plan["report"]["chosen"]["key-file-bytes"], keys);
    assert!(plan["report"]["predicted-error"].as_f64().unwrap() > 0.0);

    // Only these travel.
    let server = client.copy_of("keys/eval data.arras");
    let trained =
        server.ok("train --eval-keys keys/eval --data data.arras --out result.arras --engine cpu");
    trained.notes("secret key: not here and not needed");
    trained.says("encrypted model");
    assert_eq!(
        server.listing(".").join(" "),
        "data.arras keys keys/eval keys/eval/evaluation-keys.arras keys/eval/keys.json keys/eval/plan.toml result.arras"
    );

    client.write("result.arras", server.read("result.arras"));
    client.ok("decrypt --keys keys --result result.arras --out model.json");
    let quality = client.json("evaluate --model model.json --data builtin:breast-cancer");
    assert!(
        quality["quality"]["accuracy"].as_f64().unwrap() > 0.85,
        "{quality}"
    );
    assert_eq!(quality["rows"], 113);
}

#[test]
fn two_rounds_give_what_one_gives() {
    let desk = prepared("--circuit baseline --iterations 2 --rounds 2");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result-0.arras");
    desk.ok("inspect result-0.arras")
        .says("encrypted state after round 1");
    // A state is no model yet, but its weights can be looked at.
    desk.refuses(
        "4 | decrypt --keys keys --result result-0.arras --out early.json | --intermediate",
    );
    assert!(!desk.path("early.json").exists());
    let early = "decrypt --keys keys --result result-0.arras --intermediate --out early.json";
    desk.ok(&format!("{early} --quiet"))
        .says("not the finished model");
    assert_eq!(desk.json(&format!("{early} --force"))["finished"], false);
    desk.ok("refresh --keys keys --state result-0.arras --out state-1.arras");
    let trained = desk.json(
        "train --eval-keys keys/eval --data data.arras --state state-1.arras --out result-1.arras",
    );
    assert_eq!(
        (&trained["round"], &trained["finished"]),
        (&1.into(), &true.into())
    );
    desk.ok("decrypt --keys keys --result result-1.arras --out model.json");

    let whole = prepared("--circuit baseline --iterations 2");
    whole.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
    whole.ok("decrypt --keys keys --result result.arras --out model.json");
    let weights = |desk: &Desk| -> Vec<f64> {
        let model: serde_json::Value = serde_json::from_slice(&desk.read("model.json")).unwrap();
        serde_json::from_value(model["weights"].clone()).unwrap()
    };
    let (a, b) = (weights(&desk), weights(&whole));
    assert_eq!(a.len(), 3);
    assert!(
        a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4),
        "{a:?} {b:?}"
    );
    assert!(a.iter().any(|w| w.abs() > 0.1), "{a:?}");

    // Predictions of new rows, without labels.
    let unlabelled: String = small_csv(4)
        .lines()
        .map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0))
        .collect();
    desk.write("new.csv", unlabelled);
    let said = desk.ok("predict --model model.json --data new.csv").stdout;
    let classes: Vec<&str> = said
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap())
        .collect();
    assert_eq!(classes, ["no", "yes", "no", "yes"]);
    desk.ok("predict --model model.json --data train.csv --label y --out predictions.csv")
        .says("24 rows");
    assert_eq!(desk.text("predictions.csv").lines().count(), 25);
}
