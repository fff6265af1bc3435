//! What the comparison is held against.

use serde::{Deserialize, Serialize};

use super::{
    Libraries,
    ours::{COMPARED, Ours},
    recorded::{POULPY, recorded},
};

const MULTIPLY: &str = "multiply, relinearize, rescale";
const ROTATE: &str = "rotate";
const HOISTED: &str = "8 rotations, hoisted";
/// A measurement this far from its model, either way, needs an explanation.
pub const TOLERANCE: f64 = 0.3;

/// In what a goal is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A ratio.
    Times,
}

/// A goal and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// What is measured.
    pub name: String,
    /// Its value; none where a side of it was not measured.
    pub value: Option<f64>,
    /// In what.
    pub unit: Unit,
    /// The bound.
    pub bound: f64,
    /// Whether the bound is the most; otherwise the least.
    pub at_most: bool,
    /// What the model of the measured operation gives, in seconds.
    pub model: Option<f64>,
    /// Its measured seconds by the model's.
    pub by_model: Option<f64>,
}

impl Goal {
    /// Whether it is met; none without a value.
    pub fn met(&self) -> Option<bool> {
        let value = self.value?;
        Some(if self.at_most {
            value <= self.bound
        } else {
            value >= self.bound
        })
    }
}

/// Every goal, in the order of the table.
pub fn goals(found: &Libraries) -> Vec<Goal> {
    let mut list = transforms(found);
    list.extend(products(found));
    list.extend(clients(found));
    list.extend(lanes(found));
    list.extend(training(found));
    list
}

fn goal(
    name: impl Into<String>,
    value: Option<f64>,
    unit: Unit,
    bound: f64,
    at_most: bool,
) -> Goal {
    Goal {
        name: name.into(),
        value,
        unit,
        bound,
        at_most,
        model: None,
        by_model: None,
    }
}

impl Goal {
    fn of(mut self, ours: Option<&Ours>) -> Self {
        self.model = ours.and_then(|row| row.model);
        self.by_model = ours
            .zip(self.model)
            .map(|(row, model)| row.times.median / model);
        self
    }
}

fn transforms(found: &Libraries) -> Vec<Goal> {
    let mut list = Vec::new();
    for row in found.transforms.iter().flat_map(|report| &report.rows) {
        let pairs = [
            ("forward", row.forward),
            ("inverse", row.inverse_normalized),
        ];
        for (direction, pair) in pairs {
            let limbs = match row.limbs {
                1 => "one limb".to_owned(),
                limbs => format!("{limbs} limbs"),
            };
            let name = format!(
                "NTT {direction}, N = 2^{}, {limbs}: by tfhe-ntt's time",
                row.log_n
            );
            let ratio = pair.ours.median / pair.theirs.median;
            list.push(goal(name, Some(ratio), Unit::Times, 0.9, true));
        }
    }
    list
}

fn products(found: &Libraries) -> Vec<Goal> {
    let mut list = Vec::new();
    for (operation, log_n, bound) in [
        (MULTIPLY, 15, 10e-3),
        (MULTIPLY, 16, 70e-3),
        (ROTATE, 15, 8e-3),
        (HOISTED, 15, 30e-3),
    ] {
        let ours = found.one_thread(log_n, operation);
        let value = ours.map(|row| row.times.median);
        let name = format!("{operation}, N = 2^{log_n}");
        list.push(goal(name, value, Unit::Seconds, bound, true).of(ours));
    }
    let ours = found.one_thread(15, MULTIPLY);
    let speed = |theirs: Option<f64>| {
        theirs
            .zip(ours)
            .map(|(theirs, row)| theirs / row.times.median)
    };
    for library in ["OpenFHE", "SEAL"] {
        let theirs = found.library(library).and_then(|l| l.times(15, MULTIPLY));
        let name = format!("{MULTIPLY}, N = 2^15: speed, by {library} measured here");
        let value = speed(theirs.map(|times| times.median));
        list.push(goal(name, value, Unit::Times, 5.0, false));
    }
    let poulpy = recorded(POULPY, MULTIPLY, 15).map(|range| range[0]);
    let name = format!("{MULTIPLY}, N = 2^15: speed, by {POULPY} as recorded (its least)");
    list.push(goal(name, speed(poulpy), Unit::Times, 3.5, false));
    list
}

fn clients(found: &Libraries) -> Vec<Goal> {
    let mut list = Vec::new();
    for (operation, _) in &COMPARED[3..] {
        for log_n in found.sizes() {
            let ours = found.one_thread(log_n, operation);
            let fastest = found
                .libraries
                .iter()
                .filter_map(|library| Some((library.times(log_n, operation)?.median, library)))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            let value = fastest
                .as_ref()
                .zip(ours)
                .map(|((theirs, _), row)| theirs / row.times.median);
            let by = fastest.map_or("the fastest peer", |(_, library)| library.library.as_str());
            let name = format!("{operation}, N = 2^{log_n}: speed, by {by}");
            list.push(goal(name, value, Unit::Times, 1.0, false).of(ours));
        }
    }
    list
}

fn lanes(found: &Libraries) -> Vec<Goal> {
    ["NTT, a row", ROTATE, MULTIPLY]
        .into_iter()
        .map(|operation| {
            let ratio = found
                .at_lanes("avx2", operation)
                .zip(found.at_lanes("avx512", operation))
                .map(|(narrow, wide)| narrow / wide);
            let name = format!("AVX2 by AVX-512: {operation}, N = 2^{}", found.lanes_log_n);
            goal(name, ratio, Unit::Times, 2.2, true)
        })
        .collect()
}

fn training(found: &Libraries) -> Vec<Goal> {
    let mut list = Vec::new();
    for gain in found.gains.iter().skip(1) {
        let name = format!("second thread, by that of arithmetic: {}", gain.name);
        list.push(goal(name, Some(gain.efficiency), Unit::Times, 0.93, false));
    }
    for (circuit, bound) in [("low-depth", 1.5), ("single-chain", 1.0)] {
        let run = found.training.iter().find(|run| run.circuit == circuit);
        let name = format!("six minibatches, {circuit}, 2 threads");
        let value = run.and_then(|run| run.two.map(|times| times.median));
        list.push(goal(name, value, Unit::Seconds, bound, true));
        let name = format!("peak memory of six minibatches, {circuit}");
        let value = run.and_then(|run| run.peak_bytes).map(|bytes| bytes as f64);
        list.push(goal(
            name,
            value,
            Unit::Bytes,
            2.0 * f64::from(1 << 30),
            true,
        ));
    }
    list
}
