//! Sizes close to the information content, files on disk, and the security bound recomputed from what is in them.

use std::path::Path;

use crate::support::{Party, insecure, secure, values};
use arras_ckks::{
    Ciphertext, CkksError, CkksErrorKind, Context, EvaluationKeys, Evaluator, KeyGenerator,
    KeyKind, Parameters, PublicKey, SecretKey, SeededCiphertext, SwitchingKey,
    random::Seed,
    wire::{self, ObjectSummary, Overwrite, WireError},
};
use arras_hal::{GaloisElement, Reference};
use num_bigint::BigUint;

/// Bits of the residues of `polys` polynomials over these moduli, in bytes.
fn content(params: &Parameters, moduli: impl Iterator<Item = u32>, polys: usize) -> f64 {
    let bits: u32 = moduli.map(|q| (f64::from(q)).log2().ceil() as u32).sum();
    polys as f64 * params.n() as f64 * f64::from(bits) / 8.0
}

#[test]
fn sizes_are_close_to_the_information_content() {
    let params = secure(13, 2);
    let context = Context::new(&params, Reference::new()).unwrap();
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
    let key = generator.relinearization_key().unwrap();
    let small = key.cut(0).unwrap();
    let public = generator.public_key().unwrap();
    let party = Party::new(&params, Reference::new(), &[]);
    let x = values(1, params.slots());
    let seeded = party.encryptor().encrypt(&[&x, &x], 2).unwrap();
    let ct = seeded.expand(&party.context).unwrap();
    let cut = party.evaluator.drop_moduli(&ct, 1.0).unwrap();
    let plain = party.evaluator.encode(&[&x], 1).unwrap();

    let modulus = |i: usize| params.moduli()[i];
    let key_content = |key: &SwitchingKey| {
        let layout = key.layout();
        content(&params, layout.limbs.iter().map(modulus), layout.digits)
    };
    let window = |level: usize| params.window(level).map(modulus);
    let public_limbs = (0..=params.special_range().start).map(modulus);
    let public_content = content(&params, public_limbs, 1);
    let cut_content = content(&params, cut.limbs().iter().map(modulus), 4);
    let at_level = |level, polys| content(&params, window(level), polys);
    let secret = secret.to_bytes().map(|bytes| bytes.to_vec());
    for (what, bytes, content) in [
        ("secret key", secret, params.n() as f64 / 4.0),
        ("public key", public.to_bytes(), public_content),
        ("switching key", key.to_bytes(), key_content(&key)),
        ("key for level 0", small.to_bytes(), key_content(&small)),
        ("2 seeded ciphertexts", seeded.to_bytes(), at_level(2, 2)),
        ("2 ciphertexts", ct.to_bytes(), at_level(2, 4)),
        ("2 cut ciphertexts", cut.to_bytes(), cut_content),
        ("plaintext", plain.to_bytes(), at_level(1, 1)),
    ] {
        let bytes = bytes.unwrap();
        let inspection = wire::inspect(bytes.as_slice()).unwrap();
        let header = inspection.header_bytes();
        assert_eq!(inspection.payload_bytes() as f64, content, "{what}");
        assert!(bytes.len() as f64 <= 1.01 * content + header as f64 + 60.0);
        assert!(header < 200, "{what}");
        says! { inspection => ["N = 2^13"] }
    }
}

/// ePrint 2024/463, 128 bits, classical, ternary secrets.
const BOUNDS: [(u32, u64, usize); 3] = [(13, 214, 2), (14, 430, 5), (15, 868, 14)];

#[test]
fn the_modulus_in_serialized_keys_is_below_the_bound() {
    for (log_n, bound, levels) in BOUNDS {
        let params = secure(log_n, levels);
        let context = Context::new(&params, Reference::new()).unwrap();
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
        // A key for one level has every special prime; the prime lists are of the whole basis in any case.
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let budget = if log_n == 13 { levels } else { 0 };
        let key = generator.switching_key(KeyKind::Relinearization, budget);
        let key = key.unwrap();
        let bytes = key.to_bytes().unwrap();

        let inspection = wire::inspect(bytes.as_slice()).unwrap();
        let spec = inspection.parameters().unwrap().spec();
        let primes = [&spec.terminals[..], &spec.mains, &spec.specials].concat();
        let mut distinct = primes.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), primes.len());
        let qp: BigUint = primes.iter().copied().product();
        // Odd and of at most `bound` bits, so below 2^bound.
        assert!(qp.bits() <= bound, "N = 2^{log_n}: {} bits", qp.bits());
        // And the bound is used, not merely kept.
        assert!(qp.bits() + 70 > bound, "N = 2^{log_n}: {} bits", qp.bits());
        // The rows are over those primes and no others.
        let limbs = key.layout().limbs;
        assert!(limbs.iter().all(|i| primes.contains(&params.moduli()[i])));
        let read = SwitchingKey::from_bytes(&bytes, &params).unwrap();
        assert!(read == key);
        assert!(Parameters::from_bytes(&params.to_bytes().unwrap()).unwrap() == params);
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_client_and_a_server_exchange_files() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let params = insecure(7, 3);
    let context = Context::new(&params, Reference::new()).unwrap();
    let x = values(1, params.slots());
    {
        let party = Party::new(&params, Reference::new(), &[]);
        let generator = KeyGenerator::with_seed(&party.secret, Seed::from_bytes([2; 32]));
        let keys = generator.evaluation_keys(&[3]).unwrap();
        party.secret.save(at("secret"), Overwrite::Refuse).unwrap();
        let len = keys.save(at("keys"), Overwrite::Refuse).unwrap();
        assert_eq!(at("keys").metadata().unwrap().len(), len);
        let seeded = party.encryptor().encrypt(&[&x], 3).unwrap();
        seeded.save(at("input"), Overwrite::Refuse).unwrap();
        params.save(at("parameters"), Overwrite::Refuse).unwrap();
        let again = seeded.save(at("input"), Overwrite::Refuse);
        refused! { again.map_err(CkksError::into_kind) => CkksErrorKind::Wire(WireError::AlreadyExists { .. }) }
        seeded.save(at("input"), Overwrite::Replace).unwrap();
    }
    #[cfg(unix)]
    assert_eq!(mode(&at("secret")), 0o600);
    {
        let params = Parameters::from_file_allowing_insecure(at("parameters")).unwrap();
        let context = Context::new(&params, Reference::new()).unwrap();
        let keys = EvaluationKeys::load_from_file(at("keys"), &context).unwrap();
        let input = SeededCiphertext::from_file(at("input"), &params).unwrap();
        let e = Evaluator::new(&context, keys).unwrap();
        let square = e.square(&input.expand(&context).unwrap()).unwrap();
        let ct = e.rotate(&square, 3).unwrap();
        ct.save(at("output"), Overwrite::Refuse).unwrap();
    }
    let secret = SecretKey::from_file(at("secret"), &context).unwrap();
    let output = Ciphertext::from_file(at("output"), &context).unwrap();
    let decryptor = arras_ckks::Decryptor::new(&secret);
    let values = decryptor.decrypt(&output).unwrap();
    let expected: Vec<f64> = (0..x.len()).map(|i| x[(i + 3) % x.len()].powi(2)).collect();
    assert!(crate::support::bits(&expected, &values[0]) > 24.0);
    let same = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
    assert!(secret.equals(&same));
}

#[test]
fn errors_name_the_file_and_what_is_wrong() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let party = Party::new(&insecure(7, 3), Reference::new(), &[1]);
    let generator = KeyGenerator::with_seed(&party.secret, Seed::from_bytes([2; 32]));
    let (params, context) = (party.context.params(), &party.context);
    party.secret.save(at("secret"), Overwrite::Refuse).unwrap();
    let keys = generator.evaluation_keys(&[1, 2, 3, 4, 5, 6, 7]).unwrap();
    keys.save(at("keys"), Overwrite::Refuse).unwrap();
    assert!(at("keys").metadata().unwrap().len() > 1 << 16);

    let public_key = |name| PublicKey::from_file(at(name), params).map(drop);
    let secret_key = |name, context| SecretKey::from_file(at(name), context).map(drop);
    says! {
        secret_key("keys", context).unwrap_err() => ["evaluation key set, where secret key is expected"],
        public_key("secret").unwrap_err() => ["public key is expected", "secret: "],
        public_key("nothing").unwrap_err() => ["cannot open", "nothing"],
    }
    let other = Context::new(&insecure(7, 2), Reference::new()).unwrap();
    let mismatch = secret_key("secret", &other).map_err(CkksError::into_kind);
    refused! { mismatch => CkksErrorKind::ParametersMismatch { .. } }

    for (name, at_byte) in [("secret", 120), ("keys", 50_000)] {
        let mut bytes = std::fs::read(at(name)).unwrap();
        bytes[at_byte] ^= 1;
        std::fs::write(at(name), &bytes).unwrap();
    }
    says! {
        EvaluationKeys::load_from_file(at("keys"), context).unwrap_err() => ["keys: "],
        secret_key("secret", context).unwrap_err() => ["was damaged"],
    }
    let longer = [std::fs::read(at("keys")).unwrap(), vec![0]].concat();
    std::fs::write(at("longer"), longer).unwrap();
    assert!(wire::inspect(std::fs::File::open(at("longer")).unwrap()).is_err());
}

#[test]
fn objects_follow_each_other_in_a_stream() {
    let party = Party::new(&insecure(7, 2), Reference::new(), &[]);
    let generator = KeyGenerator::with_seed(&party.secret, Seed::from_bytes([2; 32]));
    let conjugation = KeyKind::Galois(GaloisElement::conjugation(7));
    let key = generator.switching_key(conjugation, 1).unwrap();
    let public = generator.public_key().unwrap();
    let mut stream = Vec::new();
    let first = key.write_to(&mut stream).unwrap();
    let second = public.write_to(&mut stream).unwrap();
    assert_eq!(first + second, stream.len() as u64);

    let mut input = stream.as_slice();
    let params = party.context.params();
    assert!(SwitchingKey::read_from(&mut input, params).unwrap() == key);
    assert_eq!(input.len() as u64, second);
    assert!(PublicKey::read_from(&mut input, params).unwrap() == public);
    assert!(input.is_empty());

    let inspection = wire::inspect(&stream[..first as usize]).unwrap();
    let ObjectSummary::SwitchingKey(summary) = inspection.summary() else {
        panic!("{inspection}");
    };
    assert_eq!((summary.kind, summary.level_budget), (conjugation, 1));
    assert_eq!(summary.bytes, inspection.payload_bytes());
    says! { inspection => ["Galois element 255, levels up to 1"] }
}
