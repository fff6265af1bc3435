//! Linear algebra on encrypted scalars, vectors and matrices of any size.
//!
//! Every operation is lowered to operations on [`Slots`], batched over the units of its operands: one engine call covers all
//! units of a matrix. Layouts are drawn at [`Layout`]; m x n is the encoding unit, V x H the number of units of a matrix.
//!
//! | module | operations | depth | rotations |
//! |---|---|---|---|
//! | `hadamard` | products entry by entry, row vector with matrix, matrix with column vector | 1 | 0 |
//! | `arithmetic`, `lists` | sums, differences, products and squares of one kind; sums of lists | 0; products 1 | 0 |
//! | `plain` | the same with arrays and numbers in the clear | 0; products 1, by small integers 0 | 0 |
//! | `scalars` | sums and products with one encrypted number | 1; sums 0 and 1 for the number where there is padding | 0 |
//! | `sums` | sums of rows (to a column vector), of columns (to a row vector) | 0; 1 | H lg m; 2 V lg n |
//! | `products` | row vector x matrix, matrix x column vector | 1; 2 | H lg m; 2 V lg n |
//! | [`polynomial`] | polynomials of degree d; inverse, roots; norms | lg(d + 1), stated; stated; 1 | 0; 0; lg m, lg n |
//! | `plain_product` | plaintext matrix x vector or matrix, matrix x plaintext matrix | 1 | about 2 sqrt(diagonals) for each unit |
//! | | plaintext matrix x row vector to column vector; x column vector to row vector | 1; 2 | H lg m; 2 V lg n |
//! | `inner` | inner products (row vectors, column vectors, matrices), sums of entries | 1; 0 | lg m, lg n, lg(m n) |
//! | `outer` | row vector by column vector to a matrix | 1 | 0 |
//! | `convert` | row vector to column vector; column vector to row vector | 1 | H lg m; about V (2 sqrt(min(m, n)) + lg n) |
//! | | diagonal; trace | 1 | H lg m; lg(m n) |
//! | `extract` | row; column; entry (of a matrix, row vector, column vector) | 1 | H lg m; V lg n; lg(m n), lg m, lg n |
//! | | block, slice | 0 or 1 | 0, or 1 to 2 for each pair of units |
//! | `join` | concatenation: units that stay whole; others | 0; 1 | 0, or 1 to 2 for each pair of units |
//! | `masks` | entries set to zero | 1 | 0 |
//! | `statistics` | means of columns; of rows | 1 | H lg m; 2 V lg n |
//! | | variances of columns; of rows | 2 | 2 H lg m; 4 V lg n |
//! | | columns centred | 1 | H lg m |
//! | `matmul` | matrix x matrix from A or A^T and B or B^T (its table counts them) | 2 or 3 | about d + 8 sqrt(d) in units of d x d |
//! | `mixed_unit` | row vector x matrix, matrix x column vector, matrix x matrix between a unit and its transpose | 1; 2; 3 | H lg n; 2 V lg n; as `matmul` |
//! | `transpose` | transposed units; transposes | 0; 1 | 0; about 2 sqrt(2 d) in units of d x d |

mod arithmetic;
mod convert;
mod extract;
mod hadamard;
mod inner;
mod join;
mod lists;
mod masks;
mod matmul;
mod mixed_unit;
pub(crate) mod objects;
mod operators;
mod outer;
mod padding;
mod permute;
mod plain;
mod plain_product;
pub mod polynomial;
mod products;
mod scalars;
mod slot_map;
mod statistics;
mod sums;
mod transpose;

pub use matmul::Form;
pub use objects::Object;
pub(crate) use objects::filled;
pub use plain_product::PlainMatrix;
pub use products::Dot;
pub use transpose::Transposed;

use arras_hal::Named;

use crate::{EncodingUnit, Layout, Recorded, Recorder, Result, Slots, ToolkitErrorKind};
use objects::{ColumnVector, Matrix, RowVector, Scalar, unit_of};

/// Records an operation: its nodes belong to it, its errors carry its name and the place of the call.
#[track_caller]
fn record<T: Object>(
    name: &'static str,
    operands: &[&dyn Recorded],
    layout: Result<Layout>,
    body: impl FnOnce(&Layout) -> Slots,
) -> T {
    let slots: Vec<&Slots> = operands.iter().map(|o| o.recorded()).collect();
    let recorder = slots[0].recorder();
    let open = recorder.open(name, &slots, None, None);
    let one_circuit = slots.iter().all(|o| recorder.is(o.recorder()));
    let layout = if one_circuit {
        layout.and_then(|layout| layout.check().map(|()| layout))
    } else {
        Err(ToolkitErrorKind::TwoCircuits.into())
    };
    let (slots, layout) = match layout {
        Ok(layout) => (body(&layout), layout),
        Err(error) => {
            recorder.fail(error.named(name));
            let unit = unit_of(&operands[0].layout());
            (Slots::failed(recorder, 1), T::placeholder(unit))
        }
    };
    recorder.close_with(open, layout);
    T::from_parts(slots, layout)
}

fn same_unit(left: EncodingUnit, right: EncodingUnit) -> Result<()> {
    if left == right {
        return Ok(());
    }
    Err(ToolkitErrorKind::UnitMismatch {
        left: left.to_string(),
        right: right.to_string(),
    }
    .into())
}

impl Recorder {
    /// An encrypted matrix as an input.
    #[track_caller]
    pub fn matrix(&self, name: &str, rows: usize, cols: usize, unit: EncodingUnit) -> Matrix {
        self.input(name, Layout::matrix(rows, cols, unit))
    }

    /// An encrypted row vector as an input: one entry for each row of the matrices it meets.
    #[track_caller]
    pub fn row_vector(&self, name: &str, len: usize, unit: EncodingUnit) -> RowVector {
        self.input(name, Layout::row_vector(len, unit))
    }

    /// An encrypted column vector as an input: one entry for each column of the matrices it meets.
    #[track_caller]
    pub fn column_vector(&self, name: &str, len: usize, unit: EncodingUnit) -> ColumnVector {
        self.input(name, Layout::column_vector(len, unit))
    }

    /// An encrypted number as an input.
    #[track_caller]
    pub fn scalar(&self, name: &str) -> Scalar {
        let slots = self.slots();
        self.input(name, Layout::Scalar { slots })
    }

    #[track_caller]
    fn input<T: Object>(&self, name: &str, layout: Layout) -> T {
        T::from_parts(self.input_slots(name, layout), layout)
    }
}
