//! An engine that reports its operations to `tracing`.

use tracing::span::EnteredSpan;

use super::observed::{Call, Observed, Observer};
use crate::Backend;

/// `B` with a span around every operation.
///
/// The span has the operation's name and the target `arras::engine`, with the fields `polys` and `limbs` of the
/// output (of several outputs: all polynomials, the limbs of the first). Primitives are at level TRACE,
/// composites at DEBUG, uploads, downloads, key preparations and waits at TRACE. On an engine that only enqueues,
/// the span of an operation covers the enqueuing; time spent computing shows in downloads and waits. Contents are never
/// recorded.
pub type Traced<B> = Observed<B, Spans>;

/// The observer of a [`Traced`] engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spans;

macro_rules! entered {
    ($level:ident, $name:expr $(, $field:ident)*) => {
        tracing::span!(target: "arras::engine", tracing::Level::$level, $name $(, $field = $field as u64)*).entered()
    };
}

macro_rules! observe {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        impl<B: Backend> Observer<B> for Spans {
            const NAME: &'static str = "Traced";
            type During = Option<EnteredSpan>;

            /// A span's name has to be a constant where the span is made.
            fn begin(&self, call: Call) -> Self::During {
                let Call { polys, limbs, .. } = call;
                let span = match call.name {
                    $( stringify!($p) => entered!(TRACE, stringify!($p), polys, limbs), )*
                    $( stringify!($c) => entered!(DEBUG, stringify!($c), polys, limbs), )*
                    "upload" => entered!(TRACE, "upload", polys, limbs),
                    "upload_secret" => entered!(TRACE, "upload_secret", polys, limbs),
                    "download" => entered!(TRACE, "download", polys, limbs),
                    "prepare_key" => entered!(TRACE, "prepare_key", polys, limbs),
                    "sync" => entered!(TRACE, "sync"),
                    _ => return None,
                };
                Some(span)
            }
        }
    };
}
backend_ops!(observe);

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fmt,
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
