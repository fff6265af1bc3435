//! Hashes of a program's results.

use arras_hal::Backend;
use num_complex::Complex64;

use crate::{Ciphertext, Plaintext, Result};

/// The hashes of a program's steps, in order.
#[derive(Clone, Debug, Default)]
pub struct Record {
    steps: Vec<(String, blake3::Hash)>,
}

impl Record {
    /// Hashes a ciphertext: level, form, batch, limbs, residues.
    pub(super) fn ciphertext<B: Backend>(
        &mut self,
        step: impl Into<String>,
        ct: &Ciphertext<B>,
    ) -> Result<()> {
        let shape = [
            ct.level(),
            usize::from(ct.is_pending()),
            ct.components(),
            ct.batch(),
        ];
        let header = shape.into_iter().chain(ct.limbs().iter());
        self.words(step, header, &ct.poly().to_words()?);
        Ok(())
    }

    /// Hashes a plaintext: batch, limbs, residues.
    pub(super) fn plaintext<B: Backend>(
        &mut self,
        step: impl Into<String>,
        plain: &Plaintext<B>,
    ) -> Result<()> {
        let header = std::iter::once(plain.batch()).chain(plain.poly().limbs().iter());
        self.words(step, header, &plain.poly().to_words()?);
        Ok(())
    }

    /// Hashes a header and words.
    pub(super) fn words(
        &mut self,
        step: impl Into<String>,
        header: impl IntoIterator<Item = usize>,
        words: &[u32],
    ) {
        let mut bytes = Vec::with_capacity(4 * words.len() + 64);
        for number in header {
            bytes.extend((number as u64).to_le_bytes());
        }
        for word in words {
            bytes.extend(word.to_le_bytes());
        }
        self.steps.push((step.into(), blake3::hash(&bytes)));
    }

    /// Hashes the bits of decrypted numbers.
    pub(super) fn numbers(&mut self, step: impl Into<String>, vectors: &[Vec<Complex64>]) {
        let words: Vec<u32> = vectors
            .iter()
            .flatten()
            .flat_map(|z| [z.re, z.im])
            .flat_map(|x| {
                // Both zeros are the same number.
                let bits = (x + 0.0).to_bits();
                [bits as u32, (bits >> 32) as u32]
            })
            .collect();
        self.words(step, vectors.iter().map(Vec::len), &words);
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The hash of all steps' names and hashes, in hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (step, hash) in &self.steps {
            hasher.update(&(step.len() as u64).to_le_bytes());
            hasher.update(step.as_bytes());
            hasher.update(hash.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// What differs first from another record, if anything.
    pub fn first_difference(&self, expected: &Self) -> Option<String> {
        let steps = self.steps.iter().zip(&expected.steps).enumerate();
        for (i, ((step, hash), (expected_step, expected_hash))) in steps {
            if step != expected_step {
                return Some(format!(
                    "step {i} is {step:?}, on the reference engine {expected_step:?}"
                ));
            }
            if hash != expected_hash {
                return Some(format!(
                    "step {i}, {step:?}, is the first whose result differs from the reference engine's"
                ));
            }
        }
        let (len, expected_len) = (self.len(), expected.len());
        (len != expected_len)
            .then(|| format!("{len} steps, on the reference engine {expected_len}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(steps: &[(&str, u32)]) -> Record {
        let mut record = Record::default();
        for &(step, word) in steps {
            record.words(step, [1], &[word]);
        }
        record
    }

    #[test]
    fn differences_are_named() {
        let base = record(&[("add", 1), ("rotate", 2)]);
        assert_eq!(base.first_difference(&base.clone()), None);
        for (other, part) in [
            (record(&[("add", 1), ("rotate", 3)]), "step 1, \"rotate\""),
            (
                record(&[("add", 1), ("square", 2)]),
                "step 1 is \"rotate\", on the reference engine \"square\"",
            ),
            (record(&[("add", 1)]), "2 steps, on the reference engine 1"),
        ] {
            let difference = base.first_difference(&other).unwrap();
            assert!(difference.contains(part), "{difference}");
            assert_ne!(base.digest(), other.digest());
        }
    }

    #[test]
    fn header_and_words_both_count() {
        let mut one = Record::default();
        one.words("x", [1, 2], &[3]);
        let mut two = Record::default();
        two.words("x", [2, 1], &[3]);
        assert!(one.first_difference(&two).is_some());
        let mut zero = Record::default();
        zero.numbers("x", &[vec![Complex64::new(0.0, -0.0)]]);
        let mut same = Record::default();
        same.numbers("x", &[vec![Complex64::new(-0.0, 0.0)]]);
        assert_eq!(zero.first_difference(&same), None);
    }
}
