//! What a plan must be, whoever wrote it.

use std::collections::BTreeSet;

use arras_ckks::{Parameters, params::MAX_LEVELS};
use arras_toolkit::plan::KeyRequests;

use super::{
    super::settings::{MAX_FEATURES, MAX_ITERATIONS, MAX_ROWS},
    PlanSpec, TrainingPlan, outline,
};
use crate::{Result, TrainError, circuits::Geometry, trainer::ExchangeError};

pub(super) fn inconsistent(
    what: &'static str,
    found: &dyn ToString,
    expected: &dyn ToString,
) -> TrainError {
    ExchangeError::PlanInconsistent {
        what,
        found: found.to_string(),
        expected: expected.to_string(),
    }
    .into()
}

fn within(what: &'static str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(inconsistent(what, &value, &format!("{least} to {most}")))
}

pub(super) fn check(spec: &PlanSpec, params: &Parameters) -> Result<()> {
    spec.settings.check()?;
    within("number of rows", spec.rows, 1, MAX_ROWS)?;
    within("number of features", spec.features, 1, MAX_FEATURES)?;
    within("number of rounds", spec.rounds.len(), 1, MAX_ITERATIONS)?;
    // Before anything is recorded whose size follows from these.
    Geometry::choose(spec.kind, params.slots(), spec.features, spec.minibatch())?;
    for round in &spec.rounds {
        // An iteration costs a level or more.
        let iterations = round.iterations;
        within("number of iterations of a round", iterations, 1, MAX_LEVELS)?;
    }
    let iterations: usize = spec.rounds.iter().map(|round| round.iterations).sum();
    if iterations != spec.settings.iterations {
        return Err(inconsistent(
            "number of iterations in all rounds",
            &iterations,
            &spec.settings.iterations,
        ));
    }
    outline(spec, params).spec(0)?.check()?;
    check_requests(&spec.keys, params)
}

/// Whether keys are for rotations that there are, at levels that there are.
pub(crate) fn check_requests(keys: &KeyRequests, params: &Parameters) -> Result<()> {
    let half = params.slots() as i64 / 2;
    let mut rotations = keys.rotations.keys();
    if let Some(steps) = rotations.find(|&&steps| steps == 0 || steps <= -half || steps > half) {
        return Err(inconsistent(
            "rotation of a key",
            steps,
            &format!("steps that are not 0, above -{half} and up to {half}"),
        ));
    }
    let levels = keys.rotations.values().copied();
    for level in levels.chain(keys.relinearization) {
        within("level of a key", level, 0, params.max_level())?;
    }
    Ok(())
}

/// Keys are what the circuits need, each up to the level at which it is used: more would make a client work for nothing, with fewer the
/// server fails after everything has been sent.
pub(super) fn check_keys(plan: &TrainingPlan) -> Result<()> {
    let mut needed = KeyRequests::default();
    let mut seen = vec![];
    for (index, place) in plan.outline().places().into_iter().enumerate() {
        // Rounds that differ in constants alone need the same.
        let shape = (place, plan.rounds()[index].summing);
        if !seen.contains(&shape) {
            needed = needed.union(&KeyRequests::of(&plan.round(index)?.program));
            seen.push(shape);
        }
    }
    let found = plan.key_requests();
    let level =
        |level: Option<usize>| level.map_or("absent".to_owned(), |l| format!("at level {l}"));
    let all: BTreeSet<i64> = [found, &needed]
        .iter()
        .flat_map(|keys| keys.rotations.keys().copied())
        .collect();
    let of = |keys: &KeyRequests, steps: i64| {
        let at = level(keys.rotations.get(&steps).copied());
        format!("{at} for the rotation by {steps}")
    };
    let rotations = all
        .iter()
        .map(|&steps| [found, &needed].map(|keys| of(keys, steps)));
    let relinearization =
        [found, &needed].map(|keys| format!("{} for relinearization", level(keys.relinearization)));
    let mut keys = std::iter::once(relinearization).chain(rotations);
    match keys.find(|[found, needed]| found != needed) {
        Some([found, needed]) => Err(inconsistent("key", &found, &needed)),
        None => Ok(()),
    }
}
