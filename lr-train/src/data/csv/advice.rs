//! What to do about a field that is no number.

use super::number_of;

/// Words that stand for nothing, beside those that readers take for missing values.
const MISSING: [&str; 10] = [
    "none", ".", "-", "#n/a", "#na", "<na>", "nil", "missing", "n.a.", "#null!",
];

/// What to do, by what seems to be meant; none for what seems to be a word.
pub(super) fn advice(field: &str) -> Option<String> {
    let lower = field.to_lowercase();
    if MISSING.contains(&&*lower) {
        return Some(format!(
            "it seems to mark a missing value: say so with --missing {field}, and what is to be done about missing values with --missing-values"
        ));
    }
    let minus = field.replace(['\u{2212}', '\u{2013}'], "-");
    if minus != field && reads(&minus) {
        return Some(format!("its sign is not the minus of ASCII: write {minus}"));
    }
    if let Some(number) = field
        .strip_suffix('%')
        .map(str::trim_end)
        .filter(|n| reads(n))
    {
        return Some(format!(
            "write the number without the sign for per cent: {number}"
        ));
    }
    separated(field)
}

/// What to do about separators in a number.
fn separated(field: &str) -> Option<String> {
    // A comma is a sign for thousands or for decimals, an apostrophe or space for thousands alone.
    let joined: String = field
        .chars()
        .filter(|c| !matches!(c, '\'' | ' ' | '_' | '\u{a0}' | '\u{202f}' | '\u{2019}'))
        .collect();
    let point = joined.replace(',', ".");
    let without = joined.replace(',', "");
    Some(match joined.matches(',').count() {
        0 if joined != field && reads(&joined) => {
            format!("write it without a separator of thousands: {joined}")
        }
        1 if groups(&joined) && reads(&without) && reads(&point) => {
            format!(
                "write {point} if the comma is for decimals (or say --decimal-comma), {without} if it is for thousands"
            )
        }
        1 if reads(&point) => {
            format!("write its decimal comma as a point: {point}, or say --decimal-comma")
        }
        1.. if groups(&joined) && reads(&without) => {
            format!("write it without separators of thousands: {without}")
        }
        _ => return european(&joined),
    })
}

fn reads(text: &str) -> bool {
    number_of(text).is_some()
}

/// Whether every comma stands before three digits and no more.
fn groups(text: &str) -> bool {
    let mut parts = text.split(',');
    let first = parts
        .next()
        .unwrap_or_default()
        .trim_start_matches(['-', '+']);
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let whole = |part: &str| {
        part.split('.')
            .next()
            .is_some_and(|w| w.len() == 3 && digits(w))
    };
    // Nobody writes 0,279 for a thousand.
    (1..=3).contains(&first.len()) && digits(first) && !first.starts_with('0') && parts.all(whole)
}

/// Points for thousands: 1.234.567 and 1.234,5.
fn european(text: &str) -> Option<String> {
    let (whole, decimals) = text.split_once(',').unwrap_or((text, ""));
    if whole.matches('.').count() == 0 || decimals.contains([',', '.']) {
        return None;
    }
    let plain = whole.replace('.', "");
    let number = if decimals.is_empty() {
        plain
    } else {
        format!("{plain}.{decimals}")
    };
    let grouped = groups(&whole.replace('.', ","));
    (grouped && reads(&number))
        .then(|| format!("write it without separators of thousands: {number}"))
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn advice_is_for_what_is_meant() {
        for (field, words) in [
            ("-0,2559", "decimal comma as a point: -0.2559"),
            (
                "1,279",
                "1.279 if the comma is for decimals (or say --decimal-comma), 1279",
            ),
            ("0,279", "decimal comma as a point: 0.279"),
            ("1,234,567.5", "thousands: 1234567.5"),
            ("1.234.567", "thousands: 1234567"),
            ("1.234,5", "thousands: 1234.5"),
            ("1 234", "thousands: 1234"),
            ("1'234'567", "thousands: 1234567"),
            ("12%", "per cent: 12"),
            ("\u{2212}0.2559", "write -0.2559"),
            ("None", "missing"),
            (".", "missing"),
            ("#N/A", "missing"),
            ("red", ""),
            ("1,2,3", ""),
            ("a%", ""),
        ] {
            let said = advice(field).unwrap_or_default();
            assert_eq!(said.is_empty(), words.is_empty(), "{field}: {said}");
            assert!(said.contains(words), "{field}: {said}");
        }
    }
}
