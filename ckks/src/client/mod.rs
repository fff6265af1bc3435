//! The data owner's side: keys, encryption, decryption. Generic over [`SecretEngine`]: an engine that may not
//! hold secrets does not compile here.

mod decrypt;
mod encrypt;
mod keygen;
pub mod opening;
mod public_key;
mod secret_key;
mod seeded;

pub use decrypt::Decryptor;
pub use encrypt::{EncryptionKey, EncryptionStreams, Encryptor};
pub use keygen::KeyGenerator;
pub use public_key::{LoadedPublicKey, PublicKey};
pub use secret_key::SecretKey;
pub use seeded::SeededCiphertext;

use std::sync::Arc;

use arras_hal::{Coeff, Eval, HalError, Limbs, Poly, Ring, SecretEngine, Shape};
use zeroize::Zeroizing;

use crate::{
    Result,
    random::{Stream, centred_binomial, small_residues},
};

/// Small signed coefficients, `[polys][N]`, as evaluations over `limbs` in memory that is overwritten when it is dropped.
fn small_poly<S: SecretEngine>(
    ring: &Arc<Ring<S>>,
    coefficients: &[i8],
    limbs: &Limbs,
) -> Result<Poly<S, Eval>> {
    let n = ring.basis().n();
    let shape = Shape::new(coefficients.len() / n, limbs.clone());
    let mut words = Zeroizing::new(vec![0; shape.words(n)]);
    let workers = ring.engine().workers();
    workers.each_chunk(&mut words, n, |i, row| {
        let (poly, limb) = (i / limbs.len(), limbs.at(i % limbs.len()));
        if let Some(coefficients) = coefficients.chunks_exact(n).nth(poly) {
            small_residues(coefficients, ring.basis().modulus(limb).value(), row);
        }
        Ok::<_, HalError>(())
    })?;
    Ok(Poly::<S, Coeff>::from_secret_words(ring, &shape, &words)?.ntt())
}

/// Fresh errors for `count` polynomials, each from its own stream.
fn errors<S: SecretEngine>(
    ring: &Arc<Ring<S>>,
    count: usize,
    stream: impl Fn(u64) -> Stream + Sync,
    limbs: &Limbs,
) -> Result<Poly<S, Eval>> {
    let n = ring.basis().n();
    // All memory at once: a vector that grows would leave copies behind.
    let mut coefficients = Zeroizing::new(vec![0; count * n]);
    let workers = ring.engine().workers();
    workers.each_chunk(&mut coefficients, n, |i, row| {
        centred_binomial(&mut stream(i as u64), row);
        Ok::<_, HalError>(())
    })?;
    small_poly(ring, &coefficients, limbs)
}
