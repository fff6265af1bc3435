//! What a client and a server do with ciphertexts.
//!
//! Run with: cargo bench -p arras-benches --bench scheme

use arras_benches::{
    Result,
    layers::{SchemeLayer, bench_layer},
};
use criterion::Criterion;

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    bench_layer::<SchemeLayer>(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
