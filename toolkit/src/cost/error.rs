//! What can be wrong with a table, or with a question to it.

use arras_ckks::{CkksError, params::ParamsError};

use super::OperationKind;

/// Errors of cost tables.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// The text is no table.
    #[error("read a cost table: {0}; measure one again")]
    Json(#[from] serde_json::Error),
    /// The parameters that a table names break a rule.
    #[error("cost table: its parameters are no valid set: {0}")]
    Parameters(#[from] ParamsError),
    /// The larger batch is not larger than 1.
    #[error(
        "cost table: the larger batch is {batch}; costs are measured at 1 and at a batch of 2 or more"
    )]
    Batch {
        /// The batch.
        batch: usize,
    },
    /// A table without threads.
    #[error("cost table: measured with {threads} threads; it must be at least 1")]
    Threads {
        /// The number of threads.
        threads: usize,
    },
    /// An entry for a level at which the operation has no operands.
    #[error(
        "cost table: {operation} at level {level}; its operands' levels are {least} to {most} under these parameters"
    )]
    EntryLevel {
        /// The operation.
        operation: OperationKind,
        /// The level.
        level: usize,
        /// The lowest.
        least: usize,
        /// The highest.
        most: usize,
    },
    /// Two entries for one operation and level.
    #[error("cost table: two entries for {operation} at level {level}; remove one")]
    Duplicate {
        /// The operation.
        operation: OperationKind,
        /// The level.
        level: usize,
    },
    /// A cost that no operation can have.
    #[error(
        "cost table: {what} of {operation} at level {level} is {seconds} seconds; costs are finite and not negative, and not all zero"
    )]
    Seconds {
        /// The operation.
        operation: OperationKind,
        /// The level.
        level: usize,
        /// Which of the entry's costs.
        what: &'static str,
        /// Its value.
        seconds: f64,
    },
    /// A cost per term of an operation without terms.
    #[error(
        "cost table: {operation} at level {level} has a cost per term, but no terms; remove it"
    )]
    Terms {
        /// The operation.
        operation: OperationKind,
        /// The level.
        level: usize,
    },
    /// An operation that every table has is not there.
    #[error("cost table: no entry for {operation}; measure the table again")]
    MissingOperation {
        /// The operation.
        operation: OperationKind,
    },
    /// An operation's lowest or highest level is not there, so levels between cannot be interpolated.
    #[error(
        "cost table: {operation} has no entry at level {level}; its lowest and its highest level must be measured"
    )]
    MissingLevel {
        /// The operation.
        operation: OperationKind,
        /// The level.
        level: usize,
    },
    /// The table was measured where the operation is impossible.
    #[error(
        "the cost of {operation}: not in this table, which was measured with {engine} without the secret key; take it from the client's table"
    )]
    NotMeasured {
        /// The operation.
        operation: OperationKind,
        /// The table's engine.
        engine: String,
    },
    /// A level at which the operation has no operands.
    #[error(
        "the cost of {operation}: level {level} does not exist for it, levels are {least} to {most}"
    )]
    NoSuchLevel {
        /// The operation.
        operation: OperationKind,
        /// The level.
        level: usize,
        /// The lowest.
        least: usize,
        /// The highest.
        most: usize,
    },
    /// A level to be measured that the parameters or the given ciphertext lack.
    #[error("measure costs: level {level} is above {most}, the highest level here; leave it out")]
    MeasuredLevel {
        /// The level.
        level: usize,
        /// The highest.
        most: usize,
    },
    /// A ciphertext below the top level was given, so that the higher levels cannot be measured.
    #[error(
        "measure costs: the ciphertext is at level {level}, the top level is {top}; give a fresh one"
    )]
    NotFresh {
        /// Its level.
        level: usize,
        /// The top level.
        top: usize,
    },
    /// Settings that give no measurement.
    #[error("measure costs: {what} is {value}; it must be {range}")]
    Option {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// The crate was built without tables.
    #[error("the built-in cost tables are empty; measure a table on this machine")]
    NoTables,
    /// An operation failed while it was measured.
    #[error("measure costs: {0}")]
    Ckks(#[from] CkksError),
}
