//! Ciphertexts with the layout of what they hold.

use std::{any::Any, io::Read, sync::Arc};

use arras_ckks::{
    Ciphertext, Context, Parameters, Result as CkksResult, SeededCiphertext, wire::ObjectKind,
};
use arras_hal::{Backend, Named};

use crate::{Bindings, Layout, Result, ToolkitError, ToolkitErrorKind};

mod sealed {
    pub trait Sealed {}
    impl<B: arras_hal::Backend> Sealed for arras_ckks::Ciphertext<B> {}
    impl Sealed for arras_ckks::SeededCiphertext {}
}

/// Batches of ciphertexts that an encrypted object can consist of: [`Ciphertext`] and [`SeededCiphertext`].
pub trait CiphertextBatch: sealed::Sealed + Sized {
    /// What errors call the making of such an object.
    const NEW: &'static str;
    /// The kind of its files.
    const KIND: ObjectKind;
    /// What it is read for: a context or parameters.
    type Home<'h>: Copy;

    /// Number of ciphertexts.
    fn ciphertexts(&self) -> usize;
    /// Slots of each.
    fn slots(&self) -> usize;
    /// The ciphertexts as one container.
    ///
    /// # Errors
    /// No memory; an engine that has failed.
    fn encode(&self) -> CkksResult<Vec<u8>>;
    /// The ciphertexts of one container, which need not be the end of the input.
    ///
    /// # Errors
    /// What is wrong with the bytes; other parameters; an engine that has failed.
    fn read_from(input: impl Read, home: Self::Home<'_>) -> CkksResult<Self>;
}

impl<B: Backend> CiphertextBatch for Ciphertext<B> {
    const NEW: &'static str = "Encrypted::new";
    const KIND: ObjectKind = ObjectKind::EncryptedArray;
    type Home<'h> = &'h Context<B>;

    fn ciphertexts(&self) -> usize {
        self.batch()
    }

    fn slots(&self) -> usize {
        self.context().slots()
    }

    fn encode(&self) -> CkksResult<Vec<u8>> {
        self.to_bytes()
    }

    fn read_from(input: impl Read, home: &Context<B>) -> CkksResult<Self> {
        Self::read_from(input, home)
    }
}

impl CiphertextBatch for SeededCiphertext {
    const NEW: &'static str = "SeededEncrypted::new";
    const KIND: ObjectKind = ObjectKind::SeededEncryptedArray;
    type Home<'h> = &'h Parameters;

    fn ciphertexts(&self) -> usize {
        self.batch()
    }

    fn slots(&self) -> usize {
        self.params().slots()
    }

    fn encode(&self) -> CkksResult<Vec<u8>> {
        self.to_bytes()
    }

    fn read_from(input: impl Read, home: &Parameters) -> CkksResult<Self> {
        Self::read_from(input, home)
    }
}

/// A matrix, vector or number in ciphertexts: its layout and one batch. Clones share the ciphertexts.
#[derive(Debug)]
pub struct WithLayout<C> {
    layout: Layout,
    ciphertext: Arc<C>,
}

/// An encrypted object on an engine.
pub type Encrypted<B> = WithLayout<Ciphertext<B>>;

/// A freshly encrypted object in half the bytes: to be sent, then expanded on an engine.
pub type SeededEncrypted = WithLayout<SeededCiphertext>;

impl<C> Clone for WithLayout<C> {
    fn clone(&self) -> Self {
        Self {
            layout: self.layout,
            ciphertext: self.ciphertext.clone(),
        }
    }
}

impl<C: CiphertextBatch> WithLayout<C> {
    /// Puts a layout to a batch of ciphertexts.
    ///
    /// # Errors
    /// [`ToolkitErrorKind::WrongInput`] if the batch has another number of ciphertexts or slots; those of [`Layout::check`].
    pub fn new(layout: Layout, ciphertext: C) -> Result<Self> {
        Self::from_shared(layout, Arc::new(ciphertext))
    }

    pub(crate) fn from_shared(layout: Layout, ciphertext: Arc<C>) -> Result<Self> {
        layout.check().named(C::NEW)?;
        let slots = ciphertext.slots();
        if ciphertext.ciphertexts() != layout.units() || slots != layout.slots() {
            let error = ToolkitError::from(ToolkitErrorKind::WrongInput {
                name: "ciphertext".into(),
                expected: layout.to_string(),
                found: format!("{} ciphertexts of {slots} slots", ciphertext.ciphertexts()),
            });
            return Err(error.named(C::NEW));
        }
        Ok(Self { layout, ciphertext })
    }

    /// Its shape and encoding.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its ciphertexts.
    pub fn ciphertext(&self) -> &C {
        &self.ciphertext
    }

    pub(crate) fn shared(&self) -> &Arc<C> {
        &self.ciphertext
    }
}

impl<B: Backend> WithLayout<Ciphertext<B>> {
    /// Its level.
    pub fn level(&self) -> usize {
        self.ciphertext.level()
    }

    /// The object in another context of the same parameters ([`Ciphertext::to_context`]); in its own context a handle of the same
    /// ciphertexts.
    ///
    /// # Errors
    /// [`arras_ckks::CkksErrorKind::ParametersMismatch`]; the engines'.
    pub fn to_context<T: Backend>(&self, context: &Context<T>) -> Result<Encrypted<T>> {
        if let Some(this) = (self as &dyn Any).downcast_ref::<Encrypted<T>>()
            && this.ciphertext.context().is(context)
        {
            return Ok(this.clone());
        }
        Encrypted::new(self.layout, self.ciphertext.to_context(context)?)
    }
}

impl WithLayout<SeededCiphertext> {
    /// The object on an engine.
    ///
    /// # Errors
    /// [`arras_ckks::CkksErrorKind::ParametersMismatch`]; the engine's if it has no memory.
    pub fn expand<B: Backend>(&self, context: &Context<B>) -> Result<Encrypted<B>> {
        Encrypted::new(self.layout, self.ciphertext.expand(context)?)
    }
}

impl Bindings<SeededEncrypted> {
    /// All of them on an engine.
    ///
    /// # Errors
    /// As [`SeededEncrypted::expand`].
    pub fn expand<B: Backend>(&self, context: &Context<B>) -> Result<Bindings<Encrypted<B>>> {
        self.iter()
            .map(|(name, value)| Ok((name.to_owned(), value.expand(context)?)))
            .collect()
    }
}
