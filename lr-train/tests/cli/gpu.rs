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
    let desk = Desk::with(finished(), &["keys", "data.arras", "result.arras"]);
    if !device(&desk) {
        return;
    }
    let before = desk.listing(".");
    let train = "train --eval-keys keys/eval --data data.arras --engine gpu --out out.arras";
    let refused: Ran = desk
        .command(train)
        .env("ARRAS_GPU_MEMORY_MIB", "1")
        .output()
        .unwrap()
        .into();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for word in [
        "memory needed",
        "training needs about",
        "available",
        "--engine cpu",
    ] {
        assert!(
            refused.stderr.contains(word),
            "no {word:?} in {}",
            refused.stderr
        );
    }
    assert_eq!(desk.listing("."), before);
    let wrong: Ran = desk
        .command(train)
        .env("ARRAS_GPU_MEMORY_MIB", "much")
        .output()
        .unwrap()
        .into();
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("whole number"), "{}", wrong.stderr);

    let ran: Ran = desk
        .command(&train.replace("--engine gpu ", ""))
        .env("ARRAS_ENGINE", "gpu")
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("engine: gpu, "), "{}", ran.stderr);
    // `finished` trained on the default engine, in main memory.
    assert!(desk.read("out.arras") == desk.read("result.arras"));
}

#[cfg(feature = "gpu")]
#[test]
fn an_adapter_that_is_not_there_is_refused_with_the_way_out() {
    Desk::new().fails(
        "devices --engine gpu:no-such-adapter",
        1,
        &["no-such-adapter", "choose the CPU engine"],
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
    desk.fails("devices --engine gpu", 1, &["--features gpu", "cpu"]);
    let ran: Ran = desk
        .command("train --eval-keys keys --data d --out o")
        .env("ARRAS_ENGINE", "gpu:radeon")
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("--features gpu"), "{}", ran.stderr);
    let listed = desk.json("devices --list");
    assert_eq!(listed["engines"][1]["available"], false);
}
