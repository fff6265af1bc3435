//! Inputs by name.

use std::collections::BTreeMap;

use arras_hal::Named;

use crate::{Circuit, Result, ToolkitError};

/// Values of a circuit's inputs, by name.
#[derive(Clone, Debug)]
pub struct Bindings<T> {
    values: BTreeMap<String, T>,
}

impl<T> Default for Bindings<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Bindings<T> {
    /// None yet.
    pub fn new() -> Self {
        Self {
            values: BTreeMap::new(),
        }
    }

    /// With one more; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<T>) -> Self {
        self.insert(name, value);
        self
    }

    /// Adds one; one of the same name is replaced.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<T>) {
        self.values.insert(name.into(), value.into());
    }

    /// The value of an input.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.values.get(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T> FromIterator<(String, T)> for Bindings<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(iter: I) -> Self {
        Self {
            values: iter.into_iter().collect(),
        }
    }
}

/// Checks that every input that is used has a value, and every value an input.
///
/// # Errors
/// [`crate::ToolkitErrorKind::UnknownName`].
pub fn check_inputs<T>(circuit: &Circuit, bindings: &Bindings<T>) -> Result<()> {
    for (name, _) in bindings.iter() {
        circuit.input(name)?;
    }
    for input in circuit.inputs() {
        if circuit.level(input.node()).is_some() && bindings.get(input.name()).is_none() {
            let names = bindings.iter().map(|(name, _)| name);
            let unknown = ToolkitError::unknown_name(input.name(), names);
            return Err(unknown.named("run (a value for an input)"));
        }
    }
    Ok(())
}
