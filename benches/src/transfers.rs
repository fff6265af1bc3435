//! What crosses a border: between the host and an engine, and between objects and bytes.

use arras::{
    ckks::{Ciphertext, Context, Result, SeededCiphertext, SwitchingKey},
    hal::{Backend, Eval, Poly, SecretEngine},
};

use crate::{Client, Operation, Server};

fn nothing() -> Result<()> {
    Ok(())
}

/// Transfers of ciphertexts and keys at the highest level.
///
/// # Errors
/// The engine's.
pub fn operations<'a, S: SecretEngine, B: Backend>(
    client: &'a Client<S>,
    server: &'a Server<B>,
) -> Result<Vec<Operation<'a>>> {
    let mut list = between_host_and_engine(client, server)?;
    list.extend(byte_operations(client, server)?);
    Ok(list)
}

/// Between the host's memory and the engine's.
///
/// # Errors
/// The engine's.
pub fn between_host_and_engine<'a, S: SecretEngine, B: Backend>(
    client: &'a Client<S>,
    server: &'a Server<B>,
) -> Result<Vec<Operation<'a>>> {
    let Server { context, x, .. } = server;
    let params = context.params();
    let words = x.poly().to_words()?;
    let ciphertext_bytes = x.bytes() as u64;
    let mut buffer = vec![0; words.len()];
    let engine = context.engine();
    Ok(vec![
        Operation::on_engine("prepare an engine for the parameters", context, nothing, {
            move |()| Context::new(params, engine.clone())
        }),
        Operation::on_engine("upload a ciphertext", context, nothing, move |()| {
            Ok(Poly::<B, Eval>::from_words(
                context.ring(),
                x.poly().shape(),
                &words,
            )?)
        })
        .transferring(ciphertext_bytes),
        Operation::on_engine("download a ciphertext", context, nothing, move |()| {
            Ok(x.poly().download_into(&mut buffer)?)
        })
        .transferring(ciphertext_bytes),
        Operation::on_engine(
            "expand a seeded ciphertext into an engine",
            context,
            nothing,
            |()| client.encrypted[0].expand(context),
        )
        .transferring(ciphertext_bytes),
        Operation::on_engine("load a seeded key into an engine", context, nothing, |()| {
            client.relinearization.load(context)
        })
        .transferring(client.relinearization.expanded_bytes()),
    ])
}

/// Between objects and containers in memory.
fn byte_operations<'a, S: SecretEngine, B: Backend>(
    client: &'a Client<S>,
    server: &'a Server<B>,
) -> Result<Vec<Operation<'a>>> {
    let Server { context, x, .. } = server;
    let params = context.params();
    let key = &client.relinearization;
    let seeded = &client.encrypted[0];
    let [key_bytes, seeded_bytes, full_bytes] =
        [key.to_bytes()?, seeded.to_bytes()?, x.to_bytes()?];
    let [key_len, seeded_len, full_len] =
        [&key_bytes, &seeded_bytes, &full_bytes].map(|bytes| bytes.len() as u64);
    Ok(vec![
        Operation::on_engine("ciphertext to bytes", context, nothing, |()| x.to_bytes())
            .transferring(full_len),
        Operation::on_engine("ciphertext from bytes", context, nothing, move |()| {
            Ciphertext::from_bytes(&full_bytes, context)
        })
        .transferring(full_len),
        Operation::on_host("seeded ciphertext to bytes", nothing, |()| {
            seeded.to_bytes()
        })
        .transferring(seeded_len),
        Operation::on_host("seeded ciphertext from bytes", nothing, move |()| {
            SeededCiphertext::from_bytes(&seeded_bytes, params)
        })
        .transferring(seeded_len),
        Operation::on_host("key to bytes", nothing, |()| key.to_bytes()).transferring(key_len),
        Operation::on_host("key from bytes", nothing, move |()| {
            SwitchingKey::from_bytes(&key_bytes, params)
        })
        .transferring(key_len),
    ])
}
