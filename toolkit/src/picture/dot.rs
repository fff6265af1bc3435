//! DOT, Graphviz's language.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    layout::{columns, lines},
    place::section_path,
    text::escape_dot,
};
use crate::Picture;

/// A line, indented. Writing to a string does not fail.
macro_rules! line {
    ($out:expr, $depth:expr, $($text:tt)+) => {
        let _ = writeln!($out, "{:indent$}{}", "", format_args!($($text)+), indent = 2 * $depth);
    };
}

#[derive(Default)]
struct Cluster {
    inner: BTreeMap<String, Cluster>,
    nodes: Vec<usize>,
}

pub(super) fn dot(picture: &Picture) -> String {
    let mut out = String::from("digraph circuit {\n  rankdir=LR;\n  bgcolor=\"white\";\n");
    let mut heading: Vec<String> = picture.title.iter().map(|t| escape_dot(t)).collect();
    heading.extend(picture.caption().iter().map(|line| escape_dot(line)));
    // `\l` ends a line that starts at the left.
    line!(out, 1, "label=\"{}\\l\";", heading.join("\\l"));
    line!(
        out,
        1,
        "labelloc=\"t\"; labeljust=\"l\"; fontname=\"sans-serif\";"
    );
    line!(
        out,
        1,
        "node [shape=\"box\", style=\"filled\", fontname=\"sans-serif\", fontsize=\"11\"];"
    );
    let mut root = Cluster::default();
    for (i, node) in picture.nodes.iter().enumerate() {
        let mut cluster = &mut root;
        for part in section_path(node) {
            cluster = cluster.inner.entry(part).or_default();
        }
        cluster.nodes.push(i);
    }
    let mut clusters = 0;
    write_cluster(&mut out, picture, &root, 1, &mut clusters);

    // Layers as in the other formats: a chain of invisible nodes, and boxes of one column at one of them.
    let (column, depth_of_column) = columns(picture);
    if root.inner.is_empty() {
        for c in 0..depth_of_column.len() {
            let at: Vec<String> = (0..column.len())
                .filter(|&i| column[i] == c)
                .map(|i| format!("n{i};"))
                .collect();
            if !at.is_empty() {
                line!(out, 1, "{{ rank=\"same\"; {} }}", at.join(" "));
            }
        }
    }
    for edge in &picture.edges {
        let style = if edge.critical {
            " [color=\"#111111\", penwidth=\"3\", weight=\"4\"]"
        } else {
            " [color=\"#8A8A8A\"]"
        };
        for _ in 0..edge.uses.clamp(1, 3) {
            line!(out, 1, "n{} -> n{}{style};", edge.from, edge.to);
        }
    }
    out += "}\n";
    out
}

fn write_cluster(
    out: &mut String,
    picture: &Picture,
    cluster: &Cluster,
    depth: usize,
    clusters: &mut usize,
) {
    for &i in &cluster.nodes {
        let node = &picture.nodes[i];
        let text: Vec<String> = lines(node)
            .iter()
            .filter(|l| !l.is_empty())
            .map(|l| escape_dot(l))
            .collect();
        let (colour, pen) = if node.critical {
            ("#111111", 3)
        } else {
            (node.kind.colour(), 1)
        };
        let tooltip = escape_dot(node.location.as_deref().unwrap_or(node.kind.describe()));
        line!(
            out,
            depth,
            "n{i} [label=\"{}\", fillcolor=\"{}\", color=\"{colour}\", penwidth=\"{pen}\", tooltip=\"{tooltip}\"];",
            text.join("\\n"),
            node.kind.tint(),
        );
    }
    for (name, inner) in &cluster.inner {
        line!(out, depth, "subgraph cluster_{clusters} {{");
        *clusters += 1;
        line!(
            out,
            depth + 1,
            "label=\"{}\"; style=\"dashed\"; color=\"#777777\";",
            escape_dot(name)
        );
        write_cluster(out, picture, inner, depth + 1, clusters);
        line!(out, depth, "}}");
    }
}
