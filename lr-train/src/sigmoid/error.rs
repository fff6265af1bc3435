//! Why there is no such approximation.

use arras_toolkit::text::given;

use crate::fault::Fault;

/// Why an approximation of the sigmoid cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigmoidError {
    /// A polynomial or an interval that cannot be used.
    #[error("approximation of the sigmoid: {what} is {}; {allowed}", given(*.value))]
    Approximation {
        /// Which parameter.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is possible.
        allowed: &'static str,
    },
    /// A fit that did not settle.
    #[error(
        "minimax fit of degree {degree} on [-{bound}, {bound}] did not converge in {rounds} rounds; take a lower degree or least squares"
    )]
    MinimaxDiverged {
        /// The degree.
        degree: usize,
        /// Half the interval.
        bound: f64,
        /// Rounds tried.
        rounds: usize,
    },
}

impl SigmoidError {
    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Approximation { .. } | Self::MinimaxDiverged { .. } => Fault::Plan,
        }
    }
}
