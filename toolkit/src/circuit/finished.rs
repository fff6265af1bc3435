//! Circuits that are recorded.

use std::collections::BTreeMap;

use arras_hal::Named;

use super::{Assumption, Input, Node, NodeId, Operation, Output, Plain, PlainId};
use crate::{Result, ToolkitError, ToolkitErrorKind};

/// A finished circuit.
#[derive(Clone, Debug)]
pub struct Circuit {
    slots: usize,
    nodes: Vec<Node>,
    operations: Vec<Operation>,
    plains: Vec<Plain>,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    largest: Option<Assumption>,
    /// Level of each node; `None` if no output depends on it.
    levels: Vec<Option<usize>>,
    /// Levels consumed from the inputs to each node.
    depths: Vec<usize>,
}

impl Circuit {
    pub(super) fn new(
        slots: usize,
        nodes: Vec<Node>,
        operations: Vec<Operation>,
        plains: Vec<Plain>,
        inputs: Vec<Input>,
        outputs: Vec<Output>,
        largest: Option<Assumption>,
    ) -> Result<Self> {
        if outputs.is_empty() {
            return Err(ToolkitError::from(ToolkitErrorKind::NoOutput).named("finish"));
        }
        let mut levels = vec![None; nodes.len()];
        for output in &outputs {
            let level = &mut levels[output.node.0];
            *level = (*level).max(Some(output.level));
        }
        for (i, node) in nodes.iter().enumerate().rev() {
            if let Some(level) = levels[i] {
                for operand in &node.operands {
                    let needed = &mut levels[operand.0];
                    *needed = (*needed).max(Some(level + node.op.levels()));
                }
            }
        }
        let mut depths = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let deepest = node.operands.iter().map(|o| depths[o.0]).max().unwrap_or(0);
            depths.push(deepest + node.op.levels());
        }
        Ok(Self {
            slots,
            nodes,
            operations,
            plains,
            inputs,
            outputs,
            largest,
            levels,
            depths,
        })
    }

    /// Slots of every ciphertext: half of the ring degree it runs at.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// All nodes; operands come before what uses them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// What its author assumes of all values at level 0.
    pub fn largest_value(&self) -> Option<Assumption> {
        self.largest
    }

    /// All operations, as their author wrote them.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation a node is part of.
    pub fn operation_of(&self, id: NodeId) -> &Operation {
        &self.operations[self.nodes[id.0].operation.0]
    }

    /// A constant.
    pub fn plain(&self, id: PlainId) -> &Plain {
        &self.plains[id.0]
    }

    /// All constants.
    pub fn plains(&self) -> &[Plain] {
        &self.plains
    }

    /// The inputs, in the order of their recording.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The outputs, in the order of their recording.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The level of a node: levels still needed after it. `None` if no output depends on it.
    pub fn level(&self, id: NodeId) -> Option<usize> {
        self.levels[id.0]
    }

    /// Levels consumed from the inputs to a node: its multiplicative depth.
    pub fn depth_of(&self, id: NodeId) -> usize {
        self.depths[id.0]
    }

    /// The level at which each input is needed, by name; `None` if no output depends on it.
    pub fn input_levels(&self) -> BTreeMap<&str, Option<usize>> {
        self.inputs
            .iter()
            .map(|input| (input.name.as_str(), self.level(input.node)))
            .collect()
    }

    /// Levels that parameters must have to run it: the most that any input needs.
    pub fn levels_needed(&self) -> usize {
        self.inputs
            .iter()
            .filter_map(|input| self.level(input.node))
            .max()
            .unwrap_or(0)
    }

    /// The input of a name.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::UnknownName`].
    pub fn input(&self, name: &str) -> Result<&Input> {
        let names = self.inputs.iter().map(Input::name);
        let found = self.inputs.iter().find(|input| input.name == name);
        found.ok_or_else(|| ToolkitError::unknown_name(name, names).named("input"))
    }

    /// The output of a name.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::UnknownName`].
    pub fn output(&self, name: &str) -> Result<&Output> {
        let names = self.outputs.iter().map(Output::name);
        let found = self.outputs.iter().find(|output| output.name == name);
        found.ok_or_else(|| ToolkitError::unknown_name(name, names).named("output"))
    }
}
