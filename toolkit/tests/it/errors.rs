//! What goes wrong says what, both sides, what would work, and where it was recorded.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{Context, Evaluator, KeyGenerator};
use arras_toolkit::{
    Bindings, Cleartext, Client, EncodingUnit, Homomorphic, Layout, Matrix, Program, Recorder,
    SeededEncrypted, ToolkitError, Value, linalg::Dot, plan::KeyRequests,
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

/// Finishing fails with an error recorded on `line` of this file, whose message names all of `parts`.
#[track_caller]
fn finish_fails(recorder: Recorder, line: u32, parts: &[&str]) -> ToolkitError {
    let error = recorder.finish().unwrap_err();
    let ToolkitError::Recorded { location, .. } = &error else {
        panic!("no place: {error}");
    };
    assert_eq!(
        (location.file(), location.line()),
        (file!(), line),
        "{error}"
    );
    says(&error, parts);
    says(&error, &[&format!("{}:{line}", file!())]);
    error
}

macro_rules! fails {
    ($recorder:ident, $line:ident, $kind:pat, $parts:expr) => {{
        let error = finish_fails($recorder, $line, &$parts);
        assert!(matches!(error.kind(), $kind), "{error:?}");
    }};
}

#[test]
fn dimensions_that_do_not_meet() {
    use ToolkitError::DimensionMismatch;
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
        let recorder = recorder();
        let (a, b) = (
            recorder.matrix("a", 13, 40, unit()),
            recorder.matrix("b", 40, 13, unit()),
        );
        operation(&recorder, &a, &b);
        recorder.output("a", &a);
        let error = recorder.finish().unwrap_err();
        assert!(matches!(error.kind(), DimensionMismatch { .. }), "{error}");
        says(&error, &["matrix 13x40", "matrix 40x13", "same", file!()]);
    }

    let r = recorder();
    let (a, b) = (r.row_vector("a", 5, unit()), r.row_vector("b", 6, unit()));
    let (line, _) = (line!(), &a + &b);
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["row vector of 5", "row vector of 6"]
    );

    let r = recorder();
    let (a, b) = (
        r.column_vector("a", 5, unit()),
        r.column_vector("b", 6, unit()),
    );
    let (line, _) = (line!(), &a - &b);
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["column vector of 5", "column vector of 6"]
    );

    let r = recorder();
    let (a, b) = (r.matrix("a", 13, 40, unit()), r.row_vector("b", 12, unit()));
    let (line, _) = (line!(), b.hadamard_matrix(&a));
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "row vector of 12"]
    );

    let r = recorder();
    let (a, b) = (r.matrix("a", 13, 40, unit()), r.row_vector("b", 12, unit()));
    let (line, _) = (line!(), b.dot(&a));
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "row vector of 12"]
    );

    let r = recorder();
    let (a, b) = (
        r.matrix("a", 13, 40, unit()),
        r.column_vector("b", 41, unit()),
    );
    let (line, _) = (line!(), a.hadamard_column(&b));
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "column vector of 41"]
    );

    let r = recorder();
    let (a, b) = (
        r.matrix("a", 13, 40, unit()),
        r.column_vector("b", 41, unit()),
    );
    let (line, _) = (line!(), a.dot(&b));
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "column vector of 41"]
    );
}

#[test]
fn plaintext_of_another_shape() {
    use ToolkitError::DimensionMismatch;
    let matrix = Array2::zeros((40, 13));
    let vector = Array1::zeros(12);

    let r = recorder();
    let a = r.matrix("a", 13, 40, unit());
    let (line, _) = (line!(), &a + &matrix);
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "plaintext matrix 40x13"]
    );

    let r = recorder();
    let a = r.matrix("a", 13, 40, unit());
    let (line, _) = (line!(), &matrix - &a);
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "plaintext matrix 40x13"]
    );

    let r = recorder();
    let a = r.matrix("a", 13, 40, unit());
    let (line, _) = (line!(), &a * &matrix);
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "plaintext matrix 40x13"]
    );

    let r = recorder();
    let a = r.matrix("a", 13, 40, unit());
    let (line, _) = (line!(), a.sub_plain(&vector));
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["13x40", "plaintext vector of 12"]
    );

    let r = recorder();
    let a = r.row_vector("a", 13, unit());
    let (line, _) = (line!(), &a * &vector);
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["row vector of 13", "vector of 12"]
    );

    let r = recorder();
    let a = r.column_vector("a", 13, unit());
    let (line, _) = (line!(), a.add_plain(&matrix));
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["column vector of 13", "40x13"]
    );

    let r = recorder();
    let a = r.scalar("a");
    let (line, _) = (line!(), a.add_plain(&vector));
    fails!(
        r,
        line,
        DimensionMismatch { .. },
        ["scalar", "vector of 12"]
    );

    let r = recorder();
    let a = r.matrix("a", 13, 40, unit());
    let (line, _) = (line!(), a.hadamard_plain_rows(vector.view()));
    fails!(r, line, DimensionMismatch { .. }, ["13x40", "of 12"]);

    let r = recorder();
    let a = r.matrix("a", 13, 40, unit());
    let (line, _) = (line!(), a.hadamard_plain_columns(vector.view()));
    fails!(r, line, DimensionMismatch { .. }, ["13x40", "12"]);

    let r = recorder();
    let a = r.row_vector("a", 13, unit());
    let (line, _) = (line!(), a.hadamard_plain_matrix(matrix.view()));
    fails!(r, line, DimensionMismatch { .. }, ["13", "40x13"]);

    let r = recorder();
    let a = r.column_vector("a", 40, unit());
    let (line, _) = (line!(), a.hadamard_plain_matrix(matrix.view()));
    fails!(r, line, DimensionMismatch { .. }, ["40x13", "of 40"]);
}

#[test]
fn units_that_differ() {
    use ToolkitError::UnitMismatch;
    let other = unit().transposed();

    let r = recorder();
    let (a, b) = (r.matrix("a", 3, 4, unit()), r.matrix("b", 3, 4, other));
    let (line, _) = (line!(), &a + &b);
    fails!(
        r,
        line,
        UnitMismatch { .. },
        ["16x32", "32x16", "mixed-unit"]
    );

    let r = recorder();
    let (a, b) = (r.row_vector("a", 3, unit()), r.row_vector("b", 3, other));
    let (line, _) = (line!(), &a - &b);
    fails!(r, line, UnitMismatch { .. }, ["16x32", "32x16"]);

    let r = recorder();
    let (a, b) = (
        r.column_vector("a", 3, unit()),
        r.column_vector("b", 3, other),
    );
    let (line, _) = (line!(), &a * &b);
    fails!(r, line, UnitMismatch { .. }, ["16x32", "32x16"]);

    let r = recorder();
    let (a, b) = (r.matrix("a", 3, 4, unit()), r.column_vector("b", 4, other));
    let (line, _) = (line!(), a.hadamard_column(&b));
    fails!(r, line, UnitMismatch { .. }, ["16x32", "32x16"]);

    let r = recorder();
    let (a, b) = (r.matrix("a", 3, 4, unit()), r.matrix("b", 5, 4, other));
    let (line, _) = (line!(), r.sum_rows_many([&a, &b]));
    fails!(r, line, UnitMismatch { .. }, ["16x32", "32x16"]);
}

#[test]
fn shapes_that_units_cannot_hold() {
    use ToolkitError::DoesNotFit;
    let r = recorder();
    let (line, _) = (line!(), r.matrix("a", 0, 4, unit()));
    fails!(r, line, DoesNotFit { .. }, ["matrix 0x4", "at least one"]);

    let r = recorder();
    let (line, _) = (line!(), r.row_vector("a", 0, unit()));
    fails!(
        r,
        line,
        DoesNotFit { .. },
        ["row vector of 0", "at least one"]
    );

    let r = recorder();
    let most = usize::MAX;
    let (line, _) = (line!(), r.matrix("a", most, most, unit()));
    fails!(r, line, DoesNotFit { .. }, ["16x32", "larger unit"]);

    let r = recorder();
    let small = EncodingUnit::new(4, 4).unwrap();
    let (line, _) = (line!(), r.matrix("a", 4, 4, small));
    fails!(r, line, DoesNotFit { .. }, ["4x4", "circuit of 512 slots"]);

    // Operations on what failed do not hide the first error, and do not panic.
    let r = recorder();
    let (line, a) = (line!(), r.matrix("a", most, most, unit()));
    let sum = (&(&a + 1.0) * &a).sum_rows();
    r.output("sum", &(&sum + &(&Array1::zeros(3) - &sum)));
    finish_fails(r, line, &["larger unit"]);

    let r = recorder();
    let (line, a) = (line!(), r.matrix("a", 3, most, unit()));
    r.output("a", &a.hadamard_plain_rows(Array1::zeros(3)));
    r.output("s", &(&a + &r.scalar("s")));
    finish_fails(r, line, &["larger unit"]);
}

#[test]
fn numbers_that_are_none() {
    use ToolkitError::NonFinite;
    let mut array = Array2::zeros((3, 4));
    array[[1, 2]] = f64::NEG_INFINITY;

    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), &a + f64::NAN);
    fails!(r, line, NonFinite { .. }, ["NaN", "finite"]);

    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), &a * f64::INFINITY);
    fails!(r, line, NonFinite { .. }, ["inf", "finite"]);

    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), &a - &array);
    fails!(r, line, NonFinite { .. }, ["-inf", "[1, 2]"]);

    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), a.sum_cols(f64::NAN));
    fails!(r, line, NonFinite { .. }, ["NaN", "finite"]);

    let client = client(&small_parameters(1), CpuEngine::new());
    let layout = Layout::matrix(3, 4, unit());
    let error = client.encrypt(layout, &array, 0).unwrap_err();
    assert!(matches!(error, NonFinite { .. }), "{error}");
    says(&error, &["-inf", "[1, 2]", "finite"]);
}

#[test]
fn empty_lists() {
    use ToolkitError::EmptyList;
    let none: [&Matrix; 0] = [];
    let r = recorder();
    let (line, _) = (line!(), r.add_many(none));
    fails!(r, line, EmptyList { .. }, ["add_many", "at least one"]);
    let r = recorder();
    let (line, _) = (line!(), r.sum_rows_many(none));
    fails!(r, line, EmptyList { .. }, ["sum_rows_many", "at least one"]);
    let r = recorder();
    let (line, _) = (line!(), r.sum_cols_many(none, 1.0));
    fails!(r, line, EmptyList { .. }, ["sum_cols_many", "at least one"]);
    let r = recorder();
    let s = r.slots_input("s", 1);
    let (line, _) = (line!(), s.rotation_sum(&[]));
    fails!(r, line, EmptyList { .. }, ["rotation_sum", "at least one"]);
}

#[test]
fn two_circuits() {
    use ToolkitError::TwoCircuits;
    let other = recorder();
    let b = other.matrix("b", 3, 4, unit());
    let s = other.scalar("s");

    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), &a + &b);
    fails!(
        r,
        line,
        TwoCircuits { .. },
        ["add", "two circuits", "one recorder"]
    );
    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), &a * &s);
    fails!(
        r,
        line,
        TwoCircuits { .. },
        ["multiply_encrypted", "two circuits"]
    );
    let r = recorder();
    let (line, _) = (line!(), r.add_many([&b]));
    fails!(r, line, TwoCircuits { .. }, ["add_many", "two circuits"]);
    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), r.sum_rows_many([&a, &b]));
    fails!(
        r,
        line,
        TwoCircuits { .. },
        ["sum_rows_many", "two circuits"]
    );
    let r = recorder();
    let (line, _) = (line!(), r.output("b", &b));
    fails!(r, line, TwoCircuits { .. }, ["output", "two circuits"]);
}

#[test]
fn names() {
    use ToolkitError::{NameTaken, NoOutput, UnknownName};
    let r = recorder();
    let a = r.matrix("a", 3, 4, unit());
    let (line, _) = (line!(), r.scalar("a"));
    fails!(r, line, NameTaken { .. }, ["input", "\"a\""]);

    let r = recorder();
    let b = r.matrix("a", 3, 4, unit());
    r.output("x", &b);
    let (line, _) = (line!(), r.output("x", &b));
    fails!(r, line, NameTaken { .. }, ["output", "\"x\""]);

    let error = a.as_slots().recorder().clone().finish().unwrap_err();
    assert!(matches!(error, NoOutput), "{error}");

    let program = circuit();
    let error = Cleartext::run(&program, &Bindings::new()).unwrap_err();
    assert!(matches!(error, UnknownName { .. }), "{error}");
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
    let generator = KeyGenerator::new(client.secret_key("test")?)?;
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
    assert!(
        matches!(error.kind(), ToolkitError::MissingRotationKeys { missing } if missing == &[-16, 4]),
        "{error}"
    );
    says(&error, &["[-16, 4]", "make"]);
}

#[test]
fn too_few_levels() {
    let program = circuit();
    assert_eq!(program.levels_needed(), 2);
    let shallow = client(&small_parameters(1), CpuEngine::new());
    let error = shallow.encrypt_inputs(&program, &values()).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ToolkitError::TooFewLevels {
                needed: 2,
                available: 1,
                ..
            }
        ),
        "{error}"
    );
    says(
        &error,
        &["\"a\"", "needs 2 levels", "there are 1", "1 more"],
    );

    // Levels enough in the parameters, not in the input.
    let client = client(&small_parameters(2), CpuEngine::new());
    let layout = Layout::matrix(20, 30, unit());
    let low = client
        .encrypt(layout, Numbers(3).matrix(20, 30), 1)
        .unwrap();
    let inputs = Bindings::new().with("a", low);
    let error = run(&client, &program, &KeyRequests::of(&program), &inputs).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitError::InputTooLow { .. }),
        "{error}"
    );
    says(&error, &["\"a\"", "is at level 1", "encrypt it at level 2"]);

    // Levels enough in neither: the evaluator says so too.
    let low = shallow
        .encrypt(layout, Numbers(3).matrix(20, 30), 1)
        .unwrap();
    let inputs = Bindings::new().with("a", low);
    let error = run(&shallow, &program, &KeyRequests::default(), &inputs).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ToolkitError::TooFewLevels {
                needed: 2,
                available: 1,
                ..
            }
        ),
        "{error}"
    );
    says(&error, &["run", "needs 2 levels", "1 more"]);
}

#[test]
fn a_missing_relinearization_key_is_named_with_the_operation() {
    let client = client(&small_parameters(2), CpuEngine::new());
    let program = circuit();
    let mut keys = KeyRequests::of(&program);
    keys.relinearization = None;
    let inputs = client.encrypt_inputs(&program, &values()).unwrap();
    let error = run(&client, &program, &keys, &inputs).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ToolkitError::Ckks(error)
                if matches!(error.kind(), arras_ckks::CkksErrorKind::NoRelinearizationKey)
        ),
        "{error}"
    );
    says(
        &error,
        &["relinearization key", "make one", "recorded at", file!()],
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
        assert!(
            matches!(error.kind(), ToolkitError::WrongInput { .. }),
            "{error}"
        );
        says(&error, &["matrix 20x30", "matrix 30x20"]);
    }
    let layout = Layout::matrix(30, 20, unit());
    let sent = client
        .encrypt(layout, Numbers(3).matrix(30, 20), 2)
        .unwrap();
    let inputs = Bindings::new().with("a", sent);
    let error = run(&client, &program, &KeyRequests::of(&program), &inputs).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitError::WrongInput { .. }),
        "{error}"
    );
    says(&error, &["\"a\"", "matrix 20x30", "matrix 30x20"]);
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
    assert!(
        matches!(error.kind(), ToolkitError::SlotsMismatch { .. }),
        "{error}"
    );
    says(&error, &["4096 slots", "512"]);

    let sent = client
        .encrypt(Layout::row_vector(3, unit()), &value, 0)
        .unwrap();
    let inputs = Bindings::new().with("a", sent);
    let error = run(&client, &program, &KeyRequests::default(), &inputs).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitError::SlotsMismatch { .. }),
        "{error}"
    );
    says(&error, &["4096 slots", "512"]);
}

#[test]
fn keys_that_a_client_does_not_hold() {
    use ToolkitError::KeyAbsent;
    let params = small_parameters(1);
    let holder = client(&params, CpuEngine::new());
    let generator = KeyGenerator::new(holder.secret_key("test").unwrap()).unwrap();
    let context = Context::new(&params, CpuEngine::new()).unwrap();
    let other = Client::with_public_key(&context, &generator.public_key().unwrap()).unwrap();
    let layout = Layout::row_vector(3, unit());
    let encrypted = other.encrypt_public(layout, Array1::zeros(3), 0).unwrap();
    for error in [
        other.decrypt(&encrypted).unwrap_err(),
        other.encrypt(layout, Array1::zeros(3), 0).unwrap_err(),
        other.evaluation_keys(&circuit()).unwrap_err(),
    ] {
        assert!(matches!(error, KeyAbsent { key: "secret", .. }), "{error}");
        says(&error, &["secret key", "encrypt_public"]);
    }
}
