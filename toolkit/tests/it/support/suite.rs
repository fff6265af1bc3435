//! The runs that every list of cases gets.

use arras_backend_cpu::CpuEngine;
use arras_hal::Reference;
use arras_toolkit::EncodingUnit;
use proptest::prelude::*;

use super::{case::Case, client, insecure};

/// The cases for matrices of a shape, and vectors of its sides, in a unit.
type Cases = fn(usize, usize, EncodingUnit) -> Vec<Case>;

pub fn unit(height: usize, width: usize) -> EncodingUnit {
    EncodingUnit::new(height, width).unwrap()
}

/// In plaintext: units of every form; shapes that are as large, smaller, larger and not dividing.
pub fn all_sizes(cases: Cases) {
    for (m, n) in [(8, 8), (4, 16), (16, 4), (1, 16), (16, 1)] {
        for (rows, cols) in [
            (8, 8),
            (3, 5),
            (1, 1),
            (17, 9),
            (5, 33),
            (24, 16),
            (13, 4),
            (16, 7),
            (37, 8),
        ] {
            for case in cases(rows, cols, unit(m, n)) {
                case.in_plaintext();
            }
        }
    }
}

/// In plaintext: 40 shapes and units at random.
pub fn any_size_any_unit(cases: Cases) {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(40)
    };
    proptest!(config, |((rows, cols) in (1usize..40, 1usize..40), (m, n) in (0u32..5, 0u32..5))| {
        for case in cases(rows, cols, unit(1 << m, 1 << n)) {
            case.in_plaintext();
        }
    });
}

/// On ciphertexts of 2^12 slots and three levels.
pub fn on_the_cpu(tolerance: f64, cases: impl IntoIterator<Item = Case>) {
    let client = client(&insecure(13, 3), CpuEngine::new());
    for case in cases {
        case.on(&client, tolerance);
    }
}

/// On ciphertexts of the reference engine, of a small ring.
pub fn on_the_reference(
    (log_n, levels): (u32, usize),
    tolerance: f64,
    cases: impl IntoIterator<Item = Case>,
) {
    let client = client(&insecure(log_n, levels), Reference::new());
    for case in cases {
        case.on(&client, tolerance);
    }
}
