//! Clients and servers with keys and data, everything from fixed seeds: for single calls of the evaluator ([`Client`], [`Server`]) and for
//! programs of the toolkit ([`Owner`], [`Workload`], [`Loaded`]).

use std::{collections::BTreeMap, time::Instant};

use arras::{
    CpuEngine,
    ckks::{
        Ciphertext, Context, EncryptionStreams, Encryptor, EvaluationKeySet, EvaluationKeys,
        Evaluator, KeyGenerator, LoadedPublicKey, Parameters, Result, SecretKey, SeededCiphertext,
        SwitchingKey,
        random::{PublicSeed, Purpose, Seed},
    },
    hal::{Backend, SecretEngine},
    toolkit::{
        self, Bindings, Encrypted, Homomorphic, Program, SeededEncrypted, Value,
        plan::KeyRequests,
        run::{Options, Run, RunReport},
    },
};

/// The rotations that the server has keys for: 1 to 8.
pub(crate) const ROTATIONS: [i64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Values in [-1, 1), the same on every machine.
pub(crate) fn values(seed: u8, count: usize) -> Vec<f64> {
    let mut stream = PublicSeed::from_bytes([seed; 32]).stream(Purpose::ObjectSeed, [0; 3]);
    (0..count)
        .map(|_| stream.next_u64() as i64 as f64 / (1u64 << 63) as f64)
        .collect()
}

/// Who holds the secret.
pub(crate) struct Client<S: SecretEngine> {
    pub(crate) context: Context<S>,
    pub(crate) secret: SecretKey<S>,
    pub(crate) public: LoadedPublicKey<S>,
    /// The relinearization key on the host.
    pub(crate) relinearization: SwitchingKey,
    /// What encryptions draw from.
    pub(crate) streams: EncryptionStreams,
    /// What [`Client::encrypted`] holds: a value for every slot.
    pub(crate) values: [Vec<f64>; 2],
    /// The values, encrypted with the secret key at the highest level.
    pub(crate) encrypted: [SeededCiphertext; 2],
}

impl<S: SecretEngine> Client<S> {
    pub(crate) fn new(params: &Parameters, engine: S) -> Result<Self> {
        let context = Context::new(params, engine)?;
        let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32]))?;
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let public = generator.public_key()?.load(&context)?;
        let relinearization = generator.relinearization_key()?;
        let streams = EncryptionStreams::from_seed(Seed::from_bytes([3; 32]));
        let values = [values(4, context.slots()), values(5, context.slots())];
        let encryptor = Encryptor::with_streams(&secret, &streams);
        let encrypt = |values: &[f64]| encryptor.encrypt(&[values], context.max_level());
        let encrypted = [encrypt(&values[0])?, encrypt(&values[1])?];
        Ok(Self {
            context,
            secret,
            public,
            relinearization,
            streams,
            values,
            encrypted,
        })
    }

    pub(crate) fn encryptor(&self) -> Encryptor<'_, SecretKey<S>> {
        Encryptor::with_streams(&self.secret, &self.streams)
    }

    pub(crate) fn public_encryptor(&self) -> Encryptor<'_, LoadedPublicKey<S>> {
        Encryptor::with_streams(&self.public, &self.streams)
    }

    pub(crate) fn generator(&self) -> KeyGenerator<'_, S> {
        KeyGenerator::with_seed(&self.secret, Seed::from_bytes([6; 32]))
    }
}

/// Who computes, with evaluation keys only.
pub(crate) struct Server<B: Backend> {
    pub(crate) context: Context<B>,
    /// Has the relinearization key and the keys of [`ROTATIONS`].
    pub(crate) evaluator: Evaluator<B>,
    pub(crate) x: Ciphertext<B>,
    pub(crate) y: Ciphertext<B>,
}

impl<B: Backend> Server<B> {
    /// A server with the client's public objects. Keys are made and loaded one at a time, so that the host never holds all of them.
    pub(crate) fn new<S: SecretEngine>(client: &Client<S>, engine: B) -> Result<Self> {
        let context = Context::new(client.context.params(), engine)?;
        let mut keys = EvaluationKeys::none(&context);
        keys.insert(&client.relinearization)?;
        let generator = client.generator();
        for steps in ROTATIONS {
            keys.insert(&generator.rotation_key(steps)?)?;
        }
        let [x, y] = &client.encrypted;
        Ok(Self {
            evaluator: Evaluator::new(&context, keys)?,
            x: x.expand(&context)?,
            y: y.expand(&context)?,
            context,
        })
    }
}

impl Server<CpuEngine> {
    /// A server with so many threads, and its client's objects.
    pub(crate) fn with_threads(params: &Parameters, threads: usize) -> crate::Result<Self> {
        let client = Client::new(params, CpuEngine::new())?;
        Ok(Self::new(&client, CpuEngine::with_threads(threads)?)?)
    }
}

/// Who holds the secret of a program's keys.
pub(crate) struct Owner {
    context: Context<CpuEngine>,
    client: toolkit::Client<CpuEngine>,
}

/// A program with its keys and encrypted inputs, as an owner sends them.
pub(crate) struct Workload {
    pub(crate) program: Program,
    pub(crate) params: Parameters,
    keys: EvaluationKeySet,
    inputs: Bindings<SeededEncrypted>,
}

/// Makes a program's keys and encrypts its inputs.
pub(crate) fn send(
    program: &Program,
    params: &Parameters,
    values: &Bindings<Value>,
) -> crate::Result<(Owner, Workload)> {
    let context = Context::new(params, CpuEngine::new())?;
    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32]))?;
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
    let keys = KeyRequests::of(program).generate(&generator)?;
    let client = toolkit::Client::with_secret_key(secret)?.with_seed(Seed::from_bytes([3; 32]));
    let workload = Workload {
        inputs: client.encrypt_inputs(program, values)?,
        program: program.clone(),
        params: params.clone(),
        keys,
    };
    Ok((Owner { context, client }, workload))
}

impl Owner {
    pub(crate) fn decrypt<B: Backend>(&self, result: &Encrypted<B>) -> crate::Result<Value> {
        Ok(self.client.decrypt(&result.to_context(&self.context)?)?)
    }

    /// The worst error of an entry of a run's results; fails beyond a thousandth of the largest that is expected, or of 1.
    pub(crate) fn worst_error<B: Backend>(
        &self,
        run: &Run<B>,
        expected: &BTreeMap<String, Value>,
    ) -> crate::Result<f64> {
        let mut worst: f64 = 0.0;
        for (name, result) in &run.outputs {
            let expected = expected[name].entries();
            let found = self.decrypt(result)?.entries();
            let pairs = expected.iter().zip(&found);
            // A NaN stays.
            let error = pairs.map(|(a, b)| (a - b).abs());
            let error = error.fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m });
            let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
            if error.is_nan() || error > 1e-3 * largest {
                return Err(format!("{name} is off by {error:.1e}").into());
            }
            worst = worst.max(error);
        }
        Ok(worst)
    }
}

impl Workload {
    /// On an engine.
    pub(crate) fn load<B: Backend>(&self, engine: B, options: Options) -> crate::Result<Loaded<B>> {
        let context = Context::new(&self.params, engine)?;
        let evaluator = Evaluator::new(&context, self.keys.load(&context)?)?;
        Ok(Loaded {
            homomorphic: Homomorphic::with_options(evaluator, options),
            program: self.program.clone(),
            inputs: self.inputs.expand(&context)?,
            context,
        })
    }

    /// On the CPU engine with so many threads, and as many calls side by side.
    pub(crate) fn on_threads(&self, threads: usize) -> crate::Result<Loaded<CpuEngine>> {
        self.on_threads_with(threads, Options::new().side_by_side(threads))
    }

    /// The same with these options.
    pub(crate) fn on_threads_with(
        &self,
        threads: usize,
        options: Options,
    ) -> crate::Result<Loaded<CpuEngine>> {
        self.load(CpuEngine::with_threads(threads)?, options)
    }
}

/// A server with a program, its keys and inputs on an engine. The first run encodes the program's constants.
pub(crate) struct Loaded<B: Backend> {
    homomorphic: Homomorphic<B>,
    program: Program,
    inputs: Bindings<Encrypted<B>>,
    pub(crate) context: Context<B>,
}

impl<B: Backend> Loaded<B> {
    pub(crate) fn run(&self) -> crate::Result<Run<B>> {
        Ok(self.homomorphic.run(&self.program, &self.inputs)?)
    }

    /// Reports of some runs, the fastest first.
    pub(crate) fn reports(&self, runs: usize) -> crate::Result<Vec<RunReport>> {
        let reports = (0..runs).map(|_| Ok(self.run()?.report));
        let mut reports = reports.collect::<crate::Result<Vec<_>>>()?;
        reports.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        Ok(reports)
    }

    /// Seconds of a whole run, until the engine has nothing to do.
    pub(crate) fn seconds(&self) -> crate::Result<f64> {
        let start = Instant::now();
        let run = self.run()?;
        self.context.ring().sync()?;
        let elapsed = start.elapsed().as_secs_f64();
        drop(run);
        Ok(elapsed)
    }
}
