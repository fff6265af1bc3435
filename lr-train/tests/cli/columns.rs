//! Data as people have them: columns by name, missing values, categories, labels in a second file.

use crate::support::Desk;

/// Rows `id, age, colour, dose, y`: a colour for each class and one for both, an age missing now and then.
fn rows(count: usize) -> Vec<[String; 5]> {
    let row = |r: usize| {
        let sick = r % 2;
        let age = match r % 9 {
            4 => String::new(),
            _ => (30 + r * 7 % 45).to_string(),
        };
        let colour = match r % 5 {
            0 => "red",
            1..3 => "grey",
            _ if sick == 1 => "green",
            _ => "red",
        };
        let dose = 0.1 * (r % 7) as f64;
        [
            r.to_string(),
            age,
            colour.into(),
            dose.to_string(),
            sick.to_string(),
        ]
    };
    (0..count).map(row).collect()
}

/// A table of some of the columns, under their names.
fn table(rows: &[[String; 5]], columns: &[usize]) -> String {
    const NAMES: [&str; 5] = ["id", "age", "colour", "dose", "y"];
    let line = |fields: Vec<&str>| fields.join(",") + "\n";
    let body = rows
        .iter()
        .map(|row| line(columns.iter().map(|&c| &*row[c]).collect()));
    std::iter::once(line(columns.iter().map(|&c| NAMES[c]).collect()))
        .chain(body)
        .collect()
}

const FIXED: &str = "--settings fixed --minibatch 16 --iterations 1 --circuit baseline --force";
const FIELDS: &str = "--drop id --missing-values impute --categories one-hot";

fn desk() -> Desk {
    let desk = Desk::new();
    let rows = rows(45);
    desk.write("train.csv", table(&rows, &[0, 1, 2, 3, 4]));
    // The same in another order, with the row's number in between.
    desk.write("moved.csv", table(&rows, &[4, 3, 0, 2, 1]));
    desk
}

#[test]
fn columns_go_from_the_plan_to_every_later_verb() {
    let desk = desk();
    let plan = desk.json(&format!(
        "plan --data train.csv --label y {FIXED} {FIELDS} --out plan.toml"
    ));
    let names = ["age", "age (missing)", "colour=green", "colour=red", "dose"];
    assert_eq!(plan["feature-names"], serde_json::json!(names));
    assert_eq!(plan["features"], 5);
    // Nothing of them is in the plan.
    assert!(!desk.text("plan.toml").contains("colour"));
    desk.ok("keygen --plan plan.toml --out keys");
    let listing = desk.listing("keys");
    assert!(
        listing.contains(&"keys/secret/columns.json".to_owned()),
        "{listing:?}"
    );
    #[cfg(unix)]
    for name in ["plan.columns.json", "keys/secret/columns.json"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(desk.path(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let said = desk.ok("encrypt --keys keys --data moved.csv --label y --out data.arras --force");
    said.notes("5 features: age, age (missing) | left out: id | 5 values of column \"age\" are missing: 52.5, the median | says where");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
    desk.ok(
        "decrypt --keys keys --result result.arras --data moved.csv --label y --out model.json",
    )
    .says("calibrated on 45 rows | colour=green | odds ratio per unit");
    let evaluated = desk.ok("evaluate --model model.json --data train.csv --label y");
    assert_eq!(
        desk.ok("evaluate --model model.json --data moved.csv --label first")
            .stdout,
        evaluated.stdout
    );
    let predicted = desk.ok("predict --model model.json --data moved.csv");
    assert_eq!(
        desk.ok("predict --model model.json --data train.csv")
            .stdout,
        predicted.stdout
    );

    desk.write(
        "new.csv",
        "dose,colour,age\n,violet,40\n0.2,,33\n0.1,red,41\n",
    );
    desk.fails(
        "predict --model model.json --data new.csv",
        3,
        "line 2 | \"violet\" | \"green\", \"red\" | --unseen other",
    );
    let taken = desk.ok("predict --model model.json --data new.csv --unseen other");
    taken.notes("\"dose\" are missing | none was missing in training | \"colour\" are missing: no level | 1 values of column \"colour\" were not there");
    assert_eq!(taken.stdout.lines().count(), 4);
    // Rows keep their numbers.
    let left = desk
        .ok("predict --model model.json --data new.csv --unseen other --missing-values drop-rows");
    left.notes("2 of 3 rows | left out");
    assert!(
        left.stdout.lines().nth(1).unwrap().starts_with("3,"),
        "{left}"
    );
    desk.refuses(
        r#"
        3 | predict --model model.json --data new.csv --unseen other --missing-values refuse | line 2 | 2 in 2 of
        3 | predict --model model.json --data new.csv --drop age | "age" | not among
        3 | encrypt --keys keys --data moved.csv --label y --categorical dose --out o.arras | "dose" | numbers in training
        "#,
    );
}

#[test]
fn try_asks_for_the_plan_of_the_same_columns() {
    let desk = desk();
    let given = "--columns age,c* --missing-values impute --categories one-hot --positive 1";
    let said = desk.ok(&format!(
        "try --data train.csv --label y {given} --most-iterations 3"
    ));
    said.notes("4 features: age");
    said.says(
        "next: lr-train plan --data train.csv --label y --columns 'age,c*' --missing-values impute --categories one-hot --positive 1 --normalize",
    );
}

#[test]
fn columns_of_another_plan_are_refused() {
    let desk = desk();
    let plan = format!("plan --data train.csv --label y {FIXED} {FIELDS} --out");
    desk.ok(&format!("{plan} plan.toml"));
    desk.ok(&format!("{plan} other.toml --rows 60"));
    std::fs::copy(
        desk.path("other.columns.json"),
        desk.path("plan.columns.json"),
    )
    .unwrap();
    desk.fails(
        "keygen --plan plan.toml --out keys",
        4,
        "plan.columns.json | lr-train plan --force",
    );
    desk.write("plan.columns.json", "{\"version\": 9}");
    desk.fails(
        "keygen --plan plan.toml --out keys",
        4,
        "plan.columns.json | version 9 | lr-train plan",
    );
    // A plan without columns takes what another has left away with it.
    desk.ok(
        "plan --features 3 --rows 40 --circuit baseline --iterations 1 --force --out plan.toml",
    );
    assert!(!desk.path("plan.columns.json").exists());
}

#[test]
fn columns_that_a_killed_plan_has_left_are_in_nobody_s_way() {
    let desk = Desk::new();
    let row = |r: usize| {
        let a = (r % 2) as f64 - 0.5 + 0.01 * (r * 7 % 13) as f64;
        let b = 0.3 * (r % 2) as f64 + 0.02 * (r * 5 % 11) as f64;
        format!("{a},{b},{}\n", r % 2)
    };
    let body: String = (0..24).map(row).collect();
    desk.write("train.csv", format!("a,b,y\n{body}"));
    let plan = "plan --data train.csv --label y --settings fixed --minibatch 16 --circuit baseline --iterations 2 --rounds 2 --out plan.toml";
    desk.ok(plan);
    // As between the two files that it writes.
    std::fs::remove_file(desk.path("plan.toml")).unwrap();
    desk.ok(plan);
    desk.ok("keygen --plan plan.toml --out keys");
    // Nor are those of another plan that is gone; what somebody else wrote there is not replaced unasked.
    std::fs::remove_file(desk.path("plan.toml")).unwrap();
    let other = plan.replace("--iterations 2", "--iterations 4");
    desk.ok(&other);
    std::fs::remove_file(desk.path("plan.toml")).unwrap();
    desk.write("plan.columns.json", "{}");
    desk.fails(&other, 5, "plan.columns.json | --force");
}

#[test]
fn what_cannot_be_taken_is_refused_before_anything_is_planned() {
    let desk = desk();
    desk.write("labels.csv", "y\n0\n1\n");
    desk.write("none.csv", "");
    desk.write("empty.csv", "a,b,y\n1,,0\n2,,1\n3,,0\n");
    desk.write("twice.csv", "a,a,y\n1,2,0\n2,3,1\n");
    let fields = FIELDS.replace("--drop id", "");
    for case in [
        "3 | --data train.csv --label y --drop colour | line 6 | \"age\" | missing | 5 in 1 of | --missing-values impute",
        "3 | --data train.csv --label y --missing-values drop-rows | line 2 | \"colour\" | 40 of 45 rows | 3 different | --categories one-hot | --drop \"colour\"",
        "3 | --data train.csv --label y --columns ag? --categories one-hot | 5 in 1 of",
        "3 | --data train.csv --label y --columns d*,x_* | \"x_*\"",
        "3 | --data train.csv --label y --columns dos | the nearest: \"dose\"",
        "3 | --data train.csv --label y --columns dose,y | holds the label",
        "3 | --data train.csv --label y FIELDS --most-levels 2 | \"colour\" | 3 different values | --most-levels",
        "3 | --data train.csv --label y FIELDS --categorical z | \"z\"",
        "3 | --data train.csv --label-file labels.csv FIELDS | labels.csv | 3 labels | 45 rows",
        "3 | --data train.csv --label-file none.csv FIELDS | none.csv | no rows",
        "5 | --data train.csv --label-file absent.csv FIELDS | absent.csv",
        "2 | --data train.csv --label-file labels.csv --label y | --label",
        "2 | --data - --label-file - | standard input",
        "2 | --data train.csv | --label last | --label-file",
        "3 | --data empty.csv --label y --missing-values impute | \"b\" | all of the 3 | --drop \"b\"",
        "3 | --data empty.csv --label y --missing-values drop-rows | all 3 rows | --drop",
        "3 | --data twice.csv --label y | columns 1 and 2 | --drop",
        "2 | --data builtin:digits --categories one-hot | --categories is for CSV",
    ] {
        let mut parts = case.splitn(3, " | ");
        let mut next = || parts.next().unwrap();
        let (code, data, words) = (next(), next(), next());
        desk.fails(
            &format!(
                "plan {} {FIXED} --out plan.toml",
                data.replace("FIELDS", &fields)
            ),
            code.parse().unwrap(),
            words,
        );
    }
    assert!(desk.listing(".").iter().all(|name| name.ends_with(".csv")));
}

#[test]
fn labels_come_from_a_second_file_and_rows_held_back_are_not_fitted_to() {
    let desk = desk();
    let rows = rows(45);
    desk.write("x.csv", table(&rows, &[1, 2, 3]));
    desk.write("labels.csv", table(&rows, &[0, 4]));
    let plan = format!("{FIXED} --missing-values impute --categories one-hot");
    let whole = desk.json(&format!(
        "plan --data x.csv --label-file labels.csv:y {plan}"
    ));
    let named = desk.json(&format!("plan --data train.csv --drop id --label y {plan}"));
    assert_eq!(whole["plan"], named["plan"]);
    // The median of all rows is 52.5, that of the part to train on another.
    let part = desk.ok(&format!(
        "plan --data x.csv --label-file labels.csv:y --part train --test-share 0.6 --split-seed 3 {plan}"
    ));
    part.notes("the median of the training rows");
    assert!(!part.stderr.contains("52.5, the median"), "{part}");
}
