//! Which models there are. They differ by their link alone: by the polynomial that draws inner products back, and by the constants that
//! pull them; circuits, rounds and files are the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{circuits::Constants, data::Target, plain::FitError, sigmoid::Approximation};

/// A kind of model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModelKind {
    /// The probability of one of two classes, by the sigmoid of a linear score.
    #[default]
    Logistic,
    /// One of several classes: a logistic model for each against the rest, on the same rows side by side; the class of the highest score is
    /// told.
    OneVsRest {
        /// How many classes; 0 for as many as the data have.
        classes: usize,
    },
    /// A number, by a linear score: least squares, or ridge regression with a penalty.
    Linear,
}

/// What inner products of a linear model are assumed to keep to, in standard deviations of the target.
const LINEAR_BOUND: f64 = 32.0;

impl ModelKind {
    /// The most classes.
    pub const MOST_CLASSES: usize = 100;

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::OneVsRest { .. } => "one-vs-rest",
            Self::Linear => "linear",
        }
    }

    /// Whether it is the one that is meant where nothing is said.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Where constants of its gradients are.
    pub fn constants(self) -> Constants {
        match self {
            Self::Logistic => Constants::InRows,
            Self::OneVsRest { .. } | Self::Linear => Constants::Apart,
        }
    }

    /// Trainings side by side.
    pub fn chains(self) -> usize {
        match self {
            Self::Logistic | Self::Linear => 1,
            Self::OneVsRest { classes } => classes,
        }
    }

    /// The same for as many classes as a target has, where that is open.
    #[must_use]
    pub fn resolved(self, target: &Target) -> Self {
        match self {
            Self::OneVsRest { classes: 0 } => Self::OneVsRest {
                classes: target.class_names().len(),
            },
            other => other,
        }
    }

    /// # Errors
    /// [`FitError::Hyperparameter`] for a number of classes that no training takes.
    pub(crate) fn check(self) -> Result<(), FitError> {
        match self {
            Self::Logistic | Self::Linear => Ok(()),
            Self::OneVsRest { classes } => FitError::expect_within(
                "number of classes of a one-vs-rest model",
                classes,
                2..=Self::MOST_CLASSES,
                "there are 2 to 100, each of which is a training of its own",
            ),
        }
    }

    /// Its polynomial where there is no choice.
    pub fn polynomial(self) -> Option<Approximation> {
        match self {
            Self::Logistic | Self::OneVsRest { .. } => None,
            Self::Linear => Approximation::linear(LINEAR_BOUND).ok(),
        }
    }

    /// What a target is learned by.
    pub fn of(target: &Target) -> Self {
        match target {
            Target::Binary { .. } => Self::Logistic,
            Target::Several { names, .. } => Self::OneVsRest {
                classes: names.len(),
            },
            Target::Real { .. } => Self::Linear,
        }
    }

    /// # Errors
    /// [`FitError::Hyperparameter`] for the polynomial of another kind.
    pub(crate) fn expect_polynomial(self, polynomial: &Approximation) -> Result<(), FitError> {
        let (fits, allowed) = match self {
            Self::Logistic | Self::OneVsRest { .. } => (
                !polynomial.is_linear(),
                "a logistic model's is an approximation of the sigmoid (--sigmoid)",
            ),
            Self::Linear => (
                polynomial.is_linear(),
                "a linear model's is the line t itself: leave --sigmoid out",
            ),
        };
        if fits {
            return Ok(());
        }
        Err(FitError::Hyperparameter {
            what: "degree of the model's polynomial",
            value: polynomial.degree() as f64,
            allowed,
        })
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
