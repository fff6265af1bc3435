//! The negacyclic number-theoretic transform in one or two kernels of straight-line radix-16 passes.
//!
//! Forward: decimation in time with psi folded into the twiddles, natural order in, bit-reversed order out; inverse its
//! mirror (Longa and Naehrig, ePrint 2016/504). A row of N = 2^log_n words is split as N1 x N2:
//!
//! ```text
//!   Columns   the first log2 N1 stages: transforms of length N1 over elements N2 apart; a tile is N1 x 4096/N1
//!   Chunks    the last log2 N2 stages: transforms of length N2 over adjacent elements; a tile is 4096/N2 of them
//!   Single    both in one, N up to 4096
//! ```
//! A tile of 4096 words lies in 16 KiB of workgroup memory; each of 256 threads takes 16 elements through a pass of up to 4
//! stages in registers, then passes meet at a barrier. The stage t of a transform of length L whose place in the whole is
//! `root` (1 for columns, N1 + chunk for chunks) uses twiddle `(root << t) + block`: all of them come from one table of
//! pairs (w, Shoup companion). A pass of S stages whose `base = (root << first) + hi` has B values keeps them as 2^(S-1) lists of B
//! units of two pairs, factor `2^t + block` in unit `(2^t + block) / 2` ([`Twiddles`]): adjacent threads read adjacent units.
//!
//! Words of the tile are swizzled ([`swizzle`]), so that the 32 words that adjacent threads access at a time lie in 32 banks
//! in every pass of every degree from 2^13.
//!
//! Ranges: forward values stay in [0, 4q), inverse values in [0, 2q), also between the two kernels; the last
//! kernel stores canonical residues.

mod pass;
mod source;
mod swizzle;
mod twiddles;

use std::fmt;

pub use pass::butterfly;
pub use twiddles::Twiddles;

/// log2 of the words of a tile.
pub const TILE_LOG: u32 = 12;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Coefficients to evaluations.
    Forward,
    /// Evaluations to coefficients, times the constant k0 (N^-1 and what is folded into it).
    Inverse,
}

/// Which stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NttPart {
    /// The stages of large stride.
    Columns,
    /// The stages of small stride.
    Chunks,
    /// All stages.
    Single,
}

/// Where a kernel reads its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NttLoad {
    /// From the output, in place.
    InPlace,
    /// From the first input.
    Input,
}

/// What a kernel writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NttStore {
    /// The transformed value.
    Plain,
    /// The end of a rescale: `(b * k0 - value) * k1`, `b` the second input's row, 0 where the entry has none. Only for the last
    /// kernel of a forward transform, which then reads from the first input.
    Rescale,
}

/// One kernel of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NttKernel {
    /// log2 N.
    pub log_n: u32,
    /// Which way.
    pub direction: Direction,
    /// Which stages.
    pub part: NttPart,
    /// Where it reads.
    pub load: NttLoad,
    /// What it writes.
    pub store: NttStore,
}

impl fmt::Display for NttKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.direction {
            Direction::Forward => "ntt",
            Direction::Inverse => "intt",
        };
        let part = match self.part {
            NttPart::Columns => ", columns",
            NttPart::Chunks => ", chunks",
            NttPart::Single => "",
        };
        let end = match self.store {
            NttStore::Plain => "",
            NttStore::Rescale => ", end of rescale",
        };
        write!(f, "{verb}{part}{end}")
    }
}

/// A run of stages that a thread does in registers.
#[derive(Clone, Copy)]
struct Pass {
    first: u32,
    stages: u32,
}

impl NttKernel {
    /// The parts of a transform of degree `2^log_n`, in order.
    pub fn parts(log_n: u32, direction: Direction) -> &'static [NttPart] {
        match direction {
            _ if log_n <= TILE_LOG => &[NttPart::Single],
            Direction::Forward => &[NttPart::Columns, NttPart::Chunks],
            Direction::Inverse => &[NttPart::Chunks, NttPart::Columns],
        }
    }

    /// Every kernel of a degree, for tests.
    pub fn all(log_n: u32) -> Vec<Self> {
        let mut all = Vec::new();
        for direction in [Direction::Forward, Direction::Inverse] {
            let parts = Self::parts(log_n, direction);
            for (index, &part) in parts.iter().enumerate() {
                let mut add = |load, store| {
                    all.push(Self {
                        log_n,
                        direction,
                        part,
                        load,
                        store,
                    });
                };
                add(NttLoad::InPlace, NttStore::Plain);
                if index == 0 {
                    add(NttLoad::Input, NttStore::Plain);
                }
                if index + 1 == parts.len() && direction == Direction::Forward {
                    add(NttLoad::Input, NttStore::Rescale);
                }
            }
        }
        all
    }

    /// Workgroups per row.
    pub fn tiles(self) -> u32 {
        1 << (self.log_n - self.tile_log())
    }

    pub(crate) fn inputs(self) -> usize {
        1 + usize::from(self.load == NttLoad::Input) + usize::from(self.store == NttStore::Rescale)
    }

    fn tile_log(self) -> u32 {
        self.log_n.min(TILE_LOG)
    }

    /// log2 of the elements of a thread.
    fn thread_log(self) -> u32 {
        self.tile_log().min(4)
    }

    /// log2 of the length of the transforms of this part.
    fn length_log(self) -> u32 {
        match self.part {
            NttPart::Single => self.log_n,
            NttPart::Columns => self.log_n / 2,
            NttPart::Chunks => self.log_n - self.log_n / 2,
        }
    }

    /// Passes in the order of the forward transform, as equal as possible.
    fn passes(self) -> Vec<Pass> {
        let length = self.length_log();
        let count = length.div_ceil(self.thread_log());
        let mut first = 0;
        (0..count)
            .map(|k| {
                let stages = length / count + u32::from(k < length % count);
                let pass = Pass { first, stages };
                first += stages;
                pass
            })
            .collect()
    }

    fn last(self) -> bool {
        Self::parts(self.log_n, self.direction).last() == Some(&self.part)
    }

    /// Whether the stages of stride 1 are in this part: their accesses go through workgroup memory, so that rows are read
    /// and written in order.
    fn staged(self) -> bool {
        self.part != NttPart::Columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_covered_once_and_barriers_are_few() {
        for log_n in 3..=17 {
            for kernel in NttKernel::all(log_n) {
                let mut next = 0;
                for pass in kernel.passes() {
                    assert_eq!(pass.first, next);
                    assert!(pass.stages >= 1 && pass.stages <= kernel.thread_log());
                    next += pass.stages;
                }
                assert_eq!(next, kernel.length_log());
                let barriers = kernel.source().matches("workgroupBarrier").count();
                assert!(barriers <= 3, "{kernel:?}: {barriers} barriers");
            }
        }
    }

    #[test]
    fn both_parts_together_have_all_stages() {
        for log_n in [13, 14, 15, 16, 17] {
            let all = NttKernel::all(log_n);
            let length = |part| {
                let kernel = all.iter().find(|k| k.part == part);
                kernel.map_or(0, |k| k.length_log())
            };
            assert_eq!(length(NttPart::Columns) + length(NttPart::Chunks), log_n);
        }
    }
}
