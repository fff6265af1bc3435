//! Reports: what a training did and how circuits compare, for people and for programs.
//!
//! ```text
//!   TrainingReport   -- to_text(width) -->  tables for a terminal
//!   Comparison       -- to_json()      -->  JSON, read back by from_json
//!                    -- to_html()      -->  one page: SVG plots inline, no script, nothing fetched, light and dark, printable
//! ```
//!
//! Equal reports give equal bytes. Names come from outside (data sets, labels, columns): they are escaped on pages, and control
//! characters do not reach terminals.
//!
//! ```
//! use lr_train::report::{Machine, TrainingReport};
//!
//! let mut report = TrainingReport::new("Digits 3 and 8", Machine::here());
//! report.commit = Some("0123abc".into());
//! let page = report.to_html()?;
//! assert!(page.starts_with("<!DOCTYPE html>"));
//! assert_eq!(TrainingReport::from_json(&report.to_json()?)?, report);
//! # Ok::<(), lr_train::report::ReportError>(())
//! ```

mod columns;
mod comparison;
mod data;
mod error;
mod html;
mod machine;
mod plot;
mod shape;
mod terminal;
#[cfg(test)]
mod tests;
mod training;

pub use comparison::{CircuitRow, Comparison, Ratios, ThreadSeconds, ThreadSpeed, Timing};
pub use data::{
    AssessedRows, CircuitTimes, DataSummary, KindSeconds, ModelSummary, PlanSummary, Point, Series,
    Side, Stage, Weight,
};
pub use error::ReportError;
pub use machine::{Machine, peak_memory};
pub use shape::{CircuitShape, LevelWork};
pub use training::TrainingReport;

/// `1 thread`, `2 threads`.
fn threads(n: usize) -> String {
    format!("{n} thread{}", if n == 1 { "" } else { "s" })
}
