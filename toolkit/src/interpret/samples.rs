//! Inputs to try a circuit on before there are any.

use std::collections::BTreeMap;

use arras_hal::Named;
use ndarray::{Array1, Array2};

use super::random::Random;
use crate::{Bindings, Circuit, Layout, Result, ToolkitError, Value, circuit::Input};

/// Inputs for trials: given, or drawn evenly from bounds. Every trial draws anew; the same seed draws the same.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    given: Bindings<Value>,
    bounds: BTreeMap<String, (f64, f64)>,
    otherwise: Option<(f64, f64)>,
    seed: u64,
}

impl Samples {
    /// These inputs, in every trial.
    pub fn given(inputs: Bindings<Value>) -> Self {
        Self {
            given: inputs,
            ..Self::default()
        }
    }

    /// Entries of every input evenly between `low` and `high`, unless something is said of it.
    pub fn uniform(low: f64, high: f64) -> Self {
        Self {
            otherwise: Some((low, high)),
            ..Self::default()
        }
    }

    /// Entries of the input of this name evenly between `low` and `high`.
    #[must_use]
    pub fn with_bounds(mut self, name: impl Into<String>, low: f64, high: f64) -> Self {
        self.bounds.insert(name.into(), (low, high));
        self
    }

    /// This value for the input of this name, in every trial.
    #[must_use]
    pub fn with_value(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.given.insert(name, value);
        self
    }

    /// Another seed than 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What entries of an input of this name are at most in magnitude: as its bounds say, or of a given value the next power of two from 1,
    /// so that a plan tells no more of it. `None` if nothing is said of it.
    pub fn largest(&self, name: &str) -> Option<f64> {
        let bounds = self.bounds.get(name).copied();
        if let Some((low, high)) =
            bounds.or(self.otherwise.filter(|_| self.given.get(name).is_none()))
        {
            return Some(low.abs().max(high.abs()));
        }
        let entries = self.given.get(name)?.entries();
        let largest = entries.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        Some(largest.log2().ceil().exp2())
    }

    /// Whether every input of a circuit is given, so that all trials have the same.
    pub(crate) fn are_given(&self, circuit: &Circuit) -> bool {
        let mut used = circuit
            .inputs()
            .iter()
            .filter(|input| circuit.level(input.node()).is_some());
        used.all(|input| self.given.get(input.name()).is_some())
    }

    /// The inputs of a trial.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::UnknownName`] for an input of which nothing is said, and for names that the circuit does not have;
    /// [`crate::ToolkitErrorKind::OutOfRange`] for bounds that are not finite or in the wrong order.
    pub fn draw(&self, circuit: &Circuit, trial: u64) -> Result<Bindings<Value>> {
        for name in self.known() {
            circuit.input(name)?;
        }
        let mut inputs = Bindings::new();
        for (index, input) in circuit.inputs().iter().enumerate() {
            let name = input.name();
            let value = if let Some(value) = self.given.get(name) {
                value.clone()
            } else if let Some((low, high)) = self.bounds.get(name).copied().or(self.otherwise) {
                let seed = [self.seed, trial, index as u64];
                drawn(input, low, high, &mut Random::new(&seed))?
            } else if circuit.level(input.node()).is_none() {
                continue;
            } else {
                let unknown = ToolkitError::unknown_name(name, self.known());
                return Err(unknown.named("samples (a value or bounds for an input)"));
            };
            inputs.insert(name, value);
        }
        Ok(inputs)
    }

    fn known(&self) -> impl Iterator<Item = &str> {
        let given = self.given.iter().map(|(name, _)| name);
        given.chain(self.bounds.keys().map(String::as_str))
    }
}

fn drawn(input: &Input, low: f64, high: f64, random: &mut Random) -> Result<Value> {
    if !(low.is_finite() && high.is_finite() && low <= high) {
        return Err(ToolkitError::out_of_range(
            "upper bound of an input",
            high,
            format!("finite numbers from the lower bound {low}"),
        )
        .named("samples"));
    }
    let mut next = || low + (high - low) * random.uniform();
    Ok(match *input.layout() {
        Layout::Matrix { rows, cols, .. } => {
            Array2::from_shape_simple_fn((rows, cols), next).into()
        }
        Layout::RowVector { len, .. } | Layout::ColumnVector { len, .. } => {
            Array1::from_shape_simple_fn(len, next).into()
        }
        Layout::Scalar { .. } => next().into(),
        Layout::Slots { units, slots } => {
            let unit = |_| (0..slots).map(|_| next()).collect();
            (0..units).map(unit).collect::<Vec<Vec<f64>>>().into()
        }
    })
}
