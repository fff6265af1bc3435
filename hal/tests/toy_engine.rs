//! The toy engine of `docs/adding-an-engine.md` passes the whole suite, and the page quotes it rightly.
#![cfg(feature = "conformance")]

mod toy;

use arras_hal::{
    Checked, Eval, HalErrorKind, Limbs, Poly, Reference, Ring, RingBasis, RingSpec, Shape,
    conformance::Options, decorators::Tampered,
};
use toy::Toy;

arras_hal::backend_conformance!(
    toy_engine,
    Toy::default,
    Options::new().max_log_n(12).fault(Toy::fail_next)
);

/// A toy whose products come out negated.
fn wrong_engine() -> Tampered<Toy> {
    use arras_hal::{Backend, composites};
    Tampered::new(Toy::default()).after(|op, engine, ring, outputs| {
        if op == "mul" {
            let product = composites::copy_all(engine, ring, outputs[0]).expect("toys have memory");
            engine
                .neg(ring, outputs[0], &product)
                .expect("toys have memory");
        }
    })
}

#[test]
fn a_checked_engine_names_the_first_wrong_operation() {
    let basis = RingBasis::new(&RingSpec {
        log_n: 3,
        moduli: vec![97, 193],
    })
    .expect("primes that are 1 modulo 16");
    let engine = Checked::new(wrong_engine(), Reference);
    let ring = Ring::new(engine, &basis).expect("a ring");
    let shape = Shape::new(1, Limbs::new(0..2));
    let x = Poly::<_, Eval>::from_words(&ring, &shape, &[5; 16]).expect("canonical");
    let sum = x.add(&x).expect("one ring");
    assert_eq!(sum.to_words().expect("sums are right"), [10; 16]);
    let square = x.mul(&x).expect("one ring");
    let error = square.to_words().expect_err("products are wrong");
    let HalErrorKind::Mismatch(mismatch) = error.kind() else {
        panic!("{error}");
    };
    assert_eq!(mismatch.op, "mul");
    assert_eq!((mismatch.got, mismatch.expected), (97 - 25, 25));
}

/// Every Rust block of the page stands in the sources, up to indentation.
#[test]
fn the_page_quotes_the_sources() {
    let page = include_str!("../../docs/adding-an-engine.md");
    let sources = [include_str!("toy/mod.rs"), include_str!("toy_engine.rs")].concat();
    let trimmed = |text: &str| -> String {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.join("\n")
    };
    let sources = trimmed(&sources);
    let blocks: Vec<String> = page
        .split("```rust\n")
        .skip(1)
        .map(|rest| trimmed(rest.split("```").next().unwrap_or_default()))
        .collect();
    assert!(blocks.len() >= 9, "{} blocks", blocks.len());
    for block in &blocks {
        assert!(
            sources.contains(block.as_str()),
            "not in the sources:\n{block}"
        );
    }
}
