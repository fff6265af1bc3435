//! Buffers, rings and keys on two engines.

use zeroize::Zeroizing;

use crate::{Backend, Domain};

/// The words of a buffer as they were compared, overwritten on drop because they may be secret.
pub(super) type Words = Zeroizing<Vec<u32>>;

/// The same thing on both engines.
pub struct Pair<T, U> {
    pub(super) engine: T,
    pub(super) oracle: U,
}

/// A buffer on both engines.
pub struct CheckedBuf<B: Backend, O: Backend> {
    pub(super) engine: B::Buf,
    pub(super) oracle: O::Buf,
    pub(super) contents: Contents,
}

pub(super) enum Contents {
    /// Nothing was written, or an operation failed.
    Unspecified,
    /// What the engine under test gave back last, in the domain of the last operation; `None` for zeros, which
    /// are zeros in both domains.
    Known(Option<Domain>, Words),
}

impl<T, U> Pair<T, U> {
    pub(super) fn engine(&self) -> &T {
        &self.engine
    }

    pub(super) fn oracle(&self) -> &U {
        &self.oracle
    }
}

impl<B: Backend, O: Backend> CheckedBuf<B, O> {
    pub(super) fn new(engine: B::Buf, oracle: O::Buf) -> Self {
        Self {
            engine,
            oracle,
            contents: Contents::Unspecified,
        }
    }

    pub(super) fn engine(&self) -> &B::Buf {
        &self.engine
    }

    pub(super) fn engine_mut(&mut self) -> &mut B::Buf {
        &mut self.engine
    }

    pub(super) fn oracle(&self) -> &O::Buf {
        &self.oracle
    }

    pub(super) fn oracle_mut(&mut self) -> &mut O::Buf {
        &mut self.oracle
    }

    pub(super) fn domain(&self) -> Option<Domain> {
        match &self.contents {
            Contents::Known(domain, _) => *domain,
            Contents::Unspecified => None,
        }
    }

    pub(super) fn is_unspecified(&self) -> bool {
        matches!(self.contents, Contents::Unspecified)
    }
}
