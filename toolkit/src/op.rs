//! The operations of circuits and programs, each once.
//!
//! [`Op::row`] is the table. What else a circuit or a program tells of itself (levels, forms, keys, counts, costs, pictures) follows
//! from an operation's row and from the state of its operands. An operation is added here, with what it does to ciphertexts
//! (`run/perform.rs`) and to slots in the clear (`interpret/cleartext.rs`).

use std::slice::from_ref;

use crate::{
    circuit::PlainId,
    cost::OperationKind as Price,
    program::Form::{self, Pending2, Pending3, Settled},
};

/// What an operation does, slot by slot, to batches of ciphertexts. Sums and products pair the ciphertexts of two batches; a batch
/// of one meets all of the other.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// An input, by its position in [`Circuit::inputs`](crate::Circuit::inputs).
    Input(usize),
    /// Sum of two.
    Add,
    /// Difference of two.
    Sub,
    /// Negative.
    Negate,
    /// Sum with a constant.
    AddPlain(PlainId),
    /// Difference to a constant, which is subtracted.
    SubPlain(PlainId),
    /// Sum of every slot with a number.
    AddScalar(f64),
    /// Product of two, or the square of one operand given twice. One level.
    Multiply,
    /// Sum of products: operands a0, b0, a1, b1, .. One level.
    SumOfProducts,
    /// Product with a constant. One level.
    MultiplyPlain(PlainId),
    /// Sum of products of operands with constants, one each: what lowering makes of a sum of [`Op::MultiplyPlain`]. One level.
    WeightedSum(Vec<PlainId>),
    /// Product with a number. One level.
    MultiplyScalar(f64),
    /// Product with an integer, exact and free of a level.
    MultiplyInteger(i64),
    /// Slot j of the result is slot j + steps.
    Rotate(i64),
    /// Sum of rotations of one operand.
    RotationSum(Vec<i64>),
    /// Sum of rotations, each times a constant. One level.
    WeightedRotationSum {
        /// Rotation of each term.
        steps: Vec<i64>,
        /// Constant of each term.
        weights: Vec<PlainId>,
    },
    /// Some ciphertexts of the batch, by position; a position may repeat.
    Pick(Vec<usize>),
    /// Several batches joined.
    Concat,
    /// Relinearization, of what has three components, and rescale, in one. In a circuit: here, and not where it is needed first.
    RelinearizeAndRescale,
    /// Lowered by levels that are given up here; by none where lowering brings an operand to the level of the others, which it had
    /// to spare.
    LowerLevel(usize),
}

/// What an operation is about: by this pictures colour it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// An encrypted input.
    Input,
    /// Products of ciphertexts.
    Product,
    /// Products with public numbers or vectors that cost a level.
    PlainProduct,
    /// Rotations and their sums.
    Rotation,
    /// Sums, differences, signs, integer multiples.
    Sum,
    /// Ciphertexts of batches picked and joined.
    Arrangement,
    /// Relinearization, rescale, level changes.
    Maintenance,
}

/// The forms in which an operation takes its operands; what does not fit is settled before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Settled; the result is in the form that the table says.
    Settled,
    /// Any, which the result keeps.
    Any,
    /// Any one form, the same of all operands, which the result keeps.
    OneForm,
    /// All settled, or all pending and of equal batches; the result has the most components of them.
    OneWindow,
    /// Two components: a key switch rescales on its way. The result is settled.
    TwoComponents,
}

/// What an operation is told besides its operands and constants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument<'a> {
    None,
    Input(usize),
    Number(f64),
    Integer(i64),
    Rotations(&'a [i64]),
    Positions(&'a [usize]),
    Levels(usize),
}

/// An operation's row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    pub(crate) levels: usize,
    pub(crate) takes: Takes,
    /// Form of a result of settled operands.
    pub(crate) gives: Form,
    pub(crate) argument: Argument<'a>,
    pub(crate) plaintexts: &'a [PlainId],
    /// What it costs like, for each of its terms; `None` if it costs nothing.
    pub(crate) price: Option<Price>,
    /// Whether it is so cheap that it is done as late as possible, so that its result does not lie in memory.
    pub(crate) late: bool,
    /// Whether it is costly enough for steps of one wave to be joined into one batch.
    pub(crate) joins: bool,
}

impl<'a> Row<'a> {
    /// No levels, takes and gives settled values, tells nothing, costs nothing.
    fn new(name: &'static str, class: Class) -> Self {
        Self {
            name,
            class,
            levels: 0,
            takes: Takes::Settled,
            gives: Settled,
            argument: Argument::None,
            plaintexts: &[],
            price: None,
            late: false,
            joins: false,
        }
    }

    fn takes(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    /// The result waits for its rescale, which takes a level.
    fn pending(self, gives: Form) -> Self {
        Self {
            gives,
            ..self.levels(1)
        }
    }

    fn levels(self, levels: usize) -> Self {
        Self { levels, ..self }
    }

    fn told(self, argument: Argument<'a>) -> Self {
        Self { argument, ..self }
    }

    fn plaintexts(self, plaintexts: &'a [PlainId]) -> Self {
        Self { plaintexts, ..self }
    }

    fn costs(self, price: Price) -> Self {
        Self {
            price: Some(price),
            ..self
        }
    }

    fn late(self) -> Self {
        Self { late: true, ..self }
    }

    fn joins(self) -> Self {
        Self {
            joins: true,
            ..self
        }
    }
}

impl Op {
    /// The table.
    #[rustfmt::skip]
    pub(crate) fn row(&self) -> Row<'_> {
        use Argument::{Input, Integer, Levels, Number, Positions, Rotations};
        use Takes::{Any, OneForm, OneWindow, TwoComponents};
        let new = Row::new;
        match self {
            Self::Input(index) => new("input", Class::Input).told(Input(*index)).late(),
            Self::Add => new("add", Class::Sum).takes(OneWindow).costs(Price::Add),
            Self::Sub => new("sub", Class::Sum).takes(OneWindow).costs(Price::Add),
            Self::Negate => new("negate", Class::Sum).takes(Any).costs(Price::Negate),
            Self::AddPlain(plain) => new("add_plain", Class::Sum).plaintexts(from_ref(plain)).costs(Price::AddPlain).late(),
            Self::SubPlain(plain) => new("sub_plain", Class::Sum).plaintexts(from_ref(plain)).costs(Price::AddPlain).late(),
            Self::AddScalar(x) => new("add_scalar", Class::Sum).takes(Any).told(Number(*x)).costs(Price::AddScalar),
            Self::Multiply => new("multiply", Class::Product).pending(Pending3).costs(Price::Tensor).joins(),
            Self::SumOfProducts => new("sum_of_products", Class::Product).pending(Pending3).costs(Price::Tensor),
            Self::MultiplyPlain(plain) =>
                new("multiply_plain", Class::PlainProduct).pending(Pending2).plaintexts(from_ref(plain)).costs(Price::MultiplyPlain).late(),
            Self::WeightedSum(weights) =>
                new("weighted_sum", Class::PlainProduct).pending(Pending2).plaintexts(weights).costs(Price::MultiplyPlain),
            Self::MultiplyScalar(x) =>
                new("multiply_scalar", Class::PlainProduct).pending(Pending2).told(Number(*x)).costs(Price::MultiplyScalar).late(),
            // A pass over memory.
            Self::MultiplyInteger(x) => new("multiply_integer", Class::Sum).takes(Any).told(Integer(*x)).costs(Price::Negate),
            Self::Rotate(steps) =>
                new("rotate", Class::Rotation).takes(TwoComponents).told(Rotations(from_ref(steps))).costs(Price::RotationSum).joins(),
            Self::RotationSum(steps) =>
                new("rotation_sum", Class::Rotation).takes(TwoComponents).told(Rotations(steps)).costs(Price::RotationSum).joins(),
            Self::WeightedRotationSum { steps, weights } =>
                new("weighted_rotation_sum", Class::Rotation).levels(1).told(Rotations(steps)).plaintexts(weights)
                    .costs(Price::WeightedRotationSum),
            Self::Pick(positions) => new("pick", Class::Arrangement).takes(Any).told(Positions(positions)).costs(Price::Negate).late(),
            Self::Concat => new("concat", Class::Arrangement).takes(OneForm).costs(Price::Negate),
            Self::RelinearizeAndRescale => new("relinearize_and_rescale", Class::Maintenance).costs(Price::Settle).joins(),
            Self::LowerLevel(levels) =>
                new("lower_level", Class::Maintenance).levels(*levels).told(Levels(*levels)).costs(Price::LevelDown).late().joins(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// What it is about.
    pub fn class(&self) -> Class {
        self.row().class
    }

    /// Levels it consumes.
    pub fn levels(&self) -> usize {
        self.row().levels
    }

    /// Its rotations, with repetitions and identities.
    pub fn rotations(&self) -> &[i64] {
        match self.row().argument {
            Argument::Rotations(steps) => steps,
            Argument::None
            | Argument::Input(_)
            | Argument::Number(_)
            | Argument::Integer(_)
            | Argument::Positions(_)
            | Argument::Levels(_) => &[],
        }
    }

    /// The constants it takes, one for each term.
    pub fn plaintexts(&self) -> &[PlainId] {
        self.row().plaintexts
    }

    /// What tells it from others: its name, and the bits of what it is told. Levels are left out, which follow from the levels of
    /// operand and result.
    pub(crate) fn identity(&self) -> (&'static str, Vec<u64>) {
        let row = self.row();
        let mut words: Vec<u64> = match row.argument {
            Argument::None | Argument::Levels(_) => vec![],
            Argument::Input(index) => vec![index as u64],
            Argument::Number(x) => vec![x.to_bits()],
            Argument::Integer(x) => vec![x as u64],
            Argument::Rotations(steps) => steps.iter().map(|&s| s as u64).collect(),
            Argument::Positions(positions) => positions.iter().map(|&p| p as u64).collect(),
        };
        words.extend(row.plaintexts.iter().map(|p| p.0 as u64));
        (row.name, words)
    }
}
