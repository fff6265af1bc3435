//! Transforms, products, base conversions and the steps of a key switch.
//!
//! Run with: cargo bench -p arras-benches --bench ring

fn main() -> arras_benches::Result<()> {
    arras_benches::cargo_bench::ring()
}
