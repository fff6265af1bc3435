//! An encryption draws secret errors.

use arras_ckks::{Context, PublicKey};
use arras_hal::AnyBackend;

fn encryptor(context: &Context<AnyBackend>, key: &PublicKey) {
    let _key = key.load(context);
}

fn main() {}
