//! The GPU engine from the command line, where it was compiled in; and what is said where it was not.

#[cfg(feature = "gpu")]
use crate::support::finished;
use crate::support::{Desk, Ran};

/// Whether there is an adapter; with `ARRAS_REQUIRE_GPU=1` there has to be one.
#[cfg(feature = "gpu")]
fn device(desk: &Desk) -> bool {
    let ran = desk.run("devices --list --engine gpu");
    if ran.code == Some(0) {
        return true;
    }
    let required = std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1");
    assert!(!required, "ARRAS_REQUIRE_GPU=1, but {}", ran.stderr);
    eprintln!("skipped: {}", ran.stderr);
    false
}

#[cfg(feature = "gpu")]
#[test]
fn training_on_a_device_gives_the_bytes_of_the_cpu_engine_and_one_too_small_is_refused() {
    let desk = finished().copy_of("keys data.arras result.arras");
    if !device(&desk) {
        return;
    }
    let before = desk.listing(".");
    let train = |engine: &str, variable: &str, value: &str| {
        let verb =
            format!("train --eval-keys keys/eval --data data.arras {engine} --out out.arras");
        Ran::of(desk.command(&verb).env(variable, value))
    };
    train("--engine gpu", "ARRAS_GPU_MEMORY_MIB", "1")
        .ends_with(1)
        .notes("memory needed | training needs about | available | --engine cpu");
    assert_eq!(desk.listing("."), before);
    train("--engine gpu", "ARRAS_GPU_MEMORY_MIB", "much")
        .ends_with(1)
        .notes("whole number");
    train("", "ARRAS_ENGINE", "gpu")
        .ends_with(0)
        .notes("engine: gpu, ");
    // `finished` trained on the default engine, in main memory.
    assert!(desk.read("out.arras") == desk.read("result.arras"));
}

#[cfg(feature = "gpu")]
#[test]
fn an_adapter_that_is_not_there_is_refused_with_the_way_out() {
    Desk::new().refuses(
        "1 | devices --engine gpu:no-such-adapter | no-such-adapter | choose the CPU engine",
    );
    let adapters = Desk::new().json("devices --list")["adapters"].clone();
    for adapter in adapters.as_array().unwrap() {
        assert!(adapter["max-binding-bytes"].as_u64() > Some(0), "{adapter}");
    }
}

#[cfg(not(feature = "gpu"))]
#[test]
fn an_engine_that_was_not_compiled_in_is_refused_with_the_way_out() {
    let desk = Desk::new();
    desk.fails("devices --engine gpu", 1, "--features gpu | cpu");
    let mut train = desk.command("train --eval-keys keys --data d --out o");
    Ran::of(train.env("ARRAS_ENGINE", "gpu:radeon"))
        .ends_with(1)
        .notes("--features gpu");
    let listed = desk.json("devices --list");
    assert_eq!(listed["engines"][1]["available"], false);
}
