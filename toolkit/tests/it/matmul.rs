//! Matrix x matrix, and transposes.

use std::f64::consts::PI;

use arras_backend_cpu::CpuEngine;
use arras_hal::Reference;
use arras_toolkit::{
    Bindings, Circuit, Cleartext, EncodingUnit, Layout, Matrix, OpCount, Program, Recorder,
    ToolkitError, Value,
    linalg::{Dot, Form},
    plan::KeyRequests,
    run::Options,
};
use ndarray::Array2;
use proptest::prelude::*;

use crate::{
    mixed_unit,
    support::{Numbers, client, insecure, padding_is_zero, run, worst},
};

/// The ways to a product of A and B.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Of(Form),
    RowMajor,
    ColumnMajor,
}

const WAYS: [Way; 4] = [
    Way::Of(Form::Shallow),
    Way::Of(Form::Skewed),
    Way::RowMajor,
    Way::ColumnMajor,
];

type Size = (usize, usize, usize);

fn product(way: Way, unit: EncodingUnit, (f, g, h): Size, scale: f64) -> Circuit {
    let recorder = Recorder::new(unit.slots()).unwrap();
    let input = |name: &str, rows, cols| recorder.matrix(name, rows, cols, unit);
    let result = match way {
        Way::Of(form) => input("a", f, g).dot_matrix(&input("b", g, h), scale, form),
        Way::RowMajor => Matrix::multiply_row_major(&input("a", g, f), &input("b", g, h), scale),
        Way::ColumnMajor => {
            Matrix::multiply_column_major(&input("a", f, g), &input("b", h, g), scale)
        }
    };
    recorder.output("ab", &result);
    recorder.finish().unwrap()
}

fn values(way: Way, (f, g, h): Size) -> (Bindings<Value>, Array2<f64>) {
    let mut numbers = Numbers((f * g + h) as u64);
    let (a, b) = (numbers.matrix(f, g), numbers.matrix(g, h));
    let expected = a.dot(&b);
    let inputs = match way {
        Way::Of(_) => Bindings::new().with("a", a).with("b", b),
        Way::RowMajor => Bindings::new().with("a", a.t().to_owned()).with("b", b),
        Way::ColumnMajor => Bindings::new().with("a", a).with("b", b.t().to_owned()),
    };
    (inputs, expected)
}

fn check_plaintext(way: Way, unit: EncodingUnit, size: Size, scale: f64) {
    let program = Program::new(product(way, unit, size, scale));
    let depth = if way == Way::Of(Form::Shallow) { 2 } else { 3 };
    assert_eq!(program.levels_needed(), depth, "{way:?} {size:?}");
    let (inputs, expected) = values(way, size);
    let run = Cleartext::run(&program, &inputs).unwrap();
    let error = worst(&run.outputs["ab"], &(expected * scale).into());
    assert!(error < 1e-11 * size.1 as f64, "{way:?} {size:?}: {error}");
    padding_is_zero(&program, "ab", &run.slots["ab"]);
}

/// Sizes of the published toolkit's tests, for a unit of height and width.
fn sizes(unit: EncodingUnit) -> Vec<Size> {
    let (m, n) = (unit.height(), unit.width());
    vec![
        (m, m, n),
        (2 * m, 2 * m, 2 * n),
        (m + 11, m + 17, n + 11),
        (m / 2, n / 2, m / 2),
        (13, 78, 141),
        (67, 17, 312),
        (134, 134, 134),
        (300, 27, 29),
    ]
}

#[test]
fn all_sizes_in_plaintext() {
    for (height, width) in [(64, 64), (16, 256), (256, 16)] {
        let unit = EncodingUnit::new(height, width).unwrap();
        for (i, size) in sizes(unit).into_iter().enumerate() {
            for way in WAYS {
                // Tall units are checked at the sizes that are in no relation to them.
                if width < height && i < 4 {
                    continue;
                }
                let scale = if i % 2 == 0 { PI } else { 1.0 };
                check_plaintext(way, unit, size, scale);
            }
        }
    }
}

#[test]
fn on_ciphertexts() {
    let client = client(&insecure(13, 3), CpuEngine::new());
    let squares = EncodingUnit::new(64, 64).unwrap();
    let wide = EncodingUnit::new(16, 256).unwrap();
    for (way, unit, size, scale) in [
        (WAYS[0], squares, (64, 64, 64), PI),
        (WAYS[1], squares, (64, 64, 64), 1.0),
        (WAYS[2], squares, (13, 78, 141), 1.0),
        (WAYS[3], squares, (67, 17, 70), PI),
        (WAYS[1], wide, (13, 78, 141), PI),
        (WAYS[3], wide, (32, 27, 29), 1.0),
    ] {
        let (inputs, expected) = values(way, size);
        let out = run(
            &client,
            product(way, unit, size, scale),
            &inputs,
            Options::new(),
        );
        println!("{way:?} {size:?} in {unit}\n{}", out.report);
        assert!(worst(&out.plaintext["ab"], &(expected * scale).into()) < 1e-9);
        let error = worst(&out.outputs["ab"], &out.plaintext["ab"]);
        assert!(error < 1e-3, "{way:?} {size:?}: {error}");
    }
}

#[test]
fn on_the_reference_engine() {
    let client = client(&insecure(7, 3), Reference::new());
    let unit = EncodingUnit::new(8, 8).unwrap();
    for (i, size) in [(8, 8, 8), (5, 11, 9), (3, 7, 2)].into_iter().enumerate() {
        for way in WAYS {
            let (inputs, expected) = values(way, size);
            let circuit = product(way, unit, size, 1.0);
            let out = run(&client, circuit, &inputs, Options::new());
            let error = worst(&out.outputs["ab"], &expected.into());
            assert!(error < 1e-4, "{i} {way:?} {size:?}: {error}");
        }
    }
}

/// What the documentation of the products says: depth, key switches, rotation keys.
#[test]
fn counts() {
    let unit = EncodingUnit::new(128, 128).unwrap();
    let count = |circuit| {
        let program = Program::new(circuit);
        let keys = KeyRequests::of(&program).rotations.len();
        (
            program.levels_needed(),
            OpCount::of(&program).key_switches(),
            keys,
        )
    };
    let mut table = WAYS
        .map(|way| count(product(way, unit, (128, 128, 128), 1.0)))
        .to_vec();
    table.push(count(mixed_unit::product(unit, (128, 128, 128), 1.0)));
    let recorder = Recorder::new(unit.slots()).unwrap();
    recorder.output("at", &recorder.matrix("a", 128, 128, unit).transpose());
    table.push(count(recorder.finish().unwrap()));
    let expected = [
        (2, 1032, 37),
        (3, 217, 66),
        (3, 367, 81),
        (3, 247, 81),
        (3, 367, 81),
        (1, 30, 30),
    ];
    assert_eq!(table, expected);
    // The published loop for each of 128 rows: the rotation that takes it to column 0 (none for the first), lg n to repeat
    // it, a relinearization, lg m to sum.
    let published = 127 + 128 * (7 + 1 + 7);
    assert_eq!(published, 2047);
    assert!(table.iter().all(|row| row.1 < published));
}

#[test]
fn the_cheapest_form_is_chosen() {
    let unit = EncodingUnit::new(16, 16).unwrap();
    for (size, form) in [
        ((16, 16, 16), Form::Skewed),
        ((40, 40, 40), Form::Skewed),
        ((16, 1, 1), Form::Shallow),
        ((90, 2, 1), Form::Shallow),
    ] {
        let count = |form| {
            OpCount::of(&Program::new(product(Way::Of(form), unit, size, 1.0))).key_switches()
        };
        let chosen = count(Form::Cheapest);
        assert_eq!(chosen, count(form), "{size:?}");
        assert_eq!(
            chosen,
            count(Form::Shallow).min(count(Form::Skewed)),
            "{size:?}"
        );
    }
}

#[test]
fn transposed_operands_choose_their_form() {
    let unit = EncodingUnit::new(8, 16).unwrap();
    let recorder = Recorder::new(unit.slots()).unwrap();
    let (a, b) = (
        recorder.matrix("a", 11, 19, unit),
        recorder.matrix("b", 11, 19, unit),
    );
    let (x, y) = (
        recorder.row_vector("x", 11, unit),
        recorder.column_vector("y", 19, unit),
    );
    recorder.output("atb", &a.t().dot(&b));
    recorder.output("abt", &a.dot(&b.t()));
    recorder.output("atbt", &a.t().dot(&b.transpose().t()));
    recorder.output("aab", &a.dot(&b.transpose()));
    recorder.output("atx", &a.t().dot(&x));
    recorder.output("yat", &y.dot(&a.t()));
    let circuit = recorder.finish().unwrap();
    let program = Program::new(circuit);
    let mut numbers = Numbers(5);
    let (a, b) = (numbers.matrix(11, 19), numbers.matrix(11, 19));
    let (x, y) = (numbers.vector(11), numbers.vector(19));
    let inputs = Bindings::new()
        .with("a", a.view())
        .with("b", b.view())
        .with("x", x.view())
        .with("y", y.view());
    let run = Cleartext::run(&program, &inputs).unwrap();
    for (name, expected) in [
        ("atb", Value::from(a.t().dot(&b))),
        ("abt", a.dot(&b.t()).into()),
        ("atbt", a.t().dot(&b).into()),
        ("aab", a.dot(&b.t()).into()),
        ("atx", a.t().dot(&x).into()),
        ("yat", a.dot(&y).into()),
    ] {
        assert!(worst(&run.outputs[name], &expected) < 1e-12, "{name}");
        padding_is_zero(&program, name, &run.slots[name]);
    }
}

#[test]
fn what_does_not_meet_is_refused() {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let other = EncodingUnit::new(16, 256).unwrap();
    type Call = fn(&Matrix, &Matrix) -> Matrix;
    let calls: [(Call, Size, Size); 3] = [
        (|a, b| a.dot(b), (13, 78, 0), (77, 5, 0)),
        (|a, b| a.t().dot(b), (78, 13, 0), (77, 5, 0)),
        (|a, b| a.dot(&b.t()), (13, 78, 0), (5, 77, 0)),
    ];
    for (call, left, right) in calls {
        for (second, both) in [(unit, false), (other, true)] {
            let recorder = Recorder::new(unit.slots()).unwrap();
            let a = recorder.matrix("a", left.0, left.1, unit);
            let b = recorder.matrix("b", right.0, right.1, second);
            recorder.output("ab", &call(&a, &b));
            let line = line!() - 1;
            let error = recorder.finish().unwrap_err();
            let message = error.to_string();
            let kind = matches!(error.kind(), ToolkitError::UnitMismatch { .. });
            assert_eq!(kind, both, "{message}");
            let sides = if both {
                ["64x64".to_owned(), "16x256".to_owned()]
            } else {
                [
                    format!("{}x{}", left.0, left.1),
                    format!("{}x{}", right.0, right.1),
                ]
            };
            assert!(sides.iter().all(|s| message.contains(s)), "{message}");
            assert!(message.contains("matmul.rs"), "{message} {line}");
        }
    }
    let recorder = Recorder::new(unit.slots()).unwrap();
    let a = recorder.matrix("a", 3, 3, unit);
    recorder.output("ab", &a.dot_matrix(&a, f64::NAN, Form::Skewed));
    let error = recorder.finish().unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitError::NonFinite { .. }),
        "{error}"
    );
}

#[test]
fn transposes() {
    for (height, width) in [(64, 64), (16, 256), (256, 16), (1, 64), (64, 1)] {
        let unit = EncodingUnit::new(height, width).unwrap();
        for (rows, cols) in [(height, width), (13, 78), (67, 17), (134, 134), (300, 27)] {
            if height.min(width) == 1 && rows * cols > 2000 {
                continue;
            }
            let recorder = Recorder::new(unit.slots()).unwrap();
            let a = recorder.matrix("a", rows, cols, unit);
            recorder.output("at", &a.transpose());
            let program = Program::new(recorder.finish().unwrap());
            assert_eq!(program.levels_needed(), 1);
            assert_eq!(
                *program.circuit().outputs()[0].layout(),
                Layout::matrix(cols, rows, unit)
            );
            let a = Numbers(3).matrix(rows, cols);
            let inputs = Bindings::new().with("a", a.view());
            let run = Cleartext::run(&program, &inputs).unwrap();
            let at = Value::from(a.t().to_owned());
            assert_eq!(
                worst(&run.outputs["at"], &at),
                0.0,
                "{rows}x{cols} in {unit}"
            );
            padding_is_zero(&program, "at", &run.slots["at"]);
        }
    }
}

#[test]
fn transpose_on_ciphertexts() {
    let client = client(&insecure(13, 1), CpuEngine::new());
    for (height, width, rows, cols) in [(64, 64, 67, 17), (16, 256, 13, 78)] {
        let unit = EncodingUnit::new(height, width).unwrap();
        let recorder = Recorder::new(unit.slots()).unwrap();
        recorder.output("at", &recorder.matrix("a", rows, cols, unit).transpose());
        let a = Numbers(9).matrix(rows, cols);
        let inputs = Bindings::new().with("a", a.view());
        let circuit = recorder.finish().unwrap();
        let out = run(&client, circuit, &inputs, Options::new());
        let at = Value::from(a.t().to_owned());
        assert!(worst(&out.outputs["at"], &at) < 1e-4);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sizes(
        log_height in 0u32..6,
        log_width in 0u32..6,
        size in (1usize..40, 1usize..40, 1usize..40),
        way in 0usize..4,
        scale in -2.0f64..2.0,
    ) {
        let unit = EncodingUnit::new(1 << log_height, 1 << log_width).unwrap();
        check_plaintext(WAYS[way], unit, size, scale);
    }
}
