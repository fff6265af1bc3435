//! The label column as the target that a model has.

use super::{
    CsvError, Options,
    labels::{Labels, same_label},
    number_of,
};
use crate::{
    ModelKind,
    data::{DataError, Target},
};

/// What is to be learned, as it is met row by row.
pub(super) enum Targets<'o> {
    Classes(Labels),
    Several {
        /// Those of a model; else those that are met.
        known: Option<&'o [String]>,
        seen: Vec<String>,
        rows: Vec<usize>,
    },
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
            ModelKind::OneVsRest { .. } => Self::Several {
                known: options.class_names.as_deref(),
                seen: options.class_names.clone().unwrap_or_default(),
                rows: vec![],
            },
            ModelKind::Linear => Self::Numbers {
                options,
                values: vec![],
            },
        }
    }

    pub(super) fn push(&mut self, line: u64, field: &str) -> Result<(), DataError> {
        match self {
            Self::Classes(labels) => labels.push(line, field),
            Self::Several { known, seen, rows } => {
                let at = seen.iter().position(|seen| same_label(seen, field));
                if at.is_none() {
                    let (found, seen_before) = (field.to_owned(), seen.len());
                    if let Some(names) = known {
                        let names = names.to_vec();
                        return Err(CsvError::UnknownClass { line, found, names }.into());
                    }
                    if seen_before == ModelKind::MOST_CLASSES {
                        let most = ModelKind::MOST_CLASSES;
                        return Err(CsvError::TooManyClasses { line, found, most }.into());
                    }
                    seen.push(found);
                }
                rows.push(at.unwrap_or(seen.len() - 1));
                Ok(())
            }
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
            Self::Several {
                known: Some(_),
                seen,
                rows,
            } => Ok(Target::Several {
                labels: rows,
                names: seen,
            }),
            Self::Several { seen, rows, .. } => {
                if seen.len() < 2 {
                    return Err(DataError::OneClass {
                        what: "reading labels",
                        rows: rows.len(),
                        value: seen.into_iter().next().unwrap_or_default(),
                    });
                }
                // Numbers by their size if all are, else words by their bytes.
                let mut order: Vec<usize> = (0..seen.len()).collect();
                let numbers: Option<Vec<f64>> = seen.iter().map(|s| number_of(s)).collect();
                order.sort_by(|&a, &b| match &numbers {
                    Some(numbers) => numbers[a].total_cmp(&numbers[b]),
                    None => seen[a].cmp(&seen[b]),
                });
                let mut place = vec![0; seen.len()];
                for (at, &class) in order.iter().enumerate() {
                    place[class] = at;
                }
                Ok(Target::Several {
                    labels: rows.into_iter().map(|class| place[class]).collect(),
                    names: order.into_iter().map(|class| seen[class].clone()).collect(),
                })
            }
            Self::Numbers { values, .. } => Ok(Target::Real {
                name: name.to_owned(),
                values,
            }),
        }
    }
}
