//! Delimited text: one example per line, one column holds the label.
//!
//! The rules, in the order in which they apply:
//!
//! 1. **Delimiter**: the one given, or whichever of comma, tab and semicolon occurs most often in the first line (in
//!    this order where two occur equally often). Fields may be quoted; spaces around them are dropped.
//! 2. **Header**: as given. [`Header::Auto`] takes a header if the label is asked for by name; otherwise the feature
//!    fields of the first row decide: all words, a header; no words, data; a mixture is an error that asks for a
//!    decision.
//! 3. **Features** are finite numbers. A field that is empty or one of `?`, `NA`, `N/A`, `NaN`, `null` (in any case) is a missing
//!    value; missing values, words and infinities are refused with line and column.
//! 4. **Labels** take two values, numbers (`1` and `1.0` are the same) or words. The positive class is the one given, else the
//!    larger number if both are numbers, else the later word by bytes: `malignant` over `benign`, `yes` over `no`, `true` over
//!    `false`.

mod error;
mod labels;
mod rows;

use std::{fs::File, io::Read, path::Path};

use ndarray::Array2;

pub use self::error::CsvError;
use self::{
    labels::Labels,
    rows::{Row, Rows},
};
use super::{Classes, DataError, Dataset, FeatureTable};
use crate::TrainError;

/// Which column holds the label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// By its name in the header.
    Name(String),
    /// By its number from 0, or from the end: -1 is the last column.
    Index(i64),
}

/// A number is a position, anything else a name.
impl From<&str> for Label {
    fn from(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Index)
    }
}

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

/// How a labelled file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The label's column.
    pub label: Label,
    /// What the first row holds.
    pub header: Header,
    /// The delimiter, an ASCII character; None chooses among comma, tab and semicolon.
    pub delimiter: Option<u8>,
    /// The label value of the positive class; None chooses by the rules of this [module](self).
    pub positive: Option<String>,
    /// The classes of a model. If given, the labels must be among them, one class alone is allowed, and `positive` is
    /// not used.
    pub classes: Option<Classes>,
}

impl Options {
    /// The label's column given, everything else found out.
    pub fn new(label: impl Into<Label>) -> Self {
        Self {
            label: label.into(),
            header: Header::Auto,
            delimiter: None,
            positive: None,
            classes: None,
        }
    }
}

/// Reads a labelled file.
///
/// # Errors
/// [`TrainError::Read`]; everything else as [`read`], in [`TrainError::InFile`].
pub fn read_file(path: &Path, options: &Options) -> Result<Dataset, TrainError> {
    read(open(path)?, options).map_err(|error| TrainError::from(error).in_file(path))
}

/// Reads labelled text.
///
/// # Errors
/// [`DataError::EmptyTable`], [`CsvError::RaggedRow`], [`CsvError::MissingValue`], [`CsvError::NotANumber`],
/// [`CsvError::NotFiniteField`], [`CsvError::BadRecord`] (not UTF-8, or reading failed), [`CsvError::AmbiguousHeader`],
/// [`CsvError::NoSuchColumn`], [`CsvError::DuplicateLabelColumn`], [`CsvError::LabelNameWithoutHeader`],
/// [`CsvError::LabelIndexOutOfRange`], [`CsvError::NoFeatures`], [`DataError::OneClass`], [`CsvError::ThreeClasses`],
/// [`CsvError::UnknownLabel`], [`CsvError::NoSuchClass`].
pub fn read(input: impl Read, options: &Options) -> Result<Dataset, DataError> {
    let mut labels = Labels::new(options.classes.clone());
    let table = scan(
        input,
        options.header,
        options.delimiter,
        Some(&options.label),
        |line, column, value| labels.push(line, column, value),
    )?;
    let (labels, classes) = labels.finish(options.positive.as_deref())?;
    table.labelled(labels, classes)
}

/// Reads a file of features, for prediction. With `label`, that column is left out.
///
/// # Errors
/// As [`read_file`], without those about label values.
pub fn read_table_file(
    path: &Path,
    header: Header,
    delimiter: Option<u8>,
    label: Option<&Label>,
) -> Result<FeatureTable, TrainError> {
    read_table(open(path)?, header, delimiter, label)
        .map_err(|error| TrainError::from(error).in_file(path))
}

/// Reads features, for prediction. With `label`, that column is left out.
///
/// # Errors
/// As [`read`], without those about label values.
pub fn read_table(
    input: impl Read,
    header: Header,
    delimiter: Option<u8>,
    label: Option<&Label>,
) -> Result<FeatureTable, DataError> {
    scan(input, header, delimiter, label, |_, _, _| Ok(()))
}

fn open(path: &Path) -> Result<File, TrainError> {
    File::open(path).map_err(|error| TrainError::Read {
        path: path.to_owned(),
        error,
    })
}

/// Walks over the rows: features are collected, each label goes to `take_label(line, column, value)`.
fn scan(
    input: impl Read,
    header: Header,
    delimiter: Option<u8>,
    label: Option<&Label>,
    mut take_label: impl FnMut(u64, &dyn Fn() -> String, &str) -> Result<(), DataError>,
) -> Result<FeatureTable, DataError> {
    let mut rows = Rows::new(input, delimiter)?;
    let Some(first) = rows.next()? else {
        return Err(DataError::EmptyTable { header: false });
    };
    let columns = first.len();
    let label_at_index = match label {
        Some(Label::Index(index)) => Some(resolve_index(*index, columns)?),
        _ => None,
    };
    let header = match (header, label) {
        (Header::Absent, Some(Label::Name(name))) => {
            return Err(CsvError::LabelNameWithoutHeader { name: name.clone() }.into());
        }
        (Header::Absent, _) => false,
        (Header::Present, _) | (Header::Auto, Some(Label::Name(_))) => true,
        (Header::Auto, _) => looks_like_header(&first, label_at_index)?,
    };
    let name = |(column, field): (usize, &str)| {
        if header && !field.is_empty() {
            field.to_owned()
        } else {
            format!("column {}", column + 1)
        }
    };
    let names: Vec<String> = first.fields().enumerate().map(name).collect();
    let label_at = match label {
        Some(Label::Name(name)) => Some(resolve_name(name, &names)?),
        _ => label_at_index,
    };
    let features = columns - usize::from(label_at.is_some());
    if features == 0 {
        return Err(CsvError::NoFeatures {
            columns,
            delimiter: rows.delimiter(),
        }
        .into());
    }
    let place = |column: usize| match header {
        true => format!("column {} ({:?})", column + 1, names[column]),
        false => format!("column {}", column + 1),
    };

    let mut values = Vec::new();
    let mut row = if header { rows.next()? } else { Some(first) };
    if row.is_none() {
        return Err(DataError::EmptyTable { header });
    }
    while let Some(current) = row {
        let line = current.line;
        if current.len() != columns {
            return Err(CsvError::RaggedRow {
                line,
                found: current.len(),
                expected: columns,
            }
            .into());
        }
        for (column, field) in current.fields().enumerate() {
            if label_at == Some(column) {
                take_label(line, &|| place(column), field)?;
            } else {
                values.push(number(field, line, || place(column))?);
            }
        }
        row = rows.next()?;
    }
    let count = values.len() / features;
    let found = values.len();
    let features =
        Array2::from_shape_vec((count, features), values).map_err(|_| DataError::DatasetShape {
            what: "features",
            found,
            expected: count * features,
            per: "field",
        })?;
    let names = names
        .into_iter()
        .enumerate()
        .filter(|(column, _)| label_at != Some(*column))
        .map(|(_, name)| name)
        .collect();
    let table = FeatureTable::new(features, names)?;
    Ok(if header { table } else { table.unnamed() })
}

fn looks_like_header(row: &Row, label: Option<usize>) -> Result<bool, CsvError> {
    let is_word = |field: &str| !is_missing(field) && field.parse::<f64>().is_err();
    let features = || {
        row.fields()
            .enumerate()
            .filter(|(column, _)| label != Some(*column))
    };
    let Some((column, word)) = features().find(|(_, field)| is_word(field)) else {
        return Ok(false);
    };
    if features().any(|(_, field)| field.parse::<f64>().is_ok()) {
        return Err(CsvError::AmbiguousHeader {
            line: row.line,
            column: format!("column {}", column + 1),
            word: word.to_owned(),
        });
    }
    Ok(true)
}

fn resolve_index(index: i64, columns: usize) -> Result<usize, CsvError> {
    let from_start = if index < 0 {
        i64::try_from(columns)
            .ok()
            .and_then(|c| c.checked_add(index))
    } else {
        Some(index)
    };
    from_start
        .and_then(|i| usize::try_from(i).ok())
        .filter(|&i| i < columns)
        .ok_or(CsvError::LabelIndexOutOfRange { index, columns })
}

fn resolve_name(name: &str, names: &[String]) -> Result<usize, CsvError> {
    let mut found = (0..names.len()).filter(|&c| names[c] == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(first), Some(second)) => Err(CsvError::DuplicateLabelColumn {
            name: name.to_owned(),
            first: first + 1,
            second: second + 1,
        }),
        _ => Err(CsvError::NoSuchColumn {
            name: name.to_owned(),
            columns: names.to_vec(),
        }),
    }
}

fn is_missing(field: &str) -> bool {
    ["", "?", "na", "n/a", "nan", "null"]
        .iter()
        .any(|word| field.eq_ignore_ascii_case(word))
}

fn number(field: &str, line: u64, place: impl Fn() -> String) -> Result<f64, CsvError> {
    let value = field.parse::<f64>();
    if let Ok(value) = value
        && value.is_finite()
    {
        return Ok(value);
    }
    let (column, found) = (place(), field.to_owned());
    Err(match value {
        // "+nan" and "-nan" are numbers to the parser.
        Ok(value) if !value.is_nan() => CsvError::NotFiniteField {
            line,
            column,
            found,
        },
        Err(_) if !is_missing(field) => CsvError::NotANumber {
            line,
            column,
            found,
        },
        _ => CsvError::MissingValue {
            line,
            column,
            found,
        },
    })
}

#[cfg(test)]
mod tests;
