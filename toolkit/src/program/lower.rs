//! From nodes to steps.

use std::collections::HashMap;

use super::{Form, State, Step, StepId};
use crate::{
    Circuit,
    circuit::{Node, NodeId, Op},
    op::Takes,
};

/// Steps of a circuit, and those of its outputs.
pub(super) fn lower(circuit: &Circuit) -> (Vec<Step>, Vec<StepId>) {
    let mut lowering = Lowering {
        steps: vec![],
        known: HashMap::new(),
        of_node: vec![None; circuit.nodes().len()],
        settled_anyway: settled_anyway(circuit),
    };
    for (i, node) in circuit.nodes().iter().enumerate() {
        let id = NodeId(i);
        if let Some(level) = circuit.level(id) {
            let step = lowering.node(id, node, level);
            lowering.of_node[i] = Some(step);
        }
    }
    let outputs = circuit
        .outputs()
        .iter()
        .map(|output| lowering.settled(output.node, output.level, output.node))
        .collect();
    (lowering.steps, outputs)
}

type Key = ((&'static str, Vec<u64>), Vec<StepId>, usize);

struct Lowering {
    steps: Vec<Step>,
    /// Steps by what they do, to which operands, at which level: equal ones are computed once.
    known: HashMap<Key, StepId>,
    of_node: Vec<Option<StepId>>,
    /// Nodes whose settled value is needed somewhere: using it everywhere saves a second settling.
    settled_anyway: Vec<bool>,
}

/// Nodes that an output or an operation takes settled, whatever their form.
fn settled_anyway(circuit: &Circuit) -> Vec<bool> {
    let mut needed = vec![false; circuit.nodes().len()];
    for output in circuit.outputs() {
        needed[output.node().0] = true;
    }
    for (i, node) in circuit.nodes().iter().enumerate() {
        if node.op.row().takes == Takes::Settled && circuit.level(NodeId(i)).is_some() {
            for operand in &node.operands {
                needed[operand.0] = true;
            }
        }
    }
    needed
}

impl Lowering {
    fn step(
        &mut self,
        op: Op,
        operands: Vec<StepId>,
        units: usize,
        state: State,
        node: NodeId,
    ) -> StepId {
        let next = StepId(self.steps.len());
        let key = (op.identity(), operands.clone(), state.level);
        let id = *self.known.entry(key).or_insert(next);
        if id == next {
            self.steps.push(Step {
                op,
                operands,
                units,
                state,
                from: state,
                node,
                assumed: None,
            });
        }
        id
    }

    #[expect(
        clippy::expect_used,
        reason = "operands of a live node are live and recorded before it"
    )]
    fn value(&self, node: NodeId) -> StepId {
        self.of_node[node.0].expect("operands come first")
    }

    /// The value of a node, settled at a level not above its own.
    fn settled(&mut self, node: NodeId, level: usize, for_node: NodeId) -> StepId {
        let mut id = self.value(node);
        let Step { state, units, .. } = self.steps[id.0];
        let settled = |level| State {
            level,
            form: Form::Settled,
        };
        if state.form != Form::Settled {
            let op = Op::RelinearizeAndRescale;
            id = self.step(op, vec![id], units, settled(state.level), node);
        }
        if state.level > level {
            id = self.step(Op::LowerLevel(0), vec![id], units, settled(level), for_node);
        }
        id
    }

    /// The values of operands as they are if all are at `level` and their forms allow, else settled.
    fn loose(
        &mut self,
        operands: &[NodeId],
        level: usize,
        allowed: impl Fn(&[Form]) -> bool,
        for_node: NodeId,
    ) -> (Vec<StepId>, Form) {
        let ids: Vec<StepId> = operands.iter().map(|&o| self.value(o)).collect();
        let states: Vec<State> = ids.iter().map(|&id| self.steps[id.0].state).collect();
        let forms: Vec<Form> = states.iter().map(|s| s.form).collect();
        let pending = || {
            let mut pending = operands
                .iter()
                .zip(&forms)
                .filter(|(_, f)| **f != Form::Settled);
            pending.any(|(o, _)| !self.settled_anyway[o.0])
                || forms.iter().all(|&f| f == Form::Settled)
        };
        if states.iter().all(|s| s.level == level) && allowed(&forms) && pending() {
            let form = forms.into_iter().max().unwrap_or(Form::Settled);
            return (ids, form);
        }
        let ids = operands
            .iter()
            .map(|&o| self.settled(o, level, for_node))
            .collect();
        (ids, Form::Settled)
    }

    fn node(&mut self, id: NodeId, node: &Node, level: usize) -> StepId {
        let row = node.op.row();
        let (units, operands) = (node.units, node.operands.as_slice());
        let (ids, form) = match row.takes {
            Takes::Settled => {
                let from = level + row.levels;
                let settled = operands.iter().map(|&o| self.settled(o, from, id));
                (settled.collect(), row.gives)
            }
            Takes::Any => self.loose(operands, level, |_| true, id),
            Takes::OneForm => {
                let same = |forms: &[Form]| forms.windows(2).all(|f| f[0] == f[1]);
                self.loose(operands, level, same, id)
            }
            Takes::OneWindow => {
                // Pending sums must be of equal batches; and a sum of one value with itself is as good settled.
                let equal = operands
                    .iter()
                    .all(|&o| self.steps[self.value(o).0].units == units);
                let allowed = |forms: &[Form]| {
                    forms.iter().all(|&f| f == Form::Settled)
                        || (equal && forms.iter().all(|&f| f != Form::Settled))
                };
                self.loose(operands, level, allowed, id)
            }
            Takes::TwoComponents => {
                let two = |forms: &[Form]| forms.iter().all(|&f| f != Form::Pending3);
                (self.loose(operands, level, two, id).0, row.gives)
            }
        };
        let result = if node.op == Op::RelinearizeAndRescale {
            ids[0]
        } else {
            self.step(node.op.clone(), ids, units, State { level, form }, id)
        };
        if let Some(assumption) = node.assumption {
            // A step that several nodes share keeps all of what they say.
            let assumed = &mut self.steps[result.0].assumed;
            *assumed = Some(assumed.map_or(assumption.bound, |b| b.min(assumption.bound)));
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use crate::{Program, Recorder, circuit::Op, program::Form};

    fn settles(record: impl FnOnce(&Recorder)) -> usize {
        let recorder = Recorder::new(16).unwrap();
        record(&recorder);
        let program = Program::new(recorder.finish().unwrap());
        let steps = program.steps().iter();
        steps
            .filter(|s| *s.op() == Op::RelinearizeAndRescale)
            .count()
    }

    #[test]
    fn sums_of_products_settle_once() {
        let count = settles(|r| {
            let (a, b) = (r.slots_input("a", 1), r.slots_input("b", 1));
            let sum = a.multiply(&b).add(&a.square()).negate().add_scalar(1.0);
            r.output("sum", &sum);
        });
        assert_eq!(count, 1);
    }

    #[test]
    fn a_value_settled_anyway_is_settled_once() {
        let count = settles(|r| {
            let a = r.slots_input("a", 1);
            let p = a.square();
            r.output("fourth", &p.square());
            r.output("twice", &p.multiply_integer(3).lower_level(1));
        });
        // The square and its square: three times the square comes from the settled one.
        assert_eq!(count, 2);
    }

    #[test]
    fn equal_steps_are_computed_once() {
        let r = Recorder::new(16).unwrap();
        let a = r.slots_input("a", 1);
        r.output("x", &a.rotate(1).add(&a.rotate(1 - 16)));
        r.output("y", &a.square().add(&a.square()));
        let program = Program::new(r.finish().unwrap());
        let count = |op: &Op| program.steps().iter().filter(|s| s.op() == op).count();
        assert_eq!((count(&Op::Rotate(1)), count(&Op::Multiply)), (1, 1));
    }

    #[test]
    fn products_with_constants_are_rotated_and_rescaled_in_one() {
        let r = Recorder::new(16).unwrap();
        let a = r.slots_input("a", 1);
        let scaled = a.multiply_plain(vec![vec![1.0, 0.5]]);
        r.output("x", &scaled.rotate(1));
        let program = Program::new(r.finish().unwrap());
        assert!(
            program
                .steps()
                .iter()
                .all(|s| *s.op() != Op::RelinearizeAndRescale)
        );
        assert!(program.steps().iter().any(|s| s.form() == Form::Pending2));
    }
}
