//! Reports with every part filled with made-up values that are hard to show: long and hostile names, unknown and useless numbers.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;
use crate::metrics::{Assessment, Threshold};

const HOSTILE: &str =
    "</title><script src=\"http://evil.example/x.js\">alert('&')</script>\u{1b}[31m";

fn made<T: DeserializeOwned>(fields: serde_json::Value) -> T {
    serde_json::from_value(fields).unwrap()
}

fn machine() -> Machine {
    made(json!({
        "cpu": "Processor <X>", "cores": 2, "simd": ["AVX2"], "memory_bytes": 16u64 << 30, "system": "linux x86_64",
    }))
}

fn row(circuit: &str, minibatch: usize, seconds: f64) -> CircuitRow {
    let mut row: CircuitRow = made(json!({
        "circuit": circuit, "iterations": 6, "minibatch": minibatch,
        "depth": 29, "log_n": 16, "log_qp": 1500.4, "log_qp_bound": 1734.0, "dnum": 3,
        "multiplications": 1024, "key_switches": 162, "critical_steps": 77, "model_cost": 0.0,
        "input_bytes": 10 << 20, "key_bytes": 3u64 << 30,
        "timing": {"measured": {"runs": 5}},
        "seconds": [{"threads": 1, "seconds": 0.0}, {"threads": 2, "seconds": 0.0}],
        "weight_error": 3.2e-6, "accuracy": 0.9712, "auc": 0.99,
    }));
    // JSON has no NaN.
    row.seconds[0].seconds = seconds;
    row.seconds[1].seconds = seconds / 1.5;
    row.critical_seconds = Some(seconds / 4.0);
    row.work_seconds = Some(seconds);
    row.model_cost = seconds * seconds;
    row
}

fn comparison() -> Comparison {
    let mut unmeasured = row(HOSTILE, 32, 5.0);
    unmeasured.timing = Timing::Estimated;
    unmeasured.seconds.truncate(1);
    unmeasured.critical_seconds = None;
    let mut comparison = Comparison::new(machine(), HOSTILE);
    comparison.commit = Some("0123abc".into());
    comparison.date = Some("a day".into());
    comparison.rows = vec![
        row("baseline", 64, 12.0),
        row("low-depth", 64, 4.0),
        row("baseline", 32, 20.0),
        unmeasured,
    ];
    comparison
}

fn report() -> TrainingReport {
    let points = |values: &[f64]| -> Vec<Point> {
        let numbered = values.iter().zip(1..);
        numbered
            .map(|(&value, iteration)| Point { iteration, value })
            .collect()
    };
    let quality = json!({
        "accuracy": 0.9712, "auc": null, "log_loss": 0.12,
        "confusion": {"true_positive": 0, "false_positive": 0, "true_negative": 0, "false_negative": 0},
    });
    made(json!({
        "title": HOSTILE,
        "machine": machine(),
        "data": {
            "name": HOSTILE, "training_rows": 1000, "test_rows": 100, "features": 54, "dropped": 10,
            "negative": HOSTILE, "positive": "<8>",
        },
        "plans": [{
            "circuit": HOSTILE, "iterations": 6, "rounds": 2, "minibatch": 64,
            "log_n": 16, "levels": 29, "dnum": 3, "log_qp": 1500.4, "log_qp_bound": 1734.0,
            "keys": 24, "key_bytes": 3u64 << 30, "input_bytes": 10 << 20,
            "predicted_error": 1e-6, "predicted_seconds": 75.0,
        }],
        "stages": [{"name": HOSTILE, "side": "server", "seconds": 1.25, "bytes": 2048}],
        "plaintext_accuracy": points(&[0.9, 0.95, 0.96]),
        "accuracy": [
            {"circuit": HOSTILE, "points": points(&[0.9, 0.95, 0.96])},
            {"circuit": "low-depth", "points": points(&[0.91])},
        ],
        "weight_error": [{"circuit": HOSTILE, "points": points(&[1e-7, 0.0, 3e-5])}],
        "shapes": [{
            "circuit": HOSTILE, "depth": 2,
            "levels": [
                {"operations": 3, "key_switches": 1},
                {"operations": 9, "key_switches": 4},
                {"operations": 0, "key_switches": 0},
            ],
            "waves": [2, 3], "multiplications": 4, "critical_path": 7, "model_cost": 12.0,
        }],
        "times": [{
            "circuit": HOSTILE, "timing": "estimated", "threads": 1,
            "kinds": [{"kind": HOSTILE, "seconds": 2.5}, {"kind": "add", "seconds": 0.001}],
        }],
        "comparison": comparison(),
        "model": {
            "circuit": HOSTILE, "intercept": -0.25, "weights": [{"feature": HOSTILE, "weight": -1.5}],
            "quality": quality, "plaintext_quality": quality,
        },
    }))
}

/// Every element is closed, in order; gives all opening tags. Only what this crate writes is understood: no comments in the body, no `>`
/// within attributes.
fn elements(page: &str) -> Vec<String> {
    const VOID: [&str; 1] = ["meta"];
    let mut open: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    let page = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let (before, rest) = page.split_once("<style>").expect("a style sheet");
    let (style, after) = rest.split_once("</style>").expect("its end");
    assert!(!style.contains('<'));
    for piece in [before, after]
        .iter()
        .flat_map(|part| part.split('<').skip(1))
    {
        let (tag, text) = piece.split_once('>').expect("a closed tag");
        assert!(!text.contains('>'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{open:?}");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        all.push(tag.to_owned());
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if !(tag.ends_with('/') || VOID.contains(&name)) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

#[test]
fn pages_are_well_formed_and_fetch_nothing() {
    for page in [
        report().to_html().unwrap(),
        comparison().to_html().unwrap(),
        TrainingReport::new("empty", machine()).to_html().unwrap(),
    ] {
        for tag in elements(&page) {
            let name = tag.split(' ').next().unwrap();
            const FETCHING: &str = " script link img iframe a object use image ";
            assert!(!FETCHING.contains(&format!(" {name} ")), "{tag}");
            for attribute in [" src=", " href=", " onload=", " onclick=", "url(", "http:"] {
                assert!(!tag.contains(attribute), "{tag}");
            }
        }
        let (head, _) = page.split_once("</style>").unwrap();
        let (_, style) = head.split_once("<style>").unwrap();
        assert!(!style.contains("url(") && !style.contains("@import"));
        assert!(!page.contains("http://www"));
        assert!(!page.contains("NaN") && !page.contains("inf"));
    }
}

#[test]
fn every_part_is_on_the_page() {
    let page = report().to_html().unwrap();
    let parts = "Plan | Timeline | Accuracy by iteration | Weight error by iteration | Depth and width of the circuits | \
        Time by kind of operation | Circuits side by side | Model | commit 0123abc | 1.25 s | 3.00 GiB | −1.500 | 3.2·10⁻⁶ | \
        2¹⁶ | &lt;script";
    for part in parts.split(" | ") {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("role=\"img\"").count(), 4);
    assert_eq!(report().to_html().unwrap(), page);
}

#[test]
fn every_colour_of_the_figures_has_a_variable() {
    let style = include_str!("style.css");
    for colour in plot::PALETTE
        .iter()
        .chain([&plot::INK, &plot::GRID, &plot::REFERENCE])
    {
        for attribute in ["fill", "stroke"] {
            assert!(style.contains(&format!("[{attribute}=\"{}\"]", plot::hex(*colour))));
        }
    }
    let page = report().to_html().unwrap();
    let body = page.split_once("</style>").unwrap().1;
    for attribute in ["fill=\"#", "stroke=\"#"] {
        for rest in body.split(attribute).skip(1) {
            assert!(
                style.contains(&format!("[{attribute}{}\"]", &rest[..6])),
                "{}",
                &rest[..6]
            );
        }
    }
}

#[test]
fn useless_numbers_do_no_harm() {
    let mut report = report();
    for series in report.accuracy.iter_mut().chain(&mut report.weight_error) {
        series.points.iter_mut().for_each(|p| p.value = f64::NAN);
    }
    report.plaintext_accuracy.clear();
    report.stages[0].seconds = f64::INFINITY;
    report.times[0].kinds[0].seconds = f64::NAN;
    report.shapes[0].levels.clear();
    report.comparison.as_mut().unwrap().rows[0] = row("baseline", 64, f64::NAN);
    report.model.as_mut().unwrap().weights[0].weight = f64::NAN;
    let page = report.to_html().unwrap();
    elements(&page);
    let body = page.split_once("</style>").unwrap().1;
    assert!(!body.contains("NaN") && !body.contains(">inf"));
    report.to_text(80);
    report.times.clear();
    report
        .weight_error
        .iter_mut()
        .for_each(|s| s.points.clear());
    report.comparison.as_mut().unwrap().rows.clear();
    elements(&report.to_html().unwrap());
    report.to_text(0);
}

#[test]
fn json_is_read_back() {
    let report = report();
    let text = report.to_json().unwrap();
    assert_eq!(TrainingReport::from_json(&text).unwrap(), report);
    let comparison = comparison();
    assert_eq!(
        Comparison::from_json(&comparison.to_json().unwrap()).unwrap(),
        comparison
    );
    assert!(matches!(
        TrainingReport::from_json("{}"),
        Err(ReportError::Json(_))
    ));
}

#[test]
fn ratios_are_against_the_first_circuit_with_the_minibatch() {
    let ratios = comparison().ratios();
    assert_eq!(ratios[0].model, 1.0);
    assert_eq!(ratios[1].speed[0].ratio, 3.0);
    assert_eq!(ratios[1].model, 9.0);
    // Against the baseline's 20 s with minibatch 32.
    let (threads, ratio) = (1, 4.0);
    assert_eq!(ratios[3].speed, [ThreadSpeed { threads, ratio }]);
    assert_eq!(ratios[3].critical_path, None);
}

#[test]
fn text_fits_the_terminal_and_keeps_control_characters_out() {
    let mut comparison = comparison();
    comparison.data = "digits\u{1b}[2J".into();
    comparison.rows[3].circuit = "a-third-circuit".into();
    for width in [40, 60, 120] {
        let text = comparison.to_text(width);
        let table = text.split_once("\n\n").unwrap().1;
        assert!(
            table.lines().all(|line| line.chars().count() <= width),
            "{width}: {table}"
        );
        assert!(!text.contains('\u{1b}'));
        let values = "3.00× | 12.0 s | 1,024 | 2¹⁶ | 97.12 % | a-third-circuit | medians of 5";
        for value in values.split(" | ") {
            assert!(text.contains(value), "{value} in {text}");
        }
        // Nobody measured it.
        assert!(!text.contains("peak memory"));
    }
    assert!(!report().to_text(100).contains('\u{1b}'));
}

#[test]
fn shapes_are_counted_on_programs() {
    use crate::{
        circuits::{Kind, Spec, Start, TrainingCircuit},
        plain::Rate,
    };
    let shape = |kind: Kind| {
        let steps = Spec::nesterov_steps(&Rate::Constant(1.0), 16, 0, 6).unwrap();
        let spec = Spec::new(kind, 1 << 12, 16, 16, steps).start(Start::Encrypted);
        let circuit = TrainingCircuit::record(spec).unwrap();
        CircuitShape::of(
            kind.name(),
            &arras_toolkit::Program::new(circuit.circuit().clone()),
        )
    };
    let (base, low) = (shape(Kind::Baseline), shape(Kind::LowDepth));
    assert_eq!((base.depth, low.depth), (29, 16));
    for shape in [&base, &low] {
        assert_eq!(shape.levels.len(), shape.depth + 1);
        assert!(shape.levels.iter().all(|l| l.key_switches <= l.operations));
        assert!(shape.critical_path > shape.depth && shape.key_switches() > shape.multiplications);
    }
    // Shallower and wider, and cheaper by the model.
    assert!(low.width() > base.width());
    assert!(low.multiplications > 2 * base.multiplications);
    assert!(base.model_cost > 3.0 * low.model_cost);
    // Four products of ciphertexts an iteration.
    assert_eq!(base.multiplications, 24);
}

#[test]
fn an_assessment_is_told_in_a_table_and_two_figures() {
    let scores: Vec<f64> = (0..40).map(|row| f64::from(row) / 4.0 - 5.0).collect();
    let labels: Vec<bool> = (0..40).map(|row| row % 7 > 2 && row > 10).collect();
    let measured = Assessment::measure(&scores, &labels, Threshold::default()).unwrap();
    let mut report = TrainingReport::new("assessed", machine());
    report.assessment = Some(AssessedRows::new("rows held back", measured.clone()));
    let page = report.to_html().unwrap();
    elements(&page);
    for told in [
        "On rows held back",
        "aria-label=\"ROC curve\"",
        "aria-label=\"calibration\"",
        &arras_toolkit::text::fixed(measured.auc.unwrap(), 4),
        &arras_toolkit::text::fixed(measured.base_log_loss, 4),
    ] {
        assert!(page.contains(told), "{told}");
    }
    let again = TrainingReport::from_json(&report.to_json().unwrap()).unwrap();
    assert_eq!(again, report);
    // Rows of one class have no curve.
    let one = Assessment::measure(&scores, &[true; 40], Threshold::default()).unwrap();
    report.assessment = Some(AssessedRows::new("these", one));
    let page = report.to_html().unwrap();
    assert!(!page.contains("ROC curve") && page.contains("all rows are of one class"));
}
