//! f(x) = x^4 + 2 on encrypted numbers, computed in two ways.
//!
//! The first circuit multiplies by x three times in a row: depth 3. The second squares twice: depth 2. They decrypt to the same
//! numbers; the second needs fewer levels, so its parameters could be smaller and everything faster. That a circuit's depth, not
//! its number of multiplications, is what one pays for is what Arras is built around.
//!
//! Run with: cargo run --release -p arras --example x4_plus_2

use std::time::Instant;

use arras::{
    ckks::{
        Context, Decryptor, Encryptor, Evaluator, KeyGenerator, Parameters, PrecisionReport,
        SecretKey,
    },
    secret_backend,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1. Parameters are chosen from what the circuit needs, and always give 128 bits of security.
    let choice = Parameters::builder()
        .depth(3)
        .precision_bits(20)
        .slots(4096)
        .choose()?;
    println!("{}\n", choice.explanation());
    let context = Context::new(choice.parameters(), secret_backend())?;

    // 2. The client makes keys and encrypts. The secret key never leaves it.
    let secret = SecretKey::generate(&context)?;
    let keys = KeyGenerator::new(&secret)?.evaluation_keys(&[])?;
    let x: Vec<f64> = (0..context.slots())
        .map(|i| (i as f64 / 1000.0).sin())
        .collect();
    let encrypted = Encryptor::new(&secret)?.encrypt(&[&x], context.max_level())?;

    // 3. The server computes, with evaluation keys only.
    let evaluator = Evaluator::new(&context, keys.load(&context)?)?;
    let ct = encrypted.expand(&context)?;

    let start = Instant::now();
    let x2 = evaluator.square(&ct)?;
    let x3 = evaluator.multiply(&x2, &ct)?;
    let chain = evaluator.add_scalar(&evaluator.multiply(&x3, &ct)?, 2.0)?;
    let chain = evaluator.relinearize_and_rescale(&chain)?;
    let chain_time = start.elapsed();

    let start = Instant::now();
    let squares = evaluator.add_scalar(&evaluator.square(&evaluator.square(&ct)?)?, 2.0)?;
    let squares = evaluator.relinearize_and_rescale(&squares)?;
    let squares_time = start.elapsed();

    // 4. The client decrypts and compares with the computation in the clear.
    let decryptor = Decryptor::new(&secret);
    let expected: Vec<f64> = x.iter().map(|x| x.powi(4) + 2.0).collect();
    for (name, result, time) in [
        ("((x * x) * x) * x + 2", &chain, chain_time),
        ("(x^2)^2 + 2", &squares, squares_time),
    ] {
        let values = decryptor.decrypt(result)?;
        let depth = ct.level() - result.level();
        println!(
            "{name}: depth {depth}, {} levels left, {time:.1?}",
            result.level()
        );
        println!("{}\n", PrecisionReport::real(&expected, &values[0])?);
    }
    assert_eq!(ct.level() - chain.level(), 3);
    assert_eq!(ct.level() - squares.level(), 2);
    Ok(())
}
