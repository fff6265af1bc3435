//! The fuzz target of the readers, on its corpus and on mutants of it.

#[path = "../../fuzz/drive.rs"]
mod drive;
#[path = "../../fuzz/targets.rs"]
mod targets;

use std::path::Path;

const INPUTS: u64 = 20_000;

#[test]
fn readers_of_objects_take_what_is_right_and_survive_the_rest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/read_object");
    let seeds = drive::corpus(&folder);
    assert!(!seeds.is_empty());
    for seed in &seeds {
        assert!(targets::read_object(seed));
    }
    let left = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let tally = drive::drive("objects", &seeds, INPUTS, left, targets::read_object);
    assert!(tally.accepted > seeds.len() as u64, "{tally:?}");
}
