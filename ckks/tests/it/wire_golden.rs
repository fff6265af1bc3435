//! Files of format version 1 that every later release must load, decrypt and write back to the byte: of their values no bound is known but
//! the headroom of their level. See `golden/README.md`.

use std::path::PathBuf;

use arras_ckks::{
    Ciphertext, Context, Decryptor, Encryptor, EvaluationKeySet, EvaluationKeys, Evaluator,
    Parameters, Plaintext, PublicKey, SecretKey, SeededCiphertext, SwitchingKey, random::Seed,
    wire,
};
use arras_hal::Reference;

/// What the ciphertexts hold: exact binary fractions.
const X: [f64; 4] = [0.5, -1.25, 2.0, -0.0625];
const Y: [f64; 4] = [1.5, 0.75, -0.5, 1.0];
/// Twenty bits: far above what a changed format could leave right by chance.
const TOLERANCE: f64 = 1.0 / (1 << 20) as f64;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/v1")
        .join(format!("{name}.arras"))
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

struct Golden {
    context: Context<Reference>,
    secret: SecretKey<Reference>,
}

impl Golden {
    fn load() -> Self {
        let params = Parameters::from_bytes_allowing_insecure(&file("parameters")).unwrap();
        let context = Context::new(&params, Reference::new()).unwrap();
        let secret = SecretKey::from_bytes(&file("secret_key"), &context).unwrap();
        Self { context, secret }
    }

    fn params(&self) -> &Parameters {
        self.context.params()
    }

    fn ciphertext(&self) -> Ciphertext<Reference> {
        Ciphertext::from_bytes(&file("ciphertext"), &self.context).unwrap()
    }

    fn x(&self) -> Ciphertext<Reference> {
        // Whoever made the file knows what is in it.
        let x = self.ciphertext().pick(&[0]).unwrap();
        x.assume(2.0).unwrap()
    }

    fn evaluator(&self) -> Evaluator<Reference> {
        let bytes = file("evaluation_keys");
        let keys = EvaluationKeys::load_from(bytes.as_slice(), &self.context).unwrap();
        Evaluator::new(&self.context, keys).unwrap()
    }

    #[track_caller]
    fn holds(&self, ct: &Ciphertext<Reference>, expected: &[&[f64]]) {
        let values = Decryptor::new(&self.secret).decrypt(ct).unwrap();
        assert_eq!(values.len(), expected.len());
        for (values, expected) in values.iter().zip(expected) {
            for (value, expected) in values.iter().zip(*expected) {
                let near = (value - expected).abs() < TOLERANCE;
                assert!(near, "{values:?} {expected:?}");
            }
        }
    }
}

fn map(f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    X.iter().zip(Y).map(|(&x, y)| f(x, y)).collect()
}

#[test]
fn the_parameters_are_marked_as_insecure_and_only_read_when_that_is_asked_for() {
    let bytes = file("parameters");
    let params = Parameters::from_bytes_allowing_insecure(&bytes).unwrap();
    let shape = (params.log_n(), params.max_level(), params.dnum());
    assert_eq!(shape, (6, 2, 2));
    assert_eq!(params.to_bytes().unwrap(), bytes);
    let error = Parameters::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("INSECURE"), "{error}");
    assert!(Parameters::read_from(bytes.as_slice()).is_err());
    assert!(Parameters::from_file(path("parameters")).is_err());
}

#[test]
fn ciphertexts_decrypt_and_are_written_back_to_the_byte() {
    let golden = Golden::load();
    let context = &golden.context;
    let secret = golden.secret.to_bytes().unwrap();
    assert!(*secret == file("secret_key"), "secret key");

    let ct = golden.ciphertext();
    assert_eq!((ct.level(), ct.batch(), ct.is_pending()), (2, 2, false));
    assert_eq!(ct.bound(), golden.params().headroom(2));
    golden.holds(&ct, &[&X, &Y]);
    assert_eq!(ct.to_bytes().unwrap(), file("ciphertext"));

    let pending = Ciphertext::from_bytes(&file("ciphertext_pending"), context).unwrap();
    assert_eq!((pending.level(), pending.components()), (1, 3));
    golden.holds(&pending, &[&map(|x, y| x * y)]);
    assert_eq!(pending.to_bytes().unwrap(), file("ciphertext_pending"));
    let settled = golden.evaluator().relinearize_and_rescale(&pending);
    golden.holds(&settled.unwrap(), &[&map(|x, y| x * y)]);

    let cut = Ciphertext::from_bytes(&file("ciphertext_cut"), context).unwrap();
    assert!(cut.is_cut() && cut.level() == 1);
    golden.holds(&cut, &[&X]);
    assert_eq!(cut.to_bytes().unwrap(), file("ciphertext_cut"));

    let seeded = SeededCiphertext::from_bytes(&file("seeded_ciphertext"), golden.params()).unwrap();
    assert_eq!((seeded.level(), seeded.batch()), (2, 2));
    golden.holds(&seeded.expand(context).unwrap(), &[&X, &Y]);
    assert_eq!(seeded.to_bytes().unwrap(), file("seeded_ciphertext"));
}

/// Of one engine or another: the residues are those of the file.
#[test]
fn ciphertexts_move_to_another_context_as_they_are() {
    let golden = Golden::load();
    let other = Context::new(golden.params(), Reference::new()).unwrap();
    for name in ["ciphertext", "ciphertext_pending", "ciphertext_cut"] {
        let ct = Ciphertext::from_bytes(&file(name), &golden.context).unwrap();
        for context in [&golden.context, &other] {
            let moved = ct.to_context(context).unwrap();
            assert!(moved.context().is(context));
            assert_eq!(moved.to_bytes().unwrap(), file(name));
        }
    }
}

#[test]
fn plaintexts_multiply() {
    let golden = Golden::load();
    let e = golden.evaluator();
    let x = golden.x();

    let plain = Plaintext::from_bytes(&file("plaintext"), &golden.context).unwrap();
    assert_eq!(plain.to_bytes().unwrap(), file("plaintext"));
    let low = e.level_down(&x, 1).unwrap();
    assert!(e.multiply_plain(&low, &plain).is_err());
    let product = e.multiply_plain(&low, &plain.assume(1.5).unwrap());
    let product = product.unwrap();
    golden.holds(&product, &[&map(|x, y| x * y)]);

    let weights = Plaintext::from_bytes(&file("plaintext_weights"), &golden.context).unwrap();
    assert_eq!(weights.to_bytes().unwrap(), file("plaintext_weights"));
    let weights = weights.assume(1.5).unwrap();
    let sum = e.weighted_rotation_sum(&x, &[1], &[&weights]).unwrap();
    let expected: Vec<f64> = (0..3).map(|i| X[i + 1] * Y[i]).collect();
    golden.holds(&sum, &[&expected]);
}

#[test]
fn keys_work() {
    let golden = Golden::load();
    let params = golden.params();
    let (e, x) = (golden.evaluator(), golden.x());
    golden.holds(&e.square(&x).unwrap(), &[&map(|x, _| x * x)]);
    golden.holds(&e.rotate(&x, 1).unwrap(), &[&X[1..]]);
    let set = EvaluationKeySet::from_bytes(&file("evaluation_keys"), params).unwrap();
    assert_eq!(set.len(), 2);
    assert_eq!(set.to_bytes().unwrap(), file("evaluation_keys"));

    let conjugation = SwitchingKey::from_bytes(&file("switching_key"), params).unwrap();
    assert_eq!(conjugation.to_bytes().unwrap(), file("switching_key"));
    assert_eq!(conjugation.level_budget(), 1);
    let mut keys = EvaluationKeys::none(&golden.context);
    keys.insert(&conjugation).unwrap();
    let e = Evaluator::new(&golden.context, keys).unwrap();
    let low = e.level_down(&x, 1).unwrap();
    golden.holds(&e.conjugate(&low).unwrap(), &[&X]);

    let public = PublicKey::from_bytes(&file("public_key"), params).unwrap();
    assert_eq!(public.to_bytes().unwrap(), file("public_key"));
    let public = public.load(&golden.context).unwrap();
    let encryptor = Encryptor::with_seed(&public, Seed::from_bytes([4; 32])).largest_value(2.0);
    let fresh = encryptor.encrypt(&[&Y], 2).unwrap();
    golden.holds(&fresh, &[&Y]);
}

#[test]
fn every_golden_file_is_of_version_1_and_tells_what_it_is() {
    assert!(!file("parameters").is_empty());
    for name in std::fs::read_dir(path("").parent().unwrap()).unwrap() {
        let path = name.unwrap().path();
        let inspection = wire::inspect(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(inspection.version(), 1);
        let text = inspection.to_string();
        assert!(text.contains("INSECURE") && text.contains("N = 2^6"));
        let kind = inspection.kind().name().split(' ').next().unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(kind), "{name}: {text}");
    }
}
