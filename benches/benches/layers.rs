//! Every operation of client, server, transfers and ring.
//!
//! Run with: cargo bench -p arras-benches --bench layers

fn main() -> arras_benches::Result<()> {
    arras_benches::cargo_bench::layers()
}
