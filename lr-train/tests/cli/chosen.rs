//! `plan` chooses the settings that are not given.

use serde_json::Value;

use crate::support::{Desk, small_csv};

const PLAN: &str = "plan --data train.csv --label y";

fn desk(rows: usize) -> Desk {
    let desk = Desk::new();
    desk.write("train.csv", small_csv(rows));
    desk
}

/// A plan's settings and normalization.
fn planned(desk: &Desk, name: &str) -> (toml::Table, String) {
    let plan: toml::Table = desk.text(name).parse().unwrap();
    let settings = plan["settings"].as_table().unwrap().clone();
    (settings, plan["normalization"].as_str().unwrap().to_owned())
}

#[test]
fn settings_are_searched_and_the_plan_holds_them() {
    let desk = desk(60);
    let said = desk.json(&format!("{PLAN} --out plan.toml"));
    let again = desk.json(&format!("{PLAN} --out again.toml"));
    assert_eq!(said["settings"], again["settings"]);
    assert_eq!(desk.text("plan.toml"), desk.text("again.toml"));
    assert_eq!(said["settings"]["from"], "search");
    let chosen = &said["settings"]["found"]["chosen"]["setting"];
    let (settings, normalization) = planned(&desk, "plan.toml");
    assert_eq!(chosen["scheme"], *normalization);
    let activation: Value =
        serde_json::from_str(&serde_json::to_string(&settings["activation"]).unwrap()).unwrap();
    assert_eq!(chosen["activation"], activation);
    for name in ["iterations", "minibatch"] {
        assert_eq!(chosen[name].as_i64(), settings[name].as_integer(), "{name}");
    }
    assert_eq!(chosen["penalty"].as_f64(), settings["penalty"].as_float());
    assert_eq!(
        chosen["rate"]["constant"].as_f64(),
        settings["rate"]["constant"].as_float()
    );
    assert_eq!(settings["first-step"].as_str(), Some("full"));
    // What the search said is enough to plan the same without searching.
    let arguments = said["settings"]["arguments"].as_str().unwrap();
    let given = desk.json(&format!("{PLAN} {arguments} --rounds fastest"));
    assert_eq!(given["settings"]["from"], "fixed");
    assert_eq!(given["plan"], said["plan"]);
    desk.ok(PLAN)
        .says("chosen: | degree | on [- | steps: log loss | +- | exact solver | AUC");
    // All later verbs take the plan's.
    desk.ok("keygen --plan plan.toml --out keys");
    let encrypted = desk.json("encrypt --keys keys --data train.csv --label y --out data.arras");
    assert_eq!(encrypted["normalization"], *normalization);
}

#[test]
fn what_is_given_is_held() {
    let desk = desk(40);
    let given = "--normalize max-abs --sigmoid cubic-8 --lr 0.7 --iterations 5 --minibatch 16 --first-step published --order 3 --rounds one";
    let said = desk.json(&format!("{PLAN} {given} --out plan.toml"));
    let found = &said["settings"]["found"];
    // The five penalties.
    assert_eq!(found["candidates"], 5);
    let trials = found["trials"].as_array().unwrap();
    for trial in trials.iter().chain([&found["chosen"]]) {
        let setting = &trial["setting"];
        assert_eq!(setting["scheme"], "max-abs");
        assert_eq!(
            (
                &setting["activation"]["origin"],
                &setting["activation"]["bound"]
            ),
            (&"published".into(), &8.0.into())
        );
        assert_eq!(setting["rate"]["constant"], 0.7);
        assert_eq!(
            (&setting["iterations"], &setting["minibatch"]),
            (&5.into(), &16.into())
        );
        assert_eq!(setting["order"]["shuffled"]["seed"], 3);
    }
    let arguments = said["settings"]["arguments"].as_str().unwrap();
    for option in given.split(" --").filter(|o| !o.starts_with("rounds")) {
        assert!(arguments.contains(option), "{option}: {arguments}");
    }
    let (settings, _) = planned(&desk, "plan.toml");
    assert_eq!(settings["first-step"].as_str(), Some("published"));
    assert_eq!(settings["rounds"].as_str(), Some("one"));
    let held = desk.json(&format!("{PLAN} --minibatch 24 --l2 0.02 --rounds fewest"));
    let setting = &held["settings"]["found"]["chosen"]["setting"];
    assert_eq!(
        (&setting["minibatch"], &setting["penalty"]),
        (&24.into(), &0.02.into())
    );
}

#[test]
fn nothing_is_searched_where_it_is_not_wanted_or_there_are_no_data() {
    let desk = desk(40);
    let fixed = desk.json(&format!("{PLAN} --settings fixed --out plan.toml"));
    assert_eq!(fixed["settings"], serde_json::json!({"from": "fixed"}));
    let (settings, normalization) = planned(&desk, "plan.toml");
    assert_eq!(normalization, "standard-clipped");
    let stated = (
        settings["minibatch"].as_integer(),
        settings["iterations"].as_integer(),
        settings["rate"]["constant"].as_float(),
        settings["rounds"].as_str(),
    );
    assert_eq!(stated, (Some(64), Some(6), Some(0.1), Some("one")));
    // Too few rows for a search.
    desk.write("train.csv", small_csv(6));
    desk.ok(&format!(
        "{PLAN} --settings fixed --circuit baseline --iterations 1"
    ))
    .says("--help");
    desk.ok("plan --features 3 --rows 40 --circuit baseline --iterations 1")
        .says("nothing to search");
}

#[test]
fn searches_that_find_nothing_name_the_way_out() {
    let desk = desk(40);
    desk.write("few.csv", small_csv(6));
    desk.refuses(
        "
        3 | plan --data few.csv --label y | 3 rows of a class | at least 4 rows | --settings fixed
        6 | plan --data train.csv --label y --sigmoid 3:0.5 --lr 4 | [-0.5, 0.5] | inner product of | --sigmoid 7: | --settings fixed
        6 | plan --data train.csv --label y --lr 1e9 | inner product of | lower --lr | --settings fixed
        6 | plan --data train.csv --label y --lr 0 | learning rate is 0
        6 | plan --data train.csv --label y --iterations 0 | iterations is 0
        6 | plan --data train.csv --label y --minibatch 0 | minibatch is 0
        6 | plan --data train.csv --label y --l2=-1 | penalty is -1
        2 | plan --data train.csv --label y --optimizer gradient-descent | nesterov | --settings fixed
        2 | plan --data train.csv --label y --schedule harmonic | --lr | --settings fixed
        ",
    );
    desk.ok(&format!(
        "{PLAN} --settings fixed --optimizer gradient-descent --iterations 1 --circuit baseline"
    ));
    let ran = desk.json(&format!(
        "{PLAN} --schedule harmonic --lr 2 --iterations 3 --minibatch 40 --rounds one"
    ));
    let setting = &ran["settings"]["found"]["chosen"]["setting"];
    assert_eq!(setting["rate"]["harmonic"], 2.0);
}

#[test]
fn a_rare_class_is_no_reason_to_refuse_what_was_searched() {
    let desk = Desk::new();
    let mut rows = String::from("a,b,y\n");
    for row in 0..120 {
        let (rare, noise) = (row % 8 == 0, f64::from(row * 37 % 101) / 50.0);
        let a = noise + if rare { 0.8 } else { 0.0 };
        rows += &format!("{a},{},{}\n", f64::from(row * 13 % 29), u8::from(rare));
    }
    desk.write("train.csv", rows);
    let held = format!("{PLAN} --iterations 4 --minibatch 120");
    desk.ok(&held)
        .notes("says one class of every row | AUC of 0. | --threshold balanced");
    let said = desk.json(&held);
    let arguments = said["settings"]["arguments"].as_str().unwrap();
    // Nobody has judged these.
    desk.fails(&format!("{PLAN} {arguments}"), 6, "of all 120 rows");
}
