//! Candidates: what a circuit on a ring needs and how long it takes.

use std::collections::BTreeMap;

use arras_ckks::{
    CkksError, Parameters,
    params::{ParamsError, Security, max_log2_qp},
};
use arras_toolkit::{circuit::Summing, cost::CostTable, plan::KeyRequests};

use super::{
    super::{
        depth::{Shape, shapes},
        estimate::{self, Operations, ServerMemory},
        plan::{Round, RoundSpec},
        report::{Candidate, EngineSeconds},
        settings::Rounds,
        sizes,
    },
    Planner,
};
use crate::{
    Result,
    circuits::{Kind, Spec},
};

/// A candidate with what a plan of it is made of.
pub(super) struct Evaluated {
    pub(super) candidate: Candidate,
    pub(super) params: Parameters,
    pub(super) keys: KeyRequests,
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

    fn evaluate_with(
        &self,
        kind: Kind,
        log_n: u32,
        lengths: &[usize],
        summing: Summing,
    ) -> Result<Option<Evaluated>> {
        let mut counts: BTreeMap<Shape, usize> = BTreeMap::new();
        for shape in shapes(lengths) {
            *counts.entry(shape).or_insert(0) += 1;
        }
        let rounds = self.rounds(kind, log_n, lengths, summing)?;
        let mut keys = KeyRequests::default();
        let mut levels = 0;
        let mut programs = vec![];
        for (shape, count) in counts {
            let at = shapes(lengths)
                .iter()
                .position(|s| *s == shape)
                .unwrap_or(0);
            let round = Round::record(at, &rounds[at])?;
            levels = levels.max(round.program.levels_needed());
            keys = keys.union(&KeyRequests::of(&round.program));
            programs.push((round, count));
        }
        let params = match self.parameters(log_n, levels) {
            Ok(params) => params,
            Err(ParamsError::DoesNotFit { .. } | ParamsError::NotEnoughPrimes { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(CkksError::from(error).into()),
        };
        let tables = self.tables(&params)?;
        let key_bytes = sizes::keys(&params, &keys)?;
        let mut candidate = Candidate {
            kind,
            log_n,
            levels,
            dnum: params.dnum(),
            log2_qp: params.log2_qp(),
            log2_qp_bound: match self.options.security {
                Security::InsecureForTests => None,
                _ => max_log2_qp(log_n),
            },
            rounds: lengths.to_vec(),
            summing,
            keys: keys.len(),
            key_file_bytes: key_bytes.container,
            data_bytes: 0,
            state_bytes: 0,
            memory: ServerMemory::default(),
            operations: Operations::default(),
            seconds: tables
                .iter()
                .map(|table| EngineSeconds {
                    engine: table.summary(),
                    threads: table.spec().threads,
                    seconds: 0.0,
                })
                .collect(),
            beyond_longest_run: kind
                .longest_run()
                .is_some_and(|most| self.settings.iterations > most),
        };
        for (round, count) in &programs {
            let times = *count as u64;
            candidate.data_bytes += times * sizes::inputs(&params, &round.data_shapes())?;
            candidate.state_bytes += times * sizes::inputs(&params, &round.start_shapes())?;
            candidate.memory = candidate.memory.max(estimate::memory(
                &round.program,
                &params,
                self.options.threads,
            ));
            let operations = estimate::operations(&round.program);
            for _ in 0..*count {
                candidate.operations = candidate.operations + operations;
            }
            for (engine, table) in candidate.seconds.iter_mut().zip(&tables) {
                engine.seconds += *count as f64 * estimate::seconds(&round.program, table)?;
            }
        }
        candidate.memory = candidate.memory.with_keys(key_bytes.loaded);
        Ok(Some(Evaluated {
            candidate,
            params,
            keys,
        }))
    }

    fn parameters(&self, log_n: u32, levels: usize) -> Result<Parameters, ParamsError> {
        Parameters::builder()
            .log_n(log_n)
            .levels(levels)
            .level_width(self.options.level_width)
            .dnum(self.options.dnum)
            .security(self.options.security)
            .build()
    }

    fn tables(&self, params: &Parameters) -> Result<Vec<CostTable>> {
        if self.options.costs.is_empty() {
            return Ok(vec![CostTable::built_in(params, self.options.threads)?]);
        }
        let mut nearest: Vec<&CostTable> = vec![];
        for table in &self.options.costs {
            let distance = |table: &CostTable| table.log_n().abs_diff(params.log_n());
            let of = |table: &CostTable| {
                let spec = table.spec();
                (spec.engine.clone(), spec.machine.clone(), spec.threads)
            };
            match nearest.iter_mut().find(|known| of(known) == of(table)) {
                Some(known) if distance(table) < distance(known) => *known = table,
                Some(_) => {}
                None => nearest.push(table),
            }
        }
        let scaled = nearest.iter().map(|table| table.estimate_for(params));
        Ok(scaled.collect::<Result<_, _>>()?)
    }

    /// The circuits of rounds of these lengths.
    pub(super) fn rounds(
        &self,
        kind: Kind,
        log_n: u32,
        lengths: &[usize],
        summing: Summing,
    ) -> Result<Vec<RoundSpec>> {
        let mut first = 0;
        shapes(lengths)
            .into_iter()
            .map(|shape| {
                let steps = self.settings.optimizer.steps(
                    &self.settings.rate,
                    self.minibatch,
                    first,
                    shape.iterations,
                )?;
                let round = RoundSpec {
                    first,
                    spec: Spec {
                        kind,
                        slots: 1 << (log_n - 1),
                        features: self.features,
                        minibatch: self.minibatch,
                        steps,
                        activation: self.settings.activation.clone(),
                        start: shape.start(),
                        results: shape.results(),
                        summing,
                    },
                };
                first += shape.iterations;
                Ok(round)
            })
            .collect()
    }
}
