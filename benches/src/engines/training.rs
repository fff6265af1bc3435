//! A training run of a server on any engine, the data resident.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::Arc,
    time::Instant,
};

use arras::{
    ckks::{Context, Encryptor, EvaluationKeySet, Evaluator, SecretKey, random::Seed},
    hal::{Backend, SecretEngine},
    toolkit::{
        Bindings, Client, Encrypted, Homomorphic, SeededEncrypted, plan::KeyRequests, run::Options,
    },
};
use lr_train::{
    circuits::{Kind, Results, Spec, Start},
    plain::Rate,
    sigmoid::Approximation,
};
use ndarray::Array2;

use super::measure::{Counters, Measured, median};
use crate::{Result, party::values, training::encrypted::Smallest};

/// What a training run is measured with.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Minibatches.
    pub iterations: usize,
    /// Rows of each.
    pub rows: usize,
    /// Features, the intercept among them.
    pub features: usize,
}

/// A circuit, its keys and its encrypted data.
pub struct Prepared {
    /// The circuit in its smallest ring.
    pub circuit: Smallest,
    keys: EvaluationKeySet,
    data: Bindings<SeededEncrypted>,
    size: Size,
}

impl Prepared {
    /// With uniform data: no operation's time depends on values.
    ///
    /// # Errors
    /// The trainer's and the scheme's.
    pub fn new<S: SecretEngine>(kind: Kind, size: Size, engine: S) -> Result<Self> {
        let Size {
            iterations,
            rows,
            features,
        } = size;
        let circuit = Smallest::of(&Spec {
            kind,
            slots: 1,
            features,
            minibatch: rows,
            steps: Spec::nesterov_steps(&Rate::Constant(1.0), rows, 0, iterations)?,
            activation: Approximation::cubic_16(),
            start: Start::Zero,
            results: Results::Model,
        })?;
        let minibatches: Vec<Array2<f64>> = (0..iterations)
            .map(|at| {
                // Rows of a length at which the model stays small.
                let data = values(at as u8, rows * features);
                let scale = 1.0 / (features as f64).sqrt();
                Array2::from_shape_vec((rows, features), data).map(|data| data * scale)
            })
            .collect::<std::result::Result<_, _>>()?;
        let context = Context::new(&circuit.params, engine)?;
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32]))?;
        let generator = arras::ckks::KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let keys = KeyRequests::of(&circuit.program).generate(&generator)?;
        let client = Client::with_secret_key(secret)?
            .with_encryptor(Encryptor::with_seed(&context, Seed::from_bytes([3; 32])));
        let inputs = circuit.training.inputs(&minibatches, None)?;
        let data = client.encrypt_inputs(&circuit.program, &inputs)?;
        Ok(Self {
            circuit,
            keys,
            data,
            size,
        })
    }

    /// Minibatches.
    pub fn iterations(&self) -> usize {
        self.size.iterations
    }

    /// Whole runs on an engine, `side_by_side` calls at a time, after a first one in which constants are encoded.
    ///
    /// # Errors
    /// The toolkit's.
    pub fn measure<B: Backend>(
        &self,
        engine: B,
        side_by_side: usize,
        seconds: f64,
        counters: Counters<'_, B>,
    ) -> Result<Measured> {
        let Smallest {
            program, params, ..
        } = &self.circuit;
        let context = Context::new(params, engine)?;
        let evaluator = Arc::new(Evaluator::new(&context, self.keys.load(&context)?)?);
        let mut inputs: Bindings<Encrypted<B>> = Bindings::new();
        for (name, value) in self.data.iter() {
            inputs.insert(name, value.expand(&context)?);
        }
        let options = Options::new().side_by_side(side_by_side);
        let homomorphic = Homomorphic::with_options(evaluator, options);
        let mut hasher = DefaultHasher::new();
        for output in homomorphic.run(program, &inputs)?.outputs.values() {
            output.ciphertext().poly().to_words()?.hash(&mut hasher);
        }
        let ring = context.ring();
        let before = counters(context.engine());
        drop(homomorphic.run(program, &inputs)?);
        ring.sync()?;
        let counts = counters(context.engine()).zip(before);
        let mut enqueue = f64::INFINITY;
        let latency = median(seconds, || {
            let start = Instant::now();
            let run = homomorphic.run(program, &inputs)?;
            enqueue = enqueue.min(start.elapsed().as_secs_f64());
            ring.sync()?;
            let elapsed = start.elapsed().as_secs_f64();
            drop(run);
            Ok(elapsed)
        })?;
        Ok(Measured {
            latency,
            each: latency,
            enqueue,
            queued: 1,
            dispatches: counts.map(|(after, before)| after.0 - before.0),
            submissions: counts.map(|(after, before)| after.1 - before.1),
            fingerprint: hasher.finish(),
        })
    }
}
