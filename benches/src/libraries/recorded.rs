//! Peers' times from an earlier day: what cannot be had here, or not in that build.
//!
//! One 2-core AMD EPYC (Zen 5), one thread, least and greatest of several passes, in milliseconds. Never beside ours as if they were
//! measured together: the table marks them, and a ratio of one with another of the same day converts a measured build into the other.

/// Why a row is recorded and not measured.
pub struct Recorded {
    /// The library and its build.
    pub library: &'static str,
    /// Its rows: operation, `[least, greatest]` for N = 2^14, 2^15, 2^16; NaN where nothing is recorded.
    pub rows: &'static [(&'static str, [[f64; 2]; 3])],
}

const NONE: [f64; 2] = [f64::NAN; 2];
const ROTATE: &str = "rotate";
const MULTIPLY: &str = "multiply, relinearize, rescale";
const HOISTED: &str = "8 rotations, hoisted";
const KEY: &str = "key for one rotation";
const ENCODE: &str = "encode";
const ENCRYPT: &str = "encode and encrypt";

/// Poulpy needs a nightly compiler; builds with HEXL are not in the Python packages; Lattigo is no Python package. Encryption is
/// without the encoding.
pub const RECORDED: [Recorded; 5] = [
    Recorded {
        library: POULPY,
        rows: &[
            (ROTATE, [[3.5, 4.3], [21.0, 25.0], [110.0, 123.0]]),
            (MULTIPLY, [[7.0, 8.1], [37.0, 44.0], [155.0, 229.0]]),
        ],
    },
    Recorded {
        library: "OpenFHE",
        rows: &[
            (ROTATE, [[15.0, 15.0], [84.0, 84.0], [387.0, 387.0]]),
            (MULTIPLY, [[17.0, 17.0], [87.0, 87.0], [432.0, 432.0]]),
        ],
    },
    Recorded {
        library: "OpenFHE + HEXL",
        rows: &[
            (ROTATE, [[8.6, 9.3], [41.0, 70.0], [326.0, 326.0]]),
            (MULTIPLY, [[8.8, 9.2], [50.0, 71.0], [377.0, 377.0]]),
            (HOISTED, [[32.0, 35.0], [145.0, 232.0], [917.0, 917.0]]),
            (KEY, [[45.0, 45.0], [191.0, 191.0], [742.0, 742.0]]),
            (ENCODE, [[0.85, 0.85], [5.7, 5.7], [23.0, 23.0]]),
            (ENCRYPT, [[10.3, 10.3], [35.7, 35.7], [103.0, 103.0]]),
        ],
    },
    Recorded {
        library: "SEAL + HEXL, longest chain",
        rows: &[
            (ROTATE, [[7.9, 10.0], [50.0, 77.0], [496.0, 496.0]]),
            (MULTIPLY, [[8.1, 11.0], [54.0, 87.0], [531.0, 531.0]]),
            (KEY, [[54.0, 54.0], [350.0, 350.0], NONE]),
            (ENCODE, [[0.68, 0.68], [4.3, 4.3], [32.0, 32.0]]),
            (ENCRYPT, [[4.0, 8.0], [25.0, 30.0], [126.0, 133.0]]),
        ],
    },
    Recorded {
        library: "Lattigo",
        rows: &[
            (ROTATE, [[8.3, 8.8], [89.0, 92.0], [327.0, 327.0]]),
            (MULTIPLY, [[11.0, 11.0], [67.0, 111.0], [567.0, 567.0]]),
            (HOISTED, [[36.0, 36.0], [340.0, 360.0], [1088.0, 1088.0]]),
        ],
    },
];

/// The fastest recorded library.
pub const POULPY: &str = "Poulpy 0.10";

/// Recorded least and greatest, in seconds.
pub fn recorded(library: &str, operation: &str, log_n: u32) -> Option<[f64; 2]> {
    let library = RECORDED.iter().find(|known| known.library == library)?;
    let (_, sizes) = library.rows.iter().find(|(name, _)| *name == operation)?;
    let times = *sizes.get(log_n.checked_sub(14)? as usize)?;
    times[0].is_finite().then(|| times.map(|ms| ms * 1e-3))
}

/// Transforms by IFMA code, microseconds a row: OpenFHE with HEXL, 50 bits.
pub const IFMA: [(u32, f64, f64); 3] = [(14, 50.0, 15.3), (15, 50.0, 34.6), (16, 50.0, 74.3)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_gaps_are_none() {
        for library in &RECORDED {
            for (name, sizes) in library.rows {
                for times in sizes.iter().filter(|times| times[0].is_finite()) {
                    assert!(times[0] <= times[1], "{}, {name}", library.library);
                }
            }
        }
        assert_eq!(recorded(POULPY, MULTIPLY, 15), Some([0.037, 0.044]));
        assert_eq!(recorded(POULPY, HOISTED, 15), None);
        assert_eq!(recorded(POULPY, ROTATE, 17), None);
    }
}
