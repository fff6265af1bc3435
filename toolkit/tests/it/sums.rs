//! Sums of rows and columns of one matrix and of lists.

use std::f64::consts::PI;

use arras_backend_cpu::CpuEngine;
use arras_toolkit::{
    Bindings, Cleartext, EncodingUnit, OpCount, Program, Recorder, circuit::Summing,
    interpret::rotation_steps,
};
use ndarray::{Array2, Axis};

use crate::support::{
    Numbers,
    case::{Building, Case},
    client,
    sizes::{self, Sizes, large_parameters, selected},
    worst,
};

fn of_matrix(unit: EncodingUnit, shape: (usize, usize)) -> Case {
    let mut case = Building::new(unit.slots(), (shape.0 * 1000 + shape.1) as u64);
    let (a, x) = case.matrix("a", shape, unit);
    case.expect("rows", &a.sum_rows(), x.sum_axis(Axis(0)));
    case.expect("columns", &a.sum_cols(1.0), x.sum_axis(Axis(1)));
    case.expect("pi columns", &a.sum_cols(PI), x.sum_axis(Axis(1)) * PI);
    // Numbers that were added are in the entries alone: sums are those of the entries.
    let shifted = &x + 0.125;
    let sum = (&a + 0.125).sum_rows();
    case.expect("shifted rows", &sum, shifted.sum_axis(Axis(0)));
    let sum = (&a + 0.125).sum_cols(PI);
    case.expect("shifted columns", &sum, shifted.sum_axis(Axis(1)) * PI);
    case.finish()
}

/// Matrices of `lengths` on the side that is summed and `other` on the other.
fn of_lists(unit: EncodingUnit, lengths: &[usize], other: usize) -> Case {
    let mut case = Building::new(unit.slots(), other as u64);
    let (mut tall, mut wide) = (vec![], vec![]);
    let (mut rows, mut columns) = (vec![], vec![]);
    for (i, &length) in lengths.iter().enumerate() {
        let x: Array2<f64> = case.numbers.matrix(length, other);
        rows.push(x.sum_axis(Axis(0)));
        columns.push(x.sum_axis(Axis(0)) * PI);
        let (t, w) = (format!("tall {i}"), format!("wide {i}"));
        tall.push(case.recorder.matrix(&t, length, other, unit));
        wide.push(case.recorder.matrix(&w, other, length, unit));
        case.bind(&w, x.t());
        case.bind(&t, x);
    }
    let total = |parts: Vec<ndarray::Array1<f64>>| parts.into_iter().reduce(|a, b| a + b).unwrap();
    case.expect("rows", &case.recorder.sum_rows_many(&tall), total(rows));
    let sum = case.recorder.sum_cols_many(&wide, PI);
    case.expect("columns", &sum, total(columns));
    case.finish()
}

fn lists(sizes: &Sizes) -> Vec<Case> {
    let (m, n) = (sizes.unit.height(), sizes.unit.width());
    vec![
        of_lists(sizes.unit, &[m], n),
        of_lists(sizes.unit, &[m + 3, 1, n, 2 * n + 5], n),
        of_lists(sizes.unit, &[m - 1, n + 1, 2 * m], m + n / 2),
    ]
}

fn cases(sizes: &[Sizes]) -> Vec<Case> {
    let mut cases = vec![];
    for sizes in sizes {
        let of_shape = |&shape| of_matrix(sizes.unit, shape);
        cases.extend(sizes.matrices.iter().map(of_shape));
        cases.extend(lists(sizes));
    }
    cases
}

#[test]
fn all_sizes() {
    sizes::run(cases, 1, 1e-5);
}

#[test]
fn as_precise_as_predicted() {
    let client = client(&large_parameters(1), CpuEngine::new());
    let [square, wide] = selected().map(|sizes| sizes.unit);
    for (unit, shape) in [
        (square, (64, 64)),
        (square, (60, 128)),
        (square, (130, 70)),
        (wide, (16, 128)),
        (wide, (13, 78)),
        (wide, (67, 17)),
    ] {
        of_matrix(unit, shape).as_predicted(&client);
    }
}

#[test]
fn a_list_costs_the_rotations_of_one_matrix() {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let steps = |lengths: &[usize]| {
        let program = Program::new(of_lists(unit, lengths, 64).circuit);
        let rotations = OpCount::of(&program).kind("rotation_sum").steps;
        (rotations, rotation_steps(&program).len())
    };
    assert_eq!(steps(&[64]), steps(&[70, 300, 5]));
    // lg m for the rows; lg n there and lg n back for the columns.
    assert_eq!(steps(&[64]), (18, 18));
}

#[test]
fn sums_by_fours_and_eights_are_those_by_doubling() {
    let values = Numbers(5).vector(64).to_vec();
    for (stride, count) in [(1, 64), (1, 32), (-2, 8), (4, 16), (3, 2), (1, 4), (5, 1)] {
        let run = |summing| {
            let recorder = Recorder::new(64).unwrap().summing(summing);
            let x = recorder.slots_input("x", 1);
            recorder.output("sum", &x.rotate_and_sum(stride, count));
            let program = Program::new(recorder.finish().unwrap());
            let inputs = Bindings::new().with("x", vec![values.clone()]);
            let run = Cleartext::run(&program, &inputs).unwrap();
            (run.outputs["sum"].clone(), program.steps().len() - 1)
        };
        let (expected, doublings) = run(Summing::Doubling);
        for (way, at_once) in [(Summing::Fours, 2), (Summing::Eights, 3)] {
            let (sum, steps) = run(way);
            assert!(worst(&sum, &expected) < 1e-12, "{way:?} {stride} {count}");
            let least = doublings.div_ceil(at_once);
            assert_eq!(steps, least, "{way:?} {stride} {count}");
        }
    }
}
