//! Where the words of a tile are in workgroup memory.

/// Where word i of a tile is: a linear map over bits, so the place of `a | b` with no bit in common is `swizzled(a) ^ swizzled(b)`.
/// Bits 5 to 8 of the index are added into the bank so that every five bits that the threads of a pass differ in (those of
/// [`NttKernel::pass`], for every degree) select 32 banks.
pub(super) fn swizzled(i: u32) -> u32 {
    let bit = |k: u32| i >> k & 1;
    i ^ (bit(5) * 4) ^ (bit(6) * 9) ^ (bit(7) * 18) ^ (bit(8) * 24)
}

/// The same in WGSL.
pub(super) const SWIZZLE: &str = "fn swizzled(i: u32) -> u32 {
    return i ^ ((i >> 3u) & 4u) ^ (((i >> 6u) & 1u) * 9u) ^ (((i >> 7u) & 1u) * 18u) ^ (((i >> 8u) & 1u) * 24u);
}
";

#[cfg(test)]
mod tests {
    use super::{
        super::{NttKernel, NttPart, Pass, TILE_LOG},
        swizzled,
    };

    /// Number of distinct banks that the threads of a warp access at a time.
    fn banks(kernel: NttKernel, pass: Pass) -> usize {
        let (tile, length) = (kernel.tile_log(), kernel.length_log());
        let low = length - pass.first - pass.stages;
        let columns = match kernel.part {
            NttPart::Columns => tile - length,
            _ => 0,
        };
        // Bits of the tile's index that a thread's number fills, the lowest first: all but the pass's own.
        let own = columns + low..columns + low + pass.stages;
        let bits: Vec<u32> = (0..tile).filter(|b| !own.contains(b)).take(5).collect();
        let places: std::collections::HashSet<u32> = (0..32u32)
            .map(|thread| {
                let index = bits
                    .iter()
                    .enumerate()
                    .map(|(k, &b)| (thread >> k & 1) << b);
                swizzled(index.sum()) % 32
            })
            .collect();
        places.len()
    }

    #[test]
    fn tiles_have_no_bank_conflicts() {
        for i in 0..1 << TILE_LOG {
            assert!(swizzled(i) < 1 << TILE_LOG);
            assert_eq!(swizzled(i & 0xf0f) ^ swizzled(i & 0x0f0), swizzled(i));
        }
        let distinct: std::collections::HashSet<u32> = (0..1 << TILE_LOG).map(swizzled).collect();
        assert_eq!(distinct.len(), 1 << TILE_LOG);
        for log_n in 13..=17 {
            for kernel in NttKernel::all(log_n) {
                for pass in kernel.passes() {
                    assert_eq!(banks(kernel, pass), 32, "{kernel:?}");
                }
            }
        }
    }
}
