//! What can go wrong in recording, planning and running circuits.

use std::{fmt, panic::Location};

use arras_ckks::CkksError;
use arras_hal::{Named, Stopped};

use crate::text::given;

/// The result of toolkit operations.
pub type Result<T, E = ToolkitError> = std::result::Result<T, E>;

/// Errors of the toolkit: the operation, the kind, and where the circuit's author recorded it. Each message names both sides and
/// what would work.
#[derive(Debug)]
pub struct ToolkitError {
    operation: Option<&'static str>,
    location: Option<&'static Location<'static>>,
    kind: Box<ToolkitErrorKind>,
}

/// The kinds of [`ToolkitError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolkitErrorKind {
    /// Shapes that do not go together.
    #[error("{left} and {right} do not go together; {remedy}")]
    DimensionMismatch {
        /// Left operand.
        left: String,
        /// Right operand.
        right: String,
        /// What would work.
        remedy: &'static str,
    },
    /// Operands in different encoding units.
    #[error(
        "the operands are encoded in units {left} and {right}; encode both in one unit, or use the mixed-unit form"
    )]
    UnitMismatch {
        /// Unit of the left operand.
        left: String,
        /// Unit of the right operand.
        right: String,
    },
    /// A shape that a unit cannot hold for this operation, or a unit that is none.
    #[error("{shape} does not fit {unit}; {remedy}")]
    DoesNotFit {
        /// The shape.
        shape: String,
        /// The unit.
        unit: String,
        /// What would work.
        remedy: String,
    },
    /// The circuit needs more levels than there are.
    #[error(
        "{}needs {needed} levels, there are {available}; use parameters with {} more levels (a larger ring may be needed) or a \
         circuit of lower depth",
        input.as_ref().map_or(String::new(), |name| format!("input {name:?}: ")),
        needed - available
    )]
    TooFewLevels {
        /// The input that needs them, where it is one.
        input: Option<String>,
        /// Levels needed.
        needed: usize,
        /// Levels there.
        available: usize,
    },
    /// An input that was encrypted at a lower level than the circuit needs of it.
    #[error(
        "input {name:?} is at level {available}, the circuit needs it at level {needed}; encrypt it at level {needed}, as \
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
        "the keys for rotations by {missing:?} are missing; the circuit needs the rotations that its rotation set lists, make \
         keys for all of them"
    )]
    MissingRotationKeys {
        /// The steps without a key.
        missing: Vec<i64>,
    },
    /// A list without entries.
    #[error("an empty list; at least one operand is needed")]
    EmptyList,
    /// A plaintext operand or an input that is not a finite number.
    #[error("{what} is {value} at {index:?}; only finite numbers can be encrypted or encoded")]
    NonFinite {
        /// Which argument.
        what: String,
        /// Its value.
        value: f64,
        /// Where in the argument.
        index: Vec<usize>,
    },
    /// A number outside what the operation takes.
    #[error("{what} = {} is outside {range}", given(*.value))]
    OutOfRange {
        /// Which argument.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        range: String,
    },
    /// Something that needs a key this client does not hold.
    #[error("this client has no {key} key; {remedy}")]
    KeyAbsent {
        /// The key.
        key: &'static str,
        /// What would work.
        remedy: &'static str,
    },
    /// Handles of two circuits in one operation.
    #[error("the operands belong to two circuits; record them with one recorder")]
    TwoCircuits,
    /// Two inputs or two outputs of one name.
    #[error("the name {name:?} is taken; every {what} of a circuit needs its own name")]
    NameTaken {
        /// `input` or `output`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A circuit without outputs.
    #[error("the circuit has no output; name at least one with Recorder::output")]
    NoOutput,
    /// An input that was not given, or an output that is not there.
    #[error("there is no {name:?}; there are {known:?}")]
    UnknownName {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// An input of another shape or encoding than the circuit was recorded for.
    #[error(
        "{name:?} was recorded as {expected}, the value given is {found}; give it in that shape and unit"
    )]
    WrongInput {
        /// The input.
        name: String,
        /// Recorded layout.
        expected: String,
        /// Given layout.
        found: String,
    },
    /// A circuit for another number of slots than the parameters have.
    #[error(
        "the circuit was recorded for {circuit} slots, the parameters have {parameters}; record it with units of {parameters} slots or \
         use parameters of that degree"
    )]
    SlotsMismatch {
        /// Slots of the circuit.
        circuit: usize,
        /// Slots of the parameters.
        parameters: usize,
    },
    /// An encrypted step that is off, in a debugging run: the step, what was expected and what was found.
    #[error("{0}")]
    Deviates(String),
    /// A circuit deeper than any safe parameter set of its ring degree.
    #[error(
        "the circuit needs {needed} levels on {slots} slots; a ring of that size has at most {} with 128-bit security; {}",
        available.map_or("none".to_owned(), |l| l.to_string()),
        sufficient_slots.map_or(
            "no ring has this many: split the circuit and re-encrypt between the parts, or lower its depth".to_owned(),
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
        "{asked} bits after the point were asked for, output {output:?} reaches {reached:.1} at best; ask for less, scale its values down, or \
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
    /// Data beyond the range that a plan was made for.
    #[error(
        "input {name:?} has an entry of magnitude {}, the plan was made for magnitudes up to {}; plan again with samples of that \
         range, or scale the data down",
        given(*.largest),
        given(*.planned)
    )]
    BeyondPlan {
        /// The input.
        name: String,
        /// The largest magnitude in the data.
        largest: f64,
        /// The largest one that the plan was made for.
        planned: f64,
    },
    /// Values too large for their level, or that may be, under every parameter set that was considered: the step, its values and the room.
    #[error(
        "{0}; scale the inputs down or deliver the result at a higher level (Recorder::output_at)"
    )]
    HeadroomExceeded(String),
    /// The token of the options was set; a context's own token says so in the scheme's error.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A circuit's assumption that does not hold for the samples of a plan: the value, what was assumed, where.
    #[error("{0}; assume a larger bound (Recorder::assume), or scale the inputs down")]
    AssumptionBroken(String),
    /// A cost table.
    #[error(transparent)]
    Cost(#[from] crate::cost::CostError),
    /// The scheme.
    #[error(transparent)]
    Ckks(#[from] CkksError),
}

impl ToolkitError {
    /// What went wrong.
    pub fn kind(&self) -> &ToolkitErrorKind {
        &self.kind
    }

    /// Whether the call ended because its token was set.
    pub fn is_stopped(&self) -> bool {
        match self.kind() {
            ToolkitErrorKind::Stopped(_) => true,
            ToolkitErrorKind::Ckks(error) => error.is_stopped(),
            _ => false,
        }
    }

    /// The operation that failed; what the scheme and cost tables say has its own.
    pub fn operation(&self) -> Option<&'static str> {
        self.operation
    }

    /// The call in the source at which the circuit's author recorded the operation, if it failed in a circuit.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }

    /// The error with the place where its operation was recorded; one that has a place keeps it.
    pub(crate) fn at(mut self, location: &'static Location<'static>) -> Self {
        self.location.get_or_insert(location);
        self
    }

    /// The error of a kind that another kind was made of.
    pub(crate) fn map_kind(self, map: impl FnOnce(ToolkitErrorKind) -> ToolkitErrorKind) -> Self {
        let kind = Box::new(map(*self.kind));
        Self { kind, ..self }
    }

    /// Two shapes that do not go together.
    pub(crate) fn mismatch(
        left: impl fmt::Display,
        right: impl fmt::Display,
        remedy: &'static str,
    ) -> Self {
        let (left, right) = (left.to_string(), right.to_string());
        ToolkitErrorKind::DimensionMismatch {
            left,
            right,
            remedy,
        }
        .into()
    }

    /// A shape that does not fit a unit.
    pub(crate) fn does_not_fit(
        shape: impl fmt::Display,
        unit: impl fmt::Display,
        remedy: impl Into<String>,
    ) -> Self {
        ToolkitErrorKind::DoesNotFit {
            shape: shape.to_string(),
            unit: unit.to_string(),
            remedy: remedy.into(),
        }
        .into()
    }

    /// A name that is not among those there are.
    pub(crate) fn unknown_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known = known.into_iter().map(str::to_owned).collect();
        let name = name.to_owned();
        ToolkitErrorKind::UnknownName { name, known }.into()
    }

    /// A circuit for other slots than the parameters have.
    pub(crate) fn slots_mismatch(circuit: usize, parameters: usize) -> Self {
        let kind = ToolkitErrorKind::SlotsMismatch {
            circuit,
            parameters,
        };
        kind.into()
    }

    /// A number that the operation does not take.
    pub(crate) fn out_of_range(what: &'static str, value: f64, range: impl Into<String>) -> Self {
        let range = range.into();
        ToolkitErrorKind::OutOfRange { what, value, range }.into()
    }
}

impl Named for ToolkitError {
    fn named(mut self, operation: &'static str) -> Self {
        self.operation.get_or_insert(operation);
        self
    }
}

impl fmt::Display for ToolkitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind(), self.operation) {
            (ToolkitErrorKind::Cost(_) | ToolkitErrorKind::Ckks(_), _) | (_, None) => {}
            (_, Some(operation)) => write!(f, "{operation}: ")?,
        }
        write!(f, "{}", self.kind)?;
        match self.location {
            Some(location) => write!(f, "\n  recorded at {location}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ToolkitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

impl<E: Into<ToolkitErrorKind>> From<E> for ToolkitError {
    fn from(error: E) -> Self {
        Self {
            operation: None,
            location: None,
            kind: Box::new(error.into()),
        }
    }
}

impl From<arras_hal::HalError> for ToolkitErrorKind {
    fn from(error: arras_hal::HalError) -> Self {
        Self::Ckks(error.into())
    }
}

impl From<arras_ckks::params::ParamsError> for ToolkitErrorKind {
    fn from(error: arras_ckks::params::ParamsError) -> Self {
        Self::Ckks(error.into())
    }
}
