//! Transforms, products, base conversions and the steps of a key switch.
//!
//! Run with: cargo bench -p arras-benches --bench ring

use arras_benches::cargo_bench::{Layer, lists};

fn main() -> arras_benches::Result<()> {
    lists(Layer::Ring)
}
