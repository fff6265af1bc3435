//! Large pictures with fewer boxes.

use std::collections::BTreeMap;

use super::{Collapsed, NodeKind, PictureEdge, PictureNode, kind, layout::columns};
use crate::Picture;

/// Boxes of one key are drawn as one; groups are in the order of their keys.
type Key = (usize, usize, NodeKind, String, String, usize);

/// What is tried before depths are put together, the finest first.
const STAGES: [(Stage, &str); 4] = [
    (Stage::Chains, "chains of one operation are one box"),
    (
        Stage::Alike,
        "equal operations of a layer and section are one box",
    ),
    (
        Stage::Kinds,
        "operations of one kind, layer and section are one box",
    ),
    (
        Stage::Columns,
        "operations of one kind and layer are one box",
    ),
];

#[derive(Clone, Copy)]
enum Stage {
    Chains,
    Alike,
    Kinds,
    Columns,
}

pub(super) fn collapsed(picture: &Picture, limit: usize) -> Picture {
    let boxes = picture.nodes.len();
    let mut smaller = picture.clone();
    let mut by = String::new();
    for (stage, describe) in STAGES {
        if smaller.nodes.len() <= limit {
            break;
        }
        let groups = match stage {
            Stage::Chains => chains(&smaller),
            _ => by_key(&smaller, |i, column| key(&smaller.nodes[i], column, stage)),
        };
        smaller = merged(&smaller, &groups);
        by = describe.into();
    }
    // A box for each depth, then for two, four, .. depths together.
    let mut depths = 1;
    while smaller.nodes.len() > limit {
        let (_, depth_of_column) = columns(&smaller);
        let groups = by_key(&smaller, |i, column| {
            let node = &smaller.nodes[i];
            let (depth, place) = match node.kind {
                NodeKind::Input => (depth_of_column[column], 0),
                NodeKind::Output => (node.depth, 2),
                _ => (node.depth, 1),
            };
            let kind = match place {
                1 => NodeKind::Composite,
                _ => node.kind,
            };
            (depth / depths, place, kind, String::new(), String::new(), 0)
        });
        smaller = merged(&smaller, &groups);
        by = if depths == 1 {
            "operations of a depth are one box".into()
        } else {
            format!("operations of {depths} depths are one box")
        };
        if depths > usize::MAX / 4 {
            break;
        }
        depths *= 2;
    }
    if smaller.nodes.len() < boxes {
        let boxes = picture.collapsed.as_ref().map_or(boxes, |c| c.boxes);
        smaller.collapsed = Some(Collapsed { boxes, by });
    }
    smaller
}

fn key(node: &PictureNode, column: usize, stage: Stage) -> Key {
    let section = node.section.clone().unwrap_or_default();
    let (name, section, level) = match stage {
        Stage::Alike => (node.name.clone(), section, node.level),
        Stage::Kinds => (String::new(), section, 0),
        _ => (String::new(), String::new(), 0),
    };
    (column, 0, node.kind, name, section, level)
}

/// The group of each box. Boxes of one column do not depend on each other, nor do boxes of one depth on those of a lower.
fn by_key(picture: &Picture, key: impl Fn(usize, usize) -> Key) -> Vec<usize> {
    let (column, _) = columns(picture);
    let keys: Vec<Key> = (0..picture.nodes.len())
        .map(|i| key(i, column[i]))
        .collect();
    let mut groups: BTreeMap<&Key, usize> = keys.iter().map(|k| (k, 0)).collect();
    for (place, group) in groups.values_mut().enumerate() {
        *group = place;
    }
    keys.iter().map(|k| groups[k]).collect()
}

/// Boxes of one operation, depth and section of which each is the only one to use the one before.
fn chains(picture: &Picture) -> Vec<usize> {
    let nodes = &picture.nodes;
    let (mut into, mut out) = (vec![0usize; nodes.len()], vec![0usize; nodes.len()]);
    for edge in &picture.edges {
        into[edge.to] += 1;
        out[edge.from] += 1;
    }
    let mut first: Vec<usize> = (0..nodes.len()).collect();
    for edge in &picture.edges {
        let (a, b) = (&nodes[edge.from], &nodes[edge.to]);
        let alike =
            (a.kind, &a.name, &a.section, a.depth) == (b.kind, &b.name, &b.section, b.depth);
        // The one before may be part of a chain itself: edges come in the order of their starts.
        if alike && out[edge.from] == 1 && into[edge.to] == 1 {
            first[edge.to] = first[edge.from];
        }
    }
    let mut number = vec![0; nodes.len()];
    let mut groups = 0;
    for i in 0..nodes.len() {
        if first[i] == i {
            number[i] = groups;
            groups += 1;
        }
    }
    first.iter().map(|&f| number[f]).collect()
}

fn merged(picture: &Picture, groups: &[usize]) -> Picture {
    let count = groups.iter().max().map_or(0, |g| g + 1);
    let mut members: Vec<Vec<&PictureNode>> = vec![vec![]; count];
    for (node, &group) in picture.nodes.iter().zip(groups) {
        members[group].push(node);
    }
    let nodes = members.iter().filter_map(|m| together(m)).collect();
    let mut edges: BTreeMap<(usize, usize), PictureEdge> = BTreeMap::new();
    for edge in &picture.edges {
        let (from, to) = (groups[edge.from], groups[edge.to]);
        if from != to {
            let own = PictureEdge { from, to, ..*edge };
            let joined = edges.entry((from, to)).and_modify(|known| known.uses = 1);
            joined.or_insert(own).critical |= edge.critical;
        }
    }
    let mut critical: Vec<usize> = picture.critical.iter().map(|&i| groups[i]).collect();
    critical.dedup();
    Picture {
        nodes,
        edges: edges.into_values().collect(),
        critical,
        ..picture.clone()
    }
}

/// One box for several.
fn together(members: &[&PictureNode]) -> Option<PictureNode> {
    let (&first, rest) = members.split_first()?;
    if rest.is_empty() {
        return Some(first.clone());
    }
    let count: usize = members.iter().map(|m| m.members).sum();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for member in members {
        *names.entry(&member.name).or_insert(0) += member.members;
    }
    let mut names: Vec<(&str, usize)> = names.into_iter().collect();
    names.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let kind = kind::together(members.iter().map(|m| m.kind));
    let labels: Vec<&str> = members.iter().filter_map(|m| m.label.as_deref()).collect();
    let detail = if labels.len() == members.len() {
        labels.join(", ")
    } else if let [_] = names.as_slice() {
        String::new()
    } else {
        let words: Vec<String> = names.iter().map(|(n, c)| format!("{c} {n}")).collect();
        words.join(", ")
    };
    let deepest = members.iter().map(|m| m.depth).max().unwrap_or(0);
    Some(PictureNode {
        kind,
        name: match names.as_slice() {
            [(name, _)] => format!("{count} x {name}"),
            _ => format!("{count} x several"),
        },
        label: None,
        detail,
        location: common(members.iter().map(|m| m.location.clone())),
        section: common_section(members),
        depth: deepest,
        level: members.iter().map(|m| m.level).max().unwrap_or(0),
        form: common(members.iter().map(|m| m.form)),
        units: members.iter().map(|m| m.units).max().unwrap_or(0),
        members: count,
        critical: members.iter().any(|m| m.critical),
        index: first.index,
    })
}

/// What all have, if it is the same.
fn common<T: PartialEq>(mut items: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = items.next()??;
    items.all(|i| i.as_ref() == Some(&first)).then_some(first)
}

fn common_section(members: &[&PictureNode]) -> Option<String> {
    let paths = members.iter().map(|m| {
        let section = m.section.as_deref();
        section.map_or(vec![], |s| s.split(" / ").collect())
    });
    let path = paths.reduce(|mut path: Vec<&str>, other| {
        let length = path.iter().zip(&other).take_while(|(a, b)| a == b).count();
        path.truncate(length);
        path
    })?;
    (!path.is_empty()).then(|| path.join(" / "))
}
