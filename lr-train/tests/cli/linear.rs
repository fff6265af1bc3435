//! Linear regression, from the plan to predictions.

use std::{fs, path::Path};

use crate::support::Desk;

/// Rows whose target is a sum of their columns, nearly.
fn measured(rows: usize) -> String {
    let mut text = String::from("size,age,same,price\n");
    for row in 0..rows {
        let (size, age) = (20.0 + (row * 7 % 31) as f64, (row * 5 % 17) as f64);
        let price = 1e5 + 2_500.0 * size - 800.0 * age + 100.0 * (row * 11 % 7) as f64;
        text += &format!("{size},{age},4,{price}\n");
    }
    text
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("train.csv", measured(60));
    desk
}

/// Every verb: what is printed is said in the units of the target.
#[test]
fn verbs_train_a_number() {
    let desk = desk();
    let plan = desk
        .json("plan --data train.csv --label price --model linear --iterations 6 --out plan.toml");
    assert_eq!(plan["model"], "linear");
    let found = &plan["settings"]["found"];
    assert!(
        found["chosen"]["errors"]["r-squared"].as_f64().unwrap() > 0.99,
        "{plan}"
    );
    desk.ok("keygen --plan plan.toml --out keys");
    let sent = desk.json("encrypt --keys keys --data train.csv --label price --out data.arras");
    assert_eq!(sent["target"]["name"], "price");
    assert_eq!(sent["classes"], serde_json::Value::Null);
    let rounds = plan["report"]["chosen"]["rounds"].as_array().unwrap().len();
    let mut state = String::new();
    for round in 1..rounds {
        desk.ok(&format!(
            "train --eval-keys keys/eval --data data.arras {state} --out r{round}.arras"
        ));
        desk.ok(&format!(
            "refresh --keys keys --state r{round}.arras --out s{round}.arras"
        ));
        state = format!("--state s{round}.arras");
    }
    desk.ok(&format!(
        "train --eval-keys keys/eval --data data.arras {state} --out result.arras"
    ));
    let decrypt = "decrypt --keys keys --result result.arras --data train.csv --label price";
    desk.ok(&format!("{decrypt} --out model.json"))
        .says("on the rows that it was trained on | R^2 | closed form on the same columns");
    desk.fails(
        &format!("{decrypt} --threshold 0.5 --out other.json"),
        2,
        "leave it out",
    );
    let found = desk.json("evaluate --model model.json --data train.csv --label price");
    assert!(
        found["quality"]["r-squared"].as_f64().unwrap() > 0.99,
        "{found}"
    );
    desk.ok("evaluate --model model.json --data train.csv --label price")
        .says("root mean squared error | the mean of the rows trained on");
    let told = desk.json("predict --model model.json --data train.csv --label price");
    let first = told["predictions"][0].as_f64().unwrap();
    assert!((first - 150_000.0).abs() < 10_000.0, "{first}");
    desk.ok("predict --model model.json --data train.csv --label price")
        .says("row,prediction\n1,1");
    desk.ok("inspect model.json").says("linear | price");
}

#[test]
fn what_is_no_number_is_answered_before_anything_is_encrypted() {
    let desk = desk();
    let column = |name: &str, of: &dyn Fn(usize) -> String| {
        let rows = (0..40).map(|r| format!("{},{},{}\n", r % 13, r * 5 % 17, of(r)));
        desk.write(name, format!("a,b,y\n{}", rows.collect::<String>()));
    };
    column("words.csv", &|r| ["low", "high"][r % 2].to_owned());
    column("constant.csv", &|_| "7.5".to_owned());
    column("classes.csv", &|r| (r % 2).to_string());
    column("infinite.csv", &|r| {
        if r == 3 { "inf".into() } else { r.to_string() }
    });
    desk.refuses(
        "3 | plan --data words.csv --label y --model linear | line 2 | --model logistic
         3 | plan --data constant.csv --label y --model linear | \"y\" | 40 rows | vary
         3 | plan --data infinite.csv --label y --model linear | line 5 | \"inf\"
         3 | plan --data train.csv --label price | --model linear
         3 | try --data train.csv --label price | --model linear
         2 | plan --data train.csv --label price --model linear --sigmoid 3:16 | leave it out
         2 | plan --data train.csv --label price --model linear --positive 3 | leave it out
         3 | plan --data builtin:digits --model linear | --model logistic
         6 | plan --data train.csv --label price --model linear --settings fixed --optimizer fixed-hessian | nesterov
         2 | plan --data train.csv --label price --model poisson | linear",
    );
    // Targets of any size, and labels that happen to be numbers.
    for unit in ["e12", "e-12"] {
        column("sized.csv", &|r| {
            format!("{}{unit}", 3 * (r % 13) + r * 5 % 17)
        });
        let found = desk.json("plan --data sized.csv --label y --model linear --iterations 4");
        let explained = found["settings"]["found"]["chosen"]["errors"]["r-squared"].as_f64();
        assert!(explained.unwrap() > 0.9, "{unit}: {found}");
    }
    desk.ok("plan --data classes.csv --label y --model logistic --settings fixed");
}

/// The closed form and the encrypted training of a data set that the repository does not hold.
#[test]
fn diabetes_comes_within_a_two_hundredth_of_the_closed_form() {
    let root = std::env::var_os("ARRAS_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        |root| Path::new(&root).to_owned(),
    );
    let file = root.join("packages/diabetes.csv");
    if !file.is_file() {
        eprintln!(
            "SKIPPED: no {}; tests/export_packages.py writes it",
            file.display()
        );
        return;
    }
    let desk = Desk::new();
    fs::copy(file, desk.path("diabetes.csv")).unwrap();
    let run = "run --data diabetes.csv --label target --model linear --part train --out both";
    let found = desk.json(run);
    let errors = |name: &str| {
        let plan = desk.json("try --data diabetes.csv --label target --model linear --part train");
        plan["found"][name].clone()
    };
    let (chosen, exact) = (errors("chosen"), errors("exact"));
    let explained = |of: &serde_json::Value| of["r-squared"].as_f64().unwrap();
    let (ours, closed) = (explained(&chosen["errors"]), explained(&exact));
    println!(
        "R^2 on folds {ours:.4}, closed form {closed:.4}; held back {}",
        found["quality"]
    );
    assert!(ours > closed - 0.005, "{ours} of {closed}");
    assert!(explained(&found["quality"]) > 0.5, "{found}");
    assert_eq!(found["quality"]["rows"], 88);
    desk.ok("run --data diabetes.csv --label target --part train --out both --resume")
        .says("6 of 6 rounds | closed form");
}
