//! Sums, differences, products and negatives: encrypted, plaintext and numbers.

use std::f64::consts::PI;

use arras_backend_cpu::CpuEngine;
use arras_hal::Reference;
use arras_toolkit::{
    ColumnVector, EncodingUnit, Layout, Matrix, Program, Recorder, Scalar, linalg::Object,
    plan::constant_bytes,
};

use crate::support::{
    case::{Building, Case},
    client,
    sizes::{self, Sizes, small_parameters},
};

/// Everything that every kind has, on handles `a` and `b` of the values `x` and `y`.
macro_rules! operations {
    ($case:ident, $a:ident = $x:ident, $b:ident = $y:ident) => {{
        let (s, t) = $case.scalar("s");
        let (y, plain) = (&$y, $y.clone());
        $case.expect("a + b", &(&$a + &$b), &$x + y);
        $case.expect("a - b", &(&$a - &$b), &$x - y);
        $case.expect("-a", &-&$a, -&$x);
        $case.expect("a * b", &(&$a * &$b), &$x * y);
        $case.expect("a squared", &$a.square(), &$x * &$x);
        let many = $case.recorder.add_many([&$a, &$b, &$a]);
        $case.expect("a + b + a", &many, &$x + y + &$x);
        $case.expect("one", &$case.recorder.add_many([&$b]), plain.clone());
        $case.expect("a + array", &$a.add_plain(plain.clone()), &$x + y);
        $case.expect("a - array", &$a.sub_plain(plain.clone()), &$x - y);
        $case.expect("array - a", &$a.sub_from_plain(plain.clone()), y - &$x);
        $case.expect("a * array", &$a.multiply_plain(plain), &$x * y);
        $case.expect("a + 2.5", &(&$a + 2.5), &$x + 2.5);
        $case.expect("a - 1.25", &(&$a - 1.25), &$x - 1.25);
        $case.expect("1.5 - a", &(1.5 - &$a), -(&$x - 1.5));
        $case.expect("pi a", &(PI * &$a), &$x * PI);
        $case.expect("-3 a", &(&$a * -3.0), &$x * -3.0);
        $case.expect("0 a", &(&$a * 0.0), &$x * 0.0);
        $case.expect("a + s", &(&$a + &s), &$x + t);
        $case.expect("a - s", &(&$a - &s), &$x - t);
        $case.expect("s a", &(&$a * &s), &$x * t);
        $case.expect("sum of sums", &(((&$a + 1.0) - &$b) - 1.0), &$x - y);
    }};
}

fn of_matrices(unit: EncodingUnit, shape: (usize, usize)) -> Case {
    let mut case = Building::new(unit.slots(), (shape.0 * 1000 + shape.1) as u64);
    let [(a, x), (b, y)] = ["a", "b"].map(|name| case.matrix(name, shape, unit));
    operations!(case, a = x, b = y);
    case.finish()
}

fn of_row_vectors(unit: EncodingUnit, len: usize) -> Case {
    let mut case = Building::new(unit.slots(), len as u64);
    let [(a, x), (b, y)] = ["a", "b"].map(|name| case.row(name, len, unit));
    operations!(case, a = x, b = y);
    case.finish()
}

fn of_column_vectors(unit: EncodingUnit, len: usize) -> Case {
    let mut case = Building::new(unit.slots(), len as u64);
    let [(a, x), (b, y)] = ["a", "b"].map(|name| case.column(name, len, unit));
    operations!(case, a = x, b = y);
    case.finish()
}

fn of_scalars(slots: usize) -> Case {
    let mut case = Building::new(slots, 5);
    let [(a, x), (b, y)] = ["a", "b"].map(|name| case.scalar(name));
    operations!(case, a = x, b = y);
    case.finish()
}

/// Vectors with matrices, encrypted and in the clear.
fn of_vectors_with_matrices(unit: EncodingUnit, shape: (usize, usize)) -> Case {
    let mut case = Building::new(unit.slots(), (shape.0 * 1000 + shape.1) as u64);
    let (a, x) = case.matrix("a", shape, unit);
    let (hr, r) = case.row("r", shape.0, unit);
    let (hc, c) = case.column("c", shape.1, unit);
    let by_rows = &x * &r.view().insert_axis(ndarray::Axis(1));
    let by_columns = &x * &c;
    case.expect("rows", &hr.hadamard_matrix(&a), &by_rows);
    case.expect("columns", &a.hadamard_column(&hc), &by_columns);
    case.expect("plain rows", &a.hadamard_plain_rows(r.view()), &by_rows);
    let scaled = a.hadamard_plain_columns(c.view());
    case.expect("plain columns", &scaled, &by_columns);
    let scaled = hr.hadamard_plain_matrix(x.view());
    case.expect("rows of plain", &scaled, &by_rows);
    let scaled = hc.hadamard_plain_matrix(x.view());
    case.expect("columns of plain", &scaled, &by_columns);
    case.finish()
}

fn cases(sizes: &[Sizes]) -> Vec<Case> {
    let mut cases = vec![of_scalars(sizes[0].unit.slots())];
    for Sizes {
        unit,
        matrices,
        rows,
        columns,
    } in sizes
    {
        for &shape in *matrices {
            cases.push(of_matrices(*unit, shape));
            cases.push(of_vectors_with_matrices(*unit, shape));
        }
        cases.extend(rows.iter().map(|&len| of_row_vectors(*unit, len)));
        cases.extend(columns.iter().map(|&len| of_column_vectors(*unit, len)));
    }
    cases
}

#[test]
fn all_sizes() {
    sizes::run(cases, 1, 1e-6);
}

#[test]
fn sums_with_numbers_cost_no_level_and_products_with_small_integers_neither() {
    let unit = EncodingUnit::new(4, 8).unwrap();
    let depth = |result: fn(&Matrix, &Scalar) -> Matrix, rows: usize| {
        let recorder = Recorder::new(32).unwrap();
        let a = recorder.matrix("a", rows, 8, unit);
        let s = recorder.scalar("s");
        recorder.output("out", &result(&a, &s));
        let circuit = recorder.finish().unwrap();
        let levels = circuit.input_levels();
        (levels["a"], levels["s"])
    };
    assert_eq!(depth(|a, _| a + 2.0, 3), (Some(0), None));
    assert_eq!(depth(|a, _| a - 2.0, 4), (Some(0), None));
    assert_eq!(depth(|a, _| a * 7.0, 3), (Some(0), None));
    assert_eq!(depth(|a, _| a * 0.5, 3), (Some(1), None));
    assert_eq!(depth(|a, _| a * 1025.0, 3), (Some(1), None));
    // The number is masked where there is padding, and only there.
    assert_eq!(depth(|a, s| a + s, 3), (Some(0), Some(1)));
    assert_eq!(depth(|a, s| a - s, 4), (Some(0), Some(0)));
    assert_eq!(depth(|a, s| a * s, 3), (Some(1), Some(1)));
}

#[test]
fn operators_take_arrays_on_both_sides() {
    let unit = EncodingUnit::new(4, 8).unwrap();
    let mut case = Building::new(32, 11);
    let (y, w) = (case.numbers.matrix(5, 9), case.numbers.vector(9));
    let (a, x) = case.matrix("a", (5, 9), unit);
    let (r, v) = case.row("r", 9, unit);
    let (c, u) = case.column("c", 9, unit);
    case.expect("a + y", &(&a + &y), &x + &y);
    case.expect("y + a", &(&y + &a), &x + &y);
    case.expect("y - a", &(y.view() - a.clone()), &y - &x);
    case.expect("y * a", &(&y * &a), &y * &x);
    case.expect("a * y", &(a * y.view()), &y * &x);
    case.expect("w - r", &(&w - &r), &w - &v);
    case.expect("r * w", &(r * &w), &v * &w);
    case.expect("w + c", &(w.view() + &c), &u + &w);
    case.expect("c - w", &(&c - w.view()), &u - &w);
    case.finish().in_plaintext();
}

/// Column vectors whose slots repeat within the unit, as a transposed unit gives them.
#[test]
fn repeating_column_vectors_keep_repeating() {
    let unit = EncodingUnit::new(4, 16).unwrap();
    for len in [4, 3, 1] {
        let mut case = Building::new(64, len as u64);
        let v = case.numbers.vector(len);
        let (s, t) = case.scalar("s");
        // Read as 16 x 4, every row holds the vector; read as 4 x 16, it repeats every 4 columns.
        let layout = Layout::repeating(len, unit, 4);
        let repeating = ColumnVector::from_parts(case.recorder.slots_input("v", 1), layout);
        case.bind("v", layout.pack("v", &(&v).into()).unwrap());
        case.expect("v + 1", &(&repeating + 1.0), &v + 1.0);
        case.expect("1 - v", &(1.0 - &repeating), -(&v - 1.0));
        case.expect("v * v", &(&repeating * &repeating), &v * &v);
        case.expect("v * array", &(&repeating * &v), &v * &v);
        case.expect("array - v", &(&(&v * 2.0) - &repeating), v.clone());
        case.expect("v + s", &(&repeating + &s), &v + t);
        case.expect("v * s", &(&repeating * &s), &v * t);
        let matrix = case.numbers.matrix(5, len);
        let scaled = repeating.hadamard_plain_matrix(matrix.view());
        case.expect("matrix", &scaled, &matrix * &v);
        let case = case.finish();
        for name in ["v + 1", "v + s", "array - v"] {
            let layout = case.circuit.output(name).unwrap().layout();
            assert!(matches!(layout, Layout::ColumnVector { period: 4, .. }));
        }
        case.in_plaintext();
    }
}

/// Constants subtracted, added and multiplied with, of which each is encoded once.
fn constants_subtracted(slots: usize) -> Case {
    let mut case = Building::new(slots, 77);
    let constants = vec![case.numbers.vector(8).to_vec(), vec![0.75, -0.25]];
    let values: Vec<Vec<f64>> = (0..2)
        .map(|_| case.numbers.vector(slots).to_vec())
        .collect();
    let x = case.recorder.slots_input("x", 2);
    case.bind("x", values.clone());
    let of = |f: fn(f64, f64) -> f64| -> Vec<Vec<f64>> {
        let unit = |(x, c): (&Vec<f64>, &Vec<f64>)| {
            let constants = c.iter().cycle();
            x.iter().zip(constants).map(|(&x, &c)| f(x, c)).collect()
        };
        values.iter().zip(&constants).map(unit).collect()
    };
    let difference = x.sub_plain(constants.clone());
    let product = x.multiply_plain(constants.clone());
    case.expect("x - c", &difference.lower_level(1), of(|x, c| x - c));
    let less = product.sub_plain(constants.clone());
    case.expect("x c - c", &less, of(|x, c| x * c - c));
    let sum = x.add_plain(constants.clone());
    case.expect("c + x", &sum.lower_level(1), of(|x, c| x + c));
    case.finish()
}

#[test]
fn constants_are_subtracted_in_one_step_and_encoded_once() {
    let params = small_parameters(1);
    let slots = params.slots();
    let program = Program::new(constants_subtracted(slots).circuit);
    let steps = program.steps().iter();
    let of_constants: Vec<_> = steps.filter(|s| s.name() == "sub_plain").collect();
    assert_eq!(of_constants.len(), 2);
    for step in of_constants {
        let work = step.work();
        assert_eq!((work.operations, work.key_switches()), (2, 0));
    }
    // Two vectors over the window of level 1, for three uses there, and two over that of level 0.
    let limbs = params.window(1).len() + params.window(0).len();
    let expected = 2 * limbs * params.n() * 4;
    assert_eq!(constant_bytes(&program, &params), expected as u64);
    let case = constants_subtracted(slots);
    case.as_predicted(&client(&params, CpuEngine::new()));
    case.as_predicted(&client(&params, Reference::new()));
}
