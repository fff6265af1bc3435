//! What lists of operations are written on: a recorder with inputs of one size.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use ndarray::{Array1, Array2};

use crate::{
    Bindings, Circuit, ColumnVector, EncodingUnit, Matrix, Recorded, Recorder, Result, RowVector,
    Samples, Scalar, Value,
};

/// Height and width of the units.
pub const UNIT: (usize, usize) = (8, 16);

/// Rows and columns of the matrices: smaller than a unit, a unit, and larger in both directions without being a multiple.
pub const SIZES: [(usize, usize); 3] = [(5, 7), (8, 16), (11, 19)];

/// A circuit that is being recorded on inputs of one size.
pub struct Sheet {
    recorder: Recorder,
    /// Rows of matrices, and entries of row vectors.
    pub rows: usize,
    /// Columns of matrices, and entries of column vectors.
    pub cols: usize,
    /// The unit.
    pub unit: EncodingUnit,
    bounds: RefCell<BTreeMap<String, (f64, f64)>>,
    constants: Cell<u64>,
}

impl Sheet {
    /// An empty sheet.
    ///
    /// # Errors
    /// None for the sizes of the suite.
    pub fn new((rows, cols): (usize, usize)) -> Result<Self> {
        let unit = EncodingUnit::new(UNIT.0, UNIT.1)?;
        Ok(Self {
            recorder: Recorder::new(unit.slots())?,
            rows,
            cols,
            unit,
            bounds: RefCell::default(),
            constants: Cell::new((rows * 1000 + cols) as u64),
        })
    }

    /// The recorder.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// An encrypted matrix of the sheet's size.
    pub fn matrix(&self, name: &str) -> Matrix {
        self.matrix_of(name, self.rows, self.cols)
    }

    /// An encrypted matrix.
    pub fn matrix_of(&self, name: &str, rows: usize, cols: usize) -> Matrix {
        self.recorder.matrix(name, rows, cols, self.unit)
    }

    /// An encrypted row vector, an entry for each row.
    pub fn row(&self, name: &str) -> RowVector {
        self.recorder.row_vector(name, self.rows, self.unit)
    }

    /// An encrypted column vector, an entry for each column.
    pub fn column(&self, name: &str) -> ColumnVector {
        self.recorder.column_vector(name, self.cols, self.unit)
    }

    /// An encrypted number.
    pub fn number(&self, name: &str) -> Scalar {
        self.recorder.scalar(name)
    }

    /// The entries of the input of this name lie between `low` and `high` instead of -1 and 1.
    pub fn within(&self, name: &str, low: f64, high: f64) {
        self.bounds.borrow_mut().insert(name.into(), (low, high));
    }

    /// A plaintext matrix of numbers in [-1, 1].
    pub fn plain(&self, rows: usize, cols: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, cols), || self.constant())
    }

    /// A plaintext vector of numbers in [-1, 1].
    pub fn plain_vector(&self, len: usize) -> Array1<f64> {
        Array1::from_shape_simple_fn(len, || self.constant())
    }

    /// The next constant: multiples of 2^-10 that look random.
    fn constant(&self) -> f64 {
        let state = self.constants.get().wrapping_mul(0x5851_f42d_4c95_7f2d) + 0x1405_7b7e_f767;
        self.constants.set(state);
        f64::from((state >> 53) as u32) / 1024.0 - 1.0
    }

    /// Names an output.
    pub fn output(&self, name: &str, result: &impl Recorded) {
        self.recorder.output(name, result);
    }

    /// The circuit, and values for its inputs.
    ///
    /// # Errors
    /// The first one of the recording.
    pub fn finish(self) -> Result<(Circuit, Bindings<Value>)> {
        let circuit = self.recorder.finish()?;
        let bounds = self.bounds.into_inner();
        let samples = bounds.into_iter().fold(
            Samples::uniform(-1.0, 1.0),
            |samples, (name, (low, high))| samples.with_bounds(name, low, high),
        );
        let inputs = samples.draw(&circuit, 0)?;
        Ok((circuit, inputs))
    }
}
