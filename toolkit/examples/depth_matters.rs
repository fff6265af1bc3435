//! The same polynomial in two circuits, one of which needs a level less.
//!
//! ```text
//! cargo run --release -p arras-toolkit --example depth_matters [-- FOLDER]
//! ```
//! The pictures of both go to FOLDER, or to the system's folder for temporary files.
#![allow(clippy::print_stdout, reason = "an example that tells a story")]

use std::path::{Path, PathBuf};

use arras_toolkit::{Circuit, Depth, OpCount, Picture, Program, Recorder, Slots};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    std::fs::create_dir_all(&folder)?;

    println!("f(x) = x^4 + 2 on encrypted x. A ciphertext allows as many multiplications in a row");
    println!("as it has levels, and every operation is slower the more levels are left.\n");

    println!("1. As one would write it: ((x * x) * x) * x + 2\n");
    let product = record(|x| x.multiply(x).multiply(x).multiply(x).add_scalar(2.0))?;
    tell(&product);
    draw(&product, &folder.join("x4-plus-2-depth-3.svg"))?;

    println!("2. Squared twice: (x^2)^2 + 2\n");
    let squares = record(|x| x.square().square().add_scalar(2.0))?;
    tell(&squares);
    draw(&squares, &folder.join("x4-plus-2-depth-2.svg"))?;

    let (deep, shallow) = (Depth::of(&product), Depth::of(&squares));
    println!(
        "Both give the same. The first takes {} levels, the second {}: its products do not wait for each other.",
        deep.levels_needed(),
        shallow.levels_needed()
    );
    Ok(())
}

fn record(f: impl FnOnce(&Slots) -> Slots) -> Result<Circuit> {
    let recorder = Recorder::new(4096)?;
    let x = recorder.slots_input("x", 1);
    recorder.output("f(x)", &f(&x));
    Ok(recorder.finish()?)
}

fn draw(circuit: &Circuit, path: &Path) -> Result<()> {
    let program = Program::new(circuit.clone());
    Picture::operations(&program).save(path)?;
    println!("Its picture: {}\n", path.display());
    Ok(())
}

fn tell(circuit: &Circuit) {
    println!("{}", Depth::of(circuit));
    let count = OpCount::of(&Program::new(circuit.clone()));
    println!(
        "{} products of ciphertexts, {} key switches\n",
        count.ciphertext_products(),
        count.key_switches()
    );
}
