//! How precise a decryption is.

use std::fmt;

use num_complex::Complex64;

/// What can be wrong with the values that are compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PrecisionError {
    /// Lists of different lengths.
    #[error(
        "precision: {expected} expected values and {actual} actual ones; compare lists of the same length"
    )]
    Length {
        /// Number of expected values.
        expected: usize,
        /// Number of actual values.
        actual: usize,
    },
    /// Nothing to compare.
    #[error("precision: no values; compare at least one")]
    Empty,
    /// A value that is not a number.
    #[error(
        "precision: slot {slot} is not finite; the computation overflowed before it was compared"
    )]
    NotFinite {
        /// The slot.
        slot: usize,
    },
}

/// Errors of a vector in bits: -log2 |actual - expected|, so 20 bits mean an error of 2^-20.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionReport {
    worst_slot: usize,
    max_error: f64,
    mean_error: f64,
    median_error: f64,
    slot0_error: f64,
    slots: usize,
}

fn bits(error: f64) -> f64 {
    -error.log2()
}

impl PrecisionReport {
    /// Compares complex vectors.
    ///
    /// # Errors
    /// [`PrecisionError`].
    pub fn new(expected: &[Complex64], actual: &[Complex64]) -> Result<Self, PrecisionError> {
        if expected.len() != actual.len() {
            let (expected, actual) = (expected.len(), actual.len());
            return Err(PrecisionError::Length { expected, actual });
        }
        let errors: Vec<f64> = expected
            .iter()
            .zip(actual)
            .map(|(e, a)| (e - a).norm())
            .collect();
        if let Some(slot) = errors.iter().position(|e| !e.is_finite()) {
            return Err(PrecisionError::NotFinite { slot });
        }
        let Some((worst_slot, &max_error)) =
            errors.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))
        else {
            return Err(PrecisionError::Empty);
        };
        let mut sorted = errors.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(Self {
            worst_slot,
            max_error,
            mean_error: errors.iter().sum::<f64>() / errors.len() as f64,
            median_error: sorted.get(errors.len() / 2).copied().unwrap_or(max_error),
            slot0_error: errors.first().copied().unwrap_or(max_error),
            slots: errors.len(),
        })
    }

    /// Compares real vectors.
    ///
    /// # Errors
    /// [`PrecisionError`].
    pub fn real(expected: &[f64], actual: &[f64]) -> Result<Self, PrecisionError> {
        let complex = |v: &[f64]| {
            v.iter()
                .map(|&x| Complex64::new(x, 0.0))
                .collect::<Vec<_>>()
        };
        Self::new(&complex(expected), &complex(actual))
    }

    /// Bits of the slot with the largest error; infinite if all are exact.
    pub fn worst_bits(&self) -> f64 {
        bits(self.max_error)
    }

    /// Bits of the mean error.
    pub fn mean_bits(&self) -> f64 {
        bits(self.mean_error)
    }

    /// Bits of the median error.
    pub fn median_bits(&self) -> f64 {
        bits(self.median_error)
    }

    /// Bits of slot 0, which systematic rounding errors hit first.
    pub fn slot0_bits(&self) -> f64 {
        bits(self.slot0_error)
    }

    /// The slot with the largest error.
    pub fn worst_slot(&self) -> usize {
        self.worst_slot
    }

    /// The largest error.
    pub fn max_error(&self) -> f64 {
        self.max_error
    }
}

impl fmt::Display for PrecisionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |error: f64| {
            if error == 0.0 {
                "exact".to_owned()
            } else {
                format!("{:.1} bits", bits(error))
            }
        };
        writeln!(f, "precision over {} slots", self.slots)?;
        writeln!(
            f,
            "  worst   {} (slot {})",
            show(self.max_error),
            self.worst_slot
        )?;
        writeln!(f, "  mean    {}", show(self.mean_error))?;
        writeln!(f, "  median  {}", show(self.median_error))?;
        write!(f, "  slot 0  {}", show(self.slot0_error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_worst_slot() {
        let report =
            PrecisionReport::real(&[1.0, 2.0, 3.0], &[1.0, 2.25, 3.0 - 1.0 / 1024.0]).unwrap();
        assert_eq!(report.worst_slot(), 1);
        assert!((report.worst_bits() - 2.0).abs() < 1e-12);
        assert!((report.median_bits() - 10.0).abs() < 1e-12);
        assert!(report.slot0_bits().is_infinite());
        let text = report.to_string();
        assert!(
            text.contains("worst   2.0 bits (slot 1)") && text.contains("slot 0  exact"),
            "{text}"
        );
    }

    #[test]
    fn lists_that_cannot_be_compared_are_refused() {
        refused! {
            PrecisionReport::real(&[1.0], &[]) => PrecisionError::Length { expected: 1, actual: 0 },
            PrecisionReport::real(&[], &[]) => PrecisionError::Empty,
            PrecisionReport::real(&[0.0, 1.0], &[0.0, f64::NAN]) => PrecisionError::NotFinite { slot: 1 },
        }
    }
}
