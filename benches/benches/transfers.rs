//! Host to engine and back, keys into engines, objects to bytes and back.
//!
//! Run with: cargo bench -p arras-benches --bench transfers

use arras_benches::{
    Result,
    layers::{TransferLayer, bench_layer},
};
use criterion::Criterion;

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    bench_layer::<TransferLayer>(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
