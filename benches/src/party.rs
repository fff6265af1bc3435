//! A client and a server with keys and data, everything from fixed seeds.

use arras::{
    ckks::{
        Ciphertext, Context, EncryptionStreams, Encryptor, EvaluationKeys, Evaluator, KeyGenerator,
        LoadedPublicKey, Parameters, Result, SecretKey, SeededCiphertext, SwitchingKey,
        random::{PublicSeed, Purpose, Seed},
    },
    hal::{Backend, SecretEngine},
};

/// The rotations that the server has keys for: 1 to 8.
pub const ROTATIONS: [i64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Values in [-1, 1), the same on every machine.
pub fn values(seed: u8, count: usize) -> Vec<f64> {
    let mut stream = PublicSeed::from_bytes([seed; 32]).stream(Purpose::ObjectSeed, [0; 3]);
    (0..count)
        .map(|_| stream.next_u64() as i64 as f64 / (1u64 << 63) as f64)
        .collect()
}

/// Who holds the secret.
pub struct Client<S: SecretEngine> {
    /// Parameters on the client's engine.
    pub context: Context<S>,
    /// The secret key.
    pub secret: SecretKey<S>,
    /// The public key.
    pub public: LoadedPublicKey<S>,
    /// The relinearization key on the host.
    pub relinearization: SwitchingKey,
    /// What encryptions draw from.
    pub streams: EncryptionStreams,
    /// What [`Client::encrypted`] holds: a value for every slot.
    pub values: [Vec<f64>; 2],
    /// The values, encrypted with the secret key at the highest level.
    pub encrypted: [SeededCiphertext; 2],
}

impl<S: SecretEngine> Client<S> {
    /// A client with keys and data.
    ///
    /// # Errors
    /// The engine's.
    pub fn new(params: &Parameters, engine: S) -> Result<Self> {
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

    /// Encrypts with the secret key.
    pub fn encryptor(&self) -> Encryptor<'_, SecretKey<S>> {
        Encryptor::with_streams(&self.secret, &self.streams)
    }

    /// Encrypts with the public key.
    pub fn public_encryptor(&self) -> Encryptor<'_, LoadedPublicKey<S>> {
        Encryptor::with_streams(&self.public, &self.streams)
    }

    /// A generator of more keys.
    pub fn generator(&self) -> KeyGenerator<'_, S> {
        KeyGenerator::with_seed(&self.secret, Seed::from_bytes([6; 32]))
    }
}

/// Who computes, with evaluation keys only.
pub struct Server<B: Backend> {
    /// Parameters on the server's engine.
    pub context: Context<B>,
    /// Has the relinearization key and the keys of [`ROTATIONS`].
    pub evaluator: Evaluator<B>,
    /// The client's two ciphertexts.
    pub x: Ciphertext<B>,
    /// The client's two ciphertexts.
    pub y: Ciphertext<B>,
}

impl<B: Backend> Server<B> {
    /// A server with the client's public objects. Keys are made and loaded one at a time, so that the host never holds all of them.
    ///
    /// # Errors
    /// The engine's.
    pub fn new<S: SecretEngine>(client: &Client<S>, engine: B) -> Result<Self> {
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
