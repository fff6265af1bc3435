//! How large values can be: bounds on every value of a circuit, from those of its inputs, before anything runs.

use std::{collections::BTreeSet, fmt};

use arras_ckks::Parameters;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::{
    Circuit, Program, Result, ToolkitErrorKind,
    circuit::{Assumption, Node, NodeId, Op, Plain, shortest_period},
    linalg::filled,
    program::StepId,
    text::magnitude,
};

/// Bounds of the slots of a batch: a vector for each ciphertext, as long as the power of two after which it repeats.
type Batch = Vec<Vec<f64>>;

/// Bounds on the magnitudes of all values of a circuit: no slot of a node's result holds more, if inputs hold no more than was said of
/// them and the circuit's assumptions ([`Recorder::assume`](crate::Recorder::assume)) are true.
///
/// Every slot has a bound of its own while they are computed, so that what masks take out counts for nothing. The rules are those of
/// [`arras_ckks::Ciphertext::bound`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// Of nodes that outputs depend on, the largest of all slots.
    nodes: Vec<Option<f64>>,
}

impl Bounds {
    /// Bounds of a circuit whose inputs have entries up to what `input` says of their names; their padding is zero.
    pub fn of(circuit: &Circuit, input: impl Fn(&str) -> f64) -> Self {
        let count = circuit.nodes().len();
        let (mut values, mut nodes) = (vec![None; count], vec![None; count]);
        let mut last = vec![0; count];
        for (i, node) in circuit.nodes().iter().enumerate() {
            node.operands().iter().for_each(|o| last[o.index()] = i);
        }
        for (i, node) in circuit.nodes().iter().enumerate() {
            if circuit.level(NodeId(i)).is_none() {
                continue;
            }
            let operands: Vec<&Batch> = node
                .operands()
                .iter()
                .filter_map(|o| values[o.index()].as_ref())
                .collect();
            let mut value = bounds(circuit, node, &operands, &input);
            if let Some(most) = assumed(circuit, NodeId(i)) {
                value.iter_mut().flatten().for_each(|x| *x = x.min(most));
            }
            let largest = value.iter().flatten().copied().fold(0.0, f64::max);
            nodes[i] = Some(largest);
            values[i] = Some(value.into_iter().map(shortest_period).collect());
            for operand in node.operands() {
                if last[operand.index()] == i {
                    values[operand.index()] = None;
                }
            }
        }
        Self { nodes }
    }

    /// Of a node's result; zero if no output depends on it.
    pub fn node(&self, id: NodeId) -> f64 {
        self.nodes[id.index()].unwrap_or_default()
    }

    /// Of a step's result.
    pub fn step(&self, program: &Program, id: StepId) -> f64 {
        let mut step = program.step(id);
        let most = assumed_of(program, id).unwrap_or(f64::INFINITY);
        // What only brings a value to another form or level may be named after the node that needs it.
        while let (Op::RelinearizeAndRescale | Op::LowerLevel(_), Some(&of)) =
            (step.op(), step.operands().first())
        {
            step = program.step(of);
        }
        self.node(step.node()).min(most)
    }

    /// Checks that every step's level holds its values.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::HeadroomExceeded`], naming the first step that may go beyond.
    pub fn check(&self, program: &Program, params: &Parameters) -> Result<()> {
        match self.exceeded(program, params) {
            Some(text) => Err(ToolkitErrorKind::HeadroomExceeded(text).into()),
            None => Ok(()),
        }
    }

    /// The first step whose level may not hold its values, in words.
    pub(crate) fn exceeded(&self, program: &Program, params: &Parameters) -> Option<String> {
        for i in 0..program.steps().len() {
            let id = StepId(i);
            let bound = self.step(program, id);
            let level = program.step(id).level();
            let within = level <= params.max_level() && bound <= params.headroom(level);
            if !within {
                let operation = program.operation_of(id);
                let step = program.step(id);
                return Some(format!(
                    "{} (step {i}, {}): values may reach {} at level {level}, which holds less than 2^{:.1}, by the ranges of the inputs; where \
                     they cannot, say so with Recorder::assume",
                    Place::from(operation),
                    step.name(),
                    magnitude(bound),
                    params.headroom_bits(level.min(params.max_level())),
                ));
            }
        }
        None
    }
}

fn zip(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let length = a.len().max(b.len());
    let at = |v: &[f64], j: usize| v[j & (v.len() - 1)];
    (0..length).map(|j| f(at(a, j), at(b, j))).collect()
}

/// Rotated to the left by `steps`.
fn rotated(v: &[f64], steps: i64) -> Vec<f64> {
    let shift = steps.rem_euclid(v.len() as i64) as usize;
    [&v[shift..], &v[..shift]].concat()
}

/// What a circuit assumes of a node's result.
fn assumed(circuit: &Circuit, node: NodeId) -> Option<f64> {
    let everywhere = circuit
        .largest_value()
        .filter(|_| circuit.level(node) == Some(0));
    let stated = circuit.node(node).assumption();
    let bounds = [everywhere, stated].into_iter().flatten().map(|a| a.bound);
    bounds.reduce(f64::min)
}

/// What a program's circuit assumes of a step's result.
pub(super) fn assumed_of(program: &Program, id: StepId) -> Option<f64> {
    let step = program.step(id);
    let everywhere = program
        .circuit()
        .largest_value()
        .filter(|_| step.level() == 0);
    let bounds = [everywhere.map(|a| a.bound), step.assumed()];
    bounds.into_iter().flatten().reduce(f64::min)
}

/// The bounds of a node's result from those of its operands.
fn bounds(
    circuit: &Circuit,
    node: &Node,
    operands: &[&Batch],
    input: &impl Fn(&str) -> f64,
) -> Batch {
    let units = node.units();
    let unit =
        |operand: usize, u: usize| -> &[f64] { &operands[operand][u % operands[operand].len()] };
    let plain = |plain: &Plain, u: usize| -> Vec<f64> {
        let vectors = plain.vectors();
        vectors[u % vectors.len()].iter().map(|x| x.abs()).collect()
    };
    let each = |f: &dyn Fn(usize) -> Vec<f64>| -> Batch { (0..units).map(f).collect() };
    let sum = |terms: usize, term: &dyn Fn(usize, usize) -> Vec<f64>| -> Batch {
        let add = |sum: Vec<f64>, more: Vec<f64>| zip(&sum, &more, |a, b| a + b);
        each(&|u| (0..terms).map(|k| term(k, u)).fold(vec![0.0], add))
    };
    let times = |a: &[f64], b: &[f64]| zip(a, b, |a, b| a * b);
    match node.op() {
        Op::Input(index) => {
            let of = &circuit.inputs()[*index];
            filled(of.layout(), input(of.name()).abs())
        }
        Op::Negate | Op::RelinearizeAndRescale | Op::LowerLevel(_) => operands[0].clone(),
        Op::Add | Op::Sub => each(&|u| zip(unit(0, u), unit(1, u), |a, b| a + b)),
        Op::AddPlain(p) | Op::SubPlain(p) => {
            let p = circuit.plain(*p);
            each(&|u| zip(unit(0, u), &plain(p, u), |a, b| a + b))
        }
        Op::AddScalar(x) => each(&|u| unit(0, u).iter().map(|a| a + x.abs()).collect()),
        Op::Multiply => {
            let second = operands.len() - 1;
            each(&|u| times(unit(0, u), unit(second, u)))
        }
        Op::SumOfProducts => sum(operands.len() / 2, &|k, u| {
            times(unit(2 * k, u), unit(2 * k + 1, u))
        }),
        Op::MultiplyPlain(p) => {
            let p = circuit.plain(*p);
            each(&|u| times(unit(0, u), &plain(p, u)))
        }
        Op::WeightedSum(weights) => sum(weights.len(), &|k, u| {
            times(unit(k, u), &plain(circuit.plain(weights[k]), u))
        }),
        Op::MultiplyScalar(x) => each(&|u| unit(0, u).iter().map(|a| a * x.abs()).collect()),
        Op::MultiplyInteger(x) => {
            let x = x.unsigned_abs() as f64;
            each(&|u| unit(0, u).iter().map(|a| a * x).collect())
        }
        Op::Rotate(_) | Op::RotationSum(_) => {
            let steps = node.op().rotations();
            sum(steps.len(), &|k, u| rotated(unit(0, u), steps[k]))
        }
        Op::WeightedRotationSum { steps, weights } => sum(steps.len(), &|k, u| {
            times(
                &rotated(unit(0, u), steps[k]),
                &plain(circuit.plain(weights[k]), u),
            )
        }),
        Op::Pick(positions) => positions.iter().map(|&i| unit(0, i).to_vec()).collect(),
        Op::Concat => operands.iter().flat_map(|o| o.iter().cloned()).collect(),
    }
}

/// An assumption of a circuit: a value's author states a bound that operations cannot tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedAssumption {
    /// The operation whose result it is about.
    pub place: Place,
    /// What magnitudes do not exceed.
    pub bound: f64,
}

impl PlannedAssumption {
    /// Those of a circuit, in the order of recording, that of all values at level 0 first; of what one operation assumes of its parts the first,
    /// which is about its argument.
    pub fn of(circuit: &Circuit) -> Vec<Self> {
        let everywhere = circuit.largest_value().map(|assumption| Self {
            place: place("every value at level 0", assumption),
            bound: assumption.bound,
        });
        let nodes = (0..circuit.nodes().len()).map(NodeId);
        let live = nodes.filter(|&id| circuit.level(id).is_some());
        let stated = live.filter_map(|id| {
            let bound = circuit.node(id).assumption()?.bound;
            Some(Self::of_node(circuit, id, bound))
        });
        let mut places = BTreeSet::new();
        let all = everywhere.into_iter().chain(stated);
        all.filter(|a| places.insert(a.place.clone())).collect()
    }

    /// Of a node's result: named like its operation, placed where it was stated.
    pub(super) fn of_node(circuit: &Circuit, node: NodeId, bound: f64) -> Self {
        let operation = Place::from(circuit.operation_of(node));
        let stated = circuit.node(node).assumption().filter(|a| a.bound == bound);
        let place = match stated.or(circuit.largest_value()) {
            Some(assumption) => Place {
                label: operation.label.clone(),
                ..place(&operation.operation, assumption)
            },
            None => operation,
        };
        Self { place, bound }
    }
}

fn place(operation: &str, Assumption { location, .. }: Assumption) -> Place {
    Place {
        operation: operation.into(),
        label: None,
        file: location.file().into(),
        line: location.line(),
        column: location.column(),
    }
}

impl fmt::Display for PlannedAssumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "up to {}: {}", magnitude(self.bound), self.place)
    }
}

/// An assumption that does not hold for these inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BrokenAssumption {
    /// What was assumed, and where.
    pub assumption: PlannedAssumption,
    /// The largest magnitude that was found.
    pub largest: f64,
}

impl fmt::Display for BrokenAssumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = magnitude(self.largest);
        write!(f, "values reach {largest}, assumed {}", self.assumption)
    }
}
