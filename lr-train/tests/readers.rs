//! Every reader takes what is right and survives the rest, within little memory: the fuzz targets on their corpora and on mutants of them.

#[path = "../../ckks/fuzz/drive.rs"]
mod drive;
#[path = "../fuzz/make_corpus/mod.rs"]
mod make_corpus;
#[path = "../../ckks/fuzz/memory.rs"]
mod memory;
#[path = "../fuzz/readers/mod.rs"]
mod readers;

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use readers::{Home, READERS, named};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus");

/// Memory that a reader may hold for an input: this, and a multiple of the input's length.
const SLACK: usize = 4 << 20;
const MULTIPLE: usize = 16;

fn survives(name: &str, inputs: u64) {
    let (reader, home) = (named(name), Home::new(Path::new(CORPUS)));
    let seeds = drive::corpus(&Path::new(CORPUS).join(name));
    assert!(!seeds.is_empty());
    let most = AtomicUsize::new(0);
    let read = |bytes: &[u8]| {
        let (taken, peak) = memory::peak(|| (reader.read)(&home, bytes));
        let allowed = SLACK + MULTIPLE * bytes.len();
        let len = bytes.len();
        assert!(peak <= allowed, "{peak} bytes held for {len} of input");
        most.fetch_max(peak, Relaxed);
        taken
    };
    for seed in &seeds {
        assert!(read(seed), "{name} refuses a file of its corpus");
    }
    let left = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let tally = drive::drive(name, &seeds, inputs, left, read);
    println!("{name}: at most {} bytes held", most.load(Relaxed));
    let valid = seeds.len() as u64;
    assert!(
        tally.accepted >= valid && tally.accepted < tally.inputs,
        "{tally:?}"
    );
}

macro_rules! survive {
    ($($name:ident $inputs:literal)*) => {
        $(
            #[test]
            fn $name() {
                survives(stringify!($name), $inputs);
            }
        )*

        #[test]
        fn none_is_left_out() {
            let names = [$(stringify!($name)),*];
            assert_eq!(READERS.each_ref().map(|reader| reader.name), names);
        }
    };
}

survive! {
    plan 2000
    csv 5000
    idx 2000
    training 500
    arrays 2000
    evaluation 200
    keys 200
    secret 200
    owner 200
    record 2000
    exchange 2000
    model 2000
    costs 1000
    columns 2000
    network 2000
    scoring 1000
    inference 500
}

/// Files as this build writes them have the names of the corpus; `ARRAS_WRITE_CORPUS=1` puts them in its place, after a change of a format.
#[test]
fn the_corpus_has_every_file_of_an_exchange() {
    let made = make_corpus::exchange();
    let corpus = Path::new(CORPUS);
    for (name, bytes) in &made {
        let path = corpus.join(name);
        if std::env::var_os("ARRAS_WRITE_CORPUS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
        let there = std::fs::metadata(&path).unwrap_or_else(|_| {
            panic!("{name} is not in the corpus: run this test with ARRAS_WRITE_CORPUS=1")
        });
        if name.ends_with(".arras") {
            let same = there.len() == bytes.len() as u64;
            assert!(same, "{name} has another length: ARRAS_WRITE_CORPUS=1");
        }
    }
}
