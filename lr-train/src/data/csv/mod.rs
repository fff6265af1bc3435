//! Delimited text: one example per line, one column holds the label.
//!
//! The rules, in the order in which they apply:
//!
//! 1. **Delimiter**: the one given, or whichever of comma, tab, semicolon and vertical bar occurs most often in the first line (in
//!    this order where two occur equally often); where none does, a space. Fields may be quoted; spaces around them are dropped, and
//!    several in a row delimit as one does.
//! 2. **Header**: as given. [`Header::Auto`] takes a header if the label is asked for by name; otherwise the feature
//!    fields of the first row decide: all words, a header; no words, data; a mixture is an error that asks for a
//!    decision.
//!    Numbers that count up one by one (0, 1, 2, ..), as programs write that number their columns, are an error that asks for it, too.
//! 3. **Features** are the columns that are chosen ([`Columns`]), all but the label if nothing is said. They are finite numbers, with a
//!    point for decimals unless a comma is asked for ([`Format::decimal_comma`]). A
//!    field that is empty or one of `?`, `NA`, `N/A`, `NaN`, `null` (in any case) is a missing
//!    value; missing values, words and infinities are refused with line and column.
//! 4. **Labels** take two values, numbers (`1` and `1.0` are the same) or words. The positive class is the one given, else the
//!    larger number if both are numbers, else the later word by bytes: `malignant` over `benign`, `yes` over `no`, `true` over
//!    `false`. If a positive class is given, all others are the negative one: where there are several, it is called `not` and the
//!    positive's name.

mod advice;
mod error;
mod labels;
mod reading;
mod rows;

use std::{borrow::Cow, io::Read, path::Path};

use ndarray::Array2;

pub use self::{
    error::CsvError,
    reading::{Counting, Reading},
};
use self::{
    labels::Labels,
    rows::{Row, Rows},
};
use super::{Classes, DataError, Dataset, FeatureTable, source};
use crate::TrainError;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnId {
    /// By its name in the header.
    Name(String),
    /// By its number from 0, or from the end: -1 is the last column.
    Index(i64),
}

/// A number is a position, anything else a name.
impl From<&str> for ColumnId {
    fn from(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Index)
    }
}

/// Which columns are features, in their order in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Columns {
    /// All but the label.
    #[default]
    All,
    /// These.
    Only(Vec<ColumnId>),
    /// All but the label and these.
    Without(Vec<ColumnId>),
}

impl Columns {
    fn listed(&self) -> &[ColumnId] {
        match self {
            Self::All => &[],
            Self::Only(list) | Self::Without(list) => list,
        }
    }

    /// Per column of the file, whether it is a feature.
    fn chosen(&self, label: Option<usize>, names: &[String]) -> Result<Vec<bool>, CsvError> {
        let only = matches!(self, Self::Only(_));
        let mut chosen = vec![!only; names.len()];
        for id in self.listed() {
            let column = resolve(id, "column", names)?;
            if only && label == Some(column) {
                return Err(CsvError::LabelAsFeature {
                    name: names[column].clone(),
                });
            }
            chosen[column] = only;
        }
        if let Some(label) = label {
            chosen[label] = false;
        }
        Ok(chosen)
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
}

/// How a labelled file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The label's column.
    pub label: ColumnId,
    /// How text is taken for a table.
    pub format: Format,
    /// The label value of the positive class; None chooses by the rules of this [module](self).
    pub positive: Option<String>,
    /// Which columns are features.
    pub columns: Columns,
    /// The classes of a model. If given, the labels must be among them, one class alone is allowed, and `positive` is
    /// not used.
    pub classes: Option<Classes>,
}

impl Options {
    /// The label's column given, everything else found out.
    pub fn new(label: impl Into<ColumnId>) -> Self {
        Self {
            label: label.into(),
            format: Format::default(),
            positive: None,
            columns: Columns::All,
            classes: None,
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
/// [`DataError::EmptyTable`], [`CsvError::RaggedRow`], [`CsvError::MissingValue`], [`CsvError::NotANumber`],
/// [`CsvError::NotFiniteField`], [`CsvError::BadRecord`] (not UTF-8, or reading failed), [`CsvError::AmbiguousHeader`],
/// [`CsvError::CountingHeader`], [`CsvError::NoSuchColumn`], [`CsvError::DuplicateColumn`], [`CsvError::NameWithoutHeader`],
/// [`CsvError::IndexOutOfRange`], [`CsvError::LabelAsFeature`], [`CsvError::NoFeatures`], [`DataError::OneClass`], [`CsvError::ThreeClasses`],
/// [`CsvError::UnknownLabel`], [`CsvError::NoSuchClass`].
pub fn read(input: impl Read, options: &Options) -> Result<Dataset, DataError> {
    let mut labels = Labels::new(options.classes.clone(), options.positive.clone());
    let table = scan(
        input,
        &options.format,
        Some(&options.label),
        &options.columns,
        |line, column, value| labels.push(line, column, value),
    )?;
    let (labels, classes) = labels.finish()?;
    table.labelled(labels, classes)
}

/// Reads a file of features, for prediction. With `label`, that column is left out.
///
/// # Errors
/// As [`read_file`], without those about label values.
pub fn read_table_file(
    path: &Path,
    format: &Format,
    label: Option<&ColumnId>,
    columns: &Columns,
) -> Result<FeatureTable, TrainError> {
    read_table(source::open(path)?, format, label, columns)
        .map_err(|error| TrainError::from(error).in_file(path))
}

/// Reads features, for prediction. With `label`, that column is left out.
///
/// # Errors
/// As [`read`], without those about label values.
pub fn read_table(
    input: impl Read,
    format: &Format,
    label: Option<&ColumnId>,
    columns: &Columns,
) -> Result<FeatureTable, DataError> {
    scan(input, format, label, columns, |_, _, _| Ok(()))
}

/// Walks over the rows: features are collected, each label goes to `take_label(line, column, value)`.
fn scan(
    input: impl Read,
    format: &Format,
    label: Option<&ColumnId>,
    chosen: &Columns,
    mut take_label: impl FnMut(u64, &dyn Fn() -> String, &str) -> Result<(), DataError>,
) -> Result<FeatureTable, DataError> {
    let mut rows = Rows::new(input, format)?;
    let Some(first) = rows.next()? else {
        return Err(DataError::EmptyTable { header: false });
    };
    let columns = first.len();
    let label_at_index = match label {
        Some(ColumnId::Index(index)) => Some(resolve_index(*index, "label column", columns)?),
        _ => None,
    };
    let mut ids = label.into_iter().chain(chosen.listed());
    let named = ids.find_map(|id| match id {
        ColumnId::Name(name) => Some(name),
        ColumnId::Index(_) => None,
    });
    let told = (format.header != Header::Auto) || named.is_some();
    let header = match (format.header, named) {
        (Header::Absent, Some(name)) => {
            return Err(CsvError::NameWithoutHeader { name: name.clone() }.into());
        }
        (Header::Absent, None) => false,
        (Header::Present, _) | (Header::Auto, Some(_)) => true,
        (Header::Auto, None) => looks_like_header(&first, label_at_index, format)?,
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
        Some(id) => Some(resolve(id, "label column", &names)?),
        None => None,
    };
    let is_feature = chosen.chosen(label_at, &names)?;
    let features = is_feature.iter().filter(|feature| **feature).count();
    if features == 0 {
        return Err(CsvError::NoFeatures {
            columns,
            delimiter: rows.delimiter(),
        }
        .into());
    }
    let nameless: Vec<bool> = first
        .fields()
        .map(|field| !header || field.is_empty())
        .collect();
    let reading = Reading {
        header,
        header_guessed: !told,
        delimiter: rows.delimiter(),
        delimiter_guessed: format.delimiter.is_none(),
        left_out: pick(&names, |c| !is_feature[c] && label_at != Some(c)),
        counting: vec![],
    };
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
            } else if is_feature[column] {
                values.push(number(&format.point(field), line, || place(column))?);
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
    let positions: Vec<usize> = (0..columns).filter(|&c| is_feature[c]).collect();
    let table = FeatureTable::new(features, pick(&names, |c| is_feature[c]))?;
    let counting = Counting::among(table.features(), &positions, &names, &nameless);
    let table = table.read_as(Reading {
        counting,
        ..reading
    });
    Ok(if header { table } else { table.unnamed() })
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

/// Names of some columns.
fn pick(names: &[String], takes: impl Fn(usize) -> bool) -> Vec<String> {
    let columns = (0..names.len()).filter(|&column| takes(column));
    columns.map(|column| names[column].clone()).collect()
}

fn looks_like_header(row: &Row, label: Option<usize>, format: &Format) -> Result<bool, CsvError> {
    if let Some((first, last)) = counts(row) {
        return Err(CsvError::CountingHeader {
            line: row.line,
            first,
            last,
        });
    }
    let is_number = |field: &str| format.point(field).parse::<f64>().is_ok();
    let is_word = |field: &str| !is_missing(field) && !is_number(field);
    let features = || {
        row.fields()
            .enumerate()
            .filter(|(column, _)| label != Some(*column))
    };
    let Some((column, word)) = features().find(|(_, field)| is_word(field)) else {
        return Ok(false);
    };
    if features().any(|(_, field)| is_number(field)) {
        return Err(CsvError::AmbiguousHeader {
            line: row.line,
            column: format!("column {}", column + 1),
            word: word.to_owned(),
        });
    }
    Ok(true)
}

/// The first and last number of a row that counts up one by one: from 0, or anything in three columns and more. The column before may
/// have no name, as where rows are numbered, too.
fn counts(row: &Row) -> Option<(i64, i64)> {
    let fields: Vec<&str> = row.fields().collect();
    let fields = match fields.split_first() {
        Some((&"", rest)) => rest,
        _ => &fields[..],
    };
    let numbers: Option<Vec<i64>> = fields.iter().map(|field| field.parse().ok()).collect();
    let numbers = numbers?;
    let (&first, &last) = (numbers.first()?, numbers.last()?);
    let least = if first == 0 { 2 } else { 3 };
    let by_one = numbers
        .windows(2)
        .all(|w| w[0].checked_add(1) == Some(w[1]));
    (numbers.len() >= least && by_one).then_some((first, last))
}

fn resolve(id: &ColumnId, what: &'static str, names: &[String]) -> Result<usize, CsvError> {
    match id {
        ColumnId::Name(name) => resolve_name(name, names),
        ColumnId::Index(index) => resolve_index(*index, what, names.len()),
    }
}

fn resolve_index(index: i64, what: &'static str, columns: usize) -> Result<usize, CsvError> {
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
        .ok_or(CsvError::IndexOutOfRange {
            what,
            index,
            columns,
        })
}

fn resolve_name(name: &str, names: &[String]) -> Result<usize, CsvError> {
    let mut found = (0..names.len()).filter(|&c| names[c] == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(first), Some(second)) => Err(CsvError::DuplicateColumn {
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

/// The finite number that a field holds.
fn number_of(field: &str) -> Option<f64> {
    field.parse().ok().filter(|value: &f64| value.is_finite())
}

fn number(field: &str, line: u64, place: impl Fn() -> String) -> Result<f64, CsvError> {
    if let Some(value) = number_of(field) {
        return Ok(value);
    }
    let value = field.parse::<f64>();
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
