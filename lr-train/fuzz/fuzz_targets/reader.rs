//! The reader that the executable is named after.
#![no_main]

#[path = "../targets.rs"]
mod targets;

use std::{path::PathBuf, sync::LazyLock};

use targets::{Home, named};

const NAME: &str = env!("CARGO_BIN_NAME");

static HOME: LazyLock<Home> = LazyLock::new(Home::new);

/// Keys are new in every process, so what readers take is written down before the fuzzer looks for it.
fn seeds() {
    let Some(folder) = std::env::var_os("ARRAS_FUZZ_SEEDS").map(PathBuf::from) else {
        return;
    };
    for (index, seed) in (named(NAME).seeds)(&HOME).iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{index}")), seed).unwrap();
    }
}

libfuzzer_sys::fuzz_target!(init: seeds(), |bytes: &[u8]| {
    (named(NAME).read)(&HOME, bytes);
});
