//! Which object a container holds.

use std::fmt;

use super::WireError;

/// The kind of object in a container. The numbers are part of the format: they are never reused or renumbered, and
/// zero is never a kind, so that a zeroed prefix is not an object.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum ObjectKind {
    /// A parameter set.
    Parameters = 1,
    /// A secret key: a ternary row. Its file is private.
    SecretKey = 2,
    /// A public encryption key.
    PublicKey = 3,
    /// One switching key (relinearization, rotation or conjugation): a seed and the rows of its b halves.
    SwitchingKey = 4,
    /// A set of switching keys under one secret.
    EvaluationKeys = 5,
    /// A batch of encoded plaintexts.
    Plaintext = 6,
    /// A batch of ciphertexts with all their components.
    Ciphertext = 7,
    /// A batch of fresh secret-key ciphertexts: a seed in place of the uniform component.
    SeededCiphertext = 8,
    /// A model or training state: its description and the ciphertexts of its weights.
    Model = 9,
    /// An encrypted matrix, vector or number: its layout and the container of its ciphertexts.
    EncryptedArray = 10,
    /// The same with seeded ciphertexts.
    SeededEncryptedArray = 11,
    /// A data set for training: the ciphertexts of all its rounds.
    EncryptedDataset = 12,
    /// Rows to apply a network to, its weights, or the scores of rows: their description and their ciphertexts.
    Inference = 13,
}

impl ObjectKind {
    /// Every kind this build knows, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Parameters,
        Self::SecretKey,
        Self::PublicKey,
        Self::SwitchingKey,
        Self::EvaluationKeys,
        Self::Plaintext,
        Self::Ciphertext,
        Self::SeededCiphertext,
        Self::Model,
        Self::EncryptedArray,
        Self::SeededEncryptedArray,
        Self::EncryptedDataset,
        Self::Inference,
    ];

    /// The number that stands for this kind in a container.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Whether it is values of slots in a container of the scheme, encoded or encrypted: of these a bound may be known.
    pub const fn holds_values(self) -> bool {
        matches!(
            self,
            Self::Plaintext | Self::Ciphertext | Self::SeededCiphertext
        )
    }

    /// The name used in messages and by `inspect`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameter set",
            Self::SecretKey => "secret key",
            Self::PublicKey => "public key",
            Self::SwitchingKey => "switching key",
            Self::EvaluationKeys => "evaluation key set",
            Self::Plaintext => "plaintext",
            Self::Ciphertext => "ciphertext",
            Self::SeededCiphertext => "seeded ciphertext",
            Self::Model => "model or training state",
            Self::EncryptedArray => "encrypted array",
            Self::SeededEncryptedArray => "seeded encrypted array",
            Self::EncryptedDataset => "encrypted data set",
            Self::Inference => "encrypted rows, weights or scores",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<u16> for ObjectKind {
    type Error = WireError;

    fn try_from(code: u16) -> Result<Self, WireError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.code() == code)
            .ok_or(WireError::UnknownKind { found: code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_stable() {
        let codes: Vec<u16> = ObjectKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, (1..=13).collect::<Vec<_>>());
        for kind in ObjectKind::ALL {
            assert_eq!(ObjectKind::try_from(kind.code()).unwrap(), kind);
        }
    }

    #[test]
    fn unknown_codes_are_refused() {
        for code in [0, 14, 0x100, u16::MAX] {
            let error = ObjectKind::try_from(code).unwrap_err();
            assert!(matches!(error, WireError::UnknownKind { found } if found == code));
        }
    }
}
