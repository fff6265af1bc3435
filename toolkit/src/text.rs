//! Numbers and tables as people read them: one form of each for every crate that prints them.
//!
//! Not part of the public interface: forms change without notice.

use std::fmt;

/// What stands where a number is unknown.
pub const UNKNOWN: &str = "–";

/// A line of a report: a name and what it is.
///
/// # Errors
/// The formatter's.
pub fn line(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<16} {value}")
}

/// The text, or what stands for an unknown number.
pub fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// A time with three significant digits: `12.3 µs`, `4.56 ms`, `7.89 s`, `2 min 05 s`, `1 h 02 min`.
pub fn seconds(value: f64) -> String {
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

/// A size in units of 1024 with three significant digits: `1023 B`, `1.50 KiB`, `150 MiB`.
pub fn bytes(value: u64) -> String {
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
    format!("{} {}", significant(size), UNITS[unit])
}

/// A whole number in groups of three digits: `12,345`.
pub fn count(value: usize) -> String {
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
pub fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.2} %", share * 100.0)
    } else {
        UNKNOWN.to_owned()
    }
}

/// A number with this many decimals.
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() {
        format!("{value:.decimals$}")
    } else {
        UNKNOWN.to_owned()
    }
}

/// A ratio: `2.31×`.
pub fn ratio(value: f64) -> String {
    if value.is_finite() {
        format!("{}×", significant(value))
    } else {
        UNKNOWN.to_owned()
    }
}

/// A small number as a power of ten: `1.2·10⁻⁵`.
pub fn scientific(value: f64) -> String {
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

/// A magnitude with four digits: `1.234e-5`.
pub fn magnitude(x: f64) -> String {
    if x == 0.0 {
        "0".into()
    } else {
        format!("{x:.3e}")
    }
}

/// A number as it was given, with an exponent where it would have many digits: `64`, `0.5`, `1e30`.
pub fn given(x: f64) -> String {
    if x == 0.0 || (1e-5..1e15).contains(&x.abs()) || !x.is_finite() {
        x.to_string()
    } else {
        format!("{x:e}")
    }
}

/// `2^15` with a raised exponent.
pub fn power_of_two(exponent: u32) -> String {
    format!("2{}", superscript(&exponent.to_string()))
}

/// A power of ten for an axis: `10⁻³`.
pub fn power_of_ten(exponent: i32) -> String {
    format!("10{}", superscript(&exponent.to_string()))
}

/// Three significant digits, without an exponent.
pub fn significant(value: f64) -> String {
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

/// Whether a terminal obeys a character in place of showing it: it moves the cursor, changes colours, ends a line, or lets text appear in
/// another order.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from outside on one line of a terminal: what it would obey is shown.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_obeyed(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The middle one of some numbers, the upper one of two; none of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Rows of text in aligned columns: the first to the left, the others to the right. A row of one cell is a heading and does not
/// widen its column.
#[derive(Clone, Debug, Default)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Self {
        let head = head.into_iter().map(Into::into).collect();
        Self {
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that it lacks are empty.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table with these rows added.
    pub fn with_rows(mut self, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Characters of every column.
    fn widths(&self, rows: impl Fn(&[String]) -> bool) -> Vec<usize> {
        let widest = |column: usize| {
            let rows = self.rows.iter().filter(|row| rows(row));
            let cells = rows
                .filter_map(|row| row.get(column))
                .chain(self.head.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..self.head.len()).map(widest).collect()
    }

    /// The table for a terminal of this many characters, in blocks of columns where not all fit.
    pub fn to_text(&self, width: usize) -> String {
        let widths = self.widths(|row| row.len() > 1);
        let (label, rest) = widths.split_first().map_or((0, &[][..]), |(a, b)| (*a, b));
        let mut out = String::new();
        let mut from = 0;
        while from < rest.len() {
            // At least one column, however narrow the terminal.
            let mut used = label + 2 + rest[from];
            let mut to = from + 1;
            while to < rest.len() && used.saturating_add(2 + rest[to]) <= width {
                used += 2 + rest[to];
                to += 1;
            }
            if from > 0 {
                out.push('\n');
            }
            let mut line = |cells: &[String]| {
                let mut text = format!("{:<label$}", cells.first().map_or("", String::as_str));
                for (c, w) in (from..to).map(|c| (c, rest[c])) {
                    let cell = cells.get(c + 1).map_or("", String::as_str);
                    text += &format!("  {cell:>w$}");
                }
                out += text.trim_end();
                out.push('\n');
            };
            line(&self.head);
            line(&["─".repeat(used)]);
            self.rows.iter().for_each(|row| line(row));
            from = to;
        }
        out
    }

    /// The table in Markdown, padded so that it is readable as it is.
    pub fn to_markdown(&self) -> String {
        // Three dashes are the shortest rule.
        let widths: Vec<usize> = self.widths(|_| true).iter().map(|&w| w.max(3)).collect();
        let rules = widths.iter().enumerate().map(|(i, &width)| match i {
            0 => "-".repeat(width),
            _ => format!("{}:", "-".repeat(width - 1)),
        });
        let rules: Vec<String> = rules.collect();
        let mut out = String::new();
        for row in [&self.head, &rules].into_iter().chain(&self.rows) {
            for (i, width) in widths.iter().enumerate() {
                let cell = row.get(i).map_or("", String::as_str);
                out += &match i {
                    0 => format!("| {cell:<width$} "),
                    _ => format!("| {cell:>width$} "),
                };
            }
            out += "|\n";
        }
        out
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(usize::MAX))
    }
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
        let hostile = "a\u{1b}[31mb\n\u{202e}Ä";
        assert_eq!(printable(hostile), "a\u{fffd}[31mb\u{fffd}\u{fffd}Ä");
    }

    #[test]
    fn the_median_is_the_upper_of_two() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(3.0));
        assert_eq!(median([]), None);
    }

    fn example() -> Table {
        let mut table = Table::new(["what", "n", "m"]);
        table.row(["a heading longer than any cell"]);
        table.row(["long name", "7"]);
        table.row(["b", "1234", "12.3 µs"]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        let expected = "\
what          n        m
────────────────────────
a heading longer than any cell
long name     7
b          1234  12.3 µs
";
        assert_eq!(example().to_string(), expected);
    }

    #[test]
    fn a_narrow_terminal_gets_blocks() {
        let expected = "\
what          n
───────────────
a heading longer than any cell
long name     7
b          1234

what             m
──────────────────
a heading longer than any cell
long name
b          12.3 µs
";
        assert_eq!(example().to_text(20), expected);
    }

    #[test]
    fn markdown_is_padded() {
        let mut table = Table::new(["operation", "t"]);
        table.row(["add", "12.3 µs"]);
        table.row(["none"]);
        let expected = "\
| operation |       t |
| --------- | ------: |
| add       | 12.3 µs |
| none      |         |
";
        assert_eq!(table.to_markdown(), expected);
    }
}
