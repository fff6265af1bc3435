//! Training longer than the levels allow: rounds, and a refresh between two of them.

use arras::{
    Engine,
    toolkit::{run::Options, text},
};
use lr_train::{
    circuits::Kind,
    report::{CircuitShape, Point, Series, Side, TrainingReport},
    trainer::{DataOwner, PlannerOptions, Rounds, TrainingServer, plan},
};

use super::{
    Material, SCHEME,
    circuit::{Stages, summary},
    model, settings,
};
use crate::{failure::Failure, output::Output};

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
    for (i, iteration) in history.iterations().iter().enumerate() {
        let value = data.quality(&iteration.weights)?.accuracy;
        report.plaintext_accuracy.push(Point {
            iteration: i + 1,
            value,
        });
    }
    let mut stages = Stages::new();
    let (plan, planned) = plan(
        &settings,
        data.z.ncols(),
        data.train.rows(),
        &PlannerOptions::default(),
    )?;
    stages.done("plan", Side::Client, None);
    output.note(format_args!("\n{}", planned.chosen));
    report.plans.push(summary(&plan, &planned));
    report
        .shapes
        .push(CircuitShape::of(KIND.name(), &plan.round(1)?.program));
    let (owner, keys) = DataOwner::generate(plan.clone(), arras::secret_backend())?;
    stages.done(
        "make keys",
        Side::Client,
        Some(planned.chosen.key_file_bytes),
    );
    let prepared = owner.prepare(&data.train, SCHEME)?;
    let server = TrainingServer::new(plan, keys, engine.backend().clone(), Options::new())?;
    stages.done("load keys", Side::Server, None);

    let (mut accuracy, mut errors) = (vec![], vec![]);
    let mut start = None;
    for round in 0..ROUNDS {
        let sent = owner.encrypt_round(&prepared, round)?;
        stages.done(
            &format!("encrypt the data of round {}", round + 1),
            Side::Client,
            None,
        );
        let result = server.train(&sent, start.as_ref())?;
        stages.done(&format!("train round {}", round + 1), Side::Server, None);
        let state = owner.decrypt_state(prepared.record(), &result)?;
        if !result.finished {
            start = Some(owner.encrypt_state(prepared.record(), &state, round + 1)?);
            stages.done(
                &format!("refresh the state after round {}", round + 1),
                Side::Client,
                None,
            );
        }
        let quality = data.quality(&state.w)?;
        let point = |value| Point {
            iteration: state.iteration,
            value,
        };
        let clear = history
            .iterations()
            .get(state.iteration - 1)
            .map_or(&state.w, |of| &of.weights);
        let error = (&state.w - clear)
            .iter()
            .fold(0.0f64, |most, d| most.max(d.abs()));
        accuracy.push(point(quality.accuracy));
        errors.push(point(error));
        output.note(format_args!(
            "round {} of {ROUNDS}: {} iterations done, accuracy {} (in the clear {}), weights within {error:.0e}",
            round + 1,
            state.iteration,
            text::percent(quality.accuracy),
            text::percent(data.quality(clear)?.accuracy),
        ));
        if result.finished {
            report.model = Some(model(data, KIND, &state.w, &history)?);
        }
    }
    report.stages = stages.done;
    report.accuracy.push(Series {
        circuit: KIND.name().into(),
        points: accuracy,
    });
    report.weight_error.push(Series {
        circuit: KIND.name().into(),
        points: errors,
    });
    Ok(())
}
