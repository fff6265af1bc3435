//! Numbers as people read them.

/// What stands where a number is unknown.
pub(super) const UNKNOWN: &str = "–";

/// A time with three significant digits: `12.3 µs`, `4.56 ms`, `7.89 s`, `2 min 05 s`, `1 h 02 min`.
pub(super) fn seconds(value: f64) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        "0 s".to_owned()
    } else if size < 0.999_5e-3 {
        format!("{} µs", significant(value * 1e6))
    } else if size < 0.999_5 {
        format!("{} ms", significant(value * 1e3))
    } else if size < 99.95 {
        format!("{} s", significant(value))
    } else if size < 3599.5 {
        let whole = value.round();
        format!("{} min {:02} s", (whole / 60.0).trunc(), whole.abs() % 60.0)
    } else {
        let minutes = (value / 60.0).round();
        let hours = (minutes / 60.0).trunc();
        format!("{hours} h {:02} min", minutes.abs() % 60.0)
    }
}

/// A size in units of 1024 with three significant digits.
pub(super) fn bytes(value: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut size = value as f64 / 1024.0;
    let mut unit = 0;
    // Past 1023.5 three digits would no longer do.
    while size >= 1023.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let digits = if size < 9.995 {
        2
    } else {
        usize::from(size < 99.95)
    };
    format!("{size:.digits$} {}", UNITS[unit])
}

/// A whole number in groups of three digits: `12,345`.
pub(super) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share of 1 in percent, with two decimals.
pub(super) fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.2} %", share * 100.0)
    } else {
        UNKNOWN.to_owned()
    }
}

/// A number with this many decimals.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() {
        format!("{value:.decimals$}")
    } else {
        UNKNOWN.to_owned()
    }
}

/// A ratio: `2.31×`.
pub(super) fn ratio(value: f64) -> String {
    if value.is_finite() {
        format!("{}×", significant(value))
    } else {
        UNKNOWN.to_owned()
    }
}

/// A small number as a power of ten: `1.2·10⁻⁵`.
pub(super) fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.1e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}·10{}", superscript(exponent)),
        None => text,
    }
}

/// `2^15` with a raised exponent.
pub(super) fn power_of_two(exponent: u32) -> String {
    format!("2{}", superscript(&exponent.to_string()))
}

/// A power of ten for an axis: `10⁻³`.
pub(super) fn power_of_ten(exponent: i32) -> String {
    format!("10{}", superscript(&exponent.to_string()))
}

/// Three significant digits, without an exponent.
pub(super) fn significant(value: f64) -> String {
    let size = value.abs();
    let decimals = if size < 9.995 {
        2
    } else {
        usize::from(size < 99.95)
    };
    format!("{value:.decimals$}")
}

fn superscript(exponent: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    exponent
        .chars()
        .map(|c| match c.to_digit(10) {
            Some(digit) => DIGITS[digit as usize],
            None => '⁻',
        })
        .collect()
}

/// Text from outside on one line of a terminal: what could move the cursor or change colours is shown, not obeyed.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_change_unit_where_digits_run_out() {
        for (value, text) in [
            (0.0, "0 s"),
            (1.234e-7, "0.12 µs"),
            (12.34e-6, "12.3 µs"),
            (0.000_999_6, "1.00 ms"),
            (0.004_56, "4.56 ms"),
            (0.999_6, "1.00 s"),
            (7.891, "7.89 s"),
            (99.94, "99.9 s"),
            (125.2, "2 min 05 s"),
            (3599.4, "59 min 59 s"),
            (3720.0, "1 h 02 min"),
            (f64::NAN, UNKNOWN),
        ] {
            assert_eq!(seconds(value), text, "{value}");
        }
    }

    #[test]
    fn sizes_and_counts() {
        for (value, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (1 << 20, "1.00 MiB"),
            ((1 << 20) - 1, "1.00 MiB"),
            (150 << 20, "150 MiB"),
            (3 << 29, "1.50 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(value), text, "{value}");
        }
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn small_numbers_and_ratios() {
        assert_eq!(scientific(1.24e-5), "1.2·10⁻⁵");
        assert_eq!(scientific(0.0), "0");
        assert_eq!(scientific(f64::INFINITY), UNKNOWN);
        assert_eq!(ratio(2.314), "2.31×");
        assert_eq!(ratio(1.0 / 0.0), UNKNOWN);
        assert_eq!(percent(0.9712), "97.12 %");
        assert_eq!(power_of_two(15), "2¹⁵");
        assert_eq!(power_of_ten(-12), "10⁻¹²");
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    }
}
