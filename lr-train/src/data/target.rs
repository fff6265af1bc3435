//! What is to be learned of each row.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Classes, DataError};

/// The target of a data set: one entry for each row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// One of two classes.
    Binary {
        /// Whether each row is of the positive class.
        labels: Vec<bool>,
        /// The names of both.
        classes: Classes,
    },
    /// One of several classes.
    Several {
        /// The class of each row, by its position among the names.
        labels: Vec<usize>,
        /// The names of the classes.
        names: Vec<String>,
    },
    /// A finite number.
    Real {
        /// What it is called.
        name: String,
        /// The numbers.
        values: Vec<f64>,
    },
}

impl Target {
    /// Entries.
    pub fn rows(&self) -> usize {
        match self {
            Self::Binary { labels, .. } => labels.len(),
            Self::Several { labels, .. } => labels.len(),
            Self::Real { values, .. } => values.len(),
        }
    }

    /// Names of several classes; empty for other targets.
    pub fn class_names(&self) -> &[String] {
        match self {
            Self::Several { names, .. } => names,
            Self::Binary { .. } | Self::Real { .. } => &[],
        }
    }

    /// Rows of each class, or all rows where there are no classes.
    pub(crate) fn strata(&self) -> Vec<Vec<usize>> {
        let of = |class: &dyn Fn(usize) -> bool| (0..self.rows()).filter(|&r| class(r)).collect();
        match self {
            Self::Binary { labels, .. } => [false, true].map(|c| of(&|r| labels[r] == c)).into(),
            Self::Several { labels, names } => {
                (0..names.len()).map(|c| of(&|r| labels[r] == c)).collect()
            }
            Self::Real { .. } => vec![of(&|_| true)],
        }
    }

    /// # Errors
    /// [`DataError::NotFinite`]; [`DataError::RowOutOfRange`] for a label without a name.
    pub(super) fn check(&self) -> Result<(), DataError> {
        if let Self::Several { labels, names } = self
            && let Some(&row) = labels.iter().find(|label| **label >= names.len())
        {
            return Err(DataError::RowOutOfRange {
                what: "class of a row",
                row,
                rows: names.len(),
            });
        }
        let Self::Real { values, .. } = self else {
            return Ok(());
        };
        match values.iter().position(|v| !v.is_finite()) {
            Some(row) => Err(DataError::NotFinite {
                what: "target",
                row,
                column: 0,
                value: values[row],
            }),
            None => Ok(()),
        }
    }

    /// Some of the entries, in this order; all are within the rows.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Binary { labels, classes } => Self::Binary {
                labels: rows.iter().map(|&r| labels[r]).collect(),
                classes: classes.clone(),
            },
            Self::Several { labels, names } => Self::Several {
                labels: rows.iter().map(|&r| labels[r]).collect(),
                names: names.clone(),
            },
            Self::Real { name, values } => Self::Real {
                name: name.clone(),
                values: rows.iter().map(|&r| values[r]).collect(),
            },
        }
    }
}

/// How a real target is standardized: training computes on `(y - mean) / scale`, the model's predictions are in the units of y.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Measure {
    /// What the target is called.
    pub name: String,
    /// The mean of the rows trained on.
    pub mean: f64,
    /// Their standard deviation (of the population), above 0.
    pub scale: f64,
}

/// A standard deviation of this part of the largest value is rounding.
const ROUNDING: f64 = 1e-12;

impl Measure {
    /// Of the rows to train on.
    ///
    /// # Errors
    /// [`DataError::ConstantTarget`] for values that are all the same but for rounding, or whose standard deviation is no double.
    pub fn fit(name: &str, values: &[f64]) -> Result<Self, DataError> {
        let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        // Of one size, so that squares stay within the range of doubles.
        let unit = if largest > 0.0 { largest } else { 1.0 };
        let rows = values.len() as f64;
        let mean = values.iter().map(|v| v / unit).sum::<f64>() / rows;
        let squares: f64 = values.iter().map(|v| (v / unit - mean).powi(2)).sum();
        let deviation = (squares / rows).sqrt();
        let measure = Self {
            name: name.to_owned(),
            mean: mean * unit,
            scale: deviation * unit,
        };
        if deviation > ROUNDING && measure.is_usable() {
            return Ok(measure);
        }
        Err(DataError::ConstantTarget {
            name: name.to_owned(),
            rows: values.len(),
            mean: measure.mean,
            scale: measure.scale,
        })
    }

    /// Whether targets can be brought to it and back.
    pub(crate) fn is_usable(&self) -> bool {
        self.mean.is_finite() && self.scale.is_normal() && self.scale > 0.0
    }

    /// Standardized targets.
    pub fn apply(&self, values: &[f64]) -> Array1<f64> {
        let standardized = values.iter().map(|v| (v - self.mean) / self.scale);
        standardized.collect()
    }

    /// A score in the units of the target.
    pub fn value(&self, score: f64) -> f64 {
        self.mean + self.scale * score
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn targets_of_any_size_are_standardized() {
        for unit in [1.0, 1e12, 1e-12, 1e300, 1e-300] {
            let values = [1.0, 2.0, 4.0].map(|v| v * unit);
            let measure = Measure::fit("y", &values).unwrap();
            let z = measure.apply(&values);
            assert!(z.sum().abs() < 1e-12, "{unit}: {z}");
            assert_relative_eq!(z.dot(&z), 3.0, max_relative = 1e-12);
            assert_relative_eq!(measure.value(z[2]), values[2], max_relative = 1e-12);
        }
    }

    #[test]
    fn constant_targets_are_refused_by_name() {
        for values in [[3.0, 3.0], [0.0, 0.0], [1.0, 1.0 + f64::EPSILON]] {
            let error = Measure::fit("dose", &values).unwrap_err().to_string();
            assert!(
                error.contains("\"dose\"") && error.contains("2 rows"),
                "{error}"
            );
        }
    }
}
