//! Client and server in one place, and random values.
#![allow(unreachable_pub, reason = "a module of a test binary")]

pub mod case;
pub mod sizes;
pub mod suite;

use std::collections::BTreeMap;

use arras_ckks::{
    Context, Evaluator, KeyGenerator, Parameters, SecretKey,
    params::{Dnum, LevelWidth, Security},
    random::Seed,
};
use arras_hal::SecretEngine;
use arras_toolkit::{
    Bindings, Circuit, Client, Homomorphic, Program, Value,
    plan::KeyRequests,
    run::{Options, RunReport},
};
use ndarray::{Array1, Array2};

/// The outputs of a run, decrypted.
pub struct Outcome {
    pub outputs: BTreeMap<String, Value>,
    pub report: RunReport,
}

/// A small set without any security: 2^12 slots at `log_n` 13.
pub fn insecure(log_n: u32, levels: usize) -> Parameters {
    Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .level_width(LevelWidth::Bits39)
        .dnum(Dnum::Fixed(3))
        .security(Security::InsecureForTests)
        .build()
        .unwrap()
}

/// A client with fixed seeds.
pub fn client<S: SecretEngine>(params: &Parameters, engine: S) -> Client<S> {
    let context = Context::new(params, engine).unwrap();
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
    Client::with_secret_key(secret)
        .unwrap()
        .with_seed(Seed::from_bytes([3; 32]))
}

/// Plans, makes keys, encrypts, runs, decrypts: with the keys that the program asks for and no others.
pub fn run<S: SecretEngine>(
    client: &Client<S>,
    circuit: Circuit,
    inputs: &Bindings<Value>,
    options: Options,
) -> Outcome {
    let program = Program::new(circuit);
    let secret = client.secret_key().unwrap();
    let generator = KeyGenerator::with_seed(secret, Seed::from_bytes([2; 32]));
    let keys = KeyRequests::of(&program).generate(&generator).unwrap();
    let context = client.context();
    let evaluator = Evaluator::new(context, keys.load(context).unwrap()).unwrap();
    let sent = client.encrypt_inputs(&program, inputs).unwrap();
    let inputs = sent.expand(context).unwrap();
    let run = Homomorphic::with_options(evaluator, options)
        .run(&program, &inputs)
        .unwrap();
    let outputs = run
        .outputs
        .iter()
        .map(|(name, value)| (name.clone(), client.decrypt(value).unwrap()))
        .collect();
    Outcome {
        outputs,
        report: run.report,
    }
}

/// The worst absolute difference of two values of one shape.
pub fn worst(a: &Value, b: &Value) -> f64 {
    let (a, b) = (a.entries(), b.entries());
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).fold(0.0, |m, (a, b)| (a - b).abs().max(m))
}

/// A stream of numbers in [-1, 1] from a seed (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as i64 as f64 / 2f64.powi(63)
    }

    pub fn matrix(&mut self, rows: usize, cols: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, cols), || self.next())
    }

    pub fn vector(&mut self, len: usize) -> Array1<f64> {
        Array1::from_shape_simple_fn(len, || self.next())
    }
}
