//! An engine with faults, to test what finds faults.

use std::sync::Arc;

use super::observed::{Call, Observed, Observer};
use crate::{Backend, Result};

/// Called with an operation's name, the engine inside, the ring and the operation's outputs.
pub type OpHook<B> =
    dyn Fn(&'static str, &B, &<B as Backend>::Ring, &mut [&mut <B as Backend>::Buf]) + Send + Sync;

/// Called with the words of every download that succeeded; an error replaces the result.
pub type DownloadHook = dyn Fn(&mut [u32]) -> Result<()> + Send + Sync;

/// `B` with hooks around every operation: a wrong engine on purpose.
///
/// Hooks may use the engine inside (upload and copy rows over an output, run another operation); what they do
/// there does not call hooks again. Clones share the hooks.
pub type Tampered<B> = Observed<B, Hooks<B>>;

/// The observer of a [`Tampered`] engine.
#[derive(Clone)]
pub struct Hooks<B: Backend> {
    before: Option<Arc<OpHook<B>>>,
    after: Option<Arc<OpHook<B>>>,
    download: Option<Arc<DownloadHook>>,
}

impl<B: Backend> Tampered<B> {
    /// Calls `hook` before every operation; outputs that an operation only writes have unspecified contents.
    #[must_use]
    pub fn before(
        mut self,
        hook: impl Fn(&'static str, &B, &B::Ring, &mut [&mut B::Buf]) + Send + Sync + 'static,
    ) -> Self {
        self.observer.before = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` after every operation that did not fail.
    #[must_use]
    pub fn after(
        mut self,
        hook: impl Fn(&'static str, &B, &B::Ring, &mut [&mut B::Buf]) + Send + Sync + 'static,
    ) -> Self {
        self.observer.after = Some(Arc::new(hook));
        self
    }

    /// Clears what the operation of this name computes.
    #[must_use]
    pub fn clearing(self, op: &'static str) -> Self {
        self.after(move |name, engine, ring, outputs| {
            if name == op {
                for output in outputs.iter_mut() {
                    engine.zero(ring, output);
                }
            }
        })
    }

    /// Calls `hook` with the words of every download; its error is the download's.
    #[must_use]
    pub fn on_download(
        mut self,
        hook: impl Fn(&mut [u32]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.observer.download = Some(Arc::new(hook));
        self
    }
}

impl<B: Backend> Default for Hooks<B> {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
            download: None,
        }
    }
}

impl<B: Backend> Observer<B> for Hooks<B> {
    const NAME: &'static str = "Tampered";
    type During = ();

    fn begin(&self, _: Call) {}

    fn before(&self, op: &'static str, engine: &B, ring: &B::Ring, outputs: &mut [&mut B::Buf]) {
        if let Some(hook) = &self.before {
            hook(op, engine, ring, outputs);
        }
    }

    fn after(&self, op: &'static str, engine: &B, ring: &B::Ring, outputs: &mut [&mut B::Buf]) {
        if let Some(hook) = &self.after {
            hook(op, engine, ring, outputs);
        }
    }

    fn downloaded(&self, words: &mut [u32]) -> Result<()> {
        self.download.as_ref().map_or(Ok(()), |hook| hook(words))
    }
}
