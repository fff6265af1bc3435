//! The operations: what is done to which rows, on which thread.

mod backend;
mod batch;
mod convert;
mod key_switch;
mod pointwise;
mod rescale;
mod rotations;
mod switch;

use arras_hal::KeyLayout;

use crate::memory::Words;

/// A switching key: `[limb][block][digit][2][KEY_BLOCK]`, words times 2^32 modulo their prime.
///
/// One limb of the whole key is one contiguous piece, in the order in which an inner product reads it: it is read from main
/// memory, and one stream is what the processor fetches ahead best.
pub struct CpuKey {
    layout: KeyLayout,
    words: Words,
    n: usize,
}

impl CpuKey {
    /// The place of a limb in the key's list.
    fn position(&self, limb: usize) -> usize {
        let position = self.layout.limbs.position(limb);
        debug_assert!(position.is_some(), "the key has the limb");
        position.unwrap_or_default()
    }

    /// All words at a limb.
    fn limb(&self, limb: usize) -> &[u32] {
        self.piece(self.position(limb), 0, self.n)
    }

    /// Words `at .. at + len` of all digits and halves at one limb (a position in the key's list).
    fn piece(&self, limb: usize, at: usize, len: usize) -> &[u32] {
        let halves = 2 * self.layout.digits;
        &self.words.as_ref()[(limb * self.n + at) * halves..][..len * halves]
    }
}

impl std::fmt::Debug for CpuKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuKey")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
