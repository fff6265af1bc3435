//! How many levels a circuit needs, and which operations they go to.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Interpretation, Place};
use crate::{Circuit, Program, Result, circuit::NodeId, program::StepId, text::Table};

/// Counts the levels consumed from the inputs to every step.
///
/// As an interpretation a step's value is its depth; [`Depth::of`] is the whole report on a circuit.
#[derive(Clone, Debug, Default)]
pub struct Depth {
    deepest: usize,
}

impl Depth {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The largest depth seen so far.
    pub fn deepest(&self) -> usize {
        self.deepest
    }

    /// The report on a circuit.
    pub fn of(circuit: &Circuit) -> DepthReport {
        DepthReport::new(circuit)
    }
}

impl Interpretation for Depth {
    type Value = usize;

    fn step(&mut self, program: &Program, id: StepId, operands: &[&usize]) -> Result<usize> {
        let before = operands.iter().map(|&&d| d).max().unwrap_or(0);
        let depth = before + program.step(id).op().levels();
        self.deepest = self.deepest.max(depth);
        Ok(depth)
    }
}

/// An operation with the depth of its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationDepth {
    /// The operation.
    pub place: Place,
    /// Levels consumed from the inputs to its result.
    pub depth: usize,
    /// Levels it consumes itself on its deepest path.
    pub own: usize,
    /// Levels still needed after it; `None` if no output depends on it.
    pub level: Option<usize>,
}

/// Depths of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthReport {
    levels_needed: usize,
    inputs: BTreeMap<String, Option<usize>>,
    outputs: BTreeMap<String, usize>,
    operations: Vec<OperationDepth>,
    critical_path: Vec<OperationDepth>,
}

impl DepthReport {
    fn new(circuit: &Circuit) -> Self {
        let operations = operations(circuit);
        let critical_path = critical_path(circuit)
            .into_iter()
            .map(|index| operations[index].clone())
            .collect();
        let inputs = circuit.input_levels().into_iter();
        Self {
            levels_needed: circuit.levels_needed(),
            inputs: inputs.map(|(name, l)| (name.to_owned(), l)).collect(),
            outputs: circuit
                .outputs()
                .iter()
                .map(|o| (o.name().to_owned(), circuit.depth_of(o.node())))
                .collect(),
            operations,
            critical_path,
        }
    }

    /// Levels that parameters must have.
    pub fn levels_needed(&self) -> usize {
        self.levels_needed
    }

    /// The level at which each input is needed; `None` if no output depends on it.
    pub fn inputs(&self) -> &BTreeMap<String, Option<usize>> {
        &self.inputs
    }

    /// Levels consumed from the inputs to each output.
    pub fn outputs(&self) -> &BTreeMap<String, usize> {
        &self.outputs
    }

    /// Every operation, in the order of recording.
    pub fn operations(&self) -> &[OperationDepth] {
        &self.operations
    }

    /// The operations of a longest path, by levels, from an input to the output that needs most.
    pub fn critical_path(&self) -> &[OperationDepth] {
        &self.critical_path
    }
}

fn operations(circuit: &Circuit) -> Vec<OperationDepth> {
    let mut all: Vec<OperationDepth> = circuit
        .operations()
        .iter()
        .map(|operation| OperationDepth {
            place: operation.into(),
            depth: 0,
            own: 0,
            level: None,
        })
        .collect();
    let mut before = vec![0; all.len()];
    for (i, node) in circuit.nodes().iter().enumerate() {
        let index = node.operation().index();
        let of = &mut all[index];
        of.depth = of.depth.max(circuit.depth_of(NodeId(i)));
        // The last node is the result.
        of.level = circuit.level(NodeId(i));
        for &operand in node.operands() {
            if circuit.node(operand).operation().index() != index {
                before[index] = before[index].max(circuit.depth_of(operand));
            }
        }
    }
    for (of, before) in all.iter_mut().zip(before) {
        of.own = of.depth.saturating_sub(before);
    }
    all
}

/// Positions of the operations on a longest path, each once.
fn critical_path(circuit: &Circuit) -> Vec<usize> {
    let deepest = circuit
        .outputs()
        .iter()
        .map(|o| (o.level() + circuit.depth_of(o.node()), o.node()))
        // Of equal ones the first.
        .rev()
        .max_by_key(|&(total, _)| total);
    let mut path = vec![];
    let mut at = deepest.map(|(_, node)| node);
    while let Some(id) = at {
        let node = circuit.node(id);
        let index = node.operation().index();
        if path.last() != Some(&index) {
            path.push(index);
        }
        at = node
            .operands()
            .iter()
            .copied()
            .rev()
            .max_by_key(|&operand| circuit.depth_of(operand));
    }
    path.reverse();
    path
}

impl fmt::Display for DepthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "levels needed: {}", self.levels_needed)?;
        for (name, depth) in &self.outputs {
            writeln!(f, "depth of output {name:?}: {depth}")?;
        }
        let mut table = Table::new(["critical path", "levels", "depth", "recorded at"]);
        for step in &self.critical_path {
            table.row([
                step.place.title(),
                step.own.to_string(),
                step.depth.to_string(),
                step.place.source(),
            ]);
        }
        write!(f, "{table}")
    }
}
