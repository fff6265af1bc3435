//! The longest chain from an input to an output.

use super::{Picture, View};
use crate::{Program, circuit::NodeId};

/// Weights of chains are compared by the first number, then by the second.
type Weight = (f64, f64);

/// The heaviest chain that ends at one of `ends`; operands come before what uses them. Of equal chains, the one recorded first.
fn heaviest(
    operands: &[Vec<usize>],
    ends: impl Iterator<Item = usize>,
    weight: impl Fn(usize) -> Weight,
) -> Vec<usize> {
    let heavier = |a: Weight, b: Weight| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).is_gt();
    let mut best: Vec<(Weight, Option<usize>)> = Vec::with_capacity(operands.len());
    for (i, operands) in operands.iter().enumerate() {
        let mut from: Option<usize> = None;
        for &operand in operands {
            if from.is_none_or(|f| heavier(best[operand].0, best[f].0)) {
                from = Some(operand);
            }
        }
        let (own, before) = (weight(i), from.map_or((0.0, 0.0), |f| best[f].0));
        best.push(((own.0 + before.0, own.1 + before.1), from));
    }
    let mut end: Option<usize> = None;
    for candidate in ends {
        if end.is_none_or(|e| heavier(best[candidate].0, best[e].0)) {
            end = Some(candidate);
        }
    }
    let mut chain = vec![];
    while let Some(i) = end {
        chain.push(i);
        end = best[i].1;
    }
    chain.reverse();
    chain
}

/// The positions in a picture of the chain that consumes most levels; of several, that of most steps.
pub(super) fn by_levels(program: &Program, picture: &Picture) -> Vec<usize> {
    let circuit = program.circuit();
    let (mut path, end) = match picture.view {
        View::Steps => {
            let operands: Vec<Vec<usize>> = program
                .steps()
                .iter()
                .map(|s| s.operands().iter().map(|o| o.index()).collect())
                .collect();
            let ends = program.outputs().iter().map(|o| o.index());
            let weight = |i: usize| (program.steps()[i].op().levels() as f64, 1.0);
            let chain = heaviest(&operands, ends, weight);
            let end = chain.last().copied();
            let output = program
                .outputs()
                .iter()
                .position(|o| Some(o.index()) == end);
            // All steps are drawn, in order.
            (chain, output)
        }
        View::Operations => {
            // Through nodes, not operations: an operation may consume more levels from one operand than from another.
            let operands: Vec<Vec<usize>> = circuit
                .nodes()
                .iter()
                .map(|n| n.operands().iter().map(|o| o.index()).collect())
                .collect();
            let ends = circuit.outputs().iter().map(|o| o.node().index());
            let weight = |i: usize| (circuit.nodes()[i].op().levels() as f64, 1.0);
            let chain = heaviest(&operands, ends, weight);
            let end = chain.last().copied();
            let output = circuit
                .outputs()
                .iter()
                .position(|o| Some(o.node().index()) == end);
            let mut path: Vec<usize> = vec![];
            for node in chain {
                let operation = circuit.node(NodeId(node)).operation().index();
                let at = picture
                    .nodes
                    .partition_point(|n| n.kind != super::NodeKind::Output && n.index < operation);
                if path.last() != Some(&at) {
                    path.push(at);
                }
            }
            (path, output)
        }
    };
    // Outputs are drawn after everything else.
    path.extend(end.map(|output| first_output(picture) + output));
    path
}

/// The positions in a picture of the chain of the highest sum of costs.
pub(super) fn by_cost(picture: &Picture, cost: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut operands = vec![vec![]; picture.nodes.len()];
    for edge in &picture.edges {
        operands[edge.to].push(edge.from);
    }
    let ends = first_output(picture)..picture.nodes.len();
    heaviest(&operands, ends, |i| (cost(i), 1.0))
}

fn first_output(picture: &Picture) -> usize {
    let is_output = |n: &super::PictureNode| n.kind == super::NodeKind::Output;
    picture
        .nodes
        .iter()
        .position(is_output)
        .unwrap_or(picture.nodes.len())
}
