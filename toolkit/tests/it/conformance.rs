//! The conformance suite on every engine that is here and through decorators; and that it leaves out no operation.

use std::{collections::BTreeSet, fs, path::Path};

use arras_backend_cpu::CpuEngine;
use arras_hal::{AnyBackend, Counting, Reference};
use arras_toolkit::{
    Program,
    conformance::{
        lists,
        sheet::{SIZES, Sheet, UNIT},
    },
};

arras_toolkit::toolkit_conformance!(reference, Reference::new);
arras_toolkit::toolkit_conformance!(counting, || Counting::new(Reference::new()));
arras_toolkit::toolkit_conformance!(cpu_one_thread, || CpuEngine::with_threads(1).unwrap());
arras_toolkit::toolkit_conformance!(cpu_three_threads, || CpuEngine::with_threads(3).unwrap());
arras_toolkit::toolkit_conformance!(any_cpu, || AnyBackend::new(CpuEngine::new()));

/// The sources of a folder and of those in it, one after the other.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path);
        } else {
            all += &fs::read_to_string(path).unwrap();
        }
    }
    all
}

/// What stands between `before` and `after`, wherever both are in a line.
fn between(source: &str, before: &str, after: &str) -> BTreeSet<String> {
    source
        .lines()
        .filter_map(|line| line.split_once(before)?.1.split_once(after))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn no_operation_is_left_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let linalg = sources(&root.join("linalg"));
    let suite = fs::read_to_string(root.join("conformance/operations.rs")).unwrap();

    // Methods that record are those with a place of the call.
    let mut methods = BTreeSet::new();
    for after in linalg.split("#[track_caller]").skip(1) {
        let declaration = after.split('{').next().unwrap();
        let name = between(&declaration.replace('<', "("), "pub fn ", "(");
        methods.extend(name);
    }
    // Inputs, which sheets record.
    for input in ["matrix", "row_vector", "column_vector", "scalar"] {
        assert!(methods.remove(input), "{input}");
    }
    assert!(methods.len() > 50, "{methods:?}");
    for method in methods {
        let used = [".", "::"].map(|dot| suite.contains(&format!("{dot}{method}(")));
        assert!(
            used.contains(&true),
            "{method} is in no circuit of the suite"
        );
    }

    // Names of operations, those of products among them, which are not methods of their own.
    let (mut recorded, mut done) = (BTreeSet::new(), BTreeSet::new());
    for (_, operations) in lists() {
        let sheet = Sheet::new(SIZES[2]).unwrap();
        operations(&sheet);
        let (circuit, _) = sheet.finish().unwrap();
        recorded.extend(circuit.operations().iter().map(|o| o.name().to_owned()));
        done.extend(Program::new(circuit).steps().iter().map(|s| s.op().name()));
    }
    // Operations of circuits, by the table of them.
    let table = fs::read_to_string(root.join("op.rs")).unwrap();
    let table = between(&table, "new(\"", "\"");
    assert_eq!(table.len(), 20, "{table:?}");
    for name in &table {
        assert!(
            done.contains(name.as_str()),
            "{name} is in no circuit of the suite"
        );
    }
    let names: BTreeSet<String> = [
        "record(", "of_list(", "join(", "spread(", "combine(", "map(", "entry(", "slice(",
        "inner(", "product(",
    ]
    .into_iter()
    .flat_map(|recorder| linalg.split(recorder).skip(1))
    .filter_map(|after| {
        after
            .trim_start()
            .trim_start_matches("self,")
            .trim_start()
            .strip_prefix('"')
    })
    .filter_map(|after| Some(after.split_once('"')?.0.to_owned()))
    .collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(
            recorded.contains(&name),
            "{name:?} is in no circuit of the suite"
        );
    }
}

#[test]
fn sizes_are_smaller_equal_larger() {
    let (m, n) = UNIT;
    assert!(SIZES.iter().any(|&(r, c)| r < m && c < n));
    assert!(SIZES.contains(&UNIT));
    assert!(
        SIZES
            .iter()
            .any(|&(r, c)| r > m && c > n && r % m != 0 && c % n != 0)
    );
}
