//! Sizes and precisions: what does not depend on the machine.

use arras::{
    ckks::{self, Ciphertext, Decryptor, PrecisionReport},
    hal::{Backend, SecretEngine},
};
use serde::Serialize;

use crate::{Client, Result, Server, fixture::ROTATIONS};

/// Bytes of an object.
#[derive(Debug, Serialize)]
pub struct Size {
    /// The object and its form.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: u64,
}

/// The errors of a result's slots, as bits below 1.
#[derive(Debug, Serialize)]
pub struct Precision {
    /// What was computed.
    pub name: &'static str,
    /// Levels that the result is below the input.
    pub depth: usize,
    /// Bits of the largest error.
    pub worst_bits: f64,
    /// Bits of the median error.
    pub median_bits: f64,
    /// Bits of the mean error.
    pub mean_bits: f64,
}

/// Sizes of objects at the highest level. A cut ciphertext holds values up to 1.
pub(super) fn sizes<S: SecretEngine, B: Backend>(
    client: &Client<S>,
    server: &Server<B>,
) -> ckks::Result<Vec<Size>> {
    let rotation = client.generator().rotation_key(1)?;
    let cut = server.evaluator.drop_moduli(&server.x, 1.0)?;
    let size = |name, bytes: usize| Size {
        name,
        bytes: bytes as u64,
    };
    Ok(vec![
        size("parameters", client.context.params().to_bytes()?.len()),
        size("secret key", client.secret.to_bytes()?.len()),
        size(
            "public key",
            client.generator().public_key()?.to_bytes()?.len(),
        ),
        size(
            "relinearization key",
            client.relinearization.to_bytes()?.len(),
        ),
        size("rotation key", rotation.to_bytes()?.len()),
        Size {
            name: "rotation key, loaded into an engine",
            bytes: rotation.expanded_bytes(),
        },
        size("ciphertext, full", server.x.to_bytes()?.len()),
        size("ciphertext, loaded into an engine", server.x.bytes()),
        size("ciphertext, seeded", client.encrypted[0].to_bytes()?.len()),
        size("ciphertext, cut for sending", cut.to_bytes()?.len()),
    ])
}

/// Precision of operations on uniform values in [-1, 1), all slots in use.
pub(super) fn precision<S: SecretEngine, B: Backend>(
    client: &Client<S>,
    server: &Server<B>,
) -> Result<Vec<Precision>> {
    let Server {
        evaluator, x, y, ..
    } = server;
    let [u, v] = &client.values;
    let top = client.context.max_level();
    let slots = client.context.slots();
    let slotwise =
        |f: fn(f64, f64) -> f64| -> Vec<f64> { u.iter().zip(v).map(|(&u, &v)| f(u, v)).collect() };
    let rotated = |steps: &[i64]| -> Vec<f64> {
        (0..slots)
            .map(|j| steps.iter().map(|&k| u[(j + k as usize) % slots]).sum())
            .collect()
    };
    let decryptor = Decryptor::new(&client.secret);
    let compare = |name, expected: &[f64], result: &Ciphertext<S>| -> Result<Precision> {
        let report = PrecisionReport::real(expected, &decryptor.decrypt(result)?[0])?;
        Ok(Precision {
            name,
            depth: top - result.level(),
            worst_bits: report.worst_bits(),
            median_bits: report.median_bits(),
            mean_bits: report.mean_bits(),
        })
    };
    // Results go back to the client as they would in life.
    let computed = |name, expected: &[f64], result: &Ciphertext<B>| -> Result<Precision> {
        let bytes = evaluator.relinearize_and_rescale(result)?.to_bytes()?;
        compare(
            name,
            expected,
            &Ciphertext::from_bytes(&bytes, &client.context)?,
        )
    };
    let public = client.public_encryptor().encrypt(&[u], top)?;
    Ok(vec![
        computed("encrypt with the secret key", u, x)?,
        compare("encrypt with the public key", u, &public)?,
        computed(
            "multiply",
            &slotwise(|u, v| u * v),
            &evaluator.multiply(x, y)?,
        )?,
        computed("rotate", &rotated(&[1]), &evaluator.rotate(x, 1)?)?,
        computed(
            "sum of 8 rotations",
            &rotated(&ROTATIONS),
            &evaluator.rotation_sum(x, &ROTATIONS)?,
        )?,
        computed("level down to 1", u, &evaluator.level_down(x, 1)?)?,
        computed(
            "fourth power",
            &slotwise(|u, _| u.powi(4)),
            &evaluator.square(&evaluator.square(x)?)?,
        )?,
    ])
}
