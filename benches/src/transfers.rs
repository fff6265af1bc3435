//! What crosses a border: between the host and an engine, and between objects and bytes.

use arras::{
    ckks::{Ciphertext, Context, Result, SeededCiphertext, SwitchingKey},
    hal::{Backend, Eval, Poly, SecretEngine},
};

use crate::{Client, Operation, Server};

/// Transfers of ciphertexts and keys at the highest level.
pub(crate) fn operations<'a, S: SecretEngine, B: Backend>(
    client: &'a Client<S>,
    server: &'a Server<B>,
) -> Result<Vec<Operation<'a>>> {
    let mut list = between_host_and_engine(client, server)?;
    list.extend(byte_operations(client, server)?);
    Ok(list)
}

/// Between the host's memory and the engine's.
pub(crate) fn between_host_and_engine<'a, S: SecretEngine, B: Backend>(
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
        Operation::call("prepare an engine for the parameters", context, move || {
            Context::new(params, engine.clone())
        }),
        Operation::call("upload a ciphertext", context, move || {
            Ok(Poly::<B, Eval>::from_words(
                context.ring(),
                x.poly().shape(),
                &words,
            )?)
        })
        .transferring(ciphertext_bytes),
        Operation::call("download a ciphertext", context, move || {
            Ok(x.poly().download_into(&mut buffer)?)
        })
        .transferring(ciphertext_bytes),
        Operation::call("expand a seeded ciphertext into an engine", context, || {
            client.encrypted[0].expand(context)
        })
        .transferring(ciphertext_bytes),
        Operation::call("load a seeded key into an engine", context, || {
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
        Operation::call("ciphertext to bytes", context, || x.to_bytes()).transferring(full_len),
        Operation::call("ciphertext from bytes", context, move || {
            Ciphertext::from_bytes(&full_bytes, context)
        })
        .transferring(full_len),
        Operation::host_call("seeded ciphertext to bytes", || seeded.to_bytes())
            .transferring(seeded_len),
        Operation::host_call("seeded ciphertext from bytes", move || {
            SeededCiphertext::from_bytes(&seeded_bytes, params)
        })
        .transferring(seeded_len),
        Operation::host_call("key to bytes", || key.to_bytes()).transferring(key_len),
        Operation::host_call("key from bytes", move || {
            SwitchingKey::from_bytes(&key_bytes, params)
        })
        .transferring(key_len),
    ])
}
