//! Products entry by entry.

use ndarray::{Array1, Array2};

use super::{ColumnVector, Matrix, Object, RowVector, objects::unit_of, record, same_unit};
use crate::{Layout, Result, ToolkitError, Value};

const ROWS: &str = "the vector needs one entry for each row of the matrix";
const COLUMNS: &str = "the vector needs one entry for each column of the matrix";

impl RowVector {
    /// Scales row r of a matrix by entry r. One level.
    #[track_caller]
    pub fn hadamard_matrix(&self, matrix: &Matrix) -> Matrix {
        let layout = rows_meet(self, matrix);
        record("hadamard_matrix", &[self, matrix], layout, |layout| {
            let rows = self.slots.pick(&layout.rows_of_units());
            rows.multiply(&matrix.slots)
        })
    }
}

impl Matrix {
    /// Scales column c by entry c of a column vector. One level.
    #[track_caller]
    pub fn hadamard_column(&self, vector: &ColumnVector) -> Matrix {
        let layout = columns_meet(self, vector);
        record("hadamard_column", &[self, vector], layout, |layout| {
            let columns = vector.slots.pick(&layout.columns_of_units());
            self.slots.multiply(&columns)
        })
    }

    /// Scales row r by entry r of a plaintext vector. One level.
    #[track_caller]
    pub fn hadamard_plain_rows(&self, vector: impl Into<Value>) -> Matrix {
        let (rows, cols) = self.dim();
        let constants = plain_vector(&self.layout, vector.into(), rows, ROWS)
            .map(|v| Array2::from_shape_fn((rows, cols), |(r, _)| v[r]))
            .and_then(|spread| self.layout.slots_of("plaintext", &spread.into()));
        scaled("hadamard_plain_rows", self, self.layout, constants, all)
    }

    /// Scales column c by entry c of a plaintext vector. One level.
    #[track_caller]
    pub fn hadamard_plain_columns(&self, vector: impl Into<Value>) -> Matrix {
        let (rows, cols) = self.dim();
        let constants = plain_vector(&self.layout, vector.into(), cols, COLUMNS)
            .map(|v| Array2::from_shape_fn((rows, cols), |(_, c)| v[c]))
            .and_then(|spread| self.layout.slots_of("plaintext", &spread.into()));
        scaled("hadamard_plain_columns", self, self.layout, constants, all)
    }
}

impl RowVector {
    /// Scales row r of a plaintext matrix by entry r: an encrypted matrix. One level.
    #[track_caller]
    pub fn hadamard_plain_matrix(&self, matrix: impl Into<Value>) -> Matrix {
        let fits = |(rows, _): (usize, usize)| rows == self.len();
        let (layout, constants) = plain_matrix(self, &matrix.into(), fits, ROWS);
        let (op, units) = ("hadamard_plain_matrix", Layout::rows_of_units);
        scaled(op, self, layout, constants, units)
    }
}

impl ColumnVector {
    /// Scales column c of a plaintext matrix by entry c: an encrypted matrix. One level.
    #[track_caller]
    pub fn hadamard_plain_matrix(&self, matrix: impl Into<Value>) -> Matrix {
        let fits = |(_, cols): (usize, usize)| cols == self.len();
        let (layout, constants) = plain_matrix(self, &matrix.into(), fits, COLUMNS);
        let (op, units) = ("hadamard_plain_matrix", Layout::columns_of_units);
        scaled(op, self, layout, constants, units)
    }
}

/// Each unit takes its own.
fn all(layout: &Layout) -> Vec<usize> {
    (0..layout.units()).collect()
}

/// The product of constants with an object's ciphertexts; `units` says which one each unit of the result takes.
#[track_caller]
fn scaled<T: Object, R: Object>(
    op: &'static str,
    object: &T,
    layout: Layout,
    constants: Result<Vec<Vec<f64>>>,
    units: fn(&Layout) -> Vec<usize>,
) -> R {
    let (constants, layout) = match constants {
        Ok(constants) => (constants, Ok(layout)),
        Err(error) => (vec![], Err(error)),
    };
    record(op, &[object], layout, |layout| {
        let picked = object.recorded().pick(&units(layout));
        picked.multiply_plain(constants)
    })
}

/// The vector that a plaintext operand of a matrix is.
fn plain_vector(
    matrix: &Layout,
    vector: Value,
    len: usize,
    remedy: &'static str,
) -> Result<Array1<f64>> {
    matrix.check()?;
    match vector {
        Value::Vector(vector) if vector.len() == len => Ok(vector),
        other => Err(ToolkitError::mismatch(
            matrix,
            format!("plaintext {}", other.describe()),
            remedy,
        )),
    }
}

/// The layout and the slots of the plaintext matrix that a vector scales.
fn plain_matrix<T: Object>(
    vector: &T,
    matrix: &Value,
    fits: impl FnOnce((usize, usize)) -> bool,
    remedy: &'static str,
) -> (Layout, Result<Vec<Vec<f64>>>) {
    let unit = unit_of(&vector.layout());
    match matrix {
        Value::Matrix(m) if fits(m.dim()) => {
            let layout = Layout::matrix(m.nrows(), m.ncols(), unit);
            (layout, layout.slots_of("plaintext", matrix))
        }
        other => {
            let error = ToolkitError::mismatch(
                vector.layout(),
                format!("plaintext {}", other.describe()),
                remedy,
            );
            (Layout::matrix(1, 1, unit), Err(error))
        }
    }
}

/// The layout of a matrix whose rows a row vector scales.
pub(super) fn rows_meet(vector: &RowVector, matrix: &Matrix) -> Result<Layout> {
    same_unit(vector.unit(), matrix.unit())?;
    plain_rows(matrix)?;
    if vector.len() == matrix.dim().0 {
        return Ok(matrix.layout);
    }
    Err(ToolkitError::mismatch(vector.layout, matrix.layout, ROWS))
}

/// The layout of a matrix whose columns a column vector scales.
pub(super) fn columns_meet(matrix: &Matrix, vector: &ColumnVector) -> Result<Layout> {
    same_unit(matrix.unit(), vector.unit())?;
    if vector.len() == matrix.dim().1 {
        return Ok(matrix.layout);
    }
    Err(ToolkitError::mismatch(
        matrix.layout,
        vector.layout,
        COLUMNS,
    ))
}

/// A matrix whose rows follow each other.
pub(super) fn plain_rows(matrix: &Matrix) -> Result<()> {
    if matrix.row_stride() == 1 {
        return Ok(());
    }
    Err(ToolkitError::does_not_fit(
        matrix.layout,
        "row vectors of that unit",
        "transpose the unit back first; sums of rows and products with column vectors take it as it is",
    ))
}
