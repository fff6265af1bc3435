//! What can be wrong with delimited text.

/// What is wrong with delimited text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// The reader could not decode a record, for example because it is not UTF-8.
    #[error("line {line}: {reason}")]
    BadRecord {
        /// Line in the file, from 1.
        line: u64,
        /// The decoder's message.
        reason: String,
    },
    /// A row with another number of fields than the first.
    #[error(
        "line {line}: {found} fields, the first row has {expected}; every row needs the same columns{}",
        if *.found == 1 { " (is the delimiter right?)" } else { "" }
    )]
    RaggedRow {
        /// Line in the file, from 1.
        line: u64,
        /// Fields found.
        found: usize,
        /// Fields of the first row.
        expected: usize,
    },
    /// A field without a value.
    #[error(
        "line {line}, {column}: the value is missing ({found:?}); remove the row or fill the value in beforehand"
    )]
    MissingValue {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// A feature that is no number.
    #[error(
        "line {line}, {column}: {found:?} is not a number; code categories as numbers beforehand"
    )]
    NotANumber {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// A feature that is infinite, or too large for a double.
    #[error("line {line}, {column}: {found:?} is not a finite number of double precision")]
    NotFiniteField {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// The first row is neither clearly a header nor clearly data.
    #[error(
        "line {line}: the first row mixes numbers and words ({word:?} in {column}); say whether the file has a header"
    )]
    AmbiguousHeader {
        /// Line in the file, from 1.
        line: u64,
        /// Column of the first word.
        column: String,
        /// The first word.
        word: String,
    },
    /// No column has the label's name.
    #[error("no column is named {name:?}; the columns are {}", listed(.columns))]
    NoSuchColumn {
        /// The name asked for.
        name: String,
        /// The names there are.
        columns: Vec<String>,
    },
    /// Several columns have the label's name.
    #[error(
        "the label's name {name:?} stands over columns {first} and {second}; give the column's number"
    )]
    DuplicateLabelColumn {
        /// The name.
        name: String,
        /// The first column, from 1.
        first: usize,
        /// The second column, from 1.
        second: usize,
    },
    /// The label was asked for by name in a file without header.
    #[error(
        "the label is asked for by name ({name:?}), but the file is read without a header; give the column's number"
    )]
    LabelNameWithoutHeader {
        /// The name asked for.
        name: String,
    },
    /// A label's column outside the table.
    #[error(
        "label column {index} does not exist: the table has {columns} columns, numbered 0 to {} or -{columns} to -1",
        .columns - 1
    )]
    LabelIndexOutOfRange {
        /// The column asked for.
        index: i64,
        /// How many there are.
        columns: usize,
    },
    /// Nothing is left beside the label.
    #[error(
        "the table has {columns} column and no feature; is the delimiter right? ({delimiter:?} was used)"
    )]
    NoFeatures {
        /// Columns found.
        columns: usize,
        /// The delimiter in use.
        delimiter: char,
    },
    /// More than two different labels.
    #[error(
        "line {line}: a third label {third:?}, after {first:?} and {second:?}; keep the rows of two classes (and check which column holds the label, and whether the first row is a header)"
    )]
    ThreeClasses {
        /// Line in the file, from 1.
        line: u64,
        /// First value seen.
        first: String,
        /// Second value seen.
        second: String,
        /// The third one.
        third: String,
    },
    /// A label that the model does not know.
    #[error("line {line}: label {found:?} is neither {negative:?} nor {positive:?}")]
    UnknownLabel {
        /// Line in the file, from 1.
        line: u64,
        /// The label found.
        found: String,
        /// The negative class.
        negative: String,
        /// The positive class.
        positive: String,
    },
    /// The class asked for as the positive one does not occur.
    #[error(
        "{positive:?} is asked for as the positive class, but the labels are {first:?} and {second:?}"
    )]
    NoSuchClass {
        /// The class asked for.
        positive: String,
        /// One label.
        first: String,
        /// The other.
        second: String,
    },
}

/// Names for a message: all of a few, the first and last of many.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let quote = |names: &[String]| {
        names
            .iter()
            .map(|n| format!("{n:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match names.split_last() {
        Some((last, rest)) if rest.len() >= SHOWN => {
            format!(
                "{}, .. {last:?} ({} in all)",
                quote(&rest[..SHOWN]),
                names.len()
            )
        }
        _ => quote(names),
    }
}
