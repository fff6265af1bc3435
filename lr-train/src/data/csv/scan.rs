//! From lines to rows of numbers.

use std::io::Read;

use ndarray::Array2;

use super::{
    ColumnId, Counting, CsvError, Format, Header, MISSING_WORDS, Options, Reading,
    cells::{Column, Taking},
    choice::{near, one_named},
    rows::{Row, Rows},
    rules::{Categories, Markers, MissingValues, Unseen},
};
use crate::data::{
    DataError, Layout,
    layout::Source,
    raw::{RawColumn, RawTable},
};

/// A label as it is met: line and value.
pub(super) type TakeLabel<'a> = &'a mut dyn FnMut(u64, &str) -> Result<(), DataError>;

/// Where features and label stand in a file.
struct Places {
    names: Vec<String>,
    header: bool,
    label: Option<usize>,
    /// In the order of the layout, if there is one; else of the file.
    features: Vec<usize>,
}

impl Places {
    fn told(&self, column: usize) -> String {
        match self.header {
            true => format!("column {} ({:?})", column + 1, self.names[column]),
            false => format!("column {}", column + 1),
        }
    }

    /// What names a column on the command line.
    fn name(&self, column: usize) -> String {
        match self.header {
            true => self.names[column].clone(),
            false => column.to_string(),
        }
    }
}

impl Options {
    /// What marks missing values.
    pub(super) fn markers(&self) -> Markers {
        let trained = || self.layout.as_ref().map(|l| l.missing_words().to_vec());
        let words = self.format.missing.clone().or_else(trained);
        Markers::new(words.unwrap_or_else(|| MISSING_WORDS.map(str::to_owned).to_vec()))
    }
}

/// Walks over the rows: features are collected, each label goes to `take_label`.
pub(super) fn scan(
    input: impl Read,
    options: &Options,
    label: Option<&ColumnId>,
    take_label: TakeLabel<'_>,
) -> Result<RawTable, DataError> {
    let format = &options.format;
    let mut rows = Rows::new(input, format)?;
    let Some(first) = rows.next()? else {
        return Err(DataError::EmptyTable { header: false });
    };
    let markers = options.markers();
    let fields: Vec<&str> = first.fields().collect();
    let label = label.map(|id| id.placed(&fields));
    let (header, told) = header(&first, label.as_ref(), options, &markers)?;
    let places = places(&first, header, label.as_ref(), options, rows.delimiter())?;
    let mut columns = columns(&places, options, &markers)?;
    let nameless: Vec<bool> = fields.iter().map(|f| !header || f.is_empty()).collect();
    let mut reading = Reading {
        header,
        header_guessed: !told,
        delimiter: rows.delimiter(),
        delimiter_guessed: format.delimiter.is_none(),
        left_out: (0..places.names.len())
            .filter(|c| places.label != Some(*c) && !places.features.contains(c))
            .map(|c| places.names[c].clone())
            .collect(),
        counting: vec![],
        rows: 0,
        rows_left_out: vec![],
        filled: vec![],
        unseen: vec![],
    };
    let drops = options.rules.missing == Some(MissingValues::DropRows);
    let mut values = Vec::new();
    let walk = || -> Result<(), DataError> {
        let mut row = if header { rows.next()? } else { Some(first) };
        if row.is_none() {
            return Err(DataError::EmptyTable { header });
        }
        while let Some(current) = row {
            let line = current.line;
            if current.len() != places.names.len() {
                return Err(CsvError::RaggedRow {
                    line,
                    found: current.len(),
                    expected: places.names.len(),
                }
                .into());
            }
            let fields: Vec<&str> = current.fields().collect();
            let at = reading.rows;
            reading.rows += 1;
            let mut needed = places.features.iter().chain(&places.label);
            if drops && needed.any(|&column| markers.marks(fields[column])) {
                reading.rows_left_out.push(at);
            } else {
                for (column, &at) in columns.iter_mut().zip(&places.features) {
                    values.push(column.push(line, fields[at]));
                }
                if let Some(label) = places.label {
                    if markers.marks(fields[label]) {
                        return Err(CsvError::MissingLabel {
                            line,
                            column: places.told(label),
                            found: fields[label].to_owned(),
                        }
                        .into());
                    }
                    take_label(line, fields[label])?;
                }
            }
            row = rows.next()?;
        }
        Ok(())
    };
    let walked = walk();
    // What comes first in the file is told first.
    if let Some(error) = first_error(&columns, &places, reading.rows) {
        return Err(error.into());
    }
    walked?;
    if values.is_empty() {
        return Err(CsvError::NothingLeft { rows: reading.rows }.into());
    }
    let found = values.len();
    let width = places.features.len();
    let values = Array2::from_shape_vec((found / width, width), values).map_err(|_| {
        DataError::DatasetShape {
            what: "features",
            found,
            expected: found / width * width,
            per: "field",
        }
    })?;
    let mut raw = vec![];
    for (column, &at) in columns.into_iter().zip(&places.features) {
        if column.others > 0 {
            let others = column.others;
            reading.unseen.push((places.names[at].clone(), others));
        }
        raw.push(RawColumn {
            name: places.names[at].clone(),
            levels: column.finish(&places.told(at), options.rules.most_levels)?,
        });
    }
    let numbers: Vec<bool> = raw.iter().map(|column| column.levels.is_none()).collect();
    reading.counting = Counting::among(
        &values,
        &places.features,
        &numbers,
        &places.names,
        &nameless,
    );
    Ok(RawTable {
        values,
        columns: raw,
        named: header,
        label: places.label.map(|label| places.names[label].clone()),
        missing: markers.words,
        rules: options.rules.clone(),
        layout: options.layout.clone(),
        reading,
    })
}

/// The problem that stands first in the file.
fn first_error(columns: &[Column<'_>], places: &Places, rows: usize) -> Option<CsvError> {
    let missing = columns.iter().map(|column| column.missing);
    let missing = (
        missing.clone().sum(),
        missing.filter(|count| *count > 0).count(),
    );
    let wrong = columns.iter().zip(&places.features);
    let wrong = wrong.filter_map(|(column, &at)| Some(((column.wrong_in()?, at), column)));
    let ((_, at), column) = wrong.min_by_key(|(place, _)| *place)?;
    column.error(places.told(at), &places.name(at), missing, rows)
}

/// Whether the first row holds names, and whether that was said.
fn header(
    first: &Row,
    label: Option<&ColumnId>,
    options: &Options,
    markers: &Markers,
) -> Result<(bool, bool), CsvError> {
    let mut ids = label.into_iter().chain(options.columns.listed());
    let name = ids.find_map(|id| match id {
        ColumnId::Name(name) => Some(name),
        ColumnId::Index(_) => None,
    });
    let known = || {
        let layout = options.layout.as_ref().filter(|layout| layout.is_named());
        layout.is_some_and(|layout| {
            let there = |name: &str| first.fields().any(|field| field == name);
            let names = || layout.columns().iter().map(|source| &*source.name);
            // Names that are numbers may be data.
            names().all(there) && names().any(|name| name.parse::<f64>().is_err())
        })
    };
    match (options.format.header, name) {
        (Header::Absent, Some(name)) => Err(CsvError::NameWithoutHeader { name: name.clone() }),
        (Header::Absent, None) => Ok((false, true)),
        (Header::Present, _) | (Header::Auto, Some(_)) => Ok((true, true)),
        (Header::Auto, None) if known() => Ok((true, true)),
        (Header::Auto, None) => {
            let label = match label {
                Some(id @ ColumnId::Index(_)) => {
                    let names = vec![String::new(); first.len()];
                    Some(id.resolve("label column", &names)?)
                }
                _ => None,
            };
            let guessed = looks_like_header(first, label, &options.format, markers)?;
            Ok((guessed, false))
        }
    }
}

fn places(
    first: &Row,
    header: bool,
    label: Option<&ColumnId>,
    options: &Options,
    delimiter: char,
) -> Result<Places, CsvError> {
    let name = |(column, field): (usize, &str)| {
        if header && !field.is_empty() {
            field.to_owned()
        } else {
            format!("column {}", column + 1)
        }
    };
    let names: Vec<String> = first.fields().enumerate().map(name).collect();
    let label = match label {
        Some(id) => Some(id.resolve("label column", &names)?),
        None => None,
    };
    let chosen = options.columns.chosen(label, &names)?;
    let mut features: Vec<usize> = (0..names.len()).filter(|&c| chosen[c]).collect();
    match &options.layout {
        Some(layout) if layout.is_named() && header => {
            features = by_name(layout, &names, &features)?;
        }
        Some(layout) if layout.columns().len() != features.len() => {
            return Err(CsvError::OtherColumns {
                trained: layout.columns().len(),
                found: features.len(),
            });
        }
        Some(_) => {}
        None if header => {
            for (at, &column) in features.iter().enumerate() {
                let same = |c: &&usize| names[**c] == names[column];
                if let Some(&first) = features[..at].iter().find(same) {
                    return Err(CsvError::DuplicateColumn {
                        name: names[column].clone(),
                        first: first + 1,
                        second: column + 1,
                    });
                }
            }
        }
        None => {}
    }
    if features.is_empty() {
        return Err(CsvError::NoFeatures {
            columns: names.len(),
            delimiter,
        });
    }
    Ok(Places {
        names,
        header,
        label,
        features,
    })
}

/// The columns of a layout among those that are chosen.
fn by_name(layout: &Layout, names: &[String], chosen: &[usize]) -> Result<Vec<usize>, CsvError> {
    let among: Vec<String> = chosen.iter().map(|&c| names[c].clone()).collect();
    let place = |source: &Source| {
        let name = &source.name;
        match one_named(name, &among) {
            Ok(at) => Ok(chosen[at]),
            Err(CsvError::NoSuchColumn { .. }) => Err(CsvError::ColumnMissing {
                name: name.clone(),
                left_out: names.contains(name),
                near: near(name, &among),
                columns: names.to_vec(),
            }),
            // Its numbers are those among the chosen ones.
            Err(_) => one_named(name, names).map(|_| 0),
        }
    };
    layout.columns().iter().map(place).collect()
}

/// How the fields of each feature are taken.
fn columns<'a>(
    places: &Places,
    options: &'a Options,
    markers: &'a Markers,
) -> Result<Vec<Column<'a>>, CsvError> {
    let rules = &options.rules;
    let mut categorical = vec![];
    for id in &rules.categorical {
        for column in id.matching(&places.names)? {
            if !places.features.contains(&column) {
                let name = places.names[column].clone();
                return Err(CsvError::CategoryNoFeature { name });
            }
            categorical.push(column);
        }
    }
    let column = |(at, &column): (usize, &usize)| {
        let declared = categorical.contains(&column);
        let source = options.layout.as_ref().map(|layout| &layout.columns()[at]);
        let levels = source.and_then(Source::levels);
        let taking = match (source, &levels) {
            (Some(_), Some(_)) => Taking::Known {
                others: rules.unseen == Unseen::Other,
            },
            (Some(_), None) if declared => {
                return Err(CsvError::NumbersInTraining {
                    name: places.names[column].clone(),
                });
            }
            (Some(_), None) => Taking::Numbers { one_hot: false },
            (None, _) if declared => Taking::Levels { with_numbers: true },
            (None, _) if rules.categories == Categories::OneHot => Taking::AsTheFirst,
            (None, _) => Taking::Numbers { one_hot: false },
        };
        let takes_missing = match (rules.missing, source) {
            (Some(missing), _) => missing == MissingValues::Impute,
            (None, Some(source)) => source.takes_missing(),
            (None, None) => false,
        };
        let levels = levels.unwrap_or_default();
        Ok(Column::new(
            taking,
            takes_missing,
            &options.format,
            markers,
            levels,
        ))
    };
    places.features.iter().enumerate().map(column).collect()
}

fn looks_like_header(
    row: &Row,
    label: Option<usize>,
    format: &Format,
    markers: &Markers,
) -> Result<bool, CsvError> {
    if let Some((first, last)) = counts(row) {
        return Err(CsvError::CountingHeader {
            line: row.line,
            first,
            last,
        });
    }
    let is_number = |field: &str| format.point(field).parse::<f64>().is_ok();
    let is_word = |field: &str| !markers.marks(field) && !is_number(field);
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
