//! Sums, differences and products with arrays and numbers in the clear.

use super::{
    ColumnVector, Matrix, Object, RowVector, Scalar, objects::filled, padding::Mask, record,
};
use crate::{Layout, Result, Slots, ToolkitError, ToolkitErrorKind, Value, layout::check_finite};

/// What an object is combined with.
enum Constant {
    /// The same in every entry.
    Number(f64),
    /// One vector for each ciphertext.
    Slots(Vec<Vec<f64>>),
}

impl Constant {
    fn new(layout: &Layout, value: &Value) -> Result<Self> {
        if let Value::Scalar(x) = value {
            check_finite("number", *x, &[])?;
            return Ok(Self::Number(*x));
        }
        match layout.slots_of("plaintext", value) {
            Err(error) if matches!(error.kind(), ToolkitErrorKind::WrongInput { .. }) => {
                Err(ToolkitError::mismatch(
                    layout,
                    format!("plaintext {}", value.describe()),
                    "the plaintext is a number or has the shape of the encrypted object",
                ))
            }
            slots => slots.map(Self::Slots),
        }
    }

    fn negative(self) -> Self {
        match self {
            Self::Number(x) => Self::Number(-x),
            Self::Slots(mut slots) => {
                slots.iter_mut().flatten().for_each(|x| *x = -*x);
                Self::Slots(slots)
            }
        }
    }
}

#[track_caller]
fn combine<T: Object>(
    op: &'static str,
    object: &T,
    value: &Value,
    body: impl FnOnce(&Slots, &Layout, Constant) -> Slots,
) -> T {
    let layout = object.layout();
    let (layout, constant) = match Constant::new(&layout, value) {
        Ok(constant) => (Ok(layout), constant),
        Err(error) => (Err(error), Constant::Number(0.0)),
    };
    record(op, &[object], layout, |layout| {
        body(object.recorded(), layout, constant)
    })
}

fn add(slots: &Slots, layout: &Layout, constant: Constant) -> Slots {
    match constant {
        Constant::Slots(vectors) => slots.add_plain(vectors),
        Constant::Number(x) => {
            if Mask::of(layout).is_full() {
                slots.add_scalar(x)
            } else {
                slots.add_plain(filled(layout, x))
            }
        }
    }
}

fn multiply(slots: &Slots, _: &Layout, constant: Constant) -> Slots {
    match constant {
        Constant::Slots(vectors) => slots.multiply_plain(vectors),
        Constant::Number(x) => slots.multiply_scalar(x),
    }
}

macro_rules! with_plain {
    ($($name:ident),*) => {$(
        impl $name {
            /// Sum with plaintext: an array of the same shape, or a number that is added to every entry (the padding stays
            /// zero). No level.
            #[track_caller]
            pub fn add_plain(&self, value: impl Into<Value>) -> Self {
                combine("add_plain", self, &value.into(), add)
            }

            /// Difference with plaintext, as [`Self::add_plain`].
            #[track_caller]
            pub fn sub_plain(&self, value: impl Into<Value>) -> Self {
                combine("sub_plain", self, &value.into(), |slots, layout, constant| {
                    add(slots, layout, constant.negative())
                })
            }

            /// Plaintext minus this, as [`Self::add_plain`].
            #[track_caller]
            pub fn sub_from_plain(&self, value: impl Into<Value>) -> Self {
                combine("sub_from_plain", self, &value.into(), |slots, layout, constant| {
                    add(&slots.negate(), layout, constant)
                })
            }

            /// Product, entry by entry, with plaintext: an array of the same shape, or a number. One level; an integer up to 1024
            /// in magnitude costs none.
            #[track_caller]
            pub fn multiply_plain(&self, value: impl Into<Value>) -> Self {
                combine("multiply_plain", self, &value.into(), multiply)
            }
        }
    )*};
}

with_plain!(Matrix, RowVector, ColumnVector, Scalar);
