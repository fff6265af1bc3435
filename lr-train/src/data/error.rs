//! What can be wrong with data sets and the numbers in them.

use std::path::PathBuf;

use super::csv::CsvError;
use arras_toolkit::text::given;

use crate::fault::Fault;

/// What is wrong with a data set, or with numbers given as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A table without a single row of data.
    #[error("the table has no rows of data{}; give a file with one example per line", if *.header { " after its header" } else { "" })]
    EmptyTable {
        /// Whether there was a header.
        header: bool,
    },
    /// A column without a single value.
    #[error(
        "column {column:?}: all of the {rows} training rows have no value there; leave it out with --drop {column:?}"
    )]
    AllMissing {
        /// The column's name.
        column: String,
        /// How many rows.
        rows: usize,
    },
    /// Missing values that nothing stands for.
    #[error(
        "column {column:?}: {count} values are missing, and no median was kept of it in training; leave the rows out with --missing-values drop-rows, or \
         plan again with --missing-values impute"
    )]
    NoMedian {
        /// The column's name.
        column: String,
        /// How many values.
        count: usize,
    },
    /// A level that was not among the training rows.
    #[error(
        "column {column:?}, row {row}: {level:?} is not among the levels of the training rows; take such values for none of them with --unseen other"
    )]
    UnseenLevel {
        /// The column's name.
        column: String,
        /// The level.
        level: String,
        /// The row, from 1, among those that were selected.
        row: usize,
    },
    /// All labels are equal.
    #[error(
        "{what}: all {rows} labels are {value:?}; two different values are needed, one for each class"
    )]
    OneClass {
        /// What needs two classes.
        what: &'static str,
        /// How many rows.
        rows: usize,
        /// The only value.
        value: String,
    },
    /// A target that does not vary.
    #[error(
        "the target {name:?} has mean {mean:?} and standard deviation {scale:?} over {rows} rows; there is nothing to learn from one that does not vary"
    )]
    ConstantTarget {
        /// The target.
        name: String,
        /// How many rows.
        rows: usize,
        /// Their mean.
        mean: f64,
        /// Their standard deviation.
        scale: f64,
    },
    /// Another number of classes than a model has.
    #[error(
        "{op}: the labels are of {found} classes, the model is of {expected}; give rows of all of its classes and of no other, or plan anew"
    )]
    ClassCount {
        /// The operation.
        op: &'static str,
        /// Classes of the labels.
        found: usize,
        /// Classes of the model.
        expected: usize,
    },
    /// A target of another kind than a model has.
    #[error(
        "{op}: the target is {found}, a {model} model's is {expected}; {}",
        match (*.model, *.found) {
            (_, "a number") => "say --model linear, or name a column of labels",
            (_, "one of several classes") => "say --model one-vs-rest, or name another label column",
            ("one-vs-rest", _) => "say --model logistic, which is for two classes",
            _ => "say --model logistic, or name a column of numbers",
        }
    )]
    OtherTarget {
        /// The operation.
        op: &'static str,
        /// The model.
        model: &'static str,
        /// What the target is.
        found: &'static str,
        /// What it is for such models.
        expected: &'static str,
    },
    /// Parts of a data set that do not belong together.
    #[error("data set: {what} has {found} entries, {expected} are needed (one per {per})")]
    DatasetShape {
        /// Which part.
        what: &'static str,
        /// Entries it has.
        found: usize,
        /// Entries it needs.
        expected: usize,
        /// What each entry belongs to.
        per: &'static str,
    },
    /// Vectors or matrices of different sizes.
    #[error("{op}: {what} has length {found}, {expected} is needed")]
    Length {
        /// The operation.
        op: &'static str,
        /// Which operand.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length needed.
        expected: usize,
    },
    /// NaN or an infinity in numbers given as an array.
    #[error("{what}: row {row}, column {column} is {value}; all values must be finite")]
    NotFinite {
        /// What holds it.
        what: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A threshold that is no probability.
    #[error(
        "the threshold is {}; it is a probability above 0 and below 1, 0.5 for the likelier class",
        given(*.value)
    )]
    Threshold {
        /// What was given.
        value: f64,
    },
    /// A row number beyond the data.
    #[error("{what}: row {row} is asked for, there are {rows}")]
    RowOutOfRange {
        /// What was asked.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// A share, number of folds or size that cannot be made from the rows.
    #[error("{what}: {} is not possible with {rows} rows of a class; {allowed}", given(*.value))]
    Split {
        /// What was asked for.
        what: &'static str,
        /// Its value.
        value: f64,
        /// Rows of the class, or of all where there are no classes.
        rows: usize,
        /// What is possible.
        allowed: &'static str,
    },
    /// Minibatches of classes without labels.
    #[error("minibatches in stratified order are made from labels; make them with Minibatches::of")]
    OrderNeedsLabels,
    /// Not an IDX file of the expected kind.
    #[error(
        "IDX: the file starts with {found:#010x}, {what} start with {expected:#010x}; is it the right file?"
    )]
    IdxMagic {
        /// What was expected to be in the file.
        what: &'static str,
        /// The first four bytes.
        found: u32,
        /// The first four bytes of such a file.
        expected: u32,
    },
    /// A header announcing more than this reader accepts.
    #[error(
        "IDX: the header announces {dimensions:?}, that is {bytes} bytes; the most this reader takes is {limit}"
    )]
    IdxTooLarge {
        /// The dimensions.
        dimensions: Vec<u32>,
        /// Their product, saturated.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A file that ends before what its header announces, or goes on after it.
    #[error(
        "IDX: the header announces {expected} bytes of data, the file {}; it is damaged or cut off",
        if *.found > *.expected { "goes on after them".to_owned() } else { format!("has {found}") }
    )]
    IdxLength {
        /// Bytes announced.
        expected: u64,
        /// Bytes found (one more than announced if it goes on).
        found: u64,
    },
    /// Images and labels of different numbers.
    #[error("MNIST: {images} images but {labels} labels; take both files from the same set")]
    MnistCounts {
        /// Images.
        images: usize,
        /// Labels.
        labels: usize,
    },
    /// Images of another size than 28x28.
    #[error("MNIST: images of {height}x{width} pixels; 28x28 is needed")]
    MnistSize {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// None of a file's possible names exists.
    #[error("MNIST: neither {name} nor {name}.gz is in {}", .folder.display())]
    MnistMissing {
        /// The folder.
        folder: PathBuf,
        /// The file's name without .gz.
        name: String,
    },
    /// Delimited text.
    #[error(transparent)]
    Csv(#[from] CsvError),
}

impl DataError {
    /// # Errors
    /// [`DataError::Length`] for another length than expected.
    pub(crate) fn expect_length(
        op: &'static str,
        what: &'static str,
        found: usize,
        expected: usize,
    ) -> Result<(), Self> {
        if found == expected {
            return Ok(());
        }
        Err(Self::Length {
            op,
            what,
            found,
            expected,
        })
    }

    /// Where the fault lies.
    pub fn fault(&self) -> Fault {
        match self {
            Self::EmptyTable { .. }
            | Self::AllMissing { .. }
            | Self::NoMedian { .. }
            | Self::UnseenLevel { .. }
            | Self::OneClass { .. }
            | Self::ConstantTarget { .. }
            | Self::OtherTarget { .. }
            | Self::ClassCount { .. }
            | Self::DatasetShape { .. }
            | Self::Length { .. }
            | Self::NotFinite { .. }
            | Self::RowOutOfRange { .. }
            | Self::Split { .. }
            | Self::Threshold { .. }
            | Self::OrderNeedsLabels
            | Self::IdxMagic { .. }
            | Self::IdxTooLarge { .. }
            | Self::IdxLength { .. }
            | Self::MnistCounts { .. }
            | Self::MnistSize { .. }
            | Self::Csv(_) => Fault::Data,
            Self::MnistMissing { .. } => Fault::System,
        }
    }
}
