//! Training longer than the levels allow: rounds, and a refresh between two of them.

use arras::{
    Engine,
    toolkit::{run::Options, text},
};
use lr_train::{
    circuits::Kind,
    report::{CircuitShape, PlanSummary, Point, Series, Side, TrainingReport},
    trainer::{PlannerOptions, Rounds, TrainingServer, plan},
};

use super::{
    Material, SCHEME,
    circuit::{Stages, error_after, make_keys, weights_after},
    model, settings,
};
use crate::{failure::Failure, output::Output, signals};

const ITERATIONS: usize = 12;
const ROUNDS: usize = 3;
const KIND: Kind = Kind::SingleChainMaskFree;

pub(super) fn train(
    data: &Material,
    engine: &Engine,
    report: &mut TrainingReport,
    output: &Output,
) -> Result<(), Failure> {
    let settings = settings(ITERATIONS)
        .circuit(KIND)
        .rounds(Rounds::Count(ROUNDS));
    let history = data.plain(&settings)?;
    report.plaintext_accuracy = data.accuracy_in_the_clear(&history)?;
    let mut stages = Stages::new();
    let (plan, planned) = plan(
        &settings,
        data.z.ncols(),
        data.train.rows(),
        &PlannerOptions::default().with_stop_token(signals::token()),
    )?;
    stages.done("plan", Side::Client, None);
    output.note(format_args!("\n{}", planned.chosen));
    report.plans.push(PlanSummary::new(&plan, &planned));
    let shape = CircuitShape::of(KIND.name(), &plan.round(1)?.program);
    report.shapes.push(shape);
    let (owner, keys) = make_keys(&plan)?;
    let key_bytes = planned.chosen.key_file_bytes;
    stages.done("make keys", Side::Client, Some(key_bytes));
    let prepared = owner.prepare(&data.train, SCHEME)?;
    let options = Options::new().with_stop_token(signals::token());
    let server = TrainingServer::new(plan, keys, engine.backend().clone(), options)?;
    stages.done("load keys", Side::Server, None);

    let (mut accuracy, mut errors) = (vec![], vec![]);
    let mut start = None;
    for round in 0..ROUNDS {
        let sent = owner.encrypt_round(&prepared, round)?;
        let number = round + 1;
        let name = format!("encrypt the data of round {number}");
        stages.done(&name, Side::Client, None);
        let result = server.train(&sent, start.as_ref())?;
        stages.done(&format!("train round {number}"), Side::Server, None);
        let state = owner.decrypt_state(prepared.record(), &result)?;
        if !result.finished {
            start = Some(owner.encrypt_state(prepared.record(), &state, number)?);
            let name = format!("refresh the state after round {number}");
            stages.done(&name, Side::Client, None);
        }
        let quality = data.quality(&state.w)?;
        let point = |value| Point {
            iteration: state.iteration,
            value,
        };
        let clear = weights_after(&history, state.iteration).unwrap_or(&state.w);
        let error = error_after(&history, state.iteration, &state.w);
        accuracy.push(point(quality.accuracy));
        errors.push(point(error));
        output.note(format_args!(
            "round {number} of {ROUNDS}: {} iterations done, accuracy {} (in the clear {}), weights within {error:.0e}",
            state.iteration,
            text::percent(quality.accuracy),
            text::percent(data.quality(clear)?.accuracy),
        ));
        if result.finished {
            report.model = Some(model(data, KIND, &state.w, &history)?);
        }
    }
    report.stages = stages.done;
    report.accuracy.push(Series::new(KIND.name(), accuracy));
    report.weight_error.push(Series::new(KIND.name(), errors));
    Ok(())
}
