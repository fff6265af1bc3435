//! Means, variances and centred columns.

use arras_toolkit::{EncodingUnit, Matrix};
use ndarray::Axis;

use crate::support::{
    Numbers,
    case::{Case, Cost, cost, with_matrix},
    suite::{self, unit},
};

/// Column means, row means, column variances, row variances, centred columns.
fn cases(rows: usize, cols: usize, unit: EncodingUnit) -> Vec<Case> {
    let a = Numbers((rows * 100 + cols) as u64).matrix(rows, cols) + 0.25;
    let means = |axis| a.mean_axis(Axis(axis)).unwrap();
    let ddof = |count: usize| usize::from(count > 1);
    let (of_columns, of_rows) = (ddof(rows), ddof(cols));
    vec![
        with_matrix(&a, unit, means(0), Matrix::column_means),
        with_matrix(&a, unit, means(1), Matrix::row_means),
        with_matrix(&a, unit, a.var_axis(Axis(0), of_columns as f64), |a| {
            a.column_variances(of_columns)
        }),
        with_matrix(&a, unit, a.var_axis(Axis(1), of_rows as f64), |a| {
            a.row_variances(of_rows)
        }),
        with_matrix(&a, unit, &a - &means(0), Matrix::center_columns),
    ]
}

#[test]
fn all_sizes() {
    suite::all_sizes(cases);
    suite::any_size_any_unit(cases);
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
    let sizes = [(64, 64, unit(64, 64)), (50, 20, unit(16, 256))];
    suite::on_the_cpu(1e-4, sizes.into_iter().flat_map(|(r, c, u)| cases(r, c, u)));
    let small = [(16, 16), (5, 9), (18, 20)];
    let small = small
        .into_iter()
        .flat_map(|(r, c)| cases(r, c, unit(16, 16)));
    suite::on_the_reference((9, 3), 1e-3, small);
}
