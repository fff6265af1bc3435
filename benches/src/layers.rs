//! One walk over every list of operations.

use std::collections::BTreeMap;

use arras::{ckks::Parameters, hal::SecretEngine};

use crate::{
    Client, Operation, Result, Server,
    ring::RingData,
    scheme::{client_operations, server_operations},
    timing::Timing,
    transfers,
};

/// Where an operation is at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Keys, encryption, decryption.
    Client,
    /// What an evaluator does.
    Server,
    /// Between host, engine and bytes.
    Transfers,
    /// Of the ring.
    Ring,
}

impl Layer {
    /// In the order of the walk.
    pub(crate) const ALL: [Self; 4] = [Self::Client, Self::Server, Self::Transfers, Self::Ring];
}

/// Hands every operation of some layers to `take`, at the highest level of a parameter set: the same ones in the same order on every
/// engine. Keys are gone before the ring's operands come.
pub(crate) fn walk<E: SecretEngine>(
    params: &Parameters,
    engine: &E,
    layers: &[Layer],
    mut take: impl FnMut(Layer, Operation<'_>) -> Result<()>,
) -> Result<()> {
    let wanted = |layer| layers.contains(&layer);
    let mut all = |layer, list: Vec<Operation<'_>>| -> Result<()> {
        let mut list = list.into_iter();
        list.try_for_each(|operation| take(layer, operation))
    };
    if layers != [Layer::Ring] {
        let client = Client::new(params, engine.clone())?;
        if wanted(Layer::Client) {
            all(Layer::Client, client_operations(&client)?)?;
        }
        let server = Server::new(&client, engine.clone())?;
        if wanted(Layer::Server) {
            all(Layer::Server, server_operations(&server)?)?;
        }
        if wanted(Layer::Transfers) {
            let list = transfers::operations(&client, &server)?;
            all(Layer::Transfers, list)?;
        }
    }
    if wanted(Layer::Ring) {
        let data = RingData::new(params, engine.clone())?;
        all(Layer::Ring, data.operations()?)?;
    }
    Ok(())
}

/// Times of the operations of some layers that have these names, each repeated for about this many seconds.
pub(crate) fn times<E: SecretEngine>(
    params: &Parameters,
    engine: &E,
    layers: &[Layer],
    names: &[&str],
    seconds: f64,
) -> Result<BTreeMap<&'static str, Timing>> {
    let mut times = BTreeMap::new();
    walk(params, engine, layers, |_, mut operation| {
        let name = operation.name;
        if names.contains(&name) {
            eprintln!("2^{}, {}: {name}", params.log_n(), engine.name());
            times.insert(name, Timing::of_operation(&mut operation, seconds)?);
        }
        Ok(())
    })?;
    Ok(times)
}
