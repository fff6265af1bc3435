//! Candidates: what a circuit on a ring needs and how long it takes.

use std::sync::Arc;

use arras_ckks::params::{Security, max_log2_qp};
use arras_toolkit::{
    OpCount, Plan, Stage, ToolkitError, ToolkitErrorKind, circuit::Summing, plan,
    plan::PlannedStage,
};

use super::{
    super::{
        client_cost::ClientCost,
        plan::RoundSpec,
        report::{Candidate, EngineSeconds, Operations},
        round::{InputShape, Outline, Round, places},
        settings::Rounds,
    },
    Planner,
};
use crate::{Result, circuits::Kind};

/// Levels that a chain may be longer than needed where the one of just enough levels does not hold the circuit's values.
const SPARE_LEVELS: usize = 2;

/// A candidate with what a plan of it is made of.
pub(super) struct Evaluated {
    pub(super) candidate: Candidate,
    pub(super) planned: Plan,
    pub(super) rounds: Vec<RoundSpec>,
    /// One round of each place.
    pub(super) recorded: Vec<Arc<Round>>,
}

impl Evaluated {
    /// Seconds by the first table of costs.
    pub(super) fn seconds(&self) -> f64 {
        let first = self.candidate.seconds.first();
        first.map_or(f64::INFINITY, |s| s.seconds)
    }
}

impl Planner<'_> {
    /// A candidate with the faster of the ways to add up sums of rotations, the one with fewer keys if they are as fast; and with the
    /// fastest of the spreads over rounds.
    pub(super) fn evaluate(&mut self, kind: Kind, log_n: u32) -> Result<Option<Evaluated>> {
        let Some(longest) = self.lengths(kind, log_n)? else {
            return Ok(None);
        };
        let mut spreads = vec![longest];
        if self.settings.rounds == Rounds::Fastest {
            // Shorter rounds need fewer levels, and every operation of theirs is cheaper.
            let most = spreads[0].iter().copied().max().unwrap_or(0);
            let shorter = (0..usize::BITS)
                .map(|bit| 1 << bit)
                .take_while(|&length| length < most);
            spreads.extend(shorter.map(|length| self.settings.round_lengths(length)));
        }
        let mut best: Option<Evaluated> = None;
        for lengths in &spreads {
            for summing in Summing::ALL {
                let found = self.evaluate_with(kind, log_n, lengths, summing)?;
                let faster = |found: &Evaluated| {
                    best.as_ref()
                        .is_none_or(|best| found.seconds() < best.seconds())
                };
                if let Some(found) = found.filter(faster) {
                    best = Some(found);
                }
            }
        }
        Ok(best)
    }

    /// A plan of the toolkit for rounds of these lengths; none if they do not fit the ring.
    fn evaluate_with(
        &mut self,
        kind: Kind,
        log_n: u32,
        lengths: &[usize],
        summing: Summing,
    ) -> Result<Option<Evaluated>> {
        let spec = |&iterations| RoundSpec {
            iterations,
            summing,
        };
        let rounds: Vec<RoundSpec> = lengths.iter().map(spec).collect();
        let outline = Outline {
            kind,
            slots: 1 << (log_n - 1),
            features: self.features,
            minibatch: self.minibatch,
            settings: self.settings,
            rounds: &rounds,
        };
        let places = places(lengths.iter().copied());
        let mut recorded: Vec<Arc<Round>> = vec![];
        let mut times = vec![];
        for (index, place) in places.iter().enumerate() {
            if !places[..index].contains(place) {
                recorded.push(Arc::new(Round::record(&outline, index)?));
                times.push(places.iter().filter(|p| *p == place).count());
            }
        }
        let stages = recorded.iter().zip(times);
        let stages = stages.map(|(round, times)| Stage::repeated(&round.program, times));
        let stages: Vec<Stage<'_>> = stages.collect();
        self.options.stop.check().map_err(ToolkitError::from)?;
        let options = self.options.toolkit();
        let planned = plan(&stages, &options).or_else(|error| match error.kind() {
            // Level 0 of some chains holds a little less than that of others.
            ToolkitErrorKind::HeadroomExceeded(_) => {
                plan(&stages, &options.spare_levels(SPARE_LEVELS))
            }
            _ => Err(error),
        });
        let planned = match planned {
            Ok(planned) => planned,
            Err(error) => match error.kind() {
                ToolkitErrorKind::TooDeep { .. } => return Ok(None),
                ToolkitErrorKind::HeadroomExceeded(_) => {
                    self.exceeded = Some(error);
                    return Ok(None);
                }
                _ => return Err(error.into()),
            },
        };
        Ok(Some(Evaluated {
            candidate: self.candidate(kind, &rounds, &recorded, &planned),
            planned,
            rounds,
            recorded,
        }))
    }

    fn candidate(
        &self,
        kind: Kind,
        rounds: &[RoundSpec],
        recorded: &[Arc<Round>],
        planned: &Plan,
    ) -> Candidate {
        let params = planned.parameters();
        let stages = || planned.stages().iter().zip(recorded);
        let bytes = |stage: &PlannedStage, shapes: Vec<InputShape>| {
            let inputs = shapes.iter().map(|shape| &stage.inputs[&shape.name]);
            stage.times as u64 * inputs.map(|input| input.bytes.wire).sum::<u64>()
        };
        let results = |stage: &PlannedStage| {
            let outputs = stage.outputs.values().map(|output| output.bytes.wire);
            stage.times as u64 * outputs.sum::<u64>()
        };
        let count = |of: fn(&OpCount) -> usize| {
            let stages = planned.stages().iter();
            stages.map(|stage| stage.times * of(&stage.count)).sum()
        };
        let data_bytes = stages().map(|(s, r)| bytes(s, r.data_shapes())).sum();
        let state_bytes = stages().map(|(s, r)| bytes(s, r.start_shapes())).sum();
        Candidate {
            kind,
            log_n: params.log_n(),
            levels: params.max_level(),
            dnum: params.dnum(),
            log2_qp: params.log2_qp(),
            log2_qp_bound: match self.options.security {
                Security::InsecureForTests => None,
                _ => max_log2_qp(params.log_n()),
            },
            rounds: rounds.iter().map(|round| round.iterations).collect(),
            summing: rounds.first().map(|r| r.summing).unwrap_or_default(),
            keys: planned.keys().len(),
            key_file_bytes: planned.key_set_bytes().wire,
            data_bytes,
            state_bytes,
            result_bytes: planned.stages().iter().map(results).sum(),
            client: ClientCost::of(
                planned,
                (data_bytes, state_bytes),
                (self.rows, self.features),
            ),
            memory: planned.memory(),
            operations: Operations {
                products: count(OpCount::ciphertext_products),
                key_switches: count(OpCount::key_switches),
            },
            seconds: planned.times().iter().map(EngineSeconds::from).collect(),
            beyond_longest_run: self.is_beyond(kind),
        }
    }
}
