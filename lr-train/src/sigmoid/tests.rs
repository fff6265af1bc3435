//! Known fits, the property that marks the best one, and what is refused.

use approx::assert_relative_eq;

use super::*;

#[test]
fn least_squares_finds_the_published_coefficients() {
    let fit = Approximation::least_squares(3, 8.0).unwrap();
    for (ours, published) in fit.odd().iter().zip(Approximation::cubic_8().odd()) {
        assert_relative_eq!(ours, published, max_relative = 2e-5);
    }
    let fit = Approximation::least_squares(7, 8.0).unwrap();
    for (ours, published) in fit.odd().iter().zip(Approximation::septic_8().odd()) {
        assert_relative_eq!(ours, published, max_relative = 1e-3);
    }
    // The published last coefficient is 2.4 % smaller than the fit's; the others agree.
    let fit = Approximation::least_squares(5, 8.0).unwrap();
    for (ours, published) in fit
        .odd()
        .iter()
        .zip(Approximation::quintic_8().odd())
        .take(2)
    {
        assert_relative_eq!(ours, published, max_relative = 1e-4);
    }
    assert_relative_eq!(fit.odd()[2], -4.223_02e-5, max_relative = 1e-5);
    // On [-16, 16] the cubic's last coefficient was cut to one digit.
    let fit = Approximation::least_squares(3, 16.0).unwrap();
    assert_relative_eq!(fit.odd()[0], -0.0843, max_relative = 1e-3);
    assert_relative_eq!(fit.odd()[1], 0.000_247_37, max_relative = 1e-4);
}

#[test]
fn least_squares_has_an_error_orthogonal_to_odd_powers() {
    for (degree, bound) in [(3, 4.0), (7, 12.0), (15, 16.0)] {
        let fit = Approximation::least_squares(degree, bound).unwrap();
        for power in (1..=degree).step_by(2) {
            let steps = 40_000;
            let sum: f64 = (0..steps)
                .map(|i| {
                    let x = (i as f64 + 0.5) / steps as f64;
                    (fit.eval(bound * x) - sigma(-bound * x)) * x.powi(power as i32)
                })
                .sum();
            assert!(
                (sum / steps as f64).abs() < 1e-9,
                "degree {degree}, x^{power}"
            );
        }
    }
}

#[test]
fn largest_errors_are_those_measured() {
    for (approximation, error) in [
        (Approximation::cubic_16(), 0.217_443),
        (Approximation::cubic_8(), 0.114_321),
        (Approximation::quintic_8(), 0.047_078),
        (Approximation::septic_8(), 0.032_148),
    ] {
        assert_relative_eq!(approximation.max_error(), error, max_relative = 1e-4);
    }
}

/// Signs alternate between n + 1 places of (0, B] in which the error is as large as anywhere: by Chebyshev's theorem nothing is
/// better.
#[test]
fn minimax_errors_alternate() {
    for (degree, bound) in [
        (1, 8.0),
        (3, 8.0),
        (3, 16.0),
        (5, 8.0),
        (7, 8.0),
        (7, 0.5),
        (9, 32.0),
        (15, 12.0),
        (15, 1024.0),
    ] {
        let fit = Approximation::minimax(degree, bound).unwrap();
        let largest = fit.max_error();
        assert!(
            largest
                <= Approximation::least_squares(degree, bound)
                    .unwrap()
                    .max_error()
        );
        let mut signs = Vec::new();
        for i in 1..=50_001 {
            let t = bound * f64::from(i) / 50_001.0;
            let error = fit.eval(t) - sigma(-t);
            if error.abs() > 0.999 * largest && signs.last() != Some(&(error > 0.0)) {
                signs.push(error > 0.0);
            }
        }
        assert!(
            signs.len() > degree.div_ceil(2),
            "degree {degree} on {bound}: {} alternations",
            signs.len()
        );
    }
}

#[test]
fn every_fit_in_range_settles() {
    for bound in [MIN_BOUND, 1.0, 3.0, 10.0, 50.0, 300.0, MAX_BOUND] {
        let mut before = 0.5;
        for degree in (1..=MAX_DEGREE).step_by(2) {
            let error = Approximation::minimax(degree, bound).unwrap().max_error();
            // Each degree is better, until doubles end.
            assert!(
                error < before + 1e-14,
                "degree {degree} on {bound}: {error:e}"
            );
            before = error;
        }
    }
}

#[test]
fn fits_are_the_same_bits_everywhere() {
    let bits = |a: Approximation| a.odd().iter().map(|c| c.to_bits()).collect::<Vec<_>>();
    assert_eq!(
        bits(Approximation::least_squares(3, 8.0).unwrap()),
        [13_817_948_715_043_545_820, 4_564_989_319_002_929_506]
    );
    assert_eq!(
        bits(Approximation::minimax(3, 8.0).unwrap()),
        [13_818_154_456_200_452_974, 4_565_176_829_374_908_465]
    );
}

#[test]
fn the_normalized_form_is_the_same_polynomial() {
    for approximation in [Approximation::cubic_16(), Approximation::septic_8()] {
        let normalized = approximation.normalized();
        for i in -100..=100 {
            let x = f64::from(i) / 100.0;
            let direct = approximation
                .coefficients()
                .iter()
                .rev()
                .fold(0.0, |s, c| s * (x * approximation.bound()) + c);
            let value = 0.5 + horner(&normalized, x);
            assert_relative_eq!(value, direct, epsilon = 1e-13);
            assert_relative_eq!(
                approximation.eval(x * approximation.bound()),
                direct,
                epsilon = 1e-13
            );
        }
    }
    let cubic = Approximation::cubic_16().normalized();
    assert_relative_eq!(cubic[0] / cubic[1], -1.6465, max_relative = 1e-4);
    assert_relative_eq!(cubic[1], 0.8192, max_relative = 1e-12);
}

#[test]
fn impossible_polynomials_are_refused() {
    for (degree, bound) in [
        (0, 8.0),
        (2, 8.0),
        (17, 8.0),
        (3, 0.0),
        (3, -1.0),
        (3, f64::NAN),
        (3, 2000.0),
    ] {
        for fit in [Approximation::least_squares, Approximation::minimax] {
            let refused = fit(degree, bound);
            assert!(matches!(refused, Err(SigmoidError::Approximation { .. })));
        }
    }
    for odd in [vec![], vec![f64::NAN], vec![1.0, 0.0], vec![0.1; 9]] {
        assert!(Approximation::given(odd, 8.0).is_err());
    }
    let own = Approximation::given(vec![-0.2, 0.003], 6.0).unwrap();
    assert_eq!(own.coefficients(), [0.5, -0.2, 0.0, 0.003]);
    let text = serde_json::to_string(&own).unwrap();
    assert_eq!(serde_json::from_str::<Approximation>(&text).unwrap(), own);
    assert!(serde_json::from_str::<Approximation>(&text.replace("6.0", "-6.0")).is_err());
}
