//! Products of plaintext matrices with encrypted vectors and matrices.

use arras_toolkit::{
    EncodingUnit, Program, Recorder, ToolkitErrorKind,
    linalg::{Dot, PlainMatrix},
};
use ndarray::Array2;
use proptest::prelude::*;

use crate::support::{
    Numbers,
    case::{Building, Case, Cost, cost},
    suite::{self, unit},
};

/// The products of a plaintext matrix with a vector, by kind of vector and of result.
#[derive(Clone, Copy, Debug)]
enum Form {
    Column,
    ColumnInTwoLevels,
    Row,
    RowToColumn,
    ColumnToRow,
}

const FORMS: [Form; 5] = [
    Form::Column,
    Form::ColumnInTwoLevels,
    Form::Row,
    Form::RowToColumn,
    Form::ColumnToRow,
];

fn vector_case(form: Form, a: &Array2<f64>, unit: EncodingUnit) -> Case {
    let len = a.ncols();
    let mut case = Building::new(unit.slots(), len as u64);
    let x = case.numbers.vector(len);
    case.bind("x", &x);
    let (plain, expected) = (PlainMatrix::from(a), a.dot(&x));
    if matches!(form, Form::Row | Form::RowToColumn) {
        let x = case.recorder.row_vector("x", len, unit);
        match form {
            Form::Row => case.expect("out", &plain.dot(&x), expected),
            _ => case.expect("out", &plain.dot_to_column(&x), expected),
        }
    } else {
        let x = case.recorder.column_vector("x", len, unit);
        match form {
            Form::Column => case.expect("out", &plain.dot(&x), expected),
            Form::ColumnToRow => case.expect("out", &plain.dot_to_row(&x), expected),
            _ => case.expect("out", &plain.dot_in_two_levels(&x), expected),
        }
    }
    case.finish()
}

/// Plain x encrypted (left) or encrypted x plain, the encrypted matrix of `rows` x `cols`.
fn matrix_case(left: bool, plain: &Array2<f64>, other: usize, unit: EncodingUnit) -> Case {
    let (rows, cols) = if left {
        (plain.ncols(), other)
    } else {
        (other, plain.nrows())
    };
    let x = Numbers((rows * cols) as u64).matrix(rows, cols);
    let expected = if left { plain.dot(&x) } else { x.dot(plain) };
    Case::new(unit.slots(), &[("x", (&x).into())], expected, |recorder| {
        let encrypted = recorder.matrix("x", rows, cols, unit);
        let plain = PlainMatrix::from(plain);
        if left {
            plain.dot(&encrypted)
        } else {
            encrypted.dot(&plain)
        }
    })
}

/// All products of a matrix, with encrypted matrices of these widths or heights.
fn cases(a: &Array2<f64>, others: &[usize], unit: EncodingUnit) -> Vec<Case> {
    let vectors = FORMS.map(|form| vector_case(form, a, unit));
    let matrices = others
        .iter()
        .flat_map(|&other| [true, false].map(|left| matrix_case(left, a, other, unit)));
    vectors.into_iter().chain(matrices).collect()
}

#[test]
fn products_of_all_sizes() {
    suite::all_sizes(|rows, cols, unit| {
        let a = Numbers((rows * 64 + cols) as u64).matrix(rows, cols);
        cases(&a, &[1, 7, 20], unit)
    });
}

#[test]
fn what_a_full_product_costs() {
    let a = |n| Numbers(5).matrix(n, n);
    for (form, size, unit, expected) in [
        (Form::Column, 64, unit(64, 64), cost(1, 14, 14, 64)),
        (Form::Column, 256, unit(16, 256), cost(1, 30, 30, 256)),
        (Form::Column, 128, unit(64, 64), cost(1, 28, 14, 256)),
        (
            Form::ColumnInTwoLevels,
            64,
            unit(64, 64),
            cost(2, 20, 20, 65),
        ),
        (
            Form::ColumnInTwoLevels,
            256,
            unit(16, 256),
            cost(2, 16, 16, 32),
        ),
        (Form::Row, 64, unit(64, 64), cost(1, 14, 14, 64)),
        (Form::RowToColumn, 64, unit(64, 64), cost(1, 6, 6, 1)),
        (Form::RowToColumn, 256, unit(16, 256), cost(1, 4, 4, 16)),
        (Form::ColumnToRow, 64, unit(64, 64), cost(2, 12, 12, 2)),
    ] {
        let case = vector_case(form, &a(size), unit);
        assert_eq!(
            case.in_plaintext(),
            expected,
            "{form:?} of {size} in {unit}"
        );
    }
    for (left, expected) in [(true, cost(1, 14, 14, 64)), (false, cost(1, 22, 22, 127))] {
        let case = matrix_case(left, &a(64), 64, unit(64, 64));
        assert_eq!(case.in_plaintext(), expected);
    }
}

/// At N = 2^15.
#[test]
fn a_thousand_by_a_thousand() {
    let a = Numbers(1).matrix(1024, 1024);
    for (form, unit, expected) in [
        (Form::Column, unit(16, 1024), cost(1, 62, 62, 1024)),
        (Form::ColumnInTwoLevels, unit(16, 1024), cost(2, 24, 24, 80)),
        (Form::RowToColumn, unit(16, 1024), cost(1, 4, 4, 64)),
        (Form::ColumnToRow, unit(1024, 16), cost(2, 8, 8, 65)),
    ] {
        let case = vector_case(form, &a, unit);
        assert_eq!(case.in_plaintext(), expected, "{form:?} in {unit}");
    }
    let tiled = vector_case(Form::Column, &a, unit(128, 128));
    assert_eq!(
        Cost::of(&Program::new(tiled.circuit)),
        cost(1, 176, 22, 8192)
    );
}

#[test]
fn sparse_matrices_cost_their_diagonals() {
    let unit = unit(64, 64);
    let banded = Array2::from_shape_fn(
        (64, 64),
        |(r, c)| {
            if r.abs_diff(c) <= 1 { 1.5 } else { 0.0 }
        },
    );
    let shift = PlainMatrix::selection(&[1, 2, 3, 4], 64).unwrap();
    let diagonal = Array2::from_diag(&Numbers(3).vector(64));
    let zero = Array2::zeros((64, 64));
    for (a, expected) in [
        (&banded, cost(1, 2, 2, 3)),
        (shift.entries(), cost(1, 1, 1, 1)),
        (&diagonal, cost(1, 0, 0, 1)),
        (&zero, cost(1, 0, 0, 1)),
    ] {
        for form in [Form::Column, Form::Row] {
            assert_eq!(vector_case(form, a, unit).in_plaintext(), expected);
        }
        assert_eq!(matrix_case(true, a, 9, unit).in_plaintext(), expected);
        matrix_case(false, a, 9, unit).in_plaintext();
    }
    let blocks = Array2::from_diag(&Numbers(4).vector(200));
    let case = vector_case(Form::Column, &blocks, unit);
    assert_eq!(case.in_plaintext(), cost(1, 0, 0, 4));
}

#[test]
fn wrong_operands_are_named() {
    let unit = unit(8, 8);
    let error = |record: &dyn Fn(&Recorder)| {
        let recorder = Recorder::new(64).unwrap();
        record(&recorder);
        recorder.finish().unwrap_err()
    };
    let plain = PlainMatrix::from(Array2::zeros((3, 5)));
    let message =
        error(&|r| r.output("out", &plain.dot(&r.column_vector("x", 4, unit)))).to_string();
    for part in ["plaintext matrix 3x5", "column vector of 4", "diagonals.rs"] {
        assert!(message.contains(part), "{message}");
    }
    let message = error(&|r| r.output("out", &r.matrix("x", 4, 5, unit).dot(&plain))).to_string();
    assert!(
        message.contains("matrix 4x5") && message.contains("3x5"),
        "{message}"
    );
    let wrong = PlainMatrix::from(Array2::from_elem((2, 2), f64::NAN));
    let wrong = error(&|r| r.output("out", &wrong.dot(&r.row_vector("x", 2, unit))));
    assert!(matches!(wrong.kind(), ToolkitErrorKind::NonFinite { index, .. } if index == &[0, 0]));
    assert!(PlainMatrix::selection(&[3], 3).is_err());
}

#[test]
fn products_on_ciphertexts() {
    let (square, wide) = (unit(64, 64), unit(16, 256));
    let vectors = [
        (Form::Column, 64, 64, square),
        (Form::Column, 70, 130, square),
        (Form::ColumnInTwoLevels, 256, 256, wide),
        (Form::Row, 20, 40, wide),
        (Form::RowToColumn, 300, 40, wide),
        (Form::ColumnToRow, 77, 64, square),
    ]
    .map(|(form, rows, cols, unit)| {
        let a = Numbers(rows as u64).matrix(rows, cols);
        vector_case(form, &a, unit)
    });
    let a = Numbers(9).matrix(30, 70);
    let others = [
        matrix_case(true, &a, 70, square),
        matrix_case(false, &a, 70, square),
        vector_case(Form::Column, &Array2::zeros((64, 64)), square),
    ];
    suite::on_the_cpu(1e-4, vectors.into_iter().chain(others));
    let small = [(8, 8), (5, 20), (40, 33)].into_iter().flat_map(|(r, c)| {
        let a = Numbers(r as u64).matrix(r, c);
        cases(&a, &[9], unit(16, 32))
    });
    suite::on_the_reference((10, 2), 1e-3, small);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_size_any_unit(
        (rows, cols, other) in (1usize..40, 1usize..40, 1usize..20),
        (m, n) in (0u32..5, 0u32..5),
        density in 0.0..1.0f64,
    ) {
        let mut numbers = Numbers(u64::from(m * 8 + n));
        let a = Array2::from_shape_simple_fn((rows, cols), || {
            let x = numbers.next();
            if x.abs() < density { x } else { 0.0 }
        });
        for case in cases(&a, &[other], unit(1 << m, 1 << n)) {
            case.in_plaintext();
        }
    }
}
