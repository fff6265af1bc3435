//! Host to engine and back, keys into engines, objects to bytes and back.
//!
//! Run with: cargo bench -p arras-benches --bench transfers

use arras_benches::cargo_bench::{Layer, lists};

fn main() -> arras_benches::Result<()> {
    lists(Layer::Transfers)
}
