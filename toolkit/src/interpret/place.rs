//! Operations of a circuit's author, as reports name them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::circuit::Operation;

/// An operation and where it was recorded: what reports keep of an [`Operation`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The operation's name.
    pub operation: String,
    /// The name that the author gave to its result, if any.
    pub label: Option<String>,
    /// The source file of the call.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Its column.
    pub column: u32,
}

impl From<&Operation> for Place {
    fn from(operation: &Operation) -> Self {
        let location = operation.location();
        Self {
            operation: operation.name().to_owned(),
            label: operation.label().map(str::to_owned),
            file: location.file().to_owned(),
            line: location.line(),
            column: location.column(),
        }
    }
}

impl Place {
    /// The name, with the label if there is one.
    pub fn title(&self) -> String {
        match &self.label {
            Some(label) => format!("{} {label:?}", self.operation),
            None => self.operation.clone(),
        }
    }

    /// File, line and column.
    pub fn source(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.title(), self.source())
    }
}
