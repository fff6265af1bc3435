//! The label column as the target that a model has.

use super::{CsvError, Options, labels::Labels, number_of};
use crate::{
    ModelKind,
    data::{DataError, Target},
};

/// What is to be learned, as it is met row by row.
pub(super) enum Targets<'o> {
    Classes(Labels),
    Numbers {
        options: &'o Options,
        values: Vec<f64>,
    },
}

impl<'o> Targets<'o> {
    /// Of the kind that the options' model has.
    pub(super) fn new(options: &'o Options) -> Self {
        match options.model {
            ModelKind::Logistic => Self::Classes(Labels::new(
                options.classes.clone(),
                options.positive.clone(),
            )),
            ModelKind::Linear => Self::Numbers {
                options,
                values: vec![],
            },
        }
    }

    pub(super) fn push(&mut self, line: u64, field: &str) -> Result<(), DataError> {
        match self {
            Self::Classes(labels) => labels.push(line, field),
            Self::Numbers { options, values } => {
                let number = number_of(&options.format.point(field));
                values.push(number.ok_or_else(|| CsvError::TargetNotANumber {
                    line,
                    found: field.to_owned(),
                })?);
                Ok(())
            }
        }
    }

    /// The target; `name` is its column's.
    pub(super) fn finish(self, name: &str) -> Result<Target, DataError> {
        match self {
            Self::Classes(labels) => {
                let (labels, classes) = labels.finish()?;
                Ok(Target::Binary { labels, classes })
            }
            Self::Numbers { values, .. } => Ok(Target::Real {
                name: name.to_owned(),
                values,
            }),
        }
    }
}
