//! The graph that recording builds.

use std::{fmt, panic::Location, sync::Arc};

use crate::{Layout, op::Op};

/// A node of a circuit: the operations are numbered in the order of their recording, so operands come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// The position in [`crate::Circuit::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// An operation of the circuit's author (a product of matrices, say), of which nodes are the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub(crate) usize);

impl OperationId {
    /// The position in [`crate::Circuit::operations`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// A constant of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlainId(pub(crate) usize);

/// Constant slots: one vector for all ciphertexts of a batch, or one for each. A vector shorter than the slots repeats; its
/// length is a power of two.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    vectors: Arc<[Arc<[f64]>]>,
}

impl Plain {
    pub(crate) fn new(vectors: Vec<Vec<f64>>) -> Self {
        Self {
            vectors: vectors
                .into_iter()
                .map(|v| shortest_period(v).into())
                .collect(),
        }
    }

    /// The vectors, one or as many as the ciphertexts they meet.
    pub fn vectors(&self) -> &[Arc<[f64]>] {
        &self.vectors
    }

    /// The constant in slot `slot` of ciphertext `unit`.
    pub fn at(&self, unit: usize, slot: usize) -> f64 {
        let v = &self.vectors[unit % self.vectors.len()];
        v[slot & (v.len() - 1)]
    }

    /// All slots of the vector for ciphertext `unit`.
    pub fn expand(&self, unit: usize, slots: usize) -> Vec<f64> {
        let v = &self.vectors[unit % self.vectors.len()];
        v.iter().copied().cycle().take(slots).collect()
    }

    /// The largest magnitude.
    pub fn max_abs(&self) -> f64 {
        self.vectors
            .iter()
            .flat_map(|v| v.iter())
            .fold(0.0, |m, x| m.max(x.abs()))
    }

    /// With other vectors, of the same lengths.
    pub(crate) fn map(&self, vector: impl Fn(usize, &[f64]) -> Vec<f64>) -> Self {
        let vectors = self.vectors.iter().enumerate();
        Self {
            vectors: vectors.map(|(i, v)| vector(i, v).into()).collect(),
        }
    }

    /// What two constants of equal bits have in common.
    pub(crate) fn fingerprint(&self) -> Vec<u64> {
        self.vectors
            .iter()
            .flat_map(|v| std::iter::once(v.len() as u64).chain(v.iter().map(|x| x.to_bits())))
            .collect()
    }
}

/// The shortest power of two after which the vector repeats, cut to that.
pub(crate) fn shortest_period(mut v: Vec<f64>) -> Vec<f64> {
    while v.len() > 1 && v.len().is_multiple_of(2) {
        let (left, right) = v.split_at(v.len() / 2);
        if left
            .iter()
            .map(|x| x.to_bits())
            .ne(right.iter().map(|x| x.to_bits()))
        {
            break;
        }
        v.truncate(v.len() / 2);
    }
    v
}

/// What a circuit's author states of a value: see [`crate::Recorder::assume`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Assumption {
    /// What the magnitude of no slot exceeds.
    pub bound: f64,
    /// Where it was stated.
    pub location: &'static Location<'static>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) op: Op,
    pub(crate) operands: Vec<NodeId>,
    pub(crate) units: usize,
    pub(crate) operation: OperationId,
    pub(crate) assumption: Option<Assumption>,
}

impl Node {
    /// What it does.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Its operands.
    pub fn operands(&self) -> &[NodeId] {
        &self.operands
    }

    /// Number of ciphertexts.
    pub fn units(&self) -> usize {
        self.units
    }

    /// What its author assumes of its result; of several bounds the least.
    pub fn assumption(&self) -> Option<Assumption> {
        self.assumption
    }

    /// The operation it is a part of.
    pub fn operation(&self) -> OperationId {
        self.operation
    }
}

/// An operation as its author wrote it.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(crate) name: &'static str,
    pub(crate) location: &'static Location<'static>,
    pub(crate) operands: Vec<OperationId>,
    pub(crate) layout: Option<Layout>,
    pub(crate) label: Option<String>,
    pub(crate) section: Option<Arc<str>>,
}

impl Operation {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it was recorded.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// The operations whose results it takes.
    pub fn operands(&self) -> &[OperationId] {
        &self.operands
    }

    /// The layout of its result.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// The name its author gave it: of an input, or by `named`.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The section it was recorded in, from the outermost: `iteration 2 / chain A` (see [`crate::Recorder::section`]).
    pub fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(label) = &self.label {
            write!(f, " {label:?}")?;
        }
        write!(f, " at {}", self.location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_cut_to_their_period() {
        let plain = Plain::new(vec![
            vec![1.0, 2.0, 1.0, 2.0],
            vec![3.0; 8],
            vec![0.0, -0.0],
        ]);
        let lengths: Vec<usize> = plain.vectors().iter().map(|v| v.len()).collect();
        assert_eq!(lengths, [2, 1, 2]);
        assert_eq!(
            (plain.at(0, 3), plain.at(1, 5), plain.at(3, 0)),
            (2.0, 3.0, 1.0)
        );
        assert_eq!(plain.expand(0, 4), [1.0, 2.0, 1.0, 2.0]);
        assert_eq!(plain.max_abs(), 3.0);
    }
}
