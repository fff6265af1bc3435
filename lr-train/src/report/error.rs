//! What can go wrong in writing a report.

/// Errors of reports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A figure could not be drawn.
    #[error("report: the figure {figure:?} could not be drawn: {reason}")]
    Figure {
        /// The figure.
        figure: &'static str,
        /// The drawing library's message.
        reason: String,
    },
    /// A report that is not JSON of the expected form; it may come from another version.
    #[error("report: not a report in JSON: {0}; was it written by this version?")]
    Json(#[from] serde_json::Error),
}
