//! Two small data sets that need no file. Sources and licence: `data/README.md` of this crate.

use super::{DataError, Dataset, csv};

/// UCI handwritten digits, 3 (negative) against 8 (positive): 357 rows of 64 pixels from 0 to 16, of which 10 are
/// constant. The rows stand in the original order, in which the digits alternate.
///
/// # Errors
/// None in practice: the text is part of the program.
pub fn digits() -> Result<Dataset, DataError> {
    read(include_str!("../../data/digits-3-8.csv"), "digit")
}

/// Wisconsin breast cancer (diagnostic), benign (negative) against malignant (positive): 569 rows of 30 measurements.
///
/// # Errors
/// None in practice: the text is part of the program.
pub fn breast_cancer() -> Result<Dataset, DataError> {
    read(include_str!("../../data/breast-cancer.csv"), "diagnosis")
}

fn read(text: &str, label: &str) -> Result<Dataset, DataError> {
    let mut data = csv::read(text.as_bytes(), &csv::Options::new(label))?;
    // It comes whole: there are no files whose columns would have to be found.
    data.table.layout = None;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_what_the_source_has() {
        let data = digits().unwrap();
        assert_eq!(
            (data.rows(), data.columns(), data.positives()),
            (357, 64, 174)
        );
        assert_eq!(
            (&*data.classes().negative, &*data.classes().positive),
            ("3", "8")
        );
        assert!(
            data.features()
                .iter()
                .all(|&p| (0.0..=16.0).contains(&p) && p.fract() == 0.0)
        );
        // Sums taken from the distributed file.
        assert_eq!(data.features().sum(), 113_559.0);
    }

    #[test]
    fn breast_cancer_is_what_the_source_has() {
        let data = breast_cancer().unwrap();
        assert_eq!(
            (data.rows(), data.columns(), data.positives()),
            (569, 30, 212)
        );
        assert_eq!(data.classes().positive, "malignant");
        assert_eq!(data.feature_names()[0], "mean radius");
        assert_eq!(data.feature_names()[29], "worst fractal dimension");
        assert_eq!(data.features()[(0, 0)], 17.99);
        assert_eq!(data.features()[(568, 29)], 0.07039);
        let areas = data.features().column(3);
        assert_eq!(areas.iter().copied().fold(f64::MAX, f64::min), 143.5);
        assert_eq!(areas.iter().copied().fold(0.0, f64::max), 2501.0);
    }
}
