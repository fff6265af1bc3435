//! Products of encrypted matrices.
//!
//! Key switches (rotations and relinearizations of single ciphertexts) and rotation keys of a product of 128 x 128 matrices in units
//! of 128 x 128, as the tests count them, and of the published toolkit (ePrint 2020/1483), which for each of f rows (or columns)
//! takes it out and repeats it (1 + lg n rotations), multiplies, relinearizes, and sums (lg m rotations):
//!
//! | from | operation | depth | key switches | keys | published |
//! |---|---|---|---|---|---|
//! | A, B | [`Form::Skewed`], what [`Matrix::dot`](super::Dot) chooses | 3 | 217 | 66 | no such form |
//! | A, B | [`Form::Shallow`] | 2 | 1032 | 37 | no such form |
//! | A^T, B | [`Matrix::multiply_row_major`] | 3 | 367 | 81 | depth 3, 2047 |
//! | A, B^T | [`Matrix::multiply_column_major`] | 3 | 247 | 81 | depth 3, 2047 |
//! | A^T, B, mixed unit | [`Matrix::multiply_row_major_mixed_unit`] | 3 | 367 | 81 | depth 3, 2047 |
//! | A | [`Matrix::transpose`] | 1 | 30 | 30 | no such operation |
//!
//! Skewed products of d x d matrices take about d + 8 sqrt(d) key switches, the published loop d (2 + 2 lg d).

mod diagonals;
mod row_sums;
mod shifts;
mod skewed;

use super::{
    ColumnVector, Dot, Matrix, RowVector,
    hadamard::plain_rows,
    record, same_unit,
    transpose::{Transposed, transposition},
};
use crate::{EncodingUnit, Layout, Result, Slots, ToolkitError};
use skewed::{Masked, Skewed};

/// Sizes of a product: units of m x n, matrices of rows x inner and inner x cols.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) cols: usize,
}

impl Sizes {
    fn new(unit: EncodingUnit, rows: usize, inner: usize, cols: usize) -> Self {
        Self {
            m: unit.height(),
            n: unit.width(),
            rows,
            inner,
            cols,
        }
    }
}

/// How a product of A and B is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// The one with the fewest key switches.
    #[default]
    Cheapest,
    /// Two levels: the diagonals of B, each repeated in all rows, with A's columns shifted.
    Shallow,
    /// Three levels, about 1.2 d key switches for d x d matrices in units of d x d (ePrint 2018/1041).
    Skewed,
}

impl Matrix {
    /// The product of two matrices times `scale`, computed as `form` says: A of f x g, B of g x h, both in one unit, of any size.
    /// [`Form::Shallow`] takes two levels, [`Form::Skewed`] three.
    #[track_caller]
    pub fn dot_matrix(&self, other: &Matrix, scale: f64, form: Form) -> Matrix {
        let ((rows, inner), cols) = (self.dim(), other.dim().1);
        let meet = factors_meet(self, other, inner == other.dim().0, INNER);
        let sizes = Sizes::new(self.unit(), rows, inner, cols);
        product("matrix x matrix", [self, other], meet, sizes, |[a, b]| {
            let shallow = || diagonals::record(a, b, &sizes, scale);
            if form == Form::Shallow {
                return shallow();
            }
            let skewed = Skewed::new(sizes, 1, scale, Masked::Left);
            let costs = (skewed.key_switches(), diagonals::key_switches(&sizes));
            if form == Form::Cheapest && costs.1 <= costs.0 {
                return shallow();
            }
            skewed.record(a, b)
        })
    }

    /// The product from A^T (g x f) and B (g x h), times `scale`. Three levels: transposing A takes the level of the masks of the
    /// skewed form, which B takes over.
    #[track_caller]
    pub fn multiply_row_major(a_transposed: &Matrix, b: &Matrix, scale: f64) -> Matrix {
        let (unit, (inner, rows)) = (a_transposed.unit(), a_transposed.dim());
        let (op, meet) = ("matrix x matrix, row major", rows_meet(a_transposed, b));
        let sizes = Sizes::new(unit, rows, inner, b.dim().1);
        product(op, [a_transposed, b], meet, sizes, |[at, b]| {
            let a = transposition(unit, inner, rows).apply(at);
            Skewed::new(sizes, 1, scale, Masked::Right).record(&a, b)
        })
    }

    /// The product from A (f x g) and B^T (h x g), times `scale`. Three levels: transposing B takes the level that the skewed form
    /// leaves it.
    #[track_caller]
    pub fn multiply_column_major(a: &Matrix, b_transposed: &Matrix, scale: f64) -> Matrix {
        let (unit, (rows, inner)) = (a.unit(), a.dim());
        let cols = b_transposed.dim().0;
        let as_many = inner == b_transposed.dim().1;
        let meet = factors_meet(a, b_transposed, as_many, "A and B^T have as many columns");
        let sizes = Sizes::new(unit, rows, inner, cols);
        let op = "matrix x matrix, column major";
        product(op, [a, b_transposed], meet, sizes, |[a, bt]| {
            let b = transposition(unit, cols, inner).apply(bt);
            Skewed::new(sizes, 1, scale, Masked::Left).record(a, &b)
        })
    }
}

/// Records a product of these sizes, if its factors meet.
#[track_caller]
fn product(
    op: &'static str,
    [left, right]: [&Matrix; 2],
    meet: Result<()>,
    sizes: Sizes,
    body: impl FnOnce([&Slots; 2]) -> Slots,
) -> Matrix {
    let layout = meet.map(|()| Layout::matrix(sizes.rows, sizes.cols, left.unit()));
    record(op, &[left, right], layout, |_| {
        body([&left.slots, &right.slots])
    })
}

/// The product of A and B from A^T (g x f) and B (g x h) in units of n x m, f, h <= m <= n, with rows n/m apart: in the transposed unit
/// they follow each other. By sums of rows if f or h is small, else as [`Matrix::multiply_row_major`].
pub(super) fn mixed_unit(
    a_transposed: &Slots,
    b: &Slots,
    unit: EncodingUnit,
    (rows, inner, cols): (usize, usize, usize),
    scale: f64,
) -> Slots {
    let apart = unit.height() / unit.width();
    let transposition = transposition(unit, inner, rows);
    let sizes = Sizes::new(unit, rows, inner, cols);
    let skewed = Skewed::new(sizes, apart, scale, Masked::Right);
    let cost = transposition.key_switches() + skewed.key_switches();
    if row_sums::key_switches(&sizes) <= cost {
        return row_sums::record(a_transposed, b, &sizes, scale);
    }
    skewed.record(&transposition.apply(a_transposed), b)
}

/// Whether A and B meet in a product from A^T and B.
pub(super) fn rows_meet(a_transposed: &Matrix, b: &Matrix) -> Result<()> {
    let as_many = a_transposed.dim().0 == b.dim().0;
    factors_meet(a_transposed, b, as_many, "A^T and B have as many rows")
}

const INNER: &str = "the left one has as many columns as the right one has rows";

fn factors_meet(left: &Matrix, right: &Matrix, meet: bool, remedy: &'static str) -> Result<()> {
    same_unit(left.unit(), right.unit())?;
    plain_rows(left)?;
    plain_rows(right)?;
    if meet {
        return Ok(());
    }
    Err(ToolkitError::mismatch(left.layout, right.layout, remedy))
}

impl Dot<Matrix> for Matrix {
    type Output = Matrix;

    /// Matrix x matrix, in the form with the fewest key switches: two or three levels.
    #[track_caller]
    fn dot(&self, other: &Matrix) -> Matrix {
        self.dot_matrix(other, 1.0, Form::Cheapest)
    }
}

impl Dot<Matrix> for Transposed<'_, Matrix> {
    type Output = Matrix;

    /// A^T x B from A and B: [`Matrix::multiply_row_major`].
    #[track_caller]
    fn dot(&self, other: &Matrix) -> Matrix {
        Matrix::multiply_row_major(self.of(), other, 1.0)
    }
}

impl Dot<Transposed<'_, Matrix>> for Matrix {
    type Output = Matrix;

    /// A x B^T from A and B: [`Matrix::multiply_column_major`].
    #[track_caller]
    fn dot(&self, other: &Transposed<'_, Matrix>) -> Matrix {
        Matrix::multiply_column_major(self, other.of(), 1.0)
    }
}

impl Dot<Transposed<'_, Matrix>> for Transposed<'_, Matrix> {
    type Output = Matrix;

    /// A^T x B^T = (B x A)^T. One level more than B x A.
    #[track_caller]
    fn dot(&self, other: &Transposed<'_, Matrix>) -> Matrix {
        other.of().dot(self.of()).transpose()
    }
}

impl Dot<RowVector> for Transposed<'_, Matrix> {
    type Output = ColumnVector;

    /// A^T x v is v x A: nothing is transposed.
    #[track_caller]
    fn dot(&self, vector: &RowVector) -> ColumnVector {
        vector.dot(self.of())
    }
}

impl Dot<Transposed<'_, Matrix>> for ColumnVector {
    type Output = RowVector;

    /// v x A^T is A x v: nothing is transposed.
    #[track_caller]
    fn dot(&self, matrix: &Transposed<'_, Matrix>) -> RowVector {
        matrix.of().dot(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OpCount, Program, Recorded, Recorder};

    fn counted(sizes: Sizes, body: impl Fn(&Slots, &Slots) -> Slots) -> usize {
        let unit = EncodingUnit::new(sizes.m, sizes.n).unwrap();
        let recorder = Recorder::new(unit.slots()).unwrap();
        let a = recorder.matrix("a", sizes.rows, sizes.inner, unit);
        let b = recorder.matrix("b", sizes.inner, sizes.cols, unit);
        recorder.output("ab", &body(a.recorded(), b.recorded()));
        let program = Program::new(recorder.finish().unwrap());
        OpCount::of(&program).key_switches()
    }

    #[test]
    fn costs_are_what_programs_do() {
        for (height, width) in [(8, 8), (4, 16), (16, 4), (2, 32), (64, 64)] {
            let unit = EncodingUnit::new(height, width).unwrap();
            for (rows, inner, cols) in [(1, 1, 1), (5, 3, 2), (8, 8, 8), (9, 33, 7), (30, 5, 40)] {
                let sizes = Sizes::new(unit, rows, inner, cols);
                let shallow = counted(sizes, |a, b| diagonals::record(a, b, &sizes, 1.5));
                let expected = diagonals::key_switches(&sizes);
                // Sums of rows are of units with one column of blocks.
                if rows.max(cols) <= width && width <= height {
                    let sums = counted(sizes, |_, b| row_sums::record(b, b, &sizes, 1.5));
                    assert_eq!(sums, row_sums::key_switches(&sizes), "{sizes:?}");
                }
                assert_eq!(shallow, expected, "{sizes:?}");
                for masked in [Masked::Left, Masked::Right] {
                    let skewed = Skewed::new(sizes, 1, 1.5, masked);
                    let count = counted(sizes, |a, b| skewed.record(a, b));
                    assert_eq!(count, skewed.key_switches(), "{masked:?} {sizes:?}");
                }
            }
        }
    }
}
