//! What is drawn: nodes and edges of either view.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{NodeKind, Summary, View, kind, labels};
use crate::{
    Circuit, OpCount, Program,
    circuit::{Class, Input, NodeId, Op},
    program::{Form, Step, StepId},
};

/// A box of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PictureNode {
    /// What it does, by which it is coloured.
    pub kind: NodeKind,
    /// Name of the operation or step.
    pub name: String,
    /// The name that the circuit's author gave it: of an input, an output, or by `named`.
    pub label: Option<String>,
    /// The layout of an operation's result; the numbers of a step.
    pub detail: String,
    /// File and line where it was recorded.
    pub location: Option<String>,
    /// The section it was recorded in.
    pub section: Option<String>,
    /// Levels consumed from the inputs to its result.
    pub depth: usize,
    /// Levels that are still needed after it.
    pub level: usize,
    /// The form of a step's result.
    pub form: Option<Form>,
    /// Ciphertexts of its result.
    pub units: usize,
    /// How many operations or steps it stands for: 1, unless the picture was [collapsed](crate::Picture::collapsed).
    pub members: usize,
    /// Whether the critical path goes through it.
    pub critical: bool,
    /// Position among the circuit's operations, the program's steps, or its outputs; of the first member if it stands for several.
    pub index: usize,
}

/// An arrow of a picture, between positions in [`crate::Picture::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PictureEdge {
    /// Where it starts.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// How often the value is an operand there: twice for a square.
    pub uses: usize,
    /// Whether the critical path follows it.
    pub critical: bool,
}

/// Nodes, edges in order.
pub(super) struct Graph {
    pub(super) nodes: Vec<PictureNode>,
    pub(super) edges: Vec<PictureEdge>,
    pub(super) summary: Summary,
}

struct Edges(BTreeMap<(usize, usize), usize>);

impl Edges {
    fn add(&mut self, from: usize, to: usize) {
        *self.0.entry((from, to)).or_insert(0) += 1;
    }

    fn finish(self) -> Vec<PictureEdge> {
        let edge = |((from, to), uses)| PictureEdge {
            from,
            to,
            uses,
            critical: false,
        };
        self.0.into_iter().map(edge).collect()
    }
}

/// Operations on which an output depends, and the outputs.
pub(super) fn operations(program: &Program) -> Graph {
    let circuit = program.circuit();
    let count = circuit.operations().len();
    // Live nodes of each operation, in order.
    let mut parts: Vec<Vec<NodeId>> = vec![vec![]; count];
    for (i, node) in circuit.nodes().iter().enumerate() {
        let id = NodeId(i);
        if circuit.level(id).is_some() {
            parts[node.operation().index()].push(id);
        }
    }
    let mut position = vec![None; count];
    let mut nodes = vec![];
    for (index, parts) in parts.iter().enumerate() {
        let Some(&last) = parts.last() else { continue };
        let operation = &circuit.operations()[index];
        position[index] = Some(nodes.len());
        nodes.push(PictureNode {
            kind: kind::together(parts.iter().map(|&p| circuit.node(p).op().class().into())),
            name: operation.name().to_owned(),
            label: operation.label().map(str::to_owned),
            detail: match parts.as_slice() {
                [one] if operation.layout().is_none_or(is_slots) => {
                    let node = circuit.node(*one);
                    labels::of_op(circuit, node.op(), node.operands(), node.units())
                }
                _ => operation.layout().map_or(String::new(), labels::of_layout),
            },
            location: Some(labels::of_location(operation.location())),
            section: operation.section().map(str::to_owned),
            depth: deepest(circuit, parts.iter().copied()),
            level: circuit.level(last).unwrap_or(0),
            form: None,
            units: circuit.node(last).units(),
            members: 1,
            critical: false,
            index,
        });
    }
    let mut edges = Edges(BTreeMap::new());
    for (index, parts) in parts.iter().enumerate() {
        let Some(to) = position[index] else { continue };
        let mut seen = vec![];
        for &part in parts {
            for &operand in circuit.node(part).operands() {
                let from = circuit.node(operand).operation().index();
                // Inside an operation of several nodes a value is an operand of the whole, once.
                let again = parts.len() > 1 && seen.contains(&from);
                if from != index && !again {
                    seen.push(from);
                    if let Some(from) = position[from] {
                        edges.add(from, to);
                    }
                }
            }
        }
    }
    let drawn = nodes.len();
    let ends = circuit.outputs().iter().map(|o| {
        let operation = circuit.node(o.node()).operation().index();
        position[operation]
    });
    let ends: Vec<Option<usize>> = ends.collect();
    add_outputs(circuit, &mut nodes, &mut edges, &ends);
    Graph {
        summary: summary(program, View::Operations, drawn, count - drawn),
        nodes,
        edges: edges.finish(),
    }
}

fn deepest(circuit: &Circuit, nodes: impl Iterator<Item = NodeId>) -> usize {
    nodes.map(|id| circuit.depth_of(id)).max().unwrap_or(0)
}

fn is_slots(layout: &crate::Layout) -> bool {
    matches!(layout, crate::Layout::Slots { .. })
}

/// All steps, and the outputs.
pub(super) fn steps(program: &Program) -> Graph {
    let circuit = program.circuit();
    let depths = program.chains(program.steps().iter().map(|s| s.op().levels() as f64));
    let mut nodes = vec![];
    let mut edges = Edges(BTreeMap::new());
    for (index, step) in program.steps().iter().enumerate() {
        let operation = program.operation_of(StepId(index));
        let label = if let Op::Input(input) = step.op() {
            Some(circuit.inputs()[*input].name())
        } else {
            operation.label()
        };
        nodes.push(PictureNode {
            kind: step.op().class().into(),
            name: step.name().to_owned(),
            label: label.map(str::to_owned),
            detail: labels::of_op(circuit, step.op(), step.operands(), step.units()),
            location: Some(labels::of_location(operation.location())),
            section: operation.section().map(str::to_owned),
            depth: depths[index] as usize,
            level: step.level(),
            form: Some(step.form()),
            units: step.units(),
            members: 1,
            critical: false,
            index,
        });
        for operand in step.operands() {
            edges.add(operand.index(), index);
        }
    }
    let drawn = nodes.len();
    let ends: Vec<Option<usize>> = program.outputs().iter().map(|o| Some(o.index())).collect();
    add_outputs(circuit, &mut nodes, &mut edges, &ends);
    Graph {
        summary: summary(program, View::Steps, drawn, 0),
        nodes,
        edges: edges.finish(),
    }
}

fn add_outputs(
    circuit: &Circuit,
    nodes: &mut Vec<PictureNode>,
    edges: &mut Edges,
    ends: &[Option<usize>],
) {
    for (index, (output, end)) in circuit.outputs().iter().zip(ends).enumerate() {
        let Some(from) = *end else { continue };
        edges.add(from, nodes.len());
        nodes.push(PictureNode {
            kind: NodeKind::Output,
            name: "output".into(),
            label: Some(output.name().to_owned()),
            detail: labels::of_layout(output.layout()),
            location: Some(labels::of_location(output.location())),
            section: None,
            depth: nodes[from].depth,
            level: output.level(),
            form: nodes[from].form.map(|_| Form::Settled),
            units: output.layout().units(),
            members: 1,
            critical: false,
            index,
        });
    }
}

fn summary(program: &Program, view: View, drawn: usize, unused: usize) -> Summary {
    let circuit = program.circuit();
    let used = |input: &&Input| circuit.level(input.node()).is_some();
    let is_input = |step: &&Step| step.op().class() == Class::Input;
    let inputs = match view {
        View::Operations => circuit.inputs().iter().filter(used).count(),
        View::Steps => program.steps().iter().filter(is_input).count(),
    };
    let count = OpCount::of(program);
    Summary {
        depth: deepest(
            circuit,
            circuit.outputs().iter().map(crate::circuit::Output::node),
        ),
        levels: circuit.levels_needed(),
        inputs,
        outputs: circuit.outputs().len(),
        operations: drawn - inputs,
        products: count.ciphertext_products(),
        rotations: count.rotations(),
        unused,
    }
}
