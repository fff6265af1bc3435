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

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use csv::{ByteRecord, ReaderBuilder};
use ndarray::Array2;

use super::{Classes, Dataset, Table};
use crate::{Result, TrainError};

/// Which column holds the label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// By its name in the header.
    Name(String),
    /// By its number from 0, or from the end: -1 is the last column.
    Index(i64),
}

/// Whether the first row holds names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// Look at the first row; see the rules of this [module](self).
    #[default]
    Auto,
    /// It does.
    Present,
    /// It does not.
    Absent,
}

/// How a labelled file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The label's column.
    pub label: Label,
    /// Whether there is a header.
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
    pub fn new(label: Label) -> Self {
        Self {
            label,
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
pub fn read_file(path: &Path, options: &Options) -> Result<Dataset> {
    read(open(path)?, options).map_err(|error| error.in_file(path))
}

/// Reads labelled text.
///
/// # Errors
/// [`TrainError::EmptyTable`], [`TrainError::RaggedRow`], [`TrainError::MissingValue`], [`TrainError::NotANumber`],
/// [`TrainError::NotFiniteField`], [`TrainError::BadRecord`] (not UTF-8, or reading failed), [`TrainError::AmbiguousHeader`],
/// [`TrainError::NoSuchColumn`], [`TrainError::DuplicateLabelColumn`], [`TrainError::LabelNameWithoutHeader`],
/// [`TrainError::LabelIndexOutOfRange`], [`TrainError::NoFeatures`], [`TrainError::OneClass`], [`TrainError::ThreeClasses`],
/// [`TrainError::UnknownLabel`], [`TrainError::NoSuchClass`].
pub fn read(input: impl Read, options: &Options) -> Result<Dataset> {
    let mut labels = Labels::new(options.classes.clone());
    let raw = scan(
        input,
        options.header,
        options.delimiter,
        Some(&options.label),
        |line, column, value| labels.push(line, column, value),
    )?;
    let (labels, classes) = labels.finish(options.positive.as_deref())?;
    let data = Dataset::new(raw.features, labels, raw.names, classes)?;
    Ok(if raw.named { data } else { data.unnamed() })
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
) -> Result<Table> {
    read_table(open(path)?, header, delimiter, label).map_err(|error| error.in_file(path))
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
) -> Result<Table> {
    let raw = scan(input, header, delimiter, label, |_, _, _| Ok(()))?;
    Ok(Table {
        features: raw.features,
        feature_names: raw.names,
        named: raw.named,
    })
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| TrainError::Read {
        path: path.to_owned(),
        error,
    })
}

struct Raw {
    features: Array2<f64>,
    names: Vec<String>,
    named: bool,
}

/// Walks over the rows: features are collected, each label goes to `take_label(line, column, value)`.
fn scan(
    input: impl Read,
    header: Header,
    delimiter: Option<u8>,
    label: Option<&Label>,
    mut take_label: impl FnMut(u64, &dyn Fn() -> String, &str) -> Result<()>,
) -> Result<Raw> {
    let mut input = BufReader::with_capacity(1 << 16, Lines::new(input));
    let delimiter = match delimiter {
        Some(given) => given,
        None => guess_delimiter(&mut input)?,
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(input);
    let mut next = || -> Result<Option<Row>> {
        let mut record = ByteRecord::new();
        match reader.read_byte_record(&mut record) {
            Ok(true) => Row::new(&record, reader.position().line()).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(TrainError::BadRecord {
                line: reader.position().line(),
                reason: error.to_string(),
            }),
        }
    };

    let Some(first) = next()? else {
        return Err(TrainError::EmptyTable { header: false });
    };
    let columns = first.fields.len();
    let label_at_index = match label {
        Some(Label::Index(index)) => Some(resolve_index(*index, columns)?),
        _ => None,
    };
    let header = match (header, label) {
        (Header::Absent, Some(Label::Name(name))) => {
            return Err(TrainError::LabelNameWithoutHeader { name: name.clone() });
        }
        (Header::Absent, _) => false,
        (Header::Present, _) | (Header::Auto, Some(Label::Name(_))) => true,
        (Header::Auto, _) => looks_like_header(&first, label_at_index)?,
    };
    let names: Vec<String> = (0..columns)
        .map(|c| match &*first.fields[c] {
            name if header && !name.is_empty() => name.to_owned(),
            _ => format!("column {}", c + 1),
        })
        .collect();
    let label_at = match label {
        Some(Label::Name(name)) => Some(resolve_name(name, &names)?),
        _ => label_at_index,
    };
    let features = columns - usize::from(label_at.is_some());
    if features == 0 {
        return Err(TrainError::NoFeatures {
            columns,
            delimiter: char::from(delimiter),
        });
    }
    let place = |column: usize| match header {
        true => format!("column {} ({:?})", column + 1, names[column]),
        false => format!("column {}", column + 1),
    };

    let mut values = Vec::new();
    let mut row = if header { next()? } else { Some(first) };
    if row.is_none() {
        return Err(TrainError::EmptyTable { header });
    }
    while let Some(Row { line, fields }) = row {
        if fields.len() != columns {
            return Err(TrainError::RaggedRow {
                line,
                found: fields.len(),
                expected: columns,
            });
        }
        for (column, field) in fields.iter().enumerate() {
            if label_at == Some(column) {
                take_label(line, &|| place(column), field)?;
            } else {
                values.push(number(field, line, || place(column))?);
            }
        }
        row = next()?;
    }
    let rows = values.len() / features;
    let found = values.len();
    Ok(Raw {
        features: Array2::from_shape_vec((rows, features), values).map_err(|_| {
            TrainError::DatasetShape {
                what: "features",
                found,
                expected: rows * features,
                per: "field",
            }
        })?,
        names: names
            .into_iter()
            .enumerate()
            .filter(|(column, _)| label_at != Some(*column))
            .map(|(_, name)| name)
            .collect(),
        named: header,
    })
}

/// One record: trimmed fields and the line on which it starts.
struct Row {
    line: u64,
    fields: Vec<String>,
}

impl Row {
    /// `after` is the line on which the reader stands behind the record. The line that the reader states for the record itself is
    /// that of the blank lines before it.
    fn new(record: &ByteRecord, after: u64) -> Result<Self> {
        let inner = record
            .iter()
            .flatten()
            .filter(|&&byte| byte == b'\n')
            .count() as u64;
        let line = after.saturating_sub(inner + 1);
        let fields = record
            .iter()
            .map(|field| match std::str::from_utf8(field) {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(error) => Err(TrainError::BadRecord {
                    line,
                    reason: format!("not UTF-8 text ({error})"),
                }),
            })
            .collect::<Result<_>>()?;
        Ok(Self { line, fields })
    }
}

/// Passes bytes on with every line ended by one line feed, the last one too, so that line feeds count lines.
struct Lines<R> {
    inner: R,
    after_return: bool,
    ended: bool,
}

impl<R: Read> Lines<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            after_return: false,
            ended: false,
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.inner.read(buffer)?;
            if count == 0 {
                self.ended = true;
                buffer[0] = b'\n';
                return Ok(1);
            }
            let mut kept = 0;
            for at in 0..count {
                let byte = buffer[at];
                let second_half = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !second_half {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            // A lone second half of a line's end leaves nothing, which would look like the end.
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

fn guess_delimiter(input: &mut impl BufRead) -> Result<u8> {
    let start = input.fill_buf().map_err(|error| TrainError::BadRecord {
        line: 1,
        reason: error.to_string(),
    })?;
    let first = start
        .split(|&b| b == b'\n')
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let (mut best, mut most) = (b',', 0);
    for candidate in *b",\t;" {
        let mut quoted = false;
        let count = first
            .iter()
            .filter(|&&b| {
                quoted ^= b == b'"';
                b == candidate && !quoted
            })
            .count();
        if count > most {
            (best, most) = (candidate, count);
        }
    }
    Ok(best)
}

fn looks_like_header(row: &Row, label: Option<usize>) -> Result<bool> {
    let is_word = |field: &str| !is_missing(field) && field.parse::<f64>().is_err();
    let features = || {
        row.fields
            .iter()
            .enumerate()
            .filter(|(column, _)| label != Some(*column))
    };
    let Some((column, word)) = features().find(|(_, field)| is_word(field)) else {
        return Ok(false);
    };
    if features().any(|(_, field)| field.parse::<f64>().is_ok()) {
        return Err(TrainError::AmbiguousHeader {
            line: row.line,
            column: format!("column {}", column + 1),
            word: word.clone(),
        });
    }
    Ok(true)
}

fn resolve_index(index: i64, columns: usize) -> Result<usize> {
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
        .ok_or(TrainError::LabelIndexOutOfRange { index, columns })
}

fn resolve_name(name: &str, names: &[String]) -> Result<usize> {
    let mut found = (0..names.len()).filter(|&c| names[c] == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(first), Some(second)) => Err(TrainError::DuplicateLabelColumn {
            name: name.to_owned(),
            first: first + 1,
            second: second + 1,
        }),
        _ => Err(TrainError::NoSuchColumn {
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

fn number(field: &str, line: u64, place: impl Fn() -> String) -> Result<f64> {
    let found = || field.to_owned();
    if is_missing(field) {
        return Err(TrainError::MissingValue {
            line,
            column: place(),
            found: found(),
        });
    }
    match field.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        // "+nan" and "-nan" are numbers to the parser.
        Ok(value) if value.is_nan() => Err(TrainError::MissingValue {
            line,
            column: place(),
            found: found(),
        }),
        Ok(_) => Err(TrainError::NotFiniteField {
            line,
            column: place(),
            found: found(),
        }),
        Err(_) => Err(TrainError::NotANumber {
            line,
            column: place(),
            found: found(),
        }),
    }
}

/// A label value that is a finite number.
fn numeric(label: &str) -> Option<f64> {
    label.parse().ok().filter(|v: &f64| v.is_finite())
}

fn same_label(a: &str, b: &str) -> bool {
    a == b || matches!((numeric(a), numeric(b)), (Some(a), Some(b)) if a == b)
}

/// The label values as they are met: the first two spellings, and for each row which of them it is.
struct Labels {
    seen: Vec<String>,
    rows: Vec<bool>,
    classes: Option<Classes>,
}

impl Labels {
    /// With given classes, these are "seen" from the start, the negative one first.
    fn new(classes: Option<Classes>) -> Self {
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

    fn push(&mut self, line: u64, column: &dyn Fn() -> String, value: &str) -> Result<()> {
        if is_missing(value) {
            return Err(TrainError::MissingValue {
                line,
                column: column(),
                found: value.to_owned(),
            });
        }
        let index = match self.seen.iter().position(|seen| same_label(seen, value)) {
            Some(index) => index,
            None if self.seen.len() < 2 => {
                self.seen.push(value.to_owned());
                self.seen.len() - 1
            }
            None => return Err(self.unexpected(line, value)),
        };
        self.rows.push(index == 1);
        Ok(())
    }

    fn unexpected(&self, line: u64, value: &str) -> TrainError {
        match &self.classes {
            Some(classes) => TrainError::UnknownLabel {
                line,
                found: value.to_owned(),
                negative: classes.negative.clone(),
                positive: classes.positive.clone(),
            },
            None => TrainError::ThreeClasses {
                line,
                first: self.seen[0].clone(),
                second: self.seen[1].clone(),
                third: value.to_owned(),
            },
        }
    }

    /// Per row whether it is positive, and the classes' names.
    fn finish(self, positive: Option<&str>) -> Result<(Vec<bool>, Classes)> {
        if let Some(classes) = self.classes {
            return Ok((self.rows, classes));
        }
        let [first, second] =
            <[String; 2]>::try_from(self.seen).map_err(|seen| TrainError::OneClass {
                what: "reading labels",
                rows: self.rows.len(),
                value: seen.into_iter().next().unwrap_or_default(),
            })?;
        let second_is_positive = match (positive, numeric(&first), numeric(&second)) {
            (Some(p), ..) if same_label(p, &second) => true,
            (Some(p), ..) if same_label(p, &first) => false,
            (Some(p), ..) => {
                return Err(TrainError::NoSuchClass {
                    positive: p.to_owned(),
                    first,
                    second,
                });
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

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
