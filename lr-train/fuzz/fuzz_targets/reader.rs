//! The reader that the executable is named after.
#![no_main]

#[path = "../readers/mod.rs"]
mod readers;

use std::{path::Path, sync::LazyLock};

use readers::{Home, Reader, named};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");

static READER: LazyLock<(&Reader, Home)> =
    LazyLock::new(|| (named(env!("CARGO_BIN_NAME")), Home::new(Path::new(CORPUS))));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (reader, home) = &*READER;
    (reader.read)(home, bytes);
});
