//! The operations: what is done to which rows, on which thread.

mod backend;
mod convert;
mod key_switch;
mod pointwise;
mod rescale;

use arras_hal::KeyLayout;

use crate::memory::Words;

/// A switching key: `[limb][digit][2][N]`, words times 2^32 modulo their prime.
///
/// One limb of the whole key is one contiguous piece, in the order in which an inner product reads it.
pub struct CpuKey {
    layout: KeyLayout,
    words: Words,
    n: usize,
}

impl CpuKey {
    /// The halves of one digit at one limb (a position in the key's list).
    fn halves(&self, limb: usize, digit: usize) -> [&[u32]; 2] {
        let at = (limb * self.layout.digits + digit) * 2 * self.n;
        let both = &self.words.as_ref()[at..at + 2 * self.n];
        let (b, a) = both.split_at(self.n);
        [b, a]
    }
}

impl std::fmt::Debug for CpuKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuKey")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
