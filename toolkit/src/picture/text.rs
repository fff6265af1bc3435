//! Text in boxes: how wide it is without knowing the font, and what it must not contain.

/// Text for XML: markup escaped, characters that XML 1.0 does not have or that would turn the writing direction of what
/// follows replaced.
pub(super) fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(shown(c)),
        }
    }
    escaped
}

/// Text between the quotes of a DOT string.
pub(super) fn escape_dot(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped += "\\\"",
            '\\' => escaped += "\\\\",
            c => escaped.push(shown(c)),
        }
    }
    escaped
}

fn shown(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    }
}

/// Width in units of the font's size: generous for sans-serif families.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(of_char).sum()
}

fn of_char(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.36,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.45,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' | '&' | '+' | '=' | '<' | '>' | '~' | '^' => 0.82,
        c if c.is_ascii() => 0.65,
        c if (c as u32) < 0x1100 => 0.75,
        _ => 1.1,
    }
}

/// The text, cut to a width with an ellipsis.
pub(super) fn cut(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut left = most - of_char('\u{2026}');
    let mut kept = String::new();
    for c in text.chars() {
        left -= of_char(c);
        if left < 0.0 {
            break;
        }
        kept.push(c);
    }
    kept.push('\u{2026}');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_do_not_pass() {
        assert_eq!(
            escape_xml("a<b & \"c\" 'd' >\u{0}\u{202e}\n"),
            "a&lt;b &amp; &quot;c&quot; &#39;d&#39; &gt;\u{fffd}\u{fffd} "
        );
        assert_eq!(escape_dot("say \"hi\" \\n\n"), "say \\\"hi\\\" \\\\n ");
    }

    #[test]
    fn cut_text_is_as_wide_as_it_may_be() {
        assert_eq!(cut("short", 10.0), "short");
        let cut = cut("a rather long name of an input", 8.0);
        assert!(width(&cut) <= 8.0 && cut.ends_with('\u{2026}') && cut.starts_with("a rather"));
    }
}
