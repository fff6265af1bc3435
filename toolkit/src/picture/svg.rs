//! Scalable Vector Graphics.
//!
//! Written without a library: the picture is rectangles, paths and text, and every text passes [`escape_xml`].

use std::fmt::Write;

use super::{
    NodeKind, PictureNode,
    layout::{self, Layout, Rect, Route, TEXT_SIZE, TITLE_SIZE},
    place::NODE_HEIGHT,
    text::{cut, escape_xml, width},
};
use crate::Picture;

const MARGIN: f64 = 16.0;
const LINE: f64 = 18.0;
const HEADER: f64 = 22.0;
const LEAST_WIDTH: f64 = 560.0;
const FONT: &str = "system-ui, -apple-system, Helvetica, Arial, sans-serif";
const INK: &str = "#111111";
const ARROW: &str = "#8A8A8A";
const BOLD: &str = r#"font-weight="bold""#;
const BOLD_CENTRED: &str = r#"text-anchor="middle" font-weight="bold""#;

/// A line. Writing to a string does not fail.
macro_rules! put {
    ($out:expr, $($line:tt)+) => { let _ = writeln!($out, $($line)+); };
}

pub(super) fn svg(picture: &Picture) -> String {
    let layout = layout::layout(picture);
    let full = (layout.width + 2.0 * MARGIN).max(LEAST_WIDTH);
    let mut heading = String::new();
    let mut y = MARGIN;
    if let Some(title) = &picture.title {
        y += 18.0;
        let shown = cut(title, (full - 2.0 * MARGIN) / (16.0 * 1.08));
        text(&mut heading, (MARGIN, y), 16.0, BOLD, &shown);
        y += 4.0;
    }
    for caption in picture.caption() {
        for part in wrapped(&caption, (full - 2.0 * MARGIN) / TITLE_SIZE) {
            y += LINE;
            text(&mut heading, (MARGIN, y), TITLE_SIZE, "", &part);
        }
    }
    y += 12.0;
    y = legend(&mut heading, picture, full, y);
    let top = y + 14.0;
    let height = top + HEADER + 14.0 + layout.height + 18.0 + MARGIN;

    let mut out = String::new();
    put!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{full:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {full:.0} {height:.0}\" \
             role=\"img\" font-family=\"{FONT}\">"
    );
    let name = picture.title.as_deref().unwrap_or("circuit");
    put!(out, "<title>{}</title>", escape_xml(name));
    put!(
        out,
        "<desc>{}</desc>",
        escape_xml(&picture.caption().join("; "))
    );
    out += "<defs>\n";
    for (id, colour) in [("arrow", ARROW), ("critical-arrow", INK)] {
        put!(
            out,
            "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" \
                 markerHeight=\"9\" orient=\"auto\"><path d=\"M0,0.5 L8,4 L0,7.5 z\" fill=\"{colour}\"/></marker>"
        );
    }
    out += "</defs>\n";
    let whole = Rect::new(0.0, 0.0, full, height);
    let look = r##"class="background" fill="#FFFFFF""##;
    rect(&mut out, &whole, 0.0, look);
    out += &heading;
    put!(out, "<g transform=\"translate({MARGIN},{top:.1})\">");
    bands(&mut out, &layout);
    put!(out, "<g transform=\"translate(0,{:.1})\">", HEADER + 14.0);
    sections(&mut out, &layout);
    // The critical path over the other arrows.
    for critical in [false, true] {
        for route in &layout.routes {
            if picture.edges[route.edge].critical == critical {
                arrow(&mut out, picture, route);
            }
        }
    }
    for (i, (node, rect)) in picture.nodes.iter().zip(&layout.boxes).enumerate() {
        node_box(&mut out, i, node, rect);
    }
    out += "</g>\n</g>\n</svg>\n";
    out
}

fn text(out: &mut String, (x, y): (f64, f64), size: f64, attributes: &str, content: &str) {
    let space = if attributes.is_empty() { "" } else { " " };
    put!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{INK}\"{space}{attributes}>{}</text>",
        escape_xml(content)
    );
}

fn rect(out: &mut String, r: &Rect, corner: f64, attributes: &str) {
    put!(
        out,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{corner}\" {attributes}/>",
        r.x,
        r.y,
        r.width,
        r.height
    );
}

/// Lines of a width, broken between words.
fn wrapped(words: &str, most: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        let longer = if last.is_empty() {
            word.to_owned()
        } else {
            format!("{last} {word}")
        };
        if last.is_empty() || width(&longer) <= most {
            *last = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Kinds that occur, the critical path, sections; returns where it ends.
fn legend(out: &mut String, picture: &Picture, full: f64, top: f64) -> f64 {
    const SWATCH: f64 = 16.0;
    let (mut x, mut y) = (MARGIN, top);
    let mut entry = |draw: &dyn Fn(&mut String, &Rect), label: &str| {
        let own = SWATCH + 6.0 + width(label) * TEXT_SIZE * 0.9 + 12.0;
        if x > MARGIN && x + own > full - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        draw(out, &Rect::new(x, y, SWATCH, 12.0));
        text(out, (x + SWATCH + 6.0, y + 9.5), TEXT_SIZE, "", label);
        x += own;
    };
    for kind in NodeKind::ALL {
        if picture.nodes.iter().any(|n| n.kind == kind) {
            let draw = |out: &mut String, swatch: &Rect| swatch_box(out, kind, swatch);
            entry(&draw, kind.describe());
        }
    }
    let line = |out: &mut String, swatch: &Rect| {
        let (x, y) = (swatch.x, swatch.y + 6.0);
        put!(
            out,
            "<path d=\"M{x:.1},{y:.1} h{SWATCH}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"3\"/>"
        );
    };
    entry(&line, "critical path");
    if picture.nodes.iter().any(|n| n.section.is_some()) {
        let dashed = |out: &mut String, swatch: &Rect| rect(out, swatch, 2.0, SECTION);
        entry(&dashed, "section");
    }
    if picture.nodes.iter().any(|n| n.kind == NodeKind::Input) {
        let look = format!("fill=\"none\" stroke=\"{INK}\"");
        let round = |out: &mut String, swatch: &Rect| rect(out, swatch, 6.0, &look);
        entry(&round, "round: inputs, before their first use, and outputs");
    }
    y + 12.0
}

const SECTION: &str = "fill=\"#00000008\" stroke=\"#777777\" stroke-dasharray=\"4 3\"";

fn swatch_box(out: &mut String, kind: NodeKind, r: &Rect) {
    let look = format!("fill=\"{}\" stroke=\"{}\"", kind.tint(), kind.colour());
    rect(out, r, 2.0, &look);
    let stripe = Rect { width: 5.0, ..*r };
    rect(out, &stripe, 2.0, &format!("fill=\"{}\"", kind.colour()));
}

fn bands(out: &mut String, layout: &Layout) {
    for (i, band) in layout.bands.iter().enumerate() {
        let height = HEADER + 14.0 + layout.height + 18.0;
        let whole = Rect::new(band.x, 0.0, band.width, height);
        let fill = if i % 2 == 0 { "#F6F6F6" } else { "#FFFFFF" };
        rect(out, &whole, 0.0, &format!("class=\"band\" fill=\"{fill}\""));
        let (middle, depth) = (band.x + band.width / 2.0, format!("depth {}", band.depth));
        text(out, (middle, 15.0), TITLE_SIZE, BOLD_CENTRED, &depth);
    }
}

fn sections(out: &mut String, layout: &Layout) {
    let mut order: Vec<_> = layout.sections.iter().collect();
    order.sort_by_key(|s| s.nesting);
    for section in order {
        put!(
            out,
            "<g class=\"section\"><title>{}</title>",
            escape_xml(&section.path)
        );
        rect(out, &section.rect, 4.0, SECTION);
        let room = (section.rect.width - 16.0) / (TEXT_SIZE * 1.08);
        let at = (section.rect.x + 8.0, section.rect.y + 15.0);
        let look = r#"font-weight="bold" fill-opacity="0.75""#;
        text(out, at, TEXT_SIZE, look, &cut(&section.name, room));
        out.push_str("</g>\n");
    }
}

fn arrow(out: &mut String, picture: &Picture, route: &Route) {
    let edge = &picture.edges[route.edge];
    let mut d = format!("M{:.1},{:.1}", route.start.0, route.start.1);
    let mut at = route.start;
    let mut curve = |d: &mut String, to: (f64, f64)| {
        // A straight piece, or a curve that leaves and enters horizontally.
        let _ = if (to.1 - at.1).abs() < 0.5 {
            write!(d, " L{:.1},{:.1}", to.0, to.1)
        } else {
            let middle = (at.0 + to.0) / 2.0;
            write!(
                d,
                " C{middle:.1},{:.1} {middle:.1},{:.1} {:.1},{:.1}",
                at.1, to.1, to.0, to.1
            )
        };
        at = to;
    };
    for &(left, right, y) in &route.through {
        curve(&mut d, (left, y));
        curve(&mut d, (right, y));
    }
    curve(&mut d, route.end);
    let (colour, pen, marker) = if edge.critical {
        (INK, 3.0, "critical-arrow")
    } else {
        (ARROW, 1.3, "arrow")
    };
    put!(
        out,
        "<path class=\"edge\" data-from=\"{}\" data-to=\"{}\" d=\"{d}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{pen}\" \
             marker-end=\"url(#{marker})\"/>",
        edge.from,
        edge.to
    );
}

fn node_box(out: &mut String, i: usize, node: &PictureNode, r: &Rect) {
    put!(out, "<g class=\"node\" data-node=\"{i}\">");
    let [title, detail, state] = layout::lines(node);
    let mut tip = vec![title.clone(), detail.clone(), state.clone()];
    tip.push(node.kind.describe().into());
    tip.extend(node.section.clone());
    tip.extend(node.location.clone());
    tip.retain(|line| !line.is_empty());
    put!(out, "<title>{}</title>", escape_xml(&tip.join("; ")));
    let (stroke, pen) = if node.critical {
        (INK, 2.5)
    } else {
        (node.kind.colour(), 1.0)
    };
    // Inputs and outputs are round.
    let corner = match node.kind {
        NodeKind::Input | NodeKind::Output => NODE_HEIGHT / 3.0,
        _ => 4.0,
    };
    let look = format!(
        "fill=\"{}\" stroke=\"{stroke}\" stroke-width=\"{pen}\"",
        node.kind.tint()
    );
    rect(out, r, corner, &look);
    if corner < 10.0 {
        let stripe = Rect::new(r.x + pen / 2.0, r.y + pen / 2.0, 5.0, r.height - pen);
        let look = format!("fill=\"{}\"", node.kind.colour());
        rect(out, &stripe, 2.0, &look);
    }
    let middle = r.x + r.width / 2.0;
    let room = layout::room(r);
    // Bold letters are wider.
    let mut lines = vec![(title, TITLE_SIZE, TITLE_SIZE * 1.08, BOLD_CENTRED)];
    for line in [detail, state].into_iter().filter(|line| !line.is_empty()) {
        lines.push((line, TEXT_SIZE, TEXT_SIZE, r#"text-anchor="middle""#));
    }
    let first = if lines.len() == 3 { 15.5 } else { 21.0 };
    for (k, (line, size, width, look)) in lines.into_iter().enumerate() {
        let at = (middle, r.y + first + 14.0 * k as f64);
        text(out, at, size, look, &cut(&line, room / width));
    }
    out.push_str("</g>\n");
}
