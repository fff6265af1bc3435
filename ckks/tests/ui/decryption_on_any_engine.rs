//! A ciphertext on an engine without secrets is not decrypted there.

use arras_ckks::{Ciphertext, Decryptor, SecretKey};
use arras_hal::{AnyBackend, Reference};

fn decrypt(secret: &SecretKey<Reference>, ct: &Ciphertext<AnyBackend>) {
    let _values = Decryptor::new(secret).decrypt(ct);
}

fn main() {}
