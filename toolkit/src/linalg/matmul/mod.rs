//! Products of encrypted matrices.
//!
//! Key switches (rotations and relinearizations of single ciphertexts) of a product of 128 x 128 matrices in units of 128 x 128,
//! as the tests count them, and those of the published toolkit (ePrint 2020/1483), which extracts and repeats one row or column
//! after the other, f (lg m + lg n) rotations and more for f rows:
//!
//! | from | operation | depth | key switches | keys | published |
//! |---|---|---|---|---|---|
//! | A, B | [`Matrix::dot`] (skewed factors) | 3 | TABLE | | none |
//! | A, B | [`Form::Shallow`] (diagonals of B) | 2 | | | none |
//! | A, B^T | [`Matrix::multiply_column_major`] | 3 | | | 3 levels, 1921 to 2048 |
//! | A^T, B | [`Matrix::multiply_row_major`] | 3 | | | 3 levels, 2048 |

mod diagonals;
mod row_sums;
mod shifts;
mod skewed;

pub(super) use row_sums::{key_switches as row_sums_key_switches, record as row_sums};

use super::{
    ColumnVector, Dot, Matrix, RowVector,
    hadamard::plain_rows,
    record, same_unit,
    transpose::{Transposed, transposition},
};
use crate::{EncodingUnit, Layout, Recorded, Result, ToolkitError};
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
        const OP: &str = "matrix x matrix";
        let (unit, (rows, inner)) = (self.unit(), self.dim());
        let cols = other.dim().1;
        let layout = factors_meet(OP, self, other, inner == other.dim().0, INNER)
            .map(|()| Layout::matrix(rows, cols, unit));
        let (a, b) = (self.recorded(), other.recorded());
        record(OP, &[a, b], unit, layout, |_| {
            let sizes = Sizes::new(unit, rows, inner, cols);
            let shallow = || diagonals::record(a, b, &sizes, scale);
            if form == Form::Shallow {
                return shallow();
            }
            let skewed = Skewed::new(sizes, scale, Masked::Left);
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
        const OP: &str = "matrix x matrix, row major";
        let (unit, (inner, rows)) = (a_transposed.unit(), a_transposed.dim());
        let cols = b.dim().1;
        let meet = inner == b.dim().0;
        let layout = factors_meet(OP, a_transposed, b, meet, "A^T and B have as many rows")
            .map(|()| Layout::matrix(rows, cols, unit));
        let (at, b) = (a_transposed.recorded(), b.recorded());
        record(OP, &[at, b], unit, layout, |_| {
            let a = transposition(unit, inner, rows).apply(at);
            let sizes = Sizes::new(unit, rows, inner, cols);
            Skewed::new(sizes, scale, Masked::Right).record(&a, b)
        })
    }

    /// The product from A (f x g) and B^T (h x g), times `scale`. Three levels: transposing B takes the level that the skewed form
    /// leaves it.
    #[track_caller]
    pub fn multiply_column_major(a: &Matrix, b_transposed: &Matrix, scale: f64) -> Matrix {
        const OP: &str = "matrix x matrix, column major";
        let (unit, (rows, inner)) = (a.unit(), a.dim());
        let cols = b_transposed.dim().0;
        let meet = inner == b_transposed.dim().1;
        let layout = factors_meet(OP, a, b_transposed, meet, "A and B^T have as many columns")
            .map(|()| Layout::matrix(rows, cols, unit));
        let (a, bt) = (a.recorded(), b_transposed.recorded());
        record(OP, &[a, bt], unit, layout, |_| {
            let b = transposition(unit, cols, inner).apply(bt);
            let sizes = Sizes::new(unit, rows, inner, cols);
            Skewed::new(sizes, scale, Masked::Left).record(a, &b)
        })
    }
}

const INNER: &str = "the left one has as many columns as the right one has rows";

fn factors_meet(
    op: &'static str,
    left: &Matrix,
    right: &Matrix,
    meet: bool,
    remedy: &'static str,
) -> Result<()> {
    same_unit(op, left.unit(), right.unit())?;
    plain_rows(op, left)?;
    plain_rows(op, right)?;
    if meet {
        return Ok(());
    }
    Err(ToolkitError::DimensionMismatch {
        op,
        left: left.layout.to_string(),
        right: right.layout.to_string(),
        remedy,
    })
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
