//! The scheme layer: what a client and a server do, at the highest level of a parameter set.

use arras::{
    ckks::{Ciphertext, Decryptor, Evaluator, Plaintext, Result, SecretKey, random::Seed},
    hal::{Backend, SecretEngine},
};

use crate::{
    Client, Operation, Server,
    fixture::{ROTATIONS, values},
};

/// Keys, encryption and decryption.
///
/// # Errors
/// The engine's.
pub fn client_operations<S: SecretEngine>(client: &Client<S>) -> Result<Vec<Operation<'_>>> {
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

/// Everything an evaluator does. Products are settled (relinearized and rescaled) where the name says so.
///
/// # Errors
/// The engine's.
pub fn server_operations<B: Backend>(server: &Server<B>) -> Result<Vec<Operation<'_>>> {
    let level = server.context.max_level();
    let plain = server
        .evaluator
        .encode(&[&values(9, server.context.slots())], level)?;
    let mut list = sums_and_products(server, plain)?;
    list.extend(rotations_and_levels(server));
    Ok(list)
}

fn sums_and_products<B: Backend>(
    server: &Server<B>,
    plain: Plaintext<B>,
) -> Result<Vec<Operation<'_>>> {
    let Server {
        context,
        evaluator,
        x,
        y,
    } = server;
    let level = context.max_level();
    let vector = values(9, context.slots());
    let plain = std::sync::Arc::new(plain);
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
        on("multiply, relinearize, rescale", |e, x, y| {
            e.relinearize_and_rescale(&e.multiply(x, y)?)
        }),
        on("square, relinearize, rescale", |e, x, _| {
            e.relinearize_and_rescale(&e.square(x)?)
        }),
        on("sum of 8 products, relinearize, rescale", |e, x, y| {
            e.relinearize_and_rescale(&e.sum_of_products(&[x; 8], &[y; 8])?)
        }),
        on("fourth power", |e, x, _| {
            e.relinearize_and_rescale(&e.square(&e.square(x)?)?)
        }),
    ])
}

fn rotations_and_levels<B: Backend>(server: &Server<B>) -> Vec<Operation<'_>> {
    let Server {
        context,
        evaluator,
        x,
        ..
    } = server;
    let level = context.max_level();
    vec![
        Operation::call("rotate", context, || evaluator.rotate(x, 1)),
        Operation::call("8 rotations, separate", context, || {
            ROTATIONS
                .iter()
                .map(|&steps| evaluator.rotate(x, steps))
                .collect::<Result<Vec<_>>>()
        }),
        Operation::call("8 rotations, hoisted", context, || {
            evaluator.hoisted_rotations(x, &ROTATIONS)
        }),
        Operation::call("sum of 8 rotations", context, || {
            evaluator.rotation_sum(x, &ROTATIONS)
        }),
        Operation::call("level down by 1", context, move || {
            evaluator.level_down(x, level - 1)
        }),
        Operation::call("level down to 1", context, || evaluator.level_down(x, 1)),
        Operation::call("cut for sending", context, || evaluator.drop_moduli(x, 1.0)),
    ]
}
