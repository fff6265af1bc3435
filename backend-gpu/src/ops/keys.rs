//! Keys in the engine's own layout.

use arras_hal::{KeyLayout, Result};

use crate::{GpuEngine, GpuKey, GpuRing, buffer::KeyBlock, ring::montgomery};

impl GpuEngine {
    /// `[digit][2][limbs][N]` words to blocks of limbs that a binding holds, in Montgomery form.
    pub(super) fn load_key(
        &self,
        ring: &GpuRing,
        layout: &KeyLayout,
        words: &[u32],
    ) -> Result<GpuKey> {
        let n = ring.basis.n();
        let limbs = layout.limbs.len();
        let limb_words = layout.digits * 2 * n;
        let largest = usize::try_from(self.memory().largest_binding() / 4).unwrap_or(usize::MAX);
        let per_block = (largest / limb_words).clamp(1, limbs);
        let mut blocks = Vec::new();
        for first in (0..limbs).step_by(per_block) {
            let count = per_block.min(limbs - first);
            let block = self.recorder().alloc(count * limb_words)?;
            let mut own = Vec::with_capacity(count * limb_words);
            for position in first..first + count {
                let q = ring.basis.modulus(layout.limbs.at(position));
                let r = q.constant(montgomery(q, 1));
                for half in 0..layout.digits * 2 {
                    let row = &words[(half * limbs + position) * n..][..n];
                    own.extend(row.iter().map(|&w| q.mul(w, r.value)));
                }
            }
            self.recorder().upload(&block, &own);
            blocks.push(KeyBlock {
                first,
                limbs: count,
                block,
            });
        }
        Ok(GpuKey {
            layout_number: ring.layout_number(layout, per_block),
            layout: layout.clone(),
            blocks,
        })
    }
}
