//! The data owner's side: encryption and decryption of matrices and vectors.

use arras_ckks::{
    Context, Decryptor, EncryptionStreams, Encryptor, EvaluationKeySet, KeyGenerator,
    LoadedPublicKey, PublicKey, SecretKey, random::Seed,
};
use arras_hal::{Named, SecretEngine};

use crate::{
    Bindings, Encrypted, Layout, Program, Result, SeededEncrypted, ToolkitError, ToolkitErrorKind,
    Value,
    plan::{KeyRequests, PlannedStage},
    run::check_inputs,
};

/// A client: whoever holds the secret key, or the public key only.
#[derive(Debug)]
pub struct Client<S: SecretEngine> {
    context: Context<S>,
    secret: Option<SecretKey<S>>,
    public: Option<LoadedPublicKey<S>>,
    streams: EncryptionStreams,
    largest: f64,
}

impl<S: SecretEngine> Client<S> {
    /// A client with a fresh secret key.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn generate(context: &Context<S>) -> Result<Self> {
        Self::with_secret_key(SecretKey::generate(context)?)
    }

    /// A client with this secret key.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn with_secret_key(secret: SecretKey<S>) -> Result<Self> {
        Ok(Self {
            context: secret.context().clone(),
            secret: Some(secret),
            public: None,
            streams: EncryptionStreams::from_os()?,
            largest: 1.0,
        })
    }

    /// Somebody who may encrypt for the holder of the secret key, and not decrypt.
    ///
    /// # Errors
    /// [`arras_ckks::CkksErrorKind::ParametersMismatch`]; if the operating system has no randomness.
    pub fn with_public_key(context: &Context<S>, public: &PublicKey) -> Result<Self> {
        Ok(Self {
            context: context.clone(),
            secret: None,
            public: Some(public.load(context)?),
            streams: EncryptionStreams::from_os()?,
            largest: 1.0,
        })
    }

    /// With encryptions from a seed, for runs that must be reproducible (see [`EncryptionStreams::from_seed`]).
    #[must_use]
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.streams = EncryptionStreams::from_seed(seed);
        self
    }

    /// Declares that entries are at most `largest` in magnitude, instead of 1, where nothing else is said of them: see
    /// [`Encryptor::largest_value`].
    #[must_use]
    pub fn largest_value(mut self, largest: f64) -> Self {
        self.largest = largest;
        self
    }

    /// The context.
    pub fn context(&self) -> &Context<S> {
        &self.context
    }

    /// The secret key.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::KeyAbsent`].
    pub fn secret_key(&self) -> Result<&SecretKey<S>> {
        self.secret().named("secret_key")
    }

    fn secret(&self) -> Result<&SecretKey<S>> {
        let absent = ToolkitErrorKind::KeyAbsent {
            key: "secret",
            remedy: "only the client that made the keys can do this; a public-key client can encrypt with encrypt_public",
        };
        self.secret.as_ref().ok_or(absent.into())
    }

    /// Encrypts an object at a level, with the secret key, in half the bytes.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::KeyAbsent`]; those of [`Layout::pack`] and of [`Encryptor::encrypt`].
    pub fn encrypt(
        &self,
        layout: Layout,
        value: impl Into<Value>,
        level: usize,
    ) -> Result<SeededEncrypted> {
        self.encrypt_up_to(layout, &value.into(), level, self.largest)
    }

    /// Encrypts an object of entries up to `largest`.
    fn encrypt_up_to(
        &self,
        layout: Layout,
        value: &Value,
        level: usize,
        largest: f64,
    ) -> Result<SeededEncrypted> {
        let secret = self.secret().named("encrypt")?;
        let slots = self.packed(layout, value).named("encrypt")?;
        let slots: Vec<&[f64]> = slots.iter().map(Vec::as_slice).collect();
        let encryptor = Encryptor::with_streams(secret, &self.streams).largest_value(largest);
        SeededEncrypted::new(layout, encryptor.encrypt(&slots, level)?)
    }

    /// Encrypts an object at a level with the public key.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::KeyAbsent`] without one; those of [`Layout::pack`] and of [`Encryptor::encrypt`].
    pub fn encrypt_public(
        &self,
        layout: Layout,
        value: impl Into<Value>,
        level: usize,
    ) -> Result<Encrypted<S>> {
        let made;
        let public = match (&self.public, &self.secret) {
            (Some(public), _) => public,
            (None, Some(secret)) => {
                made = KeyGenerator::new(secret)?
                    .public_key()?
                    .load(&self.context)?;
                &made
            }
            (None, None) => {
                return Err(ToolkitError::from(ToolkitErrorKind::KeyAbsent {
                    key: "public",
                    remedy: "ask the client for it",
                })
                .named("encrypt_public"));
            }
        };
        let slots = self.packed(layout, &value.into()).named("encrypt_public")?;
        let slots: Vec<&[f64]> = slots.iter().map(Vec::as_slice).collect();
        let encryptor = Encryptor::with_streams(public, &self.streams).largest_value(self.largest);
        let ciphertext = encryptor.encrypt(&slots, level)?;
        Encrypted::new(layout, ciphertext)
    }

    fn packed(&self, layout: Layout, value: &Value) -> Result<Vec<Vec<f64>>> {
        if layout.slots() != self.context.slots() {
            let (circuit, parameters) = (layout.slots(), self.context.slots());
            return Err(ToolkitError::slots_mismatch(circuit, parameters));
        }
        layout.slots_of("value", value)
    }

    /// Encrypts the values of a program's inputs, each at the level at which it is needed. What the circuit assumes of an input
    /// ([`Recorder::assume`](crate::Recorder::assume)) is declared of it, what the client declares of the others.
    ///
    /// # Errors
    /// As [`Client::encrypt`]; [`ToolkitErrorKind::UnknownName`]; [`ToolkitErrorKind::TooFewLevels`].
    pub fn encrypt_inputs(
        &self,
        program: &Program,
        inputs: &Bindings<Value>,
    ) -> Result<Bindings<SeededEncrypted>> {
        self.encrypt_each(program, inputs, |_| None)
    }

    /// [`Client::encrypt_inputs`] of a stage of a plan: data are held against the ranges that the plan was made for, and these are declared.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::BeyondPlan`] for entries beyond them; as [`Client::encrypt_inputs`].
    pub fn encrypt_planned(
        &self,
        stage: &PlannedStage,
        program: &Program,
        inputs: &Bindings<Value>,
    ) -> Result<Bindings<SeededEncrypted>> {
        let planned = |name: &str| stage.inputs.get(name).and_then(|input| input.largest);
        for (name, value) in inputs.iter() {
            let largest = value.entries().iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            if let Some(planned) = planned(name).filter(|&planned| largest > planned) {
                let name = name.to_owned();
                let error = ToolkitErrorKind::BeyondPlan {
                    name,
                    largest,
                    planned,
                };
                return Err(ToolkitError::from(error).named("encrypt"));
            }
        }
        self.encrypt_each(program, inputs, planned)
    }

    fn encrypt_each(
        &self,
        program: &Program,
        inputs: &Bindings<Value>,
        planned: impl Fn(&str) -> Option<f64>,
    ) -> Result<Bindings<SeededEncrypted>> {
        check_inputs(program.circuit(), inputs)?;
        inputs
            .iter()
            .map(|(name, value)| {
                let encrypted = self.encrypt_one(program, name, value, planned(name))?;
                Ok((name.to_owned(), encrypted))
            })
            .collect()
    }

    /// Encrypts the value of one of a program's inputs, for programs whose inputs come from several sides or at several times: as
    /// [`Client::encrypt_inputs`] does.
    ///
    /// # Errors
    /// As there.
    pub fn encrypt_input(
        &self,
        program: &Program,
        name: &str,
        value: impl Into<Value>,
    ) -> Result<SeededEncrypted> {
        self.encrypt_one(program, name, &value.into(), None)
    }

    fn encrypt_one(
        &self,
        program: &Program,
        name: &str,
        value: &Value,
        planned: Option<f64>,
    ) -> Result<SeededEncrypted> {
        let circuit = program.circuit();
        let most = self.context.max_level();
        let input = circuit.input(name)?;
        let level = circuit.level(input.node()).unwrap_or(0);
        if level > most {
            return Err(ToolkitError::from(ToolkitErrorKind::TooFewLevels {
                input: Some(name.to_owned()),
                needed: level,
                available: most,
            })
            .named("encrypt"));
        }
        let assumed = circuit.node(input.node()).assumption().map(|a| a.bound);
        let largest = assumed.or(planned).unwrap_or(self.largest);
        self.encrypt_up_to(*input.layout(), value, level, largest)
    }

    /// The evaluation keys that a program needs, each cut to the highest level at which it is used.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::KeyAbsent`]; the key generator's.
    pub fn evaluation_keys(&self, program: &Program) -> Result<EvaluationKeySet> {
        let generator = KeyGenerator::new(self.secret().named("evaluation_keys")?)?;
        KeyRequests::of(program).generate(&generator)
    }

    /// Decrypts an object, for the key's owner. What this tells about the secret key is said at [`Decryptor::decrypt`]; results that
    /// leave the client's hands go through [`Decryptor::open_for_others`], which counts them and adds noise.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::KeyAbsent`]; the decryptor's.
    pub fn decrypt(&self, encrypted: &Encrypted<S>) -> Result<Value> {
        let secret = self.secret().named("decrypt")?;
        let slots = Decryptor::new(secret).decrypt(encrypted.ciphertext())?;
        encrypted.layout().unpack("decrypt", &slots)
    }
}
