//! Draws circuits into a folder: x^4 + 2 in its two ways, and the beginning of training circuits.
//!
//! ```text
//! cargo run --release -p lr-train --example pictures -- docs/pictures
//! ```

use std::path::{Path, PathBuf};

use arras_toolkit::{Circuit, Picture, Program, Recorder, Slots};
use lr_train::circuits::{Kind, Spec, Start, Step, TrainingCircuit};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pictures")),
        PathBuf::from,
    );
    std::fs::create_dir_all(&folder)?;

    let deep = polynomial(|x| x.multiply(x).multiply(x).multiply(x).add_scalar(2.0))?;
    save(&folder, "x4-plus-2-depth-3", "((x x) x) x + 2", deep)?;
    let flat = polynomial(|x| x.square().square().add_scalar(2.0))?;
    save(&folder, "x4-plus-2-depth-2", "(x\u{b2})\u{b2} + 2", flat)?;

    for (kind, iterations) in [
        (Kind::Baseline, 1),
        (Kind::LowDepth, 1),
        (Kind::LowDepth, 2),
    ] {
        let name = format!("{kind}-{iterations}");
        let plural = if iterations == 1 { "" } else { "s" };
        let title = format!("Logistic regression, {kind}: {iterations} iteration{plural}");
        save(&folder, &name, &title, training(kind, iterations)?)?;
    }
    Ok(())
}

fn polynomial(f: impl FnOnce(&Slots) -> Slots) -> Result<Circuit> {
    let recorder = Recorder::new(1 << 12)?;
    let x = recorder.slots_input("x", 1);
    recorder.output("f", &f(&x));
    Ok(recorder.finish()?)
}

/// Constants only label the boxes here.
fn training(kind: Kind, iterations: usize) -> Result<Circuit> {
    let step = Step::new(0.01, -0.3);
    let steps = vec![step; iterations];
    let spec = Spec::new(kind, 1 << 12, 16, 32, steps).start(Start::Encrypted);
    Ok(TrainingCircuit::record(spec)?.circuit().clone())
}

fn save(folder: &Path, name: &str, title: &str, circuit: Circuit) -> Result<()> {
    let program = Program::new(circuit);
    let operations = Picture::operations(&program).titled(title);
    operations.save(folder.join(format!("{name}.svg")))?;
    // What an engine runs, where it fits on a page.
    if program.steps().len() < 16 {
        let steps = Picture::steps(&program).titled(format!("{title}, as it runs"));
        steps.save(folder.join(format!("{name}-steps.svg")))?;
    }
    println!("{name}: depth {}", operations.summary.depth);
    Ok(())
}
