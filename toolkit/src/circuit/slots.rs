//! Handles of batches of slots: what linear algebra is lowered to, and what hand-made circuits use.

use super::{NodeId, Op, PlainId, record::Recorded};
use arras_hal::Named;

use crate::{Layout, Recorder, Result, ToolkitError, ToolkitErrorKind, layout::check_finite};

/// Integers up to this magnitude cost no level as factors.
pub(crate) const LARGEST_INTEGER: f64 = 1024.0;

/// Whether a product with the number costs no level.
pub(crate) fn is_free(factor: f64) -> bool {
    factor.fract() == 0.0 && factor.abs() <= LARGEST_INTEGER
}

/// A batch of encrypted slots in a circuit that is being recorded.
///
/// Operations are slot by slot over all ciphertexts of the batch; a batch of one ciphertext meets every ciphertext of the other
/// operand. They never fail on the spot: [`Recorder::finish`] returns the first error with its place.
#[derive(Clone, Debug)]
pub struct Slots {
    recorder: Recorder,
    /// `None` after an error.
    node: Option<NodeId>,
    units: usize,
}

impl Slots {
    pub(super) fn new(recorder: &Recorder, node: NodeId, units: usize) -> Self {
        Self {
            recorder: recorder.clone(),
            node: Some(node),
            units,
        }
    }

    /// The result of an operation that failed.
    pub(crate) fn failed(recorder: &Recorder, units: usize) -> Self {
        Self {
            recorder: recorder.clone(),
            node: None,
            units,
        }
    }

    /// The recorder.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Number of ciphertexts.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Slots of each ciphertext.
    pub fn slots(&self) -> usize {
        self.recorder.slots()
    }

    pub(crate) fn node(&self) -> Option<NodeId> {
        self.node
    }

    #[track_caller]
    fn record(&self, op: Op, operands: &[&Self], units: Result<usize>) -> Self {
        if operands.iter().any(|o| !self.recorder.is(&o.recorder)) {
            return self.fails(op.name(), ToolkitErrorKind::TwoCircuits);
        }
        let units = match units {
            Ok(units) => units,
            Err(error) => return self.fails(op.name(), error),
        };
        let nodes: Option<Vec<NodeId>> = operands.iter().map(|o| o.node).collect();
        match nodes {
            Some(nodes) => self.recorder.node(op, nodes, units),
            None => Self::failed(&self.recorder, units),
        }
    }

    /// Keeps the error of an operation.
    #[track_caller]
    fn fails(&self, operation: &'static str, error: impl Into<ToolkitError>) -> Self {
        self.recorder.fail(error.into().named(operation));
        Self::failed(&self.recorder, self.units)
    }

    fn common(&self, other: usize) -> Result<usize> {
        if self.units == other || other == 1 {
            Ok(self.units)
        } else if self.units == 1 {
            Ok(other)
        } else {
            Err(ToolkitError::mismatch(
                format!("{} ciphertexts", self.units),
                format!("{other} ciphertexts"),
                "batches are equal, or one of them is 1",
            ))
        }
    }

    #[track_caller]
    fn binary(&self, op: Op, other: &Self) -> Self {
        let units = self.common(other.units);
        self.record(op, &[self, other], units)
    }

    /// Sum.
    #[track_caller]
    pub fn add(&self, other: &Self) -> Self {
        self.binary(Op::Add, other)
    }

    /// Difference.
    #[track_caller]
    pub fn sub(&self, other: &Self) -> Self {
        self.binary(Op::Sub, other)
    }

    /// Negative.
    #[track_caller]
    pub fn negate(&self) -> Self {
        self.record(Op::Negate, &[self], Ok(self.units))
    }

    /// Product; one level.
    #[track_caller]
    pub fn multiply(&self, other: &Self) -> Self {
        self.binary(Op::Multiply, other)
    }

    /// Square; one level.
    #[track_caller]
    pub fn square(&self) -> Self {
        self.binary(Op::Multiply, self)
    }

    /// The sum of products of pairs, relinearized and rescaled once; one level.
    #[track_caller]
    pub fn sum_of_products(pairs: &[(&Self, &Self)]) -> Option<Self> {
        let (first, _) = pairs.first()?;
        let operands: Vec<&Self> = pairs.iter().flat_map(|&(a, b)| [a, b]).collect();
        let units = operands.iter().try_fold(1, |units, o| {
            Self::failed(&first.recorder, units).common(o.units)
        });
        Some(first.record(Op::SumOfProducts, &operands, units))
    }

    /// The sum of all in a balanced tree; `None` of an empty list.
    #[track_caller]
    pub fn sum(terms: &[Self]) -> Option<Self> {
        match terms {
            [] => None,
            [one] => Some(one.clone()),
            _ => {
                let (left, right) = terms.split_at(terms.len() / 2);
                Some(Self::sum(left)?.add(&Self::sum(right)?))
            }
        }
    }

    /// Sum with constants: one vector for all ciphertexts, or one for each. A vector shorter than the slots repeats.
    #[track_caller]
    pub fn add_plain(&self, vectors: Vec<Vec<f64>>) -> Self {
        self.with_plain("add_plain", vectors, Op::AddPlain)
    }

    /// Difference to constants, vectors as in [`Slots::add_plain`]: where they are added or multiplied with as well, at the same level,
    /// they are encoded once.
    #[track_caller]
    pub fn sub_plain(&self, vectors: Vec<Vec<f64>>) -> Self {
        self.with_plain("sub_plain", vectors, Op::SubPlain)
    }

    /// Product with constants; one level. Vectors as in [`Slots::add_plain`].
    #[track_caller]
    pub fn multiply_plain(&self, vectors: Vec<Vec<f64>>) -> Self {
        self.with_plain("multiply_plain", vectors, Op::MultiplyPlain)
    }

    #[track_caller]
    fn with_plain(
        &self,
        name: &'static str,
        vectors: Vec<Vec<f64>>,
        op: impl Fn(PlainId) -> Op,
    ) -> Self {
        match self.check_plain(&vectors) {
            Ok(units) => {
                let plain = self.recorder.plain(vectors);
                self.record(op(plain), &[self], Ok(units))
            }
            Err(error) => self.fails(name, error),
        }
    }

    fn check_plain(&self, vectors: &[Vec<f64>]) -> Result<usize> {
        for (i, vector) in vectors.iter().enumerate() {
            if !vector.len().is_power_of_two() || vector.len() > self.slots() {
                return Err(ToolkitError::does_not_fit(
                    format!("a constant of {} slots", vector.len()),
                    format!("ciphertexts of {} slots", self.slots()),
                    "constants have a power of two of slots and repeat",
                ));
            }
            for (j, &x) in vector.iter().enumerate() {
                check_finite("constant", x, &[i, j])?;
            }
        }
        if vectors.is_empty() {
            return Err(ToolkitErrorKind::EmptyList.into());
        }
        self.common(vectors.len())
    }

    fn scalar(&self, value: f64) -> Result<usize> {
        check_finite("number", value, &[])?;
        Ok(self.units)
    }

    /// Sum of every slot, padding included, with a number.
    #[track_caller]
    pub fn add_scalar(&self, value: f64) -> Self {
        let units = self.scalar(value);
        self.record(Op::AddScalar(value), &[self], units)
    }

    /// Product with a number: one level, unless it is a small integer, which costs none.
    #[track_caller]
    pub fn multiply_scalar(&self, value: f64) -> Self {
        let units = self.scalar(value);
        if is_free(value) {
            return self.multiply_integer(value as i64);
        }
        self.record(Op::MultiplyScalar(value), &[self], units)
    }

    /// Product with an integer: exact, no level. Errors grow with the integer as values do.
    #[track_caller]
    pub fn multiply_integer(&self, value: i64) -> Self {
        match value {
            1 => self.clone(),
            -1 => self.negate(),
            _ => self.record(Op::MultiplyInteger(value), &[self], Ok(self.units)),
        }
    }

    /// Slot j of the result is slot j + steps (to the left; to the right if negative).
    #[track_caller]
    pub fn rotate(&self, steps: i64) -> Self {
        let steps = steps.rem_euclid(self.slots() as i64);
        if steps == 0 {
            return self.clone();
        }
        self.record(Op::Rotate(self.signed(steps)), &[self], Ok(self.units))
    }

    /// Rotations are kept between -slots/2 and slots/2.
    fn signed(&self, steps: i64) -> i64 {
        let slots = self.slots() as i64;
        let steps = steps.rem_euclid(slots);
        if steps > slots / 2 {
            steps - slots
        } else {
            steps
        }
    }

    /// The sum of rotations, divided by P once.
    #[track_caller]
    pub fn rotation_sum(&self, steps: &[i64]) -> Self {
        let units = if steps.is_empty() {
            Err(ToolkitErrorKind::EmptyList.into())
        } else {
            Ok(self.units)
        };
        let steps = steps.iter().map(|&s| self.signed(s)).collect();
        self.record(Op::RotationSum(steps), &[self], units)
    }

    /// Slot j becomes the sum of slots j, j + stride, .., j + (count - 1) stride, by doubling or as the recorder's
    /// [`Summing`](super::Summing) says. `count` is a power of two.
    #[track_caller]
    pub fn rotate_and_sum(&self, stride: i64, count: usize) -> Self {
        if !count.is_power_of_two() || count > self.slots() {
            let range = format!("powers of two up to {}", self.slots());
            let error = ToolkitError::out_of_range("count", count as f64, range);
            return self.fails("rotate_and_sum", error);
        }
        let strides: Vec<i64> = (0..count.ilog2()).map(|bit| stride << bit).collect();
        self.rotate_and_sum_by(&strides)
    }

    /// Slot j becomes the sum of the slots j + s over all sums s of some of the strides (none of them: s = 0), so of 2^k slots for k
    /// strides: [`Slots::rotate_and_sum`] for windows that do not begin at the slot itself. By doubling or as the recorder's
    /// [`Summing`](super::Summing) says, in the order of the strides.
    #[track_caller]
    pub fn rotate_and_sum_by(&self, strides: &[i64]) -> Self {
        if strides.is_empty() {
            return self.clone();
        }
        let open = self
            .recorder
            .open("rotate_and_sum", &[self], Some(self.layout()), None);
        let mut sum = self.clone();
        let mut left = strides;
        for count in self.recorder.summing_way().steps(strides.len()) {
            let (now, later) = left.split_at(count);
            left = later;
            let mut steps = vec![0];
            for &stride in now {
                let further: Vec<i64> = steps.iter().map(|step| step + stride).collect();
                steps.extend(further);
            }
            sum = sum.rotation_sum(&steps);
        }
        self.recorder.close(open);
        sum
    }

    /// The sum of rotations, each times a constant, with one decomposition of the operand; one level. Terms are
    /// (steps, constants), constants as in [`Slots::add_plain`].
    #[track_caller]
    pub fn weighted_rotation_sum(&self, terms: Vec<(i64, Vec<Vec<f64>>)>) -> Self {
        const OP: &str = "weighted_rotation_sum";
        if terms.is_empty() {
            return self.fails(OP, ToolkitErrorKind::EmptyList);
        }
        let mut steps = Vec::with_capacity(terms.len());
        let mut weights = Vec::with_capacity(terms.len());
        for (step, vectors) in terms {
            let fits = self.check_plain(&vectors).and_then(|units| {
                if units == self.units {
                    return Ok(());
                }
                Err(ToolkitError::mismatch(
                    format!("{} ciphertexts", self.units),
                    format!("{} constants", vectors.len()),
                    "give one constant, or one for each ciphertext",
                ))
            });
            if let Err(error) = fits {
                return self.fails(OP, error);
            }
            steps.push(self.signed(step));
            weights.push(self.recorder.plain(vectors));
        }
        let op = Op::WeightedRotationSum { steps, weights };
        self.record(op, &[self], Ok(self.units))
    }

    /// Some ciphertexts of the batch, by position; a position may repeat.
    #[track_caller]
    pub fn pick(&self, indices: &[usize]) -> Self {
        if indices.iter().copied().eq(0..self.units) {
            return self.clone();
        }
        let units = match indices.iter().find(|&&i| i >= self.units) {
            Some(&index) => Err(ToolkitError::out_of_range(
                "index",
                index as f64,
                format!("a batch of {} ciphertexts", self.units),
            )),
            None if indices.is_empty() => Err(ToolkitErrorKind::EmptyList.into()),
            None => Ok(indices.len()),
        };
        self.record(Op::Pick(indices.to_vec()), &[self], units)
    }

    /// Batches joined into one; `None` of an empty list.
    #[track_caller]
    pub fn concat(parts: &[&Self]) -> Option<Self> {
        let (first, rest) = parts.split_first()?;
        if rest.is_empty() {
            return Some((*first).clone());
        }
        let units = parts.iter().map(|p| p.units).sum();
        Some(first.record(Op::Concat, parts, Ok(units)))
    }

    /// Relinearizes and rescales here, instead of where it is needed first.
    #[track_caller]
    pub fn relinearize_and_rescale(&self) -> Self {
        self.record(Op::RelinearizeAndRescale, &[self], Ok(self.units))
    }

    /// Gives up levels here.
    #[track_caller]
    pub fn lower_level(&self, levels: usize) -> Self {
        if levels == 0 {
            return self.clone();
        }
        self.record(Op::LowerLevel(levels), &[self], Ok(self.units))
    }
}

impl Recorded for Slots {
    fn recorded(&self) -> &Slots {
        self
    }

    fn layout(&self) -> Layout {
        Layout::Slots {
            units: self.units,
            slots: self.slots(),
        }
    }
}
