//! What is in a file, without a key and without knowing its parameters.

use std::{fmt, io::Read};

use arras_hal::Limbs;

use super::{
    super::{ObjectKind, Prefix, Reader},
    header::{
        CiphertextFields, Fields, Header, KeyEntry, PlaintextFields, PublicKeyFields,
        SecretKeyFields, SeededCiphertextFields,
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
    pub fn kind(&self) -> ObjectKind {
        self.prefix.kind
    }

    /// The format version.
    pub fn version(&self) -> u16 {
        self.prefix.version
    }

    /// Bytes of the header.
    pub fn header_bytes(&self) -> u64 {
        u64::from(self.prefix.header_len)
    }

    /// Bytes of the payload.
    pub fn payload_bytes(&self) -> u64 {
        self.prefix.payload_len
    }

    /// Bytes of the whole container.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The parameters of the object, validated; they may be insecure. `None` for an object that this crate does not
    /// read.
    pub fn parameters(&self) -> Option<&Parameters> {
        self.parameters.as_ref()
    }

    /// What the values are at most in magnitude, as the file says; `None` where it says nothing, and of what holds no values.
    pub fn bound(&self) -> Option<f64> {
        self.prefix.bound.map(f64::from)
    }

    /// What the header says besides the parameters.
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
    let mut reader = Reader::new(input, u64::MAX)?;
    let prefix = reader.prefix();
    let (parameters, summary) = match prefix.kind {
        ObjectKind::Parameters => {
            reader.expect_payload_len(0)?;
            let params = validate(reader.header::<ParametersSpec>()?)?;
            (Some(params), ObjectSummary::Parameters)
        }
        ObjectKind::SecretKey => {
            checked::<SecretKeyFields, _>(&reader, |_, _| Ok(ObjectSummary::SecretKey))?
        }
        ObjectKind::PublicKey => {
            checked::<PublicKeyFields, _>(&reader, |_, _| Ok(ObjectSummary::PublicKey))?
        }
        ObjectKind::SwitchingKey => checked::<KeyEntry, _>(&reader, |key, params| {
            Ok(ObjectSummary::SwitchingKey(KeySummary::new(key, params)?))
        })?,
        ObjectKind::EvaluationKeys => checked::<Vec<KeyEntry>, _>(&reader, |entries, params| {
            let keys = entries.iter().map(|key| KeySummary::new(key, params));
            Ok(ObjectSummary::EvaluationKeys(keys.collect::<Result<_>>()?))
        })?,
        ObjectKind::Plaintext => checked::<PlaintextFields, _>(&reader, |fields, _| {
            Ok(ObjectSummary::Plaintext {
                purpose: fields.purpose(),
                batch: fields.batch as usize,
            })
        })?,
        ObjectKind::Ciphertext => checked::<CiphertextFields, _>(&reader, |fields, params| {
            let limbs = fields.dimensions(params)?.limbs;
            let level = fields.level as usize;
            Ok(ObjectSummary::Ciphertext {
                level,
                batch: fields.batch as usize,
                components: fields.components as usize,
                pending: fields.pending,
                cut: !fields.pending && limbs.len() < params.window(level).len(),
                limbs,
            })
        })?,
        ObjectKind::SeededCiphertext => {
            checked::<SeededCiphertextFields, _>(&reader, |fields, _| {
                Ok(ObjectSummary::SeededCiphertext {
                    level: fields.level as usize,
                    batch: fields.batch as usize,
                })
            })?
        }
        ObjectKind::Model
        | ObjectKind::EncryptedArray
        | ObjectKind::SeededEncryptedArray
        | ObjectKind::EncryptedDataset
        | ObjectKind::Inference => (None, ObjectSummary::Other),
    };
    reader.skip()?;
    reader.finish_at_end()?;
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

fn checked<F: Fields, R: Read>(
    reader: &Reader<R>,
    summary: impl FnOnce(&F, &Parameters) -> Result<ObjectSummary>,
) -> Result<(Option<Parameters>, ObjectSummary)> {
    let header: Header<F> = reader.header()?;
    let params = validate(header.spec)?;
    reader.expect_payload_len(header.fields.payload_len(&params)?)?;
    header.fields.bound(&params, reader.prefix().bound)?;
    let summary = summary(&header.fields, &params)?;
    Ok((Some(params), summary))
}

impl fmt::Display for KeySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, levels up to {}, {} bytes",
            self.kind, self.level_budget, self.bytes
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
        if let Some(bound) = self.bound() {
            write!(f, "\n  values   up to {bound}, as the file says")?;
        }
        match &self.parameters {
            Some(parameters) => write!(f, "\n{parameters}"),
            None => Ok(()),
        }
    }
}
