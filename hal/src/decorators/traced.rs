//! An engine that reports its operations to `tracing`.

use std::fmt;

use crate::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RowCopy, SecretEngine, Shape,
};

/// `B` with a span around every operation.
///
/// The span has the operation's name and the target `arras::engine`, with the fields `polys` and `limbs` of the
/// output (of several outputs: all polynomials, the limbs of the first). Primitives are at level TRACE,
/// composites at DEBUG, uploads, downloads, key preparations and waits at TRACE. On an engine that only enqueues,
/// the span of an operation covers the enqueuing; time spent computing shows in downloads and waits. Contents are never
/// recorded.
#[derive(Clone)]
pub struct Traced<B: Backend> {
    inner: B,
}

impl<B: Backend> Traced<B> {
    /// The engine, traced.
    pub fn new(inner: B) -> Self {
        Self { inner }
    }

    /// The engine inside.
    pub fn inner(&self) -> &B {
        &self.inner
    }

    /// Polynomials of all outputs, limbs of the first.
    fn size(&self, outputs: &[&mut B::Buf]) -> (usize, usize) {
        let polys = outputs.iter().map(|buf| self.inner.shape(buf).polys).sum();
        let limbs = outputs
            .first()
            .map_or(0, |buf| self.inner.shape(buf).limbs.len());
        (polys, limbs)
    }
}

impl<B: Backend> fmt::Debug for Traced<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Traced({})", self.inner.name())
    }
}

macro_rules! entered {
    ($level:ident, $name:expr, $polys:expr, $limbs:expr) => {
        tracing::span!(
            target: "arras::engine",
            tracing::Level::$level,
            $name,
            polys = $polys as u64,
            limbs = $limbs as u64
        )
        .entered()
    };
}

macro_rules! trace {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        impl<B: Backend> Backend for Traced<B> {
            forward_engine!(inner: B);

            fn name(&self) -> String {
                self.inner.name()
            }

            fn prefers_joined_batches(&self) -> bool {
                self.inner.prefers_joined_batches()
            }

            fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
                self.inner.alloc(ring, shape)
            }

            fn upload(&self, ring: &Self::Ring, shape: &Shape, domain: Domain, words: &[u32]) -> Result<Self::Buf> {
                let _span = entered!(TRACE, "upload", shape.polys, shape.limbs.len());
                self.inner.upload(ring, shape, domain, words)
            }

            fn download(&self, ring: &Self::Ring, buf: &Self::Buf, domain: Domain, words: &mut [u32]) -> Result<()> {
                let shape = self.inner.shape(buf);
                let _span = entered!(TRACE, "download", shape.polys, shape.limbs.len());
                self.inner.download(ring, buf, domain, words)
            }

            fn sync(&self) -> Result<()> {
                let _span = tracing::trace_span!(target: "arras::engine", "sync").entered();
                self.inner.sync()
            }

            fn prepare_key(&self, ring: &Self::Ring, layout: &KeyLayout, words: &[u32]) -> Result<Self::Key> {
                let _span = entered!(TRACE, "prepare_key", 2 * layout.digits, layout.limbs.len());
                self.inner.prepare_key(ring, layout, words)
            }

            $(
                fn $p(&self, ring: &Self::Ring, $($pa: op_type!($($pk)+)),*) {
                    let outputs: Vec<&mut Self::Buf> = [$(op_outputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    let (polys, limbs) = self.size(&outputs);
                    let _span = entered!(TRACE, stringify!($p), polys, limbs);
                    self.inner.$p(ring, $($pa),*);
                }
            )*

            $(
                fn $c(&self, ring: &Self::Ring, $($ca: op_type!($($ck)+)),*) -> Result<()> {
                    let outputs: Vec<&mut Self::Buf> = [$(op_outputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    let (polys, limbs) = self.size(&outputs);
                    let _span = entered!(DEBUG, stringify!($c), polys, limbs);
                    self.inner.$c(ring, $($ca),*)
                }
            )*
        }
    };
}
backend_ops!(trace);

impl<B: SecretEngine> SecretEngine for Traced<B> {
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
        let _span = entered!(TRACE, "upload_secret", shape.polys, shape.limbs.len());
        self.inner.upload_secret(ring, shape, domain, words)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{
            Arc, Mutex,
            atomic::{AtomicU64, Ordering},
        },
    };

    use tracing::{Event, Level, Metadata, Subscriber, field, span};

    use super::*;
    use crate::{Counting, Reference, decorators::program};

    #[derive(Clone, Debug, PartialEq)]
    struct Seen {
        name: &'static str,
        level: Level,
        fields: BTreeMap<&'static str, u64>,
    }

    /// Keeps the engine's spans in the order in which they are entered.
    #[derive(Default)]
    struct Recorder {
        next: AtomicU64,
        known: Mutex<BTreeMap<u64, Seen>>,
        entered: Arc<Mutex<Vec<Seen>>>,
    }

    struct Fields<'a>(&'a mut BTreeMap<&'static str, u64>);

    impl field::Visit for Fields<'_> {
        fn record_u64(&mut self, field: &field::Field, value: u64) {
            self.0.insert(field.name(), value);
        }

        fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
            panic!("{} = {value:?} is not a number", field.name());
        }
    }

    impl Subscriber for Recorder {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "arras::engine"
        }

        fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
            let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
            let mut fields = BTreeMap::new();
            attributes.record(&mut Fields(&mut fields));
            let metadata = attributes.metadata();
            let seen = Seen {
                name: metadata.name(),
                level: *metadata.level(),
                fields,
            };
            self.known.lock().unwrap().insert(id, seen);
            span::Id::from_u64(id)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, _: &Event<'_>) {}

        fn enter(&self, id: &span::Id) {
            let seen = self.known.lock().unwrap()[&id.into_u64()].clone();
            self.entered.lock().unwrap().push(seen);
        }

        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn every_operation_has_a_span_with_its_size() {
        let counting = Counting::new(Reference);
        let recorder = Recorder::default();
        let entered = recorder.entered.clone();
        let results = tracing::subscriber::with_default(recorder, || {
            program::run(Traced::new(counting.clone())).unwrap()
        });
        assert_eq!(results, program::expected());
        let entered = entered.lock().unwrap();
        let find = |name| entered.iter().find(|seen| seen.name == name).unwrap();
        assert_eq!(find("ntt").level, Level::TRACE);
        assert_eq!(find("ntt").fields, [("polys", 2), ("limbs", 4)].into());
        assert_eq!(find("tensor").level, Level::DEBUG);
        assert_eq!(find("tensor").fields, [("polys", 3), ("limbs", 4)].into());
        assert_eq!(
            find("hoisted_rotations").fields,
            [("polys", 6), ("limbs", 4)].into()
        );
        assert_eq!(find("prepare_key").fields["polys"], 4);
        assert!(find("sync").fields.is_empty());
        // As many spans as the engine inside counts calls, for every operation.
        for (op, tally) in counting.counts().operations() {
            let spans = entered.iter().filter(|seen| seen.name == *op).count();
            assert_eq!(spans as u64, tally.calls, "{op}");
        }
    }
}
