//! Batches in parts, so that what a composite needs on the way stays near the processor and does not grow with the batch.

use arras_hal::Result;
use rayon::prelude::*;

use crate::{
    CpuEngine,
    memory::{CpuBuf, Part},
};

/// Words on the way that one part of a batch may have: more ciphertexts are taken together only below this. They would read a
/// key once for all, but what they leave behind between two passes would no longer be in the cache.
const PART_WORDS: usize = 1 << 20;

/// The most limbs of one task.
pub(super) const MAX_GROUP: usize = 4;

/// Rows to write, `[limb][poly]`, of one part of a buffer.
pub(super) type Rows<'a> = Vec<&'a mut [u32]>;

/// Scratch memory by size in words.
pub(super) struct Needs {
    /// Once for a part.
    pub(super) part: Vec<usize>,
    /// In every task of a part.
    pub(super) task: Vec<usize>,
}

/// From one row of scratch memory to the next, in words. Rows a power of two apart meet in the same sets of every cache, and a
/// conversion walks a dozen of them side by side.
pub(super) fn stride(n: usize) -> usize {
    n + (n / 16).next_multiple_of(16) + 64
}

/// Rows in scratch memory.
#[derive(Clone, Copy)]
pub(super) struct Grid<'a> {
    words: &'a [u32],
    n: usize,
    stride: usize,
}

impl<'a> Grid<'a> {
    /// Rows of `n` words, `stride` words apart.
    pub(super) fn new(words: &'a [u32], n: usize, stride: usize) -> Self {
        Self { words, n, stride }
    }

    /// Row i.
    pub(super) fn row(&self, i: usize) -> &'a [u32] {
        &self.words[i * self.stride..][..self.n]
    }

    /// The rows from row i on.
    pub(super) fn from(&self, i: usize) -> Self {
        Self::new(&self.words[i * self.stride..], self.n, self.stride)
    }
}

/// The rows of a piece of memory to write.
pub(super) fn split(words: &mut [u32], n: usize, stride: usize) -> Rows<'_> {
    words.chunks_mut(stride).map(|row| &mut row[..n]).collect()
}

/// A batch in parts of nearly equal size.
fn parts(batch: usize, words_each: usize, threads: usize) -> impl Iterator<Item = Part> {
    let mut most = (PART_WORDS / words_each.max(1)).max(1);
    if batch >= threads {
        most = most.min(batch / threads);
    }
    let number = batch.div_ceil(most).max(1);
    (0..number).map(move |i| {
        let (first, end) = (i * batch / number, (i + 1) * batch / number);
        Part {
            first,
            count: end - first,
            batch,
        }
    })
}

/// The rows of every part of some buffers, `[part][buffer]`.
fn rows_of<'a>(parts: &[Part], n: usize, dsts: &'a mut [&mut CpuBuf]) -> Vec<Vec<Rows<'a>>> {
    let mut rows: Vec<Vec<Rows<'a>>> = parts
        .iter()
        .map(|_| Vec::with_capacity(dsts.len()))
        .collect();
    for dst in dsts {
        let (polys, limbs) = (dst.polys(), dst.shape().limbs.len());
        for (rows, part) in rows.iter_mut().zip(parts) {
            rows.push(Vec::with_capacity(limbs * polys / part.batch * part.count));
        }
        let mut all = dst.words_mut().chunks_exact_mut(n);
        for _ in 0..limbs * polys / parts[0].batch {
            for (rows, part) in rows.iter_mut().zip(parts) {
                if let Some(rows) = rows.last_mut() {
                    rows.extend(all.by_ref().take(part.count));
                }
            }
        }
    }
    rows
}

impl CpuEngine {
    /// Calls `f` for parts of a batch with their rows of `dsts`, each `[limb][..][batch]`. With at least as many parts as threads every
    /// part is one thread's, so that no thread waits for another between two passes; what is left is split inside.
    pub(super) fn each_part(
        &self,
        n: usize,
        (batch, words_each): (usize, usize),
        dsts: &mut [&mut CpuBuf],
        needs: impl Fn(&Self, usize) -> Needs,
        f: impl Fn(&Self, Part, &mut [Rows<'_>]) -> Result<()> + Sync + Send,
    ) -> Result<()> {
        let threads = self.threads();
        let parts: Vec<Part> = parts(batch, words_each, threads).collect();
        let alone = if threads == 1 {
            0
        } else {
            parts.len() / threads * threads
        };
        let rows = rows_of(&parts, n, dsts);
        let mut work: Vec<_> = parts.into_iter().zip(rows).collect();
        let (alone, inside) = work.split_at_mut(alone);
        // Everything that may be in use at one time, so that which thread comes first does not matter.
        for (engine, parts, tasks) in [(self.solo(), &*alone, 1), (self, &*inside, threads)] {
            let at_once = if parts.len() > threads {
                threads
            } else {
                parts.len()
            };
            for same in parts.chunk_by(|a, b| a.0.count == b.0.count) {
                let needs = needs(engine, same[0].0.count);
                let mut sizes = needs.part.repeat(at_once);
                sizes.extend(needs.task.repeat(at_once.max(tasks)));
                self.reserve(&sizes)?;
            }
        }
        if !alone.is_empty() {
            let run = |(part, rows): &mut (Part, Vec<Rows<'_>>)| f(self.solo(), *part, rows);
            self.on_all_threads(|| alone.par_iter_mut().with_max_len(1).try_for_each(run))?;
        }
        let run = |(part, rows): &mut (Part, Vec<Rows<'_>>)| f(self, *part, rows);
        if threads == 1 || inside.len() == 1 {
            inside.iter_mut().try_for_each(run)
        } else {
            self.on_all_threads(|| inside.par_iter_mut().with_max_len(1).try_for_each(run))
        }
    }

    /// Calls `f` with every chunk of rows and its number, on all threads.
    pub(super) fn each_rows(
        &self,
        rows: &mut [&mut [u32]],
        chunk: usize,
        f: impl Fn(usize, &mut [&mut [u32]]) -> Result<()> + Sync + Send,
    ) -> Result<()> {
        if self.threads() == 1 || rows.len() <= chunk {
            let mut chunks = rows.chunks_mut(chunk).enumerate();
            chunks.try_for_each(|(i, rows)| f(i, rows))
        } else {
            self.on_all_threads(|| {
                let chunks = rows.par_chunks_mut(chunk).enumerate();
                chunks.try_for_each(|(i, rows)| f(i, rows))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_batch_once_within_the_budget() {
        for batch in 1..40 {
            for words in [
                1,
                PART_WORDS / 7,
                PART_WORDS / 2,
                PART_WORDS,
                5 * PART_WORDS,
            ] {
                for threads in [1, 2, 3, 64] {
                    let parts: Vec<_> = parts(batch, words, threads).collect();
                    let mut next = 0;
                    for part in &parts {
                        assert_eq!((part.first, part.batch), (next, batch));
                        assert!(part.count == 1 || part.count * words <= PART_WORDS);
                        next += part.count;
                    }
                    assert_eq!(next, batch);
                    assert!(parts.len() >= threads || batch < threads);
                }
            }
        }
    }
}
