//! Circuits: recorded once, then run or examined.
//!
//! ```text
//!   Recorder --input--> handles --operations--> handles --output, finish--> Circuit
//!                        |                                                    |
//!                  one Operation for each call of the author,            immutable graph
//!                  lowered at once to Nodes on batches of slots          with level needs
//! ```
//! Levels are counted from the outputs: the level of a node is what is still needed after it, so every node is computed at
//! the lowest level at which the rest of the circuit fits, and every input says at which level it is needed.

pub(crate) mod finished;
mod graph;
pub(crate) mod record;
pub(crate) mod slots;

use std::panic::Location;

pub(crate) use graph::shortest_period;
pub use graph::{Assumption, Node, NodeId, Operation, OperationId, Plain, PlainId};
pub use record::{Section, Summing};

use crate::Layout;
pub use crate::op::{Class, Op};

/// A named input of a circuit.
#[derive(Clone, Debug)]
pub struct Input {
    pub(crate) name: String,
    pub(crate) layout: Layout,
    pub(crate) node: NodeId,
}

impl Input {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape and encoding.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its node.
    pub fn node(&self) -> NodeId {
        self.node
    }
}

/// A named output of a circuit.
#[derive(Clone, Debug)]
pub struct Output {
    pub(crate) name: String,
    pub(crate) layout: Layout,
    pub(crate) node: NodeId,
    pub(crate) level: usize,
    pub(crate) location: &'static Location<'static>,
}

impl Output {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape and encoding.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The level at which it is delivered.
    pub fn level(&self) -> usize {
        self.level
    }

    /// Where it was recorded.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}
