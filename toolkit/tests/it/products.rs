//! Products of vectors and matrices, in both orders, at the sizes of the published toolkit's tests.

use std::f64::consts::PI;

use arras_backend_cpu::CpuEngine;
use arras_toolkit::{EncodingUnit, Program, interpret::rotation_steps, linalg::Dot};

use crate::support::{
    case::{Building, Case},
    circuit, client,
    sizes::large_parameters,
    suite::unit,
};

fn units() -> [EncodingUnit; 2] {
    [unit(64, 64), unit(16, 256)]
}

/// A unit, two each way, a bit more than one, a half, and sizes in no relation to it.
fn sizes(unit: EncodingUnit) -> [(usize, usize); 8] {
    let (m, n) = (unit.height(), unit.width());
    [
        (m, n),
        (2 * m, 2 * n),
        (m + 11, n + 17),
        (m / 2, n / 2),
        (13, 78),
        (67, 17),
        (134, 134),
        (300, 27),
    ]
}

/// Both products with a matrix, plain and times pi.
fn of_size(unit: EncodingUnit, shape: (usize, usize)) -> Case {
    let mut case = Building::new(unit.slots(), (shape.0 * 1000 + shape.1) as u64);
    let (ha, a) = case.matrix("a", shape, unit);
    let (hx, x) = case.row("x", shape.0, unit);
    let (hy, y) = case.column("y", shape.1, unit);
    let (xa, ay) = (x.dot(&a), a.dot(&y));
    case.expect("x a", &hx.dot(&ha), &xa);
    case.expect("pi x a", &(PI * &hx).dot(&ha), &xa * PI);
    case.expect("a y", &ha.dot(&hy), &ay);
    case.expect("pi a y", &ha.dot_scaled(&hy, PI), &ay * PI);
    // The operands read as transposes.
    case.expect("a^T x", &ha.t().dot(&hx), &xa);
    case.expect("y a^T", &hy.dot(&ha.t()), &ay);
    case.finish()
}

#[test]
fn all_sizes_in_plaintext() {
    for unit in units() {
        for size in sizes(unit) {
            let case = of_size(unit, size);
            assert_eq!(case.circuit.levels_needed(), 2, "{unit} {size:?}");
            case.in_plaintext();
        }
    }
}

#[test]
fn on_ciphertexts_as_precise_as_predicted() {
    let client = client(&large_parameters(2), CpuEngine::new());
    let [square, wide] = units();
    for size in [(64, 64), (75, 81), (13, 78), (300, 27)] {
        of_size(square, size).as_predicted(&client);
    }
    for size in [(16, 256), (8, 128), (67, 17), (134, 134)] {
        of_size(wide, size).as_predicted(&client);
    }
}

#[test]
fn depths_and_keys_do_not_grow_with_the_matrix() {
    for unit in units() {
        let of = |rows, cols, row: bool| {
            let program = Program::new(circuit(unit.slots(), |r| {
                let a = r.matrix("a", rows, cols, unit);
                if row {
                    r.output("xa", &r.row_vector("x", rows, unit).dot(&a));
                } else {
                    r.output("ay", &a.dot(&r.column_vector("y", cols, unit)));
                }
            }));
            (program.levels_needed(), rotation_steps(&program).len())
        };
        let (lg_m, lg_n) = (unit.height().ilog2(), unit.width().ilog2());
        for (rows, cols) in sizes(unit) {
            assert_eq!(of(rows, cols, true), (1, lg_m as usize));
            assert_eq!(of(rows, cols, false), (2, 2 * lg_n as usize));
        }
    }
}
