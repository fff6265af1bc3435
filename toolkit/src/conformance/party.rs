//! Parameters, clients and keys of tests: small, insecure, the same in every run.

use arras_ckks::{
    Context, EvaluationKeySet, Evaluator, KeyGenerator, Parameters, SecretKey,
    params::{Dnum, LevelWidth, ParamsError, Security},
    random::Seed,
};
use arras_hal::SecretEngine;

use crate::{Client, Homomorphic, Program, Result, plan::KeyRequests};

/// A small set without any security, of levels of 39 bits and three digits.
///
/// # Errors
/// For a ring degree without as many levels.
pub fn insecure(log_n: u32, levels: usize) -> Result<Parameters, ParamsError> {
    Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .level_width(LevelWidth::Bits39)
        .dnum(Dnum::Fixed(3))
        .security(Security::InsecureForTests)
        .build()
}

/// A client whose secret key and encryptions are of fixed seeds, a byte each: `seed` and `seed + 2`.
///
/// # Errors
/// The engine's.
pub fn client<S: SecretEngine>(params: &Parameters, engine: S, seed: u8) -> Result<Client<S>> {
    let context = Context::new(params, engine)?;
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([seed; 32]))?;
    let client = Client::with_secret_key(secret)?;
    Ok(client.with_seed(Seed::from_bytes([seed + 2; 32])))
}

/// The keys that were asked for, of the fixed seed `seed + 1`.
///
/// # Errors
/// Without the secret key; the key generator's.
pub fn keys<S: SecretEngine>(
    client: &Client<S>,
    requests: &KeyRequests,
    seed: u8,
) -> Result<EvaluationKeySet> {
    let seed = Seed::from_bytes([seed + 1; 32]);
    requests.generate(&KeyGenerator::with_seed(client.secret_key()?, seed))
}

/// An executor with the [`keys`] that a program asks for and no others.
///
/// # Errors
/// As [`keys`], and the engine's.
pub fn homomorphic<S: SecretEngine>(
    client: &Client<S>,
    program: &Program,
    seed: u8,
) -> Result<Homomorphic<S>> {
    let (context, requests) = (client.context(), KeyRequests::of(program));
    let keys = keys(client, &requests, seed)?.into_loaded(context)?;
    Ok(Homomorphic::new(Evaluator::new(context, keys)?))
}
