//! One encrypted training beside the same in the clear, and what every table says of it.

use std::time::Instant;

use arras::{CpuEngine, toolkit::text::UNKNOWN};
use lr_train::trainer::{Candidate, Model, TrainerBuilder};
use serde_json::{Value, json};

use super::circuit::largest_difference;
use crate::{
    Result,
    report::{Column, Form::By, column},
};

/// What encrypted training took, and how far it came from its twin.
pub(super) struct Cost {
    /// The planner's choice, of several trainings for the first.
    pub(super) chosen: Candidate,
    /// The largest difference of a weight from the twin's, after any round.
    pub(super) weight_error: f64,
    /// Of the server's rounds, all trainings together.
    server_seconds: f64,
    /// Of everything: plan, keys, encryption, server, refresh, decryption.
    seconds: f64,
}

/// A number of an object, or none.
pub(super) fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or(f64::NAN)
}

/// Iterations of rounds: `7x4 + 1x4`.
fn lengths(rounds: &[Value]) -> String {
    let runs = rounds.chunk_by(|a, b| a == b);
    let runs = runs.map(|run| format!("{}x{}", run.len(), run[0]));
    runs.collect::<Vec<_>>().join(" + ")
}

/// A number that is near zero.
pub(super) fn error(value: &Value) -> String {
    format!("{:.1e}", value.as_f64().unwrap_or(f64::NAN))
}

impl Cost {
    /// The columns of [`Cost::cells`].
    pub(super) fn columns() -> [Column; 3] {
        let trained = |v: &Value| {
            let rounds = lengths(v["rounds"].as_array().map_or(&[], Vec::as_slice));
            let circuit = v["circuit"].as_str().unwrap_or(UNKNOWN);
            format!("{circuit}, 2^{}, {rounds}", v["log_n"])
        };
        let times = |v: &Value| format!("{:.1} / {:.1}", number(v, "server"), number(v, "all"));
        [
            column("weight err.", By(error)).key("weight_error"),
            column("circuit, N, rounds", By(trained)).key("trained"),
            column("server / all s", By(times)).key("seconds"),
        ]
    }

    pub(super) fn cells(&self) -> [Value; 3] {
        let of = &self.chosen;
        [
            json!(self.weight_error),
            json!({"circuit": of.kind, "log_n": of.log_n, "log_qp": of.log2_qp, "levels": of.levels, "rounds": of.rounds}),
            json!({"server": self.server_seconds, "all": self.seconds}),
        ]
    }

    /// With another training's.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.weight_error = self.weight_error.max(other.weight_error);
        self.server_seconds += other.server_seconds;
        self.seconds += other.seconds;
        self
    }
}

/// An encrypted training.
pub(super) struct Trained {
    pub(super) model: Model,
    /// Trained in the clear with the same minibatches, constants and polynomial.
    pub(super) twin: Model,
    pub(super) cost: Cost,
}

impl Trained {
    /// Plans, makes keys, encrypts and trains with both sides in this process, then trains the twin.
    pub(super) fn of(builder: TrainerBuilder<'_>) -> Result<Self> {
        let start = Instant::now();
        let engine = CpuEngine::new();
        let trainer = builder.build(engine.clone(), engine)?;
        let (mut server_seconds, mut states) = (0.0, vec![]);
        let result = trainer.train_with(|done| {
            server_seconds += done.report.map_or(0.0, |report| report.seconds);
            states.push(done.state.clone());
            Ok(())
        })?;
        let model = trainer.decrypt(&result)?;
        let seconds = start.elapsed().as_secs_f64();
        let history = trainer.twin()?;
        let mut weight_error = 0.0f64;
        for state in &states {
            let at = state.iteration.checked_sub(1);
            let twin = at.and_then(|at| history.iterations().get(at));
            let twin = &twin.ok_or("a round without its twin")?.weights;
            weight_error = weight_error.max(largest_difference(&state.w, twin));
        }
        let last = history.weights().ok_or("no iteration")?;
        let twin = trainer
            .data()
            .record()
            .model(trainer.owner().plan(), last)?;
        Ok(Self {
            model,
            twin,
            cost: Cost {
                chosen: trainer.report().chosen.clone(),
                weight_error,
                server_seconds,
                seconds,
            },
        })
    }
}
