//! Matrix x matrix, and transposes.

use std::f64::consts::PI;

use arras_toolkit::{
    Circuit, EncodingUnit, Layout, Matrix, OpCount, Program, ToolkitErrorKind,
    linalg::{Dot, Form},
    plan::KeyRequests,
};
use proptest::prelude::*;

use crate::{
    mixed_unit,
    support::{
        Numbers, assert_kind, attempt,
        case::{Building, Case, NOTHING},
        circuit, says,
        suite::{self, unit},
    },
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

fn product(way: Way, unit: EncodingUnit, (f, g, h): Size, scale: f64) -> Case {
    let mut case = Building::new(unit.slots(), (f * g + h) as u64);
    let (a, b) = (case.numbers.matrix(f, g), case.numbers.matrix(g, h));
    let input = |name: &str, rows, cols| case.recorder.matrix(name, rows, cols, unit);
    let result = match way {
        Way::Of(form) => input("a", f, g).dot_matrix(&input("b", g, h), scale, form),
        Way::RowMajor => Matrix::multiply_row_major(&input("a", g, f), &input("b", g, h), scale),
        Way::ColumnMajor => {
            Matrix::multiply_column_major(&input("a", f, g), &input("b", h, g), scale)
        }
    };
    case.expect("ab", &result, a.dot(&b) * scale);
    let (at, bt) = (way == Way::RowMajor, way == Way::ColumnMajor);
    case.bind("a", if at { a.t() } else { a.view() });
    case.bind("b", if bt { b.t() } else { b.view() });
    let case = case.finish().within(1e-11 * g as f64);
    let depth = if way == Way::Of(Form::Shallow) { 2 } else { 3 };
    assert_eq!(case.circuit.levels_needed(), depth, "{way:?} {f} {g} {h}");
    case
}

fn product_of(form: Form, unit: EncodingUnit, (f, g, h): Size) -> Circuit {
    circuit(unit.slots(), |r| {
        let (a, b) = (r.matrix("a", f, g, unit), r.matrix("b", g, h, unit));
        r.output("ab", &a.dot_matrix(&b, 1.0, form));
    })
}

fn key_switches(circuit: Circuit) -> usize {
    OpCount::of(&Program::new(circuit)).key_switches()
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
        let unit = unit(height, width);
        for (i, size) in sizes(unit).into_iter().enumerate() {
            for way in WAYS {
                // Tall units are checked at the sizes that are in no relation to them.
                if width < height && i < 4 {
                    continue;
                }
                let scale = if i % 2 == 0 { PI } else { 1.0 };
                product(way, unit, size, scale).in_plaintext();
            }
        }
    }
}

#[test]
fn on_ciphertexts() {
    let (squares, wide) = (unit(64, 64), unit(16, 256));
    let large = [
        (WAYS[0], squares, (64, 64, 64), PI),
        (WAYS[1], squares, (64, 64, 64), 1.0),
        (WAYS[2], squares, (13, 78, 141), 1.0),
        (WAYS[3], squares, (67, 17, 70), PI),
        (WAYS[1], wide, (13, 78, 141), PI),
        (WAYS[3], wide, (32, 27, 29), 1.0),
    ];
    let large = large.map(|(way, unit, size, scale)| product(way, unit, size, scale));
    suite::on_the_cpu(1e-3, large);
    let small = [(8, 8, 8), (5, 11, 9), (3, 7, 2)];
    let small = small.map(|size| WAYS.map(|way| product(way, unit(8, 8), size, 1.0)));
    suite::on_the_reference((7, 3), 1e-4, small.into_iter().flatten());
}

/// What the documentation of the products says: depth, key switches, rotation keys.
#[test]
fn counts() {
    let unit = unit(128, 128);
    let count = |case: Case| {
        let program = Program::new(case.circuit);
        let keys = KeyRequests::of(&program).rotations.len();
        let key_switches = OpCount::of(&program).key_switches();
        (program.levels_needed(), key_switches, keys)
    };
    let mut table = WAYS
        .map(|way| count(product(way, unit, (128, 128, 128), 1.0)))
        .to_vec();
    table.push(count(mixed_unit::product(unit, (128, 128, 128), 1.0)));
    table.push(count(transposed(unit, (128, 128))));
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
    let unit = unit(16, 16);
    for (size, form) in [
        ((16, 16, 16), Form::Skewed),
        ((40, 40, 40), Form::Skewed),
        ((16, 1, 1), Form::Shallow),
        ((90, 2, 1), Form::Shallow),
    ] {
        let count = |form| key_switches(product_of(form, unit, size));
        let chosen = count(Form::Cheapest);
        assert_eq!(chosen, count(form), "{size:?}");
        let least = count(Form::Shallow).min(count(Form::Skewed));
        assert_eq!(chosen, least, "{size:?}");
    }
}

#[test]
fn transposed_operands_choose_their_form() {
    let unit = unit(8, 16);
    let mut case = Building::new(unit.slots(), 5);
    let [(ha, a), (hb, b)] = ["a", "b"].map(|name| case.matrix(name, (11, 19), unit));
    let ((hx, x), (hy, y)) = (case.row("x", 11, unit), case.column("y", 19, unit));
    case.expect("atb", &ha.t().dot(&hb), a.t().dot(&b));
    case.expect("abt", &ha.dot(&hb.t()), a.dot(&b.t()));
    case.expect("atbt", &ha.t().dot(&hb.transpose().t()), a.t().dot(&b));
    case.expect("aab", &ha.dot(&hb.transpose()), a.dot(&b.t()));
    case.expect("atx", &ha.t().dot(&hx), a.t().dot(&x));
    case.expect("yat", &hy.dot(&ha.t()), a.dot(&y));
    case.finish().within(1e-12).in_plaintext();
}

#[test]
fn what_does_not_meet_is_refused() {
    let (unit, other) = (unit(64, 64), unit(16, 256));
    type Call = fn(&Matrix, &Matrix) -> Matrix;
    let calls: [(Call, Size, Size); 3] = [
        (|a, b| a.dot(b), (13, 78, 0), (77, 5, 0)),
        (|a, b| a.t().dot(b), (78, 13, 0), (77, 5, 0)),
        (|a, b| a.dot(&b.t()), (13, 78, 0), (5, 77, 0)),
    ];
    for (call, left, right) in calls {
        for (second, both) in [(unit, false), (other, true)] {
            let error = attempt(unit.slots(), |r| {
                let a = r.matrix("a", left.0, left.1, unit);
                call(&a, &r.matrix("b", right.0, right.1, second))
            });
            let kind = matches!(error.kind(), ToolkitErrorKind::UnitMismatch { .. });
            assert_eq!(kind, both, "{error}");
            if both {
                says(&error, &["64x64", "16x256"]);
            } else {
                says(&error, &[left, right].map(|(m, n, _)| format!("{m}x{n}")));
            }
            says(&error, &["matmul.rs"]);
        }
    }
    let error = attempt(unit.slots(), |r| {
        let a = r.matrix("a", 3, 3, unit);
        a.dot_matrix(&a, f64::NAN, Form::Skewed)
    });
    assert_kind!(error, ToolkitErrorKind::NonFinite { .. });
}

fn transposed(unit: EncodingUnit, (rows, cols): (usize, usize)) -> Case {
    let a = Numbers(3).matrix(rows, cols);
    let case = Case::new(unit.slots(), &[("a", (&a).into())], a.t(), |recorder| {
        recorder.matrix("a", rows, cols, unit).transpose()
    });
    assert_eq!(case.circuit.levels_needed(), 1);
    let layout = *case.circuit.outputs()[0].layout();
    assert_eq!(layout, Layout::matrix(cols, rows, unit));
    case.within(NOTHING)
}

#[test]
fn transposes() {
    for (height, width) in [(64, 64), (16, 256), (256, 16), (1, 64), (64, 1)] {
        for (rows, cols) in [(height, width), (13, 78), (67, 17), (134, 134), (300, 27)] {
            if height.min(width) > 1 || rows * cols <= 2000 {
                transposed(unit(height, width), (rows, cols)).in_plaintext();
            }
        }
    }
    let some = [(64, 64, 67, 17), (16, 256, 13, 78)];
    let some =
        some.map(|(height, width, rows, cols)| transposed(unit(height, width), (rows, cols)));
    suite::on_the_cpu(1e-4, some);
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
        product(WAYS[way], unit(1 << log_height, 1 << log_width), size, scale).in_plaintext();
    }
}
