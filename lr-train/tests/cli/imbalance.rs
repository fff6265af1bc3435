//! Classes of which one is rare.

use serde_json::Value;

use crate::support::Desk;

/// One row of twelve is positive, and has a larger `a` as a rule.
fn rare() -> String {
    let mut table = String::from("a,b,y\n");
    for row in 0..120 {
        let (rare, noise) = (row % 12 == 5, f64::from(row * 37 % 101) / 50.0);
        let a = noise + if rare { 0.9 } else { 0.0 };
        table += &format!("{a},{},{}\n", f64::from(row * 13 % 29), u8::from(rare));
    }
    table
}

fn mean_probability(said: &Value) -> f64 {
    let fifths = said["quality"]["calibration"].as_array().unwrap();
    let of = |name: &'static str| fifths.iter().map(move |f| f[name].as_f64().unwrap());
    let sum: f64 = of("rows")
        .zip(of("predicted"))
        .map(|(rows, p)| rows * p)
        .sum();
    sum / of("rows").sum::<f64>()
}

#[test]
fn weighted_classes_leave_probabilities_honest() {
    let desk = Desk::new();
    desk.write("train.csv", rare());
    let plan = "plan --data train.csv --label y --settings fixed --minibatch 32 --iterations 2 --lr 1 --circuit baseline";
    let said = desk.json(&format!(
        "{plan} --class-weights balanced --force --out plan.toml"
    ));
    assert_eq!(said["report"]["forecast"]["usage"]["rows"], 120);
    assert!(desk.text("plan.toml").contains("weights = \"balanced\""));
    desk.ok("keygen --plan plan.toml --out keys");
    desk.ok("encrypt --keys keys --data train.csv --label y --force --out data.arras");
    desk.ok("train --eval-keys keys/eval --data data.arras --out result.arras");
    let decrypt = "decrypt --keys keys --result result.arras";
    desk.ok(&format!("{decrypt} --out raw.json"))
        .says("42 of 120 rows | classes weighed differently in training | --data");
    desk.ok(&format!(
        "{decrypt} --data train.csv --label y --out model.json"
    ));
    let evaluate = |model: &str| format!("evaluate --model {model} --data train.csv --label y");
    for verb in [
        evaluate("raw.json"),
        "predict --model raw.json --data train.csv".into(),
    ] {
        desk.ok(&verb)
            .notes("WARNING: classes weighed differently | --data");
    }
    let calibrated = desk.ok(&evaluate("model.json"));
    assert!(!calibrated.stderr.contains("weighed"), "{calibrated}");
    let base = 10.0 / 120.0;
    // Minibatches of which half is positive think a positive row far likelier than it is; calibrated it is as likely as it is.
    assert!(mean_probability(&desk.json(&evaluate("raw.json"))) > 4.0 * base);
    let calibrated = mean_probability(&desk.json(&evaluate("model.json")));
    assert!((calibrated - base).abs() < 0.005, "{calibrated}");
}

#[test]
fn orders_and_weights_are_planned_and_searched() {
    let desk = Desk::new();
    desk.write("train.csv", rare());
    let plan = "plan --data train.csv --label y --settings fixed --minibatch 36 --iterations 2 --circuit baseline --force --out plan.toml";
    for (options, written) in [
        (
            "--order stratified:7",
            "[settings.order.stratified]\nseed = 7\nweights = \"equal\"",
        ),
        ("--class-weights 1,5 --order 3", "seed = 3"),
        ("--class-weights 1,5", "negative = 1.0\npositive = 5.0"),
    ] {
        desk.ok(&format!("{plan} {options}"));
        assert!(
            desk.text("plan.toml").contains(written),
            "{}",
            desk.text("plan.toml")
        );
    }
    let search = "plan --data train.csv --label y --iterations 3 --minibatch 40 --sigmoid 3:16";
    let said = desk.json(&format!(
        "{search} --class-weights 1,2.5 --order stratified:2"
    ));
    let arguments = said["settings"]["arguments"].as_str().unwrap();
    assert!(
        arguments.contains("--order stratified:2 --class-weights 1,2.5"),
        "{arguments}"
    );
    let again = desk.json(&format!(
        "plan --data train.csv --label y --rounds fastest --force {arguments}"
    ));
    assert_eq!(again["plan"], said["plan"]);
    desk.refuses(
        "
        2 | plan --data train.csv --label y --class-weights balanced --order original | --order original
        2 | plan --data train.csv --label y --class-weights 1 | balanced | 1,5
        2 | plan --data train.csv --label y --order sorted | stratified
        6 | plan --data train.csv --label y --settings fixed --class-weights 0,1 | weight of a class is 0
        6 | plan --data train.csv --label y --class-weights 1e-9,1 | a million times
        ",
    );
}
