//! Buffers of the reference engine.

use zeroize::Zeroize;

use crate::Shape;

/// `[polys][limbs][N]` words in one vector, in boundary order.
pub struct ReferenceBuf {
    shape: Shape,
    n: usize,
    words: Vec<u32>,
}

impl ReferenceBuf {
    pub(super) fn new(shape: &Shape, n: usize) -> Self {
        // Contents are unspecified by contract. A pattern that is no residue shows who relies on them.
        Self {
            shape: shape.clone(),
            n,
            words: vec![0xA5A5_A5A5; shape.words(n)],
        }
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(super) fn words(&self) -> &[u32] {
        &self.words
    }

    pub(super) fn words_mut(&mut self) -> &mut [u32] {
        &mut self.words
    }

    pub(super) fn row(&self, poly: usize, limb: usize) -> &[u32] {
        &self.words[(poly * self.shape.limbs.len() + limb) * self.n..][..self.n]
    }

    pub(super) fn row_mut(&mut self, poly: usize, limb: usize) -> &mut [u32] {
        &mut self.words[(poly * self.shape.limbs.len() + limb) * self.n..][..self.n]
    }

    /// Calls `f` with the absolute limb index and the words of every row.
    pub(super) fn for_each_row(&mut self, f: impl Fn(usize, &mut [u32])) {
        let limbs = self.shape.limbs.clone();
        for (row, words) in self.words.chunks_exact_mut(self.n).enumerate() {
            f(limbs.at(row % limbs.len()), words);
        }
    }
}

impl Drop for ReferenceBuf {
    fn drop(&mut self) {
        // Any buffer may be a copy of a secret one: default bodies of composites make them.
        self.words.zeroize();
    }
}

/// Contents are not printed: they may be secret.
impl std::fmt::Debug for ReferenceBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReferenceBuf")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}
