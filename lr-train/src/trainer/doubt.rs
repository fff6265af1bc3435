//! What is wrong with a training, in words.

use std::fmt;

use arras_toolkit::{interpret::BrokenAssumption, text};

/// Scores of the final weights are no longer given to the polynomial, but tell where the next step would go.
const SCORE_MARGIN: f64 = 2.0;
/// A loss so far above that of knowing nothing is no matter of calibration.
const LOSS_MARGIN: f64 = 1.5;

/// Something that is wrong with a training, or may be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// Weights or gradients beyond what the circuits assume of them.
    Headroom {
        /// In which iteration, from 0.
        iteration: usize,
        /// The largest.
        largest: f64,
        /// What can be held.
        most: f64,
    },
    /// The polynomial was evaluated outside its interval, which the circuits assume that inner products keep to.
    Interval {
        /// In which iteration first, from 0.
        iteration: usize,
        /// The row that was farthest outside then, from 0.
        row: usize,
        /// The largest input of all iterations.
        largest: f64,
        /// Half the interval.
        bound: f64,
    },
    /// Another value of the recorded circuit beyond what is assumed of it.
    Assumption {
        /// Which, and how far.
        broken: BrokenAssumption,
    },
    /// The final weights give scores outside the interval.
    Scores {
        /// The lowest score.
        lowest: f64,
        /// The highest.
        highest: f64,
        /// Half the interval.
        bound: f64,
    },
    /// Encryption changes the weights.
    Error {
        /// The predicted error of any weight.
        error: f64,
        /// The largest weight.
        weight: f64,
    },
    /// For data between -1 and 1 the error has no bound.
    NoError {
        /// What was computed.
        error: f64,
    },
    /// One class is said of every row.
    OneClass {
        /// Which.
        positive: bool,
        /// Rows.
        rows: usize,
        /// Rows of the other class.
        others: usize,
    },
    /// The squared error of standardized targets is above that of a model that knows nothing, 1.
    SquaredError {
        /// It.
        error: f64,
    },
    /// The loss is above that of a model that knows nothing.
    Loss {
        /// It.
        loss: f64,
    },
}

impl Doubt {
    /// Whether something is broken that the circuits assume: what encrypted numbers become then nobody has promised.
    pub fn is_broken_assumption(&self) -> bool {
        matches!(
            self,
            Self::Headroom { .. } | Self::Interval { .. } | Self::Assumption { .. }
        )
    }

    /// Whether a plan is not to be made: an assumption is broken, or a training is beyond the margins within which it may still be good.
    pub fn is_grave(&self) -> bool {
        match *self {
            Self::Headroom { .. }
            | Self::Interval { .. }
            | Self::Assumption { .. }
            | Self::Error { .. }
            | Self::NoError { .. }
            | Self::OneClass { .. } => true,
            Self::Scores {
                lowest,
                highest,
                bound,
            } => beyond(highest.max(-lowest), SCORE_MARGIN * bound),
            Self::SquaredError { error } => beyond(error, LOSS_MARGIN),
            Self::Loss { loss } => beyond(loss, LOSS_MARGIN * std::f64::consts::LN_2),
        }
    }
}

/// Whether a number is above a bound, or none.
pub(super) fn beyond(value: f64, most: f64) -> bool {
    value.is_nan() || value > most
}

/// A number in the form that needs fewer digits.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text::magnitude(value)
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interval = |bound: f64| format!("[-{0}, {0}]", text::given(bound));
        match *self {
            Self::Headroom {
                iteration,
                largest,
                most,
            } => write!(
                f,
                "weights or gradients reach {} in iteration {}, the circuits assume at most {}, which a ciphertext of the result holds: lower --lr, train \
                 fewer --iterations, or normalize the columns (--normalize standard)",
                short(largest),
                iteration + 1,
                short(most)
            ),
            Self::Assumption { ref broken } => write!(
                f,
                "in the circuit {broken}: lower --lr, train fewer --iterations, normalize the columns (--normalize), or take another --circuit"
            ),
            Self::Interval {
                iteration,
                row,
                largest,
                bound,
            } => write!(
                f,
                "from iteration {} on inner products leave {}, on which the model's polynomial is meant and which the circuits \
                 assume, first by row {} of the data, and reach {}: lower \
                 --lr, train fewer --iterations, normalize the columns (--normalize), or take a --sigmoid with a wider interval where there is one",
                iteration + 1,
                interval(bound),
                row + 1,
                short(largest)
            ),
            Self::Scores {
                lowest,
                highest,
                bound,
            } => write!(
                f,
                "the final weights give scores from {} to {}, the polynomial holds on {}: more iterations would go astray, and \
                 probabilities are too near 0 and 1; lower --lr or train fewer --iterations",
                short(lowest),
                short(highest),
                interval(bound)
            ),
            Self::Error { error, weight } => write!(
                f,
                "the predicted error of a weight is {}, the largest weight {}: lower --lr, train fewer --iterations, or normalize the columns \
                 (--normalize standard)",
                short(error),
                short(weight)
            ),
            Self::NoError { error } => write!(
                f,
                "the predicted error of a weight is {} for data between -1 and 1: lower --lr or train fewer --iterations",
                text::given(error)
            ),
            Self::OneClass {
                positive,
                rows,
                others,
            } => write!(
                f,
                "the model says {} of all {rows} rows, {others} of which are of the other class: normalize the columns (--normalize standard), \
                 train more --iterations or raise --lr or --minibatch",
                if positive {
                    "the positive class"
                } else {
                    "the negative class"
                }
            ),
            Self::SquaredError { error } => write!(
                f,
                "the mean squared error is {} of the target's variance in the end, that of its mean 1: lower --lr or train fewer --iterations",
                short(error)
            ),
            Self::Loss { loss } => write!(
                f,
                "the log loss is {} in the end, that of knowing nothing 0.693: lower --lr or train fewer --iterations; probabilities need \
                 calibration",
                short(loss)
            ),
        }
    }
}
