//! Products of plaintext matrices with encrypted vectors and matrices.
//!
//! | product | result | depth | rotations |
//! |---|---|---|---|
//! | plain x column vector | column vector | 1 | about 2 sqrt(d) for each unit, d = min(n, diagonals that are not zero) |
//! | the same, in two levels | column vector | 2 | about 2 sqrt(R) + 2 sqrt(n/R) + lg R, R = min(m, n) |
//! | plain x row vector | row vector | 1 | about 2 sqrt(d), d = min(m, diagonals) |
//! | plain x row vector, to a column vector | column vector | 1 | H lg m |
//! | plain x column vector, to a row vector | row vector | 2 | 2 V lg n |
//! | plain x matrix | matrix | 1 | about 2 sqrt(d) for each unit, d = min(m, diagonals) |
//! | matrix x plain | matrix | 1 | about 2 sqrt(d) for each unit, d = min(2n - 1, diagonals) |
//!
//! Diagonals of zeros cost nothing, so banded and sparse matrices and permutations are cheap by the same code. A product takes
//! one constant for each diagonal and pair of units, in memory as large as a ciphertext's half: where vectors may change their
//! kind, the forms that do so take far fewer constants and rotations.

mod two_levels;

use ndarray::{Array2, ArrayView2};

use super::{
    ColumnVector, Dot, Matrix, Object, RowVector,
    objects::{Places, unit_of},
    record,
    slot_map::SlotMap,
    sums::{sum_cols, sum_rows},
};
use arras_hal::Named;

use crate::{EncodingUnit, Layout, Result, Slots, ToolkitError, layout::check_finite};

/// A plaintext matrix to multiply encrypted objects with: `PlainMatrix::from(a).dot(&x)`.
#[derive(Clone, Debug, PartialEq)]
pub struct PlainMatrix(Array2<f64>);

impl From<Array2<f64>> for PlainMatrix {
    fn from(matrix: Array2<f64>) -> Self {
        Self(matrix)
    }
}

impl From<ArrayView2<'_, f64>> for PlainMatrix {
    fn from(matrix: ArrayView2<'_, f64>) -> Self {
        Self(matrix.to_owned())
    }
}

impl From<&Array2<f64>> for PlainMatrix {
    fn from(matrix: &Array2<f64>) -> Self {
        Self(matrix.clone())
    }
}

impl PlainMatrix {
    /// The matrix that selects or permutes: entry r of its product with a vector of `len` entries is entry `positions[r]`.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::OutOfRange`] for a position outside the vector.
    pub fn selection(positions: &[usize], len: usize) -> Result<Self> {
        let mut matrix = Array2::zeros((positions.len(), len));
        for (r, &c) in positions.iter().enumerate() {
            let entry = matrix.get_mut((r, c)).ok_or(
                ToolkitError::out_of_range("position", c as f64, format!("a vector of {len}"))
                    .named("PlainMatrix::selection"),
            )?;
            *entry = 1.0;
        }
        Ok(Self(matrix))
    }

    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        self.0.dim()
    }

    /// Its entries.
    pub fn entries(&self) -> &Array2<f64> {
        &self.0
    }

    /// Entries that are not zero: row, column, value.
    fn nonzero(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        self.0
            .indexed_iter()
            .filter(|&(_, &x)| x != 0.0)
            .map(|((r, c), &x)| (r, c, x))
    }

    fn check(&self) -> Result<()> {
        self.nonzero()
            .try_for_each(|(r, c, x)| check_finite("plaintext", x, &[r, c]))
    }

    /// Records its product with something of `len` entries or rows, in the same unit. `layout` is that of a result of these rows.
    #[track_caller]
    fn times<T: Object, R: Object>(
        &self,
        op: &'static str,
        (right, len): (&T, usize),
        layout: impl FnOnce(usize, EncodingUnit) -> Layout,
        body: impl FnOnce(&Slots, &Layout) -> Slots,
    ) -> R {
        let unit = unit_of(&right.layout());
        let checked = if self.0.ncols() == len {
            self.check().map(|()| layout(self.0.nrows(), unit))
        } else {
            Err(ToolkitError::mismatch(
                describe(self),
                right.layout(),
                "the plaintext matrix on the left has one column for each entry or row of what it multiplies",
            ))
        };
        record(op, &[right], checked, |layout| {
            body(right.recorded(), layout)
        })
    }

    /// Records its product with a vector, a vector of the same kind.
    #[track_caller]
    fn of_vector<T: Object>(
        &self,
        op: &'static str,
        right: (&T, usize),
        layout: fn(usize, EncodingUnit) -> Layout,
    ) -> T {
        self.times(op, right, layout, |x, layout| {
            let places = Places::of(&right.0.layout());
            let mut map = places.map(x.units(), layout.units());
            self.nonzero()
                .for_each(|entry| map.add_entry(places.positions, entry));
            map.apply(x)
        })
    }
}

fn describe(matrix: &PlainMatrix) -> String {
    format!("plaintext matrix {}x{}", matrix.0.nrows(), matrix.0.ncols())
}

impl Dot<ColumnVector> for PlainMatrix {
    type Output = ColumnVector;

    /// Plaintext matrix x column vector: a column vector. One level; about 2 sqrt(d) rotations for each unit,
    /// d = min(n, diagonals). For 1024 x 1024 in units 16 x 1024: 62 rotations, 1024 products with constants.
    ///
    /// That the vector stands in all m rows cannot save products within one level: averaged over the rows, weights that
    /// work still work, and the same weights in every row need one product for each diagonal. With a second level it can,
    /// see [`PlainMatrix::dot_in_two_levels`]; and [`PlainMatrix::dot_to_column`] takes a row vector and needs least.
    #[track_caller]
    fn dot(&self, vector: &ColumnVector) -> ColumnVector {
        let op = "plaintext matrix x column vector";
        self.of_vector(op, (vector, vector.len()), Layout::column_vector)
    }
}

impl Dot<RowVector> for PlainMatrix {
    type Output = RowVector;

    /// Plaintext matrix x row vector: a row vector. One level; about 2 sqrt(d) rotations for each unit, d = min(m, diagonals).
    /// The constants do not repeat within a ciphertext: column vectors, and [`PlainMatrix::dot_to_column`], need less memory.
    #[track_caller]
    fn dot(&self, vector: &RowVector) -> RowVector {
        let op = "plaintext matrix x row vector";
        self.of_vector(op, (vector, vector.len()), Layout::row_vector)
    }
}

impl Dot<Matrix> for PlainMatrix {
    type Output = Matrix;

    /// Plaintext matrix x encrypted matrix: a matrix whose rows are sums of rows. One level; about 2 sqrt(d) rotations for
    /// each unit, d = min(m, diagonals).
    #[track_caller]
    fn dot(&self, matrix: &Matrix) -> Matrix {
        let ((height, cols), row_stride) = (matrix.dim(), matrix.row_stride());
        let layout = |rows, unit| Layout::strided(rows, cols, unit, row_stride);
        let (op, right) = ("plaintext matrix x matrix", (matrix, height));
        self.times(op, right, layout, |x, layout| {
            let (m, n) = (matrix.unit().height(), matrix.unit().width());
            let across = layout.horizontal_units();
            let (down_in, down_out) = (matrix.layout.vertical_units(), layout.vertical_units());
            // Units side by side are treated alike.
            let mut map = SlotMap::new(n, m, down_in, down_out).copies(across);
            let apart = |(r, c, weight)| (r * row_stride, c * row_stride, weight);
            self.nonzero()
                .map(apart)
                .for_each(|entry| map.add_entry(m, entry));
            map.apply(x)
        })
    }
}

impl Dot<PlainMatrix> for Matrix {
    type Output = Matrix;

    /// Encrypted matrix x plaintext matrix: a matrix whose columns are sums of columns. One level; about 2 sqrt(d) rotations
    /// for each unit, d = min(2n - 1, diagonals): rotations run into the next row, so a diagonal that wraps counts twice.
    #[track_caller]
    fn dot(&self, plain: &PlainMatrix) -> Matrix {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let layout = right_side_meets(&self.layout, cols, plain)
            .map(|()| Layout::strided(rows, plain.0.ncols(), unit, self.row_stride()));
        record("matrix x plaintext matrix", &[self], layout, |layout| {
            let (n, slots) = (unit.width(), unit.slots());
            let down = layout.vertical_units();
            let (across_in, across_out) =
                (self.layout.horizontal_units(), layout.horizontal_units());
            // Units above each other are treated alike; the map wants them next to each other. All rows of a unit have the
            // same weights.
            let mut map = SlotMap::new(1, slots, across_in, across_out)
                .weights_repeat_after(n)
                .copies(down);
            let flipped = plain.nonzero().map(|(r, c, weight)| (c, r, weight));
            flipped.for_each(|entry| map.add_entry(n, entry));
            let columns = self.slots.pick(&transposed(down, across_in));
            map.apply(&columns).pick(&transposed(across_out, down))
        })
    }
}

/// The positions of a batch of `rows` x `cols` ciphertexts, column by column.
fn transposed(rows: usize, cols: usize) -> Vec<usize> {
    (0..cols)
        .flat_map(|c| (0..rows).map(move |r| r * cols + c))
        .collect()
}

fn right_side_meets(left: &Layout, cols: usize, plain: &PlainMatrix) -> Result<()> {
    if plain.0.nrows() == cols {
        return plain.check();
    }
    Err(ToolkitError::mismatch(
        left,
        describe(plain),
        "the plaintext matrix on the right has one row for each column of the matrix",
    ))
}

impl PlainMatrix {
    /// Plaintext matrix x row vector: a column vector. One level; H lg m rotations in lg m steps, V H products with constants:
    /// the cheapest product where the result may be of the other kind.
    #[track_caller]
    pub fn dot_to_column(&self, vector: &RowVector) -> ColumnVector {
        let op = "plaintext matrix x row vector to column vector";
        self.times(op, (vector, vector.len()), Layout::column_vector, |x, _| {
            let (packed, matrix) = self.packed(vector.unit(), true);
            let scaled = x.pick(&matrix.rows_of_units()).multiply_plain(packed);
            sum_rows(&scaled, &matrix)
        })
    }

    /// Plaintext matrix x column vector: a row vector. Two levels; 2 V lg n rotations in 2 lg n steps, V H products with
    /// constants.
    #[track_caller]
    pub fn dot_to_row(&self, vector: &ColumnVector) -> RowVector {
        let op = "plaintext matrix x column vector to row vector";
        self.times(op, (vector, vector.len()), Layout::row_vector, |x, _| {
            let (packed, matrix) = self.packed(vector.unit(), false);
            let scaled = x.pick(&matrix.columns_of_units()).multiply_plain(packed);
            sum_cols(&scaled, &matrix, 1.0)
        })
    }

    /// Its slots as a tiled matrix, or those of its transpose.
    fn packed(&self, unit: EncodingUnit, transpose: bool) -> (Vec<Vec<f64>>, Layout) {
        let entries = if transpose { self.0.t() } else { self.0.view() };
        let layout = Layout::matrix(entries.nrows(), entries.ncols(), unit);
        // The entries have the layout's own shape, and were checked to be finite.
        let slots = layout.pack("plaintext matrix", &entries.into());
        (slots.unwrap_or_default(), layout)
    }
}
