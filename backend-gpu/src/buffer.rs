//! Buffers and keys of the engine.

use std::fmt;

use arras_hal::{KeyLayout, Shape};

use crate::memory::Block;

/// `[polys][limbs][N]` words in device memory, in boundary order.
pub struct GpuBuf {
    pub(crate) shape: Shape,
    pub(crate) block: Block,
}

impl fmt::Debug for GpuBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpuBuf")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// A switching key in device memory: `[limb][digit][2][N]` in Montgomery form, so that a window of limbs is contiguous. A key
/// larger than one binding is several blocks of limbs.
pub struct GpuKey {
    pub(crate) layout: KeyLayout,
    /// The ring's number for the layout and its blocks.
    pub(crate) layout_number: usize,
    pub(crate) blocks: Vec<KeyBlock>,
}

/// The rows of some limbs of a key.
pub(crate) struct KeyBlock {
    /// Position of the first limb in the key's list.
    pub(crate) first: usize,
    /// Number of limbs.
    pub(crate) limbs: usize,
    pub(crate) block: Block,
}

impl fmt::Debug for GpuKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpuKey")
            .field("layout", &self.layout)
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}
