//! Gives the input to every reader of a serialized object, as it is and with its checksum put right. Whatever is accepted
//! must be written back to the same bytes.
#![no_main]

use std::sync::LazyLock;

use arras_ckks::{
    Ciphertext, Context, EvaluationKeySet, EvaluationKeys, Parameters, Plaintext, PublicKey,
    SecretKey, SeededCiphertext, SwitchingKey,
    wire::{self, CHECKSUM_LEN},
};
use arras_hal::Reference;
use libfuzzer_sys::fuzz_target;

const PARAMETERS: &[u8] = include_bytes!("../../tests/golden/v1/parameters.arras");

/// The context of the corpus, so that the readers get past the comparison of parameters.
static CONTEXT: LazyLock<Context<Reference>> = LazyLock::new(|| {
    let params = Parameters::from_bytes_allowing_insecure(PARAMETERS).unwrap();
    Context::new(&params, Reference::new()).unwrap()
});

fn read(bytes: &[u8]) {
    let context = &*CONTEXT;
    let params = context.params();
    macro_rules! both {
        ($($type:ty, $home:expr;)*) => {$(
            if let Ok(object) = <$type>::from_bytes(bytes, $home) {
                assert!(object.to_bytes().unwrap()[..] == *bytes);
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
    }
    if let Ok(inspection) = wire::inspect(bytes) {
        assert!(inspection.bytes() == bytes.len() as u64);
        let _ = inspection.to_string();
    }
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // A fuzzer does not find a preimage: without this, hardly anything gets past the checksum.
    let mut bytes = bytes.to_vec();
    if let Some((signed, checksum)) = bytes.split_last_chunk_mut::<CHECKSUM_LEN>() {
        *checksum = *blake3::hash(signed).as_bytes();
        read(&bytes);
    }
});
