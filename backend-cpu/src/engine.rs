//! The engine value: threads, SIMD level, memory.

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
};

use arras_hal::{HalError, HalErrorKind, Result, RingBasis, Shape, Workers, WorkersError};

use crate::{
    memory::{CpuBuf, Pool, PoolStats, Words},
    pages::Exhausted,
    ring::{CpuRing, Prime},
    simd::{Level, SimdLevel},
};

/// Why an engine cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CpuError {
    /// An engine needs a thread.
    #[error("cpu engine: 0 threads asked for; use at least 1")]
    NoThreads,
    /// More threads than any processor runs.
    #[error(
        "cpu engine: {threads} threads asked for, the most are {}; use as many as there are cores",
        CpuEngine::MAX_THREADS
    )]
    TooManyThreads {
        /// How many were asked for.
        threads: usize,
    },
    /// The processor lacks the asked level.
    #[error("cpu engine: this processor has no {asked}; its widest level is {widest}")]
    SimdUnavailable {
        /// What was asked for.
        asked: SimdLevel,
        /// What could be had.
        widest: SimdLevel,
    },
    /// The system refused threads.
    #[error("cpu engine: cannot start {threads} threads: {source}; use fewer")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// The system's reason.
        source: WorkersError,
    },
}

/// The CPU engine: rayon over limbs and polynomials, SIMD chosen at run time.
///
/// Results are those of the [reference engine](arras_hal::Reference) to the bit, whatever the number of threads and the SIMD
/// level. Clones share threads and memory.
#[derive(Clone)]
pub struct CpuEngine(Arc<Inner>);

struct Inner {
    workers: Workers,
    level: Level,
    pool: Arc<Pool>,
    deferred: Mutex<Option<HalError>>,
    /// The same engine with one thread and the same memory; absent where this one has one thread.
    solo: Option<CpuEngine>,
}

/// Settings of a [`CpuEngine`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CpuEngineBuilder {
    threads: Option<usize>,
    level: Option<SimdLevel>,
    pool_limit: Option<usize>,
}

impl CpuEngineBuilder {
    /// Number of threads; all cores if not set.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Forces a SIMD level (for tests and comparisons); the widest of this processor if not set.
    pub fn simd(mut self, level: SimdLevel) -> Self {
        self.level = Some(level);
        self
    }

    /// The most bytes of unused memory the engine keeps for later buffers; 1 GiB if not set.
    pub fn pool_limit(mut self, bytes: usize) -> Self {
        self.pool_limit = Some(bytes);
        self
    }

    /// The engine.
    ///
    /// # Errors
    /// [`CpuError`]: no thread, a SIMD level this processor lacks, or the system starts no threads.
    pub fn build(self) -> Result<CpuEngine, CpuError> {
        let threads = self.threads.unwrap_or_else(all_cores);
        if threads == 0 {
            return Err(CpuError::NoThreads);
        }
        if threads > CpuEngine::MAX_THREADS {
            return Err(CpuError::TooManyThreads { threads });
        }
        let widest = SimdLevel::detect();
        let asked = self.level.unwrap_or(widest);
        let level = Level::new(asked).ok_or(CpuError::SimdUnavailable { asked, widest })?;
        let workers = Workers::new(threads, "arras-cpu")
            .map_err(|source| CpuError::Threads { threads, source })?;
        let pool = Arc::new(Pool::new(self.pool_limit.unwrap_or(1 << 30)));
        let solo = (threads > 1).then(|| CpuEngine::solo_of(level, pool.clone()));
        Ok(CpuEngine(Arc::new(Inner {
            workers,
            level,
            pool,
            deferred: Mutex::new(None),
            solo,
        })))
    }
}

fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

impl Default for CpuEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuEngine {
    /// The most threads of an engine: more are no machine's.
    pub const MAX_THREADS: usize = 1024;

    /// An engine with all cores and the widest SIMD level; with one thread where the system starts no more.
    pub fn new() -> Self {
        Self::builder().build().unwrap_or_else(|_| {
            // One thread needs nothing from the system and the detected level is there.
            let level = Level::new(SimdLevel::detect()).unwrap_or(Level::SCALAR);
            Self::solo_of(level, Arc::new(Pool::new(1 << 30)))
        })
    }

    fn solo_of(level: Level, pool: Arc<Pool>) -> Self {
        Self(Arc::new(Inner {
            workers: Workers::single(),
            level,
            pool,
            deferred: Mutex::new(None),
            solo: None,
        }))
    }

    /// This engine on the calling thread alone.
    pub(crate) fn solo(&self) -> &Self {
        self.0.solo.as_ref().unwrap_or(self)
    }

    /// Calls `f` where rayon's parallel iterators use this engine's threads.
    pub(crate) fn on_all_threads<T: Send>(
        &self,
        f: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        self.0.workers.install(f)?
    }

    /// The threads.
    pub(crate) fn workers(&self) -> &Workers {
        &self.0.workers
    }

    /// An engine with this many threads; 1 computes on the caller's.
    ///
    /// # Errors
    /// [`CpuError::NoThreads`] for 0, [`CpuError::TooManyThreads`] above [`CpuEngine::MAX_THREADS`], [`CpuError::Threads`] if the system starts no more.
    pub fn with_threads(threads: usize) -> Result<Self, CpuError> {
        Self::builder().threads(threads).build()
    }

    /// Settings to choose.
    pub fn builder() -> CpuEngineBuilder {
        CpuEngineBuilder::default()
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.0.workers.threads()
    }

    /// The SIMD level in use. Rings too small for its vectors are computed with narrower ones.
    pub fn simd_level(&self) -> SimdLevel {
        self.0.level.get()
    }

    /// What the memory pool has done so far.
    pub fn pool_stats(&self) -> PoolStats {
        self.0.pool.stats()
    }

    /// Gives unused memory back to the system.
    pub fn trim(&self) {
        self.0.pool.trim();
    }

    pub(crate) fn describe(&self) -> String {
        let threads = self.threads();
        let plural = if threads == 1 { "" } else { "s" };
        format!("cpu, {threads} thread{plural}, {}", self.simd_level())
    }

    pub(crate) fn make_ring(&self, basis: &Arc<RingBasis>) -> Result<CpuRing> {
        let limbs: Vec<usize> = (0..basis.len()).collect();
        let make = |&i: &usize| Ok::<_, HalError>(Prime::new(basis, i));
        let primes = self.0.workers.map(&limbs, make)?;
        // The transforms take at least eight vectors.
        let level = SimdLevel::ALL
            .into_iter()
            .rev()
            .filter(|&level| level <= self.simd_level())
            .filter_map(Level::new)
            .find(|level| 8 * level.lanes() <= basis.n())
            .unwrap_or(Level::SCALAR);
        Ok(CpuRing::new(basis, primes, level))
    }

    pub(crate) fn error(&self, Exhausted(bytes): Exhausted) -> HalError {
        HalErrorKind::OutOfMemory {
            engine: self.describe(),
            bytes: bytes as u64,
            available: self.0.pool.stats().idle_bytes as u64,
        }
        .into()
    }

    /// Keeps an error of an operation that returns nothing for the next wait, which knows by itself of another process.
    pub(crate) fn defer(&self, result: Result<()>) {
        if let Err(error) = result
            && !matches!(error.kind(), HalErrorKind::OtherProcess { .. })
        {
            let mut slot = self
                .0
                .deferred
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert(error);
        }
    }

    pub(crate) fn deferred(&self) -> Result<()> {
        // Before the lock, which a thread of another process may have held when that forked.
        self.0.workers.check()?;
        let mut slot = self
            .0
            .deferred
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slot.take().map_or(Ok(()), Err)
    }

    /// Memory with unspecified contents, overwritten when dropped if `secret`.
    pub(crate) fn scratch(&self, words: usize, secret: bool) -> Result<Words> {
        self.0.workers.check()?;
        let taken = self.0.pool.take(words).map_err(|e| self.error(e))?;
        Ok(taken.secret(secret))
    }

    /// Makes sure that scratch of all these sizes can be had without asking the system.
    pub(crate) fn reserve(&self, words: &[usize]) -> Result<()> {
        self.0.workers.check()?;
        let reserved = self.0.pool.reserve(words);
        reserved.map_err(|e| self.error(e))
    }

    pub(crate) fn buffer(&self, ring: &CpuRing, shape: &Shape, secret: bool) -> Result<CpuBuf> {
        let words = self.scratch(shape.words(ring.n()), secret)?;
        Ok(CpuBuf::new(shape, ring.n(), words))
    }

    /// Calls `f` with every chunk and its number, on all threads. Chunks must be worth a task.
    pub(crate) fn each_chunk(
        &self,
        data: &mut [u32],
        chunk: usize,
        f: impl Fn(usize, &mut [u32]) + Sync + Send,
    ) {
        let result = self.try_each_chunk(data, chunk, |i, words| {
            f(i, words);
            Ok(())
        });
        self.defer(result);
    }

    /// [`CpuEngine::each_chunk`] of work that may lack scratch memory.
    pub(crate) fn try_each_chunk(
        &self,
        data: &mut [u32],
        chunk: usize,
        f: impl Fn(usize, &mut [u32]) -> Result<()> + Sync + Send,
    ) -> Result<()> {
        self.0.workers.each_chunk(data, chunk, f)
    }

    /// [`CpuEngine::each_chunk`] of rows for work of one operation per word: small buffers stay on one thread.
    pub(crate) fn each_row(
        &self,
        data: &mut [u32],
        n: usize,
        f: impl Fn(usize, &mut [u32]) + Sync + Send,
    ) {
        // Handing work to another thread costs about as much as this many words.
        if data.len() < 1 << 14 {
            for (i, words) in data.chunks_mut(n).enumerate() {
                f(i, words);
            }
        } else {
            self.each_chunk(data, n, f);
        }
    }
}

impl std::fmt::Debug for CpuEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CpuEngine({})", self.describe())
    }
}
