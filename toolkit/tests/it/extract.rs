//! Inner and outer products, conversions, parts of objects, concatenation, masks.

use arras_toolkit::{
    ColumnVector, EncodingUnit, Matrix, Recorded, Recorder, RowVector, ToolkitErrorKind, Value,
};
use ndarray::{Array1, Array2, concatenate, prelude::*, s};

use crate::support::{
    Numbers,
    case::{Case, cost, costs, with_matrix},
    refused,
    suite::{self, unit},
};

fn matrix(rows: usize, cols: usize) -> Array2<f64> {
    Numbers((rows * 1000 + cols) as u64).matrix(rows, cols)
}

fn vector(len: usize) -> Array1<f64> {
    Numbers(len as u64).vector(len)
}

fn with_row<T: Recorded>(
    x: &Array1<f64>,
    unit: EncodingUnit,
    expected: impl Into<Value>,
    op: impl Fn(&RowVector) -> T,
) -> Case {
    Case::new(unit.slots(), &[("x", x.into())], expected, |recorder| {
        op(&recorder.row_vector("x", x.len(), unit))
    })
}

fn with_column<T: Recorded>(
    x: &Array1<f64>,
    unit: EncodingUnit,
    expected: impl Into<Value>,
    op: impl Fn(&ColumnVector) -> T,
) -> Case {
    Case::new(unit.slots(), &[("x", x.into())], expected, |recorder| {
        op(&recorder.column_vector("x", x.len(), unit))
    })
}

/// Every operation on vectors of these lengths.
fn vector_cases(len: usize, other: usize, unit: EncodingUnit) -> Vec<Case> {
    let (x, y) = (vector(len), vector(other));
    let (from, to, i) = (len / 3, len - len / 4, len / 2);
    let slice = x.slice(s![from..to]).to_owned();
    let masked = Array1::from_shape_fn(len, |i| if i % 3 == 1 { x[i] } else { 0.0 });
    let joined = concatenate![Axis(0), x, y, x];
    let outer = Array2::from_shape_fn((len, other), |(r, c)| x[r] * y[c]);
    let square = x.dot(&x);
    let both = [("x", Value::from(&x)), ("y", Value::from(&y))];
    vec![
        with_row(&x, unit, &x, RowVector::to_column),
        with_column(&x, unit, &x, ColumnVector::to_row),
        with_row(&x, unit, square, |x| x.inner(x)),
        with_column(&x, unit, square, |x| x.inner(x)),
        with_row(&x, unit, x.sum(), RowVector::sum_entries),
        with_column(&x, unit, x.sum(), ColumnVector::sum_entries),
        with_row(&x, unit, x[i], |x| x.entry(i)),
        with_column(&x, unit, x[i], |x| x.entry(i)),
        with_row(&x, unit, &slice, |x| x.slice(from..to)),
        with_column(&x, unit, &slice, |x| x.slice(from..to)),
        with_row(&x, unit, &masked, |x| x.mask(|i| i % 3 == 1)),
        with_column(&x, unit, &masked, |x| x.mask(|i| i % 3 == 1)),
        Case::new(unit.slots(), &both, &joined, |recorder| {
            let x = recorder.row_vector("x", len, unit);
            x.concat(&[&recorder.row_vector("y", other, unit), &x])
        }),
        Case::new(unit.slots(), &both, &joined, |recorder| {
            let x = recorder.column_vector("x", len, unit);
            x.concat(&[&recorder.column_vector("y", other, unit), &x])
        }),
        Case::new(unit.slots(), &both, outer, |recorder| {
            let x = recorder.row_vector("x", len, unit);
            let y = recorder.column_vector("y", other, unit);
            x.outer(&y)
        }),
    ]
}

/// Every operation on matrices of this size.
fn matrix_cases(rows: usize, cols: usize, unit: EncodingUnit) -> Vec<Case> {
    let a = matrix(rows, cols);
    let (r, c) = (rows / 2, cols - 1 - cols / 3);
    let (r0, r1) = (rows / 3, rows - rows / 4);
    let (c0, c1) = (cols / 4, cols - cols / 3);
    let block = a.slice(s![r0..r1, c0..c1]).to_owned();
    let keep = |f: &dyn Fn(usize, usize) -> bool| {
        Array2::from_shape_fn((rows, cols), |(i, j)| if f(i, j) { a[[i, j]] } else { 0.0 })
    };
    let (below, beside) = (matrix(r + 1, cols), matrix(rows, c + 1));
    let trace = a.diag().sum();
    vec![
        with_matrix(&a, unit, a.row(r), |a| a.row(r)),
        with_matrix(&a, unit, a.column(c), |a| a.column(c)),
        with_matrix(&a, unit, a[[r, c]], |a| a.entry(r, c)),
        with_matrix(&a, unit, block, |a| a.block(r0..r1, c0..c1)),
        with_matrix(&a, unit, &a, |a| a.block(0..rows, 0..cols)),
        with_matrix(&a, unit, a.diag(), Matrix::diagonal),
        with_matrix(&a, unit, trace, Matrix::trace),
        with_matrix(&a, unit, a.sum(), Matrix::sum_entries),
        with_matrix(&a, unit, (&a * &a).sum(), |a| a.inner(a)),
        with_matrix(&a, unit, keep(&|i, _| i >= r0 && i < r1), |a| {
            a.keep_rows(r0..r1)
        }),
        with_matrix(&a, unit, keep(&|_, j| j >= c0 && j < c1), |a| {
            a.keep_columns(c0..c1)
        }),
        with_matrix(&a, unit, keep(&|i, j| i < j), |a| a.mask(|i, j| i < j)),
        Case::new(
            unit.slots(),
            &[("a", (&a).into()), ("b", (&below).into())],
            concatenate![Axis(0), a, below, a],
            |recorder| {
                let b = recorder.matrix("b", r + 1, cols, unit);
                let a = recorder.matrix("a", rows, cols, unit);
                a.concat_rows(&[&b, &a])
            },
        ),
        Case::new(
            unit.slots(),
            &[("a", (&a).into()), ("b", (&beside).into())],
            concatenate![Axis(1), a, beside, a],
            |recorder| {
                let b = recorder.matrix("b", rows, c + 1, unit);
                let a = recorder.matrix("a", rows, cols, unit);
                a.concat_columns(&[&b, &a])
            },
        ),
    ]
}

/// All of them.
fn cases(rows: usize, cols: usize, unit: EncodingUnit) -> Vec<Case> {
    let mut cases = vector_cases(rows, cols, unit);
    cases.extend(matrix_cases(rows, cols, unit));
    cases
}

#[test]
fn all_sizes() {
    suite::all_sizes(cases);
    suite::any_size_any_unit(cases);
}

#[test]
fn what_it_costs() {
    let (square, wide) = (unit(64, 64), unit(16, 256));
    let x = vector(64);
    let long = vector(200);
    let a = matrix(64, 64);
    let tall = matrix(100, 40);
    let twice = concatenate![Axis(0), long.slice(s![..9]), long.slice(s![..9])];
    costs! {
        with_row(&x, square, &x, RowVector::to_column) => cost(1, 6, 6, 1);
        with_row(&long, wide, &long, RowVector::to_column) => cost(1, 4, 4, 13);
        with_column(&x, square, &x, ColumnVector::to_row) => cost(1, 20, 14, 64);
        with_row(&long, wide, long.dot(&long), |x| x.inner(x)) => cost(1, 4, 4, 0);
        with_column(&long, wide, long.dot(&long), |x| x.inner(x)) => cost(1, 8, 8, 0);
        with_column(&long, wide, long.sum(), ColumnVector::sum_entries) => cost(0, 8, 8, 0);
        with_matrix(&tall, square, tall.row(70), |a| a.row(70)) => cost(1, 6, 6, 1);
        with_matrix(&tall, square, tall.column(9), |a| a.column(9)) => cost(1, 12, 6, 2);
        with_matrix(&tall, square, tall[[70, 9]], |a| a.entry(70, 9)) => cost(1, 12, 12, 1);
        with_row(&long, wide, long[70], |x| x.entry(70)) => cost(1, 4, 4, 1);
        with_column(&long, wide, long[70], |x| x.entry(70)) => cost(1, 8, 8, 1);
        with_matrix(&a, square, a.diag(), Matrix::diagonal) => cost(1, 6, 6, 1);
        with_matrix(&a, square, a.diag().sum(), Matrix::trace) => cost(1, 12, 12, 1);
        with_matrix(&a, square, a.sum(), Matrix::sum_entries) => cost(0, 12, 12, 0);
        with_matrix(&tall, square, tall.clone(), |a| a.mask(|_, _| true)) => cost(1, 0, 0, 2);
        // Blocks at the edges of units, cut, and moved.
        with_matrix(&tall, square, tall.slice(s![64.., ..]), |a| a.block(64..100, 0..40)) => cost(0, 0, 0, 0);
        with_matrix(&tall, square, tall.slice(s![64..90, ..]), |a| a.block(64..90, 0..40)) => cost(1, 0, 0, 1);
        with_matrix(&tall, square, tall.slice(s![50..90, 3..9]), |a| a.block(50..90, 3..9)) => cost(1, 2, 1, 2);
        with_row(&long, wide, long.slice(s![16..]), |x| x.slice(16..200)) => cost(0, 0, 0, 0);
        // Concatenations that are free, without masks, and with them.
        with_matrix(&a, square, concatenate![Axis(0), a, a], |a| a.concat_rows(&[a])) => cost(0, 0, 0, 0);
        with_column(&long, wide, twice, |x| x.slice(0..9).concat(&[&x.slice(0..9)])) => cost(1, 1, 1, 1);
        with_matrix(&tall, square, concatenate![Axis(1), tall, tall], |a| a.concat_columns(&[a])) => cost(1, 4, 2, 6);
    }
    let both = [("x", Value::from(&x)), ("y", Value::from(&long))];
    let outer = Array2::from_shape_fn((64, 200), |(r, c)| x[r] * long[c]);
    let case = Case::new(4096, &both, outer, |recorder| {
        let y = recorder.column_vector("y", 200, wide);
        recorder.row_vector("x", 64, wide).outer(&y)
    });
    assert_eq!(case.in_plaintext(), cost(1, 0, 0, 0));
}

#[test]
fn wrong_operands_are_named() {
    let unit = unit(8, 8);
    let a = |r: &Recorder| r.matrix("a", 9, 5, unit);
    let x = |r: &Recorder| r.row_vector("x", 9, unit);
    refused! { 64, ToolkitErrorKind::OutOfRange { .. }, |r|
        a(r).row(9) => ["row = 9", "there are 9"];
        a(r).column(5) => ["column = 5", "there are 5"];
        a(r).entry(0, 7) => ["column = 7", "there are 5"];
        a(r).block(3..10, 0..5) => ["rows = 10", "4 to 9"];
        a(r).block(3..3, 0..5) => ["rows = 3", "4 to 9"];
        x(r).slice(5..10) => ["range = 10", "6 to 9"];
        x(r).entry(9) => ["index = 9", "there are 9"];
        a(r).row_variances(5) => ["ddof = 5", "0 to 4"];
    }
    refused! { 64, ToolkitErrorKind::DimensionMismatch { .. }, |r|
        x(r).inner(&r.row_vector("y", 8, unit)) => ["row vector of 9", "row vector of 8"];
        a(r).concat_rows(&[&r.matrix("b", 9, 6, unit)]) => ["matrix 9x5", "matrix 9x6"];
        a(r).concat_columns(&[&r.matrix("b", 8, 5, unit)]) => ["matrix 9x5", "matrix 8x5"];
    }
}

#[test]
fn on_ciphertexts() {
    suite::on_the_cpu(1e-4, vector_cases(100, 30, unit(64, 64)));
    // Sums of squares stay below 400, where values at level 0 of this chain end.
    suite::on_the_cpu(1e-4, matrix_cases(20, 30, unit(16, 256)));
    suite::on_the_cpu(1e-4, matrix_cases(5, 70, unit(64, 64)));
}

#[test]
fn on_the_reference_engine() {
    let small = [(9, 5), (16, 5), (20, 5), (16, 16), (5, 9), (18, 20)];
    let small = small
        .into_iter()
        .flat_map(|(r, c)| cases(r, c, unit(16, 16)));
    suite::on_the_reference((9, 2), 1e-3, small);
}
