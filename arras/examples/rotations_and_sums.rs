//! Rotations: moving values between slots, and summing them.
//!
//! Run with: cargo run --release -p arras --example rotations_and_sums

use std::time::Instant;

use arras::{
    ckks::{
        Ciphertext, Context, Decryptor, Encryptor, Evaluator, KeyGenerator, Parameters,
        PrecisionReport, SecretKey, doubling_steps,
    },
    secret_backend,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let params = Parameters::builder()
        .depth(2)
        .precision_bits(18)
        .slots(4096)
        .build()?;
    let context = Context::new(&params, secret_backend())?;
    println!("{}\n", context.params());
    let slots = context.slots();

    // A server can rotate only by steps that it has keys for. Doubling needs the powers of two; the moving average below
    // needs 1 to 7.
    let mut steps = doubling_steps(1, slots);
    steps.extend(1..8);
    let secret = SecretKey::generate(&context)?;
    let keys = KeyGenerator::new(&secret)?.evaluation_keys(&steps)?;
    println!(
        "{} keys, {:.1} MB once loaded\n",
        keys.len(),
        keys.expanded_bytes() as f64 / 1e6
    );

    let x: Vec<f64> = (0..slots).map(|i| (i as f64 * 0.01).cos()).collect();
    let ct = Encryptor::new(&secret)?
        .encrypt(&[&x], context.max_level())?
        .expand(&context)?;
    let evaluator = Evaluator::new(&context, keys.load(&context)?)?;
    let decryptor = Decryptor::new(&secret);
    let report = |name: &str,
                  expected: &[f64],
                  result: &Ciphertext<_>|
     -> Result<(), Box<dyn std::error::Error>> {
        let report = PrecisionReport::real(expected, &decryptor.decrypt(result)?[0])?;
        println!("{name}: {:.1} bits in the worst slot", report.worst_bits());
        Ok(())
    };

    // 1. One rotation to the left by 3.
    let rotated = evaluator.rotate(&ct, 3)?;
    let expected: Vec<f64> = (0..slots).map(|j| x[(j + 3) % slots]).collect();
    report("rotation by 3", &expected, &rotated)?;

    // 2. The sum of all slots, in every slot: log2(slots) doublings.
    let sum = evaluator.rotate_and_sum(&ct, 1, slots)?;
    report("sum of all slots", &vec![x.iter().sum(); slots], &sum)?;

    // 3. A moving average over 8 slots. Rotating and adding costs 7 key switches; hoisting shares their expensive part, and
    //    the sum of rotations divides by the special modulus once.
    let start = Instant::now();
    let mut separate = evaluator.relinearize_and_rescale(&ct)?;
    for k in 1..8 {
        separate = evaluator.add(&separate, &evaluator.rotate(&ct, k)?)?;
    }
    let separate_time = start.elapsed();
    let start = Instant::now();
    let hoisted = evaluator.rotation_sum(&ct, &[0, 1, 2, 3, 4, 5, 6, 7])?;
    let hoisted_time = start.elapsed();
    let window: Vec<f64> = (0..slots)
        .map(|j| (0..8).map(|k| x[(j + k) % slots]).sum::<f64>() / 8.0)
        .collect();
    report(
        "moving average, separate",
        &window,
        &evaluator.multiply_scalar(&separate, 0.125)?,
    )?;
    report(
        "moving average, hoisted",
        &window,
        &evaluator.multiply_scalar(&hoisted, 0.125)?,
    )?;
    println!("separate rotations {separate_time:.1?}, hoisted {hoisted_time:.1?}");

    // 4. Weights for each slot and rotation: a matrix with eight diagonals times a vector, in one operation.
    let diagonals: Vec<Vec<f64>> = (0..4)
        .map(|k| {
            (0..slots)
                .map(|j| ((j * (k + 1)) as f64 * 0.001).sin())
                .collect()
        })
        .collect();
    let weights = diagonals
        .iter()
        .map(|d| evaluator.encode_weights(&[d], ct.level()))
        .collect::<Result<Vec<_>, _>>()?;
    let product =
        evaluator.weighted_rotation_sum(&ct, &[0, 1, 2, 3], &weights.iter().collect::<Vec<_>>())?;
    let expected: Vec<f64> = (0..slots)
        .map(|j| (0..4).map(|k| diagonals[k][j] * x[(j + k) % slots]).sum())
        .collect();
    report("banded matrix times vector", &expected, &product)?;
    Ok(())
}
