//! The type-erased engine.
//!
//! Libraries are generic over [`Backend`]; a program that chooses its engine at run time uses [`AnyBackend`], which
//! is an engine like any other. Behind it stands a twin of the trait that can be made into an object, generated from
//! the op table, with an impl for every engine. The price is one virtual call and a few type checks per
//! operation, nothing per word.

use std::{any::Any, fmt, sync::Arc};

use crate::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, Shape, Workers,
};

/// Any engine.
///
/// It is no [`SecretEngine`](crate::SecretEngine), whatever is inside: the choice may have fallen on a device, and what
/// may hold a secret is decided by type. Programs make keys, encrypt and decrypt on a concrete secret engine.
///
/// Clones share the engine. Buffers belong to the engine that made them; the typed layer refuses to mix
/// them.
#[derive(Clone)]
pub struct AnyBackend {
    engine: Arc<dyn Erased>,
}

/// A buffer of some engine.
pub struct AnyBuf {
    shape: Shape,
    inner: Box<dyn Any + Send + Sync>,
}

/// A ring of some engine.
pub struct AnyRing {
    basis: Arc<RingBasis>,
    inner: Box<dyn Any + Send + Sync>,
}

/// A key of some engine.
pub struct AnyKey {
    layout: KeyLayout,
    inner: Box<dyn Any + Send + Sync>,
}

impl AnyBackend {
    /// Erases the type of an engine.
    pub fn new<B: Backend>(engine: B) -> Self {
        Self {
            engine: Arc::new(engine),
        }
    }
}

impl fmt::Debug for AnyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyBackend({})", self.engine.name())
    }
}

// The typed layer compares rings before every call, and a ring belongs to one engine, so these hold.
const FOREIGN_BUF: &str = "a buffer came to the engine that made it; buffers of two engines were mixed below the typed layer";
const FOREIGN_RING: &str =
    "a ring came to the engine that made it; rings of two engines were mixed below the typed layer";
const FOREIGN_KEY: &str =
    "a key came to the engine that made it; keys of two engines were mixed below the typed layer";

fn buf<B: Backend>(buf: &AnyBuf) -> &B::Buf {
    buf.inner.downcast_ref().expect(FOREIGN_BUF)
}

fn buf_mut<B: Backend>(buf: &mut AnyBuf) -> &mut B::Buf {
    buf.inner.downcast_mut().expect(FOREIGN_BUF)
}

fn ring<B: Backend>(ring: &AnyRing) -> &B::Ring {
    ring.inner.downcast_ref().expect(FOREIGN_RING)
}

fn key<B: Backend>(key: &AnyKey) -> &B::Key {
    key.inner.downcast_ref().expect(FOREIGN_KEY)
}

fn erase(shape: &Shape, inner: impl Any + Send + Sync) -> AnyBuf {
    AnyBuf {
        shape: shape.clone(),
        inner: Box::new(inner),
    }
}

/// The Rust type of an operand kind in the object-safe twin.
macro_rules! any_type {
    (Out) => { &mut AnyBuf };
    (Outs) => { &mut [&mut AnyBuf] };
    (In) => { &AnyBuf };
    (OptIn) => { Option<&AnyBuf> };
    (Ins) => { &[&AnyBuf] };
    (Key) => { &AnyKey };
    (Keys) => { &[Option<&AnyKey>] };
    (Val $t:ty) => { $t };
}

macro_rules! define_erased {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        /// The twin of [`Backend`] without associated types.
        trait Erased: Send + Sync {
            fn name(&self) -> String;
            fn prefers_joined_batches(&self) -> bool;
            fn workers(&self) -> &Workers;
            fn ring(&self, basis: &Arc<RingBasis>) -> Result<AnyRing>;
            fn alloc(&self, on: &AnyRing, shape: &Shape) -> Result<AnyBuf>;
            fn upload(&self, on: &AnyRing, shape: &Shape, domain: Domain, words: &[u32]) -> Result<AnyBuf>;
            fn download(&self, on: &AnyRing, from: &AnyBuf, domain: Domain, words: &mut [u32]) -> Result<()>;
            fn sync(&self) -> Result<()>;
            fn prepare_key(&self, on: &AnyRing, layout: &KeyLayout, words: &[u32]) -> Result<AnyKey>;
            $( fn $p(&self, on: &AnyRing, $($pa: any_type!($($pk)+)),*); )*
            $( fn $c(&self, on: &AnyRing, $($ca: any_type!($($ck)+)),*) -> Result<()>; )*
        }

        impl<B: Backend> Erased for B {
            fn name(&self) -> String {
                Backend::name(self)
            }

            fn prefers_joined_batches(&self) -> bool {
                Backend::prefers_joined_batches(self)
            }

            fn workers(&self) -> &Workers {
                Backend::workers(self)
            }

            fn ring(&self, basis: &Arc<RingBasis>) -> Result<AnyRing> {
                let inner = Backend::ring(self, basis)?;
                Ok(AnyRing { basis: basis.clone(), inner: Box::new(inner) })
            }

            fn alloc(&self, on: &AnyRing, shape: &Shape) -> Result<AnyBuf> {
                Ok(erase(shape, Backend::alloc(self, ring::<B>(on), shape)?))
            }

            fn upload(&self, on: &AnyRing, shape: &Shape, domain: Domain, words: &[u32]) -> Result<AnyBuf> {
                Ok(erase(shape, Backend::upload(self, ring::<B>(on), shape, domain, words)?))
            }

            fn download(&self, on: &AnyRing, from: &AnyBuf, domain: Domain, words: &mut [u32]) -> Result<()> {
                Backend::download(self, ring::<B>(on), buf::<B>(from), domain, words)
            }

            fn sync(&self) -> Result<()> {
                Backend::sync(self)
            }

            fn prepare_key(&self, on: &AnyRing, layout: &KeyLayout, words: &[u32]) -> Result<AnyKey> {
                let inner = Backend::prepare_key(self, ring::<B>(on), layout, words)?;
                Ok(AnyKey { layout: layout.clone(), inner: Box::new(inner) })
            }

            $(
                fn $p(&self, on: &AnyRing, $($pa: any_type!($($pk)+)),*) {
                    Backend::$p(self, ring::<B>(on), $(op_map!($pa, (buf::<B>, buf_mut::<B>, key::<B>), $($pk)+)),*);
                }
            )*

            $(
                fn $c(&self, on: &AnyRing, $($ca: any_type!($($ck)+)),*) -> Result<()> {
                    Backend::$c(self, ring::<B>(on), $(op_map!($ca, (buf::<B>, buf_mut::<B>, key::<B>), $($ck)+)),*)
                }
            )*
        }

        impl Backend for AnyBackend {
            type Buf = AnyBuf;
            type Ring = AnyRing;
            type Key = AnyKey;

            fn name(&self) -> String {
                self.engine.name()
            }

            fn prefers_joined_batches(&self) -> bool {
                self.engine.prefers_joined_batches()
            }

            fn workers(&self) -> &Workers {
                self.engine.workers()
            }

            fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring> {
                self.engine.ring(basis)
            }

            fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis> {
                &ring.basis
            }

            fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
                self.engine.alloc(ring, shape)
            }

            fn shape<'a>(&self, buf: &'a Self::Buf) -> &'a Shape {
                &buf.shape
            }

            fn upload(&self, ring: &Self::Ring, shape: &Shape, domain: Domain, words: &[u32]) -> Result<Self::Buf> {
                self.engine.upload(ring, shape, domain, words)
            }

            fn download(&self, ring: &Self::Ring, buf: &Self::Buf, domain: Domain, words: &mut [u32]) -> Result<()> {
                self.engine.download(ring, buf, domain, words)
            }

            fn sync(&self) -> Result<()> {
                self.engine.sync()
            }

            fn prepare_key(&self, ring: &Self::Ring, layout: &KeyLayout, words: &[u32]) -> Result<Self::Key> {
                self.engine.prepare_key(ring, layout, words)
            }

            fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout {
                &key.layout
            }

            $(
                fn $p(&self, ring: &Self::Ring, $($pa: op_type!(Self: $($pk)+)),*) {
                    self.engine.$p(ring, $($pa),*);
                }
            )*

            $(
                fn $c(&self, ring: &Self::Ring, $($ca: op_type!(Self: $($ck)+)),*) -> Result<()> {
                    self.engine.$c(ring, $($ca),*)
                }
            )*
        }
    };
}
backend_ops!(define_erased);

/// Shape only: contents may be secret.
impl fmt::Debug for AnyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyBuf({:?})", self.shape)
    }
}

impl fmt::Debug for AnyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "AnyRing(N = {}, {} primes)",
            self.basis.n(),
            self.basis.len()
        )
    }
}

impl fmt::Debug for AnyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyKey({:?})", self.layout)
    }
}

#[cfg(test)]
mod tests {
    use super::AnyBackend;
    use crate::{
        Backend, Checked, Counting, Domain, HalErrorKind, Poly, Reference, Ring, Shape,
        decorators::{Tampered, program},
    };

    #[test]
    fn an_erased_engine_gives_the_same_words() {
        let engine = AnyBackend::new(Reference);
        assert_eq!(Backend::name(&engine), "reference");
        assert_eq!(program::run(engine).unwrap(), program::expected());
        let twice = AnyBackend::new(AnyBackend::new(Reference));
        assert_eq!(program::run(twice).unwrap(), program::expected());
        let checked = Checked::new(AnyBackend::new(Reference), Reference);
        assert_eq!(program::run(checked).unwrap(), program::expected());
    }

    #[test]
    fn composites_reach_the_engine_as_composites() {
        let (direct, erased) = (Counting::new(Reference), Counting::new(Reference));
        program::run(direct.clone()).unwrap();
        program::run(AnyBackend::new(erased.clone())).unwrap();
        assert_eq!(direct.counts(), erased.counts());
    }

    #[test]
    fn errors_of_the_engine_are_passed_on() {
        let broken = Tampered::new(Reference).on_download(|_| {
            Err(HalErrorKind::Device {
                engine: "test".into(),
                message: "lost".into(),
            }
            .into())
        });
        let error = program::run(AnyBackend::new(broken)).unwrap_err();
        assert!(matches!(error.kind(), HalErrorKind::Device { .. }));
    }

    #[test]
    fn engines_of_one_type_do_not_mix_in_the_typed_layer() {
        let basis = program::basis();
        let shape = Shape::new(1, program::window());
        let [a, b] = [(); 2].map(|()| {
            let ring = Ring::new(AnyBackend::new(Reference), &basis).unwrap();
            Poly::<_, crate::Eval>::zeros(&ring, &shape).unwrap()
        });
        let error = a.add(&b).unwrap_err();
        assert!(matches!(error.kind(), HalErrorKind::RingMismatch { .. }));
    }

    #[test]
    #[should_panic(expected = "buffers of two engines were mixed below the typed layer")]
    fn a_foreign_buffer_below_the_typed_layer_is_named() {
        let basis = program::basis();
        let shape = Shape::new(1, program::window());
        let plain = AnyBackend::new(Reference);
        let other = AnyBackend::new(Checked::new(Reference, Reference));
        let ring = Backend::ring(&plain, &basis).unwrap();
        let buf = other.alloc(&other.ring(&basis).unwrap(), &shape).unwrap();
        let mut words = vec![0; shape.words(basis.n())];
        let _ = plain.download(&ring, &buf, Domain::Eval, &mut words);
    }
}
