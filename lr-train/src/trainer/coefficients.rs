//! What a model's weights mean in the units of the data.

use serde::{Deserialize, Serialize};

use super::Model;

/// A column's part in the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Coefficient {
    /// The column's name.
    pub column: String,
    /// What one unit of the column adds to the logarithm of the odds, or to the number that the model tells.
    pub per_unit: f64,
    /// What one unit multiplies the odds of the positive class by: `exp(per_unit)`; none for a model of numbers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub odds_ratio: Option<f64>,
    /// What one unit of the **normalized** column adds: comparable between columns.
    pub normalized: f64,
}

/// The score as a sum over the data as they were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Coefficients {
    /// The score of a row of zeros.
    pub intercept: f64,
    /// The columns, in the order of the weights.
    pub columns: Vec<Coefficient>,
    /// Whether this holds only where no normalized value is cut off.
    pub within_clip: bool,
}

impl Model {
    /// Coefficients in the units of the data, of the calibrated score if the model has a [calibration](Model::calibration); none where the
    /// score is not linear in the data (logarithms).
    ///
    /// Of several classes those of the first; [`Model::all_coefficients`] has the others.
    pub fn coefficients(&self) -> Option<Coefficients> {
        self.all_coefficients()?.into_iter().next()
    }

    /// Coefficients of every class of a model that has several, in the order of their names; of other models one set.
    pub fn all_coefficients(&self) -> Option<Vec<Coefficients>> {
        let each = self.preprocessor.features() + 1;
        self.weights
            .chunks(each)
            .map(|weights| self.coefficients_of(weights))
            .collect()
    }

    fn coefficients_of(&self, weights: &[f64]) -> Option<Coefficients> {
        let scheme = self.preprocessor.scheme();
        if scheme.takes_logarithms() {
            return None;
        }
        let (slope, shift) = match (&self.measure, self.calibration) {
            (Some(measure), _) => (measure.scale, measure.mean),
            (None, Some(c)) => (c.slope, c.intercept),
            (None, None) => (1.0, 0.0),
        };
        let (mut intercept, weights) = match weights.split_first() {
            Some((first, rest)) => (slope * first + shift, rest),
            None => return None,
        };
        let mut columns = Vec::with_capacity(weights.len());
        for (column, weight) in self.preprocessor.columns().iter().zip(weights) {
            let normalized = slope * weight;
            let per_unit = normalized / column.scale;
            intercept -= per_unit * column.offset;
            columns.push(Coefficient {
                column: self.preprocessor.names()[column.position].clone(),
                per_unit,
                odds_ratio: self.measure.is_none().then(|| per_unit.exp()),
                normalized,
            });
        }
        Some(Coefficients {
            intercept,
            columns,
            within_clip: scheme.clip().is_some(),
        })
    }
}
