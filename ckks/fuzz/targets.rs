//! What is tried: the fuzz target and `tests/it/fuzz.rs` call the same functions.

use std::sync::LazyLock;

use arras_ckks::{
    Ciphertext, Context, EvaluationKeySet, EvaluationKeys, Parameters, Plaintext, PublicKey,
    SecretKey, SeededCiphertext, SwitchingKey,
    wire::{self, CHECKSUM_LEN},
};
use arras_hal::Reference;

const PARAMETERS: &[u8] = include_bytes!("../tests/golden/v1/parameters.arras");

/// The context of the corpus, so that the readers get past the comparison of parameters.
static CONTEXT: LazyLock<Context<Reference>> = LazyLock::new(|| {
    let params = Parameters::from_bytes_allowing_insecure(PARAMETERS).unwrap();
    Context::new(&params, Reference::new()).unwrap()
});

/// Gives the input to every reader of a serialized object, as it is and with its checksum put right. Whatever is accepted must be
/// written back to the same bytes. Returns whether any reader took it.
pub(crate) fn read_object(bytes: &[u8]) -> bool {
    let accepted = read(bytes);
    // A fuzzer does not find a preimage: without this, hardly anything gets past the checksum.
    let mut bytes = bytes.to_vec();
    let Some((signed, checksum)) = bytes.split_last_chunk_mut::<CHECKSUM_LEN>() else {
        return accepted;
    };
    *checksum = *blake3::hash(signed).as_bytes();
    read(&bytes) || accepted
}

fn read(bytes: &[u8]) -> bool {
    let context = &*CONTEXT;
    let params = context.params();
    let mut accepted = false;
    macro_rules! both {
        ($($type:ty, $home:expr;)*) => {$(
            if let Ok(object) = <$type>::from_bytes(bytes, $home) {
                assert!(object.to_bytes().unwrap()[..] == *bytes);
                accepted = true;
            }
            let mut input = bytes;
            if let Ok(object) = <$type>::read_from(&mut input, $home) {
                let read = bytes.len() - input.len();
                assert!(object.to_bytes().unwrap()[..] == bytes[..read]);
            }
        )*};
    }
    both! {
        SecretKey<Reference>, context;
        PublicKey, params;
        SwitchingKey, params;
        EvaluationKeySet, params;
        Plaintext<Reference>, context;
        Ciphertext<Reference>, context;
        SeededCiphertext, params;
    }
    let _ = EvaluationKeys::load_from(bytes, context);
    if let Ok(params) = Parameters::from_bytes_allowing_insecure(bytes) {
        assert!(params.to_bytes().unwrap() == bytes);
        let _ = params.to_string();
        accepted = true;
    }
    if let Ok(inspection) = wire::inspect(bytes) {
        assert!(inspection.bytes() == bytes.len() as u64);
        let _ = inspection.to_string();
    }
    accepted
}
