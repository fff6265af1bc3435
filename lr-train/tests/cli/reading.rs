//! What verbs take out of a file, and what they say about it.

use std::{fs, io::Write};

use flate2::{Compression, write::GzEncoder};

use crate::support::{Desk, Ran, finished, small_csv};

/// x alternates, y is the second half of the rows: only their number tells it.
fn numbered() -> String {
    let row = |r: i32| {
        format!(
            "{r},{},{}\n",
            if r % 2 == 0 { 1 } else { -1 },
            i32::from(r >= 16)
        )
    };
    std::iter::once(",x,y\n".to_owned())
        .chain((0..32).map(row))
        .collect()
}

#[test]
fn row_numbers_and_features_are_named_and_can_be_left_out() {
    let desk = Desk::new();
    desk.write("train.csv", numbered());
    let plan = "plan --data train.csv --label y --settings fixed --minibatch 16 --iterations 1 --circuit baseline --force";
    desk.ok(plan).notes("column number 0 has no name | 0, 1, 2, .. | --drop 0 | 2 features: column 1, x | \"1\" was taken for the positive");
    let without = desk.ok(&format!("{plan} --leave-out 0 --out plan.toml"));
    without.notes("1 features: x; left out: column 1");
    assert!(!without.stderr.contains("counts rows"), "{without}");
    desk.ok("keygen --plan plan.toml --out keys");
    // The columns of the plan are found by their names.
    let encrypt = "encrypt --keys keys --data train.csv --label y --out data.arras --force";
    let said = desk.json(encrypt);
    let notes = said["notes"].as_array().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note.as_str().unwrap().contains("left out: column 1")),
        "{said}"
    );
    desk.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
    desk.ok("decrypt --keys keys --result result.arras --out model.json");
    for verb in ["evaluate", "predict"] {
        for columns in ["", "--drop 0", "--columns x"] {
            desk.ok(&format!(
                "{verb} --model model.json --data train.csv --label y {columns}"
            ));
        }
        let away =
            format!("{verb} --model model.json --data train.csv --label y --drop x --columns *");
        desk.fails(&away, 3, "\"x\" | not among the columns that are chosen");
    }
    desk.refuses(
        r#"
        2 | plan --data builtin:digits --leave-out 0 | --drop | CSV
        3 | plan --data train.csv --label y --columns x --leave-out x | no feature
        3 | plan --data train.csv --label y --drop z | "z"
        "#,
    );
}

#[test]
fn guesses_are_said_by_the_verb_that_makes_them() {
    let desk = finished().copy_of("model.json");
    let rows = small_csv(24);
    let (_, data) = rows.split_once('\n').unwrap();
    desk.write("bare.csv", data.replace(',', ";"));
    desk.ok("evaluate --model model.json --data bare.csv --label -1")
        .notes("first row | data, not names | --header present | ';' | --delimiter");
    desk.write("counting.csv", "0,1\n0,-2\n1,2\n");
    desk.fails(
        "plan --data counting.csv --label 0",
        3,
        "names or data | --header",
    );
    desk.fails(
        "evaluate --model model.json --data bare.csv --label y --delimiter |",
        3,
        "one column | --delimiter",
    );
}

#[test]
fn columns_without_spread_are_named_with_the_remedy() {
    let desk = Desk::new();
    let mut far = String::from("a,b,y\n");
    let mut wild = String::from("a,b,y\n");
    for row in 0..40 {
        let class = row % 2;
        let a = f64::from(class) + 0.1 * f64::from(row % 7);
        far += &format!("{},{a},{class}\n", 2000.0 + a);
        wild += &format!("{},{a},{class}\n", if row == 7 { 5e5 } else { a });
    }
    desk.write("far.csv", far);
    desk.write("wild.csv", wild);
    let plan =
        "plan --label y --settings fixed --minibatch 20 --iterations 1 --circuit baseline --force";
    desk.ok(&format!("{plan} --data far.csv --normalize max-abs"))
        .notes("column \"a\" varies by | of its size | --normalize standard");
    let standard = desk.ok(&format!("{plan} --data far.csv --normalize standard"));
    assert!(!standard.stderr.contains("of its size"), "{standard}");
    desk.ok(&format!("{plan} --data wild.csv --normalize max-abs"))
        .notes("column \"a\" is 500000.0 in row 8");
}

#[test]
fn predict_needs_the_label_named_only_where_columns_have_no_names() {
    let desk = finished().copy_of("model.json train.csv");
    let named = desk.ok("predict --model model.json --data train.csv");
    let told = desk.ok("predict --model model.json --data train.csv --label y");
    assert_eq!(named.stdout, told.stdout);
    let table = small_csv(6).replace("yes", "1").replace("no", "0");
    desk.write("bare.csv", table.split_once('\n').unwrap().1);
    desk.fails(
        "predict --model model.json --data bare.csv",
        3,
        "3 features | 4 | --label",
    );
    desk.ok("predict --model model.json --data bare.csv --label last");
}

#[test]
fn compressed_files_and_the_standard_input_are_read_like_plain_ones() {
    let desk = finished().copy_of("model.json train.csv");
    let plain = desk.read("train.csv");
    let mut compressed = GzEncoder::new(vec![], Compression::fast());
    compressed.write_all(&plain).unwrap();
    desk.write("train.csv.gz", compressed.finish().unwrap());
    let evaluate = |data: &str| {
        let verb = format!("evaluate --model model.json --label y --data {data}");
        let stdin = fs::File::open(desk.path("train.csv")).unwrap();
        Ran::of(desk.command(&verb).stdin(stdin)).ends_with(0)
    };
    let expected = evaluate("train.csv").stdout;
    assert!(expected.contains("accuracy"), "{expected}");
    for data in ["train.csv.gz", "-"] {
        let found = evaluate(data).stdout;
        assert_eq!(found.replace(data, "train.csv"), expected);
    }
    let european = String::from_utf8(plain).unwrap();
    let european = european.replace(',', ";").replace('.', ",");
    desk.write("european.csv", european);
    let found = evaluate("european.csv --decimal-comma").stdout;
    assert_eq!(found.replace("european.csv", "train.csv"), expected);
    desk.fails(
        "evaluate --model model.json --label y --data european.csv",
        3,
        "decimal comma",
    );
}
