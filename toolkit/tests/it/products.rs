//! Products of vectors and matrices.

use arras_backend_cpu::CpuEngine;
use arras_toolkit::{
    Bindings, EncodingUnit, Plaintext, Program, Recorder, Value, linalg::Dot, run::Options,
};

use crate::support::{Numbers, client, insecure, run, worst};

#[test]
fn matrix_by_column_vector_on_ciphertexts() {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let client = client(&insecure(13, 3), CpuEngine::new());
    for (rows, cols, scale) in [
        (64, 64, 1.0),
        (13, 78, std::f64::consts::PI),
        (134, 134, 1.0),
    ] {
        let mut numbers = Numbers((rows * cols) as u64);
        let (a, x) = (numbers.matrix(rows, cols), numbers.vector(cols));

        let recorder = Recorder::new(unit.slots()).unwrap();
        let (ha, hx) = (
            recorder.matrix("a", rows, cols, unit),
            recorder.column_vector("x", cols, unit),
        );
        recorder.output("ax", &ha.dot_scaled(&hx, scale));
        let circuit = recorder.finish().unwrap();
        assert_eq!(circuit.levels_needed(), 2);

        let inputs = Bindings::new().with("a", a.view()).with("x", x.view());
        let expected = Value::from(a.dot(&x) * scale);
        let out = run(&client, circuit, &inputs, Options::new());
        println!("{rows}x{cols}\n{}", out.report);
        assert!(worst(&out.plaintext["ax"], &expected) < 1e-9);
        assert!(worst(&out.outputs["ax"], &expected) < 1e-4);
    }
}

#[test]
fn row_vector_by_matrix_in_plaintext() {
    let unit = EncodingUnit::new(16, 256).unwrap();
    let mut numbers = Numbers(7);
    let (x, a) = (numbers.vector(77), numbers.matrix(77, 300));
    let recorder = Recorder::new(unit.slots()).unwrap();
    let (hx, ha) = (
        recorder.row_vector("x", 77, unit),
        recorder.matrix("a", 77, 300, unit),
    );
    recorder.output("xa", &hx.dot(&ha));
    let program = Program::new(recorder.finish().unwrap());
    assert_eq!(program.levels_needed(), 1);
    let inputs = Bindings::new().with("a", a.view()).with("x", x.view());
    let run = Plaintext::run(&program, &inputs).unwrap();
    assert!(worst(&run.outputs["xa"], &x.dot(&a).into()) < 1e-9);
}
