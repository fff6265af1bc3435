//! The fields of one column as they come.

use std::collections::{HashMap, HashSet};

use super::{CsvError, Format, advice::advice, rules::Markers};
use crate::data::raw::OTHER;

/// More different values of a column than this are not counted.
const COUNTED: usize = 1000;

/// How fields of a column are taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Taking {
    /// For numbers. Whether somebody asked for categories where there are words.
    Numbers { one_hot: bool },
    /// For what the first of them is, a number or a word.
    AsTheFirst,
    /// For levels, new ones as they come. Whether numbers are levels, too.
    Levels { with_numbers: bool },
    /// For levels that are known. Whether others are taken, too.
    Known { others: bool },
}

/// What is wrong with a column, where it is first.
struct Problem {
    line: u64,
    found: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Missing,
    NotANumber,
    NotFinite,
    Mixed,
    Unseen,
}

pub(super) struct Column<'a> {
    taking: Taking,
    /// Whether missing values are taken.
    takes_missing: bool,
    format: &'a Format,
    markers: &'a Markers,
    levels: Vec<String>,
    codes: HashMap<String, usize>,
    problem: Option<Problem>,
    pub(super) missing: usize,
    pub(super) others: usize,
    /// Where numbers are wanted: fields that hold none, and different ones of them.
    words: usize,
    different: HashSet<String>,
    first_words: Vec<String>,
}

impl<'a> Column<'a> {
    pub(super) fn new(
        taking: Taking,
        takes_missing: bool,
        format: &'a Format,
        markers: &'a Markers,
        levels: Vec<String>,
    ) -> Self {
        let codes = levels.iter().cloned().zip(0..).collect();
        Self {
            taking,
            takes_missing,
            format,
            markers,
            levels,
            codes,
            problem: None,
            missing: 0,
            others: 0,
            words: 0,
            different: HashSet::new(),
            first_words: vec![],
        }
    }

    /// What stands for a field: its number, that of its level, NaN where it is missing or wrong.
    pub(super) fn push(&mut self, line: u64, field: &str) -> f64 {
        let number = || self.markers.number(&self.format.point(field));
        if let (Taking::Numbers { .. }, Some(number)) = (&self.taking, number()) {
            return number;
        }
        if self.markers.marks(field) {
            self.missing += 1;
            if !self.takes_missing {
                self.wrong(line, field, Kind::Missing);
            }
            return f64::NAN;
        }
        if self.taking == Taking::AsTheFirst {
            if let Some(number) = number() {
                self.taking = Taking::Numbers { one_hot: true };
                return number;
            }
            let with_numbers = false;
            self.taking = Taking::Levels { with_numbers };
        }
        match self.taking {
            Taking::Levels { with_numbers } => {
                if !with_numbers && number().is_some() {
                    self.wrong(line, field, Kind::Mixed);
                }
                self.level(field) as f64
            }
            Taking::Known { others } => match self.codes.get(field) {
                Some(&code) => code as f64,
                None if others => {
                    self.others += 1;
                    OTHER
                }
                None => {
                    self.wrong(line, field, Kind::Unseen);
                    f64::NAN
                }
            },
            Taking::Numbers { .. } | Taking::AsTheFirst => {
                self.word(line, field);
                f64::NAN
            }
        }
    }

    fn level(&mut self, field: &str) -> usize {
        if let Some(&code) = self.codes.get(field) {
            return code;
        }
        // One more than are counted stands for all others.
        if self.levels.len() <= COUNTED {
            self.codes.insert(field.to_owned(), self.levels.len());
            self.levels.push(field.to_owned());
        }
        self.levels.len() - 1
    }

    fn word(&mut self, line: u64, field: &str) {
        let infinite = field.parse().is_ok_and(f64::is_infinite);
        let kind = match self.taking {
            _ if infinite => Kind::NotFinite,
            Taking::Numbers { one_hot: true } => Kind::Mixed,
            _ => Kind::NotANumber,
        };
        self.words += 1;
        if self.different.len() <= COUNTED && self.different.insert(field.to_owned()) {
            const SHOWN: usize = 4;
            if self.first_words.len() < SHOWN {
                self.first_words.push(field.to_owned());
            }
        }
        self.wrong(line, field, kind);
    }

    fn wrong(&mut self, line: u64, field: &str, kind: Kind) {
        if self.problem.is_none() {
            let found = field.to_owned();
            self.problem = Some(Problem { line, found, kind });
        }
    }

    /// The line of the first problem.
    pub(super) fn wrong_in(&self) -> Option<u64> {
        self.problem.as_ref().map(|problem| problem.line)
    }

    /// The first problem, of a column that is called `column` in messages and `name` on the command line.
    pub(super) fn error(
        &self,
        column: String,
        name: &str,
        missing: (usize, usize),
        rows: usize,
    ) -> Option<CsvError> {
        let Problem { line, found, kind } = self.problem.as_ref()?;
        let (line, found, name) = (*line, found.clone(), name.to_owned());
        Some(match kind {
            Kind::Missing => CsvError::MissingValue {
                line,
                column,
                found,
                values: missing.0,
                columns: missing.1,
            },
            Kind::NotFinite => CsvError::NotFiniteField {
                line,
                column,
                found,
            },
            Kind::Mixed => CsvError::NumbersAndWords {
                line,
                column,
                found,
                name,
            },
            Kind::Unseen => CsvError::UnseenLevel {
                line,
                column,
                found,
                levels: self.levels.clone(),
            },
            Kind::NotANumber if advice(&found).is_some() => CsvError::NotANumber {
                line,
                column,
                found,
            },
            Kind::NotANumber => CsvError::Words {
                line,
                column,
                name,
                words: self.words,
                rows,
                different: self.different.len(),
                first: self.first_words.clone(),
                most: COUNTED,
            },
        })
    }

    /// The levels, if the column holds any.
    ///
    /// # Errors
    /// [`CsvError::TooManyLevels`].
    pub(super) fn finish(self, column: &str, most: usize) -> Result<Option<Vec<String>>, CsvError> {
        if !matches!(self.taking, Taking::Levels { .. } | Taking::Known { .. }) {
            return Ok(None);
        }
        if matches!(self.taking, Taking::Levels { .. }) && self.levels.len() > most {
            return Err(CsvError::TooManyLevels {
                column: column.to_owned(),
                levels: self.levels.len(),
                counted: COUNTED,
                most,
            });
        }
        Ok(Some(self.levels))
    }
}
