//! Shapes that the operations are tested with.

use arras_backend_cpu::CpuEngine;
use arras_ckks::Parameters;
use arras_hal::Reference;
use arras_toolkit::EncodingUnit;

use super::{case::Case, client, insecure, suite::unit};

/// A unit with shapes of matrices and lengths of vectors: exact, smaller, larger and not dividing.
pub struct Sizes {
    pub unit: EncodingUnit,
    pub matrices: &'static [(usize, usize)],
    pub rows: &'static [usize],
    pub columns: &'static [usize],
}

/// For parameters of 4096 slots.
pub fn large() -> [Sizes; 2] {
    [
        Sizes {
            unit: unit(64, 64),
            matrices: &[
                (64, 64),
                (32, 32),
                (60, 64),
                (64, 60),
                (256, 64),
                (300, 64),
                (300, 60),
                (64, 256),
                (64, 300),
                (60, 300),
                (128, 256),
                (200, 200),
                (200, 201),
            ],
            rows: &[64, 32, 128, 61, 89],
            columns: &[64, 32, 128, 61, 89],
        },
        Sizes {
            unit: unit(16, 256),
            matrices: &[
                (16, 256),
                (8, 128),
                (13, 256),
                (16, 247),
                (256, 256),
                (300, 256),
                (300, 247),
                (16, 512),
                (16, 300),
                (13, 300),
                (32, 512),
                (200, 500),
            ],
            rows: &[16, 8, 10, 32, 77],
            columns: &[256, 128, 153, 512, 519],
        },
    ]
}

/// Some of [`large`], for runs on ciphertexts.
pub fn selected() -> [Sizes; 2] {
    [
        Sizes {
            unit: unit(64, 64),
            matrices: &[(64, 64), (64, 60), (60, 128), (130, 70)],
            rows: &[64, 89],
            columns: &[32, 128],
        },
        Sizes {
            unit: unit(16, 256),
            matrices: &[(16, 256), (13, 300)],
            rows: &[10, 32],
            columns: &[256, 519],
        },
    ]
}

/// For parameters of 512 slots and slow engines.
pub fn small() -> [Sizes; 2] {
    [
        Sizes {
            unit: unit(16, 32),
            matrices: &[(16, 32), (13, 40)],
            rows: &[16, 21],
            columns: &[32, 37],
        },
        Sizes {
            unit: unit(32, 16),
            matrices: &[(20, 16)],
            rows: &[7],
            columns: &[11],
        },
    ]
}

/// Parameters for [`large`] and [`selected`].
pub fn large_parameters(levels: usize) -> Parameters {
    insecure(13, levels)
}

/// Parameters for [`small`].
pub fn small_parameters(levels: usize) -> Parameters {
    insecure(10, levels)
}

/// Cases of all sizes in plaintext, of some on ciphertexts: all need this many levels.
pub fn run(cases: fn(&[Sizes]) -> Vec<Case>, levels: usize, tolerance: f64) {
    for case in cases(&large()) {
        case.in_plaintext();
    }
    let cpu = client(&large_parameters(levels), CpuEngine::new());
    let reference = client(&small_parameters(levels), Reference::new());
    let needs = |case: &Case| assert_eq!(case.circuit.levels_needed(), levels);
    for case in cases(&selected()) {
        needs(&case);
        case.on(&cpu, tolerance);
    }
    for case in cases(&small()) {
        needs(&case);
        case.on(&reference, tolerance);
    }
}
