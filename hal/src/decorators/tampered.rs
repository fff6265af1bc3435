//! An engine with faults, to test what finds faults.

use std::{fmt, sync::Arc};

use crate::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RowCopy, SecretEngine, Shape,
};

/// Called with an operation's name, the engine inside, the ring and the operation's outputs.
pub type OpHook<B> =
    dyn Fn(&'static str, &B, &<B as Backend>::Ring, &mut [&mut <B as Backend>::Buf]) + Send + Sync;

/// Called with the words of every download that succeeded; an error replaces the result.
pub type DownloadHook = dyn Fn(&mut [u32]) -> Result<()> + Send + Sync;

/// `B` with hooks around every operation: a wrong engine on purpose.
///
/// Hooks may use the engine inside (upload and copy rows over an output, run another operation); what they do
/// there does not call hooks again. Clones share the hooks.
pub struct Tampered<B: Backend> {
    inner: B,
    before: Option<Arc<OpHook<B>>>,
    after: Option<Arc<OpHook<B>>>,
    download: Option<Arc<DownloadHook>>,
}

impl<B: Backend> Tampered<B> {
    /// The engine, not tampered with yet.
    pub fn new(inner: B) -> Self {
        Self {
            inner,
            before: None,
            after: None,
            download: None,
        }
    }

    /// Calls `hook` before every operation; outputs that an operation only writes have unspecified contents.
    #[must_use]
    pub fn before(
        mut self,
        hook: impl Fn(&'static str, &B, &B::Ring, &mut [&mut B::Buf]) + Send + Sync + 'static,
    ) -> Self {
        self.before = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` after every operation that did not fail.
    #[must_use]
    pub fn after(
        mut self,
        hook: impl Fn(&'static str, &B, &B::Ring, &mut [&mut B::Buf]) + Send + Sync + 'static,
    ) -> Self {
        self.after = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` with the words of every download; its error is the download's.
    #[must_use]
    pub fn on_download(
        mut self,
        hook: impl Fn(&mut [u32]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.download = Some(Arc::new(hook));
        self
    }

    /// The engine inside.
    pub fn inner(&self) -> &B {
        &self.inner
    }

    fn call(
        &self,
        hook: Option<&Arc<OpHook<B>>>,
        op: &'static str,
        ring: &B::Ring,
        outputs: &mut [&mut B::Buf],
    ) {
        if let Some(hook) = hook {
            hook(op, &self.inner, ring, outputs);
        }
    }
}

impl<B: Backend> Clone for Tampered<B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            download: self.download.clone(),
        }
    }
}

impl<B: Backend> fmt::Debug for Tampered<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tampered({})", self.inner.name())
    }
}

macro_rules! tamper {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        impl<B: Backend> Backend for Tampered<B> {
            forward_engine!(inner: B);

            fn name(&self) -> String {
                format!("tampered {}", self.inner.name())
            }

            fn prefers_joined_batches(&self) -> bool {
                self.inner.prefers_joined_batches()
            }

            fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
                self.inner.alloc(ring, shape)
            }

            fn upload(&self, ring: &Self::Ring, shape: &Shape, domain: Domain, words: &[u32]) -> Result<Self::Buf> {
                self.inner.upload(ring, shape, domain, words)
            }

            fn download(&self, ring: &Self::Ring, buf: &Self::Buf, domain: Domain, words: &mut [u32]) -> Result<()> {
                self.inner.download(ring, buf, domain, words)?;
                self.download.as_ref().map_or(Ok(()), |hook| hook(words))
            }

            fn sync(&self) -> Result<()> {
                self.inner.sync()
            }

            fn prepare_key(&self, ring: &Self::Ring, layout: &KeyLayout, words: &[u32]) -> Result<Self::Key> {
                self.inner.prepare_key(ring, layout, words)
            }

            $(
                fn $p(&self, ring: &Self::Ring, $($pa: op_type!($($pk)+)),*) {
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    self.call(self.before.as_ref(), stringify!($p), ring, &mut outputs);
                    self.inner.$p(ring, $($pa),*);
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    self.call(self.after.as_ref(), stringify!($p), ring, &mut outputs);
                }
            )*

            $(
                fn $c(&self, ring: &Self::Ring, $($ca: op_type!($($ck)+)),*) -> Result<()> {
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    self.call(self.before.as_ref(), stringify!($c), ring, &mut outputs);
                    self.inner.$c(ring, $($ca),*)?;
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    self.call(self.after.as_ref(), stringify!($c), ring, &mut outputs);
                    Ok(())
                }
            )*
        }
    };
}
backend_ops!(tamper);

impl<B: SecretEngine> SecretEngine for Tampered<B> {
    fn alloc_secret(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
        self.inner.alloc_secret(ring, shape)
    }

    fn upload_secret(
        &self,
        ring: &Self::Ring,
        shape: &Shape,
        domain: Domain,
        words: &[u32],
    ) -> Result<Self::Buf> {
        self.inner.upload_secret(ring, shape, domain, words)
    }
}
