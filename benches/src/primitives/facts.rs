//! Sizes and precisions: what does not depend on the machine.

use arras::{
    CpuEngine,
    ckks::{self, Ciphertext, Decryptor, Parameters, PrecisionReport},
};

use crate::{
    Client, Result, Server,
    fixture::ROTATIONS,
    report::{Form::*, Table, column},
};

/// Sizes and precisions at the highest level.
pub(super) fn of(params: &Parameters) -> Result<[Table; 2]> {
    let client = Client::new(params, CpuEngine::new())?;
    let server = Server::new(&client, CpuEngine::new())?;
    Ok([sizes(&client, &server)?, precision(&client, &server)?])
}

/// Sizes of objects at the highest level. A cut ciphertext holds values up to 1.
fn sizes(client: &Client<CpuEngine>, server: &Server<CpuEngine>) -> ckks::Result<Table> {
    let public = client.generator().public_key()?;
    let rotation = client.generator().rotation_key(1)?;
    let cut = server.evaluator.drop_moduli(&server.x, 1.0)?;
    let mut table = Table::new(
        "sizes",
        [
            column("object", Plain),
            column("bytes", Plain),
            column("", Bytes),
        ],
    );
    for (object, bytes) in [
        ("parameters", client.context.params().to_bytes()?.len()),
        ("secret key", client.secret.to_bytes()?.len()),
        ("public key", public.to_bytes()?.len()),
        (
            "relinearization key",
            client.relinearization.to_bytes()?.len(),
        ),
        ("rotation key", rotation.to_bytes()?.len()),
        (
            "rotation key, loaded into an engine",
            rotation.expanded_bytes() as usize,
        ),
        ("ciphertext, full", server.x.to_bytes()?.len()),
        ("ciphertext, loaded into an engine", server.x.bytes()),
        ("ciphertext, seeded", client.encrypted[0].to_bytes()?.len()),
        ("ciphertext, cut for sending", cut.to_bytes()?.len()),
    ] {
        table.row((object, bytes, bytes));
    }
    Ok(table)
}

/// Precision of operations on uniform values in [-1, 1), all slots in use: the errors of a result's slots, as bits below 1.
fn precision(client: &Client<CpuEngine>, server: &Server<CpuEngine>) -> Result<Table> {
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
    let mut table = Table::new(
        "precision",
        [
            column("result", Plain),
            column("levels used", Plain).key("depth"),
            column("worst", Fixed(1)).key("worst_bits"),
            column("median", Fixed(1)).key("median_bits"),
            column("mean", Fixed(1)).key("mean_bits"),
        ],
    );
    let mut compare =
        |name: &str, expected: &[f64], result: &Ciphertext<CpuEngine>| -> Result<()> {
            let report = PrecisionReport::real(expected, &decryptor.decrypt(result)?[0])?;
            let bits = [
                report.worst_bits(),
                report.median_bits(),
                report.mean_bits(),
            ];
            table.row((name, top - result.level(), bits));
            Ok(())
        };
    // Results go back to the client as they would in life.
    let returned = |result: &Ciphertext<CpuEngine>| -> Result<Ciphertext<CpuEngine>> {
        let bytes = evaluator.relinearize_and_rescale(result)?.to_bytes()?;
        Ok(Ciphertext::from_bytes(&bytes, &client.context)?)
    };
    compare("encrypt with the secret key", u, &returned(x)?)?;
    let public = client.public_encryptor().encrypt(&[u], top)?;
    compare("encrypt with the public key", u, &public)?;
    let (product, square) = (evaluator.multiply(x, y)?, evaluator.square(x)?);
    let sum = evaluator.rotation_sum(x, &ROTATIONS)?;
    for (name, expected, result) in [
        ("multiply", slotwise(|u, v| u * v), product),
        ("rotate", rotated(&[1]), evaluator.rotate(x, 1)?),
        ("sum of 8 rotations", rotated(&ROTATIONS), sum),
        ("level down to 1", u.clone(), evaluator.level_down(x, 1)?),
        (
            "fourth power",
            slotwise(|u, _| u.powi(4)),
            evaluator.square(&square)?,
        ),
    ] {
        compare(name, &expected, &returned(&result)?)?;
    }
    Ok(table)
}
