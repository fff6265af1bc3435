//! Round numbers along axes.

/// Multiples of 1, 2 or 5 times a power of ten within `low ..= high`, at most about `most` of them, with the decimals they need.
pub(super) fn round(low: f64, high: f64, most: usize) -> (Vec<f64>, usize) {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) {
        return (vec![low], 2);
    }
    let least = span / most.max(1) as f64;
    let exponent = least.log10().floor() as i32;
    let (step, exponent) = [(1.0, 0), (2.0, 0), (5.0, 0), (10.0, 1)]
        .into_iter()
        .map(|(m, more)| (m * 10f64.powi(exponent), exponent + more))
        .find(|(step, _)| *step >= least * (1.0 - 1e-9))
        .unwrap_or((least, exponent));
    // A hair of tolerance, for ends that are ticks themselves.
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let ticks = (first..=last).map(|i| i as f64 * step).collect();
    (ticks, usize::try_from(-exponent).unwrap_or(0))
}

/// Whole numbers within `low ..= high`, at most about `most` of them.
pub(super) fn whole(low: usize, high: usize, most: usize) -> Vec<f64> {
    let (ticks, _) = round(low as f64, (high.max(low + 1)) as f64, most);
    let mut whole: Vec<f64> = ticks.into_iter().filter(|t| t.fract() == 0.0).collect();
    whole.retain(|&t| t <= high as f64);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            round(0.0, 1.0, 5),
            (vec![0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0], 1)
        );
        assert_eq!(round(91.0, 98.7, 4), (vec![92.0, 94.0, 96.0, 98.0], 0));
        assert_eq!(round(0.0, 97.0, 4).0, vec![0.0, 50.0]);
        assert_eq!(round(3.0, 3.0, 4).0, vec![3.0]);
        assert_eq!(whole(1, 3, 6), vec![1.0, 2.0, 3.0]);
        assert_eq!(whole(1, 1, 6), vec![1.0]);
        assert_eq!(whole(0, 29, 6), vec![0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
    }
}
