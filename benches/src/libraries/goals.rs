//! What the comparison is held against.

use serde_json::{Value, json};

use super::{
    Libraries,
    ours::{COMPARED, MULTIPLY, Ours, ROTATE, TRANSFORM},
    recorded::{POULPY, recorded},
};
use crate::report::{Form::*, Table, column};
use arras::toolkit::text::{bytes, seconds};

/// A measurement this far from its model, either way, needs an explanation.
const TOLERANCE: f64 = 0.3;

/// A value and its unit: `{"seconds": 0.01}`.
fn show(value: &Value) -> String {
    let of = |unit: &str| value[unit].as_f64();
    let times = || format!("{:.2}", of("times").unwrap_or(f64::NAN));
    of("seconds")
        .map(seconds)
        .or(of("bytes").map(|value| bytes(value as u64)))
        .unwrap_or_else(times)
}

/// Every goal, in the order of the table, with the model of the measured operation; there is no value where a side of it was not measured.
pub(super) fn goals(found: &Libraries) -> Table {
    let bound = |v: &Value| {
        let words = v.as_object().into_iter().flatten();
        let words = words.map(|(word, bound)| format!("{word} {}", show(bound)));
        words.collect()
    };
    let by_model = |v: &Value| {
        let by = v.as_f64().unwrap_or(f64::NAN);
        let off = (by - 1.0).abs() > TOLERANCE;
        format!("{by:.2}{}", if off { " (!)" } else { "" })
    };
    let mut goals = Table::new(
        "goals",
        [
            column("goal", Plain),
            column("measured", By(show)),
            column("bound", By(bound)),
            column("verdict", Plain),
            column("model", Seconds),
            column("measured / model", By(by_model)),
        ],
    );
    let mut add = |name: String,
                   value: Option<f64>,
                   (word, bound, unit): (&str, f64, &str),
                   ours: Option<&Ours>| {
        let met = |value: f64| match word {
            "at most" => value <= bound,
            _ => value >= bound,
        };
        let verdict = match value.map(met) {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "not measured",
        };
        let model = ours.and_then(|row| Some((row.model?, row.times.median / row.model?)));
        let value = value.map(|value| json!({unit: value}));
        let bound = json!({word: {unit: bound}});
        goals.row((name, value, bound, verdict, model.unzip()));
    };
    for row in found.transforms.iter().flat_map(|report| &report.rows) {
        if ["forward", "inverse"].contains(&row.direction.as_str()) {
            let limbs = match row.limbs {
                1 => "one limb".to_owned(),
                limbs => format!("{limbs} limbs"),
            };
            let (direction, log_n) = (&row.direction, row.log_n);
            let name = format!("NTT {direction}, N = 2^{log_n}, {limbs}: by tfhe-ntt's time");
            let ratio = row.ours.median / row.theirs.median;
            add(name, Some(ratio), ("at most", 0.9, "times"), None);
        }
    }
    for (operation, log_n, bound) in [
        (MULTIPLY, 15, 10e-3),
        (MULTIPLY, 16, 70e-3),
        (ROTATE, 15, 8e-3),
        ("8 rotations, hoisted", 15, 30e-3),
    ] {
        let ours = found.one_thread(log_n, operation);
        let value = ours.map(|row| row.times.median);
        let name = format!("{operation}, N = 2^{log_n}");
        add(name, value, ("at most", bound, "seconds"), ours);
    }
    // How many times as fast ours is as a peer.
    let speed = |theirs: Option<f64>, ours: Option<&Ours>| Some(theirs? / ours?.times.median);
    let ours = found.one_thread(15, MULTIPLY);
    for library in ["OpenFHE", "SEAL"] {
        let theirs = found.libraries.iter().find(|l| l.library == library);
        let theirs = theirs.and_then(|l| Some(l.times(15, MULTIPLY)?.median));
        let name = format!("{MULTIPLY}, N = 2^15: speed, by {library} measured here");
        add(name, speed(theirs, ours), ("at least", 5.0, "times"), None);
    }
    let poulpy = recorded(POULPY, MULTIPLY, 15).map(|range| range[0]);
    let name = format!("{MULTIPLY}, N = 2^15: speed, by {POULPY} as recorded (its least)");
    add(name, speed(poulpy, ours), ("at least", 3.5, "times"), None);
    for (operation, _) in &COMPARED[3..] {
        for log_n in found.sizes() {
            let ours = found.one_thread(log_n, operation);
            let times = found.libraries.iter().filter_map(|library| {
                Some((library.times(log_n, operation)?.median, &*library.library))
            });
            let fastest = times.min_by(|a, b| a.0.total_cmp(&b.0));
            let (theirs, by) = fastest.unzip();
            let by = by.unwrap_or("the fastest peer");
            let name = format!("{operation}, N = 2^{log_n}: speed, by {by}");
            add(name, speed(theirs, ours), ("at least", 1.0, "times"), ours);
        }
    }
    for operation in [TRANSFORM, ROTATE, MULTIPLY] {
        let at = |simd| found.at_lanes(simd, operation);
        let ratio = at("avx2")
            .zip(at("avx512"))
            .map(|(narrow, wide)| narrow / wide);
        let name = format!("AVX2 by AVX-512: {operation}, N = 2^{}", found.lanes_log_n);
        add(name, ratio, ("at most", 2.2, "times"), None);
    }
    for gain in found.gains.iter().skip(1) {
        let name = format!("second thread, by that of arithmetic: {}", gain.name);
        add(
            name,
            Some(gain.efficiency),
            ("at least", 0.93, "times"),
            None,
        );
    }
    for (circuit, bound) in [("low-depth", 1.5), ("single-chain", 1.0)] {
        let run = found.training.iter().find(|run| run.circuit == circuit);
        let name = format!("six minibatches, {circuit}, 2 threads");
        let value = run.and_then(|run| Some(run.two?.median));
        add(name, value, ("at most", bound, "seconds"), None);
        let name = format!("peak memory of six minibatches, {circuit}");
        let value = run.and_then(|run| Some(run.peak_bytes? as f64));
        let most = 2.0 * f64::from(1 << 30);
        add(name, value, ("at most", most, "bytes"), None);
    }
    goals
}
