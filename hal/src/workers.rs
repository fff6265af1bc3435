//! Threads of the host.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rayon::prelude::*;

use crate::{HalError, HalErrorKind, Result};

/// The threads on which an engine's host does what is not the engine's own work: sampling, encoding, the steps of a run side by side.
/// A pool of a stated size that belongs to an engine, or the caller's thread alone. Clones share the threads.
///
/// Threads do not survive `fork`: in another process than the one that made them, [`Workers::check`] refuses a pool and nothing waits
/// for it.
#[derive(Clone)]
pub struct Workers(Option<Arc<Pool>>);

struct Pool {
    threads: usize,
    process: u32,
    /// None for one thread: the caller's.
    pool: Option<rayon::ThreadPool>,
}

/// Why the system starts no threads.
pub type WorkersError = rayon::ThreadPoolBuildError;

impl Workers {
    /// `threads` threads of this process, named after their engine; 1 is the caller's and starts none.
    ///
    /// # Errors
    /// If the system starts no more.
    pub fn new(threads: usize, name: &'static str) -> Result<Self, WorkersError> {
        let pool = match threads {
            0 | 1 => None,
            _ => Some(
                rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .thread_name(move |i| format!("{name}-{i}"))
                    .build()?,
            ),
        };
        Ok(Self::of(threads.max(1), pool))
    }

    /// The caller's thread, in this process.
    pub fn single() -> Self {
        Self::of(1, None)
    }

    fn of(threads: usize, pool: Option<rayon::ThreadPool>) -> Self {
        let process = std::process::id();
        Self(Some(Arc::new(Pool {
            threads,
            process,
            pool,
        })))
    }

    /// The caller's thread, in whatever process that is.
    pub const fn callers() -> &'static Self {
        &Self(None)
    }

    /// How many threads there are, at least 1.
    pub fn threads(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| pool.threads)
    }

    /// # Errors
    /// [`HalErrorKind::OtherProcess`] in a child that was forked from the process of these threads.
    pub fn check(&self) -> Result<()> {
        self.pool().map(|_| ())
    }

    /// The pool, if there is one.
    fn pool(&self) -> Result<Option<&rayon::ThreadPool>> {
        let Some(pool) = &self.0 else {
            return Ok(None);
        };
        let (made, used) = (pool.process, std::process::id());
        if made != used {
            return Err(HalErrorKind::OtherProcess { made, used }.into());
        }
        Ok(pool.pool.as_ref())
    }

    /// Calls `f` where rayon's parallel iterators use these threads. Where [`Workers::threads`] is 1, `f` runs here and is to use none.
    ///
    /// # Errors
    /// As [`Workers::check`].
    pub fn install<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T> {
        Ok(match self.pool()? {
            Some(pool) => pool.install(f),
            None => f(),
        })
    }

    /// Calls `f` with every chunk of `chunk` items and its number, side by side.
    ///
    /// # Errors
    /// As [`Workers::check`]; an error of `f`, after which no more chunks are begun.
    pub fn each_chunk<T: Send, E: From<HalError> + Send>(
        &self,
        items: &mut [T],
        chunk: usize,
        f: impl Fn(usize, &mut [T]) -> Result<(), E> + Sync + Send,
    ) -> Result<(), E> {
        match self.pool()? {
            Some(pool) if items.len() > chunk => pool.install(|| {
                items
                    .par_chunks_mut(chunk)
                    .enumerate()
                    .try_for_each(|(i, part)| f(i, part))
            }),
            _ => items
                .chunks_mut(chunk)
                .enumerate()
                .try_for_each(|(i, part)| f(i, part)),
        }
    }

    /// What `f` makes of every item, in order.
    ///
    /// # Errors
    /// As [`Workers::check`]; an error of `f`.
    pub fn map<T: Sync, U: Send, E: From<HalError> + Send>(
        &self,
        items: &[T],
        f: impl Fn(&T) -> Result<U, E> + Sync + Send,
    ) -> Result<Vec<U>, E> {
        match self.pool()? {
            Some(pool) if items.len() > 1 => pool.install(|| items.par_iter().map(&f).collect()),
            _ => items.iter().map(f).collect(),
        }
    }

    /// What `f` makes of every item, in order, at most `most` of them under way at one time. Each may use all threads.
    ///
    /// # Errors
    /// As [`Workers::check`]; the first error in the order of items.
    pub fn side_by_side<T: Sync, U: Send, E: From<HalError> + Send>(
        &self,
        most: usize,
        items: &[T],
        f: impl Fn(&T) -> Result<U, E> + Sync + Send,
    ) -> Result<Vec<U>, E> {
        let lanes = most.min(self.threads()).min(items.len());
        let pool = match self.pool()? {
            Some(pool) if lanes > 1 => pool,
            _ => return items.iter().map(f).collect(),
        };
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        let lock = || results.lock().unwrap_or_else(PoisonError::into_inner);
        lock().resize_with(items.len(), || None);
        // A lane takes one item after the other: a thread that waits inside one may take up another lane, so that there are never more
        // items under way than lanes.
        let lane = || {
            while let Some((index, item)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                items.get(index).map(|item| (index, item))
            } {
                let result = f(item);
                lock()[index] = Some(result);
            }
        };
        pool.scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(|_| lane());
            }
        });
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_iter().flatten().collect()
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Workers({} threads)", self.threads())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, thread::ThreadId};

    use super::*;

    #[test]
    fn work_stays_on_its_threads_and_results_in_their_order() {
        let items: Vec<usize> = (0..50).collect();
        for threads in [1, 3] {
            let workers = Workers::new(threads, "test").unwrap();
            let seen = Mutex::new(BTreeSet::new());
            let name = |id: ThreadId| format!("{id:?}");
            let square = |&i: &usize| {
                seen.lock()
                    .unwrap()
                    .insert(name(std::thread::current().id()));
                Ok::<_, HalError>(i * i)
            };
            let squares: Vec<usize> = items.iter().map(|i| i * i).collect();
            assert_eq!(workers.map(&items, square).unwrap(), squares);
            assert_eq!(workers.side_by_side(2, &items, square).unwrap(), squares);
            let mut words = items.clone();
            let chunk = |i: usize, part: &mut [usize]| {
                part.iter_mut().for_each(|word| *word += i);
                square(&i).map(|_| ())
            };
            workers.each_chunk(&mut words, 7, chunk).unwrap();
            assert!(words.iter().enumerate().all(|(i, word)| *word == i + i / 7));
            let seen = seen.into_inner().unwrap();
            assert!(seen.len() <= threads, "{seen:?}");
            let here = seen.contains(&name(std::thread::current().id()));
            assert_eq!(here, threads == 1);
        }
    }

    #[test]
    fn no_more_items_are_under_way_than_asked_for() {
        let workers = Workers::new(4, "test").unwrap();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items = [0u8; 40];
        let work = |_: &u8| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Waits inside, where rayon gives the thread other work.
            let inner = workers.map(&[1, 2, 3, 4, 5], |&i| {
                std::thread::sleep(std::time::Duration::from_micros(50));
                Ok::<_, HalError>(i)
            });
            now.fetch_sub(1, Ordering::SeqCst);
            inner
        };
        workers.side_by_side(2, &items, work).unwrap();
        assert_eq!(most.into_inner(), 2);
    }
}
