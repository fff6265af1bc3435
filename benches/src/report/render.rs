//! The report as Markdown.

use std::fmt::Write;

use super::{Machine, Report, Section, SetReport};

/// The report as Markdown, with tables that are readable as they are.
pub fn markdown(report: &Report) -> String {
    let mut text = String::from("# Benchmarks\n\n");
    text += &machine(&report.machine);
    let _ = writeln!(
        text,
        "\nMedians after a warm-up, of the runs that fit into {} s and at least five. One ciphertext with all slots in use, at the \
         highest level of the set. Inputs are on their engine before the clock starts, and the clock stops when the engine has \
         finished; transfers have rows of their own.\n",
        report.seconds_per_operation
    );
    for (i, engine) in report.engines.iter().enumerate() {
        let _ = writeln!(text, "- engine {}: {}", i + 1, engine.name);
    }
    let columns: Vec<String> = report
        .engines
        .iter()
        .map(|engine| match engine.threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        })
        .collect();
    for set in &report.sets {
        text += &render_set(set, &columns);
    }
    text
}

pub(crate) fn machine(machine: &Machine) -> String {
    let unknown = || "unknown".to_owned();
    let rows = [
        ("processor", machine.cpu.clone().unwrap_or_else(unknown)),
        ("threads available", machine.threads.to_string()),
        ("memory", machine.memory.map_or_else(unknown, bytes)),
        (
            "load before the start",
            machine
                .load
                .map_or_else(unknown, |load| format!("{load:.2}")),
        ),
        ("compiler", machine.rustc.to_owned()),
        ("target", machine.target.to_owned()),
        ("profile", machine.profile.to_owned()),
        ("commit", machine.commit.clone().unwrap_or_else(unknown)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    table(&["machine and build", ""], &rows)
}

fn render_set(set: &SetReport, columns: &[String]) -> String {
    let mut text = format!(
        "\n## N = 2^{}, {} levels\n\n{} slots; ciphertexts have {} limbs, keys {} digits and {} special limbs; log2(QP) = {:.1}.\n",
        set.log_n,
        set.levels,
        1u64 << (set.log_n - 1),
        set.limbs,
        set.digits,
        set.special_limbs,
        set.log2_qp
    );
    for section in &set.sections {
        text += &render_section(section, columns);
    }
    let sizes: Vec<_> = set
        .sizes
        .iter()
        .map(|size| {
            vec![
                size.name.to_owned(),
                size.bytes.to_string(),
                bytes(size.bytes),
            ]
        })
        .collect();
    let _ = write!(
        text,
        "\n### Sizes\n\n{}",
        table(&["object", "bytes", ""], &sizes)
    );
    let precision: Vec<_> = set
        .precision
        .iter()
        .map(|row| {
            vec![
                row.name.to_owned(),
                row.depth.to_string(),
                format!("{:.1}", row.worst_bits),
                format!("{:.1}", row.median_bits),
                format!("{:.1}", row.mean_bits),
            ]
        })
        .collect();
    let _ = write!(
        text,
        "\n### Precision\n\nBits below 1 of the errors over all slots; uniform values in [-1, 1).\n\n{}",
        table(
            &["result", "levels used", "worst", "median", "mean"],
            &precision
        )
    );
    let memory: Vec<_> = columns
        .iter()
        .zip(&set.peak_memory)
        .map(|(column, peak)| {
            vec![
                column.clone(),
                peak.map_or_else(|| "unknown".to_owned(), bytes),
            ]
        })
        .collect();
    let _ = write!(
        text,
        "\n### Memory\n\nThe most that the process had: client, server and all keys and operands of this report together.\n\n{}",
        table(&["engine", "peak"], &memory)
    );
    text
}

fn render_section(section: &Section, columns: &[String]) -> String {
    let per_row = section.rows.iter().any(|row| row.rows.is_some());
    let rate = section.rows.iter().any(|row| row.bytes.is_some());
    let last = columns.last().map_or("", String::as_str);
    let mut head = vec!["operation".to_owned()];
    head.extend(columns.iter().cloned());
    if per_row {
        head.push(format!(
            "per row, {}",
            columns.first().map_or("", String::as_str)
        ));
    }
    if rate {
        head.push(format!("GB/s, {last}"));
    }
    let rows: Vec<Vec<String>> = section
        .rows
        .iter()
        .map(|row| {
            let mut cells = vec![row.name.clone()];
            cells.extend(row.timings.iter().map(|timing| seconds(timing.median)));
            if per_row {
                let first = row.timings.first().zip(row.rows);
                cells.push(first.map_or_else(String::new, |(timing, rows)| {
                    seconds(timing.median / rows as f64)
                }));
            }
            if rate {
                let last = row.timings.last().zip(row.bytes);
                cells.push(last.map_or_else(String::new, |(timing, bytes)| {
                    format!("{:.2}", bytes as f64 / timing.median / 1e9)
                }));
            }
            cells
        })
        .collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let note = if per_row {
        "A row is one residue polynomial that is written; GB/s count every row read or written once.\n\n"
    } else {
        ""
    };
    format!("\n### {}\n\n{note}{}", section.title, table(&head, &rows))
}

/// A table with padded columns, numbers to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(i, title)| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(i))
                .map(|c| c.chars().count());
            cells.fold(title.chars().count().max(3), usize::max)
        })
        .collect();
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        for (i, (cell, &width)) in cells.zip(&widths).enumerate() {
            let _ = if i == 0 {
                write!(text, "| {cell:<width$} ")
            } else {
                write!(text, "| {cell:>width$} ")
            };
        }
        text += "|\n";
    };
    line(&mut head.iter().copied());
    let rules: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(i, &width)| match i {
            0 => "-".repeat(width),
            _ => format!("{}:", "-".repeat(width - 1)),
        })
        .collect();
    line(&mut rules.iter().map(String::as_str));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// Three digits and a unit.
pub(crate) fn seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let digits = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

/// Three digits and a binary unit.
pub(crate) fn bytes(bytes: u64) -> String {
    let (value, unit) = match bytes {
        b if b >= 1 << 30 => (b as f64 / (1u64 << 30) as f64, "GiB"),
        b if b >= 1 << 20 => (b as f64 / (1u64 << 20) as f64, "MiB"),
        b => (b as f64 / 1024.0, "KiB"),
    };
    format!("{value:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_three_digits_and_a_unit() {
        assert_eq!(seconds(1.2345), "1.23 s");
        assert_eq!(seconds(0.012_345), "12.3 ms");
        assert_eq!(seconds(0.000_123_4), "123 µs");
        assert_eq!(seconds(0.000_000_5), "0.50 µs");
        assert_eq!(bytes(3 << 19), "1.50 MiB");
        assert_eq!(bytes(512), "0.50 KiB");
    }

    #[test]
    fn columns_are_padded_and_numbers_are_to_the_right() {
        let rows = [vec!["add".to_owned(), "12.3 µs".to_owned()]];
        assert_eq!(
            table(&["operation", "time"], &rows),
            "| operation |    time |\n| --------- | ------: |\n| add       | 12.3 µs |\n"
        );
    }
}
