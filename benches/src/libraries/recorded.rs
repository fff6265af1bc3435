//! Peers' times from an earlier day: what cannot be had here, or not in that build. Never beside ours as if they were measured together:
//! the table marks them, and a ratio of one with another of the same day converts a measured build into the other.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// The fastest recorded library.
pub(super) const POULPY: &str = "Poulpy 0.10";

/// Transforms by IFMA code, bits and microseconds a row: OpenFHE with HEXL, forward.
pub(super) const IFMA: [(u32, f64, f64); 3] =
    [(14, 50.0, 15.3), (15, 50.0, 34.6), (16, 50.0, 74.3)];

#[derive(Deserialize)]
struct Recorded {
    libraries: Vec<Library>,
}

#[derive(Deserialize)]
pub(super) struct Library {
    pub(super) library: String,
    /// Least and greatest milliseconds from N = 2^14 on.
    operations: BTreeMap<String, Vec<[f64; 2]>>,
}

static RECORDED: LazyLock<Recorded> = LazyLock::new(|| {
    serde_json::from_str(include_str!("recorded.json")).expect("the file is part of the program")
});

impl Library {
    /// Whether anything is recorded for N = 2^log_n.
    pub(super) fn knows(&self, log_n: u32) -> bool {
        let mut operations = self.operations.keys();
        operations.any(|name| self.seconds(name, log_n).is_some())
    }

    /// Recorded least and greatest, in seconds.
    pub(super) fn seconds(&self, operation: &str, log_n: u32) -> Option<[f64; 2]> {
        let sizes = self.operations.get(operation)?;
        let times = sizes.get(log_n.checked_sub(14)? as usize)?;
        Some(times.map(|ms| ms * 1e-3))
    }
}

pub(super) fn libraries() -> &'static [Library] {
    &RECORDED.libraries
}

/// Recorded least and greatest of a library, in seconds.
pub(super) fn recorded(library: &str, operation: &str, log_n: u32) -> Option<[f64; 2]> {
    let library = libraries().iter().find(|known| known.library == library)?;
    library.seconds(operation, log_n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_gaps_are_none() {
        for library in libraries() {
            for times in library.operations.values().flatten() {
                assert!(times[0] <= times[1], "{}", library.library);
            }
        }
        let multiply = recorded(POULPY, "multiply, relinearize, rescale", 15);
        assert_eq!(multiply, Some([0.037, 0.044]));
        assert_eq!(recorded(POULPY, "8 rotations, hoisted", 15), None);
        assert_eq!(recorded(POULPY, "rotate", 17), None);
    }
}
