//! An engine that is compared with another after every operation.

mod buffer;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

pub use buffer::{CheckedBuf, Pair};
use buffer::{Contents, Words};

use crate::{
    Backend, ConversionTable, Domain, GaloisElement, HalError, HalErrorKind, KeyLayout,
    KeySwitchPlan, LimbConstants, Mismatch, MismatchKind, ModDownPlan, ModUpPlan, RescalePlan,
    Result, RingBasis, RowCopy, SecretEngine, Shape, composites,
};

/// Runs every operation, composites too, on the engine `B` and on the oracle `O` and compares.
///
/// After each operation all its outputs are downloaded from both, and its inputs from `B`. The first word that
/// differs from the oracle, is not below its modulus, or changed in an input is kept as [`Mismatch`]; it comes
/// out of every later [`Backend::download`] and [`Backend::sync`] as [`HalErrorKind::Mismatch`], and comparing stops.
/// Clones share what was found.
///
/// Contents of fresh buffers are unspecified, so before the first operation that writes one, both sides get the
/// same constant rows (by an upload and a `copy_rows`, which the engines see): partly written buffers can be
/// compared, and an engine that adds where it should assign shows. What is computed from a buffer that nothing
/// wrote is not compared.
///
/// A tool for tests: it waits after every operation and keeps copies of all buffers. A mismatch holds a word of the
/// buffers, so check engines with secrets made for tests.
pub struct Checked<B: Backend, O: Backend> {
    engine: B,
    oracle: O,
    found: Arc<Found>,
}

#[derive(Default)]
struct Found {
    operations: AtomicU64,
    state: Mutex<FoundState>,
}

#[derive(Default)]
struct FoundState {
    mismatch: Option<Mismatch>,
    /// An engine's error that a comparison met: the next wait of the caller's owes it.
    deferred: Option<HalError>,
}

/// One operation while it runs.
struct Call {
    op: &'static str,
    index: u64,
    domain: Option<Domain>,
    /// Whether the outputs are specified and no mismatch is known yet.
    compare: bool,
}

impl<B: Backend, O: Backend> Checked<B, O> {
    /// `engine`, checked by `oracle`.
    pub fn new(engine: B, oracle: O) -> Self {
        Self {
            engine,
            oracle,
            found: Arc::default(),
        }
    }

    /// The engine under test.
    pub fn engine(&self) -> &B {
        &self.engine
    }

    /// The oracle.
    pub fn oracle(&self) -> &O {
        &self.oracle
    }

    /// The first fault found so far.
    pub fn first_mismatch(&self) -> Option<Mismatch> {
        self.state().mismatch.clone()
    }

    /// Number of operations run so far.
    pub fn operations(&self) -> u64 {
        self.found.operations.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, FoundState> {
        // Both fields are replaced whole, so a panic elsewhere cannot leave them broken.
        self.found
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault or the error that is owed to the caller.
    fn surface(&self) -> Result<()> {
        let mut state = self.state();
        if let Some(mismatch) = &state.mismatch {
            return Err(HalErrorKind::Mismatch(Box::new(mismatch.clone())).into());
        }
        state.deferred.take().map_or(Ok(()), Err)
    }

    fn defer(&self, error: HalError) {
        self.state().deferred.get_or_insert(error);
    }

    fn accuse(&self, mismatch: Mismatch) {
        self.state().mismatch.get_or_insert(mismatch);
    }

    /// Prepares the outputs of an operation and says in which domain they will be.
    fn begin(
        &self,
        ring: &Pair<B::Ring, O::Ring>,
        op: &'static str,
        stated: Option<Domain>,
        inputs: &[&CheckedBuf<B, O>],
        outputs: &mut [&mut CheckedBuf<B, O>],
    ) -> Call {
        let index = self.found.operations.fetch_add(1, Ordering::Relaxed);
        // `Same` is the first input's domain; an input of zeros leaves it to the next.
        let inherited = || {
            let own = outputs.first().and_then(|buf| buf.domain());
            inputs.iter().find_map(|buf| buf.domain()).or(own)
        };
        let domain = match stated {
            Some(domain) => Some(domain),
            None if op == "zero" => None,
            None => inherited(),
        };
        let mut compare =
            self.first_mismatch().is_none() && !inputs.iter().any(|buf| buf.is_unspecified());
        for buf in outputs.iter_mut().filter(|buf| buf.is_unspecified()) {
            if !compare {
                break;
            }
            if let Err(error) = self.poison(ring, domain.unwrap_or(Domain::Eval), buf) {
                self.defer(error);
                compare = false;
            }
        }
        Call {
            op,
            index,
            domain,
            compare,
        }
    }

    /// The same rows for both sides of a buffer: canonical, so that nothing an engine may rely on is broken, and
    /// constant, so that an engine's own order of a row does not matter.
    fn poison(
        &self,
        ring: &Pair<B::Ring, O::Ring>,
        domain: Domain,
        buf: &mut CheckedBuf<B, O>,
    ) -> Result<()> {
        let shape = self.engine.shape(&buf.engine).clone();
        let basis = self.engine.basis(&ring.engine);
        let words: Vec<u32> = (0..shape.rows())
            .flat_map(|row| {
                let limb = shape.limbs.at(row % shape.limbs.len());
                let word = 0xA5A5_A5A5 % basis.modulus(limb).value();
                std::iter::repeat_n(word, basis.n())
            })
            .collect();
        overwrite(&self.engine, &ring.engine, &mut buf.engine, domain, &words)?;
        overwrite(&self.oracle, &ring.oracle, &mut buf.oracle, domain, &words)
    }

    /// Compares the outputs of an operation, then its inputs.
    fn finish(
        &self,
        ring: &Pair<B::Ring, O::Ring>,
        call: &Call,
        inputs: &[&CheckedBuf<B, O>],
        outputs: &mut [&mut CheckedBuf<B, O>],
    ) {
        if !call.compare {
            self.abandon(outputs);
            return;
        }
        let domain = call.domain.unwrap_or(Domain::Eval);
        for (i, buf) in outputs.iter_mut().enumerate() {
            let got = read(&self.engine, &ring.engine, &buf.engine, domain);
            let expected = read(&self.oracle, &ring.oracle, &buf.oracle, domain);
            buf.contents = match (got, expected) {
                (Ok(got), Ok(expected)) => {
                    self.judge(
                        ring,
                        call,
                        i,
                        self.engine.shape(&buf.engine),
                        &got,
                        &expected,
                    );
                    Contents::Known(call.domain, got)
                }
                (Err(error), _) | (_, Err(error)) => {
                    self.defer(error);
                    Contents::Unspecified
                }
            };
        }
        for (i, buf) in inputs.iter().enumerate() {
            let Contents::Known(domain, before) = &buf.contents else {
                continue;
            };
            let domain = domain.unwrap_or(Domain::Eval);
            match read(&self.engine, &ring.engine, &buf.engine, domain) {
                Ok(now) => {
                    let changed = now.iter().zip(before.iter()).position(|(a, b)| a != b);
                    if let Some(at) = changed {
                        let shape = self.engine.shape(&buf.engine);
                        let kind = MismatchKind::InputChanged;
                        let values = (now[at], before[at]);
                        let call = Call {
                            domain: Some(domain),
                            ..*call
                        };
                        self.accuse(self.mismatch(ring, kind, &call, i, shape, at, values));
                    }
                }
                Err(error) => self.defer(error),
            }
        }
    }

    /// Compares one output with the oracle's.
    fn judge(
        &self,
        ring: &Pair<B::Ring, O::Ring>,
        call: &Call,
        output: usize,
        shape: &Shape,
        got: &[u32],
        expected: &[u32],
    ) {
        let basis = self.engine.basis(&ring.engine);
        let modulus = |at: usize| {
            let limb = shape.limbs.at(at / basis.n() % shape.limbs.len());
            basis.modulus(limb).value()
        };
        let fault = got
            .iter()
            .zip(expected)
            .enumerate()
            .find_map(|(at, (&g, &e))| {
                if g >= modulus(at) {
                    Some((MismatchKind::NotCanonical, at))
                } else {
                    (g != e).then_some((MismatchKind::Output, at))
                }
            });
        if let Some((kind, at)) = fault {
            let values = (got[at], expected[at]);
            self.accuse(self.mismatch(ring, kind, call, output, shape, at, values));
        }
    }

    fn mismatch(
        &self,
        ring: &Pair<B::Ring, O::Ring>,
        kind: MismatchKind,
        call: &Call,
        output: usize,
        shape: &Shape,
        at: usize,
        (got, expected): (u32, u32),
    ) -> Mismatch {
        let n = self.engine.basis(&ring.engine).n();
        let row = at / n;
        Mismatch {
            kind,
            op: call.op,
            op_index: call.index,
            output,
            poly: row / shape.limbs.len(),
            limb: shape.limbs.at(row % shape.limbs.len()),
            index: at % n,
            got,
            expected,
            domain: call.domain.unwrap_or(Domain::Eval),
        }
    }

    /// The outputs of an operation that failed or was not compared.
    fn abandon(&self, outputs: &mut [&mut CheckedBuf<B, O>]) {
        for buf in outputs {
            buf.contents = Contents::Unspecified;
        }
    }

    /// A transfer: it has the place of the next operation but counts as none.
    fn transfer(&self, op: &'static str, domain: Domain) -> Call {
        Call {
            op,
            index: self.operations(),
            domain: Some(domain),
            compare: self.first_mismatch().is_none(),
        }
    }

    fn uploaded(
        &self,
        ring: &Pair<B::Ring, O::Ring>,
        op: &'static str,
        domain: Domain,
        mut buf: CheckedBuf<B, O>,
    ) -> CheckedBuf<B, O> {
        self.finish(ring, &self.transfer(op, domain), &[], &mut [&mut buf]);
        buf
    }
}

impl<B: Backend, O: Backend> Clone for Checked<B, O> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            oracle: self.oracle.clone(),
            found: self.found.clone(),
        }
    }
}

impl<B: Backend, O: Backend> fmt::Debug for Checked<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checked({})", self.name())
    }
}

/// What a buffer holds.
fn read<E: Backend>(engine: &E, ring: &E::Ring, buf: &E::Buf, domain: Domain) -> Result<Words> {
    let n = engine.basis(ring).n();
    let mut words = Words::new(vec![0; engine.shape(buf).words(n)]);
    engine.download(ring, buf, domain, &mut words)?;
    Ok(words)
}

/// Copies the words over a buffer. It is not replaced: it may be one for secrets.
fn overwrite<E: Backend>(
    engine: &E,
    ring: &E::Ring,
    buf: &mut E::Buf,
    domain: Domain,
    words: &[u32],
) -> Result<()> {
    let shape = engine.shape(buf).clone();
    let source = engine.upload(ring, &shape, domain, words)?;
    let (polys, limbs) = (0..shape.polys, 0..shape.limbs.len());
    let rows = composites::rows(polys.map(|p| (p, p)), limbs.map(|l| (l, l)));
    engine.copy_rows(ring, buf, &source, &rows);
    Ok(())
}

macro_rules! check {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        impl<B: Backend, O: Backend> Backend for Checked<B, O> {
            type Buf = CheckedBuf<B, O>;
            type Ring = Pair<B::Ring, O::Ring>;
            type Key = Pair<B::Key, O::Key>;

            fn name(&self) -> String {
                format!("{}, checked by {}", self.engine.name(), self.oracle.name())
            }

            fn prefers_joined_batches(&self) -> bool {
                self.engine.prefers_joined_batches()
            }

            fn workers(&self) -> &crate::Workers {
                self.engine.workers()
            }

            fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring> {
                Ok(Pair { engine: self.engine.ring(basis)?, oracle: self.oracle.ring(basis)? })
            }

            fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis> {
                self.engine.basis(&ring.engine)
            }

            fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
                let engine = self.engine.alloc(&ring.engine, shape)?;
                Ok(CheckedBuf::new(engine, self.oracle.alloc(&ring.oracle, shape)?))
            }

            fn shape<'a>(&self, buf: &'a Self::Buf) -> &'a Shape {
                self.engine.shape(&buf.engine)
            }

            fn upload(&self, ring: &Self::Ring, shape: &Shape, domain: Domain, words: &[u32]) -> Result<Self::Buf> {
                let engine = self.engine.upload(&ring.engine, shape, domain, words)?;
                let oracle = self.oracle.upload(&ring.oracle, shape, domain, words)?;
                Ok(self.uploaded(ring, "upload", domain, CheckedBuf::new(engine, oracle)))
            }

            fn download(&self, ring: &Self::Ring, buf: &Self::Buf, domain: Domain, words: &mut [u32]) -> Result<()> {
                self.surface()?;
                self.engine.download(&ring.engine, &buf.engine, domain, words)?;
                if !buf.is_unspecified() {
                    let expected = read(&self.oracle, &ring.oracle, &buf.oracle, domain)?;
                    let call = self.transfer("download", domain);
                    self.judge(ring, &call, 0, self.shape(buf), words, &expected);
                }
                self.surface()
            }

            fn sync(&self) -> Result<()> {
                self.surface()?;
                self.engine.sync()?;
                self.oracle.sync()
            }

            fn prepare_key(&self, ring: &Self::Ring, layout: &KeyLayout, words: &[u32]) -> Result<Self::Key> {
                let engine = self.engine.prepare_key(&ring.engine, layout, words)?;
                Ok(Pair { engine, oracle: self.oracle.prepare_key(&ring.oracle, layout, words)? })
            }

            fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout {
                self.engine.key_layout(&key.engine)
            }

            $(
                fn $p(&self, ring: &Self::Ring, $($pa: op_type!(Self: $($pk)+)),*) {
                    let inputs: Vec<&Self::Buf> = [$(op_inputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    let call = self.begin(ring, stringify!($p), op_domain!($pd), &inputs, &mut outputs);
                    self.engine.$p(&ring.engine, $(op_map!($pa, (Self::Buf::engine, Self::Buf::engine_mut, Self::Key::engine), $($pk)+)),*);
                    self.oracle.$p(&ring.oracle, $(op_map!($pa, (Self::Buf::oracle, Self::Buf::oracle_mut, Self::Key::oracle), $($pk)+)),*);
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($pa, $($pk)+)),*].into_iter().flatten().collect();
                    self.finish(ring, &call, &inputs, &mut outputs);
                }
            )*

            $(
                fn $c(&self, ring: &Self::Ring, $($ca: op_type!(Self: $($ck)+)),*) -> Result<()> {
                    let inputs: Vec<&Self::Buf> = [$(op_inputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    let call = self.begin(ring, stringify!($c), op_domain!($cd), &inputs, &mut outputs);
                    let done = self.engine.$c(&ring.engine, $(op_map!($ca, (Self::Buf::engine, Self::Buf::engine_mut, Self::Key::engine), $($ck)+)),*);
                    let oracle = self.oracle.$c(&ring.oracle, $(op_map!($ca, (Self::Buf::oracle, Self::Buf::oracle_mut, Self::Key::oracle), $($ck)+)),*);
                    let mut outputs: Vec<&mut Self::Buf> = [$(op_outputs!($ca, $($ck)+)),*].into_iter().flatten().collect();
                    let done = done.and(oracle);
                    match done {
                        Ok(()) => self.finish(ring, &call, &inputs, &mut outputs),
                        Err(_) => self.abandon(&mut outputs),
                    }
                    done
                }
            )*
        }
    };
}
backend_ops!(check);

impl<B: SecretEngine, O: SecretEngine> SecretEngine for Checked<B, O> {
    fn alloc_secret(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
        let engine = self.engine.alloc_secret(&ring.engine, shape)?;
        let oracle = self.oracle.alloc_secret(&ring.oracle, shape)?;
        Ok(CheckedBuf::new(engine, oracle))
    }

    fn upload_secret(
        &self,
        ring: &Self::Ring,
        shape: &Shape,
        domain: Domain,
        words: &[u32],
    ) -> Result<Self::Buf> {
        let engine = self
            .engine
            .upload_secret(&ring.engine, shape, domain, words)?;
        let oracle = self
            .oracle
            .upload_secret(&ring.oracle, shape, domain, words)?;
        let buf = CheckedBuf::new(engine, oracle);
        Ok(self.uploaded(ring, "upload_secret", domain, buf))
    }
}

#[cfg(test)]
mod tests;
