//! The order and height of what stands in columns.
//!
//! A section is a block of columns; so are its sections in it. In each block, nodes, inner blocks and the points where arrows
//! pass are placed one after the other, each as near to its neighbours as those placed before allow: an order gives a placement
//! without overlaps. Orders are improved by sorting after the neighbours' heights; that with fewest crossings is kept.

use std::collections::BTreeMap;

use super::PictureNode;
use crate::Picture;

pub(super) const NODE_HEIGHT: f64 = 50.0;
/// Sections inside sections that are drawn; deeper ones belong to these.
pub(super) const NESTING: usize = 3;

const GAP: f64 = 16.0;
const POINT_HEIGHT: f64 = 2.0;
const HEADER: f64 = 24.0;
const FOOTER: f64 = 12.0;
const SWEEPS: usize = 40;
/// How much neighbours on the left and on the right count, in turns.
const SIDES: [(f64, f64); 4] = [(1.0, 0.05), (1.0, 1.0), (0.05, 1.0), (1.0, 1.0)];

pub(super) struct Placement {
    pub(super) node_y: Vec<f64>,
    /// Height at which the arrows from a node pass a column.
    pub(super) passing: BTreeMap<(usize, usize), f64>,
    pub(super) sections: Vec<PlacedSection>,
    pub(super) height: f64,
}

pub(super) struct PlacedSection {
    pub(super) path: String,
    pub(super) name: String,
    /// First and last.
    pub(super) columns: (usize, usize),
    pub(super) y: f64,
    pub(super) height: f64,
    pub(super) nesting: usize,
}

/// The parts of a section's path that are drawn.
pub(super) fn section_path(node: &PictureNode) -> Vec<String> {
    let mut path: Vec<String> = match &node.section {
        Some(section) => section.split(" / ").map(str::to_owned).collect(),
        None => vec![],
    };
    path.truncate(NESTING);
    path
}

/// A node, a point or a block in its parent.
#[derive(Clone)]
struct Item {
    columns: (usize, usize),
    height: f64,
    /// In the parent's frame.
    y: f64,
    block: usize,
}

struct Block {
    path: Vec<String>,
    /// The item that it is in its parent; the outermost block is none.
    item: Option<usize>,
    parent: usize,
    items: Vec<usize>,
}

/// Crossings; how far arrows go up and down.
type Score = (usize, f64);

/// An arrangement to come back to.
struct State {
    places: Vec<(f64, f64)>,
    orders: Vec<Vec<usize>>,
}

struct Scene {
    items: Vec<Item>,
    blocks: Vec<Block>,
    /// Leaves of neighbouring columns that an arrow joins, with its weight.
    links: Vec<(usize, usize, f64)>,
    columns: usize,
}

pub(super) fn place(picture: &Picture, column: &[usize], columns: usize) -> Placement {
    let (mut scene, points) = build(picture, column, columns);
    scene.arrange();
    let origins = scene.origins();
    let top = |i: usize| origins[scene.items[i].block] + scene.items[i].y;
    let sections = scene
        .blocks
        .iter()
        .filter_map(|block| {
            let item = block.item?;
            Some(PlacedSection {
                path: block.path.join(" / "),
                name: block.path.last().cloned().unwrap_or_default(),
                columns: scene.items[item].columns,
                y: top(item),
                height: scene.items[item].height,
                nesting: block.path.len() - 1,
            })
        })
        .collect();
    Placement {
        node_y: (0..picture.nodes.len()).map(top).collect(),
        passing: points
            .into_iter()
            .map(|(key, item)| (key, top(item) + POINT_HEIGHT / 2.0))
            .collect(),
        sections,
        height: scene.height_of(0),
    }
}

/// Items 0 .. nodes are the nodes; then points, then blocks.
fn build(
    picture: &Picture,
    column: &[usize],
    columns: usize,
) -> (Scene, BTreeMap<(usize, usize), usize>) {
    let mut scene = Scene {
        items: vec![],
        blocks: vec![Block {
            path: vec![],
            item: None,
            parent: 0,
            items: vec![],
        }],
        links: vec![],
        columns,
    };
    let mut known: BTreeMap<Vec<String>, usize> = BTreeMap::from([(vec![], 0)]);
    let leaf = |block, column, height| Item {
        columns: (column, column),
        height,
        y: 0.0,
        block,
    };
    for (node, &c) in picture.nodes.iter().zip(column) {
        let path = section_path(node);
        for length in 1..=path.len() {
            let part = path[..length].to_vec();
            let next = scene.blocks.len();
            if *known.entry(part.clone()).or_insert(next) == next {
                scene.blocks.push(Block {
                    parent: known[&part[..length - 1]],
                    path: part,
                    item: None,
                    items: vec![],
                });
            }
        }
        scene.items.push(leaf(known[&path], c, NODE_HEIGHT));
    }
    // Arrows from one node share the points that they pass, in the innermost section around all of their ends.
    let mut far: BTreeMap<usize, (usize, Vec<String>)> = BTreeMap::new();
    for edge in &picture.edges {
        if column[edge.to] > column[edge.from] + 1 {
            let own = &scene.blocks[scene.items[edge.from].block].path;
            let (last, around) = far.entry(edge.from).or_insert((0, own.clone()));
            *last = (*last).max(column[edge.to]);
            let other = &scene.blocks[scene.items[edge.to].block].path;
            let common = around.iter().zip(other).take_while(|(a, b)| a == b).count();
            around.truncate(common);
        }
    }
    let mut points = BTreeMap::new();
    for (&from, (last, around)) in &far {
        for c in column[from] + 1..*last {
            points.insert((from, c), scene.items.len());
            scene.items.push(leaf(known[around], c, POINT_HEIGHT));
        }
    }
    let mut links: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for edge in &picture.edges {
        let weight = if edge.critical { 4.0 } else { 1.0 };
        let mut at = edge.from;
        for c in column[edge.from] + 1..=column[edge.to] {
            let next = if c == column[edge.to] {
                edge.to
            } else {
                points[&(edge.from, c)]
            };
            // A long way is easiest to follow if it is straight, even more than a short one.
            let long = |i: usize| i >= picture.nodes.len();
            let straight = match (long(at), long(next)) {
                (true, true) => 8.0,
                (false, false) => 1.0,
                _ => 2.0,
            };
            let known = links.entry((at, next)).or_insert(0.0);
            *known = f64::max(*known, weight * straight);
            at = next;
        }
    }
    scene.links = links.into_iter().map(|((a, b), w)| (a, b, w)).collect();
    for i in 0..scene.items.len() {
        let block = scene.items[i].block;
        scene.blocks[block].items.push(i);
    }
    // Inner blocks come after outer ones: from the last, each is an item of its parent.
    for b in (1..scene.blocks.len()).rev() {
        let of = |f: fn(&Item) -> usize| scene.blocks[b].items.iter().map(move |&i| (i, f));
        let first = of(|i| i.columns.0).map(|(i, f)| f(&scene.items[i])).min();
        let last = of(|i| i.columns.1).map(|(i, f)| f(&scene.items[i])).max();
        let parent = scene.blocks[b].parent;
        let item = scene.items.len();
        scene.items.push(Item {
            columns: (first.unwrap_or(0), last.unwrap_or(0)),
            height: 0.0,
            y: 0.0,
            block: parent,
        });
        scene.blocks[b].item = Some(item);
        scene.blocks[parent].items.push(item);
    }
    (scene, points)
}

impl Scene {
    /// Where the frame of each block begins.
    fn origins(&self) -> Vec<f64> {
        let mut origins = vec![0.0; self.blocks.len()];
        for (b, block) in self.blocks.iter().enumerate() {
            if let Some(item) = block.item {
                origins[b] = origins[block.parent] + self.items[item].y + HEADER;
            }
        }
        origins
    }

    fn height_of(&self, block: usize) -> f64 {
        self.blocks[block]
            .items
            .iter()
            .map(|&i| self.items[i].y + self.items[i].height)
            .fold(0.0, f64::max)
    }

    fn centers(&self) -> Vec<f64> {
        let origins = self.origins();
        self.items
            .iter()
            .map(|item| origins[item.block] + item.y + item.height / 2.0)
            .collect()
    }

    fn arrange(&mut self) {
        for b in (0..self.blocks.len()).rev() {
            let order = self.blocks[b].items.clone();
            self.pack(b, &order, None);
        }
        let mut best = (self.score(), self.state());
        for sweep in 0..SWEEPS {
            let desired = self.desired(SIDES[sweep % SIDES.len()]);
            for b in (0..self.blocks.len()).rev() {
                let mut order = self.blocks[b].items.clone();
                order.sort_by(|&i, &j| {
                    let middle = |i: usize| desired[i] + self.items[i].height / 2.0;
                    middle(i).total_cmp(&middle(j)).then(i.cmp(&j))
                });
                self.pack(b, &order, Some(&desired));
                self.blocks[b].items = order;
            }
            self.keep_better(&mut best);
        }
        // The same order, drawn straighter: neighbours of both sides count.
        self.restore(&best.1);
        for _ in 0..SWEEPS {
            let desired = self.desired((1.0, 1.0));
            for b in (0..self.blocks.len()).rev() {
                let order = self.blocks[b].items.clone();
                self.pack(b, &order, Some(&desired));
            }
            self.keep_better(&mut best);
        }
        self.restore(&best.1);
    }

    fn state(&self) -> State {
        State {
            places: self.items.iter().map(|i| (i.y, i.height)).collect(),
            orders: self.blocks.iter().map(|b| b.items.clone()).collect(),
        }
    }

    fn restore(&mut self, state: &State) {
        for (item, &(y, height)) in self.items.iter_mut().zip(&state.places) {
            (item.y, item.height) = (y, height);
        }
        for (block, order) in self.blocks.iter_mut().zip(&state.orders) {
            block.items.clone_from(order);
        }
    }

    fn keep_better(&self, best: &mut (Score, State)) {
        let score = self.score();
        let better = score.0.cmp(&best.0.0).then(score.1.total_cmp(&best.0.1));
        if better.is_lt() {
            *best = (score, self.state());
        }
    }

    /// Where each item would stand best, in its parent's frame: after the neighbours on the left, on the right, or both in turns. A block
    /// moves with what leads out of it.
    fn desired(&self, (from_left, from_right): (f64, f64)) -> Vec<f64> {
        let centers = self.centers();
        let mut pull = vec![(0.0, 0.0); self.items.len()];
        for &(left, right, weight) in &self.links {
            let shift = centers[left] - centers[right];
            for (item, other, shift, side) in [
                (right, left, shift, from_left),
                (left, right, -shift, from_right),
            ] {
                let w = weight * side;
                let mut add = |i: usize| {
                    pull[i].0 += w * shift;
                    pull[i].1 += w;
                };
                add(item);
                // Every block around this end, but not the other, is pulled with it.
                let mut block = self.items[item].block;
                while let Some(own) = self.blocks[block].item {
                    if self.inside(other, block) {
                        break;
                    }
                    add(own);
                    block = self.blocks[block].parent;
                }
            }
        }
        self.items
            .iter()
            .zip(pull)
            .map(|(item, (sum, weight))| item.y + if weight > 0.0 { sum / weight } else { 0.0 })
            .collect()
    }

    fn inside(&self, item: usize, block: usize) -> bool {
        let mut around = self.items[item].block;
        while around > block {
            around = self.blocks[around].parent;
        }
        around == block
    }

    /// Places the items of a block in this order: nothing overlaps, and the block is no higher than it must be.
    fn pack(&mut self, block: usize, order: &[usize], desired: Option<&[f64]>) {
        let mut free = vec![0.0; self.columns];
        let under =
            |free: &[f64], (a, b): (usize, usize)| free[a..=b].iter().copied().fold(0.0, f64::max);
        for &i in order {
            let item = &mut self.items[i];
            item.y = under(&free, item.columns);
            free[item.columns.0..=item.columns.1].fill(item.y + item.height + GAP);
        }
        let height = self.height_of(block);
        if let Some(desired) = desired {
            // How far down each may go if all after it are to fit.
            let mut bottom = vec![height + GAP; self.columns];
            let mut lowest = vec![0.0; order.len()];
            for (place, &i) in order.iter().enumerate().rev() {
                let item = &self.items[i];
                let (a, b) = item.columns;
                let floor = bottom[a..=b].iter().copied().fold(f64::INFINITY, f64::min);
                lowest[place] = floor - GAP - item.height;
                bottom[a..=b].fill(lowest[place]);
            }
            let mut free = vec![0.0; self.columns];
            for (&i, lowest) in order.iter().zip(lowest) {
                let item = &mut self.items[i];
                let highest = under(&free, item.columns);
                item.y = desired[i].min(lowest).max(highest);
                free[item.columns.0..=item.columns.1].fill(item.y + item.height + GAP);
            }
        }
        if let Some(own) = self.blocks[block].item {
            self.items[own].height = HEADER + self.height_of(block) + FOOTER;
        }
    }

    /// Crossings of arrows between neighbouring columns, and how far arrows go up and down.
    fn score(&self) -> Score {
        let centers = self.centers();
        let mut between: Vec<Vec<(f64, f64)>> = vec![vec![]; self.columns];
        let mut length = 0.0;
        for &(a, b, weight) in &self.links {
            length += weight * (centers[a] - centers[b]).abs();
            between[self.items[a].columns.0].push((centers[a], centers[b]));
        }
        let mut crossings = 0;
        for ends in &mut between {
            ends.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
            let mut seen: Vec<f64> = Vec::with_capacity(ends.len());
            for &(_, end) in ends.iter() {
                let at = seen.partition_point(|&s| s <= end);
                crossings += seen.len() - at;
                seen.insert(at, end);
            }
        }
        (crossings, length)
    }
}
