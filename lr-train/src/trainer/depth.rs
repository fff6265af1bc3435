//! How deep circuits are, and how many iterations fit a ring, without recording them at full size.
//!
//! Depth does not depend on how many slots, features or rows there are, so a circuit of 64 slots tells it.

use std::collections::HashMap;

use arras_toolkit::{Program, circuit::Summing};

use super::{
    round::{Place, places},
    settings::{MAX_ITERATIONS, Optimizer},
};
use crate::{
    Result,
    circuits::{Kind, Spec, TrainingCircuit},
    plain::Rate,
    sigmoid::Approximation,
};

/// Depths of circuits, remembered.
pub(super) struct Depths<'a> {
    activation: &'a Approximation,
    optimizer: Optimizer,
    known: HashMap<(Kind, Place), usize>,
}

const SLOTS: usize = 64;
const SIDE: usize = 2;
/// A rate of which no constant of a circuit becomes an integer, which would save a level by chance.
const RATE: f64 = 0.7331;

impl<'a> Depths<'a> {
    pub(super) fn new(activation: &'a Approximation, optimizer: Optimizer) -> Self {
        Self {
            activation,
            optimizer,
            known: HashMap::new(),
        }
    }

    /// Levels that a round needs.
    pub(super) fn of(&mut self, kind: Kind, place: Place) -> Result<usize> {
        if let Some(&depth) = self.known.get(&(kind, place)) {
            return Ok(depth);
        }
        // Iteration 0 has constants of its own.
        let first = if place.first { 0 } else { 5 };
        let circuit = TrainingCircuit::record(Spec {
            kind,
            slots: SLOTS,
            features: SIDE,
            minibatch: SIDE,
            steps: self
                .optimizer
                .steps(&Rate::Constant(RATE), SIDE, first, place.iterations)?,
            activation: self.activation.clone(),
            start: place.start(),
            results: place.results(),
            summing: Summing::default(),
        })?;
        let depth = Program::new(circuit.circuit().clone()).levels_needed();
        self.known.insert((kind, place), depth);
        Ok(depth)
    }

    /// The deepest of rounds of these lengths.
    pub(super) fn deepest(&mut self, kind: Kind, lengths: &[usize]) -> Result<usize> {
        let mut most = 0;
        for place in places(lengths.iter().copied()) {
            most = most.max(self.of(kind, place)?);
        }
        Ok(most)
    }

    /// The most iterations of a single round from zero that `levels` levels hold.
    pub(super) fn single_round(&mut self, kind: Kind, levels: usize) -> Result<usize> {
        self.longest(kind, levels, true, true)
    }

    /// The most iterations of a round between two others.
    pub(super) fn middle_round(&mut self, kind: Kind, levels: usize) -> Result<usize> {
        self.longest(kind, levels, false, false)
    }

    fn longest(&mut self, kind: Kind, levels: usize, first: bool, last: bool) -> Result<usize> {
        let mut most = 0;
        while most < MAX_ITERATIONS {
            let place = Place {
                iterations: most + 1,
                first,
                last,
            };
            if self.of(kind, place)? > levels {
                break;
            }
            most += 1;
        }
        Ok(most)
    }
}
