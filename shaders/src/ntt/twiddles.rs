//! The table of twiddles.

use super::{Direction, NttKernel, NttLoad, NttStore, Pass};

/// How a row of the table of twiddles is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twiddles {
    /// Where factor i, `psi^bitrev(i)`, is: the number of its pair. Index 0 is unused.
    pub places: Vec<usize>,
    /// Pairs of a row, some of them unused.
    pub row: usize,
}

impl Twiddles {
    /// The layout for degree `2^log_n`, the same for both directions.
    pub fn new(log_n: u32) -> Self {
        let mut places = vec![0; 1 << log_n];
        let mut row = 0;
        for pass in whole_transform(log_n) {
            let bases = 1usize << pass.first;
            for base in 0..bases {
                for step in 0..pass.stages {
                    for block in 0..1usize << step {
                        let factor = (1 << step) + block;
                        let unit = factor / 2 * bases + base;
                        places[((bases + base) << step) + block] = row + 2 * unit + factor % 2;
                    }
                }
            }
            row += bases << pass.stages;
        }
        Self { places, row }
    }

    /// The first unit of two pairs of the pass that starts at a stage of the whole transform.
    pub(super) fn section(log_n: u32, stage: u32) -> usize {
        whole_transform(log_n)
            .iter()
            .take_while(|pass| pass.first < stage)
            .map(|pass| (1usize << pass.first << pass.stages) / 2)
            .sum()
    }
}

/// The passes of all parts of a forward transform, their stages counted from its beginning.
fn whole_transform(log_n: u32) -> Vec<Pass> {
    let mut passes = Vec::new();
    let mut before = 0;
    for &part in NttKernel::parts(log_n, Direction::Forward) {
        let kernel = NttKernel {
            log_n,
            direction: Direction::Forward,
            part,
            load: NttLoad::InPlace,
            store: NttStore::Plain,
        };
        passes.extend(kernel.passes().into_iter().map(|pass| Pass {
            first: before + pass.first,
            ..pass
        }));
        before += kernel.length_log();
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_twiddle_has_a_place_of_its_own() {
        for log_n in 3..=17 {
            let Twiddles { places, row } = Twiddles::new(log_n);
            let mut used = vec![false; row];
            for &place in &places[1..] {
                assert!(!std::mem::replace(&mut used[place], true));
            }
            assert!(row <= 2 << log_n && row.is_multiple_of(2));
        }
    }
}
