//! Training runs of a server on any engine, keys and data resident, with data of any values: no operation's time depends on them.

use std::{sync::Arc, time::Instant};

use arras::{
    ckks::{Context, EvaluationKeySet, Evaluator, KeyGenerator, SecretKey, random::Seed},
    hal::{Backend, SecretEngine},
    toolkit::{
        Bindings, Client, Encrypted, Homomorphic, Program, SeededEncrypted,
        circuit::Summing,
        plan::KeyRequests,
        run::{Options, Run},
    },
};
use lr_train::{
    circuits::{Kind, Results, Spec, Start},
    plain::Rate,
    sigmoid::Approximation,
};
use ndarray::Array2;

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

/// A circuit, its keys and its encrypted data, as a client sends them.
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
        let circuit = Smallest::of(
            &Spec {
                kind,
                slots: 1,
                features,
                minibatch: rows,
                steps: Spec::nesterov_steps(&Rate::Constant(1.0), rows, 0, iterations)?,
                activation: Approximation::cubic_16(),
                start: Start::Zero,
                results: Results::Model,
                summing: Summing::default(),
            },
            &Summing::ALL,
        )?;
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
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let keys = KeyRequests::of(&circuit.program).generate(&generator)?;
        let client = Client::with_secret_key(secret)?.with_seed(Seed::from_bytes([3; 32]));
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

    /// Loads keys and data into an engine and runs once, in which constants are encoded; returns that run's outputs too.
    ///
    /// # Errors
    /// The toolkit's.
    pub fn load<B: Backend>(
        &self,
        engine: B,
        side_by_side: usize,
    ) -> Result<(Resident<B>, Run<B>)> {
        let Smallest {
            program, params, ..
        } = &self.circuit;
        let context = Context::new(params, engine)?;
        let evaluator = Evaluator::new(&context, self.keys.load(&context)?)?;
        let mut inputs: Bindings<Encrypted<B>> = Bindings::new();
        for (name, value) in self.data.iter() {
            inputs.insert(name, value.expand(&context)?);
        }
        let options = Options::new().side_by_side(side_by_side);
        let resident = Resident {
            homomorphic: Homomorphic::with_options(Arc::new(evaluator), options),
            program: program.clone(),
            inputs,
            context,
        };
        let first = resident
            .homomorphic
            .run(&resident.program, &resident.inputs)?;
        Ok((resident, first))
    }
}

/// A server with everything it needs.
pub struct Resident<B: Backend> {
    homomorphic: Homomorphic<B>,
    program: Program,
    inputs: Bindings<Encrypted<B>>,
    /// Parameters on its engine.
    pub context: Context<B>,
}

impl<B: Backend> Resident<B> {
    /// Seconds of a whole run, until the engine has nothing to do.
    ///
    /// # Errors
    /// The toolkit's.
    pub fn seconds(&self) -> Result<f64> {
        let start = Instant::now();
        let run = self.homomorphic.run(&self.program, &self.inputs)?;
        self.context.ring().sync()?;
        let elapsed = start.elapsed().as_secs_f64();
        drop(run);
        Ok(elapsed)
    }
}
