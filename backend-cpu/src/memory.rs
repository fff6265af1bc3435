//! Memory of the engine: aligned words in a pool, and buffers made of them.
//!
//! ```text
//!   buffer   [limb][poly][N]    all rows of one limb are neighbours: one limb's work is one contiguous piece
//!   row      (limb * polys + poly) * N
//! ```
//! The boundary form is `[poly][limb][N]`; uploads and downloads reorder rows.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arras_hal::Shape;
use zeroize::Zeroize;

use crate::pages::{Exhausted, LINE, Piece};

/// What the pool has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Pieces of memory asked from the system.
    pub misses: u64,
    /// Pieces taken from the pool.
    pub hits: u64,
    /// Bytes in use now.
    pub used_bytes: usize,
    /// Bytes waiting in the pool now.
    pub idle_bytes: usize,
}

/// Pieces by size in lines, each with the time it came back; the latest of a size is last.
#[derive(Debug, Default)]
struct Free {
    pieces: BTreeMap<usize, Vec<(u64, Piece)>>,
    time: u64,
}

impl Free {
    /// A piece of this size, else the smallest up to twice as large: work that goes down through the levels takes the memory of the
    /// level above instead of leaving it idle beside its own.
    fn pop(&mut self, class: usize) -> Option<Piece> {
        let mut fitting = self.pieces.range_mut(class..=class.saturating_mul(2));
        Some(fitting.find_map(|(_, same)| same.pop())?.1)
    }

    fn push(&mut self, piece: Piece) {
        self.time += 1;
        let same = self.pieces.entry(piece.lines().len()).or_default();
        same.push((self.time, piece));
    }

    fn count(&self, class: usize) -> usize {
        self.pieces.get(&class).map_or(0, Vec::len)
    }

    /// The piece that nobody has used for longest.
    fn evict(&mut self) -> Option<Piece> {
        let times = self
            .pieces
            .iter()
            .filter_map(|(&c, v)| Some((v.first()?.0, c)));
        let (_, class) = times.min()?;
        Some(self.pieces.get_mut(&class)?.remove(0).1)
    }
}

/// Free memory by size. Above its limit it gives back what was unused for longest: sizes of work that is over make room for
/// those in use.
#[derive(Debug)]
pub(crate) struct Pool {
    free: Mutex<Free>,
    limit: usize,
    /// The process whose threads may hold the lock.
    process: u32,
    misses: AtomicU64,
    hits: AtomicU64,
    used: AtomicUsize,
    idle: AtomicUsize,
}

/// Sizes are rounded up to eight steps per power of two, so that levels of nearly equal size share memory.
fn size_class(lines: usize) -> usize {
    let step = (lines.next_power_of_two() / 16).max(1);
    lines.next_multiple_of(step)
}

impl Pool {
    /// A pool that keeps at most `limit` idle bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            free: Mutex::default(),
            limit,
            process: std::process::id(),
            misses: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            used: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
        }
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory for `words` words with unspecified contents.
    pub(crate) fn take(self: &Arc<Self>, words: usize) -> Result<Words, Exhausted> {
        let class = size_class(words.div_ceil(16));
        let found = self.free().pop(class);
        let mut taken = if let Some(piece) = found {
            self.idle
                .fetch_sub(piece.lines().len() * LINE, Ordering::Relaxed);
            self.hits.fetch_add(1, Ordering::Relaxed);
            Words::of(self, piece)
        } else {
            Words::fresh(self, class)?
        };
        taken.len = words;
        // Contents are unspecified by contract. A pattern that is no residue shows who relies on them.
        if cfg!(debug_assertions) {
            taken.as_mut().fill(0xA5A5_A5A5);
        }
        Ok(taken)
    }

    /// Makes sure that pieces of all these sizes can be taken at one time without asking the system.
    pub(crate) fn reserve(self: &Arc<Self>, words: &[usize]) -> Result<(), Exhausted> {
        let mut classes: Vec<usize> = words.iter().map(|w| size_class(w.div_ceil(16))).collect();
        classes.sort_unstable();
        // Pieces go to the pool when they are dropped, and they are dropped after the last is made.
        let mut made: Vec<Words> = Vec::new();
        for same in classes.chunk_by(|a, b| a == b) {
            let idle = self.free().count(same[0]);
            for _ in idle..same.len() {
                made.push(Words::fresh(self, same[0])?);
            }
        }
        Ok(())
    }

    /// Gives idle memory back to the system.
    pub(crate) fn trim(&self) {
        let mut free = self.free();
        free.pieces.clear();
        self.idle.store(0, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> PoolStats {
        PoolStats {
            misses: self.misses.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
            used_bytes: self.used.load(Ordering::Relaxed),
            idle_bytes: self.idle.load(Ordering::Relaxed),
        }
    }
}

/// Aligned words that return to their pool.
pub(crate) struct Words {
    piece: Piece,
    len: usize,
    zeroize: bool,
    pool: Arc<Pool>,
}

impl Words {
    fn of(pool: &Arc<Pool>, piece: Piece) -> Self {
        let bytes = piece.lines().len() * LINE;
        pool.used.fetch_add(bytes, Ordering::Relaxed);
        Self {
            piece,
            len: 0,
            zeroize: false,
            pool: pool.clone(),
        }
    }

    /// Memory from the system.
    fn fresh(pool: &Arc<Pool>, class: usize) -> Result<Self, Exhausted> {
        pool.misses.fetch_add(1, Ordering::Relaxed);
        let piece = Piece::new(class).or_else(|_| {
            pool.trim();
            Piece::new(class)
        })?;
        Ok(Self::of(pool, piece))
    }

    /// Overwrites the words with zeros when they are dropped, if `secret`.
    pub(crate) fn secret(mut self, secret: bool) -> Self {
        self.zeroize = secret;
        self
    }
}

impl AsRef<[u32]> for Words {
    fn as_ref(&self) -> &[u32] {
        &bytemuck::cast_slice(self.piece.lines())[..self.len]
    }
}

impl AsMut<[u32]> for Words {
    fn as_mut(&mut self) -> &mut [u32] {
        &mut bytemuck::cast_slice_mut(self.piece.lines_mut())[..self.len]
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        if self.zeroize {
            let words: &mut [u32] = bytemuck::cast_slice_mut(self.piece.lines_mut());
            words.zeroize();
        }
        let piece = std::mem::take(&mut self.piece);
        let bytes = piece.lines().len() * LINE;
        self.pool.used.fetch_sub(bytes, Ordering::Relaxed);
        // After a fork nobody may be there to let go of the lock.
        if bytes > self.pool.limit || self.pool.process != std::process::id() {
            return;
        }
        let mut evicted = Vec::new();
        let mut free = self.pool.free();
        while self.pool.idle.load(Ordering::Relaxed) + bytes > self.pool.limit {
            let Some(oldest) = free.evict() else { break };
            let given = oldest.lines().len() * LINE;
            self.pool.idle.fetch_sub(given, Ordering::Relaxed);
            evicted.push(oldest);
        }
        self.pool.idle.fetch_add(bytes, Ordering::Relaxed);
        free.push(piece);
        drop(free);
        // The system takes its time: without the lock.
        drop(evicted);
    }
}

/// A buffer of the CPU engine: `[limb][poly][N]` words, 64-byte aligned, evaluations in boundary order.
pub struct CpuBuf {
    shape: Shape,
    n: usize,
    words: Words,
}

impl CpuBuf {
    pub(crate) fn new(shape: &Shape, n: usize, words: Words) -> Self {
        Self {
            shape: shape.clone(),
            n,
            words,
        }
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(crate) fn polys(&self) -> usize {
        self.shape.polys
    }

    /// Whether the words are overwritten when they are dropped; scratch on the way to them is too.
    pub(crate) fn is_secret(&self) -> bool {
        self.words.zeroize
    }

    pub(crate) fn words(&self) -> &[u32] {
        self.words.as_ref()
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u32] {
        self.words.as_mut()
    }

    pub(crate) fn row(&self, poly: usize, limb: usize) -> &[u32] {
        &self.words.as_ref()[(limb * self.shape.polys + poly) * self.n..][..self.n]
    }

    pub(crate) fn row_mut(&mut self, poly: usize, limb: usize) -> &mut [u32] {
        let at = (limb * self.shape.polys + poly) * self.n;
        &mut self.words.as_mut()[at..][..self.n]
    }

    /// All polynomials.
    pub(crate) fn all(&self) -> View<'_> {
        self.part(0, self.polys())
    }

    /// Polynomials `first .. first + count`.
    pub(crate) fn part(&self, first: usize, count: usize) -> View<'_> {
        debug_assert!(first + count <= self.polys());
        View {
            buf: self,
            first,
            count,
            run: count,
            step: count,
        }
    }
}

/// Contents are not printed: they may be secret.
impl std::fmt::Debug for CpuBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuBuf")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// Ciphertexts `first .. first + count` of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) batch: usize,
}

/// Some polynomials of a buffer, read in place: `run` neighbours of every `step`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    buf: &'a CpuBuf,
    first: usize,
    count: usize,
    run: usize,
    step: usize,
}

impl<'a> View<'a> {
    pub(crate) fn polys(&self) -> usize {
        self.count
    }

    pub(crate) fn row(&self, poly: usize, limb: usize) -> &'a [u32] {
        debug_assert!(poly < self.count);
        let poly = self.first + poly / self.run * self.step + poly % self.run;
        self.buf.row(poly, limb)
    }

    /// A part of a batch: of every component of `[components][batch]` neighbouring polynomials.
    pub(crate) fn of(&self, part: Part) -> Self {
        debug_assert!(self.run == self.count && self.count.is_multiple_of(part.batch));
        Self {
            buf: self.buf,
            first: self.first + part.first,
            count: self.count / part.batch * part.count,
            run: part.count,
            step: part.batch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_waste_at_most_an_eighth_and_lines_are_aligned() {
        for lines in 1..5000 {
            let class = size_class(lines);
            assert!(
                class >= lines && (class - lines) * 8 <= lines.max(8),
                "{lines}: {class}"
            );
        }
        let pool = Arc::new(Pool::new(1 << 20));
        let words = pool.take(1000).unwrap();
        assert_eq!(words.as_ref().len(), 1000);
        assert_eq!(words.as_ref().as_ptr().align_offset(64), 0);
    }

    #[test]
    fn memory_returns_and_is_reused_and_trimmed() {
        let pool = Arc::new(Pool::new(1 << 20));
        let first = pool.take(4096).unwrap();
        assert_eq!(pool.stats().used_bytes, 4096 * 4);
        drop(first);
        assert_eq!(
            (pool.stats().used_bytes, pool.stats().idle_bytes),
            (0, 4096 * 4)
        );
        let again = pool.take(4090).unwrap();
        assert_eq!((pool.stats().misses, pool.stats().hits), (1, 1));
        drop(again);
        pool.reserve(&[4096, 4090, 4096]).unwrap();
        assert_eq!(
            (pool.stats().misses, pool.stats().idle_bytes),
            (3, 3 * 4096 * 4)
        );
        pool.trim();
        assert_eq!(pool.stats().idle_bytes, 0);
        let big = pool.take(1 << 19).unwrap();
        drop(big);
        assert_eq!(
            pool.stats().idle_bytes,
            0,
            "above the limit memory is given back"
        );
    }

    #[test]
    fn what_is_unused_for_longest_makes_room() {
        let pool = Arc::new(Pool::new(4608 * 4));
        drop([1024, 2048].map(|words| pool.take(words).unwrap()));
        // Used again: now the smaller one is the oldest.
        drop(pool.take(2048).unwrap());
        drop(pool.take(2560).unwrap());
        assert_eq!(pool.stats().idle_bytes, (2048 + 2560) * 4);
        let misses = pool.stats().misses;
        drop([2048, 2560].map(|words| pool.take(words).unwrap()));
        assert_eq!(pool.stats().misses, misses);
    }

    #[test]
    fn a_larger_piece_serves_up_to_twice_its_need() {
        let pool = Arc::new(Pool::new(1 << 20));
        drop([2048, 3072].map(|words| pool.take(words).unwrap()));
        // The smaller of those that fit, which keeps its size.
        let words = pool.take(1536).unwrap();
        assert_eq!(words.as_ref().len(), 1536);
        let stats = pool.stats();
        assert_eq!(
            (stats.misses, stats.used_bytes, stats.idle_bytes),
            (2, 2048 * 4, 3072 * 4)
        );
        drop(words);
        assert_eq!(pool.stats().idle_bytes, (2048 + 3072) * 4);
        // More than twice as large is left alone.
        drop(pool.take(512).unwrap());
        assert_eq!(pool.stats().misses, 3);
    }

    #[test]
    fn secret_words_are_zeros_before_the_pool_has_them() {
        for secret in [true, false] {
            let pool = Arc::new(Pool::new(1 << 20));
            let mut words = pool.take(100).unwrap().secret(secret);
            words.as_mut().fill(7);
            drop(words);
            let free = pool.free();
            let lines = &free.pieces.values().next().unwrap()[0].1;
            let zeros = lines
                .lines()
                .iter()
                .all(|line| *line == crate::pages::Line::default());
            assert_eq!(zeros, secret);
        }
    }
}
