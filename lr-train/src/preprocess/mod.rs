//! Normalization fitted on training rows, and the signed rows that training computes on.

mod error;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

pub use error::PreprocessError;

use crate::{
    TrainError,
    data::{DataError, Table},
};

/// How a column is brought to a common range: `(x - offset) / scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Divided by the largest absolute value: -1 to 1 on the training rows, zero stays zero.
    MaxAbs,
    /// Mean 0 and standard deviation 1 (of the population) on the training rows.
    Standard,
    /// As it is.
    None,
}

/// A column that carries something, and what is done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Column {
    /// Its position among the features as read, from 0.
    pub position: usize,
    /// Subtracted first.
    pub offset: f64,
    /// Divided by then; positive.
    pub scale: f64,
}

/// A column that is the same in all training rows. It is left out: the intercept carries what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dropped {
    /// Its position among the features as read, from 0.
    pub position: usize,
    /// Its value.
    pub value: f64,
}

/// A normalization fitted on training rows, to be stored with the model and applied to all other rows.
///
/// A column that was constant in training is left out of all data, whatever it holds there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Preprocessor {
    scheme: Scheme,
    names: Vec<String>,
    named: bool,
    columns: Vec<Column>,
    dropped: Vec<Dropped>,
}

impl Preprocessor {
    /// Fits to training rows.
    ///
    /// # Errors
    /// [`PreprocessError::AllConstant`]; [`PreprocessError::Unnormalizable`] if a column's numbers are so large or so small that
    /// its scale is not a normal double.
    pub fn fit(train: &impl AsRef<Table>, scheme: Scheme) -> Result<Self, PreprocessError> {
        let mut columns = Vec::new();
        let mut dropped = Vec::new();
        let train = train.as_ref();
        let features = train.features();
        for (position, values) in features.columns().into_iter().enumerate() {
            let value = values[0];
            if values.iter().all(|&v| v == value) {
                dropped.push(Dropped { position, value });
                continue;
            }
            let (offset, scale) = match scheme {
                Scheme::None => (0.0, 1.0),
                Scheme::MaxAbs => (0.0, values.fold(0.0, |m: f64, v| m.max(v.abs()))),
                Scheme::Standard => {
                    let rows = values.len() as f64;
                    let mean = values.iter().sum::<f64>() / rows;
                    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
                    (mean, (squares / rows).sqrt())
                }
            };
            let column = || train.feature_names()[position].clone();
            if !offset.is_finite() {
                return Err(PreprocessError::Unnormalizable {
                    column: column(),
                    quantity: "mean",
                    value: offset,
                });
            }
            if !(scale.is_normal() && scale > 0.0) {
                return Err(PreprocessError::Unnormalizable {
                    column: column(),
                    quantity: "scale",
                    value: scale,
                });
            }
            columns.push(Column {
                position,
                offset,
                scale,
            });
        }
        if columns.is_empty() {
            return Err(PreprocessError::AllConstant {
                columns: features.ncols(),
                rows: features.nrows(),
            });
        }
        Ok(Self {
            scheme,
            names: train.feature_names().to_vec(),
            named: train.has_names(),
            columns,
            dropped,
        })
    }

    /// The normalized rows, without the dropped columns: `rows x features()`.
    ///
    /// # Errors
    /// [`PreprocessError::ColumnCount`]; [`PreprocessError::ColumnName`] if both sides have names from their sources and these
    /// differ; [`DataError::NotFinite`] if a value leaves the range of doubles.
    pub fn apply(&self, data: &impl AsRef<Table>) -> Result<Array2<f64>, TrainError> {
        let data = data.as_ref();
        let features = data.features();
        if features.ncols() != self.names.len() {
            return Err(PreprocessError::ColumnCount {
                model: self.names.len(),
                data: features.ncols(),
            }
            .into());
        }
        if self.named && data.has_names() {
            let mut pairs = self.names.iter().zip(data.feature_names());
            if let Some(at) = pairs.position(|(model, data)| model != data) {
                return Err(PreprocessError::ColumnName {
                    position: at + 1,
                    model: self.names[at].clone(),
                    data: data.feature_names()[at].clone(),
                }
                .into());
            }
        }
        let normalized =
            Array2::from_shape_fn((features.nrows(), self.columns.len()), |(row, at)| {
                let column = &self.columns[at];
                (features[(row, column.position)] - column.offset) / column.scale
            });
        match normalized.indexed_iter().find(|(_, v)| !v.is_finite()) {
            Some(((row, at), &value)) => Err(DataError::NotFinite {
                what: "normalized features",
                row,
                column: self.columns[at].position,
                value,
            }
            .into()),
            None => Ok(normalized),
        }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// How many columns are kept: the features of the model, without intercept.
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// All columns' names as read, dropped ones included.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Position (from 0, as read) and name of each kept column, in the order of the model's weights.
    pub fn kept(&self) -> impl ExactSizeIterator<Item = (usize, &str)> {
        self.columns
            .iter()
            .map(|c| (c.position, &*self.names[c.position]))
    }

    /// What is done to each kept column.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns left out.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }
}

/// What is written of a [`Preprocessor`], before it is checked.
#[derive(Serialize, Deserialize)]
struct Stored {
    scheme: Scheme,
    names: Vec<String>,
    named: bool,
    columns: Vec<Column>,
    dropped: Vec<Dropped>,
}

impl From<Preprocessor> for Stored {
    fn from(p: Preprocessor) -> Self {
        Self {
            scheme: p.scheme,
            names: p.names,
            named: p.named,
            columns: p.columns,
            dropped: p.dropped,
        }
    }
}

impl TryFrom<Stored> for Preprocessor {
    type Error = PreprocessError;

    fn try_from(stored: Stored) -> Result<Self, PreprocessError> {
        let damaged = |reason| Err(PreprocessError::StoredNormalization { reason });
        let mut positions: Vec<usize> = (stored.columns.iter().map(|c| c.position))
            .chain(stored.dropped.iter().map(|d| d.position))
            .collect();
        positions.sort_unstable();
        if !positions.iter().copied().eq(0..stored.names.len()) {
            return damaged("its columns are not each listed once");
        }
        if stored.columns.is_empty() {
            return damaged("it keeps no column");
        }
        if !stored.columns.is_sorted_by(|a, b| a.position < b.position) {
            return damaged("its columns are out of order");
        }
        if !(stored.columns.iter())
            .all(|c| c.offset.is_finite() && c.scale.is_normal() && c.scale > 0.0)
        {
            return damaged("an offset or a scale is not a usable number");
        }
        Ok(Self {
            scheme: stored.scheme,
            names: stored.names,
            named: stored.named,
            columns: stored.columns,
            dropped: stored.dropped,
        })
    }
}

/// Labels as +1 (positive) and -1.
pub fn signs(labels: &[bool]) -> Array1<f64> {
    labels.iter().map(|&l| if l { 1.0 } else { -1.0 }).collect()
}

/// The rows `z_i = y_i (1, x_i)` that training computes on: the intercept's column first, then the features.
///
/// # Errors
/// [`DataError::Length`].
pub fn signed_rows(features: &Array2<f64>, labels: &[bool]) -> Result<Array2<f64>, DataError> {
    if features.nrows() != labels.len() {
        return Err(DataError::Length {
            op: "signed rows",
            what: "labels",
            found: labels.len(),
            expected: features.nrows(),
        });
    }
    let y = signs(labels);
    Ok(Array2::from_shape_fn(
        (features.nrows(), features.ncols() + 1),
        |(row, column)| match column {
            0 => y[row],
            _ => y[row] * features[(row, column - 1)],
        },
    ))
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;
    use crate::data::{Classes, Dataset};

    fn dataset(features: Array2<f64>, names: &[&str]) -> Dataset {
        let labels = (0..features.nrows()).map(|r| r % 2 == 0).collect();
        let names = names.iter().map(|&n| n.to_owned()).collect();
        let classes = Classes {
            negative: "0".into(),
            positive: "1".into(),
        };
        Dataset::new(features, labels, names, classes).unwrap()
    }

    fn train() -> Dataset {
        dataset(
            array![[1.0, 5.0, -4.0], [3.0, 5.0, 2.0], [2.0, 5.0, 2.0]],
            &["a", "b", "c"],
        )
    }

    #[test]
    fn schemes_are_fitted_on_training_rows_and_applied_to_others() {
        let other = dataset(array![[6.0, 7.0, 8.0]], &["a", "b", "c"]);
        let max = Preprocessor::fit(&train(), Scheme::MaxAbs).unwrap();
        assert_eq!(
            max.apply(&train()).unwrap(),
            array![[1.0 / 3.0, -1.0], [1.0, 0.5], [2.0 / 3.0, 0.5]]
        );
        assert_eq!(max.apply(&other).unwrap(), array![[2.0, 2.0]]);
        let standard = Preprocessor::fit(&train(), Scheme::Standard).unwrap();
        let x = standard.apply(&train()).unwrap();
        for column in x.columns() {
            assert_relative_eq!(column.sum(), 0.0, epsilon = 1e-15);
            assert_relative_eq!(column.dot(&column), 3.0, max_relative = 1e-15);
        }
        assert_relative_eq!(
            standard.apply(&other).unwrap()[(0, 0)],
            4.0 / (2.0f64 / 3.0).sqrt(),
            max_relative = 1e-15
        );
        let none = Preprocessor::fit(&train(), Scheme::None).unwrap();
        assert_eq!(none.apply(&other).unwrap(), array![[6.0, 8.0]]);
    }

    #[test]
    fn constant_columns_are_dropped_and_listed() {
        let fitted = Preprocessor::fit(&train(), Scheme::MaxAbs).unwrap();
        assert_eq!(
            fitted.dropped(),
            [Dropped {
                position: 1,
                value: 5.0
            }]
        );
        assert_eq!(fitted.kept().collect::<Vec<_>>(), [(0, "a"), (2, "c")]);
        let constant = dataset(array![[1.0, 2.0], [1.0, 2.0]], &["a", "b"]);
        assert!(matches!(
            Preprocessor::fit(&constant, Scheme::Standard),
            Err(PreprocessError::AllConstant {
                columns: 2,
                rows: 2
            })
        ));
    }

    #[test]
    fn other_columns_than_the_models_are_refused() {
        let fitted = Preprocessor::fit(&train(), Scheme::MaxAbs).unwrap();
        let error = fitted
            .apply(&dataset(array![[1.0, 2.0]], &["a", "b"]))
            .unwrap_err();
        assert!(
            error.to_string().contains("3 features, the data has 2"),
            "{error}"
        );
        let swapped = dataset(array![[1.0, 2.0, 3.0]], &["a", "c", "b"]);
        let error = fitted.apply(&swapped).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("feature 2 is \"b\" in the model and \"c\" in the data"),
            "{error}"
        );
        // Names that were made up are no disagreement.
        assert!(fitted.apply(&swapped.table().clone().unnamed()).is_ok());
    }

    #[test]
    fn extreme_columns_are_refused_not_turned_into_nan() {
        let huge = dataset(
            array![[1e308, 1.0], [-1e308, 2.0], [1e308, 3.0]],
            &["a", "b"],
        );
        assert!(Preprocessor::fit(&huge, Scheme::MaxAbs).is_ok());
        assert!(matches!(
            Preprocessor::fit(&huge, Scheme::Standard),
            Err(PreprocessError::Unnormalizable { .. })
        ));
        let tiny = dataset(array![[1e-320], [2e-320]], &["a"]);
        assert!(matches!(
            Preprocessor::fit(&tiny, Scheme::MaxAbs),
            Err(PreprocessError::Unnormalizable { .. })
        ));
        let small = Preprocessor::fit(&dataset(array![[1e-300], [2e-300]], &["a"]), Scheme::MaxAbs)
            .unwrap();
        assert!(matches!(
            small.apply(&dataset(array![[1e300]], &["a"])),
            Err(TrainError::Data(DataError::NotFinite { .. }))
        ));
    }

    #[test]
    fn storing_keeps_every_bit_and_reading_checks() {
        let fitted = Preprocessor::fit(&train(), Scheme::Standard).unwrap();
        let text = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<Preprocessor>(&text).unwrap(), fitted);
        for (good, bad) in [
            ("\"position\":0", "\"position\":7"),
            ("\"position\":0", "\"position\":2"),
            ("\"b\",", ""),
            ("\"scale\":0.8", "\"scale\":-0.8"),
        ] {
            assert!(text.contains(good), "{text}");
            let error = serde_json::from_str::<Preprocessor>(&text.replacen(good, bad, 1));
            assert!(
                error
                    .unwrap_err()
                    .to_string()
                    .contains("stored normalization"),
                "{bad}"
            );
        }
    }

    #[test]
    fn signed_rows_carry_label_and_intercept() {
        let z = signed_rows(&array![[2.0, 3.0], [4.0, 5.0]], &[true, false]).unwrap();
        assert_eq!(z, array![[1.0, 2.0, 3.0], [-1.0, -4.0, -5.0]]);
        assert!(matches!(
            signed_rows(&array![[2.0]], &[]),
            Err(DataError::Length {
                found: 0,
                expected: 1,
                ..
            })
        ));
    }
}
