//! Where boxes and arrows stand: layers from left to right (Sugiyama, Tagawa and Toda's scheme).
//!
//! ```text
//!    depth 0       | depth 1            | depth 2 ..
//!    column 0   1  | 2     3            | 4
//!    [x] ----------> [multiply] --------> [multiply]
//!      \-- . ---- . ---- . -----------------^          dots: an arrow's way through columns that it passes
//! ```
//! Every depth has columns of its own, one more for each operation that waits for another of the same depth. Inputs, of depth 0,
//! are drawn just before their first use. Operations of a section stand in a box of its own, which nothing else enters.

use std::collections::BTreeMap;

use super::{
    NodeKind, PictureNode, labels,
    place::{self, NESTING, NODE_HEIGHT},
    text,
};
use crate::Picture;

pub(super) const TITLE_SIZE: f64 = 12.0;
pub(super) const TEXT_SIZE: f64 = 10.5;
const LEAST_WIDTH: f64 = 92.0;
const MOST_WIDTH: f64 = 236.0;
const PADDING: f64 = 12.0;
const COLUMN_GAP: f64 = 64.0;
/// How far a section reaches out of its columns, by how many sections it is in.
const REACH: [f64; NESTING] = [23.0, 16.0, 9.0];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    pub(super) fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }
}

/// Columns of one depth.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) depth: usize,
    pub(super) x: f64,
    pub(super) width: f64,
}

#[derive(Debug)]
pub(super) struct SectionBox {
    /// The whole path, and its last part.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) rect: Rect,
    pub(super) nesting: usize,
}

/// An arrow's way: from the middle of a box's right side through points on columns it passes (entered and left horizontally)
/// to the left side of a box.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) edge: usize,
    pub(super) start: (f64, f64),
    /// Left and right end, and height.
    pub(super) through: Vec<(f64, f64, f64)>,
    pub(super) end: (f64, f64),
}

/// A picture laid out; the drawing's corner is at (0, 0).
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Rect>,
    pub(super) routes: Vec<Route>,
    pub(super) sections: Vec<SectionBox>,
    pub(super) bands: Vec<Band>,
}

/// The three lines of a box.
pub(super) fn lines(node: &PictureNode) -> [String; 3] {
    let first = match &node.label {
        Some(label) => format!("{} {label}", node.name),
        None => node.name.clone(),
    };
    let mut last = format!("depth {} \u{b7} level {}", node.depth, node.level);
    if let Some(form) = node.form.and_then(labels::of_form) {
        last += &format!(" \u{b7} {form}");
    }
    [first, node.detail.clone(), last]
}

/// Width of a box, before and after which text is cut.
fn box_width(node: &PictureNode) -> f64 {
    let [title, detail, state] = lines(node);
    // Bold is wider.
    let widest = (text::width(&title) * TITLE_SIZE * 1.08)
        .max(text::width(&detail) * TEXT_SIZE)
        .max(text::width(&state) * TEXT_SIZE);
    (widest + 2.0 * PADDING).clamp(LEAST_WIDTH, MOST_WIDTH)
}

/// Width for text in a box, in pixels.
pub(super) fn room(rect: &Rect) -> f64 {
    rect.width - 2.0 * PADDING + 1.0
}

/// The column of each node, and the depth of each column.
///
/// Column 0 is for inputs. Nodes of one depth have columns of their own.
pub(super) fn columns(picture: &Picture) -> (Vec<usize>, Vec<usize>) {
    let nodes = &picture.nodes;
    let mut within = vec![0usize; nodes.len()];
    let mut into: Vec<Vec<usize>> = vec![vec![]; nodes.len()];
    for edge in &picture.edges {
        into[edge.to].push(edge.from);
    }
    let is_input = |i: usize| nodes[i].kind == NodeKind::Input && into[i].is_empty();
    // How many columns each depth takes.
    let mut takes: BTreeMap<usize, usize> = BTreeMap::new();
    for i in 0..nodes.len() {
        if is_input(i) {
            continue;
        }
        let before = into[i]
            .iter()
            .filter(|&&f| !is_input(f) && nodes[f].depth == nodes[i].depth)
            .map(|&f| within[f] + 1);
        within[i] = before.max().unwrap_or(0);
        let taken = takes.entry(nodes[i].depth).or_insert(0);
        *taken = (*taken).max(within[i] + 1);
    }
    let mut first = BTreeMap::new();
    let mut depth_of_column = vec![0];
    for (&depth, &taken) in &takes {
        first.insert(depth, depth_of_column.len());
        depth_of_column.extend(std::iter::repeat_n(depth, taken));
    }
    let mut column: Vec<usize> = (0..nodes.len())
        .map(|i| first.get(&nodes[i].depth).copied().unwrap_or(0) + within[i])
        .collect();
    let mut first_use: Vec<Option<usize>> = vec![None; nodes.len()];
    for edge in &picture.edges {
        let known = &mut first_use[edge.from];
        *known = Some(known.map_or(column[edge.to], |k| k.min(column[edge.to])));
    }
    for i in 0..nodes.len() {
        if is_input(i) {
            column[i] = first_use[i].map_or(0, |first| first.saturating_sub(1));
        }
    }
    (column, depth_of_column)
}

pub(super) fn layout(picture: &Picture) -> Layout {
    let nodes = &picture.nodes;
    let (column, depth_of_column) = columns(picture);
    let mut widths = vec![LEAST_WIDTH; depth_of_column.len()];
    for (node, &c) in nodes.iter().zip(&column) {
        widths[c] = widths[c].max(box_width(node));
    }
    let mut left = Vec::with_capacity(widths.len());
    let mut x = COLUMN_GAP / 2.0;
    for width in &widths {
        left.push(x);
        x += width + COLUMN_GAP;
    }
    let width = x - COLUMN_GAP / 2.0;

    let placed = place::place(picture, &column, widths.len());
    let boxes: Vec<Rect> = nodes
        .iter()
        .enumerate()
        .map(|(i, node)| {
            let own = box_width(node);
            let x = left[column[i]] + (widths[column[i]] - own) / 2.0;
            Rect::new(x, placed.node_y[i], own, NODE_HEIGHT)
        })
        .collect();

    let mut routes = vec![];
    for (e, edge) in picture.edges.iter().enumerate() {
        let through: Vec<(f64, f64, f64)> = (column[edge.from] + 1..column[edge.to])
            .filter_map(|c| {
                let y = *placed.passing.get(&(edge.from, c))?;
                Some((left[c], left[c] + widths[c], y))
            })
            .collect();
        let (from, to) = (&boxes[edge.from], &boxes[edge.to]);
        for _ in 0..edge.uses.clamp(1, 3) {
            routes.push(Route {
                edge: e,
                start: (from.x + from.width, from.y + from.height / 2.0),
                through: through.clone(),
                end: (to.x, to.y + to.height / 2.0),
            });
        }
    }
    spread_ends(picture, &mut routes);

    let sections = placed
        .sections
        .into_iter()
        .map(|s| {
            let reach = REACH[s.nesting.min(NESTING - 1)];
            let (from, to) = s.columns;
            let x = left[from] - reach;
            SectionBox {
                path: s.path,
                name: s.name,
                rect: Rect::new(x, s.y, left[to] + widths[to] + reach - x, s.height),
                nesting: s.nesting,
            }
        })
        .collect();

    let mut bands: Vec<Band> = vec![];
    for (c, &depth) in depth_of_column.iter().enumerate() {
        let x = left[c] - COLUMN_GAP / 2.0;
        let own = widths[c] + COLUMN_GAP;
        match bands.last_mut() {
            Some(band) if band.depth == depth => band.width += own,
            _ => bands.push(Band {
                depth,
                x,
                width: own,
            }),
        }
    }
    Layout {
        width,
        height: placed.height,
        boxes,
        routes,
        sections,
        bands,
    }
}

/// Arrows that end at one box, one below the other in the order in which they come in.
fn spread_ends(picture: &Picture, routes: &mut [Route]) {
    let mut into: Vec<Vec<usize>> = vec![vec![]; picture.nodes.len()];
    for (r, route) in routes.iter().enumerate() {
        into[picture.edges[route.edge].to].push(r);
    }
    for mut incoming in into {
        let from = |r: &usize| {
            let route = &routes[*r];
            route.through.last().map_or(route.start.1, |p| p.2)
        };
        incoming.sort_by(|a, b| from(a).total_cmp(&from(b)).then(a.cmp(b)));
        let count = incoming.len() as f64;
        let step = (NODE_HEIGHT * 0.7 / count).min(12.0);
        for (place, &r) in incoming.iter().enumerate() {
            routes[r].end.1 += (place as f64 - (count - 1.0) / 2.0) * step;
        }
    }
}
