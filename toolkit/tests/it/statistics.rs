//! Means, variances and centred columns.

use arras_backend_cpu::CpuEngine;
use arras_hal::Reference;
use arras_toolkit::{EncodingUnit, Recorded, Value, linalg::Matrix};
use ndarray::{Array2, Axis};
use proptest::prelude::*;

use crate::support::{
    Numbers, client,
    costs::{Case, Cost, cost},
    insecure,
};

fn case<T: Recorded>(
    a: &Array2<f64>,
    unit: EncodingUnit,
    expected: impl Into<Value>,
    op: impl Fn(&Matrix) -> T,
) -> Case {
    Case::new(unit.slots(), &[("a", a.into())], expected, |recorder| {
        let a = recorder.matrix("a", a.nrows(), a.ncols(), unit);
        recorder.output("out", &op(&a));
    })
}

/// Column means, row means, column variances, row variances, centred columns.
fn cases(rows: usize, cols: usize, unit: EncodingUnit) -> [Case; 5] {
    let a = Numbers((rows * 100 + cols) as u64).matrix(rows, cols) + 0.25;
    let means = |axis| a.mean_axis(Axis(axis)).unwrap();
    let ddof = |count: usize| usize::from(count > 1);
    let (of_columns, of_rows) = (ddof(rows), ddof(cols));
    [
        case(&a, unit, means(0), Matrix::column_means),
        case(&a, unit, means(1), Matrix::row_means),
        case(&a, unit, a.var_axis(Axis(0), of_columns as f64), |a| {
            a.column_variances(of_columns)
        }),
        case(&a, unit, a.var_axis(Axis(1), of_rows as f64), |a| {
            a.row_variances(of_rows)
        }),
        case(&a, unit, &a - &means(0), Matrix::center_columns),
    ]
}

fn unit(height: usize, width: usize) -> EncodingUnit {
    EncodingUnit::new(height, width).unwrap()
}

#[test]
fn all_sizes() {
    for (m, n) in [(8, 8), (4, 16), (16, 4), (1, 16), (16, 1)] {
        for (rows, cols) in [(8, 8), (3, 5), (1, 1), (17, 9), (5, 33), (24, 16)] {
            for case in cases(rows, cols, unit(m, n)) {
                case.in_plaintext();
            }
        }
    }
}

#[test]
fn what_it_costs() {
    let costs = |rows, cols, m, n| -> Vec<Cost> {
        let cases = cases(rows, cols, unit(m, n));
        cases.iter().map(Case::in_plaintext).collect()
    };
    assert_eq!(
        costs(100, 40, 64, 64),
        [
            cost(1, 6, 6, 0),
            cost(1, 24, 12, 2),
            cost(2, 12, 6, 0),
            cost(2, 48, 12, 4),
            cost(1, 6, 6, 2)
        ]
    );
    assert_eq!(
        costs(100, 300, 16, 256),
        [
            cost(1, 8, 4, 0),
            cost(1, 112, 16, 7),
            cost(2, 16, 4, 0),
            cost(2, 224, 16, 14),
            cost(1, 8, 4, 14)
        ]
    );
}

#[test]
fn on_ciphertexts() {
    let client = client(&insecure(13, 3), CpuEngine::new());
    for (rows, cols, unit) in [(64, 64, unit(64, 64)), (50, 20, unit(16, 256))] {
        for case in cases(rows, cols, unit) {
            case.on_ciphertexts(&client, 1e-4);
        }
    }
}

#[test]
fn on_the_reference_engine() {
    let client = client(&insecure(9, 3), Reference);
    for (rows, cols) in [(16, 16), (5, 9), (18, 20)] {
        for case in cases(rows, cols, unit(16, 16)) {
            case.on_ciphertexts(&client, 1e-3);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_size_any_unit(
        (rows, cols) in (1usize..40, 1usize..40),
        (m, n) in (0u32..5, 0u32..5),
    ) {
        for case in cases(rows, cols, unit(1 << m, 1 << n)) {
            case.in_plaintext();
        }
    }
}
