//! The two values of a label.

use super::CsvError;
use crate::data::{Classes, DataError};

/// A label value that is a finite number.
fn numeric(label: &str) -> Option<f64> {
    label.parse().ok().filter(|v: &f64| v.is_finite())
}

pub(super) fn same_label(a: &str, b: &str) -> bool {
    a == b || matches!((numeric(a), numeric(b)), (Some(a), Some(b)) if a == b)
}

/// The label values as they are met: the first two spellings, and for each row which of them it is.
pub(super) struct Labels {
    seen: Vec<String>,
    rows: Vec<bool>,
    classes: Option<Classes>,
    positive: Option<String>,
    /// With a positive class, what else was met: the first such value, and whether there were others.
    rest: Option<(String, bool)>,
    met_positive: bool,
}

/// What the rest is called where it is several classes.
fn rest_of(positive: &str) -> String {
    format!("not {positive}")
}

impl Labels {
    /// With given classes, these are "seen" from the start, the negative one first. A positive class is not used then.
    pub(super) fn new(classes: Option<Classes>, positive: Option<String>) -> Self {
        let seen = classes
            .iter()
            .flat_map(|c| [c.negative.clone(), c.positive.clone()])
            .collect();
        // A model of one class against the rest takes every other label for the rest.
        let positive = match &classes {
            Some(c) => (c.negative == rest_of(&c.positive)).then(|| c.positive.clone()),
            None => positive,
        };
        Self {
            seen,
            rows: Vec::new(),
            classes,
            positive,
            rest: None,
            met_positive: false,
        }
    }

    pub(super) fn push(&mut self, line: u64, value: &str) -> Result<(), DataError> {
        if let Some(positive) = &mut self.positive {
            let is_positive = same_label(positive, value);
            if is_positive && !self.met_positive {
                // Named as the file has it.
                value.clone_into(positive);
                self.met_positive = true;
            }
            self.rows.push(is_positive);
            if !is_positive {
                let (first, several) = self.rest.get_or_insert_with(|| (value.to_owned(), false));
                *several |= !same_label(first, value);
            }
            return Ok(());
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
    pub(super) fn finish(self) -> Result<(Vec<bool>, Classes), DataError> {
        if let Some(classes) = self.classes {
            return Ok((self.rows, classes));
        }
        if let Some(positive) = self.positive {
            return match self.rest {
                Some((first, several)) if self.met_positive => {
                    let negative = if several { rest_of(&positive) } else { first };
                    Ok((self.rows, Classes { negative, positive }))
                }
                Some((first, _)) => Err(CsvError::NoSuchClass {
                    positive,
                    rows: self.rows.len(),
                    first,
                }
                .into()),
                None => Err(DataError::OneClass {
                    what: "reading labels",
                    rows: self.rows.len(),
                    value: positive,
                }),
            };
        }
        let [first, second] =
            <[String; 2]>::try_from(self.seen).map_err(|seen| DataError::OneClass {
                what: "reading labels",
                rows: self.rows.len(),
                value: seen.into_iter().next().unwrap_or_default(),
            })?;
        let second_is_positive = match (numeric(&first), numeric(&second)) {
            (Some(a), Some(b)) => b > a,
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
