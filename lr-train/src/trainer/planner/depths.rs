//! How deep circuits are, and how many iterations fit a ring, without recording them at full size.
//!
//! Depth does not depend on how many slots, features or rows there are, so a circuit of 64 slots tells it.

use std::collections::{BTreeSet, HashMap};

use arras_toolkit::Program;

use super::super::{
    round::{Place, places},
    settings::{MAX_ITERATIONS, Rule, Settings},
};
use crate::{
    Result,
    circuits::{Constants, Kind, Spec, TrainingCircuit},
    plain::Rate,
    sigmoid::Approximation,
};

/// Depths of circuits, remembered.
pub(in crate::trainer) struct Depths<'a> {
    activation: &'a Approximation,
    constants: Constants,
    rule: Rule,
    known: HashMap<(Kind, Place), usize>,
}

const SLOTS: usize = 64;
const SIDE: usize = 2;
/// A rate of which no constant of a circuit becomes an integer, which would save a level by chance.
const RATE: f64 = 0.7331;

impl<'a> Depths<'a> {
    pub(in crate::trainer) fn new(settings: &'a Settings) -> Self {
        Self {
            activation: &settings.activation,
            constants: settings.model.constants(),
            rule: settings.rule().of_any_rate(),
            known: HashMap::new(),
        }
    }

    /// Levels that a round needs.
    pub(in crate::trainer) fn of(&mut self, kind: Kind, place: Place) -> Result<usize> {
        if let Some(&depth) = self.known.get(&(kind, place)) {
            return Ok(depth);
        }
        // Iteration 0 has constants of its own.
        let first = if place.first { 0 } else { 5 };
        let rate = Rate::Constant(RATE);
        let steps = self.rule.steps(&rate, SIDE, first, place.iterations)?;
        let spec = Spec::new(kind, SLOTS, SIDE, SIDE, steps)
            .activation(self.activation.clone())
            .constants(self.constants)
            .start(place.start())
            .results(place.results());
        let circuit = TrainingCircuit::record(spec)?;
        let depth = Program::new(circuit.circuit().clone()).levels_needed();
        self.known.insert((kind, place), depth);
        Ok(depth)
    }

    /// Whether rounds of these lengths fit the levels. Each is compared with [`Self::longest`], so that one that is far too long is not
    /// recorded.
    pub(super) fn fit(&mut self, kind: Kind, lengths: &[usize], levels: usize) -> Result<bool> {
        for place in BTreeSet::from_iter(places(lengths.iter().copied())) {
            if self.longest(kind, levels, place)? < place.iterations {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The most iterations of a single round from zero that `levels` levels hold.
    pub(super) fn single_round(&mut self, kind: Kind, levels: usize) -> Result<usize> {
        let place = Place {
            iterations: MAX_ITERATIONS,
            first: true,
            last: true,
        };
        self.longest(kind, levels, place)
    }

    /// The most iterations of a round between two others.
    pub(super) fn middle_round(&mut self, kind: Kind, levels: usize) -> Result<usize> {
        let place = Place {
            iterations: MAX_ITERATIONS,
            first: false,
            last: false,
        };
        self.longest(kind, levels, place)
    }

    /// The most iterations in such a place, up to its own.
    fn longest(&mut self, kind: Kind, levels: usize, place: Place) -> Result<usize> {
        for iterations in 1..=place.iterations {
            if self.of(
                kind,
                Place {
                    iterations,
                    ..place
                },
            )? > levels
            {
                return Ok(iterations - 1);
            }
        }
        Ok(place.iterations)
    }
}
