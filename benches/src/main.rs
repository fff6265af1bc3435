//! Measures and compares: `bench NAME`, a page of results each. `bench --help` lists them.
#![forbid(unsafe_code)]

fn main() -> arras_benches::Result<()> {
    arras_benches::main()
}
