//! Pictures of circuits: boxes in layers by depth, as SVG, DOT or JSON.
//!
//! ```text
//!   Program --+-- operations: as the circuit's author wrote them   --+-- to_svg  laid out here, bounded in size
//!             +-- steps: what an engine runs, with level and form  --+-- to_dot  for Graphviz
//!                                                                    +-- to_json everything, to be read back
//! ```
//! Every box says its depth (levels consumed from the inputs to its result) and its level (levels still needed after it). The
//! critical path is the chain that consumes most levels: parameters must have as many. Circuits beyond a limit are
//! [collapsed](Picture::collapsed) before they are drawn, and the picture says so.
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

use std::path::{Path, PathBuf};

use arras_ckks::wire::{AtomicFile, Overwrite, WireError};
use serde::{Deserialize, Serialize};

pub use graph::{PictureEdge, PictureNode};
pub use kind::NodeKind;

use crate::Program;

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

/// A circuit, ready to be drawn.
///
/// The fields are what [`Picture::to_json`] writes. Edges lead from lower to higher positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Picture {
    /// Heading.
    pub title: Option<String>,
    /// What is shown.
    pub view: View,
    /// Numbers of the circuit.
    pub summary: Summary,
    /// Boxes.
    pub nodes: Vec<PictureNode>,
    /// Arrows.
    pub edges: Vec<PictureEdge>,
    /// Positions of the boxes of the critical path, from an input to an output.
    pub critical: Vec<usize>,
    /// What it was before it was collapsed.
    pub collapsed: Option<Collapsed>,
    /// Boxes beyond which SVG and DOT are collapsed.
    pub limit: usize,
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

impl Picture {
    /// Boxes beyond which SVG and DOT are collapsed, unless [`Picture::limited`] says otherwise.
    pub const LIMIT: usize = 220;

    /// Operations as their author wrote them.
    pub fn operations(program: &Program) -> Self {
        Self::new(program, View::Operations, graph::operations(program))
    }

    /// Steps that an engine runs.
    pub fn steps(program: &Program) -> Self {
        Self::new(program, View::Steps, graph::steps(program))
    }

    fn new(program: &Program, view: View, graph: graph::Graph) -> Self {
        let mut picture = Self {
            title: None,
            view,
            summary: graph.summary,
            nodes: graph.nodes,
            edges: graph.edges,
            critical: vec![],
            collapsed: None,
            limit: Self::LIMIT,
        };
        let path = critical::by_levels(program, &picture);
        picture.mark(path);
        picture
    }

    fn mark(&mut self, path: Vec<usize>) {
        for (i, node) in self.nodes.iter_mut().enumerate() {
            node.critical = path.contains(&i);
        }
        for edge in &mut self.edges {
            edge.critical = path.windows(2).any(|w| w == [edge.from, edge.to]);
        }
        self.critical = path;
    }

    /// With a heading.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// With another limit of boxes in SVG and DOT; at least 8.
    #[must_use]
    pub fn limited(mut self, boxes: usize) -> Self {
        self.limit = boxes.max(8);
        self
    }

    /// With the critical path by another measure than levels: the chain of the highest sum of costs (seconds, say) that `cost`
    /// tells for each box. [`PictureNode::index`] says which operation or step it is.
    #[must_use]
    pub fn critical_by(mut self, cost: impl Fn(&PictureNode) -> f64) -> Self {
        let path = critical::by_cost(&self, |i| cost(&self.nodes[i]));
        self.mark(path);
        self
    }

    /// The picture with at most `limit` boxes (8 or more), or itself if it has no more. Boxes of one kind are drawn as one: chains
    /// first, then what stands side by side, then whole layers; [`PictureNode::members`] counts them.
    #[must_use]
    pub fn collapsed(&self, limit: usize) -> Self {
        collapse::collapsed(self, limit.max(8))
    }

    /// As a Scalable Vector Graphic, of at most [`Picture::limit`] boxes.
    pub fn to_svg(&self) -> String {
        svg::svg(&self.collapsed(self.limit))
    }

    /// As a graph for Graphviz, of at most [`Picture::limit`] boxes.
    pub fn to_dot(&self) -> String {
        dot::dot(&self.collapsed(self.limit))
    }

    /// As JSON, of all boxes.
    ///
    /// # Errors
    /// [`PictureError::Json`] if it cannot be written.
    pub fn to_json(&self) -> Result<String, PictureError> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// From what [`Picture::to_json`] wrote.
    ///
    /// # Errors
    /// [`PictureError::Json`], [`PictureError::Position`].
    pub fn from_json(json: &str) -> Result<Self, PictureError> {
        let picture: Self = serde_json::from_str(json)?;
        let boxes = picture.nodes.len();
        let wrong = |what, at, position| PictureError::Position {
            what,
            at,
            position,
            boxes,
        };
        for (at, edge) in picture.edges.iter().enumerate() {
            if edge.to >= boxes || edge.from >= edge.to {
                return Err(wrong("edge", at, edge.to.max(edge.from)));
            }
        }
        for (at, &position) in picture.critical.iter().enumerate() {
            if position >= boxes {
                return Err(wrong("critical path", at, position));
            }
        }
        Ok(picture)
    }

    /// Writes a file, whole or not at all, in the format of its ending: `.svg`, `.dot` or `.gv`, `.json`. A file that is there is
    /// replaced.
    ///
    /// # Errors
    /// [`PictureError::Format`] for another ending; [`PictureError::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PictureError> {
        let path = path.as_ref();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let text = match ending {
            "svg" => self.to_svg(),
            "dot" | "gv" => self.to_dot(),
            "json" => self.to_json()?,
            _ => return Err(PictureError::Format { path: path.into() }),
        };
        Ok(AtomicFile::create(path, Overwrite::Replace)?.write_and_commit(text.as_bytes())?)
    }

    /// The lines of the caption.
    fn caption(&self) -> Vec<String> {
        let s = &self.summary;
        let what = match self.view {
            View::Operations => "operations",
            View::Steps => "steps",
        };
        let mut first = format!(
            "depth {}, {} {what}, {} ciphertext products, {} rotations",
            s.depth, s.operations, s.products, s.rotations
        );
        if s.levels != s.depth {
            first += &format!(", {} levels needed", s.levels);
        }
        let mut lines = vec![first];
        if s.unused > 0 {
            lines.push(format!(
                "not drawn: {} on which no output depends",
                s.unused
            ));
        }
        if let Some(collapsed) = &self.collapsed {
            lines.push(format!(
                "{} boxes drawn as {}: {}",
                collapsed.boxes,
                self.nodes.len(),
                collapsed.by
            ));
        }
        lines
    }
}
