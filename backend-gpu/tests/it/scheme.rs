//! The scheme on the device: the client's side on the reference engine, the server's side on both, the same residues.

use crate::common::{engines, parameters};
use arras_ckks::{
    BootstrapPlan, Bootstrapper, Ciphertext, Context, Decryptor, Encryptor, EvaluationKeySet,
    Evaluator, KeyGenerator, Parameters, PrecisionReport, SecretKey, SeededCiphertext,
    params::{Dnum, Security},
    random::Seed,
};
use arras_hal::{Backend, Reference};

struct Client {
    secret: SecretKey<Reference>,
    keys: EvaluationKeySet,
    data: SeededCiphertext,
    vectors: [Vec<f64>; 2],
}

const ROTATIONS: [i64; 4] = [1, 2, 4, -3];

impl Client {
    fn new(params: &Parameters) -> Self {
        let context = Context::new(params, Reference::new()).unwrap();
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let mut keys = generator.evaluation_keys(&ROTATIONS).unwrap();
        keys.insert(generator.conjugation_key().unwrap()).unwrap();
        let mut words = crate::common::Words::new(29);
        let mut vector = || -> Vec<f64> {
            (0..params.slots())
                .map(|_| words.next() as i64 as f64 / (1u64 << 63) as f64)
                .collect()
        };
        let vectors = [vector(), vector()];
        let data = Encryptor::with_seed(&secret, Seed::from_bytes([3; 32]))
            .encrypt(&[&vectors[0], &vectors[1]], params.max_level())
            .unwrap();
        Self {
            secret,
            keys,
            data,
            vectors,
        }
    }
}

/// What a server does with keys and data, by name.
fn serve<B: Backend>(context: &Context<B>, client: &Client) -> Vec<(&'static str, Ciphertext<B>)> {
    let e = Evaluator::new(context, client.keys.load(context).unwrap()).unwrap();
    let both = client.data.expand(context).unwrap();
    let (x, y) = (both.pick(&[0]).unwrap(), both.pick(&[1]).unwrap());
    let product = e
        .relinearize_and_rescale(&e.multiply(&x, &y).unwrap())
        .unwrap();
    let square = e
        .relinearize_and_rescale(&e.square(&both).unwrap())
        .unwrap();
    let quartic = e
        .relinearize_and_rescale(&e.square(&square).unwrap())
        .unwrap();
    let rotated = e.rotate(&both, -3).unwrap();
    let conjugate = e.conjugate(&square).unwrap();
    let sum = e.rotation_sum(&both, &[0, 1, 2]).unwrap();
    let scaled = e
        .relinearize_and_rescale(&e.multiply_scalar(&both, 0.75).unwrap())
        .unwrap();
    let mixed = e.add(&quartic, &scaled).unwrap();
    let down = e.level_down(&both, 1).unwrap();
    let mut results = vec![
        ("expand", both.try_clone().unwrap()),
        ("multiply", product),
        ("square", square),
        ("x^4", quartic),
        ("rotate", rotated),
        ("conjugate", conjugate),
        ("rotation_sum", sum),
        ("sum over levels", mixed),
        ("level_down", down),
    ];
    let hoisted = e.hoisted_rotations(&both, &ROTATIONS).unwrap();
    results.extend(hoisted.into_iter().map(|c| ("hoisted", c)));
    results
}

fn check(log_n: u32) {
    let engines = engines();
    if engines.is_empty() {
        return;
    }
    let params = parameters(log_n, 4);
    let client = Client::new(&params);
    let expected = serve(client.secret.context(), &client);
    for engine in engines {
        let context = Context::new(&params, engine.clone()).unwrap();
        let got = serve(&context, &client);
        assert_eq!(got.len(), expected.len());
        for ((name, got), (_, expected)) in got.iter().zip(&expected) {
            assert_eq!(got.level(), expected.level(), "{name}");
            let got = got.poly().to_words().unwrap();
            let expected = expected.poly().to_words().unwrap();
            assert!(got == expected, "{name} at N = 2^{log_n} on {engine:?}");
        }
    }
    // The residues that agree are those of the right values.
    let [x, y] = &client.vectors;
    let clear: Vec<f64> = x.iter().zip(y).map(|(x, y)| x * y).collect();
    let decryptor = Decryptor::new(&client.secret);
    let values = decryptor.decrypt(&expected[1].1).unwrap().remove(0);
    let bits = PrecisionReport::real(&clear, &values).unwrap().worst_bits();
    assert!(bits > 20.0, "{bits} bits");
}

#[test]
fn a_server_on_the_device_computes_the_same_ciphertexts() {
    check(7);
}

#[test]
fn a_server_on_the_device_computes_the_same_ciphertexts_with_two_kernel_transforms() {
    check(13);
}

/// Raising the modulus and reducing it again use operations that nothing else does: residues of one window copied and converted to all primes, a
/// key of one digit.
#[test]
fn a_bootstrap_on_the_device_gives_the_same_ciphertexts() {
    let engines = engines();
    if engines.is_empty() {
        return;
    }
    let builder = Parameters::builder().log_n(8).levels(3).bootstrapping(16);
    let builder = builder.dnum(Dnum::Fixed(3));
    let params = builder
        .security(Security::InsecureForTests)
        .build()
        .unwrap();
    let plan = BootstrapPlan::new(&params, 16).unwrap();
    let home = Context::new(&params, Reference::new()).unwrap();
    let secret = SecretKey::from_seed(&home, &Seed::from_bytes([1; 32])).unwrap();
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
    let keys = generator.bootstrapping_keys(&plan).unwrap();
    let values: Vec<f64> = (0..params.slots())
        .map(|j| (j % 16) as f64 / 16.0 - 0.5)
        .collect();
    let data = Encryptor::with_seed(&secret, Seed::from_bytes([3; 32]));
    let data = data.encrypt(&[&values, &values], 2).unwrap();

    fn refreshed<B: Backend>(
        context: &Context<B>,
        keys: &EvaluationKeySet,
        plan: &BootstrapPlan,
        data: &SeededCiphertext,
    ) -> Ciphertext<B> {
        let evaluator = Evaluator::new(context, keys.load(context).unwrap()).unwrap();
        let bootstrapper = Bootstrapper::new(&evaluator, plan, 1.0).unwrap();
        bootstrapper
            .bootstrap(&data.expand(context).unwrap())
            .unwrap()
    }

    let expected = refreshed(&home, &keys, &plan, &data);
    let decrypted = Decryptor::new(&secret)
        .decrypt(&expected)
        .unwrap()
        .remove(0);
    let report = PrecisionReport::real(&values, &decrypted).unwrap();
    assert!(report.worst_bits() > 22.0, "{report}");
    let expected = expected.poly().to_words().unwrap();
    for engine in engines {
        let context = Context::new(&params, engine.clone()).unwrap();
        let got = refreshed(&context, &keys, &plan, &data);
        assert!(got.poly().to_words().unwrap() == expected, "{engine:?}");
    }
}
