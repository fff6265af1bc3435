//! Transposed units and the products that change the unit.

use std::f64::consts::PI;

use arras_toolkit::{
    Bindings, Cleartext, EncodingUnit, Layout, Matrix, OpCount, Program, Recorder,
    ToolkitErrorKind, Value,
};

use crate::support::{
    Numbers,
    case::{Building, Case},
    suite::{self, unit},
    worst,
};

fn units() -> [EncodingUnit; 2] {
    [unit(64, 64), unit(16, 256)]
}

#[test]
fn transposing_a_unit_leaves_sums_of_rows_unchanged() {
    for unit in units() {
        let m = unit.height();
        for (rows, cols) in [(m, m), (m / 2, m), (m, m / 2), (m - 3, 5)] {
            let recorder = Recorder::new(unit.slots()).unwrap();
            let a = recorder.matrix("a", rows, cols, unit);
            let turned = a.transpose_unit();
            assert_eq!(turned.unit(), unit.transposed());
            assert_eq!(turned.row_stride(), unit.width() / m);
            recorder.output("sum", &a.sum_rows());
            recorder.output("sum, turned", &turned.sum_rows());
            recorder.output("turned", &turned);
            recorder.output("back", &turned.transpose_unit());
            let program = Program::new(recorder.finish().unwrap());
            let a = Numbers(1).matrix(rows, cols);
            let inputs = Bindings::new().with("a", a.view());
            let run = Cleartext::run(&program, &inputs).unwrap();
            let sum = Value::from(a.sum_axis(ndarray::Axis(0)));
            assert!(worst(&run.outputs["sum"], &sum) < 1e-12);
            assert!(worst(&run.outputs["sum, turned"], &sum) < 1e-12);
            let a = Value::from(a);
            assert_eq!(run.outputs["turned"], a);
            assert_eq!(run.outputs["back"], a);
            assert_eq!(
                program.circuit().output("back").unwrap().layout(),
                program.circuit().inputs()[0].layout()
            );
        }
    }
}

#[test]
fn column_vectors_turn_and_turn_back() {
    for unit in units() {
        let (m, tall) = (unit.height(), unit.transposed());
        for len in [1, m / 2, m] {
            let recorder = Recorder::new(unit.slots()).unwrap();
            let x = recorder.column_vector("x", len, tall);
            let turned = x.transpose_unit();
            assert_eq!((turned.unit(), turned.period()), (unit, m));
            recorder.output("turned", &turned);
            recorder.output("back", &turned.transpose_unit());
            let program = Program::new(recorder.finish().unwrap());
            let x = Numbers(2).vector(len);
            let inputs = Bindings::new().with("x", x.view());
            let run = Cleartext::run(&program, &inputs).unwrap();
            assert_eq!(run.outputs["turned"], Value::from(x.clone()));
            assert_eq!(run.outputs["back"], Value::from(x));
            // The slots are those that the layouts say.
            for name in ["turned", "back"] {
                let layout = program.circuit().output(name).unwrap().layout();
                let packed = layout.pack(name, &run.outputs[name]).unwrap();
                assert_eq!(packed, run.slots[name]);
            }
        }
    }
}

#[test]
fn what_does_not_fit_both_units_is_refused() {
    let unit = EncodingUnit::new(16, 256).unwrap();
    let tall = unit.transposed();
    type Record = fn(&Recorder, EncodingUnit, EncodingUnit);
    let wrong: [(&str, Record); 9] = [
        ("matrix 17x3", |r, unit, _| {
            r.output("x", &r.matrix("a", 17, 3, unit).transpose_unit());
        }),
        ("matrix 3x17", |r, unit, _| {
            r.output("x", &r.matrix("a", 3, 17, unit).transpose_unit());
        }),
        ("matrix 3x3", |r, _, tall| {
            r.output("x", &r.matrix("a", 3, 3, tall).transpose_unit());
        }),
        ("column vector of 17", |r, _, tall| {
            r.output("x", &r.column_vector("a", 17, tall).transpose_unit());
        }),
        ("column vector of 3", |r, unit, _| {
            r.output("x", &r.column_vector("a", 3, unit).transpose_unit());
        }),
        ("matrix 5x17", |r, unit, _| {
            let (x, a) = (r.row_vector("x", 5, unit), r.matrix("a", 5, 17, unit));
            r.output("xa", &x.dot_mixed_unit(&a));
        }),
        ("matrix 5x6", |r, _, tall| {
            let (x, a) = (r.row_vector("x", 5, tall), r.matrix("a", 5, 6, tall));
            r.output("xa", &x.dot_mixed_unit(&a));
        }),
        ("column vector of 17", |r, unit, tall| {
            let (x, a) = (r.column_vector("x", 17, tall), r.matrix("a", 5, 17, unit));
            r.output("ax", &a.dot_mixed_unit(&x, 1.0));
        }),
        ("matrix 5x17", |r, _, tall| {
            let (a, b) = (r.matrix("a", 5, 17, tall), r.matrix("b", 5, 2, tall));
            r.output("ab", &Matrix::multiply_row_major_mixed_unit(&a, &b, 1.0));
        }),
    ];
    for (shape, record) in wrong {
        let recorder = Recorder::new(unit.slots()).unwrap();
        record(&recorder, unit, tall);
        let error = recorder.finish().unwrap_err();
        let kind = matches!(error.kind(), ToolkitErrorKind::DoesNotFit { .. });
        assert!(kind, "{error}");
        let message = error.to_string();
        assert!(message.contains(shape), "{message}");
        assert!(message.contains("mixed_unit.rs"), "{message}");
        assert!(message.contains("16x256"), "{message}");
    }
    let recorder = Recorder::new(unit.slots()).unwrap();
    let (a, b) = (
        recorder.matrix("a", 5, 3, tall),
        recorder.matrix("b", 6, 2, tall),
    );
    recorder.output("ab", &Matrix::multiply_row_major_mixed_unit(&a, &b, 1.0));
    let error = recorder.finish().unwrap_err();
    let message = error.to_string();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::DimensionMismatch { .. }),
        "{message}"
    );
    assert!(message.contains("5x3") && message.contains("6x2"));
}

/// Products with a matrix of f x g; what comes out of one goes into the other.
fn vectors(unit: EncodingUnit, (f, g): (usize, usize), scale: f64) -> Case {
    let mut case = Building::new(unit.slots(), (f + g) as u64);
    let (x, y) = (case.numbers.vector(f), case.numbers.vector(g));
    let a = case.numbers.matrix(f, g);
    let ha = case.recorder.matrix("a", f, g, unit);
    let hx = case.recorder.row_vector("x", f, unit);
    let hy = case.recorder.column_vector("y", g, unit.transposed());
    let (hxa, xa) = (hx.dot_mixed_unit(&ha), x.dot(&a));
    case.expect("xa", &hxa, &xa);
    case.expect("ay", &ha.dot_mixed_unit(&hy, scale), a.dot(&y) * scale);
    case.expect("axa", &ha.dot_mixed_unit(&hxa, scale), a.dot(&xa) * scale);
    case.bind("a", a);
    case.bind("x", x);
    case.bind("y", y);
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
    let (at, b) = (case.numbers.matrix(g, f), case.numbers.matrix(g, h));
    let hat = case.recorder.matrix("at", g, f, tall);
    let hb = case.recorder.matrix("b", g, h, tall);
    let ab = Matrix::multiply_row_major_mixed_unit(&hat, &hb, scale);
    case.expect("ab", &ab, at.t().dot(&b) * scale);
    case.bind("at", at);
    case.bind("b", b);
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
