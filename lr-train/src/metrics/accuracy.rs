//! How near predicted numbers come.

use serde::{Deserialize, Serialize};

use crate::data::DataError;

/// How near the numbers that a model tells come to those of some rows, in the units of the target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Accuracy {
    /// Rows.
    pub rows: usize,
    /// The share of the rows' variance that the model explains, R^2: 1 less the sum of squared errors over that of the rows' own mean. 0 is
    /// what that mean has, below it is worse; none if the rows do not vary.
    pub r_squared: Option<f64>,
    /// The root of the mean squared error.
    pub rmse: f64,
    /// The mean absolute error.
    pub mae: f64,
    /// The root mean squared error of a model that says the same of every row: the mean of those trained on.
    pub base_rmse: f64,
    /// Its mean absolute error.
    pub base_mae: f64,
}

impl Accuracy {
    /// Compares predictions with targets; `base` is the mean of the rows trained on.
    ///
    /// # Errors
    /// [`DataError::Length`], [`DataError::EmptyTable`] without rows.
    pub fn measure(predicted: &[f64], targets: &[f64], base: f64) -> Result<Self, DataError> {
        let rows = targets.len();
        DataError::expect_length("accuracy", "predictions", predicted.len(), rows)?;
        if rows == 0 {
            return Err(DataError::EmptyTable { header: false });
        }
        let mean_of = |of: &dyn Fn(usize) -> f64| (0..rows).map(of).sum::<f64>() / rows as f64;
        let mean = mean_of(&|row| targets[row]);
        // Relative to the largest, so that squares stay within the range of doubles.
        let all = predicted.iter().chain(targets).chain([&base]);
        let largest = all.fold(0.0f64, |m, v| m.max(v.abs()));
        let unit = if largest > 0.0 { largest } else { 1.0 };
        let squares = |from: &dyn Fn(usize) -> f64| {
            mean_of(&|row| ((targets[row] - from(row)) / unit).powi(2))
        };
        let absolute =
            |from: &dyn Fn(usize) -> f64| mean_of(&|row| (targets[row] - from(row)).abs());
        let (errors, spread) = (squares(&|row| predicted[row]), squares(&|_| mean));
        Ok(Self {
            rows,
            r_squared: (spread > 0.0).then(|| 1.0 - errors / spread),
            rmse: errors.sqrt() * unit,
            mae: absolute(&|row| predicted[row]),
            base_rmse: squares(&|_| base).sqrt() * unit,
            base_mae: absolute(&|_| base),
        })
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    /// Figures by scikit-learn for the same rows.
    #[test]
    fn figures_are_those_of_scikit_learn() {
        let (predicted, targets) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
        let found = Accuracy::measure(&predicted, &targets, 2.0).unwrap();
        assert_relative_eq!(
            found.r_squared.unwrap(),
            0.948_608_137_044_967,
            max_relative = 1e-12
        );
        assert_relative_eq!(found.rmse, 0.612_372_435_695_794_5, max_relative = 1e-12);
        assert_relative_eq!(found.mae, 0.5, max_relative = 1e-12);
        assert_relative_eq!(found.base_mae, 2.125, max_relative = 1e-12);
        let constant = Accuracy::measure(&[1.0], &[2.0], 0.0).unwrap();
        assert_eq!(constant.r_squared, None);
        assert!(Accuracy::measure(&[], &[], 0.0).is_err());
    }
}
