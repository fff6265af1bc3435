//! What can go wrong in reading, preparing and learning.

use std::path::PathBuf;

/// The result of the trainer's operations.
pub type Result<T, E = TrainError> = std::result::Result<T, E>;

/// Errors of the trainer. Each message names the operation, both sides of a disagreement and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file could not be opened or read.
    #[error("cannot read {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file or folder could not be made or removed.
    #[error("cannot write {}: {error}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// An error in a file that has no name of its own, with the file's name.
    #[error("{}: {error}", .path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The error.
        error: Box<TrainError>,
    },

    /// A table without a single row of data.
    #[error("the table has no rows of data{}; give a file with one example per line", if *.header { " after its header" } else { "" })]
    EmptyTable {
        /// Whether there was a header.
        header: bool,
    },
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

    /// No column varies, so there is nothing to learn from.
    #[error(
        "all {columns} feature columns are constant over the {rows} training rows; there is nothing to learn from"
    )]
    AllConstant {
        /// Columns.
        columns: usize,
        /// Rows.
        rows: usize,
    },
    /// A column whose scale cannot be computed in double precision.
    #[error(
        "column {column:?} cannot be normalized: its {quantity} is {value}; rescale the column beforehand"
    )]
    Unnormalizable {
        /// The column's name.
        column: String,
        /// What was computed.
        quantity: &'static str,
        /// Its value.
        value: f64,
    },
    /// Data with another number of columns than the model.
    #[error(
        "the model was trained on {model} features, the data has {data}; give the same columns in the same order"
    )]
    ColumnCount {
        /// Features of the model.
        model: usize,
        /// Features of the data.
        data: usize,
    },
    /// Data with other column names than the model.
    #[error(
        "feature {position} is {model:?} in the model and {data:?} in the data; give the same columns in the same order"
    )]
    ColumnName {
        /// Which feature, from 1.
        position: usize,
        /// Its name in the model.
        model: String,
        /// Its name in the data.
        data: String,
    },
    /// A stored normalization that contradicts itself.
    #[error("stored normalization: {reason}; the model file is damaged")]
    StoredNormalization {
        /// What is wrong.
        reason: &'static str,
    },

    /// A share, number of folds or size that cannot be made from the rows.
    #[error("{what}: {value} is not possible with {rows} rows of a class; {allowed}")]
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

    /// A polynomial or an interval that cannot be used.
    #[error("approximation of the sigmoid: {what} is {value}; {allowed}")]
    Approximation {
        /// Which parameter.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is possible.
        allowed: &'static str,
    },
    /// A fit that did not settle.
    #[error(
        "minimax fit of degree {degree} on [-{bound}, {bound}] did not converge in {rounds} rounds; take a lower degree or least squares"
    )]
    MinimaxDiverged {
        /// The degree.
        degree: usize,
        /// Half the interval.
        bound: f64,
        /// Rounds tried.
        rounds: usize,
    },

    /// A parameter of training outside its range.
    #[error("training: {what} is {value}; {allowed}")]
    Hyperparameter {
        /// Which parameter.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is possible.
        allowed: &'static str,
    },
    /// A name that is no training circuit's.
    #[error(
        "there is no training circuit {given:?}; there are baseline, mask-free, low-depth, single-chain and single-chain-mask-free"
    )]
    UnknownCircuit {
        /// The name.
        given: String,
    },
    /// A minibatch whose Gram matrix does not fit the circuit's unit.
    #[error(
        "{circuit}: minibatches of {rows} rows are too large for its Gram matrices, it takes at most {most} with {slots} slots; use smaller \
         minibatches, a larger ring, or the mask-free circuit, which has none"
    )]
    MinibatchTooLarge {
        /// The circuit.
        circuit: &'static str,
        /// Rows of the minibatch.
        rows: usize,
        /// Most rows.
        most: usize,
        /// Slots of a ciphertext.
        slots: usize,
    },
    /// A result, or a state to start from, that is not there.
    #[error(
        "the result {name:?} is missing or of another kind; decrypt all outputs of the training circuit"
    )]
    MissingResult {
        /// Its name.
        name: String,
    },
    /// The toolkit.
    #[error(transparent)]
    Toolkit(#[from] arras_toolkit::ToolkitError),
    /// The scheme.
    #[error(transparent)]
    Ckks(#[from] arras_ckks::CkksError),
    /// A file of ciphertexts or keys.
    #[error(transparent)]
    Wire(#[from] arras_ckks::wire::WireError),
    /// A table of costs.
    #[error(transparent)]
    Cost(#[from] arras_toolkit::cost::CostError),
    /// The operating system has no randomness.
    #[error("cannot draw an identifier: {error}")]
    NoRandomness {
        /// The system's answer.
        error: getrandom::Error,
    },
    /// Text that is not what it should be.
    #[error("the {what} cannot be read: {error}; write it again")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// The decoder's error.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something of a version that this build does not know.
    #[error(
        "the {what} has version {found}, this build knows version {known}; make it again with `{command}`, or use the release that wrote it"
    )]
    Version {
        /// What it is.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The version known.
        known: u32,
        /// What makes a new one.
        command: &'static str,
    },
    /// A plan whose parts contradict each other.
    #[error(
        "the training plan contradicts itself: {what} is {found}, {expected} follows from the rest; make a new plan"
    )]
    PlanInconsistent {
        /// Which part.
        what: &'static str,
        /// What stands there.
        found: String,
        /// What would have to.
        expected: String,
    },
    /// More iterations than there are levels for.
    #[error(
        "{iterations} iterations in {rounds} do not fit {circuit} at N up to 2^{log_n}, where {most} in one round do; {}",
        ways_out(.choices),
        rounds = if *.rounds == 1 { "one round".to_owned() } else { format!("{} rounds", .rounds) }
    )]
    TooManyIterations {
        /// Iterations asked for.
        iterations: usize,
        /// In how many rounds.
        rounds: usize,
        /// The circuit, or all of them.
        circuit: String,
        /// The largest ring allowed.
        log_n: u32,
        /// The most iterations of a round.
        most: usize,
        /// What would do.
        choices: Vec<crate::trainer::Remedy>,
    },
    /// Data beyond what keys were made for.
    #[error(
        "the data set has {found} {what}, the plan of these keys holds {least} to {most}; make a plan and keys for this data, or select from it"
    )]
    BeyondPlan {
        /// Rows or features.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// Things of two exchanges that were mixed up.
    #[error("{op}: the {what} of {subject} is {found}, {expected} is needed; {remedy}")]
    Mismatch {
        /// What was tried.
        op: &'static str,
        /// What is compared.
        what: &'static str,
        /// Whose it is.
        subject: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A result after which no round follows.
    #[error(
        "refresh: the result is that of round {round} of {rounds}, after which none follows; decrypt it to the model, or make a plan with \
         more rounds"
    )]
    NothingToRefresh {
        /// The result's round, from 1.
        round: usize,
        /// Rounds of the plan.
        rounds: usize,
    },
    /// A decrypted result that no training gives.
    #[error(
        "the decrypted {what} is no usable result: {value} in entry {entry}; the ciphertexts are not from this key or this data, or training diverged: lower the \
         learning rate or widen the sigmoid's interval"
    )]
    UnusableResult {
        /// Weights or those before.
        what: &'static str,
        /// Which entry.
        entry: usize,
        /// Its value.
        value: f64,
    },
    /// Labels of other classes than the model's.
    #[error(
        "the model tells {model_negative:?} from {model_positive:?}, the data holds {negative:?} and {positive:?}; read the data with the model's classes"
    )]
    OtherClasses {
        /// The model's negative class.
        model_negative: String,
        /// The model's positive class.
        model_positive: String,
        /// The data's negative class.
        negative: String,
        /// The data's positive class.
        positive: String,
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
    /// Training whose weights grew beyond double precision.
    #[error(
        "training diverged in iteration {iteration}: the weights are no longer finite (largest |z v| before: {largest:.3e}, the approximation holds to {bound}); lower the learning rate or widen the interval"
    )]
    Diverged {
        /// The iteration, from 0.
        iteration: usize,
        /// Largest inner product seen while it was finite.
        largest: f64,
        /// Half the interval of the approximation, infinite for the exact sigmoid.
        bound: f64,
    },
}

impl TrainError {
    /// The same error with the name of the file in which it was found.
    pub(crate) fn in_file(self, path: &std::path::Path) -> Self {
        match self {
            named @ (Self::InFile { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Wire(
                arras_ckks::wire::WireError::InFile { .. } | arras_ckks::wire::WireError::Io { .. },
            )) => named,
            error => Self::InFile {
                path: path.to_owned(),
                error: Box::new(error),
            },
        }
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

/// What would do instead, for a message.
fn ways_out(choices: &[crate::trainer::Remedy]) -> String {
    if choices.is_empty() {
        return "train fewer iterations".to_owned();
    }
    let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
    choices.join(", or ")
}
