//! Files: a client and a server that share nothing but a folder.
//!
//! The client writes its keys and an encrypted vector. The server reads the evaluation keys and the vector, computes, and writes
//! the result; the secret key never leaves the client's folder.
//!
//! Run with: cargo run --release -p arras --example save_and_load

use std::path::{Path, PathBuf};

use arras::{
    ckks::{
        Ciphertext, Context, Decryptor, Encryptor, EvaluationKeys, Evaluator, KeyGenerator,
        Parameters, PrecisionReport, SecretKey, SeededCiphertext,
        wire::{Overwrite, inspect},
    },
    secret_backend,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let folder = Folder::new()?;
    let (client, server) = (folder.0.join("client"), folder.0.join("server"));
    std::fs::create_dir(&client)?;
    std::fs::create_dir(&server)?;

    client_prepares(&client, &server)?;
    server_computes(&server)?;
    std::fs::rename(server.join("result.arras"), client.join("result.arras"))?;
    client_decrypts(&client)?;
    damage_is_noticed(&server)
}

/// 1. The client chooses parameters, makes keys, encrypts, and hands over what the server needs.
fn client_prepares(client: &Path, server: &Path) -> Result<()> {
    let params = Parameters::builder()
        .depth(2)
        .precision_bits(18)
        .slots(4096)
        .build()?;
    let context = Context::new(&params, secret_backend())?;
    let secret = SecretKey::generate(&context)?;
    let keys = KeyGenerator::new(&secret)?.evaluation_keys(&[1])?;
    let input = Encryptor::new(&secret)?.encrypt(&[&values()], context.max_level())?;

    // The secret key's file can be read by its owner only. No file is replaced unless that is asked for, and a file is there
    // whole or not at all.
    let sizes = [
        (
            "secret key",
            secret.save(client.join("secret.arras"), Overwrite::Refuse)?,
        ),
        (
            "parameters",
            params.save(server.join("parameters.arras"), Overwrite::Refuse)?,
        ),
        (
            "2 evaluation keys",
            keys.save(server.join("keys.arras"), Overwrite::Refuse)?,
        ),
        (
            "input, seeded",
            input.save(server.join("input.arras"), Overwrite::Refuse)?,
        ),
    ];
    std::fs::copy(
        server.join("parameters.arras"),
        client.join("parameters.arras"),
    )?;
    println!("The client writes");
    for (what, bytes) in sizes {
        println!("  {what:18} {bytes:>9} bytes");
    }
    println!(
        "  (keys and input carry seeds in place of their random halves; loaded, the keys take {} bytes)\n",
        keys.expanded_bytes()
    );
    Ok(())
}

/// 2. The server has never seen the client's program: everything it knows is in the files. It computes x^2 + (x rotated by 1).
fn server_computes(server: &Path) -> Result<()> {
    // Reading validates: these parameters keep the 128-bit bound, or there would be an error.
    let params = Parameters::from_file(server.join("parameters.arras"))?;
    let context = Context::new(&params, secret_backend())?;
    // One key at a time is expanded on its way into the engine.
    let keys = EvaluationKeys::load_from_file(server.join("keys.arras"), &context)?;
    let input = SeededCiphertext::from_file(server.join("input.arras"), &params)?;

    let evaluator = Evaluator::new(&context, keys)?;
    let x = input.expand(&context)?;
    let result = evaluator.add(&evaluator.square(&x)?, &evaluator.rotate(&x, 1)?)?;
    // The client only decrypts, so the result is cut to the limbs that hold values up to 2.
    let whole = evaluator
        .relinearize_and_rescale(&result)?
        .to_bytes()?
        .len();
    let result = evaluator.drop_moduli(&result, 2.0)?;
    let bytes = result.save(server.join("result.arras"), Overwrite::Refuse)?;
    println!(
        "The server computes and writes\n  result             {bytes:>9} bytes (uncut it would be {whole})\n"
    );
    Ok(())
}

/// 3. The client, another day: its files are all it needs.
fn client_decrypts(client: &Path) -> Result<()> {
    let params = Parameters::from_file(client.join("parameters.arras"))?;
    let context = Context::new(&params, secret_backend())?;
    let secret = SecretKey::from_file(client.join("secret.arras"), &context)?;
    let result = Ciphertext::from_file(client.join("result.arras"), &context)?;
    let actual = Decryptor::new(&secret).decrypt(&result)?.remove(0);

    let x = values();
    let slots = actual.len();
    let at = |i: usize| x.get(i % slots).copied().unwrap_or(0.0);
    let expected: Vec<f64> = (0..slots).map(|i| at(i) * at(i) + at(i + 1)).collect();
    let report = PrecisionReport::real(&expected, &actual)?;
    println!(
        "The client decrypts: right to {:.1} bits in the worst slot\n",
        report.worst_bits()
    );
    Ok(())
}

/// 4. What a file is, and what it says when a bit of it has flipped.
fn damage_is_noticed(server: &Path) -> Result<()> {
    let path = server.join("input.arras");
    let mut bytes = std::fs::read(&path)?;
    println!("Inspecting input.arras:\n{}\n", inspect(bytes.as_slice())?);

    let params = Parameters::from_file(server.join("parameters.arras"))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes)?;
    match SeededCiphertext::from_file(&path, &params) {
        Ok(_) => Err("a damaged file was accepted".into()),
        Err(error) => {
            println!("One flipped bit, and the file says:\n  {error}");
            Ok(())
        }
    }
}

fn values() -> Vec<f64> {
    (0..4096).map(|i| (i as f64 * 0.01).sin()).collect()
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("arras-save-and-load-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}
