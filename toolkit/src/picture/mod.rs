//! Pictures of circuits: boxes in layers by depth, as SVG, DOT or JSON.
//!
//! ```text
//!   Program --+-- operations: as the circuit's author wrote them   --+-- to_svg  laid out here, bounded in size
//!             +-- steps: what an engine runs, with level and form  --+-- to_dot  for Graphviz
//!                                                                    +-- to_json everything, to be read back
//! ```
//! Every box says its depth (levels consumed from the inputs to its result) and its level (levels still needed after it). The
//! critical path is the chain that consumes most levels: parameters must have as many. Circuits beyond a limit are
//! [collapsed](crate::Picture::collapsed) before they are drawn, and the picture says so.
//!
//! ```
//! use arras_toolkit::{Picture, Program, Recorder};
//!
//! let recorder = Recorder::new(4096)?;
//! let x = recorder.slots_input("x", 1);
//! recorder.output("f", &x.square().square().add_scalar(2.0));
//! let program = Program::new(recorder.finish()?);
//! let picture = Picture::operations(&program).titled("x^4 + 2");
//! assert_eq!(picture.summary.depth, 2);
//! assert!(picture.to_svg().starts_with("<svg"));
//! # Ok::<(), arras_toolkit::ToolkitError>(())
//! ```

mod collapse;
#[deny(clippy::wildcard_enum_match_arm)]
mod critical;
mod dot;
pub(crate) mod drawing;
#[deny(clippy::wildcard_enum_match_arm)]
mod graph;
#[deny(clippy::wildcard_enum_match_arm)]
mod kind;
#[deny(clippy::wildcard_enum_match_arm)]
mod labels;
mod layout;
mod place;
mod svg;
mod text;

use std::path::PathBuf;

use arras_ckks::wire::WireError;
use serde::{Deserialize, Serialize};

pub use graph::{PictureEdge, PictureNode};
pub use kind::NodeKind;

/// What a picture shows of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum View {
    /// Operations as the circuit's author wrote them, without those that no output depends on.
    Operations,
    /// The steps that an engine runs.
    Steps,
}

/// Numbers of the whole circuit, for the caption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Levels on the longest chain from an input to an output.
    pub depth: usize,
    /// Levels that parameters must have: the depth, and more if an output is delivered above level 0.
    pub levels: usize,
    /// Inputs that are used.
    pub inputs: usize,
    /// Outputs.
    pub outputs: usize,
    /// Operations, or steps, that are drawn, without inputs.
    pub operations: usize,
    /// Products of two ciphertexts, each ciphertext of a batch counted.
    pub products: usize,
    /// Rotations, each ciphertext of a batch and each term of a sum counted.
    pub rotations: usize,
    /// Operations and inputs that no output depends on, which are not drawn.
    pub unused: usize,
}

/// What a collapsed picture was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Collapsed {
    /// Boxes before.
    pub boxes: usize,
    /// What boxes of one kind were drawn together.
    pub by: String,
}

/// Why a picture could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// A file name that does not tell the format.
    #[error(
        "save: {} does not end in .svg, .dot, .gv or .json; name it so that the ending tells the format", path.display()
    )]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// The file.
    #[error(transparent)]
    Write(#[from] WireError),
    /// JSON that is no picture.
    #[error("read: {0}; give what Picture::to_json wrote")]
    Json(#[from] serde_json::Error),
    /// JSON of a picture whose positions do not fit together.
    #[error(
        "read: the {what} at {at} points to {position}; there are {boxes} boxes, and edges lead from lower to higher positions"
    )]
    Position {
        /// An edge or the critical path.
        what: &'static str,
        /// Where.
        at: usize,
        /// The position.
        position: usize,
        /// Number of boxes.
        boxes: usize,
    },
}
