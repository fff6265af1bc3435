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
    /// A feature without a value, the first of several as a rule.
    #[error(
        "line {line}, {column}: the value is missing ({found:?}), {values} in {columns} of the feature columns are; \
         --missing-values impute has the median stand for them, --missing-values drop-rows leaves their rows out"
    )]
    MissingValue {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What stands there.
        found: String,
        /// Missing values.
        values: usize,
        /// Columns that have any.
        columns: usize,
    },
    /// A label without a value.
    #[error(
        "line {line}, {column}: the value is missing ({found:?}), and it is the label; remove the row, or say --missing-values drop-rows"
    )]
    MissingLabel {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// No row is left without the ones with missing values.
    #[error(
        "all {rows} rows have missing values, and --missing-values drop-rows leaves none; leave the emptiest columns out with --drop, or say \
         --missing-values impute"
    )]
    NothingLeft {
        /// Rows of the file.
        rows: usize,
    },
    /// A feature that is no number.
    #[error(
        "line {line}, {column}: {found:?} is not a number; {}",
        advice(.found).unwrap_or_default()
    )]
    NotANumber {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// Words among the features.
    #[error(
        "line {line}, {column}: {found:?} is not a number; {words} of {rows} rows hold words there, {different} different ones: {}; \
         --categories one-hot makes a column of zeros and ones for each, --drop {name:?} leaves the column out",
        sample(.first, *.different, *.most),
        found = .first.first().map_or("", |word| word),
        different = bounded(*.different, *.most)
    )]
    Words {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What names the column on the command line.
        name: String,
        /// Fields that hold no number.
        words: usize,
        /// Rows of the file.
        rows: usize,
        /// Different words, at most one more than are counted.
        different: usize,
        /// The first few, the one that stands there before all.
        first: Vec<String>,
        /// The most that are counted.
        most: usize,
    },
    /// Numbers and words in one column, and nobody said that they are levels.
    #[error(
        "line {line}, {column}: {found:?} among {}: mend it, or say --categorical {name:?} if numbers are levels of a category there, too",
        if super::number_of(.found).is_some() { "words" } else { "numbers" }
    )]
    NumbersAndWords {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// The first that is unlike those before it.
        found: String,
        /// What names the column on the command line.
        name: String,
    },
    /// More levels than are allowed.
    #[error(
        "{column} has {levels} different values, more than the {most} levels that a category may have; leave it out with --drop, merge levels \
         beforehand, or raise --most-levels",
        levels = bounded(*.levels, *.counted)
    )]
    TooManyLevels {
        /// Number, and name if there is one, of the column.
        column: String,
        /// Levels, at most one more than are counted.
        levels: usize,
        /// The most that are counted.
        counted: usize,
        /// The most that are allowed.
        most: usize,
    },
    /// A level that was not there in training.
    #[error(
        "line {line}, {column}: {found:?} was not there in training, where the levels were {}; correct it, or take such values for none of them with \
         --unseen other",
        listed(.levels)
    )]
    UnseenLevel {
        /// Line in the file, from 1.
        line: u64,
        /// Number, and name if there is one, of the column.
        column: String,
        /// What stands there.
        found: String,
        /// The levels of training.
        levels: Vec<String>,
    },
    /// A column that is said to hold categories and is no feature.
    #[error(
        "{name:?} is said to hold categories (--categorical), and is no feature; leave it out there, or add it to --columns"
    )]
    CategoryNoFeature {
        /// The column's name.
        name: String,
    },
    /// A column that is said to hold categories and held numbers in training.
    #[error(
        "{name:?} is said to hold categories (--categorical), and was read as numbers in training; plan again with --categorical"
    )]
    NumbersInTraining {
        /// The column's name.
        name: String,
    },
    /// A column of training that is not there.
    #[error(
        "the column {name:?} that was trained on is {}; {}",
        if *.left_out { "not among the columns that are chosen" } else { "missing" },
        options(.near, .columns)
    )]
    ColumnMissing {
        /// Its name.
        name: String,
        /// Whether it is in the file, and not among those that are chosen.
        left_out: bool,
        /// Names that are like it.
        near: Vec<String>,
        /// All names.
        columns: Vec<String>,
    },
    /// Another number of columns than in training, where names cannot tell.
    #[error(
        "the model was trained on {trained} features, the data has {found}; give the same columns in the same order"
    )]
    OtherColumns {
        /// Columns of training.
        trained: usize,
        /// Columns that are chosen.
        found: usize,
    },
    /// A pattern of names that is none.
    #[error(
        "{pattern:?} is no pattern of names: {reason}; * stands for any characters, ? for one, [abc] for one of these"
    )]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Nobody said which column holds the label.
    #[error("no column is named as the label; name one, or read the table without labels")]
    NoLabel,
    /// A file of labels with another number of rows than the one of features.
    #[error(
        "the file has {labels} labels, the data have {rows} rows; one label for each row is needed, in the same order"
    )]
    LabelRows {
        /// Labels found.
        labels: usize,
        /// Rows of the data.
        rows: usize,
    },
    /// A file of labels with several columns.
    #[error("the file of labels has {} columns ({}); name one as in --label-file FILE:COLUMN", .columns.len(), listed(.columns))]
    LabelColumns {
        /// What its first row holds.
        columns: Vec<String>,
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
        options(.near, .columns)
    )]
    NoSuchColumn {
        /// The name asked for.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
        /// The names there are.
        columns: Vec<String>,
    },
    /// Several columns have a name that is asked for.
    #[error(
        "the name {name:?} stands over columns {first} and {second}; give the column's number, or leave one out with --drop"
    )]
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
    /// A label that is none of a model's several classes.
    #[error("line {line}: the label {found:?} is none of the model's classes, which are {}", listed(.names))]
    UnknownClass {
        /// Line in the file, from 1.
        line: u64,
        /// What stands there.
        found: String,
        /// The classes.
        names: Vec<String>,
    },
    /// More classes than a model takes.
    #[error(
        "line {line}: {found:?} is one more label after {most} others, and a one-vs-rest model takes at most {most} classes, each of which is a training of \
         its own; say --model linear if labels are numbers to be predicted, or join classes"
    )]
    TooManyClasses {
        /// Line in the file, from 1.
        line: u64,
        /// The label.
        found: String,
        /// The most classes.
        most: usize,
    },
    /// A word where the target is to be a number.
    #[error(
        "line {line}: the target is {found:?}, and a linear model's is a finite number; name a column of numbers with --label, or say --model logistic for \
         one of two classes"
    )]
    TargetNotANumber {
        /// Line in the file, from 1.
        line: u64,
        /// What stands there.
        found: String,
    },
    /// More than two different labels.
    #[error(
        "line {line}: a third label {third:?}, after {first:?} and {second:?}; say --model one-vs-rest for a model of all classes, keep the rows of two, say --positive CLASS for one against the rest, or --model linear if labels are numbers to be predicted (and check which column holds the label, and whether the first row is a header)"
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

/// What to take in the place of a name that is not there.
fn options(near: &[String], columns: &[String]) -> String {
    match (columns, near) {
        ([one], _) => format!("there is one column, {one:?}: give the delimiter with --delimiter"),
        (all, []) => format!("the columns are {}", listed(all)),
        (all, near) => format!(
            "the nearest: {}; the columns are {}",
            listed(near),
            listed(all)
        ),
    }
}

/// A number that is counted up to some bound.
fn bounded(count: usize, most: usize) -> String {
    match count > most {
        true => format!("more than {most}"),
        false => count.to_string(),
    }
}

/// The first few of many values.
fn sample(first: &[String], count: usize, most: usize) -> String {
    let shown = listed(first);
    match count.min(most + 1) > first.len() {
        true => format!("{shown}, .."),
        false => shown,
    }
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
