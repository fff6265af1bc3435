//! Every reader takes what is right and survives the rest: the fuzz targets on seeds, on the corpus of what was found, and on mutants.

#[path = "../../ckks/fuzz/drive.rs"]
mod drive;
#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;

use targets::{Home, READERS, named};

fn survives(name: &str) {
    let (reader, home) = (named(name), Home::new());
    let mut seeds = (reader.seeds)(&home);
    for seed in &seeds {
        assert!((reader.read)(&home, seed), "{name} refuses a seed");
    }
    let valid = seeds.len() as u64;
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    seeds.extend(drive::corpus(&found));
    let left = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let tally = drive::drive(name, &seeds, left, |bytes| (reader.read)(&home, bytes));
    assert!(
        tally.accepted >= valid && tally.accepted < tally.inputs,
        "{tally:?}"
    );
}

macro_rules! survive {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                survives(stringify!($name));
            }
        )*

        #[test]
        fn none_is_left_out() {
            let names = [$(stringify!($name)),*];
            assert_eq!(READERS.each_ref().map(|reader| reader.name), names);
        }
    };
}

survive! { plan csv idx training arrays keys owner record model costs }
