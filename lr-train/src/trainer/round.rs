//! The rounds of a training: what follows from a plan, and circuits as they are recorded.

use arras_ckks::Parameters;
use arras_toolkit::{Layout, Program, cost::memory::seeded_ciphertext_bytes};

use super::{plan::RoundSpec, settings::Settings};
use crate::{
    Result,
    circuits::{Kind, Results, Spec, Start, TrainingCircuit},
};

/// A round's place among the rounds: rounds of one place differ in constants alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) iterations: usize,
    pub(super) first: bool,
    pub(super) last: bool,
}

impl Place {
    pub(super) fn start(self) -> Start {
        if self.first {
            Start::Zero
        } else {
            Start::Encrypted
        }
    }

    pub(super) fn results(self) -> Results {
        if self.last {
            Results::Model
        } else {
            Results::State
        }
    }
}

/// Places of rounds of these lengths.
pub(super) fn places(lengths: impl ExactSizeIterator<Item = usize>) -> Vec<Place> {
    let count = lengths.len();
    let place = |(r, iterations): (usize, usize)| Place {
        iterations,
        first: r == 0,
        last: r + 1 == count,
    };
    lengths.enumerate().map(place).collect()
}

/// What all rounds follow from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline<'a> {
    pub(super) kind: Kind,
    pub(super) slots: usize,
    pub(super) features: usize,
    pub(super) minibatch: usize,
    pub(super) settings: &'a Settings,
    pub(super) rounds: &'a [RoundSpec],
}

impl Outline<'_> {
    pub(super) fn places(&self) -> Vec<Place> {
        places(self.rounds.iter().map(|round| round.iterations))
    }

    /// The number of a round's first iteration.
    fn first(&self, index: usize) -> usize {
        let before = &self.rounds[..index];
        before.iter().map(|round| round.iterations).sum()
    }

    /// What the circuit of a round is recorded for.
    pub(super) fn spec(&self, index: usize) -> Result<Spec> {
        let place = self.places()[index];
        let rate = &self.settings.rate;
        let (rows, first) = (self.minibatch, self.first(index));
        let steps = self
            .settings
            .rule()
            .steps(rate, rows, first, place.iterations)?;
        let spec = Spec::new(self.kind, self.slots, self.features, rows, steps)
            .activation(self.settings.activation.clone())
            .constants(self.settings.model.constants())
            .chains(self.settings.model.chains())
            .start(place.start())
            .results(place.results())
            .summing(self.rounds[index].summing);
        Ok(spec)
    }
}

/// A round with its circuit recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Round {
    /// Its position among the rounds.
    pub index: usize,
    /// The number of its first iteration.
    pub first: usize,
    /// Its circuit.
    pub circuit: TrainingCircuit,
    /// The circuit lowered.
    pub program: Program,
}

/// An input of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputShape {
    /// The name of the circuit's input.
    pub name: String,
    /// The level at which it is encrypted.
    pub level: usize,
    /// Its shape and encoding.
    pub layout: Layout,
}

impl InputShape {
    /// Its ciphertexts.
    pub fn units(&self) -> usize {
        self.layout.units()
    }

    /// Bytes of its container in a file, fresh.
    pub(super) fn file_bytes(&self, params: &Parameters) -> Result<u64> {
        Ok(seeded_ciphertext_bytes(params, self.level, self.units())?.container)
    }

    /// Bytes of containers one after the other.
    pub(super) fn all_file_bytes(params: &Parameters, shapes: &[Self]) -> Result<u64> {
        let bytes = shapes.iter().map(|shape| shape.file_bytes(params));
        bytes.sum()
    }
}

impl Round {
    /// Records a circuit.
    pub(super) fn record(outline: &Outline<'_>, index: usize) -> Result<Self> {
        #[cfg(test)]
        RECORDED.with(|recorded| recorded.set(recorded.get() + 1));
        let circuit = TrainingCircuit::record(outline.spec(index)?)?;
        let program = Program::new(circuit.circuit().clone());
        Ok(Self {
            index,
            first: outline.first(index),
            circuit,
            program,
        })
    }

    /// The inputs of data, in the order of files.
    pub fn data_shapes(&self) -> Vec<InputShape> {
        self.shapes(&self.circuit.input_names().0)
    }

    /// The inputs of the state to start from, in the order of files; none in the first round.
    pub fn start_shapes(&self) -> Vec<InputShape> {
        self.shapes(&self.circuit.input_names().1)
    }

    fn shapes(&self, names: &[&str]) -> Vec<InputShape> {
        let circuit = self.program.circuit();
        circuit
            .inputs()
            .iter()
            .filter(|input| names.contains(&input.name()))
            .map(|input| InputShape {
                name: input.name().to_owned(),
                level: circuit.level(input.node()).unwrap_or(0),
                layout: *input.layout(),
            })
            .collect()
    }
}

#[cfg(test)]
thread_local! {
    /// Circuits that this thread has recorded.
    pub(super) static RECORDED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
