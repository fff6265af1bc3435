//! The table as Markdown.

use std::fmt::Write;

use super::{Measured, Setting};
use crate::{
    Result,
    report::{Machine, bytes, machine_table, seconds, table as markdown_table},
};

/// The whole page: machine, setting, one table for each group, and where less is needed than published.
pub fn page(measured: &[Measured], setting: &Setting, machine: &Machine) -> String {
    let mut text = String::from(
        "# Operations on encrypted vectors and matrices\n\n\
         Made by `cargo run --release -p arras-benches --bin operations -- --out docs/benchmarks --readme README.md`.\n\n",
    );
    text += &machine_table(machine);
    let _ = writeln!(text, "\n{}", explanation(setting));
    let _ = writeln!(
        text,
        "Key switches are rotations and relinearizations. Keys are those of the operation alone, cut to the levels at which they are \
         used, in bytes on the wire. \"Error\" is the worst of all entries against the same operation in the clear, in bits after the \
         binary point, for random entries in [-1, 1] or in the interval that the name says."
    );
    let mut group = "";
    let mut rows = Vec::new();
    for (index, row) in measured.iter().enumerate() {
        group = row.group;
        rows.push(long_row(row, setting));
        if measured
            .get(index + 1)
            .is_none_or(|next| next.group != group)
        {
            let _ = writeln!(text, "\n## {}\n", capitalized(group));
            text += &markdown_table(&long_head(setting), &rows);
            rows.clear();
        }
    }
    let _ = group;
    text + &comparison(measured)
}

/// The table alone, for a place with little room: what an operation takes, and how long.
pub fn table(measured: &[Measured], setting: &Setting) -> String {
    let mut head = vec!["operation", "depth", "rotations", "published"];
    let threads = thread_titles(setting);
    head.extend(["ct x ct", "keys"]);
    head.extend(threads.iter().map(String::as_str));
    let mut rows = Vec::new();
    let mut group = "";
    for row in measured {
        if row.group != group {
            group = row.group;
            let mut title = vec![format!("**{group}**")];
            title.resize(head.len(), String::new());
            rows.push(title);
        }
        let mut cells = vec![
            row.name.to_owned(),
            row.depth.to_string(),
            row.rotations.to_string(),
            published(row),
            row.ciphertext_products.to_string(),
            row.keys.to_string(),
        ];
        cells.extend(times(row, setting));
        rows.push(cells);
    }
    format!(
        "{}\n\n{}",
        explanation(setting),
        markdown_table(&head, &rows)
    )
}

/// `text` with what stands between `<!-- name -->` and `<!-- /name -->` replaced by `body`.
///
/// # Errors
/// If the markers are not there once each, in this order.
pub fn between_markers(text: &str, name: &str, body: &str) -> Result<String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let parts = text
        .split_once(&open)
        .and_then(|(before, rest)| Some((before, rest.split_once(&close)?.1)))
        .filter(|(before, after)| !before.contains(&close) && !after.contains(&open));
    let Some((before, after)) = parts else {
        return Err(format!("no single pair of {open} and {close} in this order").into());
    };
    Ok(format!("{before}{open}\n{}\n{close}{after}", body.trim()))
}

fn explanation(setting: &Setting) -> String {
    let (params, unit) = (&setting.params, setting.unit);
    let left = match setting.left {
        0 => "results have none left".to_owned(),
        left => format!("results have {left} left"),
    };
    format!(
        "Measured with N = 2^{}, {} levels (128-bit security), units of m x n = {unit}, one unit for each operand unless its name says \
         otherwise (V = H = 1). Inputs have exactly the levels that the operation needs, {left}. Rotations are key switches of \
         single ciphertexts, hoisted ones included; \"published\" is depth and rotations of the published toolkit (ePrint 2020/1483) for \
         the same operands. Times are medians of runs after a first one, which encodes the constants.",
        params.log_n(),
        params.max_level(),
    )
}

fn thread_titles(setting: &Setting) -> Vec<String> {
    let title = |&threads: &usize| match threads {
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    };
    setting.threads.iter().map(title).collect()
}

fn long_head(setting: &Setting) -> Vec<&'static str> {
    let mut head = vec![
        "operation",
        "depth",
        "rotations",
        "published",
        "key switches",
        "ct x ct",
        "ct x plain",
        "keys",
        "bytes of keys",
        "error",
    ];
    let name = |&threads: &usize| {
        if threads == 1 {
            "1 thread"
        } else {
            "all threads"
        }
    };
    head.extend(setting.threads.iter().map(name));
    head
}

fn long_row(row: &Measured, setting: &Setting) -> Vec<String> {
    let mut cells = vec![
        row.name.to_owned(),
        row.depth.to_string(),
        row.rotations.to_string(),
        published(row),
        row.key_switches.to_string(),
        row.ciphertext_products.to_string(),
        row.plaintext_products.to_string(),
        row.keys.to_string(),
        if row.keys == 0 {
            String::new()
        } else {
            bytes(row.key_bytes)
        },
        row.bits
            .map_or_else(String::new, |bits| format!("{bits:.1}")),
    ];
    cells.extend(times(row, setting));
    cells
}

fn published(row: &Measured) -> String {
    match row.published {
        Some((depth, 0, _)) => format!("{depth}; 0"),
        Some((depth, count, formula)) => format!("{depth}; {formula} = {count}"),
        None => String::new(),
    }
}

fn times(row: &Measured, setting: &Setting) -> Vec<String> {
    match &row.times {
        Some(times) => times.iter().map(|t| seconds(t.median_seconds)).collect(),
        None => vec!["too deep".to_owned(); setting.threads.len()],
    }
}

fn comparison(measured: &[Measured]) -> String {
    let mut text = String::from("\n## Beside the published figures\n\n");
    let with: Vec<_> = measured
        .iter()
        .filter_map(|row| Some((row, row.published?)))
        .collect();
    let better = |row: &Measured, (depth, count, _): (usize, usize, &str)| {
        row.depth < depth || row.rotations < count
    };
    let worse = |row: &Measured, (depth, count, _): (usize, usize, &str)| {
        row.depth > depth || row.rotations > count
    };
    let _ = writeln!(
        text,
        "Of {} operations that both have, {} need fewer levels or rotations than published, {} more.\n",
        with.len(),
        with.iter().filter(|(row, p)| better(row, *p)).count(),
        with.iter().filter(|(row, p)| worse(row, *p)).count(),
    );
    for (row, p) in &with {
        if better(row, *p) || worse(row, *p) {
            let _ = writeln!(
                text,
                "- {}: depth {} for {}, rotations {} for {}",
                row.name, row.depth, p.0, row.rotations, p.1
            );
        }
    }
    text
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let text = "a\n<!-- t -->\nold\n<!-- /t -->\nb\n";
        let new = between_markers(text, "t", "\nnew\n").unwrap();
        assert_eq!(new, "a\n<!-- t -->\nnew\n<!-- /t -->\nb\n");
        assert_eq!(between_markers(&new, "t", "new").unwrap(), new);
        assert!(between_markers("nothing", "t", "x").is_err());
        assert!(between_markers("<!-- /t --><!-- t -->", "t", "x").is_err());
    }
}
