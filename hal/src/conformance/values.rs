//! Deterministic test data: residues biased to the places where modular arithmetic goes wrong.

use super::rig::Words;
use crate::{Domain, Limbs, RingBasis, Shape};

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
