//! A tiny subset on SwiftShader's Vulkan, which has the limits of a browser: no 64-bit integers, 256 invocations, 16 KiB of
//! workgroup memory, bindings of 128 MiB.
//!
//! A Vulkan loader reads once which drivers there are, so the subset runs in a process of its own. `ARRAS_SWIFTSHADER` names the
//! driver's file; without it, the one that Debian's chromium brings is used, and without that the test skips and says so.

mod common;

use std::{path::PathBuf, process::Command};

use arras_backend_gpu::GpuOptions;
use arras_hal::{Backend, Reference};
use common::{
    chain,
    scenarios::{arithmetic, compare, conversions, key_switches, transforms},
    toy,
};

const VARIABLE: &str = "ARRAS_SWIFTSHADER";
const DEBIAN: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

/// The driver's file; one that was named has to be there.
fn driver() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let path = PathBuf::from(named);
        assert!(path.is_file(), "{VARIABLE}: no file {}", path.display());
        return Some(path);
    }
    let path = PathBuf::from(DEBIAN);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: {VARIABLE} is not set and there is no {DEBIAN}");
    None
}

#[test]
fn a_subset_is_bit_exact_with_the_limits_of_a_browser() {
    let Some(driver) = driver() else {
        return;
    };
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_subset", "--ignored", "--nocapture"])
        .env("VK_ICD_FILENAMES", &driver)
        .env("VK_DRIVER_FILES", &driver)
        .output()
        .unwrap();
    let [out, error] = [&child.stdout, &child.stderr].map(|text| String::from_utf8_lossy(text));
    print!("{out}");
    assert!(child.status.success(), "{out}\n{error}");
    assert!(out.contains("1 passed"), "{out}");
}

#[test]
#[ignore = "run by the other test, with the driver in its environment"]
fn the_subset() {
    let engine = arras_backend_gpu::GpuEngine::new(&GpuOptions {
        adapter: Some("SwiftShader".into()),
        ..GpuOptions::default()
    })
    .unwrap();
    let adapter = engine.adapter();
    println!("{adapter}");
    assert!(!adapter.int64 && engine.name().contains("32-bit arithmetic"));
    let reference = Reference::new();
    macro_rules! agree {
        ($scenario:ident($basis:expr $(, $argument:expr)*)) => {
            let got = $scenario(&engine, &$basis $(, $argument)*);
            let expected = $scenario(&reference, &$basis $(, $argument)*);
            compare(&engine, stringify!($scenario), &got, &expected);
        };
    }
    agree!(arithmetic(toy(6)));
    for basis in [toy(5), chain(12, 1, 1, 1), chain(13, 1, 1, 1)] {
        agree!(transforms(basis));
    }
    agree!(conversions(toy(6)));
    agree!(key_switches(toy(6), &[1, 3]));
}
