//! Labels in a second file.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    ColumnId, CsvError, Header, Options, RawDataset, raw_table, rows::Rows, source,
    targets::Targets,
};
use crate::{
    TrainError,
    data::{DataError, Target},
};

/// Where labels stand, a row for each of the features'.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelFile {
    /// The file.
    pub path: PathBuf,
    /// Their column; None if there is one.
    pub column: Option<ColumnId>,
}

/// A file, or `FILE:COLUMN` where no file has that name.
impl From<&str> for LabelFile {
    fn from(text: &str) -> Self {
        let whole = Path::new(text);
        match text.rsplit_once(':') {
            Some((path, column)) if !whole.exists() => Self {
                path: path.into(),
                column: Some(column.into()),
            },
            _ => Self {
                path: whole.into(),
                column: None,
            },
        }
    }
}

impl LabelFile {
    /// Reads features from one file and their labels from this one. Its first row is a header if [`Format::header`](super::Format::header) or a
    /// column's name says so, or if there is one row more than features; a row of features that is left out takes its label along.
    ///
    /// # Errors
    /// As [`read_raw_file`](super::read_raw_file); [`CsvError::LabelRows`], [`CsvError::LabelColumns`]. Errors name the file that they are in.
    pub fn read_with(&self, features: &Path, options: &Options) -> Result<RawDataset, TrainError> {
        let named = |error: DataError| TrainError::from(error).in_file(features);
        let table = raw_table(source::open(features)?, options).map_err(named)?;
        let labels = source::open(&self.path)?;
        let rows = table.reading.rows;
        let mut left_out = table.reading.rows_left_out.iter().copied().peekable();
        let found = self.read(labels, options, rows, |row| {
            left_out.next_if_eq(&row).is_none()
        });
        let target = found.map_err(|error| TrainError::from(error).in_file(&self.path))?;
        Ok(RawDataset { table, target })
    }

    fn read(
        &self,
        input: impl Read,
        options: &Options,
        rows: usize,
        mut takes: impl FnMut(usize) -> bool,
    ) -> Result<Target, DataError> {
        let mut fields = vec![];
        let mut width = 0;
        let mut lines = Rows::new(input, &options.format)?;
        let mut names: Vec<String> = vec![];
        let mut at = None;
        while let Some(row) = lines.next()? {
            if fields.is_empty() {
                width = row.len();
                names = row.fields().map(str::to_owned).collect();
                at = Some(match &self.column {
                    Some(id) => id.resolve("label column", &names)?,
                    None if width == 1 => 0,
                    None => return Err(CsvError::LabelColumns { columns: names }.into()),
                });
            } else if row.len() != width {
                return Err(CsvError::RaggedRow {
                    line: row.line,
                    found: row.len(),
                    expected: width,
                }
                .into());
            }
            let field = row.fields().nth(at.unwrap_or(0)).unwrap_or_default();
            fields.push((row.line, field.to_owned()));
        }
        let header = match (options.format.header, &self.column) {
            (Header::Present, _) | (_, Some(ColumnId::Name(_))) => true,
            (Header::Absent, _) => false,
            (Header::Auto, _) => fields.len() == rows + 1,
        };
        let found = fields.len().saturating_sub(usize::from(header));
        if fields.is_empty() {
            return Err(DataError::EmptyTable { header: false });
        }
        if found != rows {
            return Err(CsvError::LabelRows {
                labels: found,
                rows,
            }
            .into());
        }
        let markers = options.markers();
        let mut targets = Targets::new(options);
        for (row, (line, field)) in fields.iter().skip(usize::from(header)).enumerate() {
            if !takes(row) {
                continue;
            }
            if markers.marks(field) {
                let column = names[at.unwrap_or(0)].clone();
                return Err(CsvError::MissingLabel {
                    line: *line,
                    column: format!("label file, column {column:?}"),
                    found: field.clone(),
                }
                .into());
            }
            targets.push(*line, field)?;
        }
        let named = header.then(|| names[at.unwrap_or(0)].as_str());
        targets.finish(named.unwrap_or("label"))
    }
}
