//! Host to engine and back, keys into engines, objects to bytes and back.
//!
//! Run with: cargo bench -p arras-benches --bench transfers

fn main() -> arras_benches::Result<()> {
    arras_benches::cargo_bench::transfers()
}
