//! An engine that tells an observer what is done with it: the part that
//! [`Counting`](crate::Counting), [`Traced`](crate::Traced) and the engines that are wrong on purpose share.

use std::{fmt, sync::Arc};

use crate::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, SecretEngine, Shape,
};

/// A call of an engine: an operation of the table, an allocation, a transfer, a wait.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The method: one of [`crate::OPERATIONS`], or `alloc`, `alloc_secret`, `upload`, `upload_secret`,
    /// `download`, `prepare_key`, `sync`.
    pub name: &'static str,
    /// Polynomials that it makes, writes or copies out.
    pub polys: usize,
    /// Limbs of these polynomials; of several outputs, those of the first.
    pub limbs: usize,
    /// Words of a row; zero for `sync`.
    pub n: usize,
}

impl Call {
    fn new(name: &'static str, polys: usize, limbs: usize, n: usize) -> Self {
        Self {
            name,
            polys,
            limbs,
            n,
        }
    }

    /// Rows: polynomials times limbs.
    pub fn rows(&self) -> usize {
        self.polys * self.limbs
    }

    /// Their bytes in boundary form.
    pub fn bytes(&self) -> usize {
        self.rows() * self.n * size_of::<u32>()
    }
}

/// What happens around the calls of an [`Observed`] engine. Clones share what they have seen.
pub trait Observer<B: Backend>: Clone + Send + Sync + 'static {
    /// The decorator's name.
    const NAME: &'static str;
    /// Held while a call runs.
    type During;

    /// A call begins.
    fn begin(&self, call: Call) -> Self::During;

    /// A call has not failed.
    fn done(&self, _: Call) {}

    /// Before an operation; outputs that it only writes have unspecified contents.
    fn before(&self, _: &'static str, _: &B, _: &B::Ring, _: &mut [&mut B::Buf]) {}

    /// After an operation that has not failed.
    fn after(&self, _: &'static str, _: &B, _: &B::Ring, _: &mut [&mut B::Buf]) {}

    /// The words of a download that has not failed; an error replaces the result.
    ///
    /// # Errors
    /// The observer's.
    fn downloaded(&self, _: &mut [u32]) -> Result<()> {
        Ok(())
    }
}

/// `B`, observed by `O`. Every call is passed on as it is, composites as composites. Clones share the observer.
#[derive(Clone)]
pub struct Observed<B: Backend, O: Observer<B>> {
    inner: B,
    pub(super) observer: O,
}

impl<B: Backend, O: Observer<B>> Observed<B, O> {
    /// The engine, observed from now on.
    pub fn new(inner: B) -> Self
    where
        O: Default,
    {
        Self {
            inner,
            observer: O::default(),
        }
    }

    /// The engine inside.
    pub fn inner(&self) -> &B {
        &self.inner
    }

    /// A call that is no operation.
    fn call<T>(
        &self,
        name: &'static str,
        ring: Option<&B::Ring>,
        (polys, limbs): (usize, usize),
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let n = ring.map_or(0, |ring| self.inner.basis(ring).n());
        let call = Call::new(name, polys, limbs, n);
        let _during = self.observer.begin(call);
        let outcome = run()?;
        self.observer.done(call);
        Ok(outcome)
    }

    fn begin(
        &self,
        name: &'static str,
        ring: &B::Ring,
        outputs: &mut [&mut B::Buf],
    ) -> (Call, O::During) {
        let shapes = || outputs.iter().map(|buf| self.inner.shape(buf));
        let polys = shapes().map(|shape| shape.polys).sum();
        let limbs = shapes().next().map_or(0, |shape| shape.limbs.len());
        let call = Call::new(name, polys, limbs, self.inner.basis(ring).n());
        let during = self.observer.begin(call);
        self.observer.before(name, &self.inner, ring, outputs);
        (call, during)
    }

    fn end(&self, call: Call, ring: &B::Ring, outputs: &mut [&mut B::Buf]) {
        self.observer.done(call);
        self.observer.after(call.name, &self.inner, ring, outputs);
    }
}

fn size(shape: &Shape) -> (usize, usize) {
    (shape.polys, shape.limbs.len())
}

impl<B: Backend, O: Observer<B>> fmt::Debug for Observed<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", O::NAME, self.inner.name())
    }
}

macro_rules! observe {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        impl<B: Backend, O: Observer<B>> Backend for Observed<B, O> {
            type Buf = B::Buf;
            type Ring = B::Ring;
            type Key = B::Key;

            fn name(&self) -> String {
                self.inner.name()
            }

            fn prefers_joined_batches(&self) -> bool {
                self.inner.prefers_joined_batches()
            }

            fn workers(&self) -> &crate::Workers {
                self.inner.workers()
            }

            fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring> {
                self.inner.ring(basis)
            }

            fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis> {
                self.inner.basis(ring)
            }

            fn shape<'a>(&self, buf: &'a Self::Buf) -> &'a Shape {
                self.inner.shape(buf)
            }

            fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout {
                self.inner.key_layout(key)
            }

            fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
                self.call("alloc", Some(ring), size(shape), || self.inner.alloc(ring, shape))
            }

            fn upload(&self, ring: &Self::Ring, shape: &Shape, domain: Domain, words: &[u32]) -> Result<Self::Buf> {
                self.call("upload", Some(ring), size(shape), || self.inner.upload(ring, shape, domain, words))
            }

            fn download(&self, ring: &Self::Ring, buf: &Self::Buf, domain: Domain, words: &mut [u32]) -> Result<()> {
                let size = size(self.inner.shape(buf));
                self.call("download", Some(ring), size, || self.inner.download(ring, buf, domain, words))?;
                self.observer.downloaded(words)
            }

            fn sync(&self) -> Result<()> {
                self.call("sync", None, (0, 0), || self.inner.sync())
            }

            fn prepare_key(&self, ring: &Self::Ring, layout: &KeyLayout, words: &[u32]) -> Result<Self::Key> {
                let size = (2 * layout.digits, layout.limbs.len());
                self.call("prepare_key", Some(ring), size, || self.inner.prepare_key(ring, layout, words))
            }

            $(
                fn $p(&self, ring: &Self::Ring, $($pa: op_type!(Self: $($pk)+)),*) {
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    let (call, _during) = self.begin(stringify!($p), ring, &mut outputs);
                    self.inner.$p(ring, $($pa),*);
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    self.end(call, ring, &mut outputs);
                }
            )*

            $(
                fn $c(&self, ring: &Self::Ring, $($ca: op_type!(Self: $($ck)+)),*) -> Result<()> {
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    let (call, _during) = self.begin(stringify!($c), ring, &mut outputs);
                    self.inner.$c(ring, $($ca),*)?;
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    self.end(call, ring, &mut outputs);
                    Ok(())
                }
            )*
        }
    };
}
backend_ops!(observe);

impl<B: SecretEngine, O: Observer<B>> SecretEngine for Observed<B, O> {
    fn alloc_secret(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
        self.call("alloc_secret", Some(ring), size(shape), || {
            self.inner.alloc_secret(ring, shape)
        })
    }

    fn upload_secret(
        &self,
        ring: &Self::Ring,
        shape: &Shape,
        domain: Domain,
        words: &[u32],
    ) -> Result<Self::Buf> {
        self.call("upload_secret", Some(ring), size(shape), || {
            self.inner.upload_secret(ring, shape, domain, words)
        })
    }
}
