//! Deterministic test data: residues biased to the places where modular arithmetic goes wrong.

use crate::{Domain, Limbs, RingBasis, Shape};

/// The contents of a buffer in boundary form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) shape: Shape,
    pub(super) domain: Domain,
    pub(super) words: Vec<u32>,
}

impl Words {
    /// Fails with the place of the first difference.
    pub(super) fn assert_same(&self, expected: &Self, what: &str) {
        assert_eq!(self.shape, expected.shape, "{what}: shapes differ");
        assert_eq!(
            self.words.len(),
            expected.words.len(),
            "{what}: lengths differ"
        );
        let pairs = self.words.iter().zip(&expected.words);
        if let Some(at) = pairs.clone().position(|(a, b)| a != b) {
            let differences = pairs.filter(|(a, b)| a != b).count();
            panic!(
                "{what}: {} is {}, expected {} ({differences} of {} words differ)",
                place(&self.shape, self.words.len(), at),
                self.words[at],
                expected.words[at],
                self.words.len()
            );
        }
    }
}

/// Where a word of a buffer is.
pub(super) fn place(shape: &Shape, words: usize, at: usize) -> String {
    let n = words / shape.rows();
    let row = at / n;
    let (poly, limb) = (row / shape.limbs.len(), row % shape.limbs.len());
    format!(
        "polynomial {poly}, limb {}, index {}",
        shape.limbs.at(limb),
        at % n
    )
}

/// A stream of values, the same on every platform for one label and seed.
pub(super) struct Values {
    stream: blake3::OutputReader,
    block: [u8; 1024],
    used: usize,
}

impl Values {
    pub(super) fn new(label: &str, seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(label.as_bytes()).update(&seed.to_le_bytes());
        Self {
            stream: hasher.finalize_xof(),
            block: [0; 1024],
            used: 1024,
        }
    }

    pub(super) fn word(&mut self) -> u32 {
        if self.used == self.block.len() {
            self.stream.fill(&mut self.block);
            self.used = 0;
        }
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.block[self.used..][..4]);
        self.used += 4;
        u32::from_le_bytes(bytes)
    }

    /// A value in `0..bound`, `bound` at least 1; not exactly uniform, which tests do not need.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.word()) * u64::from(bound)) >> 32) as u32
    }

    /// One of 0, 1, q - 1, (q - 1)/2, (q + 1)/2, 2^k - 1, 2^k, 2^k + 1, reduced.
    pub(super) fn edge(&mut self, q: u32) -> u32 {
        let power = 1u32 << self.below(30);
        let pick = self.below(8);
        [
            0,
            1,
            q - 1,
            (q - 1) / 2,
            q.div_ceil(2),
            power - 1,
            power,
            power + 1,
        ][pick as usize]
            % q
    }

    /// An edge or any residue, with equal chance.
    pub(super) fn residue(&mut self, q: u32) -> u32 {
        if self.below(2) == 0 {
            self.edge(q)
        } else {
            self.below(q)
        }
    }

    /// A row of `n` residues: mostly edges mixed with others, sometimes all q - 1, all 0 or uniform.
    fn row(&mut self, n: usize, q: u32, words: &mut Vec<u32>) {
        match self.below(16) {
            0 => words.extend(std::iter::repeat_n(q - 1, n)),
            1 => words.extend(std::iter::repeat_n(0, n)),
            2..5 => words.extend((0..n).map(|_| self.below(q))),
            _ => words.extend((0..n).map(|_| self.residue(q))),
        }
    }

    /// A buffer's worth of canonical residues.
    pub(super) fn words(&mut self, basis: &RingBasis, shape: &Shape, domain: Domain) -> Words {
        let mut words = Vec::with_capacity(shape.words(basis.n()));
        for _ in 0..shape.polys {
            for limb in shape.limbs.iter() {
                self.row(basis.n(), basis.modulus(limb).value(), &mut words);
            }
        }
        Words {
            shape: shape.clone(),
            domain,
            words,
        }
    }

    /// A random part of `limbs` with at least `least` of them.
    pub(super) fn some_limbs(&mut self, limbs: &Limbs, least: usize) -> Limbs {
        let mut chosen: Vec<usize> = limbs.iter().filter(|_| self.below(2) == 0).collect();
        let mut rest = limbs.iter();
        while chosen.len() < least {
            match rest.next() {
                Some(limb) if !chosen.contains(&limb) => chosen.push(limb),
                Some(_) => {}
                None => break,
            }
        }
        Limbs::new(chosen)
    }
}

/// Columns of residues, one per modulus of a conversion's sources, whose quotient estimate is exactly half-way between two
/// integers, each followed by its neighbour just below. Random residues practically never get there.
///
/// With 2^40 / s rounding to 2^10 for one source, the others chosen so that their terms are multiples of 2^10 too, that source
/// can fill the sum up to 2^25 modulo 2^26. Without such a source there are none.
pub(super) fn quotient_ties(moduli: &[u32]) -> Vec<Vec<u32>> {
    let reciprocal = |s: u32| ((1u64 << 40) + u64::from(s / 2)) / u64::from(s);
    let Some(anchor) = moduli.iter().position(|&s| reciprocal(s) == 1 << 10) else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    for k in 0..3u32 {
        let mut column = vec![0; moduli.len()];
        let mut units = 0;
        let other = (0..moduli.len()).find(|&i| i != anchor && k << 24 < moduli[i]);
        if let Some(other) = other {
            column[other] = k << 24;
            units = u64::from(k) * reciprocal(moduli[other]);
        }
        let fill = ((1u64 << 15) + (1 << 32) - units) % (1 << 16);
        for fill in [fill as u32, fill as u32 - 1] {
            column[anchor] = fill << 14;
            if column[anchor] < moduli[anchor] {
                columns.push(column.clone());
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_ties() {
        for moduli in [
            &[1_073_479_681][..],
            &[575_275_009, 1_073_479_681],
            &[1_073_479_681, 20_054_017, 576_454_657],
        ] {
            let columns = quotient_ties(moduli);
            assert!(columns.len() >= 4);
            for (k, column) in columns.iter().enumerate() {
                let sum: u64 = column
                    .iter()
                    .zip(moduli)
                    .map(|(&x, &s)| {
                        let s = u64::from(s);
                        u64::from(x >> 14) * (((1 << 40) + s / 2) / s)
                    })
                    .sum();
                let past_tie = (sum + (1 << 25)) % (1 << 26);
                let just_below = (1 << 26) - (1 << 10);
                assert_eq!(past_tie, if k % 2 == 0 { 0 } else { just_below });
            }
        }
        assert!(quotient_ties(&[575_275_009]).is_empty());
    }

    #[test]
    fn the_stream_is_fixed_and_biased() {
        let mut a = Values::new("a", 1);
        let mut b = Values::new("a", 1);
        let q = 575_275_009;
        let list: Vec<u32> = (0..2000).map(|_| a.residue(q)).collect();
        assert!(list.iter().all(|&v| v < q && v == b.residue(q)));
        for edge in [
            0,
            1,
            q - 1,
            (q - 1) / 2,
            q.div_ceil(2),
            1 << 20,
            (1 << 20) + 1,
        ] {
            assert!(list.contains(&edge), "{edge}");
        }
        let distinct: std::collections::HashSet<_> = list.iter().collect();
        assert!(distinct.len() > 800);
    }
}
