//! What is done about values that are missing and about words.

use super::ColumnId;

/// What marks a missing value if nothing else is said, in any case of letters; an empty field always does, and so does what the parser
/// takes for NaN.
pub const MISSING_WORDS: [&str; 5] = ["?", "NA", "N/A", "NaN", "null"];

/// What is done about missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingValues {
    /// They are an error.
    Refuse,
    /// The median of the training rows stands for missing numbers, and a column of its own says where they were; rows with missing categories
    /// are zero in all columns of levels.
    Impute,
    /// Rows with a missing feature or label are left out.
    DropRows,
}

/// What is done about words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Categories {
    /// They are an error.
    #[default]
    Refuse,
    /// A column of words alone becomes columns of zeros and ones, one for each word but the most frequent.
    OneHot,
}

/// What is done about levels that were not there in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unseen {
    /// They are an error.
    #[default]
    Refuse,
    /// Their rows are zero in all columns of levels, as those of the most frequent level are.
    Other,
}

/// How fields become numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// What is done about missing values. None: what was done in training, if columns are read as they were then; else they are refused.
    pub missing: Option<MissingValues>,
    /// What is done about words.
    pub categories: Categories,
    /// Columns whose values are levels of a category, words or not.
    pub categorical: Vec<ColumnId>,
    /// The most levels of a column.
    pub most_levels: usize,
    /// What is done about levels that were not there in training.
    pub unseen: Unseen,
}

impl Rules {
    /// The most levels of a column if nothing is said.
    pub const MOST_LEVELS: usize = 50;

    pub(in crate::data) fn imputes(&self) -> bool {
        self.missing == Some(MissingValues::Impute)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            missing: None,
            categories: Categories::default(),
            categorical: vec![],
            most_levels: Self::MOST_LEVELS,
            unseen: Unseen::default(),
        }
    }
}

/// What marks missing values.
#[derive(Clone, Debug)]
pub(super) struct Markers {
    pub(super) words: Vec<String>,
    numbers: Vec<f64>,
}

impl Markers {
    pub(super) fn new(words: Vec<String>) -> Self {
        let numbers = words.iter().filter_map(|word| word.parse().ok());
        Self {
            numbers: numbers.filter(|v: &f64| v.is_finite()).collect(),
            words,
        }
    }

    /// The finite number that a field holds, if it marks nothing.
    pub(super) fn number(&self, field: &str) -> Option<f64> {
        super::number_of(field).filter(|v| !self.numbers.contains(v))
    }

    pub(super) fn marks(&self, field: &str) -> bool {
        let number = || field.parse::<f64>().ok();
        field.is_empty()
            || self.words.iter().any(|w| field.eq_ignore_ascii_case(w))
            || number().is_some_and(|v| v.is_nan() || self.numbers.contains(&v))
    }
}
