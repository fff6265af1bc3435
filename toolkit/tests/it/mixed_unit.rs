//! Transposed units and the products that change the unit.

use std::f64::consts::PI;

use arras_toolkit::{EncodingUnit, Layout, Matrix, OpCount, Program, Recorder, ToolkitErrorKind};

use crate::support::{
    case::{Building, Case, NOTHING},
    refused,
    suite::{self, unit},
};

fn units() -> [EncodingUnit; 2] {
    [unit(64, 64), unit(16, 256)]
}

#[test]
fn transposing_a_unit_leaves_sums_of_rows_unchanged() {
    for unit in units() {
        let m = unit.height();
        for (rows, cols) in [(m, m), (m / 2, m), (m, m / 2), (m - 3, 5)] {
            let turned = |a: &Matrix| {
                let turned = a.transpose_unit();
                assert_eq!(turned.unit(), unit.transposed());
                assert_eq!(turned.row_stride(), unit.width() / m);
                turned
            };
            let mut sums = Building::new(unit.slots(), 1);
            let (a, x) = sums.matrix("a", (rows, cols), unit);
            let sum = x.sum_axis(ndarray::Axis(0));
            sums.expect("sum", &a.sum_rows(), &sum);
            sums.expect("sum, turned", &turned(&a).sum_rows(), &sum);
            sums.finish().within(1e-12).in_plaintext();

            let mut moved = Building::new(unit.slots(), 1);
            let (a, x) = moved.matrix("a", (rows, cols), unit);
            moved.expect("turned", &turned(&a), &x);
            moved.expect("back", &turned(&a).transpose_unit(), &x);
            let moved = moved.finish().within(NOTHING);
            moved.in_plaintext();
            let back = moved.circuit.output("back").unwrap();
            assert_eq!(back.layout(), moved.circuit.inputs()[0].layout());
        }
    }
}

#[test]
fn column_vectors_turn_and_turn_back() {
    for unit in units() {
        let (m, tall) = (unit.height(), unit.transposed());
        for len in [1, m / 2, m] {
            let mut case = Building::new(unit.slots(), 2);
            let (hx, x) = case.column("x", len, tall);
            let turned = hx.transpose_unit();
            assert_eq!((turned.unit(), turned.period()), (unit, m));
            case.expect("turned", &turned, &x);
            case.expect("back", &turned.transpose_unit(), &x);
            case.finish().within(NOTHING).in_plaintext();
        }
    }
}

#[test]
fn what_does_not_fit_both_units_is_refused() {
    let unit = EncodingUnit::new(16, 256).unwrap();
    let tall = unit.transposed();
    let matrix =
        |r: &Recorder, rows, cols, unit| r.matrix(&format!("{rows}x{cols}"), rows, cols, unit);
    refused! { 4096, ToolkitErrorKind::DoesNotFit { .. }, |r|
        matrix(r, 17, 3, unit).transpose_unit() => ["matrix 17x3", "16x256"];
        matrix(r, 3, 17, unit).transpose_unit() => ["matrix 3x17", "16x256"];
        matrix(r, 3, 3, tall).transpose_unit() => ["matrix 3x3", "16x256"];
        r.column_vector("x", 17, tall).transpose_unit() => ["column vector of 17", "16x256"];
        r.column_vector("x", 3, unit).transpose_unit() => ["column vector of 3", "16x256"];
        r.row_vector("x", 5, unit).dot_mixed_unit(&matrix(r, 5, 17, unit)) => ["matrix 5x17", "16x256"];
        r.row_vector("x", 5, tall).dot_mixed_unit(&matrix(r, 5, 6, tall)) => ["matrix 5x6", "16x256"];
        matrix(r, 5, 17, unit).dot_mixed_unit(&r.column_vector("x", 17, tall), 1.0) => ["column vector of 17", "16x256"];
        Matrix::multiply_row_major_mixed_unit(&matrix(r, 5, 17, tall), &matrix(r, 5, 2, tall), 1.0) => ["matrix 5x17", "16x256"];
    }
    refused! { 4096, ToolkitErrorKind::DimensionMismatch { .. }, |r|
        Matrix::multiply_row_major_mixed_unit(&matrix(r, 5, 3, tall), &matrix(r, 6, 2, tall), 1.0) => ["5x3", "6x2"];
    }
}

/// Products with a matrix of f x g; what comes out of one goes into the other.
fn vectors(unit: EncodingUnit, (f, g): (usize, usize), scale: f64) -> Case {
    let mut case = Building::new(unit.slots(), (f + g) as u64);
    let (hx, x) = case.row("x", f, unit);
    let (hy, y) = case.column("y", g, unit.transposed());
    let (ha, a) = case.matrix("a", (f, g), unit);
    let (hxa, xa) = (hx.dot_mixed_unit(&ha), x.dot(&a));
    case.expect("xa", &hxa, &xa);
    case.expect("ay", &ha.dot_mixed_unit(&hy, scale), a.dot(&y) * scale);
    case.expect("axa", &ha.dot_mixed_unit(&hxa, scale), a.dot(&xa) * scale);
    let case = case.finish().within(1e-10);
    assert_eq!(case.circuit.levels_needed(), 3);
    let layout = case.circuit.output("xa").unwrap().layout();
    assert_eq!(*layout, Layout::column_vector(g, unit.transposed()));
    case
}

#[test]
fn products_of_vectors() {
    for unit in units() {
        let m = unit.height();
        let sizes = [
            (m, m),
            (2 * m, m / 2),
            (m + 11, m - 1),
            (300, 13),
            (m / 2, m / 2),
            (13, 78),
            (67, 17),
            (134, 134),
            (300, 27),
        ];
        // Columns beyond the unit's shorter side are refused: see above.
        let fitting = sizes.into_iter().filter(|&(_, g)| g <= m);
        for (i, size) in fitting.enumerate() {
            let scale = if i % 2 == 0 { PI } else { 1.0 };
            vectors(unit, size, scale).in_plaintext();
        }
    }
}

pub(crate) fn product(unit: EncodingUnit, (f, g, h): (usize, usize, usize), scale: f64) -> Case {
    let tall = unit.transposed();
    let mut case = Building::new(unit.slots(), (f * g * h) as u64);
    let (hat, at) = case.matrix("at", (g, f), tall);
    let (hb, b) = case.matrix("b", (g, h), tall);
    let ab = Matrix::multiply_row_major_mixed_unit(&hat, &hb, scale);
    case.expect("ab", &ab, at.t().dot(&b) * scale);
    let case = case.finish().within(1e-10);
    assert_eq!(case.circuit.levels_needed(), 3);
    let layout = case.circuit.output("ab").unwrap().layout();
    assert_eq!(*layout, Layout::matrix(f, h, unit));
    case
}

#[test]
fn products_of_matrices() {
    for unit in units() {
        let m = unit.height();
        for (i, size) in [
            (m, m, m),
            (m / 2, 300, m),
            (m, 17, 3),
            (1, 78, 13),
            (9, 1, 1),
        ]
        .into_iter()
        .enumerate()
        {
            let scale = if i % 2 == 0 { PI } else { 1.0 };
            product(unit, size, scale).in_plaintext();
        }
        // The published loop: a rotation, lg m to repeat, a relinearization, lg n to sum, for each row.
        let published = m * (2 + m.ilog2() + unit.width().ilog2()) as usize;
        let program = Program::new(product(unit, (m, m, m), 1.0).circuit);
        let count = OpCount::of(&program).key_switches();
        assert!(count < published, "{unit}: {count}, published {published}");
    }
}

#[test]
fn on_ciphertexts() {
    let wide = unit(16, 256);
    let large = [
        vectors(wide, (27, 13), PI),
        product(wide, (16, 300, 13), PI),
    ];
    suite::on_the_cpu(1e-3, large);
    let small = unit(4, 16);
    for size in [(4, 4, 4), (3, 19, 2), (1, 5, 4)] {
        suite::on_the_reference((7, 3), 1e-4, [product(small, size, 1.0)]);
        suite::on_the_reference((7, 3), 1e-3, [vectors(small, (size.1, size.2), 1.0)]);
    }
}
