//! The data owner's side: encryption and decryption of matrices and vectors.

use arras_ckks::{
    Context, Decryptor, EncryptionStreams, Encryptor, EvaluationKeySet, KeyGenerator,
    LoadedPublicKey, PublicKey, SecretKey, random::Seed,
};
use arras_hal::{Named, SecretEngine};

use crate::{
    Bindings, Encrypted, Layout, Program, Result, SeededEncrypted, ToolkitError, ToolkitErrorKind,
    Value, plan::KeyRequests, run::check_inputs,
};

/// A client: whoever holds the secret key, or the public key only.
#[derive(Debug)]
pub struct Client<S: SecretEngine> {
    context: Context<S>,
    secret: Option<SecretKey<S>>,
    public: Option<LoadedPublicKey<S>>,
    streams: EncryptionStreams,
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
        })
    }

    /// With encryptions from a seed, for runs that must be reproducible (see [`EncryptionStreams::from_seed`]).
    #[must_use]
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.streams = EncryptionStreams::from_seed(seed);
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
        let secret = self.secret().named("encrypt")?;
        let slots = self.packed(layout, &value.into()).named("encrypt")?;
        let slots: Vec<&[f64]> = slots.iter().map(Vec::as_slice).collect();
        let encryptor = Encryptor::with_streams(secret, &self.streams);
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
        let encryptor = Encryptor::with_streams(public, &self.streams);
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

    /// Encrypts the values of a program's inputs, each at the level at which it is needed.
    ///
    /// # Errors
    /// As [`Client::encrypt`]; [`ToolkitErrorKind::UnknownName`]; [`ToolkitErrorKind::TooFewLevels`].
    pub fn encrypt_inputs(
        &self,
        program: &Program,
        inputs: &Bindings<Value>,
    ) -> Result<Bindings<SeededEncrypted>> {
        let circuit = program.circuit();
        check_inputs(circuit, inputs)?;
        let most = self.context.max_level();
        inputs
            .iter()
            .map(|(name, value)| {
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
                let encrypted = self.encrypt(*input.layout(), value.clone(), level)?;
                Ok((name.to_owned(), encrypted))
            })
            .collect()
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
