//! Transposed units and the products that change the unit.

use std::f64::consts::PI;

use arras_backend_cpu::CpuEngine;
use arras_hal::Reference;
use arras_toolkit::{
    Bindings, Circuit, Cleartext, EncodingUnit, Layout, Matrix, OpCount, Program, Recorder,
    ToolkitError, Value, run::Options,
};
use ndarray::{Array1, Array2};

use crate::support::{Numbers, client, insecure, padding_is_zero, run, worst};

fn units() -> [EncodingUnit; 2] {
    [(64, 64), (16, 256)].map(|(m, n)| EncodingUnit::new(m, n).unwrap())
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
        let kind = matches!(error.kind(), ToolkitError::DoesNotFit { .. });
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
        matches!(error.kind(), ToolkitError::DimensionMismatch { .. }),
        "{message}"
    );
    assert!(message.contains("5x3") && message.contains("6x2"));
}

struct Vectors {
    x: Array1<f64>,
    y: Array1<f64>,
    a: Array2<f64>,
}

impl Vectors {
    fn new(f: usize, g: usize) -> Self {
        let mut numbers = Numbers((f + g) as u64);
        Self {
            x: numbers.vector(f),
            y: numbers.vector(g),
            a: numbers.matrix(f, g),
        }
    }

    fn circuit(&self, unit: EncodingUnit, scale: f64) -> Circuit {
        let (f, g) = self.a.dim();
        let recorder = Recorder::new(unit.slots()).unwrap();
        let a = recorder.matrix("a", f, g, unit);
        let x = recorder.row_vector("x", f, unit);
        let y = recorder.column_vector("y", g, unit.transposed());
        let xa = x.dot_mixed_unit(&a);
        recorder.output("xa", &xa);
        recorder.output("ay", &a.dot_mixed_unit(&y, scale));
        // What comes out of one goes into the other.
        recorder.output("axa", &a.dot_mixed_unit(&xa, scale));
        recorder.finish().unwrap()
    }

    fn inputs(&self) -> Bindings<Value> {
        Bindings::new()
            .with("a", self.a.view())
            .with("x", self.x.view())
            .with("y", self.y.view())
    }

    fn expected(&self, scale: f64) -> [(&'static str, Value); 3] {
        let xa = self.x.dot(&self.a);
        [
            ("xa", xa.clone().into()),
            ("ay", (self.a.dot(&self.y) * scale).into()),
            ("axa", (self.a.dot(&xa) * scale).into()),
        ]
    }
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
        for (i, (f, g)) in fitting.enumerate() {
            let scale = if i % 2 == 0 { PI } else { 1.0 };
            let vectors = Vectors::new(f, g);
            let program = Program::new(vectors.circuit(unit, scale));
            assert_eq!(program.levels_needed(), 3);
            let run = Cleartext::run(&program, &vectors.inputs()).unwrap();
            for (name, value) in vectors.expected(scale) {
                assert!(worst(&run.outputs[name], &value) < 1e-10, "{name}");
                padding_is_zero(&program, name, &run.slots[name]);
            }
            let layout = program.circuit().output("xa").unwrap().layout();
            assert_eq!(*layout, Layout::column_vector(g, unit.transposed()));
        }
    }
}

pub(crate) fn product(unit: EncodingUnit, (f, g, h): (usize, usize, usize), scale: f64) -> Circuit {
    let tall = unit.transposed();
    let recorder = Recorder::new(unit.slots()).unwrap();
    let (at, b) = (
        recorder.matrix("at", g, f, tall),
        recorder.matrix("b", g, h, tall),
    );
    let ab = Matrix::multiply_row_major_mixed_unit(&at, &b, scale);
    recorder.output("ab", &ab);
    recorder.finish().unwrap()
}

fn matrices((f, g, h): (usize, usize, usize)) -> (Bindings<Value>, Array2<f64>) {
    let mut numbers = Numbers((f * g * h) as u64);
    let (at, b) = (numbers.matrix(g, f), numbers.matrix(g, h));
    let expected = at.t().dot(&b);
    (Bindings::new().with("at", at).with("b", b), expected)
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
            let program = Program::new(product(unit, size, scale));
            assert_eq!(program.levels_needed(), 3);
            let (inputs, expected) = matrices(size);
            let run = Cleartext::run(&program, &inputs).unwrap();
            let layout = program.circuit().outputs()[0].layout();
            assert_eq!(*layout, Layout::matrix(size.0, size.2, unit));
            assert!(worst(&run.outputs["ab"], &(expected * scale).into()) < 1e-10);
            padding_is_zero(&program, "ab", &run.slots["ab"]);
        }
        // The published loop: a rotation, lg m to repeat, a relinearization, lg n to sum, for each row.
        let published = m * (2 + m.ilog2() + unit.width().ilog2()) as usize;
        let count = OpCount::of(&Program::new(product(unit, (m, m, m), 1.0))).key_switches();
        assert!(count < published, "{unit}: {count}, published {published}");
    }
}

#[test]
fn on_ciphertexts() {
    let client = client(&insecure(13, 3), CpuEngine::new());
    let wide = EncodingUnit::new(16, 256).unwrap();
    let vectors = Vectors::new(27, 13);
    let out = run(
        &client,
        vectors.circuit(wide, PI),
        &vectors.inputs(),
        Options::new(),
    );
    for (name, value) in vectors.expected(PI) {
        assert!(worst(&out.outputs[name], &value) < 1e-3, "{name}");
    }
    let size = (16, 300, 13);
    let (inputs, expected) = matrices(size);
    let out = run(&client, product(wide, size, PI), &inputs, Options::new());
    let error = worst(&out.outputs["ab"], &(expected * PI).into());
    assert!(error < 1e-3, "{error}");
}

#[test]
fn on_the_reference_engine() {
    let client = client(&insecure(7, 3), Reference::new());
    let unit = EncodingUnit::new(4, 16).unwrap();
    for size in [(4, 4, 4), (3, 19, 2), (1, 5, 4)] {
        let (inputs, expected) = matrices(size);
        let out = run(&client, product(unit, size, 1.0), &inputs, Options::new());
        let error = worst(&out.outputs["ab"], &expected.into());
        assert!(error < 1e-4, "{size:?}: {error}");
        let vectors = Vectors::new(size.1, size.2);
        let out = run(
            &client,
            vectors.circuit(unit, 1.0),
            &vectors.inputs(),
            Options::new(),
        );
        for (name, value) in vectors.expected(1.0) {
            assert!(worst(&out.outputs[name], &value) < 1e-3, "{name}");
        }
    }
}
