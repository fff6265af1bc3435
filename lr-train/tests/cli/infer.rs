//! Encrypted rows are scored.

use crate::support::{Desk, finished, small_csv};

const NETWORK: &str = include_str!("../../data/digits-network.json");
const HELD_BACK: &str = include_str!("../../data/digits-held-back.csv");

/// A desk with the network and some rows of handwritten digits without their labels, which come with it.
fn digits(rows: usize) -> (Desk, Vec<String>) {
    let desk = Desk::new();
    desk.write("network.json", NETWORK);
    let lines: Vec<(&str, &str)> = (HELD_BACK.lines().take(rows + 1))
        .map(|line| line.rsplit_once(',').unwrap())
        .collect();
    let features: Vec<&str> = lines.iter().map(|(features, _)| *features).collect();
    desk.write("new.csv", features.join("\n"));
    let labels = lines.iter().skip(1).map(|(_, label)| (*label).to_owned());
    (desk, labels.collect())
}

/// The last column of CSV with a header.
fn last(csv: &str) -> Vec<String> {
    let rows = csv.lines().skip(1);
    let last = rows.map(|row| row.rsplit_once(',').unwrap().1.to_owned());
    last.collect()
}

#[test]
fn a_service_with_a_network_tells_digits_apart_that_it_cannot_see() {
    let (desk, labels) = digits(200);
    let planned = desk.json("infer plan --network network.json --rows 200 --out scoring.toml");
    assert!(planned["rows-a-second"].as_f64().unwrap() > 100.0);
    desk.ok("infer keygen --plan scoring.toml --out keys");
    desk.ok("infer encrypt --keys keys --data new.csv --out rows.arras");
    let service = desk.copy_of("keys/eval rows.arras network.json");
    service.ok("infer score --eval-keys keys/eval --rows rows.arras --network network.json --out scores.arras");
    desk.write("scores.arras", service.read("scores.arras"));
    let said = desk.ok("infer decrypt --keys keys --request rows.arras --scores scores.arras --network network.json");
    let told = last(&said.stdout);
    let right = told.iter().zip(&labels).filter(|(a, b)| a == b).count();
    assert!(right >= 194 && told.len() == 200, "{right}");
    for (file, what) in [
        ("rows.arras", "200 encrypted rows"),
        ("scores.arras", "scores of 200 rows"),
    ] {
        desk.ok(&format!("inspect {file}")).says(what);
    }
    desk.ok("inspect scoring.toml").says("inference plan");
    desk.ok("inspect network.json").says("network");

    // Results of another request, damaged files and files of another kind are no answer.
    desk.ok("infer encrypt --keys keys --data new.csv --out other.arras");
    let mut damaged = service.read("scores.arras");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    desk.write("damaged.arras", damaged);
    desk.refuses(
        "4 | infer decrypt --keys keys --request other.arras --scores scores.arras | are not the scores of other.arras
         4 | infer decrypt --keys keys --request rows.arras --scores damaged.arras | damaged.arras
         4 | infer decrypt --keys keys --request rows.arras --scores rows.arras | content
         4 | infer score --eval-keys keys/eval --rows scores.arras --network network.json --out x.arras | content
         2 | infer score --eval-keys keys/eval --rows rows.arras --out x.arras | --network FILE or --model FILE
         4 | infer score --eval-keys keys/eval --rows rows.arras --weights rows.arras --out x.arras | content
         4 | infer encrypt --keys keys --network network.json --out x.arras | in the clear
         2 | infer encrypt --keys keys --out x.arras | --data SOURCE
         5 | infer keygen --plan scoring.toml --out keys | exists already
         4 | infer plan --network new.csv --out x.toml | network",
    );
}

#[test]
fn a_model_and_rows_that_the_service_sees_neither_of() {
    let desk = Desk::new();
    let trained = finished();
    desk.write("model.json", trained.read("model.json"));
    desk.write("new.csv", small_csv(24));
    let clear = desk
        .ok("predict --model model.json --data new.csv --label y")
        .stdout;
    for weights in ["plain", "encrypted"] {
        let plan = format!(
            "infer plan --model model.json --rows 30 --weights {weights} --out {weights}.toml"
        );
        desk.ok(&plan);
        desk.ok(&format!(
            "infer keygen --plan {weights}.toml --out {weights}"
        ));
        let rows = format!("--data new.csv --label y --model model.json --out {weights}.rows");
        desk.ok(&format!("infer encrypt --keys {weights} {rows}"));
        let scorer = if weights == "plain" {
            "--model model.json"
        } else {
            desk.ok("infer encrypt --keys encrypted --model model.json --out encrypted.weights");
            "--weights encrypted.weights"
        };
        let rows = format!("--rows {weights}.rows --out {weights}.scores");
        desk.ok(&format!(
            "infer score --eval-keys {weights}/eval {rows} {scorer}"
        ));
        let scores =
            format!("--request {weights}.rows --scores {weights}.scores --model model.json");
        let said = desk
            .ok(&format!("infer decrypt --keys {weights} {scores}"))
            .stdout;
        assert_eq!(said.lines().next(), clear.lines().next());
        for (a, b) in said.lines().zip(clear.lines()).skip(1) {
            let numbers = |line: &str| -> Vec<f64> {
                let fields = line.split(',').skip(1).take(2);
                fields.map(|field| field.parse().unwrap()).collect()
            };
            let (a_is, b_is) = (numbers(a), numbers(b));
            let worst = a_is.iter().zip(&b_is).map(|(x, y)| (x - y).abs());
            assert!(worst.fold(0.0, f64::max) < 1e-3, "{a} {b}");
        }
        assert_eq!(last(&said), last(&clear));
    }
    // Kinds of weights are not mixed up, nor keys, nor what scores are read by; rows keep their numbers.
    desk.write("network.json", NETWORK);
    let gap = String::from_utf8(small_csv(4).into())
        .unwrap()
        .replacen("4,", ",", 1);
    desk.write("gap.csv", gap);
    desk.refuses(
        "2 | infer encrypt --keys plain --data new.csv --label y --out x | --model FILE
         4 | infer decrypt --keys plain --request plain.rows --scores plain.scores --network network.json | 1 scores for each row | makes 10
         3 | infer encrypt --keys plain --data gap.csv --label y --model model.json --out x | missing
         2 | infer score --eval-keys encrypted/eval --rows encrypted.rows --model model.json --out x | --weights FILE
         4 | infer score --eval-keys plain/eval --rows encrypted.rows --model model.json --out x | is needed
         4 | encrypt --keys plain --data new.csv --label y --out x | training plan",
    );
}
