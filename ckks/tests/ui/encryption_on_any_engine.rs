//! An encryption draws secret errors.

use arras_ckks::{Context, Encryptor};
use arras_hal::AnyBackend;

fn encryptor(context: &Context<AnyBackend>) {
    let _encryptor = Encryptor::new(context);
}

fn main() {}
