//! Bytes of files before they are written, exact.

use arras_ckks::{
    KeyKind, Parameters,
    wire::{CHECKSUM_LEN, PREFIX_LEN},
};
use arras_toolkit::{
    cost::memory::{
        ObjectBytes, evaluation_key_bytes, evaluation_key_set_bytes, seeded_ciphertext_bytes,
    },
    plan::KeyRequests,
};

use super::plan::InputShape;
use crate::Result;

/// Around the header of a container, and its payload.
const FRAME: u64 = (PREFIX_LEN + CHECKSUM_LEN) as u64;

/// Bytes of postcard's encoding of a number.
fn varint(value: u64) -> u64 {
    let bits = u64::from(64 - value.leading_zeros()).max(1);
    bits.div_ceil(7)
}

/// A set of evaluation keys, each up to its own level, as one container, and loaded.
pub(super) fn keys(params: &Parameters, requests: &KeyRequests) -> Result<ObjectBytes> {
    let none: [KeyKind; 0] = [];
    // Specification and a length of 0 in one byte.
    let specification = evaluation_key_set_bytes(params, none, 0)?.container - FRAME - 1;
    let kinds = requests.kinds(params.log_n());
    let mut bytes = ObjectBytes {
        container: FRAME + specification + varint(kinds.len() as u64),
        loaded: 0,
    };
    for (kind, level) in kinds {
        let key = evaluation_key_bytes(params, kind, level)?;
        bytes.container += key.container - FRAME - specification;
        bytes.loaded += key.loaded;
    }
    Ok(bytes)
}

/// The container of one input.
pub(super) fn input(params: &Parameters, shape: &InputShape) -> Result<u64> {
    Ok(seeded_ciphertext_bytes(params, shape.level, shape.units)?.container)
}

/// Fresh ciphertexts, a container for each input, one after the other.
pub(super) fn inputs(params: &Parameters, shapes: &[InputShape]) -> Result<u64> {
    let mut total = 0;
    for shape in shapes {
        total += input(params, shape)?;
    }
    Ok(total)
}
