//! Why a training without encryption stops.

use std::ops::RangeInclusive;

use arras_toolkit::text::given;

use crate::fault::Fault;

/// Why a training cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A parameter of training outside its range.
    #[error("training: {what} is {}; {allowed}", given(*.value))]
    Hyperparameter {
        /// Which parameter.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is possible.
        allowed: &'static str,
    },
    /// Training whose weights grew beyond double precision.
    #[error(
        "training diverged in iteration {iteration}: the weights are no longer finite (largest |z v| before: {largest:.3e}, the approximation holds to {}); lower the learning rate (--lr), normalize the columns (--normalize standard), or widen the interval (--sigmoid)",
        given(*.bound)
    )]
    Diverged {
        /// The iteration, from 0.
        iteration: usize,
        /// Largest inner product seen while it was finite.
        largest: f64,
        /// Half the interval of the approximation, infinite for the exact sigmoid.
        bound: f64,
    },
    /// Weights without bound: they would separate the classes ever more sharply.
    #[error(
        "exact training: a hyperplane separates the classes of all {rows} rows (or all but those on it), so the likelihood has no largest value; give a penalty above 0"
    )]
    Separable {
        /// Rows.
        rows: usize,
    },
    /// Columns that make each other up.
    #[error(
        "exact training: column {column} (0 is the intercept) is a sum of multiples of the columns before it, so weights are not determined; leave it out or give a penalty above 0"
    )]
    Collinear {
        /// The column of the signed rows.
        column: usize,
    },
    /// Newton's method that does not come to rest.
    #[error(
        "fit: after {steps} Newton steps the gradient is still {largest:.1e}; scale the columns or raise the penalty"
    )]
    Unsettled {
        /// Steps.
        steps: usize,
        /// The gradient's largest entry.
        largest: f64,
    },
    /// Scores that cannot be calibrated.
    #[error(
        "calibration: scores do not rise with the positive class (slope {slope:.3e}): the model is no better than guessing on these rows; train longer or with other settings"
    )]
    AgainstClasses {
        /// The slope found.
        slope: f64,
    },
}

impl FitError {
    /// # Errors
    /// [`FitError::Hyperparameter`] for a value outside a range.
    pub(crate) fn expect_within(
        what: &'static str,
        value: usize,
        range: RangeInclusive<usize>,
        allowed: &'static str,
    ) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        Err(Self::Hyperparameter {
            what,
            value: value as f64,
            allowed,
        })
    }

    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Hyperparameter { .. } | Self::Diverged { .. } => Fault::Plan,
            Self::Separable { .. }
            | Self::Collinear { .. }
            | Self::Unsettled { .. }
            | Self::AgainstClasses { .. } => Fault::Data,
        }
    }
}
