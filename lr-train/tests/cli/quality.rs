//! What the client makes of a decrypted model: calibration, threshold, coefficients, figures in words.

use crate::support::finished;

#[test]
fn models_are_calibrated_on_the_rows_they_were_trained_on() {
    let desk = finished().copy_of("keys result.arras model.json train.csv");
    let decrypt = "decrypt --keys keys --result result.arras --data train.csv --label y";
    desk.ok(&format!("{decrypt} --threshold 0.4 --out calibrated.json"))
        .says("calibrated on 24 rows | before | yes from a probability of 0.4000 | odds ratio | log odds of yes");
    let said = desk.json(&format!(
        "{decrypt} --threshold balanced --out balanced.json"
    ));
    assert_eq!(said["threshold"], 0.5);
    let calibration = &said["calibration"];
    let loss = |name: &str| calibration[name].as_f64().unwrap();
    assert!(loss("log-loss-after") < loss("log-loss-before"), "{said}");
    let columns = said["coefficients"]["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 2);
    for column in columns {
        let per_unit = column["per-unit"].as_f64().unwrap();
        let ratio = column["odds-ratio"].as_f64().unwrap();
        assert!((ratio / per_unit.exp() - 1.0).abs() < 1e-12, "{column}");
    }
    // Ranks stay, probabilities do not.
    let quality = |model: &str| {
        desk.json(&format!(
            "evaluate --model {model} --data train.csv --label y"
        ))["quality"]
            .clone()
    };
    let (raw, calibrated) = (quality("model.json"), quality("calibrated.json"));
    assert_eq!(raw["auc"], calibrated["auc"]);
    let measured = calibrated["log_loss"].as_f64().unwrap();
    assert!((measured - loss("log-loss-after")).abs() < 1e-12);
    assert_eq!(calibrated["threshold"], 0.4);
    assert!(calibrated["roc"].as_array().unwrap().len() > 2);
    let probability = |model: &str| {
        let said = desk.json(&format!(
            "predict --model {model} --data train.csv --label y"
        ));
        said["predictions"][0]["probability"].as_f64().unwrap()
    };
    assert!(probability("calibrated.json") < probability("model.json") - 0.1);
    desk.refuses(
        "
        2 | decrypt --keys keys --result result.arras --threshold balanced --out x.json | --data
        2 | decrypt --keys keys --result result.arras --threshold 1.5 --out x.json | above 0 and below 1
        2 | decrypt --keys keys --result result.arras --threshold most --out x.json | balanced
        ",
    );
}

#[test]
fn figures_stand_beside_those_of_a_model_that_knows_nothing() {
    let desk = finished().copy_of("model.json train.csv");
    let evaluate = "evaluate --model model.json --data train.csv --label y";
    desk.ok(evaluate).says(
        "24, 50.00 % of them yes | the larger class for every row | balanced accuracy | guessing | precision | recall | F1 | \
         observed | predicted no | threshold",
    );
    let model = desk.text("model.json");
    let with = |from: &str, to: &str| {
        assert!(model.contains(from), "{model}");
        desk.write("model.json", model.replace(from, to));
    };
    with("\"threshold\": 0.5", "\"threshold\": 0.999999");
    desk.ok(evaluate)
        .says("one class for every row | it says \"no\"");
    with("\"threshold\": 0.5", "\"threshold\": 1.0");
    desk.fails(evaluate, 4, "model.json | below 1");
    with("\"version\": 3", "\"version\": 2");
    desk.fails(evaluate, 4, "version 2 | `lr-train decrypt`");
}
