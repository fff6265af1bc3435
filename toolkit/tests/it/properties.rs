//! Sizes and units at random.

use arras_backend_cpu::CpuEngine;
use arras_toolkit::EncodingUnit;
use ndarray::Axis;
use proptest::prelude::*;

use crate::support::{
    case::{Building, Case},
    client,
    sizes::small_parameters,
};

/// A unit of 2^`log_slots` slots and a shape of at most three units each way.
fn shapes(log_slots: u32) -> impl Strategy<Value = (EncodingUnit, usize, usize, u64)> {
    (0..=log_slots).prop_flat_map(move |log_height| {
        let (m, n) = (1usize << log_height, 1usize << (log_slots - log_height));
        let unit = EncodingUnit::new(m, n).unwrap();
        (Just(unit), 1..=3 * m, 1..=3 * n, any::<u64>())
    })
}

/// Sums of what was combined with everything there is.
fn mixed(unit: EncodingUnit, rows: usize, cols: usize, seed: u64) -> Case {
    let mut case = Building::new(unit.slots(), seed);
    let (a, x) = case.matrix("a", (rows, cols), unit);
    let y = case.numbers.matrix(rows, cols);
    let (r, v) = case.row("r", rows, unit);
    let (c, w) = case.column("c", cols, unit);
    // Sums of hundreds of entries stay below the 400 or so that level 0 has room for.
    let (s, t) = (case.numbers.next() / 4.0, case.numbers.next());
    let number = case.recorder.scalar("s");
    case.bind("s", s);
    let shifted = &(&(&a + t) * &y) - &number;
    let values = &(&x + t) * &y - s;
    case.expect("matrix", &shifted, &values);
    case.expect("rows", &shifted.sum_rows(), values.sum_axis(Axis(0)));
    let columns = shifted.sum_cols(t);
    case.expect("columns", &columns, values.sum_axis(Axis(1)) * t);
    let scaled = (&r - t).hadamard_matrix(&a).sum_rows();
    case.expect("by rows", &scaled, (&v - t).dot(&x));
    let scaled = a.hadamard_column(&(&c + &number)).sum_cols(1.0);
    case.expect("by columns", &scaled, x.dot(&(&w + s)));
    let both = case.recorder.sum_rows_many([&a, &shifted]);
    case.expect("both", &both, (&x + &values).sum_axis(Axis(0)));
    case.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_sizes_in_plaintext((unit, rows, cols, seed) in shapes(7)) {
        mixed(unit, rows, cols, seed).in_plaintext();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_sizes_on_ciphertexts((unit, rows, cols, seed) in shapes(9)) {
        let client = client(&small_parameters(3), CpuEngine::new());
        mixed(unit, rows.min(unit.height() + 9), cols.min(unit.width() + 9), seed).on(&client, 1e-5);
    }
}
