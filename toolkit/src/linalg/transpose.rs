//! Transposes: of the unit (another reading of the same slots), lazy, and real ones.

use super::{ColumnVector, Matrix, Object, hadamard::plain_rows, permute::Permutation, record};
use crate::{EncodingUnit, Layout, Result, ToolkitError};

/// An object read as its transpose, for products that take it so: `a.t().dot(&b)`, `a.dot(&b.t())`. Nothing is computed.
#[derive(Clone, Copy, Debug)]
pub struct Transposed<'a, T>(&'a T);

impl<'a, T> Transposed<'a, T> {
    /// The object itself: its transpose's transpose.
    pub fn of(&self) -> &'a T {
        self.0
    }
}

impl Matrix {
    /// This matrix read as its transpose.
    pub fn t(&self) -> Transposed<'_, Matrix> {
        Transposed(self)
    }

    /// The same slots read in the transposed unit. A matrix of f x g in units of m x n with f, g <= m <= n becomes one in units of
    /// n x m whose rows are n/m apart; transposing again gives it back. No level, no rotation.
    #[track_caller]
    pub fn transpose_unit(&self) -> Matrix {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let (m, n) = (unit.height(), unit.width());
        let (short, long) = (m.min(n), m.max(n));
        let apart = long / short;
        let wide = unit.height() <= unit.width();
        let fits = rows <= short && cols <= short;
        // A tall unit is that of a wide one transposed before, or square.
        let row_stride = match (fits, wide, self.row_stride()) {
            (true, true, 1) => Some(apart),
            (true, false, stride) if stride == apart => Some(1),
            _ => None,
        };
        let layout = row_stride
            .map(|row_stride| Layout::strided(rows, cols, unit.transposed(), row_stride))
            .ok_or_else(|| ToolkitError::does_not_fit(self.layout, format!("the transposed unit {}", unit.transposed()), format!(
                    "at most {short} rows and columns in units of {short}x{long}, or the result of transposing such a unit"
                )));
        reread(self, layout)
    }

    /// The transpose, in the same unit: for matrices of any size. One level; about 2 sqrt(2 min(m, n)) rotations for each
    /// ciphertext in square units, more in others.
    #[track_caller]
    pub fn transpose(&self) -> Matrix {
        let ((rows, cols), unit) = (self.dim(), self.unit());
        let layout = plain_rows(self).map(|()| Layout::matrix(cols, rows, unit));
        record("transpose", &[self], layout, |_| {
            transposition(unit, rows, cols).apply(&self.slots)
        })
    }
}

impl ColumnVector {
    /// The same slots read in the transposed unit. A column vector of g <= m entries in units of n x m, m <= n, becomes one in units
    /// of m x n that repeats every m columns; transposing again gives it back. No level, no rotation.
    #[track_caller]
    pub fn transpose_unit(&self) -> ColumnVector {
        let (len, unit) = (self.len(), self.unit());
        let short = unit.height().min(unit.width());
        let layout = if self.period() == short && len <= short {
            Ok(Layout::repeating(len, unit.transposed(), short))
        } else {
            Err(ToolkitError::does_not_fit(
                self.layout,
                format!("the transposed unit {}", unit.transposed()),
                format!(
                    "at most {short} entries, in units of {} x {short} or repeated every {short} columns",
                    unit.height().max(unit.width())
                ),
            ))
        };
        reread(self, layout)
    }
}

/// The same slots in another unit.
#[track_caller]
fn reread<T: Object>(object: &T, layout: Result<Layout>) -> T {
    record("transpose_unit", &[object], layout, |_| {
        object.recorded().clone()
    })
}

/// Where the slots of the transpose of a `rows` x `cols` matrix come from. Units change places; within one, the slot of (r, x)
/// takes from (x, r), an offset of (x - r)(n - 1).
pub(super) fn transposition(
    unit: EncodingUnit,
    rows: usize,
    cols: usize,
) -> Permutation<(i64, i64)> {
    let (m, n) = (unit.height(), unit.width());
    let (down, across) = (rows.div_ceil(m), cols.div_ceil(n));
    let (to_down, to_across) = (cols.div_ceil(m), rows.div_ceil(n));
    let mut edges = vec![];
    for i in 0..to_down {
        for j in 0..to_across {
            // Rows jn.. of the source, columns im.. of it.
            let mut sources = vec![];
            for u in j * n / m..((j + 1) * n).div_ceil(m).min(down) {
                for v in i * m / n..((i + 1) * m).div_ceil(n).min(across) {
                    let first_row = (u * m) as i64 - (j * n) as i64;
                    let first_col = (v * n) as i64 - (i * m) as i64;
                    sources.push((u * across + v, (first_row, first_col)));
                }
            }
            edges.push(sources);
        }
    }
    Permutation::new(
        unit.slots(),
        edges,
        n as i64 - 1,
        1,
        1.0,
        |&(first_row, first_col), slot| {
            let row = (slot % n) as i64 - first_row;
            let col = (slot / n) as i64 - first_col;
            let inside = (0..m as i64).contains(&row) && (0..n as i64).contains(&col);
            inside.then_some(((row * n as i64 + col) as usize, row - col))
        },
    )
}
