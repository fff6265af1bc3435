//! The data owner's side: keys, encryption, decryption. Generic over [`SecretEngine`]: an engine that may not
//! hold secrets does not compile here.

mod decrypt;
mod encrypt;
mod keygen;
mod public_key;
mod secret_key;
mod seeded;

pub use decrypt::{Decryptor, SharedDecryption};
pub use encrypt::Encryptor;
pub use keygen::KeyGenerator;
pub use public_key::PublicKey;
pub use secret_key::SecretKey;
pub use seeded::SeededCiphertext;

use std::sync::Arc;

use arras_hal::{Coeff, Eval, Limbs, Poly, Ring, SecretEngine, Shape};
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
    let rows = coefficients
        .chunks_exact(n)
        .flat_map(|c| limbs.iter().map(move |limb| (c, limb)));
    for (row, (coefficients, limb)) in words.chunks_exact_mut(n).zip(rows) {
        small_residues(coefficients, ring.basis().modulus(limb).value(), row);
    }
    Ok(Poly::<S, Coeff>::from_secret_words(ring, &shape, &words)?.ntt())
}

/// Fresh errors, one stream per polynomial.
fn errors<S: SecretEngine>(
    ring: &Arc<Ring<S>>,
    streams: impl Iterator<Item = Stream>,
    limbs: &Limbs,
) -> Result<Poly<S, Eval>> {
    let n = ring.basis().n();
    let mut coefficients = Zeroizing::new(Vec::new());
    for mut stream in streams {
        let start = coefficients.len();
        coefficients.resize(start + n, 0);
        if let Some(row) = coefficients.get_mut(start..) {
            centred_binomial(&mut stream, row);
        }
    }
    small_poly(ring, &coefficients, limbs)
}
