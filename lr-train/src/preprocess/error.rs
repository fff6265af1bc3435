//! Why data cannot be normalized.

use crate::fault::Fault;

/// Why data cannot be normalized.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// No column varies, so there is nothing to learn from.
    #[error(
        "all {columns} feature columns are constant over the {rows} training rows; there is nothing to learn from"
    )]
    AllConstant {
        /// Columns.
        columns: usize,
        /// Rows.
        rows: usize,
    },
    /// A column whose scale cannot be computed in double precision.
    #[error(
        "column {column:?} cannot be normalized: its {quantity} is {value:?}; rescale the column beforehand"
    )]
    Unnormalizable {
        /// The column's name.
        column: String,
        /// What was computed.
        quantity: &'static str,
        /// Its value.
        value: f64,
    },
    /// Data with another number of columns than the model.
    #[error(
        "the model was trained on {model} features, the data has {data}; give the same columns in the same order"
    )]
    ColumnCount {
        /// Features of the model.
        model: usize,
        /// Features of the data.
        data: usize,
    },
    /// Data with other column names than the model.
    #[error(
        "feature {position} is {model:?} in the model and {data:?} in the data; give the same columns in the same order"
    )]
    ColumnName {
        /// Which feature, from 1.
        position: usize,
        /// Its name in the model.
        model: String,
        /// Its name in the data.
        data: String,
    },
    /// A stored normalization that contradicts itself.
    #[error("stored normalization: {reason}; the model file is damaged")]
    StoredNormalization {
        /// What is wrong.
        reason: &'static str,
    },
}

impl PreprocessError {
    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::AllConstant { .. }
            | Self::Unnormalizable { .. }
            | Self::ColumnCount { .. }
            | Self::ColumnName { .. } => Fault::Data,
            Self::StoredNormalization { .. } => Fault::File,
        }
    }
}
