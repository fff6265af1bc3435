//! What is in a file, without a key and without knowing its parameters.

use std::{fmt, io::Read};

use arras_hal::Limbs;

use super::{
    super::{ContainerReader, ObjectKind, PayloadRead, Prefix, WireError},
    expect_end,
    header::{
        CiphertextHeader, EvaluationKeysHeader, Header, KeyEntry, PlaintextHeader, PublicKeyHeader,
        SecretKeyHeader, SeededCiphertextHeader, SwitchingKeyHeader,
    },
};
use crate::{
    KeyKind, PlaintextUse, Result,
    params::{Parameters, ParametersSpec},
};

/// What [`inspect`] found: a container whose header, lengths and checksum are sound.
#[derive(Clone, Debug)]
pub struct Inspection {
    prefix: Prefix,
    bytes: u64,
    parameters: Option<Parameters>,
    summary: ObjectSummary,
}

/// What a header says besides the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectSummary {
    /// A parameter set; nothing besides.
    Parameters,
    /// A secret key.
    SecretKey,
    /// A public key.
    PublicKey,
    /// A switching key.
    SwitchingKey(KeySummary),
    /// A set of switching keys.
    EvaluationKeys(Vec<KeySummary>),
    /// A batch of plaintexts.
    Plaintext {
        /// What it was encoded for.
        purpose: PlaintextUse,
        /// Number of vectors.
        batch: usize,
    },
    /// A batch of ciphertexts.
    Ciphertext {
        /// The level.
        level: usize,
        /// Number of ciphertexts.
        batch: usize,
        /// Components of each, 2 or 3.
        components: usize,
        /// Whether it waits for its rescale.
        pending: bool,
        /// Its limbs.
        limbs: Limbs,
        /// Whether limbs of its level were cut off for sending.
        cut: bool,
    },
    /// A batch of seeded ciphertexts.
    SeededCiphertext {
        /// The level.
        level: usize,
        /// Number of ciphertexts.
        batch: usize,
    },
    /// An object that this crate does not read; its header is not interpreted.
    Other,
}

/// One switching key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySummary {
    /// What it switches from.
    pub kind: KeyKind,
    /// The highest level it works at.
    pub level_budget: usize,
    /// Bytes of its rows.
    pub bytes: u64,
}

impl KeySummary {
    fn new(entry: &KeyEntry, params: &Parameters) -> Result<Self> {
        Ok(Self {
            kind: entry.kind(params)?,
            level_budget: entry.level_budget(params)?,
            bytes: entry.payload_len(params)?,
        })
    }
}

impl Inspection {
    /// What the container holds.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        self.prefix.kind
    }

    /// The format version.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.prefix.version
    }

    /// Bytes of the header.
    #[must_use]
    pub fn header_bytes(&self) -> u64 {
        u64::from(self.prefix.header_len)
    }

    /// Bytes of the payload.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.prefix.payload_len
    }

    /// Bytes of the whole container.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The parameters of the object, validated; they may be insecure. `None` for an object that this crate does not
    /// read.
    #[must_use]
    pub fn parameters(&self) -> Option<&Parameters> {
        self.parameters.as_ref()
    }

    /// What the header says besides the parameters.
    #[must_use]
    pub fn summary(&self) -> &ObjectSummary {
        &self.summary
    }
}

/// Says what a container holds, after verifying everything but the rows: the prefix, the parameters (sets without
/// security are accepted, and say so), the header, the lengths and the checksum. `input` must end after the container;
/// a slice of bytes is an input. Holds a small part of the payload at a time.
///
/// # Errors
/// [`CkksErrorKind::Wire`](crate::CkksErrorKind::Wire) says what is wrong with the bytes, a
/// [`ParamsError`](crate::params::ParamsError) what is wrong with the parameters.
pub fn inspect(input: impl Read) -> Result<Inspection> {
    let mut reader = ContainerReader::new(input, u64::MAX)?;
    let prefix = reader.prefix();
    let (parameters, summary) = match prefix.kind {
        ObjectKind::Parameters => {
            reader.expect_payload_len(0)?;
            let params = validate(reader.header::<ParametersSpec>()?)?;
            (Some(params), ObjectSummary::Parameters)
        }
        ObjectKind::SecretKey => {
            checked::<SecretKeyHeader, _>(&reader, |_, _| Ok(ObjectSummary::SecretKey))?
        }
        ObjectKind::PublicKey => {
            checked::<PublicKeyHeader, _>(&reader, |_, _| Ok(ObjectSummary::PublicKey))?
        }
        ObjectKind::SwitchingKey => checked::<SwitchingKeyHeader, _>(&reader, |header, params| {
            Ok(ObjectSummary::SwitchingKey(KeySummary::new(
                &header.entry,
                params,
            )?))
        })?,
        ObjectKind::EvaluationKeys => {
            checked::<EvaluationKeysHeader, _>(&reader, |header, params| {
                let keys = header.keys.iter().map(|key| KeySummary::new(key, params));
                Ok(ObjectSummary::EvaluationKeys(keys.collect::<Result<_>>()?))
            })?
        }
        ObjectKind::Plaintext => checked::<PlaintextHeader, _>(&reader, |header, _| {
            Ok(ObjectSummary::Plaintext {
                purpose: header.purpose(),
                batch: header.batch as usize,
            })
        })?,
        ObjectKind::Ciphertext => checked::<CiphertextHeader, _>(&reader, |header, params| {
            let limbs = header.dimensions(params)?.limbs;
            let level = header.level as usize;
            Ok(ObjectSummary::Ciphertext {
                level,
                batch: header.batch as usize,
                components: header.components as usize,
                pending: header.pending,
                cut: !header.pending && limbs.len() < params.window(level).len(),
                limbs,
            })
        })?,
        ObjectKind::SeededCiphertext => {
            checked::<SeededCiphertextHeader, _>(&reader, |header, _| {
                Ok(ObjectSummary::SeededCiphertext {
                    level: header.level as usize,
                    batch: header.batch as usize,
                })
            })?
        }
        ObjectKind::Model
        | ObjectKind::EncryptedArray
        | ObjectKind::SeededEncryptedArray
        | ObjectKind::EncryptedDataset => (None, ObjectSummary::Other),
    };
    skip_payload(&mut reader)?;
    expect_end(&mut reader.finish()?)?;
    Ok(Inspection {
        prefix,
        bytes: prefix.container_len()?,
        parameters,
        summary,
    })
}

fn validate(spec: ParametersSpec) -> Result<Parameters> {
    Ok(Parameters::from_spec_allowing_insecure(spec)?)
}

fn checked<H: Header, R: Read>(
    reader: &ContainerReader<R>,
    summary: impl FnOnce(&H, &Parameters) -> Result<ObjectSummary>,
) -> Result<(Option<Parameters>, ObjectSummary)> {
    let header: H = reader.header()?;
    let params = validate(header.spec().clone())?;
    reader.expect_payload_len(header.payload_len(&params)?)?;
    let summary = summary(&header, &params)?;
    Ok((Some(params), summary))
}

fn skip_payload<R: Read>(reader: &mut ContainerReader<R>) -> Result<(), WireError> {
    const CHUNK: u64 = 1 << 16;
    while reader.remaining() > 0 {
        reader.bytes(reader.remaining().min(CHUNK) as usize)?;
    }
    Ok(())
}

impl fmt::Display for KeySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            KeyKind::Relinearization => write!(f, "relinearization")?,
            KeyKind::Galois(g) => write!(f, "Galois element {}", g.value())?,
        }
        write!(
            f,
            ", levels up to {}, {} bytes",
            self.level_budget, self.bytes
        )
    }
}

impl fmt::Display for ObjectSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameters | Self::PublicKey | Self::Other => Ok(()),
            Self::SecretKey => write!(f, "\n  keep it private: whoever has it can decrypt"),
            Self::SwitchingKey(key) => write!(f, "\n  key      {key}"),
            Self::EvaluationKeys(keys) => {
                write!(f, "\n  keys     {}", keys.len())?;
                keys.iter()
                    .try_for_each(|key| write!(f, "\n           {key}"))
            }
            Self::Plaintext { purpose, batch } => {
                write!(f, "\n  batch    {batch}\n  purpose  {purpose}")
            }
            Self::Ciphertext {
                level,
                batch,
                components,
                pending,
                limbs,
                cut,
            } => {
                let form = match (pending, cut) {
                    (true, _) => "waiting for its rescale",
                    (false, true) => "cut for sending",
                    (false, false) => "settled",
                };
                write!(
                    f,
                    "\n  level    {level}\n  batch    {batch}\n  form     {components} components, {form}, limbs {limbs}"
                )
            }
            Self::SeededCiphertext { level, batch } => {
                write!(f, "\n  level    {level}\n  batch    {batch}")
            }
        }
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, format version {}, {} bytes (header {}, payload {}), checksum verified{}",
            self.kind(),
            self.version(),
            self.bytes(),
            self.header_bytes(),
            self.payload_bytes(),
            self.summary
        )?;
        match &self.parameters {
            Some(parameters) => write!(f, "\n{parameters}"),
            None => Ok(()),
        }
    }
}
