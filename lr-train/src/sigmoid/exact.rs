//! The sigmoid by additions, multiplications and divisions alone.
//!
//! The platform's exponential differs in last bits between systems; fitted coefficients and reference weights must not.

/// `ln 2` in two parts: the first has few bits, so that small multiples of it are exact.
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `1 / (1 + exp(-t))`, within a few units in the last place, the same bits on every platform.
pub fn sigma(t: f64) -> f64 {
    if t >= 0.0 {
        1.0 / (1.0 + exp_negative(t))
    } else {
        let e = exp_negative(-t);
        e / (1.0 + e)
    }
}

/// `exp(-t)` for t >= 0.
fn exp_negative(t: f64) -> f64 {
    // exp(-746) is below the smallest double; NaN goes on to the arithmetic and stays NaN.
    if t > 745.0 {
        return 0.0;
    }
    // -t = k ln 2 + r with |r| <= ln(2) / 2.
    let k = (-t * std::f64::consts::LOG2_E).round();
    let r = (-t - k * LN2_HIGH) - k * LN2_LOW;
    // Taylor to r^14 / 14!: the rest is below 0.35^15 / 15! = 1.1e-19.
    let mut sum = 1.0;
    for n in (1..=14).rev() {
        sum = 1.0 + sum * r / f64::from(n);
    }
    scale(sum, k as i32)
}

/// `x 2^k` for -1100 < k <= 0, in two steps so that results below the normal range come out.
fn scale(x: f64, k: i32) -> f64 {
    let power = |k: i32| f64::from_bits(((1023 + k) as u64) << 52);
    let half = k / 2;
    x * power(half) * power(k - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform() {
        for i in -80_000..=80_000 {
            let t = f64::from(i) * 0.01;
            let (ours, theirs) = (exp_negative(t.abs()), (-t.abs()).exp());
            assert!(
                (ours - theirs).abs() <= 4.0 * f64::EPSILON * theirs + f64::from_bits(1),
                "{t}: {ours:e} {theirs:e}"
            );
            let reference = if t < 0.0 {
                t.exp() / (1.0 + t.exp())
            } else {
                1.0 / (1.0 + (-t).exp())
            };
            assert!(
                (sigma(t) - reference).abs() <= 5.0 * f64::EPSILON * reference + f64::from_bits(1),
                "{t}"
            );
        }
    }

    #[test]
    fn ends_are_right() {
        assert_eq!(sigma(0.0), 0.5);
        assert_eq!(sigma(f64::INFINITY), 1.0);
        assert_eq!(sigma(f64::NEG_INFINITY), 0.0);
        assert_eq!(sigma(-800.0), 0.0);
        assert!(sigma(f64::NAN).is_nan());
    }
}
