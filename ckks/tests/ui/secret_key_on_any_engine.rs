//! An erased engine may be a device, so it makes no keys.

use arras_ckks::{Context, SecretKey};
use arras_hal::AnyBackend;

fn keygen(context: &Context<AnyBackend>) {
    let _secret = SecretKey::generate(context);
}

fn main() {}
