//! Pictures: well-formed in every format, right about depth and the critical path, readable in their geometry.

use std::collections::BTreeMap;

use arras_toolkit::{
    Circuit, EncodingUnit, Picture, Program, Recorder, Slots,
    linalg::Dot,
    picture::{NodeKind, PictureError, PictureNode},
};

fn polynomial(f: impl FnOnce(&Slots) -> Slots) -> Program {
    let recorder = Recorder::new(1 << 12).unwrap();
    let x = recorder.slots_input("x", 1);
    recorder.output("f", &f(&x));
    Program::new(recorder.finish().unwrap())
}

fn deep() -> Program {
    polynomial(|x| x.multiply(x).multiply(x).multiply(x).add_scalar(2.0))
}

fn flat() -> Program {
    polynomial(|x| x.square().square().add_scalar(2.0))
}

fn regression() -> Program {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let recorder = Recorder::new(1 << 12).unwrap();
    let data = recorder.matrix("data", 100, 70, unit);
    let weights = recorder.column_vector("weights", 70, unit);
    let products = recorder.within("forward", || data.dot(&weights));
    let gradient = recorder.within("backward", || {
        let squared = recorder.within("loss", || products.as_slots().square());
        recorder.output("loss", &squared);
        products.dot(&data)
    });
    recorder.output("gradient", &gradient);
    Program::new(recorder.finish().unwrap())
}

/// Chains and what stands side by side: thousands of steps in sections.
fn large() -> Program {
    let recorder = Recorder::new(1 << 12).unwrap();
    let x = recorder.slots_input("x", 1);
    let mut value = x.clone();
    for round in 0..30 {
        value = recorder.within(&format!("round {round}"), || {
            let parts: Vec<Slots> = (1..40)
                .map(|k| value.rotate(k).multiply_scalar(0.3 + k as f64).add(&x))
                .collect();
            Slots::sum(&parts).unwrap()
        });
    }
    recorder.output("y", &value);
    Program::new(recorder.finish().unwrap())
}

#[derive(Clone, Copy, Debug)]
struct Rect {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Rect {
    fn of(node: roxmltree::Node<'_, '_>) -> Self {
        let get = |name| node.attribute(name).unwrap().parse().unwrap();
        Self {
            x: get("x"),
            y: get("y"),
            width: get("width"),
            height: get("height"),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    fn contains(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.x + self.width >= other.x + other.width
            && self.y + self.height >= other.y + other.height
    }
}

fn has_class(node: &roxmltree::Node<'_, '_>, class: &str) -> bool {
    node.attribute("class") == Some(class)
}

/// Boxes of nodes by position, sections by path.
fn boxes(document: &roxmltree::Document<'_>) -> (BTreeMap<usize, Rect>, Vec<(String, Rect)>) {
    let rect = |n: roxmltree::Node<'_, '_>| {
        let rect = n.children().find(|c| c.has_tag_name("rect")).unwrap();
        Rect::of(rect)
    };
    let nodes = document
        .descendants()
        .filter(|n| has_class(n, "node"))
        .map(|n| (n.attribute("data-node").unwrap().parse().unwrap(), rect(n)))
        .collect();
    let sections = document
        .descendants()
        .filter(|n| has_class(n, "section"))
        .map(|n| {
            let title = n.children().find(|c| c.has_tag_name("title")).unwrap();
            (title.text().unwrap_or("").to_owned(), rect(n))
        })
        .collect();
    (nodes, sections)
}

/// First and last point of a path.
fn ends(path: &str) -> [(f64, f64); 2] {
    let point = |text: &str| {
        let (x, y) = text
            .trim_start_matches(['M', 'L', 'C'])
            .split_once(',')
            .unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    let points: Vec<&str> = path.split(' ').collect();
    [point(points[0]), point(points[points.len() - 1])]
}

/// Checks the geometry of what [`Picture::to_svg`] draws of a picture that is small enough not to be collapsed again.
fn check_geometry(picture: &Picture) {
    let svg = picture.to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let (nodes, sections) = boxes(&document);
    assert_eq!(nodes.len(), picture.nodes.len());
    let root = document.root_element();
    let size = |name| root.attribute(name).unwrap().parse::<f64>().unwrap();
    for (i, a) in &nodes {
        assert!(a.x >= 0.0 && a.x + a.width <= size("width"), "box {i}");
        assert!(a.y >= 0.0 && a.y + a.height <= size("height"), "box {i}");
        for (j, b) in nodes.range(i + 1..) {
            assert!(!a.overlaps(b), "boxes {i} {a:?} and {j} {b:?} overlap");
        }
        // A box is inside its sections and touches no other.
        let own = picture.nodes[*i].section.as_deref().unwrap_or("");
        for (path, section) in &sections {
            let within = own == path || own.starts_with(&format!("{path} / "));
            if within {
                assert!(section.contains(a), "box {i} leaves section {path}");
            } else {
                assert!(!section.overlaps(a), "box {i} of {own:?} in section {path}");
            }
        }
    }
    for (k, (path, a)) in sections.iter().enumerate() {
        for (other, b) in &sections[k + 1..] {
            let nested = path.starts_with(&format!("{other} / "))
                || other.starts_with(&format!("{path} / "));
            assert!(
                nested || !a.overlaps(b),
                "sections {path} and {other} overlap"
            );
        }
    }
    let mut drawn = 0;
    for path in document.descendants().filter(|n| has_class(n, "edge")) {
        let node = |name| &nodes[&path.attribute(name).unwrap().parse::<usize>().unwrap()];
        let (from, to) = (node("data-from"), node("data-to"));
        let [start, end] = ends(path.attribute("d").unwrap());
        assert!(
            (start.0 - from.x - from.width).abs() < 0.2,
            "{start:?} {from:?}"
        );
        assert!(start.1 >= from.y && start.1 <= from.y + from.height);
        assert!((end.0 - to.x).abs() < 0.2, "{end:?} {to:?}");
        assert!(end.1 >= to.y && end.1 <= to.y + to.height);
        assert!(start.0 < end.0, "edges lead to the right");
        drawn += 1;
    }
    let uses: usize = picture.edges.iter().map(|e| e.uses.min(3)).sum();
    assert_eq!(drawn, uses);
}

fn names(picture: &Picture) -> Vec<&str> {
    let critical = picture.critical.iter();
    critical.map(|&i| picture.nodes[i].name.as_str()).collect()
}

#[test]
fn two_ways_to_the_fourth_power() {
    let picture = Picture::operations(&deep());
    assert_eq!((picture.summary.depth, picture.summary.products), (3, 3));
    let path = [
        "input",
        "multiply",
        "multiply",
        "multiply",
        "add_scalar",
        "output",
    ];
    assert_eq!(names(&picture), path);
    let depths: Vec<usize> = picture.nodes.iter().map(|n| n.depth).collect();
    let levels: Vec<usize> = picture.nodes.iter().map(|n| n.level).collect();
    assert_eq!(depths, [0, 1, 2, 3, 3, 3]);
    assert_eq!(levels, [3, 2, 1, 0, 0, 0]);
    assert_eq!(picture.nodes[0].label.as_deref(), Some("x"));
    // x is used twice in the square, and once in each of the others.
    let uses: Vec<usize> = picture.edges.iter().map(|e| e.uses).collect();
    assert_eq!(uses.iter().sum::<usize>(), 2 + 2 + 2 + 1 + 1);

    let picture = Picture::operations(&flat());
    assert_eq!((picture.summary.depth, picture.summary.operations), (2, 3));
    assert_eq!(
        names(&picture),
        ["input", "multiply", "multiply", "add_scalar", "output"]
    );
    let svg = picture.to_svg();
    assert!(svg.contains("depth 2, 3 operations, 2 ciphertext products, 0 rotations"));
}

#[test]
fn the_critical_path_of_steps_takes_what_maintains_products() {
    let program = flat();
    let picture = Picture::steps(&program);
    assert_eq!(picture.summary.operations + 1, program.steps().len());
    assert_eq!(names(&picture).first(), Some(&"input"));
    assert_eq!(names(&picture).last(), Some(&"output"));
    assert_eq!(
        names(&picture).iter().filter(|n| **n == "multiply").count(),
        2
    );
    assert!(names(&picture).contains(&"relinearize_and_rescale"));
    let pending = |n: &PictureNode| n.form.is_some_and(|f| f.components() == 3);
    assert!(picture.nodes.iter().any(pending));
    assert!(picture.to_svg().contains("pending 3"));
}

#[test]
fn ties_go_to_the_longer_chain_and_costs_decide_if_they_are_given() {
    let program = polynomial(|x| {
        let short = x.multiply_scalar(0.5);
        let long = x.rotate(1).rotate(2).multiply_scalar(0.25);
        short.add(&long)
    });
    let picture = Picture::operations(&program);
    let path = [
        "input",
        "rotate",
        "rotate",
        "multiply_scalar",
        "add",
        "output",
    ];
    assert_eq!(names(&picture), path);
    let dear = |n: &PictureNode| if n.detail == "times 0.5" { 9.0 } else { 1.0 };
    let by_cost = picture.clone().critical_by(dear);
    assert_eq!(
        names(&by_cost),
        ["input", "multiply_scalar", "add", "output"]
    );
    assert_eq!(by_cost.nodes.iter().filter(|n| n.critical).count(), 4);
    assert_eq!(by_cost.edges.iter().filter(|e| e.critical).count(), 3);
}

#[test]
fn depth_of_an_operation_is_that_of_its_deepest_part() {
    let picture = Picture::operations(&regression());
    let product = |name: &str| picture.nodes.iter().find(|n| n.name == name).unwrap();
    let forward = product("matrix x column vector");
    assert_eq!((forward.depth, forward.kind), (2, NodeKind::Composite));
    assert_eq!(forward.section.as_deref(), Some("forward"));
    assert_eq!(forward.detail, "row vector of 100");
    assert_eq!(product("row vector x matrix").depth, 3);
    let loss = picture.nodes.iter().find(|n| n.name == "multiply").unwrap();
    assert_eq!(loss.section.as_deref(), Some("backward / loss"));
}

#[test]
fn nothing_overlaps_and_edges_end_at_their_boxes() {
    for program in [deep(), flat(), regression()] {
        check_geometry(&Picture::operations(&program));
        check_geometry(&Picture::steps(&program));
    }
    check_geometry(&Picture::operations(&large()).collapsed(120));
    check_geometry(&Picture::steps(&large()).collapsed(60));
}

#[test]
fn large_circuits_stay_readable() {
    let program = large();
    for picture in [Picture::steps(&program), Picture::operations(&program)] {
        assert!(picture.nodes.len() > 3000);
        let svg = picture.to_svg();
        assert!(svg.len() < 1_000_000, "{} bytes", svg.len());
        let document = roxmltree::Document::parse(&svg).unwrap();
        let drawn = boxes(&document).0.len();
        assert!((8..=Picture::LIMIT).contains(&drawn), "{drawn} boxes");
        assert!(svg.contains(&format!("{} boxes drawn as {drawn}", picture.nodes.len())));
        for limit in [8, 50, 220] {
            let small = picture.collapsed(limit);
            assert!(small.nodes.len() <= limit);
            let members: usize = small.nodes.iter().map(|n| n.members).sum();
            assert_eq!(members, picture.nodes.len());
            assert!(small.edges.iter().all(|e| e.from < e.to));
            assert!(!small.critical.is_empty());
            assert!(small.to_dot().len() < 1_000_000);
        }
        assert!(picture.to_json().unwrap().len() > svg.len());
    }
}

/// Reads quoted strings and braces of DOT.
fn check_dot(dot: &str) {
    let (mut braces, mut brackets, mut quoted) = (0i32, 0i32, false);
    let mut characters = dot.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' if quoted => assert!(characters.next().is_some()),
            '\n' => assert!(!quoted, "a string goes over a line"),
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' => braces += 1,
            '}' => braces -= 1,
            '[' => brackets += 1,
            ']' => brackets -= 1,
            c => assert!(c.is_ascii(), "{c} outside of quotes"),
        }
        assert!(braces >= 0 && (0..=1).contains(&brackets));
    }
    assert_eq!((braces, brackets, quoted), (0, 0, false));
    assert!(dot.starts_with("digraph"));
}

fn hostile() -> Circuit {
    let recorder = Recorder::new(1 << 12).unwrap();
    let x = recorder.slots_input("</text><script>\"'&\u{0}\u{1}\\\n]]>\u{202e}", 1);
    let section = recorder.section("a \"b\" <c> & {d} \\");
    let y = x.square();
    drop(section);
    recorder.output("\u{65e5}\u{672c}\u{8a9e}".repeat(40).as_str(), &y);
    recorder.finish().unwrap()
}

#[test]
fn labels_are_escaped() {
    let program = Program::new(hostile());
    let picture = Picture::operations(&program).titled("<&\"\u{7}");
    let svg = picture.to_svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let is_script = |n: roxmltree::Node<'_, '_>| n.has_tag_name("script");
    assert!(!document.descendants().any(is_script));
    assert!(svg.contains("&lt;script&gt;"));
    check_geometry(&picture);
    check_dot(&picture.to_dot());
    let json = picture.to_json().unwrap();
    assert_eq!(Picture::from_json(&json).unwrap(), picture);
}

#[test]
fn dot_is_well_formed() {
    for program in [deep(), regression(), large()] {
        check_dot(&Picture::operations(&program).to_dot());
        check_dot(&Picture::steps(&program).to_dot());
    }
    let dot = Picture::operations(&regression()).to_dot();
    assert_eq!(dot.matches("subgraph cluster_").count(), 3);
}

#[test]
fn json_comes_back_and_hostile_json_does_not() {
    let picture = Picture::steps(&regression()).titled("regression");
    let json = picture.to_json().unwrap();
    assert_eq!(Picture::from_json(&json).unwrap(), picture);
    assert!(matches!(
        Picture::from_json("{}"),
        Err(PictureError::Json(_))
    ));
    let mut broken = picture.clone();
    broken.edges[0].to = 1 << 40;
    let error = Picture::from_json(&broken.to_json().unwrap()).unwrap_err();
    assert!(matches!(
        error,
        PictureError::Position {
            what: "edge",
            at: 0,
            ..
        }
    ));
    let mut broken = picture.clone();
    broken.critical.push(picture.nodes.len());
    let error = Picture::from_json(&broken.to_json().unwrap()).unwrap_err();
    assert!(error.to_string().contains("critical path"));
    // Depths that no circuit has cost no memory.
    let mut odd = picture;
    odd.nodes[3].depth = usize::MAX;
    let svg = odd.to_svg();
    assert!(roxmltree::Document::parse(&svg).is_ok());
}

#[test]
fn pictures_are_the_same_every_time() {
    for program in [regression, large] {
        let (a, b) = (Picture::steps(&program()), Picture::steps(&program()));
        assert_eq!(a.to_svg(), b.to_svg());
        assert_eq!(a.to_dot(), b.to_dot());
        assert_eq!(a.to_json().unwrap(), b.to_json().unwrap());
    }
}

#[test]
fn files_are_saved_by_their_endings() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Picture::operations(&flat());
    for (name, text) in [
        ("a.svg", picture.to_svg()),
        ("a.dot", picture.to_dot()),
        ("a.gv", picture.to_dot()),
        ("a.json", picture.to_json().unwrap()),
    ] {
        let path = folder.path().join(name);
        picture.save(&path).unwrap();
        picture.save(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let error = picture.save(folder.path().join("a.png")).unwrap_err();
    assert!(error.to_string().contains(".svg"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn sections_end_where_their_guards_do() {
    let recorder = Recorder::new(1 << 12).unwrap();
    let x = recorder.slots_input("x", 1);
    let outer = recorder.section("outer");
    let inner = recorder.section("inner");
    let a = x.square();
    // The outer one ends the inner one with it.
    drop(outer);
    let b = a.square();
    drop(inner);
    let c = recorder.within("last", || b.square());
    recorder.output("y", &c.square());
    let circuit = recorder.finish().unwrap();
    let sections: Vec<_> = circuit.operations().iter().map(|o| o.section()).collect();
    assert_eq!(
        sections,
        [None, Some("outer / inner"), None, Some("last"), None]
    );
}

#[test]
fn what_no_output_needs_is_counted_not_drawn() {
    let recorder = Recorder::new(1 << 12).unwrap();
    let x = recorder.slots_input("x", 1);
    let unused = recorder.slots_input("unused", 1);
    let _ = unused.square();
    recorder.output("y", &x.square());
    let program = Program::new(recorder.finish().unwrap());
    let picture = Picture::operations(&program);
    assert_eq!((picture.nodes.len(), picture.summary.unused), (3, 2));
    assert!(picture.to_svg().contains("not drawn: 2"));
}
