//! What a client and a server do with ciphertexts.
//!
//! Run with: cargo bench -p arras-benches --bench scheme

fn main() -> arras_benches::Result<()> {
    arras_benches::cargo_bench::scheme()
}
