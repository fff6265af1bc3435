//! What can be wrong with delimited text.

use super::advice::advice;

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
        "line {line}, {column}: {found:?} is not a number; {}",
        advice(.found)
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
        "line {line}: the first row mixes numbers and words ({word:?} in {column}); say whether the file has a header (--header present or absent)"
    )]
    AmbiguousHeader {
        /// Line in the file, from 1.
        line: u64,
        /// Column of the first word.
        column: String,
        /// The first word.
        word: String,
    },
    /// The first row counts up, as the names of columns that nobody named do.
    #[error(
        "line {line}: the first row counts from {first} to {last}: are these names or data? say --header present or --header absent"
    )]
    CountingHeader {
        /// Line in the file, from 1.
        line: u64,
        /// The first number.
        first: i64,
        /// The last.
        last: i64,
    },
    /// The label's column among the features.
    #[error("{name:?} holds the label, and is asked for as a feature; leave it out of the columns")]
    LabelAsFeature {
        /// The column's name.
        name: String,
    },
    /// No column has such a name.
    #[error(
        "no column is named {name:?}; {}",
        match &.columns[..] {
            [one] => format!("there is one column, {one:?}: give the delimiter with --delimiter"),
            all => format!("the columns are {}", listed(all)),
        }
    )]
    NoSuchColumn {
        /// The name asked for.
        name: String,
        /// The names there are.
        columns: Vec<String>,
    },
    /// Several columns have a name that is asked for.
    #[error("the name {name:?} stands over columns {first} and {second}; give the column's number")]
    DuplicateColumn {
        /// The name.
        name: String,
        /// The first column, from 1.
        first: usize,
        /// The second column, from 1.
        second: usize,
    },
    /// A column was asked for by name in a file without header.
    #[error(
        "a column is asked for by name ({name:?}), but the file is read without a header; give the column's number"
    )]
    NameWithoutHeader {
        /// The name asked for.
        name: String,
    },
    /// A column outside the table.
    #[error(
        "{what} {index} does not exist: the table has {columns} columns, numbered 0 to {} or -{columns} to -1",
        .columns - 1
    )]
    IndexOutOfRange {
        /// What it is asked for as.
        what: &'static str,
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
        "line {line}: a third label {third:?}, after {first:?} and {second:?}; keep the rows of two classes, or say --positive CLASS for one against the rest (and check which column holds the label, and whether the first row is a header)"
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
        "{positive:?} is asked for as the positive class, but none of the {rows} labels is that; the first is {first:?}"
    )]
    NoSuchClass {
        /// The class asked for.
        positive: String,
        /// Labels read.
        rows: usize,
        /// The first of them.
        first: String,
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
