//! What can go wrong in recording, planning and running circuits.

use std::panic::Location;

use arras_ckks::CkksError;

/// The result of toolkit operations.
pub type Result<T, E = ToolkitError> = std::result::Result<T, E>;

/// Errors of the toolkit. Each message names the operation, both sides and what would work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolkitError {
    /// An error of an operation, with the place where the circuit's author recorded it.
    #[error("{error}\n  recorded at {location}")]
    Recorded {
        /// The call in the circuit's source.
        location: &'static Location<'static>,
        /// What went wrong.
        #[source]
        error: Box<ToolkitError>,
    },
    /// Shapes that do not go together.
    #[error("{op}: {left} and {right} do not go together; {remedy}")]
    DimensionMismatch {
        /// The operation.
        op: &'static str,
        /// Left operand.
        left: String,
        /// Right operand.
        right: String,
        /// What would work.
        remedy: &'static str,
    },
    /// Operands in different encoding units.
    #[error(
        "{op}: the operands are encoded in units {left} and {right}; encode both in one unit, or use the mixed-unit form"
    )]
    UnitMismatch {
        /// The operation.
        op: &'static str,
        /// Unit of the left operand.
        left: String,
        /// Unit of the right operand.
        right: String,
    },
    /// A shape that a unit cannot hold for this operation, or a unit that is none.
    #[error("{op}: {shape} does not fit {unit}; {remedy}")]
    DoesNotFit {
        /// The operation.
        op: &'static str,
        /// The shape.
        shape: String,
        /// The unit.
        unit: String,
        /// What would work.
        remedy: String,
    },
    /// The circuit needs more levels than there are.
    #[error(
        "{op}: needs {needed} levels, there are {available}; use parameters with {} more levels (a larger ring may be needed) or a \
         circuit of lower depth", needed - available
    )]
    TooFewLevels {
        /// The operation or input.
        op: String,
        /// Levels needed.
        needed: usize,
        /// Levels there.
        available: usize,
    },
    /// An input that was encrypted at a lower level than the circuit needs of it.
    #[error(
        "run: input {name:?} is at level {available}, the circuit needs it at level {needed}; encrypt it at level {needed}, as \
         Client::encrypt_inputs does, or use a circuit of lower depth"
    )]
    InputTooLow {
        /// The input.
        name: String,
        /// The level needed.
        needed: usize,
        /// Its level.
        available: usize,
    },
    /// Rotation keys that were not given to the evaluator.
    #[error(
        "run: the keys for rotations by {missing:?} are missing; the circuit needs the rotations that its rotation set lists, make \
         keys for all of them"
    )]
    MissingRotationKeys {
        /// The steps without a key.
        missing: Vec<i64>,
    },
    /// A list without entries.
    #[error("{op}: an empty list; at least one operand is needed")]
    EmptyList {
        /// The operation.
        op: &'static str,
    },
    /// A plaintext operand or an input that is not a finite number.
    #[error(
        "{op}: {what} is {value} at {index:?}; only finite numbers can be encrypted or encoded"
    )]
    NonFinite {
        /// The operation.
        op: &'static str,
        /// Which argument.
        what: String,
        /// Its value.
        value: f64,
        /// Where in the argument.
        index: Vec<usize>,
    },
    /// A number outside what the operation takes.
    #[error("{op}: {what} = {value} is outside {range}")]
    OutOfRange {
        /// The operation.
        op: &'static str,
        /// Which argument.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        range: String,
    },
    /// Something that needs a key this client does not hold.
    #[error("{op}: this client has no {key} key; {remedy}")]
    KeyAbsent {
        /// The operation.
        op: &'static str,
        /// The key.
        key: &'static str,
        /// What would work.
        remedy: &'static str,
    },
    /// Handles of two circuits in one operation.
    #[error("{op}: the operands belong to two circuits; record them with one recorder")]
    TwoCircuits {
        /// The operation.
        op: &'static str,
    },
    /// Two inputs or two outputs of one name.
    #[error("{op}: the name {name:?} is taken; every {op} of a circuit needs its own name")]
    NameTaken {
        /// `input` or `output`.
        op: &'static str,
        /// The name.
        name: String,
    },
    /// A circuit without outputs.
    #[error("finish: the circuit has no output; name at least one with Recorder::output")]
    NoOutput,
    /// An input that was not given, or an output that is not there.
    #[error("{op}: there is no {name:?}; there are {known:?}")]
    UnknownName {
        /// What was done.
        op: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// An input of another shape or encoding than the circuit was recorded for.
    #[error(
        "{op}: {name:?} was recorded as {expected}, the value given is {found}; give it in that shape and unit"
    )]
    WrongInput {
        /// What was done.
        op: &'static str,
        /// The input.
        name: String,
        /// Recorded layout.
        expected: String,
        /// Given layout.
        found: String,
    },
    /// A circuit for another number of slots than the parameters have.
    #[error(
        "{op}: the circuit was recorded for {circuit} slots, the parameters have {parameters}; record it with units of {parameters} slots or \
         use parameters of that degree"
    )]
    SlotsMismatch {
        /// What was done.
        op: &'static str,
        /// Slots of the circuit.
        circuit: usize,
        /// Slots of the parameters.
        parameters: usize,
    },
    /// An encrypted step that is off, in a debugging run.
    #[error("debug: {0}")]
    Deviates(Box<crate::interpret::Deviation>),
    /// A circuit deeper than any safe parameter set of its ring degree.
    #[error(
        "plan: the circuit needs {needed} levels on {slots} slots; a ring of that size has at most {} with 128-bit security; {}",
        available.map_or("none".to_owned(), |l| l.to_string()),
        sufficient_slots.map_or(
            "no ring has so many: split the circuit and encrypt anew between the parts, or lower its depth".to_owned(),
            |s| format!("record it on {s} slots, or lower its depth")
        )
    )]
    TooDeep {
        /// Levels needed.
        needed: usize,
        /// Slots of the circuit.
        slots: usize,
        /// The most levels of a ring with these slots.
        available: Option<usize>,
        /// The smallest number of slots whose ring has the levels.
        sufficient_slots: Option<usize>,
    },
    /// No parameter set that was considered has the precision.
    #[error(
        "plan: {asked} bits after the point were asked for, output {output:?} reaches {reached:.1} at best; ask for less, scale its values down, or \
         lower the depth of what amplifies errors"
    )]
    PrecisionNotReached {
        /// Bits asked for.
        asked: f64,
        /// The output with the least bits.
        output: String,
        /// Its predicted bits under the best set.
        reached: f64,
    },
    /// Values too large for their level under every parameter set that was considered.
    #[error(
        "plan: {0}; scale the inputs down or deliver the result at a higher level (Recorder::output_at)"
    )]
    HeadroomExceeded(Box<crate::interpret::Magnitude>),
    /// A cost table.
    #[error(transparent)]
    Cost(#[from] crate::cost::CostError),
    /// The scheme.
    #[error(transparent)]
    Ckks(#[from] CkksError),
}

impl From<arras_ckks::params::ParamsError> for ToolkitError {
    fn from(error: arras_ckks::params::ParamsError) -> Self {
        Self::Ckks(error.into())
    }
}

impl ToolkitError {
    /// The error with the place where its operation was recorded; one that has a place keeps it.
    pub(crate) fn at(self, location: &'static Location<'static>) -> Self {
        match self {
            Self::Recorded { .. } => self,
            error => Self::Recorded {
                location,
                error: Box::new(error),
            },
        }
    }

    /// The error itself, without the place where its operation was recorded.
    pub fn kind(&self) -> &Self {
        match self {
            Self::Recorded { error, .. } => error.kind(),
            error => error,
        }
    }
}
