//! What a client and a server do with ciphertexts.
//!
//! Run with: cargo bench -p arras-benches --bench scheme

use arras_benches::cargo_bench::{Layer, lists};

fn main() -> arras_benches::Result<()> {
    lists(Layer::Scheme)
}
