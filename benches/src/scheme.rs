//! The scheme layer: what a client and a server do, at the highest level of a parameter set.

use std::sync::Arc;

use arras::{
    ckks::{Ciphertext, Decryptor, Evaluator, Plaintext, Result, SecretKey, random::Seed},
    hal::{Backend, SecretEngine},
};

use crate::{
    Client, Operation, Server,
    fixture::{ROTATIONS, values},
};

/// Keys, encryption and decryption.
pub(crate) fn client_operations<S: SecretEngine>(client: &Client<S>) -> Result<Vec<Operation<'_>>> {
    let context = &client.context;
    let level = context.max_level();
    let scale = context.params().scale(level);
    let x: &[f64] = &client.values[0];
    let seed = Seed::from_bytes([7; 32]);
    // Coefficients of the size that a decryption has.
    let coefficients: Vec<f64> = values(8, context.params().n())
        .iter()
        .map(|value| value * scale)
        .collect();
    let ciphertext = client.encrypted[0].expand(context)?;
    let generator = client.generator();
    Ok(vec![
        Operation::host_call("encode (to integers)", move || {
            Ok(context.encoder().encode(x, scale)?)
        }),
        Operation::host_call("decode (from integers)", move || {
            Ok(context.encoder().decode_real(&coefficients, scale)?)
        }),
        Operation::call("generate a secret key", context, move || {
            SecretKey::from_seed(context, &seed)
        }),
        Operation::call("generate a public key", context, || {
            client.generator().public_key()
        }),
        Operation::call("generate a key-switching key", context, move || {
            generator.rotation_key(1)
        }),
        Operation::call("encrypt with the secret key (seeded)", context, move || {
            client.encryptor().encrypt(&[x], level)
        }),
        Operation::call("encrypt with the public key", context, move || {
            client.public_encryptor().encrypt(&[x], level)
        }),
        Operation::call("decrypt", context, move || {
            Decryptor::new(&client.secret).decrypt(&ciphertext)
        }),
    ])
}

/// What an evaluator does with two ciphertexts.
pub(crate) type Call<B> =
    fn(&Evaluator<B>, &Ciphertext<B>, &Ciphertext<B>) -> Result<Vec<Ciphertext<B>>>;

/// Calls that switch keys, by name: what engines are compared by.
pub(crate) fn key_switching_calls<B: Backend>() -> [(&'static str, Call<B>); 4] {
    [
        ("multiply, relinearize, rescale", |e, x, y| {
            Ok(vec![e.relinearize_and_rescale(&e.multiply(x, y)?)?])
        }),
        ("rotate", |e, x, _| Ok(vec![e.rotate(x, 1)?])),
        ("8 rotations, hoisted", |e, x, _| {
            e.hoisted_rotations(x, &ROTATIONS)
        }),
        ("sum of 8 rotations", |e, x, _| {
            Ok(vec![e.rotation_sum(x, &ROTATIONS)?])
        }),
    ]
}

/// Everything an evaluator does. Products are settled (relinearized and rescaled) where the name says so.
pub(crate) fn server_operations<B: Backend>(server: &Server<B>) -> Result<Vec<Operation<'_>>> {
    let Server {
        context,
        evaluator,
        x,
        y,
    } = server;
    let level = context.max_level();
    let vector = values(9, context.slots());
    let plain = Arc::new(evaluator.encode(&[&vector], level)?);
    let with_plain = |name, run: fn(&Evaluator<B>, &Ciphertext<B>, &Plaintext<B>) -> _| {
        let plain = plain.clone();
        Operation::call(name, context, move || {
            run(evaluator, x, &plain) as Result<Ciphertext<B>>
        })
    };
    let on = |name, run: fn(&Evaluator<B>, &Ciphertext<B>, &Ciphertext<B>) -> _| {
        Operation::call(name, context, move || {
            run(evaluator, x, y) as Result<Ciphertext<B>>
        })
    };
    let switching = |(name, call): (&'static str, Call<B>)| {
        Operation::call(name, context, move || call(evaluator, x, y))
    };
    let [multiply, rotate, hoisted, sum] = key_switching_calls().map(switching);
    // Products without their relinearization, for the row of that step.
    let pending = move || evaluator.multiply(x, y);
    let weighted = {
        let plain = plain.clone();
        move || evaluator.multiply_plain(x, &plain)
    };
    Ok(vec![
        Operation::call("encode a plaintext", context, move || {
            evaluator.encode(&[&vector], level)
        }),
        on("copy", |_, x, _| x.try_clone()),
        on("add", Evaluator::add),
        with_plain("add a plaintext", Evaluator::add_plain),
        on("multiply by a scalar", |e, x, _| e.multiply_scalar(x, 0.3)),
        with_plain("multiply by a plaintext", Evaluator::multiply_plain),
        with_plain("multiply by a plaintext, rescale", |e, x, p| {
            e.rescale(&e.multiply_plain(x, p)?)
        }),
        Operation::on_engine("rescale", context, weighted, |product| {
            evaluator.rescale(&product)
        }),
        on("multiply", Evaluator::multiply),
        Operation::on_engine("relinearize", context, pending, |product| {
            evaluator.relinearize(&product)
        }),
        multiply,
        on("square, relinearize, rescale", |e, x, _| {
            e.relinearize_and_rescale(&e.square(x)?)
        }),
        on("sum of 8 products, relinearize, rescale", |e, x, y| {
            e.relinearize_and_rescale(&e.sum_of_products(&[x; 8], &[y; 8])?)
        }),
        on("fourth power", |e, x, _| {
            e.relinearize_and_rescale(&e.square(&e.square(x)?)?)
        }),
        rotate,
        Operation::call("8 rotations, separate", context, || {
            let rotated = ROTATIONS.map(|steps| evaluator.rotate(x, steps));
            rotated.into_iter().collect::<Result<Vec<_>>>()
        }),
        hoisted,
        sum,
        on("level down by 1", |e, x, _| e.level_down(x, x.level() - 1)),
        on("level down to 1", |e, x, _| e.level_down(x, 1)),
        on("cut for sending", |e, x, _| e.drop_moduli(x, 1.0)),
    ])
}
