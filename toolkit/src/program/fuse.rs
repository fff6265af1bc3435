//! Sums of products in one step.
//!
//! A sum whose terms are products that nobody else uses needs none of them in memory: all are added up in one pass over the
//! operands, to the same bits.

use super::{Step, StepId};
use crate::circuit::{Class, Op, PlainId};

/// The most products of one step: their operands are all alive at once.
const MOST_TERMS: usize = 64;

/// A step as a sum of products of one kind.
#[derive(Clone)]
enum Terms {
    Plain(Vec<(StepId, PlainId)>),
    Ciphertext(Vec<[StepId; 2]>),
}

impl Terms {
    fn of(step: &Step) -> Option<Self> {
        if let Op::MultiplyPlain(plain) = step.op() {
            return Some(Self::Plain(vec![(step.operands[0], *plain)]));
        }
        let pairs = step.operands.chunks_exact(2).map(|p| [p[0], p[1]]);
        (step.op().class() == Class::Product).then(|| Self::Ciphertext(pairs.collect()))
    }

    fn joined(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Plain(mut a), Self::Plain(b)) if a.len() + b.len() <= MOST_TERMS => {
                a.extend(b);
                Some(Self::Plain(a))
            }
            (Self::Ciphertext(mut a), Self::Ciphertext(b)) if a.len() + b.len() <= MOST_TERMS => {
                a.extend(b);
                Some(Self::Ciphertext(a))
            }
            _ => None,
        }
    }

    fn into_step(self) -> (Op, Vec<StepId>) {
        match self {
            Self::Plain(terms) => {
                let (operands, weights) = terms.into_iter().unzip();
                (Op::WeightedSum(weights), operands)
            }
            Self::Ciphertext(pairs) => (Op::SumOfProducts, pairs.into_flattened()),
        }
    }
}

/// Replaces sums of products by single steps and drops the steps that nobody uses any more.
pub(super) fn fuse(steps: Vec<Step>, outputs: Vec<StepId>) -> (Vec<Step>, Vec<StepId>) {
    let mut uses = vec![0usize; steps.len()];
    for step in steps.iter().flat_map(|s| &s.operands).chain(&outputs) {
        uses[step.0] += 1;
    }
    let mut terms: Vec<Option<Terms>> = Vec::with_capacity(steps.len());
    for step in &steps {
        let sum = if *step.op() == Op::Add {
            let [a, b] = [step.operands[0], step.operands[1]];
            let alone = |id: StepId| {
                let term = &steps[id.0];
                // What is assumed of a term is checked where the term is: it stays a step of its own.
                let plain = term.units == step.units && term.assumed.is_none();
                uses[id.0] == 1 && plain && term.state.level == step.state.level
            };
            match (alone(a) && alone(b), &terms[a.0], &terms[b.0]) {
                (true, Some(a), Some(b)) => a.clone().joined(b.clone()),
                _ => None,
            }
        } else {
            Terms::of(step)
        };
        terms.push(sum);
    }

    // From the outputs back: what is needed once sums read the operands of their products.
    let fused: Vec<Option<(Op, Vec<StepId>)>> = steps
        .iter()
        .zip(terms)
        .map(|(step, terms)| {
            terms
                .filter(|_| *step.op() == Op::Add)
                .map(Terms::into_step)
        })
        .collect();
    let mut needed = vec![false; steps.len()];
    for output in &outputs {
        needed[output.0] = true;
    }
    for i in (0..steps.len()).rev() {
        if needed[i] {
            let operands = fused[i].as_ref().map_or(&steps[i].operands, |(_, o)| o);
            operands.iter().for_each(|o| needed[o.0] = true);
        }
    }

    let mut place = vec![StepId(0); steps.len()];
    let mut kept = Vec::with_capacity(steps.len());
    for (i, (mut step, fused)) in steps.into_iter().zip(fused).enumerate() {
        if !needed[i] {
            continue;
        }
        if let Some((op, operands)) = fused {
            (step.op, step.operands) = (op, operands);
        }
        step.operands.iter_mut().for_each(|o| *o = place[o.0]);
        place[i] = StepId(kept.len());
        kept.push(step);
    }
    let outputs = outputs.into_iter().map(|o| place[o.0]).collect();
    (kept, outputs)
}

#[cfg(test)]
mod tests {
    use crate::{Program, Recorder, Slots};

    fn kinds(record: impl FnOnce(&Recorder)) -> Vec<&'static str> {
        let recorder = Recorder::new(16).unwrap();
        record(&recorder);
        let program = Program::new(recorder.finish().unwrap());
        let names = program.steps().iter().map(crate::program::Step::name);
        names.filter(|n| !["input", "rotate"].contains(n)).collect()
    }

    #[test]
    fn sums_of_products_are_one_step() {
        let ciphertext = kinds(|r| {
            let (a, b, c) = (
                r.slots_input("a", 2),
                r.slots_input("b", 2),
                r.slots_input("c", 2),
            );
            let terms = [a.multiply(&b), b.multiply(&c), c.square()];
            r.output("x", &Slots::sum(&terms).unwrap());
        });
        assert_eq!(ciphertext, ["sum_of_products", "relinearize_and_rescale"]);
        let plain = kinds(|r| {
            let a = r.slots_input("a", 2);
            let terms: Vec<Slots> = (0..5)
                .map(|i| a.rotate(i).multiply_plain(vec![vec![1.0, 0.5 + i as f64]]))
                .collect();
            r.output("x", &Slots::sum(&terms).unwrap());
        });
        assert_eq!(plain, ["weighted_sum", "rescale"]);
    }

    #[test]
    fn a_product_that_is_used_elsewhere_stays() {
        let steps = kinds(|r| {
            let (a, b) = (r.slots_input("a", 1), r.slots_input("b", 1));
            let product = a.multiply(&b);
            r.output("x", &product.add(&a.square()));
            r.output("y", &product.sub(&b.square()));
        });
        assert_eq!(steps.iter().filter(|k| **k == "multiply").count(), 3);
    }

    #[test]
    fn batches_of_one_are_not_mixed_with_larger_ones() {
        let steps = kinds(|r| {
            let (a, b) = (r.slots_input("a", 3), r.slots_input("b", 1));
            r.output("x", &a.square().add(&b.square()));
        });
        assert!(steps.contains(&"add"), "{steps:?}");
    }
}
