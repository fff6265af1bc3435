//! Normalization fitted on training rows, and the signed rows that training computes on.

mod error;
mod spread;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

pub use error::PreprocessError;
pub use spread::{Spread, SpreadDoubt};

use crate::{
    TrainError,
    data::{DataError, Dataset, FeatureTable, Layout},
};

/// How a column is brought to a common range: `(x - offset) / scale`, x its value or a logarithm of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scheme {
    /// Divided by the largest absolute value: -1 to 1 on the training rows, zero stays zero.
    MaxAbs,
    /// Mean 0 and standard deviation 1 (of the population) on the training rows.
    Standard,
    /// As it is.
    None,
    /// As [`Scheme::Standard`], then cut off at four standard deviations: a few wild values no longer rule scores.
    StandardClipped,
    /// Median 0, and 1 for what would be the standard deviation of a normal distribution with the column's quartiles; cut off at four. Where
    /// the quartiles are equal, the standard deviation itself.
    Robust,
    /// The logarithm `sign(x) ln(1 + |x|)`, then as [`Scheme::MaxAbs`].
    LogMaxAbs,
    /// The logarithm `sign(x) ln(1 + |x|)`, then as [`Scheme::StandardClipped`]: for amounts and counts over several powers of ten.
    LogStandard,
}

/// Where clipped schemes cut off.
const CLIP: f64 = 4.0;
/// Quartiles of the normal distribution with standard deviation 1 are this far from each other.
const NORMAL_QUARTILES: f64 = 1.348_979_500_392_163_5;

impl Scheme {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::MaxAbs,
        Self::Standard,
        Self::None,
        Self::StandardClipped,
        Self::Robust,
        Self::LogMaxAbs,
        Self::LogStandard,
    ];

    /// Its name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxAbs => "max-abs",
            Self::Standard => "standard",
            Self::None => "none",
            Self::StandardClipped => "standard-clipped",
            Self::Robust => "robust",
            Self::LogMaxAbs => "log-max-abs",
            Self::LogStandard => "log-standard",
        }
    }

    /// What no normalized value exceeds in magnitude; none for schemes that do not cut off.
    pub fn clip(self) -> Option<f64> {
        match self {
            Self::StandardClipped | Self::Robust | Self::LogStandard => Some(CLIP),
            Self::MaxAbs | Self::Standard | Self::None | Self::LogMaxAbs => None,
        }
    }

    /// Whether normalized values are of logarithms.
    pub fn takes_logarithms(self) -> bool {
        matches!(self, Self::LogMaxAbs | Self::LogStandard)
    }

    /// A value before it is shifted and scaled.
    fn transform(self, x: f64) -> f64 {
        if self.takes_logarithms() {
            x.abs().ln_1p().copysign(x)
        } else {
            x
        }
    }

    /// Offset and scale for a column's transformed values.
    fn fit(self, values: &[f64]) -> (f64, f64) {
        match self {
            Self::None => (0.0, 1.0),
            Self::MaxAbs | Self::LogMaxAbs => {
                (0.0, values.iter().fold(0.0, |m: f64, v| m.max(v.abs())))
            }
            Self::Standard | Self::StandardClipped | Self::LogStandard => moments(values),
            Self::Robust => {
                let mut sorted = values.to_vec();
                sorted.sort_unstable_by(f64::total_cmp);
                let [low, median, high] = [0.25, 0.5, 0.75].map(|q| quantile(&sorted, q));
                let scale = (high - low) / NORMAL_QUARTILES;
                (
                    median,
                    if scale > 0.0 {
                        scale
                    } else {
                        moments(values).1
                    },
                )
            }
        }
    }
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let rows = values.len() as f64;
    let mean = values.iter().sum::<f64>() / rows;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, (squares / rows).sqrt())
}

/// The middle of values, between two of them where they are even in number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// A quantile of sorted values, between two of them in proportion.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, part) = (sorted[at as usize], at.fract());
    let high = sorted[(at as usize + 1).min(sorted.len() - 1)];
    low + part * (high - low)
}

/// A column that carries something, and what is done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
#[serde(try_from = "Stored")]
pub struct Preprocessor {
    scheme: Scheme,
    names: Vec<String>,
    named: bool,
    columns: Vec<Column>,
    dropped: Vec<Dropped>,
    layout: Option<Layout>,
}

impl Preprocessor {
    /// Fits to training rows.
    ///
    /// # Errors
    /// [`PreprocessError::AllConstant`]; [`PreprocessError::Unnormalizable`] if a column's numbers are so large or so small that
    /// its scale is not a normal double.
    pub fn fit(train: &impl AsRef<FeatureTable>, scheme: Scheme) -> Result<Self, PreprocessError> {
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
            let transformed: Vec<f64> = values.iter().map(|&v| scheme.transform(v)).collect();
            let (offset, scale) = scheme.fit(&transformed);
            let column = || train.feature_names()[position].clone();
            if !offset.is_finite() {
                return Err(PreprocessError::Unnormalizable {
                    column: column(),
                    quantity: "centre",
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
            layout: train.layout().cloned(),
        })
    }

    /// The normalized rows, without the dropped columns: `rows x features()`.
    ///
    /// # Errors
    /// [`PreprocessError::ColumnCount`]; [`PreprocessError::ColumnName`] if both sides have names from their sources and these
    /// differ; [`DataError::NotFinite`] if a value leaves the range of doubles.
    pub fn apply(&self, data: &impl AsRef<FeatureTable>) -> Result<Array2<f64>, TrainError> {
        let data = data.as_ref();
        self.expect_columns(data)?;
        let features = data.features();
        let shape = (features.nrows(), self.columns.len());
        let normalized =
            Array2::from_shape_fn(shape, |(row, at)| self.normalized(features, row, at));
        self.expect_finite(&normalized, 0)?;
        Ok(normalized)
    }

    /// The rows of [`signed_rows`] with x normalized: [`Preprocessor::rows`] with the labels' signs.
    ///
    /// # Errors
    /// As [`Preprocessor::apply`].
    pub(crate) fn signed(&self, data: &Dataset, width: usize) -> Result<Array2<f64>, TrainError> {
        let y = signs(data.labels());
        self.rows(data, |row| y[row], width)
    }

    /// The rows `y_i (1, x_i)` with x normalized, and columns of zeros up to `width`, which is at least `features() + 1`: without a second copy of the
    /// data.
    ///
    /// # Errors
    /// As [`Preprocessor::apply`].
    pub(crate) fn rows(
        &self,
        data: &Dataset,
        y: impl Fn(usize) -> f64,
        width: usize,
    ) -> Result<Array2<f64>, TrainError> {
        self.expect_columns(data.table())?;
        let features = data.features();
        let rows = Array2::from_shape_fn((data.rows(), width), |(row, column)| match column {
            0 => y(row),
            at if at <= self.columns.len() => y(row) * self.normalized(features, row, at - 1),
            _ => 0.0,
        });
        self.expect_finite(&rows, 1)?;
        Ok(rows)
    }

    /// # Errors
    /// [`PreprocessError::ColumnCount`], [`PreprocessError::ColumnName`].
    fn expect_columns(&self, data: &FeatureTable) -> Result<(), PreprocessError> {
        if data.columns() != self.names.len() {
            return Err(PreprocessError::ColumnCount {
                model: self.names.len(),
                data: data.columns(),
            });
        }
        if self.named && data.has_names() {
            let mut pairs = self.names.iter().zip(data.feature_names());
            if let Some(at) = pairs.position(|(model, data)| model != data) {
                return Err(PreprocessError::ColumnName {
                    position: at + 1,
                    model: self.names[at].clone(),
                    data: data.feature_names()[at].clone(),
                });
            }
        }
        Ok(())
    }

    /// The value of a kept column.
    fn normalized(&self, features: &Array2<f64>, row: usize, at: usize) -> f64 {
        let column = &self.columns[at];
        let value = self.scheme.transform(features[(row, column.position)]);
        let normalized = (value - column.offset) / column.scale;
        match self.scheme.clip() {
            Some(most) => normalized.clamp(-most, most),
            None => normalized,
        }
    }

    /// Looks at normalized values, the first kept column in column `first`.
    fn expect_finite(&self, values: &Array2<f64>, first: usize) -> Result<(), DataError> {
        match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            Some(((row, at), &value)) => Err(DataError::NotFinite {
                what: "normalized features",
                row,
                column: self.columns[at - first].position,
                value,
            }),
            None => Ok(()),
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

    /// How features are made of a file's columns; none if they do not come from delimited text.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// The columns left out.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }
}

/// What is read of a [`Preprocessor`], before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    scheme: Scheme,
    names: Vec<String>,
    named: bool,
    columns: Vec<Column>,
    dropped: Vec<Dropped>,
    layout: Option<Layout>,
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
        if let Some(layout) = &stored.layout
            && (layout.features() != stored.names || layout.is_named() != stored.named)
        {
            return damaged("its names are not those that its layout makes");
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
            layout: stored.layout,
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
    DataError::expect_length("signed rows", "labels", labels.len(), features.nrows())?;
    let y = signs(labels);
    Ok(Array2::from_shape_fn(
        (features.nrows(), features.ncols() + 1),
        |(row, column)| match column {
            0 => y[row],
            _ => y[row] * features[(row, column - 1)],
        },
    ))
}

/// The rows `(1, x_i)`: the intercept's column first, then the features.
pub fn with_intercept(features: &Array2<f64>) -> Array2<f64> {
    let shape = (features.nrows(), features.ncols() + 1);
    Array2::from_shape_fn(shape, |(row, column)| match column {
        0 => 1.0,
        _ => features[(row, column - 1)],
    })
}

#[cfg(test)]
mod tests;
