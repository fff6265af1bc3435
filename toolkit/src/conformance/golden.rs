//! What tests write down of programs and ciphertexts, for later versions to compare with.

use std::path::Path;

use crate::{OpCount, Program};

/// What a program is: each step by its operands, ciphertexts, level and components.
pub fn shape(program: &Program) -> String {
    let mut hasher = blake3::Hasher::new();
    for step in program.steps() {
        for operand in step.operands() {
            hasher.update(&(operand.index() as u64).to_le_bytes());
        }
        for number in [step.units(), step.level(), step.form().components()] {
            hasher.update(&(number as u64).to_le_bytes());
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// What a program does, in words.
pub fn counts(program: &Program) -> String {
    let count = OpCount::of(program);
    format!(
        "products {} plaintext {} scalar {} key-switches {} rotations {}",
        count.ciphertext_products(),
        count.plaintext_products(),
        count.scalar_products(),
        count.key_switches(),
        count.rotations(),
    )
}

/// The digest of residues.
pub fn digest(words: impl IntoIterator<Item = Vec<u32>>) -> String {
    let mut hasher = blake3::Hasher::new();
    for word in words.into_iter().flatten() {
        hasher.update(&word.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// The text is that of the file, line by line. With the environment variable `ARRAS_WRITE_GOLDEN` it is written there first.
///
/// # Panics
/// At the first line that differs, and if the file cannot be read or written.
#[track_caller]
pub fn assert_written_down(path: &Path, made: &str) {
    if std::env::var_os("ARRAS_WRITE_GOLDEN").is_some() {
        std::fs::write(path, made).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap();
    for (line, (made, known)) in made.lines().zip(known.lines()).enumerate() {
        assert_eq!(made, known, "line {}", line + 1);
    }
    assert_eq!(made.lines().count(), known.lines().count());
}
