//! Objects as transposed units leave them: vectors that repeat within the unit's width, matrices with rows apart.

use arras_toolkit::{
    ColumnVector, EncodingUnit, Layout, Recorder, Value,
    linalg::{Dot, Matrix, Object, PlainMatrix},
};
use ndarray::{Array1, Array2, concatenate, prelude::*, s};

use crate::support::{Numbers, costs::Case};

fn unit(height: usize, width: usize) -> EncodingUnit {
    EncodingUnit::new(height, width).unwrap()
}

fn matrix(rows: usize, cols: usize) -> Array2<f64> {
    Numbers((rows * 1000 + cols) as u64).matrix(rows, cols)
}

fn vector(len: usize) -> Array1<f64> {
    Numbers(len as u64).vector(len)
}

/// A column vector as a transposed unit leaves it: repeated within the unit's width.
#[test]
fn vectors_that_repeat_within_the_unit() {
    let unit = unit(8, 16);
    let layout = Layout::ColumnVector {
        len: 3,
        unit,
        period: 4,
    };
    let x = vector(3);
    let slots = Value::Slots(layout.pack("x", &(&x).into()).unwrap());
    let case = |expected: Value, op: &dyn Fn(&Recorder, ColumnVector)| {
        Case::new(128, &[("x", slots.clone())], expected, |recorder| {
            let slots = recorder.slots_input("x", 1);
            op(recorder, ColumnVector::from_parts(slots, layout));
        })
    };
    let out = |recorder: &Recorder, x: &dyn Fn() -> ColumnVector| recorder.output("out", &x());
    case((&x).into(), &|r, x| r.output("out", &x.to_row())).in_plaintext();
    case(x.dot(&x).into(), &|r, x| r.output("out", &x.inner(&x))).in_plaintext();
    case(x.sum().into(), &|r, x| r.output("out", &x.sum_entries())).in_plaintext();
    case(x[2].into(), &|r, x| r.output("out", &x.entry(2))).in_plaintext();
    case((&x).into(), &|r, x| out(r, &|| x.mask(|_| true))).in_plaintext();
    case(x.slice(s![1..]).into(), &|r, x| out(r, &|| x.slice(1..3))).in_plaintext();
    let twice = concatenate![Axis(0), x, x];
    case(twice.into(), &|r, x| out(r, &|| x.concat(&[&x]))).in_plaintext();
    let a = matrix(20, 3);
    let plain = PlainMatrix::from(&a);
    case(a.dot(&x).into(), &|r, x| out(r, &|| plain.dot(&x))).in_plaintext();
    case(a.dot(&x).into(), &|r, x| {
        out(r, &|| plain.dot_in_two_levels(&x));
    })
    .in_plaintext();
    case(a.dot(&x).into(), &|r, x| {
        r.output("out", &plain.dot_to_row(&x));
    })
    .in_plaintext();

    let recorder = Recorder::new(128).unwrap();
    let x = ColumnVector::from_parts(recorder.slots_input("x", 1), layout);
    recorder.output("out", &recorder.row_vector("y", 5, unit).outer(&x));
    let message = recorder.finish().unwrap_err().to_string();
    for part in ["repeated every 4", "8x16", "mask", "transposed_units.rs"] {
        assert!(message.contains(part), "{message}");
    }
}

/// A matrix whose rows are apart, as a transposed unit leaves it.
#[test]
fn matrices_with_rows_apart() {
    let unit = unit(16, 8);
    let layout = Layout::Matrix {
        rows: 5,
        cols: 7,
        unit,
        row_stride: 2,
    };
    let a = matrix(5, 7);
    let slots = Value::Slots(layout.pack("a", &(&a).into()).unwrap());
    let case = |expected: Value, op: &dyn Fn(&Recorder, Matrix)| {
        Case::new(128, &[("a", slots.clone())], expected, |recorder| {
            op(
                recorder,
                Matrix::from_parts(recorder.slots_input("a", 1), layout),
            );
        })
        .in_plaintext()
    };
    let (left, right) = (matrix(6, 5), matrix(7, 4));
    let (pl, pr) = (PlainMatrix::from(&left), PlainMatrix::from(&right));
    case(left.dot(&a).into(), &|r, a| r.output("out", &pl.dot(&a)));
    case(a.dot(&right).into(), &|r, a| r.output("out", &a.dot(&pr)));
    case(a.row(3).into(), &|r, a| r.output("out", &a.row(3)));
    case(a[[3, 2]].into(), &|r, a| r.output("out", &a.entry(3, 2)));
    let block = a.slice(s![1..4, 2..5]);
    case(block.into(), &|r, a| r.output("out", &a.block(1..4, 2..5)));
    let means = a.mean_axis(Axis(0)).unwrap();
    case((&means).into(), &|r, a| r.output("out", &a.column_means()));
    case((&a - &means).into(), &|r, a| {
        r.output("out", &a.center_columns());
    });
    let variances = a.var_axis(Axis(0), 1.0);
    case(variances.into(), &|r, a| {
        r.output("out", &a.column_variances(1));
    });
}
