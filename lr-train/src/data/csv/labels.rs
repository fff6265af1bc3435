//! The two values of a label.

use super::{CsvError, is_missing};
use crate::data::{Classes, DataError};

/// A label value that is a finite number.
fn numeric(label: &str) -> Option<f64> {
    label.parse().ok().filter(|v: &f64| v.is_finite())
}

fn same_label(a: &str, b: &str) -> bool {
    a == b || matches!((numeric(a), numeric(b)), (Some(a), Some(b)) if a == b)
}

/// The label values as they are met: the first two spellings, and for each row which of them it is.
pub(super) struct Labels {
    seen: Vec<String>,
    rows: Vec<bool>,
    classes: Option<Classes>,
}

impl Labels {
    /// With given classes, these are "seen" from the start, the negative one first.
    pub(super) fn new(classes: Option<Classes>) -> Self {
        let seen = classes
            .iter()
            .flat_map(|c| [c.negative.clone(), c.positive.clone()])
            .collect();
        Self {
            seen,
            rows: Vec::new(),
            classes,
        }
    }

    pub(super) fn push(
        &mut self,
        line: u64,
        column: &dyn Fn() -> String,
        value: &str,
    ) -> Result<(), DataError> {
        if is_missing(value) {
            return Err(CsvError::MissingValue {
                line,
                column: column(),
                found: value.to_owned(),
            }
            .into());
        }
        let index = match self.seen.iter().position(|seen| same_label(seen, value)) {
            Some(index) => index,
            None if self.seen.len() < 2 => {
                self.seen.push(value.to_owned());
                self.seen.len() - 1
            }
            None => return Err(self.unexpected(line, value).into()),
        };
        self.rows.push(index == 1);
        Ok(())
    }

    fn unexpected(&self, line: u64, value: &str) -> CsvError {
        match &self.classes {
            Some(classes) => CsvError::UnknownLabel {
                line,
                found: value.to_owned(),
                negative: classes.negative.clone(),
                positive: classes.positive.clone(),
            },
            None => CsvError::ThreeClasses {
                line,
                first: self.seen[0].clone(),
                second: self.seen[1].clone(),
                third: value.to_owned(),
            },
        }
    }

    /// Per row whether it is positive, and the classes' names.
    pub(super) fn finish(self, positive: Option<&str>) -> Result<(Vec<bool>, Classes), DataError> {
        if let Some(classes) = self.classes {
            return Ok((self.rows, classes));
        }
        let [first, second] =
            <[String; 2]>::try_from(self.seen).map_err(|seen| DataError::OneClass {
                what: "reading labels",
                rows: self.rows.len(),
                value: seen.into_iter().next().unwrap_or_default(),
            })?;
        let second_is_positive = match (positive, numeric(&first), numeric(&second)) {
            (Some(p), ..) if same_label(p, &second) => true,
            (Some(p), ..) if same_label(p, &first) => false,
            (Some(p), ..) => {
                return Err(CsvError::NoSuchClass {
                    positive: p.to_owned(),
                    first,
                    second,
                }
                .into());
            }
            (None, Some(a), Some(b)) => b > a,
            _ => second > first,
        };
        let labels = self.rows.iter().map(|&s| s == second_is_positive).collect();
        let (negative, positive) = if second_is_positive {
            (first, second)
        } else {
            (second, first)
        };
        Ok((labels, Classes { negative, positive }))
    }
}
