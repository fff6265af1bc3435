//! Equal seeds give equal bytes, whatever the number of threads and the engine.

use crate::support::{insecure, secure, values};
use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Context, EncryptionStreams, Encryptor, KeyGenerator, Parameters, SecretKey, random::Seed,
};
use arras_hal::{Reference, SecretEngine};

/// Everything that a client makes from seeds, as objects that compare by their bytes.
#[derive(PartialEq)]
struct Made {
    keys: arras_ckks::EvaluationKeySet,
    public_key: arras_ckks::PublicKey,
    seeded: arras_ckks::SeededCiphertext,
    public: Vec<u32>,
}

fn make<S: SecretEngine>(params: &Parameters, engine: S, seed: u8) -> Made {
    let context = Context::new(params, engine).unwrap();
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([seed; 32])).unwrap();
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([seed + 1; 32]));
    let streams = EncryptionStreams::from_seed(Seed::from_bytes([seed + 2; 32]));
    let keys = generator.evaluation_keys(&[1, -3]).unwrap();
    let public_key = generator.public_key().unwrap();
    let vectors = [values(1, params.slots()), values(2, params.slots())];
    let vectors = [&vectors[0][..], &vectors[1][..]];
    let level = params.max_level();
    let seeded = Encryptor::with_streams(&secret, &streams).encrypt(&vectors, level);
    let loaded = public_key.load(&context).unwrap();
    let public = Encryptor::with_streams(&loaded, &streams).encrypt(&vectors, level);
    Made {
        keys,
        public_key,
        seeded: seeded.unwrap(),
        public: public.unwrap().poly().to_words().unwrap(),
    }
}

/// On failure says what differs without printing megabytes.
fn assert_same(left: &Made, right: &Made, what: &str) {
    for (of, same) in [
        ("evaluation keys", left.keys == right.keys),
        ("public keys", left.public_key == right.public_key),
        ("secret-key encryptions", left.seeded == right.seeded),
        ("public-key encryptions", left.public == right.public),
    ] {
        assert!(same, "{what}: {of} differ");
    }
}

#[test]
fn threads_and_engines_do_not_change_a_byte() {
    for params in [insecure(8, 4), secure(13, 2)] {
        let base = make(&params, Reference::new(), 1);
        for threads in [1, 2, 5] {
            let engine = CpuEngine::with_threads(threads).unwrap();
            let cpu = make(&params, engine, 1);
            assert_same(&base, &cpu, &format!("cpu, {threads} threads"));
        }
    }
}

#[test]
fn seeds_and_calls_change_everything() {
    let params = insecure(7, 2);
    let [one, other] = [1, 11].map(|seed| make(&params, Reference::new(), seed));
    assert!(one.keys != other.keys && one.public_key != other.public_key);
    assert!(one.seeded != other.seeded && one.public != other.public);

    // Two calls draw from different streams.
    let context = Context::new(&params, Reference::new()).unwrap();
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
    assert!(generator.rotation_key(1).unwrap() != generator.rotation_key(1).unwrap());
    let encryptor = Encryptor::with_seed(&secret, Seed::from_bytes([3; 32]));
    let encrypt = || encryptor.encrypt(&[&[1.0]], 1).unwrap();
    assert!(encrypt() != encrypt());
    // So do two encryptors and keys with randomness from the operating system.
    let encryptor = || Encryptor::new(&secret).unwrap();
    let fresh = || encryptor().encrypt(&[&[1.0]], 1).unwrap();
    assert!(fresh() != fresh());
    let secrets = [(); 2].map(|()| SecretKey::generate(&context).unwrap());
    assert!(!secrets[0].equals(&secrets[1]));
}
