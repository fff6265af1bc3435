//! What tells keys, data sets and plans of different exchanges apart. None of these is a secret or depends on one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Result, trainer::ExchangeError};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $len]);

        impl $name {
            /// The identifier of these bytes.
            pub fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl std::str::FromStr for $name {
            type Err = ExchangeError;

            fn from_str(text: &str) -> Result<Self, ExchangeError> {
                let malformed = || ExchangeError::Mismatch {
                    op: "read an identifier",
                    what: "text",
                    subject: stringify!($name),
                    found: format!("{:?}", text.chars().take(80).collect::<String>()),
                    expected: format!("{} hexadecimal digits", 2 * $len),
                    remedy: "copy it whole",
                };
                let mut bytes = [0; $len];
                if text.len() != 2 * $len || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
                    return Err(malformed());
                }
                for (i, byte) in bytes.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| malformed())?;
                }
                Ok(Self(bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = ExchangeError;

            fn try_from(text: String) -> Result<Self, ExchangeError> {
                text.parse()
            }
        }
    };
}

identifier!(
    /// BLAKE3 of a plan.
    PlanId, 32
);
identifier!(
    /// A set of evaluation keys, and with it the secret key: BLAKE3 of those of all of its keys.
    KeySetId, 16
);
identifier!(
    /// A data set as it was encrypted: drawn at random, so that it says nothing about the data.
    DatasetId, 16
);
identifier!(
    /// BLAKE3 of a ciphertext's container.
    CiphertextDigest, 32
);
identifier!(
    /// A key of BLAKE3, or what it gives of rows.
    RowsDigest, 32
);

impl DatasetId {
    /// A new one.
    ///
    /// # Errors
    /// [`ExchangeError::NoRandomness`].
    pub fn random() -> Result<Self, ExchangeError> {
        Ok(Self(random()?))
    }
}

impl RowsDigest {
    /// A new key.
    pub(super) fn random_key() -> Result<Self, ExchangeError> {
        Ok(Self(random()?))
    }
}

fn random<const N: usize>() -> Result<[u8; N], ExchangeError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| ExchangeError::NoRandomness { error })?;
    Ok(bytes)
}
