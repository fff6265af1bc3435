//! Transforms, products, base conversions and the steps of a key switch.
//!
//! Run with: cargo bench -p arras-benches --bench ring

use arras_benches::{
    Result,
    layers::{RingLayer, bench_layer},
};
use criterion::Criterion;

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    bench_layer::<RingLayer>(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
