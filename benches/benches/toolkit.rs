//! Linear algebra on encrypted matrices and vectors, of the sizes that people ask for.
//!
//! Run with: cargo bench -p arras-benches --bench toolkit
//!
//! `-- --test` runs each once with matrices of an eighth of the height and width, in a ring of 2^14: keys of the full size take minutes.

fn main() -> arras_benches::Result<()> {
    arras_benches::cargo_bench::toolkit()
}
