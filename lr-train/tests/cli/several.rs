//! Several classes, from the plan to predictions.

use std::{fs, path::Path};

use crate::support::Desk;

/// Rows of three classes that lie apart.
fn classes(rows: usize) -> String {
    let mut text = String::from("a,b,species\n");
    for row in 0..rows {
        let (x, y) = [(3.0, 0.0), (-2.0, 3.0), (-1.0, -3.0)][row % 3];
        let (dx, dy) = ((row * 7 % 13) as f64 / 10.0, (row * 5 % 11) as f64 / 10.0);
        let name = ["setosa", "ab, c", "virginica"][row % 3];
        text += &format!("{},{},\"{name}\"\n", x + dx, y + dy);
    }
    text
}

#[test]
fn verbs_train_several_classes() {
    let desk = Desk::new();
    desk.write("train.csv", classes(60));
    let plan = desk.json(
        "plan --data train.csv --label species --model one-vs-rest --iterations 4 --rounds one --out plan.toml",
    );
    assert_eq!(plan["model"], "one-vs-rest");
    assert_eq!(plan["class-names"].as_array().unwrap().len(), 3);
    desk.ok("keygen --plan plan.toml --out keys");
    let sent = desk.json("encrypt --keys keys --data train.csv --label species --out data.arras");
    assert_eq!(sent["class-names"][0], "ab, c");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
    desk.ok("decrypt --keys keys --result result.arras --data train.csv --label species --out model.json")
        .says("accuracy | mean recall | 3 classes, each with coefficients of its own");
    let found = desk.json("evaluate --model model.json --data train.csv --label species");
    assert!(
        found["quality"]["accuracy"].as_f64().unwrap() > 0.9,
        "{found}"
    );
    assert_eq!(
        found["quality"]["confusion"][0].as_array().unwrap().len(),
        3
    );
    desk.ok("evaluate --model model.json --data train.csv --label species")
        .says("the largest class for every row | is, told | virginica");
    desk.ok("predict --model model.json --data train.csv --label species")
        .says("row,class,\"score of ab, c\",score of setosa,score of virginica\n1,setosa, | \n2,\"ab, c\",");
    desk.ok("inspect model.json").says("one-vs-rest | setosa");
    // A part of the classes is enough to evaluate on, others are not.
    desk.write("some.csv", "a,b,species\n3,0,setosa\n3.2,0.5,setosa\n");
    let some = desk.json("evaluate --model model.json --data some.csv --label species");
    assert_eq!(some["quality"]["rows"], 2);
    desk.write("other.csv", "a,b,species\n3,0,setosa\n3.2,0.5,tulip\n");
    desk.refuses(
        "3 | evaluate --model model.json --data other.csv --label species | line 3 | \"tulip\" | virginica
         3 | encrypt --keys keys --data some.csv --label species --out other.arras | setosa
         2 | decrypt --keys keys --result result.arras --threshold 0.5 --out other.json | leave it out",
    );
}

#[test]
fn what_is_not_several_classes_is_answered() {
    let desk = Desk::new();
    desk.write("train.csv", classes(60));
    let rows = |label: &dyn Fn(usize) -> String| {
        let rows = (0..240).map(|r| format!("{},{},{}\n", r % 13, r * 5 % 17, label(r)));
        format!("a,b,y\n{}", rows.collect::<String>())
    };
    desk.write("many.csv", rows(&|r| (r % 120).to_string()));
    desk.write("one.csv", rows(&|_| "x".to_owned()));
    desk.write(
        "lone.csv",
        rows(&|r| {
            if r == 7 {
                "rare".into()
            } else {
                (r % 2).to_string()
            }
        }),
    );
    desk.refuses(
        "3 | plan --data train.csv --label species | --model one-vs-rest
         3 | plan --data many.csv --label y --model one-vs-rest | 100 | --model linear
         3 | plan --data one.csv --label y --model one-vs-rest | all 240 labels
         3 | plan --data lone.csv --label y --model one-vs-rest | at least 2 rows of each class
         2 | plan --data train.csv --label species --model one-vs-rest --positive setosa | leave it out
         2 | plan --model one-vs-rest --features 4 --rows 60 | --classes
         2 | plan --model linear --features 4 --rows 60 --classes 3 | leave it out
         6 | plan --model one-vs-rest --features 4 --rows 60 --classes 1 | 2 to 100",
    );
    let plan = "plan --model one-vs-rest --features 4 --rows 60 --classes 3 --iterations 3";
    desk.ok(plan).says("model: one-vs-rest");
}

/// Data sets that the repository does not hold, encrypted.
#[test]
fn iris_and_wine_are_told_apart() {
    let root = std::env::var_os("ARRAS_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        |root| Path::new(&root).to_owned(),
    );
    for (name, least) in [("iris", 0.85), ("wine", 0.97)] {
        let file = root.join(format!("packages/{name}.csv"));
        if !file.is_file() {
            eprintln!(
                "SKIPPED: no {}; tests/export_packages.py writes it",
                file.display()
            );
            continue;
        }
        let desk = Desk::new();
        fs::copy(file, desk.path("data.csv")).unwrap();
        let run = "run --data data.csv --label target --model one-vs-rest --part train --out both";
        let found = desk.json(run);
        let accuracy = found["quality"]["accuracy"].as_f64().unwrap();
        println!(
            "{name}: {accuracy:.4} on {} rows held back",
            found["quality"]["rows"]
        );
        assert!(accuracy >= least, "{name}: {found}");
    }
}
