//! The picture itself.

use std::path::Path;

use arras_ckks::wire::{AtomicFile, Overwrite};
use serde::{Deserialize, Serialize};

use super::{
    Collapsed, PictureEdge, PictureError, PictureNode, Summary, View, collapse, critical, dot,
    graph, svg,
};
use crate::Program;

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
    pub(super) fn caption(&self) -> Vec<String> {
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
