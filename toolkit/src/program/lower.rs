//! From nodes to steps.

use std::collections::HashMap;

use super::{Form, Step, StepId, StepOp};
use crate::{
    Circuit,
    circuit::{Node, NodeId, Op},
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

struct Lowering {
    steps: Vec<Step>,
    /// Steps by what they do, to which operands, at which level: equal ones are computed once.
    known: HashMap<Vec<u64>, StepId>,
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
        let takes_settled = matches!(
            node.op,
            Op::AddPlain(_)
                | Op::Multiply
                | Op::SumOfProducts
                | Op::MultiplyPlain(_)
                | Op::MultiplyScalar(_)
                | Op::WeightedRotationSum { .. }
                | Op::Settle
                | Op::LowerLevel(_)
        );
        if takes_settled && circuit.level(NodeId(i)).is_some() {
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
        op: StepOp,
        operands: Vec<StepId>,
        units: usize,
        level: usize,
        form: Form,
        node: NodeId,
    ) -> StepId {
        let next = StepId(self.steps.len());
        let id = *self.known.entry(key(&op, &operands, level)).or_insert(next);
        if id == next {
            self.steps.push(Step {
                op,
                operands,
                units,
                level,
                form,
                node,
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

    fn at(&self, id: StepId) -> (usize, Form, usize) {
        let step = &self.steps[id.0];
        (step.level, step.form, step.units)
    }

    /// The value of a node, settled at a level not above its own.
    fn settled(&mut self, node: NodeId, level: usize, for_node: NodeId) -> StepId {
        let mut id = self.value(node);
        let (from, form, units) = self.at(id);
        if form != Form::Settled {
            id = self.step(StepOp::Settle, vec![id], units, from, Form::Settled, node);
        }
        if from > level {
            id = self.step(
                StepOp::LevelDown,
                vec![id],
                units,
                level,
                Form::Settled,
                for_node,
            );
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
        let states: Vec<_> = ids.iter().map(|&id| self.at(id)).collect();
        let forms: Vec<Form> = states.iter().map(|s| s.1).collect();
        let pending = || {
            let mut pending = operands
                .iter()
                .zip(&forms)
                .filter(|(_, f)| **f != Form::Settled);
            pending.any(|(o, _)| !self.settled_anyway[o.0])
                || forms.iter().all(|&f| f == Form::Settled)
        };
        if states.iter().all(|s| s.0 == level) && allowed(&forms) && pending() {
            let form = forms.into_iter().max().unwrap_or(Form::Settled);
            return (ids, form);
        }
        let ids = operands
            .iter()
            .map(|&o| self.settled(o, level, for_node))
            .collect();
        (ids, Form::Settled)
    }

    fn all_settled(&mut self, operands: &[NodeId], level: usize, for_node: NodeId) -> Vec<StepId> {
        operands
            .iter()
            .map(|&o| self.settled(o, level, for_node))
            .collect()
    }

    fn node(&mut self, id: NodeId, node: &Node, level: usize) -> StepId {
        let from = level + node.op.levels();
        let (units, operands) = (node.units, node.operands.as_slice());
        let (op, ids, form) = match &node.op {
            Op::Input { index } => (StepOp::Input(*index), vec![], Form::Settled),
            Op::Add | Op::Sub => {
                // Pending sums must be of equal batches; and a sum of one value with itself is as good settled.
                let equal = operands.iter().all(|&o| self.at(self.value(o)).2 == units);
                let allowed = |forms: &[Form]| {
                    forms.iter().all(|&f| f == Form::Settled)
                        || (equal && forms.iter().all(|&f| f != Form::Settled))
                };
                let (ids, form) = self.loose(operands, level, allowed, id);
                let op = if node.op == Op::Add {
                    StepOp::Add
                } else {
                    StepOp::Sub
                };
                (op, ids, form)
            }
            Op::Negate => {
                let (ids, form) = self.loose(operands, level, |_| true, id);
                (StepOp::Negate, ids, form)
            }
            Op::AddScalar(value) => {
                let (ids, form) = self.loose(operands, level, |_| true, id);
                (StepOp::AddScalar(*value), ids, form)
            }
            Op::MultiplyInteger(value) => {
                let (ids, form) = self.loose(operands, level, |_| true, id);
                (StepOp::MultiplyInteger(*value), ids, form)
            }
            Op::Pick(indices) => {
                let (ids, form) = self.loose(operands, level, |_| true, id);
                (StepOp::Pick(indices.clone()), ids, form)
            }
            Op::Concat => {
                let same = |forms: &[Form]| forms.windows(2).all(|f| f[0] == f[1]);
                let (ids, form) = self.loose(operands, level, same, id);
                (StepOp::Concat, ids, form)
            }
            Op::AddPlain(plain) => (
                StepOp::AddPlain(*plain),
                self.all_settled(operands, from, id),
                Form::Settled,
            ),
            Op::Multiply => (
                StepOp::Multiply,
                self.all_settled(operands, from, id),
                Form::Pending3,
            ),
            Op::SumOfProducts => (
                StepOp::SumOfProducts,
                self.all_settled(operands, from, id),
                Form::Pending3,
            ),
            Op::MultiplyPlain(plain) => (
                StepOp::MultiplyPlain(*plain),
                self.all_settled(operands, from, id),
                Form::Pending2,
            ),
            Op::MultiplyScalar(value) => (
                StepOp::MultiplyScalar(*value),
                self.all_settled(operands, from, id),
                Form::Pending2,
            ),
            Op::Rotate(steps) => {
                let ids = self.linear(operands, level, id);
                (StepOp::Rotate(*steps), ids, Form::Settled)
            }
            Op::RotationSum(steps) => {
                let ids = self.linear(operands, level, id);
                (StepOp::RotationSum(steps.clone()), ids, Form::Settled)
            }
            Op::WeightedRotationSum { steps, weights } => (
                StepOp::WeightedRotationSum {
                    steps: steps.clone(),
                    weights: weights.clone(),
                },
                self.all_settled(operands, from, id),
                Form::Settled,
            ),
            Op::Settle => return self.settled(operands[0], level, id),
            Op::LowerLevel(_) => {
                let settled = self.settled(operands[0], from, id);
                (StepOp::LevelDown, vec![settled], Form::Settled)
            }
        };
        self.step(op, ids, units, level, form, id)
    }

    /// Operands of two components: a key switch can rescale on its way.
    fn linear(&mut self, operands: &[NodeId], level: usize, id: NodeId) -> Vec<StepId> {
        let linear = |forms: &[Form]| forms.iter().all(|&f| f != Form::Pending3);
        self.loose(operands, level, linear, id).0
    }
}

/// What tells steps apart.
fn key(op: &StepOp, operands: &[StepId], level: usize) -> Vec<u64> {
    let mut key = vec![level as u64, operands.len() as u64];
    key.extend(operands.iter().map(|o| o.0 as u64));
    match op {
        StepOp::Input(index) => key.extend([0, *index as u64]),
        StepOp::Add => key.push(1),
        StepOp::Sub => key.push(2),
        StepOp::Negate => key.push(3),
        StepOp::AddPlain(p) => key.extend([4, p.0 as u64]),
        StepOp::AddScalar(x) => key.extend([5, x.to_bits()]),
        StepOp::Multiply => key.push(6),
        StepOp::SumOfProducts => key.push(7),
        StepOp::MultiplyPlain(p) => key.extend([8, p.0 as u64]),
        StepOp::MultiplyScalar(x) => key.extend([9, x.to_bits()]),
        StepOp::MultiplyInteger(x) => key.extend([10, *x as u64]),
        StepOp::Rotate(s) => key.extend([11, *s as u64]),
        StepOp::RotationSum(s) => {
            key.push(12);
            key.extend(s.iter().map(|&s| s as u64));
        }
        StepOp::WeightedRotationSum { steps, weights } => {
            key.push(13);
            for (s, w) in steps.iter().zip(weights) {
                key.extend([*s as u64, w.0 as u64]);
            }
        }
        StepOp::Pick(indices) => {
            key.push(14);
            key.extend(indices.iter().map(|&i| i as u64));
        }
        StepOp::Concat => key.push(15),
        StepOp::Settle => key.push(16),
        StepOp::LevelDown => key.push(17),
        StepOp::WeightedSum(weights) => {
            key.push(18);
            key.extend(weights.iter().map(|w| w.0 as u64));
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use crate::{
        Program, Recorder,
        program::{Form, StepOp},
    };

    fn settles(record: impl FnOnce(&Recorder)) -> usize {
        let recorder = Recorder::new(16).unwrap();
        record(&recorder);
        let program = Program::new(recorder.finish().unwrap());
        let steps = program.steps().iter();
        steps.filter(|s| *s.op() == StepOp::Settle).count()
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
        let count = |op: &StepOp| program.steps().iter().filter(|s| s.op() == op).count();
        assert_eq!(
            (count(&StepOp::Rotate(1)), count(&StepOp::Multiply)),
            (1, 1)
        );
    }

    #[test]
    fn products_with_constants_are_rotated_and_rescaled_in_one() {
        let r = Recorder::new(16).unwrap();
        let a = r.slots_input("a", 1);
        let scaled = a.multiply_plain(vec![vec![1.0, 0.5]]);
        r.output("x", &scaled.rotate(1));
        let program = Program::new(r.finish().unwrap());
        assert!(program.steps().iter().all(|s| *s.op() != StepOp::Settle));
        assert!(program.steps().iter().any(|s| s.form() == Form::Pending2));
    }
}
