//! What goes wrong says what, both sides, what would work, and where it was recorded.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, KeyGenerator};
use arras_toolkit::{
    Bindings, Cleartext, Client, ColumnVector, EncodingUnit, Homomorphic, Layout, Matrix, Program,
    Recorder, RowVector, SeededEncrypted, ToolkitError, ToolkitErrorKind, Value, linalg::Dot,
    plan::KeyRequests,
};
use ndarray::{Array1, Array2};

use crate::support::{Numbers, client, sizes::small_parameters};

fn unit() -> EncodingUnit {
    EncodingUnit::new(16, 32).unwrap()
}

fn recorder() -> Recorder {
    Recorder::new(512).unwrap()
}

/// The message names all of `parts`.
#[track_caller]
fn says(error: &ToolkitError, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// An error is of this kind and names all the parts.
macro_rules! fails {
    ($error:expr, $kind:pat $(if $guard:expr)?, $parts:expr) => {
        let error = &$error;
        assert!(matches!(error.kind(), $kind $(if $guard)?), "{error:?}");
        says(error, &$parts);
    };
}

/// The error of a recording.
fn attempt<T>(record: impl FnOnce(&Recorder) -> T) -> ToolkitError {
    let recorder = recorder();
    record(&recorder);
    recorder.finish().unwrap_err()
}

/// The error was recorded on a line of this file that holds `call`, and says so.
#[track_caller]
fn recorded_at(error: &ToolkitError, call: &str) {
    let location = error.location().expect("a place");
    assert_eq!(location.file(), file!(), "{error}");
    let line = include_str!("errors.rs")
        .lines()
        .nth(location.line() as usize - 1);
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    assert!(squeezed(line.unwrap()).contains(&squeezed(call)), "{error}");
    says(error, &[&format!("{}:{}", file!(), location.line())]);
}

/// Each call fails with this kind of error, which names its place and all the parts. A call stands on one line.
macro_rules! refused {
    ($kind:ident, |$r:ident| $($call:expr => [$($part:expr),+];)+) => {$(
        let error = attempt(|$r| $call);
        recorded_at(&error, stringify!($call));
        fails!(error, ToolkitErrorKind::$kind { .. }, [$($part),+]);
    )+};
}

fn matrix_in(r: &Recorder, rows: usize, cols: usize, unit: EncodingUnit) -> Matrix {
    r.matrix(&format!("{rows}x{cols} in {unit}"), rows, cols, unit)
}

fn matrix(r: &Recorder, rows: usize, cols: usize) -> Matrix {
    matrix_in(r, rows, cols, unit())
}

fn row(r: &Recorder, len: usize) -> RowVector {
    r.row_vector(&format!("row {len}"), len, unit())
}

fn column(r: &Recorder, len: usize) -> ColumnVector {
    r.column_vector(&format!("column {len}"), len, unit())
}

#[test]
fn dimensions_that_do_not_meet() {
    type Operation = fn(&Recorder, &Matrix, &Matrix);
    let operations: [Operation; 7] = [
        |_, a, b| drop(a + b),
        |_, a, b| drop(a - b),
        |_, a, b| drop(a * b),
        |_, a, b| drop(a.add(b)),
        |r, a, b| drop(r.add_many([a, b])),
        |r, a, b| drop(r.sum_rows_many([a, b])),
        |r, a, b| drop(r.sum_cols_many([a, b], 1.0)),
    ];
    for operation in operations {
        let error = attempt(|r| operation(r, &matrix(r, 13, 40), &matrix(r, 40, 13)));
        fails!(
            error,
            ToolkitErrorKind::DimensionMismatch { .. },
            ["matrix 13x40", "matrix 40x13", "same", file!()]
        );
    }
    refused! { DimensionMismatch, |r|
        &row(r, 5) + &row(r, 6) => ["row vector of 5", "row vector of 6"];
        &column(r, 5) - &column(r, 6) => ["column vector of 5", "column vector of 6"];
        row(r, 12).hadamard_matrix(&matrix(r, 13, 40)) => ["13x40", "row vector of 12"];
        row(r, 12).dot(&matrix(r, 13, 40)) => ["13x40", "row vector of 12"];
        matrix(r, 13, 40).hadamard_column(&column(r, 41)) => ["13x40", "column vector of 41"];
        matrix(r, 13, 40).dot(&column(r, 41)) => ["13x40", "column vector of 41"];
    }
}

#[test]
fn plaintext_of_another_shape() {
    let plain: Array2<f64> = Array2::zeros((40, 13));
    let vector: Array1<f64> = Array1::zeros(12);
    refused! { DimensionMismatch, |r|
        &matrix(r, 13, 40) + &plain => ["13x40", "plaintext matrix 40x13"];
        &plain - &matrix(r, 13, 40) => ["13x40", "plaintext matrix 40x13"];
        &matrix(r, 13, 40) * &plain => ["13x40", "plaintext matrix 40x13"];
        matrix(r, 13, 40).sub_plain(&vector) => ["13x40", "plaintext vector of 12"];
        &row(r, 13) * &vector => ["row vector of 13", "vector of 12"];
        column(r, 13).add_plain(&plain) => ["column vector of 13", "40x13"];
        r.scalar("a").add_plain(&vector) => ["scalar", "vector of 12"];
        matrix(r, 13, 40).hadamard_plain_rows(vector.view()) => ["13x40", "of 12"];
        matrix(r, 13, 40).hadamard_plain_columns(vector.view()) => ["13x40", "12"];
        row(r, 13).hadamard_plain_matrix(plain.view()) => ["13", "40x13"];
        column(r, 40).hadamard_plain_matrix(plain.view()) => ["40x13", "of 40"];
    }
}

#[test]
fn units_that_differ() {
    let tall = unit().transposed();
    refused! { UnitMismatch, |r|
        &matrix(r, 3, 4) + &matrix_in(r, 3, 4, tall) => ["16x32", "32x16", "mixed-unit"];
        &row(r, 3) - &r.row_vector("b", 3, tall) => ["16x32", "32x16"];
        &column(r, 3) * &r.column_vector("b", 3, tall) => ["16x32", "32x16"];
        matrix(r, 3, 4).hadamard_column(&r.column_vector("b", 4, tall)) => ["16x32", "32x16"];
        r.sum_rows_many([&matrix(r, 3, 4), &matrix_in(r, 5, 4, tall)]) => ["16x32", "32x16"];
    }
}

#[test]
fn shapes_that_units_cannot_hold() {
    let most = usize::MAX;
    let small = EncodingUnit::new(4, 4).unwrap();
    refused! { DoesNotFit, |r|
        r.matrix("a", 0, 4, unit()) => ["matrix 0x4", "at least one"];
        r.row_vector("a", 0, unit()) => ["row vector of 0", "at least one"];
        r.matrix("a", most, most, unit()) => ["16x32", "larger unit"];
        r.matrix("a", 4, 4, small) => ["4x4", "circuit of 512 slots"];
    }

    // Operations on what failed do not hide the first error, and do not panic.
    let error = attempt(|r| {
        let a = r.matrix("a", most, most, unit());
        let sum = (&(&a + 1.0) * &a).sum_rows();
        r.output("sum", &(&sum + &(&Array1::zeros(3) - &sum)));
    });
    recorded_at(&error, r#"let a = r.matrix("a", most, most, unit());"#);
    says(&error, &["larger unit"]);

    let error = attempt(|r| {
        let a = r.matrix("a", 3, most, unit());
        r.output("a", &a.hadamard_plain_rows(Array1::zeros(3)));
        r.output("s", &(&a + &r.scalar("s")));
    });
    recorded_at(&error, r#"let a = r.matrix("a", 3, most, unit());"#);
    says(&error, &["larger unit"]);
}

#[test]
fn numbers_that_are_none() {
    let mut array = Array2::zeros((3, 4));
    array[[1, 2]] = f64::NEG_INFINITY;
    refused! { NonFinite, |r|
        &matrix(r, 3, 4) + f64::NAN => ["NaN", "finite"];
        &matrix(r, 3, 4) * f64::INFINITY => ["inf", "finite"];
        &matrix(r, 3, 4) - &array => ["-inf", "[1, 2]"];
        matrix(r, 3, 4).sum_cols(f64::NAN) => ["NaN", "finite"];
    }

    let client = client(&small_parameters(1), CpuEngine::new());
    let layout = Layout::matrix(3, 4, unit());
    let error = client.encrypt(layout, &array, 0).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::NonFinite { .. }),
        "{error}"
    );
    says(&error, &["-inf", "[1, 2]", "finite"]);
}

#[test]
fn empty_lists() {
    let none: [&Matrix; 0] = [];
    refused! { EmptyList, |r|
        r.add_many(none) => ["add_many", "at least one"];
        r.sum_rows_many(none) => ["sum_rows_many", "at least one"];
        r.sum_cols_many(none, 1.0) => ["sum_cols_many", "at least one"];
        r.slots_input("s", 1).rotation_sum(&[]) => ["rotation_sum", "at least one"];
    }
}

#[test]
fn two_circuits() {
    let other = recorder();
    let b = other.matrix("b", 3, 4, unit());
    let s = other.scalar("s");
    refused! { TwoCircuits, |r|
        &matrix(r, 3, 4) + &b => ["add", "two circuits", "one recorder"];
        &matrix(r, 3, 4) * &s => ["multiply_encrypted", "two circuits"];
        r.add_many([&b]) => ["add_many", "two circuits"];
        r.sum_rows_many([&matrix(r, 3, 4), &b]) => ["sum_rows_many", "two circuits"];
        r.output("b", &b) => ["output", "two circuits"];
    }
}

#[test]
fn names() {
    use ToolkitErrorKind::{NoOutput, UnknownName};
    refused! { NameTaken, |r|
        { r.matrix("a", 3, 4, unit()); r.scalar("a") } => ["input", "\"a\""];
        { let b = matrix(r, 3, 4); r.output("x", &b); r.output("x", &b) } => ["output", "\"x\""];
    }
    let error = attempt(|r| matrix(r, 3, 4));
    assert!(matches!(error.kind(), NoOutput), "{error}");

    let program = circuit();
    let error = Cleartext::run(&program, &Bindings::new()).unwrap_err();
    assert!(matches!(error.kind(), UnknownName { .. }), "{error}");
    says(&error, &["\"a\""]);
    let inputs = values().with("z", 1.0);
    let error = Cleartext::run(&program, &inputs).unwrap_err();
    says(&error, &["\"z\"", "\"a\""]);
}

/// Two levels: a sum of columns of a square.
fn circuit() -> Program {
    let recorder = recorder();
    let a = recorder.matrix("a", 20, 30, unit());
    recorder.output("sum", &a.square().sum_cols(1.0));
    Program::new(recorder.finish().unwrap())
}

fn values() -> Bindings<Value> {
    Bindings::new().with("a", Numbers(3).matrix(20, 30))
}

/// A run with these inputs and these keys.
fn run(
    client: &Client<CpuEngine>,
    program: &Program,
    requests: &KeyRequests,
    inputs: &Bindings<SeededEncrypted>,
) -> Result<Value, ToolkitError> {
    let context = client.context();
    let generator = KeyGenerator::new(client.secret_key()?)?;
    let keys = requests.generate(&generator)?.load(context)?;
    let evaluator = Evaluator::new(context, keys)?;
    let run = Homomorphic::new(evaluator).run(program, &inputs.expand(context)?)?;
    client.decrypt(run.output("sum")?)
}

#[test]
fn missing_rotation_keys_are_named() {
    let client = client(&small_parameters(2), CpuEngine::new());
    let program = circuit();
    let mut keys = KeyRequests::of(&program);
    let inputs = client.encrypt_inputs(&program, &values()).unwrap();
    run(&client, &program, &keys, &inputs).unwrap();
    keys.rotations.remove(&4);
    keys.rotations.remove(&-16);
    let error = run(&client, &program, &keys, &inputs).unwrap_err();
    fails!(error, ToolkitErrorKind::MissingRotationKeys { missing } if missing == &[-16, 4], ["[-16, 4]", "make"]);
}

#[test]
fn too_few_levels() {
    let program = circuit();
    assert_eq!(program.levels_needed(), 2);
    let shallow = client(&small_parameters(1), CpuEngine::new());
    let error = shallow.encrypt_inputs(&program, &values()).unwrap_err();
    fails!(
        error,
        ToolkitErrorKind::TooFewLevels {
            needed: 2,
            available: 1,
            ..
        },
        ["\"a\"", "needs 2 levels", "there are 1", "1 more"]
    );

    // Levels enough in the parameters, not in the input.
    let client = client(&small_parameters(2), CpuEngine::new());
    let layout = Layout::matrix(20, 30, unit());
    let low = client
        .encrypt(layout, Numbers(3).matrix(20, 30), 1)
        .unwrap();
    let inputs = Bindings::new().with("a", low);
    let error = run(&client, &program, &KeyRequests::of(&program), &inputs).unwrap_err();
    fails!(
        error,
        ToolkitErrorKind::InputTooLow { .. },
        ["\"a\"", "is at level 1", "encrypt it at level 2"]
    );

    // Levels enough in neither: the evaluator says so too.
    let low = shallow
        .encrypt(layout, Numbers(3).matrix(20, 30), 1)
        .unwrap();
    let inputs = Bindings::new().with("a", low);
    let error = run(&shallow, &program, &KeyRequests::default(), &inputs).unwrap_err();
    fails!(
        error,
        ToolkitErrorKind::TooFewLevels {
            needed: 2,
            available: 1,
            ..
        },
        ["run", "needs 2 levels", "1 more"]
    );
}

#[test]
fn a_missing_relinearization_key_is_named_with_the_operation() {
    let client = client(&small_parameters(2), CpuEngine::new());
    let program = circuit();
    let mut keys = KeyRequests::of(&program);
    keys.relinearization = None;
    let inputs = client.encrypt_inputs(&program, &values()).unwrap();
    let error = run(&client, &program, &keys, &inputs).unwrap_err();
    fails!(
        error,
        ToolkitErrorKind::Ckks(error) if matches!(error.kind(), arras_ckks::CkksErrorKind::NoRelinearizationKey),
        ["relinearization key", "make one", "recorded at", file!()]
    );
}

#[test]
fn inputs_of_another_shape() {
    let program = circuit();
    let client = client(&small_parameters(2), CpuEngine::new());
    let wrong = Bindings::new().with("a", Numbers(3).matrix(30, 20));
    for error in [
        client.encrypt_inputs(&program, &wrong).unwrap_err(),
        Cleartext::run(&program, &wrong).unwrap_err(),
    ] {
        fails!(
            error,
            ToolkitErrorKind::WrongInput { .. },
            ["matrix 20x30", "matrix 30x20"]
        );
    }
    let layout = Layout::matrix(30, 20, unit());
    let sent = client
        .encrypt(layout, Numbers(3).matrix(30, 20), 2)
        .unwrap();
    let inputs = Bindings::new().with("a", sent);
    let error = run(&client, &program, &KeyRequests::of(&program), &inputs).unwrap_err();
    fails!(
        error,
        ToolkitErrorKind::WrongInput { .. },
        ["\"a\"", "matrix 20x30", "matrix 30x20"]
    );
}

#[test]
fn slots_that_the_parameters_do_not_have() {
    let client = client(&small_parameters(1), CpuEngine::new());
    let large = EncodingUnit::new(64, 64).unwrap();
    let recorder = Recorder::new(large.slots()).unwrap();
    let a = recorder.row_vector("a", 3, large);
    recorder.output("sum", &(&a + 1.0));
    let program = Program::new(recorder.finish().unwrap());
    let value = Array1::zeros(3);
    let inputs = Bindings::new().with("a", &value);
    let error = client.encrypt_inputs(&program, &inputs).unwrap_err();
    fails!(
        error,
        ToolkitErrorKind::SlotsMismatch { .. },
        ["4096 slots", "512"]
    );

    let sent = client
        .encrypt(Layout::row_vector(3, unit()), &value, 0)
        .unwrap();
    let inputs = Bindings::new().with("a", sent);
    let error = run(&client, &program, &KeyRequests::default(), &inputs).unwrap_err();
    fails!(
        error,
        ToolkitErrorKind::SlotsMismatch { .. },
        ["4096 slots", "512"]
    );
}

#[test]
fn keys_that_a_client_does_not_hold() {
    use ToolkitErrorKind::KeyAbsent;
    let params = small_parameters(1);
    let holder = client(&params, CpuEngine::new());
    let generator = KeyGenerator::new(holder.secret_key().unwrap()).unwrap();
    let context = Context::new(&params, CpuEngine::new()).unwrap();
    let other = Client::with_public_key(&context, &generator.public_key().unwrap()).unwrap();
    let layout = Layout::row_vector(3, unit());
    let encrypted = other.encrypt_public(layout, Array1::zeros(3), 0).unwrap();
    for error in [
        other.decrypt(&encrypted).unwrap_err(),
        other.encrypt(layout, Array1::zeros(3), 0).unwrap_err(),
        other.evaluation_keys(&circuit()).unwrap_err(),
    ] {
        assert!(
            matches!(error.kind(), KeyAbsent { key: "secret", .. }),
            "{error}"
        );
        says(&error, &["secret key", "encrypt_public"]);
    }
}
