//! Delimited text: one example per line, one column holds the label.
//!
//! The rules, in the order in which they apply:
//!
//! 1. **Delimiter**: the one given, or whichever of comma, tab, semicolon and vertical bar occurs most often in the first line (in
//!    this order where two occur equally often); where none does, a space. Fields may be quoted; spaces around them are dropped, and
//!    several in a row delimit as one does.
//! 2. **Header**: as given. [`Header::Auto`] takes a header if a column is asked for by name or the first row has all names that are known from training;
//!    otherwise the feature fields of the first row decide: all words, a header; no words, data; a mixture is an error that asks for a
//!    decision.
//!    Numbers that count up one by one (0, 1, 2, ..), as programs write that number their columns, are an error that asks for it, too.
//! 3. **Features** are the columns that are chosen ([`Columns`]), all but the label if nothing is said; of a [`Layout`] that was fitted
//!    in training, the columns with its names, wherever they stand. They are finite numbers, with a point for decimals unless a comma is asked
//!    for ([`Format::decimal_comma`]). Infinities are refused with line and column.
//! 4. **Missing** is a field that is empty or one of [`MISSING_WORDS`] ([`Format::missing`] for others). Missing values are refused with line,
//!    column and count, or replaced, or their rows left out ([`MissingValues`]).
//! 5. **Words** are refused with line, column and number, or are levels of a category ([`Categories`]), a column each ([`layout`](super::layout)).
//! 6. **Labels** take two values, numbers (`1` and `1.0` are the same) or words. The positive class is the one given, else the
//!    larger number if both are numbers, else the later word by bytes: `malignant` over `benign`, `yes` over `no`, `true` over
//!    `false`. If a positive class is given, all others are the negative one: where there are several, it is called `not` and the
//!    positive's name. They may stand in a second file ([`LabelFile`]).

mod advice;
mod cells;
mod choice;
mod error;
mod label_file;
mod labels;
mod reading;
mod rows;
mod rules;
mod scan;
mod targets;

use std::{borrow::Cow, io::Read, path::Path};

pub use self::{
    choice::{ColumnId, Columns},
    error::CsvError,
    label_file::LabelFile,
    reading::{Counting, Filled, Reading},
    rules::{Categories, MISSING_WORDS, MissingValues, Rules, Unseen},
};
use self::{scan::scan, targets::Targets};
use super::{
    Classes, DataError, Dataset, FeatureTable, Layout,
    raw::{RawDataset, RawTable},
    source,
};
use crate::{ModelKind, TrainError};

/// What the first row holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// Look at the first row; see the rules of this [module](self).
    #[default]
    Auto,
    /// Names.
    Present,
    /// Data.
    Absent,
}

/// How text is taken for a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Format {
    /// What the first row holds.
    pub header: Header,
    /// The delimiter, an ASCII character; None finds it out, see the rules of this [module](self).
    pub delimiter: Option<u8>,
    /// Numbers have a comma for decimals: `1,5`. It does not delimit then, unless it is given as the delimiter and fields are quoted.
    pub decimal_comma: bool,
    /// What marks a missing value, besides an empty field: words in any case of letters, and numbers. None: what did in training, else
    /// [`MISSING_WORDS`].
    pub missing: Option<Vec<String>>,
}

impl Format {
    /// A field with a point for decimals.
    fn point<'f>(&self, field: &'f str) -> Cow<'f, str> {
        match self.decimal_comma && field.matches(',').count() == 1 && !field.contains('.') {
            true => field.replace(',', ".").into(),
            false => field.into(),
        }
    }
}

/// How a file is read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The label's column, `first` and `last` among its names; None: the file has none, or it is not wanted.
    pub label: Option<ColumnId>,
    /// How text is taken for a table.
    pub format: Format,
    /// What the label is to be: one of two classes, or a number.
    pub model: ModelKind,
    /// The label value of the positive class; None chooses by the rules of this [module](self).
    pub positive: Option<String>,
    /// Which columns are features.
    pub columns: Columns,
    /// How fields become numbers.
    pub rules: Rules,
    /// What was fitted to the columns in training; None fits anew.
    pub layout: Option<Layout>,
    /// The classes of a model. If given, the labels must be among them, one class alone is allowed, and `positive` is
    /// not used.
    pub classes: Option<Classes>,
    /// The names of a model's several classes: labels must be among them.
    pub class_names: Option<Vec<String>>,
}

impl Options {
    /// The label's column given, everything else found out.
    pub fn new(label: impl Into<ColumnId>) -> Self {
        Self {
            label: Some(label.into()),
            ..Self::unlabelled()
        }
    }

    /// For a file without labels, everything found out.
    pub fn unlabelled() -> Self {
        Self {
            label: None,
            model: ModelKind::Logistic,
            format: Format::default(),
            positive: None,
            columns: Columns::default(),
            rules: Rules::default(),
            layout: None,
            classes: None,
            class_names: None,
        }
    }
}

/// Reads a labelled file.
///
/// # Errors
/// [`TrainError::Read`]; everything else as [`read`], in [`TrainError::InFile`].
pub fn read_file(path: &Path, options: &Options) -> Result<Dataset, TrainError> {
    read(source::open(path)?, options).map_err(|error| TrainError::from(error).in_file(path))
}

/// Reads labelled text.
///
/// # Errors
/// As [`read_raw`] and [`RawDataset::dataset`].
pub fn read(input: impl Read, options: &Options) -> Result<Dataset, DataError> {
    read_raw(input, options)?.dataset()
}

/// Reads a labelled file, to choose the rows to train on before anything is fitted.
///
/// # Errors
/// [`TrainError::Read`]; everything else as [`read_raw`], in [`TrainError::InFile`].
pub fn read_raw_file(path: &Path, options: &Options) -> Result<RawDataset, TrainError> {
    read_raw(source::open(path)?, options).map_err(|error| TrainError::from(error).in_file(path))
}

/// Reads labelled text, to choose the rows to train on before anything is fitted.
///
/// # Errors
/// [`DataError::EmptyTable`], [`DataError::OneClass`]; [`CsvError`], [`CsvError::NoLabel`] if the options name no label.
pub fn read_raw(input: impl Read, options: &Options) -> Result<RawDataset, DataError> {
    let label = options.label.as_ref().ok_or(CsvError::NoLabel)?;
    let mut targets = Targets::new(options);
    let table = scan(input, options, Some(label), &mut |line, value| {
        targets.push(line, value)
    })?;
    let target = targets.finish(table.label.as_deref().unwrap_or_default())?;
    Ok(RawDataset { table, target })
}

/// Reads a file of features, for prediction. A label's column is left out.
///
/// # Errors
/// As [`read_file`], without those about label values.
pub fn read_table_file(path: &Path, options: &Options) -> Result<FeatureTable, TrainError> {
    read_table(source::open(path)?, options).map_err(|error| TrainError::from(error).in_file(path))
}

/// Reads features, for prediction. A label's column is left out.
///
/// # Errors
/// As [`read`], without those about label values.
pub fn read_table(input: impl Read, options: &Options) -> Result<FeatureTable, DataError> {
    raw_table(input, options)?.features()
}

fn raw_table(input: impl Read, options: &Options) -> Result<RawTable, DataError> {
    // Its values are nobody's matter here.
    let label = options.label.as_ref();
    scan(input, options, label, &mut |_, _| Ok(()))
}

/// The finite number that a field holds.
fn number_of(field: &str) -> Option<f64> {
    field.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests;
