//! One thing to measure.

use std::time::{Duration, Instant};

use arras::{
    ckks::{self, Context},
    hal::Backend,
};

use crate::Result;

type Step<'a> = Box<dyn FnMut() -> ckks::Result<Duration> + Send + 'a>;

/// A named operation that can be run any number of times and clocks itself.
///
/// What it consumes is prepared before its clock starts; what it returns is dropped after its clock has stopped.
pub(crate) struct Operation<'a> {
    pub(crate) name: &'static str,
    /// Rows of N residues written by a run, where that is a useful unit.
    pub(crate) rows: Option<usize>,
    /// Bytes moved by a run, where that is a useful unit.
    pub(crate) bytes: Option<u64>,
    step: Step<'a>,
}

impl<'a> Operation<'a> {
    /// Work on the host.
    pub(crate) fn on_host<I, O>(
        name: &'static str,
        mut prepare: impl FnMut() -> ckks::Result<I> + Send + 'a,
        mut run: impl FnMut(I) -> ckks::Result<O> + Send + 'a,
    ) -> Self {
        let step = move || {
            let input = prepare()?;
            let start = Instant::now();
            let output = std::hint::black_box(run(std::hint::black_box(input))?);
            let elapsed = start.elapsed();
            drop(output);
            Ok(elapsed)
        };
        Self {
            name,
            rows: None,
            bytes: None,
            step: Box::new(step),
        }
    }

    /// Work of an engine: the clock starts when the engine has nothing to do and stops when it has finished.
    pub(crate) fn on_engine<B: Backend, I, O>(
        name: &'static str,
        context: &'a Context<B>,
        mut prepare: impl FnMut() -> ckks::Result<I> + Send + 'a,
        mut run: impl FnMut(I) -> ckks::Result<O> + Send + 'a,
    ) -> Self {
        let ready = move || {
            let input = prepare()?;
            context.ring().sync()?;
            Ok(input)
        };
        Self::on_host(name, ready, move |input| {
            let output = run(input)?;
            context.ring().sync()?;
            Ok(output)
        })
    }

    /// Work on the host that consumes nothing.
    pub(crate) fn host_call<O>(
        name: &'static str,
        mut run: impl FnMut() -> ckks::Result<O> + Send + 'a,
    ) -> Self {
        Self::on_host(name, || Ok(()), move |()| run())
    }

    /// Work of an engine that consumes nothing.
    pub(crate) fn call<B: Backend, O>(
        name: &'static str,
        context: &'a Context<B>,
        mut run: impl FnMut() -> ckks::Result<O> + Send + 'a,
    ) -> Self {
        Self::on_engine(name, context, || Ok(()), move |()| run())
    }

    /// States what one run works on: the rows (of N residues) that it writes, and the bytes of all rows that it reads and writes if each
    /// is moved once.
    #[must_use]
    pub(crate) fn moving(mut self, written: usize, read: usize, n: usize) -> Self {
        self.rows = Some(written);
        self.bytes = Some(((written + read) * n * size_of::<u32>()) as u64);
        self
    }

    /// States the bytes that one run transfers.
    #[must_use]
    pub(crate) fn transferring(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// Runs it once and returns the time on its clock.
    pub(crate) fn run(&mut self) -> Result<Duration> {
        (self.step)().map_err(|error| format!("{}: {error}", self.name).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preparation_is_not_on_the_clock() {
        let pause = Duration::from_millis(30);
        let prepare = || {
            std::thread::sleep(pause);
            Ok(())
        };
        let mut operation = Operation::on_host("nothing", prepare, Ok).moving(2, 1, 1024);
        assert!(operation.run().unwrap() < pause);
        assert_eq!((operation.rows, operation.bytes), (Some(2), Some(3 * 4096)));
    }
}
