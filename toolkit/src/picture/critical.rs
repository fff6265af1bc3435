//! The longest chain from an input to an output.

use super::View;
use crate::{
    Picture, Program,
    circuit::{Node, NodeId},
    program::Step,
};

/// Weights of chains are compared by the first number, then by the second.
type Weight = (f64, f64);

/// The heaviest chain that ends at one of `ends`; operands come before what uses them. Of equal chains, the one recorded first.
fn heaviest(
    operands: &[Vec<usize>],
    mut ends: impl Iterator<Item = usize>,
    weight: impl Fn(usize) -> Weight,
) -> Vec<usize> {
    let first_heaviest = |of: &mut dyn Iterator<Item = usize>, best: &[(Weight, Option<usize>)]| {
        let heavier = |a: Weight, b: Weight| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).is_gt();
        of.reduce(|known, i| {
            if heavier(best[i].0, best[known].0) {
                i
            } else {
                known
            }
        })
    };
    let mut best: Vec<(Weight, Option<usize>)> = Vec::with_capacity(operands.len());
    for (i, operands) in operands.iter().enumerate() {
        let from = first_heaviest(&mut operands.iter().copied(), &best);
        let (own, before) = (weight(i), from.map_or((0.0, 0.0), |f| best[f].0));
        best.push(((own.0 + before.0, own.1 + before.1), from));
    }
    let end = first_heaviest(&mut ends, &best);
    let mut chain: Vec<usize> = std::iter::successors(end, |&i| best[i].1).collect();
    chain.reverse();
    chain
}

/// The positions in a picture of the chain that consumes most levels; of several, that of most steps.
pub(super) fn by_levels(program: &Program, picture: &Picture) -> Vec<usize> {
    let circuit = program.circuit();
    let chain_of =
        |operands: Vec<Vec<usize>>, ends: Vec<usize>, levels: &dyn Fn(usize) -> usize| {
            let chain = heaviest(&operands, ends.iter().copied(), |i| (levels(i) as f64, 1.0));
            let output = ends.iter().position(|end| Some(end) == chain.last());
            (chain, output)
        };
    let (mut path, end) = match picture.view {
        View::Steps => {
            // All steps are drawn, in order.
            let steps = program.steps();
            let operands = |s: &Step| s.operands().iter().map(|o| o.index()).collect();
            let ends = program.outputs().iter().map(|o| o.index()).collect();
            let levels = |i: usize| steps[i].op().levels();
            chain_of(steps.iter().map(operands).collect(), ends, &levels)
        }
        View::Operations => {
            // Through nodes, not operations: an operation may consume more levels from one operand than from another.
            let nodes = circuit.nodes();
            let operands = |n: &Node| n.operands().iter().map(|o| o.index()).collect();
            let outputs = circuit.outputs().iter();
            let ends = outputs.map(|o| o.node().index()).collect();
            let levels = |i: usize| nodes[i].op().levels();
            let (chain, output) = chain_of(nodes.iter().map(operands).collect(), ends, &levels);
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
