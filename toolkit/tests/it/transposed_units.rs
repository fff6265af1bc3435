//! Objects as transposed units leave them: vectors that repeat within the unit's width, matrices with rows apart.

use arras_toolkit::{
    ColumnVector, Layout, Matrix, Recorder, Value,
    linalg::{Dot, Object, PlainMatrix},
};
use ndarray::{Array1, Array2, concatenate, prelude::*, s};

use crate::support::{Numbers, case::Case, suite::unit};

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
    let layout = Layout::repeating(3, unit, 4);
    let x = vector(3);
    let slots = Value::Slots(layout.pack("x", &(&x).into()).unwrap());
    macro_rules! gives {
        ($expected:expr, |$x:ident| $op:expr) => {
            Case::new(128, &[("x", slots.clone())], $expected, |recorder| {
                let $x = ColumnVector::from_parts(recorder.slots_input("x", 1), layout);
                $op
            })
            .in_plaintext()
        };
    }
    gives!(&x, |x| x.to_row());
    gives!(x.dot(&x), |x| x.inner(&x));
    gives!(x.sum(), |x| x.sum_entries());
    gives!(x[2], |x| x.entry(2));
    gives!(&x, |x| x.mask(|_| true));
    gives!(x.slice(s![1..]), |x| x.slice(1..3));
    gives!(concatenate![Axis(0), x, x], |x| x.concat(&[&x]));
    let a = matrix(20, 3);
    let plain = PlainMatrix::from(&a);
    gives!(a.dot(&x), |x| plain.dot(&x));
    gives!(a.dot(&x), |x| plain.dot_in_two_levels(&x));
    gives!(a.dot(&x), |x| plain.dot_to_row(&x));

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
    let layout = Layout::strided(5, 7, unit, 2);
    let a = matrix(5, 7);
    let slots = Value::Slots(layout.pack("a", &(&a).into()).unwrap());
    macro_rules! gives {
        ($expected:expr, |$a:ident| $op:expr) => {
            Case::new(128, &[("a", slots.clone())], $expected, |recorder| {
                let $a = Matrix::from_parts(recorder.slots_input("a", 1), layout);
                $op
            })
            .in_plaintext()
        };
    }
    let (left, right) = (matrix(6, 5), matrix(7, 4));
    let (pl, pr) = (PlainMatrix::from(&left), PlainMatrix::from(&right));
    gives!(left.dot(&a), |a| pl.dot(&a));
    gives!(a.dot(&right), |a| a.dot(&pr));
    gives!(a.row(3), |a| a.row(3));
    gives!(a[[3, 2]], |a| a.entry(3, 2));
    gives!(a.slice(s![1..4, 2..5]), |a| a.block(1..4, 2..5));
    let means = a.mean_axis(Axis(0)).unwrap();
    gives!(&means, |a| a.column_means());
    gives!(&a - &means, |a| a.center_columns());
    gives!(a.var_axis(Axis(0), 1.0), |a| a.column_variances(1));
}
