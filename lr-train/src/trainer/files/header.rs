//! Headers of kinds 9, 12 and 13.

use std::{fs::File, io::BufReader, path::Path};

use arras_ckks::{
    Parameters,
    params::ParametersSpec,
    wire::{ObjectKind, Prefix, Reader, WireError},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    super::{DatasetId, KeySetId, PlanId, exchange::Origin},
    keys::ExchangePlan,
};
use crate::{Result, TrainError, trainer::ExchangeError};

/// The version of the layout within these containers. It is the header's first field, so that it can be read before the others.
const VERSION: u32 = 2;

/// What a file of kind 9 holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// A finished model's weights, as the server returns them.
    Weights,
    /// The last two weights of a round, as the server returns them: to be refreshed.
    State,
    /// A re-encrypted state, as the client sends it: the next round starts from it.
    Start,
}

/// What a header says besides its origin.
pub(super) trait Fields: Serialize + DeserializeOwned {
    const KIND: ObjectKind;
    /// What errors call the file.
    const NAME: &'static str;
    /// The command that makes one.
    const COMMAND: &'static str;
}

/// Of a data set, kind 12.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DatasetFields {
    pub(super) rounds: u32,
}

impl Fields for DatasetFields {
    const KIND: ObjectKind = ObjectKind::EncryptedDataset;
    const NAME: &'static str = "file of encrypted data";
    const COMMAND: &'static str = "lr-train encrypt";
}

/// Of a result or a start, kind 9.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RoundFields {
    pub(super) round: u32,
    pub(super) content: Content,
}

impl Fields for RoundFields {
    const KIND: ObjectKind = ObjectKind::Model;
    const NAME: &'static str = "result or state of a training";
    const COMMAND: &'static str = "lr-train train` or `lr-train refresh";
}

/// Of what goes to and fro when a network is applied, kind 13.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct InferenceFields {
    pub(super) content: InferenceContent,
    /// Rows that count.
    pub(super) rows: u32,
}

/// What a file of kind 13 holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InferenceContent {
    /// Rows to score, as their owner sends them.
    Rows,
    /// Weights of a network, likewise.
    Weights,
    /// Scores of rows, as the service returns them.
    Scores,
}

impl Fields for InferenceFields {
    const KIND: ObjectKind = ObjectKind::Inference;
    const NAME: &'static str = "file of encrypted rows, weights or scores";
    const COMMAND: &'static str = "lr-train infer encrypt` or `lr-train infer score";
}

/// A header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileHeader<F> {
    version: u32,
    parameters: ParametersSpec,
    plan: [u8; 32],
    keys: [u8; 16],
    dataset: [u8; 16],
    pub(super) fields: F,
}

/// A round or a number of rounds, as a header has it. Plans have at most 10,000.
pub(super) fn number(round: usize) -> u32 {
    u32::try_from(round).unwrap_or(u32::MAX)
}

impl<F: Fields> FileHeader<F> {
    pub(super) fn new(plan: &impl ExchangePlan, origin: Origin, fields: F) -> Self {
        Self {
            version: VERSION,
            parameters: plan.params().spec().clone(),
            plan: *origin.plan.as_bytes(),
            keys: *origin.keys.as_bytes(),
            dataset: *origin.dataset.as_bytes(),
            fields,
        }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            plan: PlanId::from_bytes(self.plan),
            keys: KeySetId::from_bytes(self.keys),
            dataset: DatasetId::from_bytes(self.dataset),
        }
    }

    /// Compares parameters, plan and keys.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`].
    pub(super) fn check(
        &self,
        op: &'static str,
        subject: &'static str,
        plan: &impl ExchangePlan,
        keys: KeySetId,
    ) -> Result<()> {
        if &self.parameters != plan.params().spec() {
            return Err(ExchangeError::Mismatch {
                op,
                what: "parameter set",
                subject,
                found: describe(&self.parameters),
                expected: describe(plan.params().spec()),
                remedy: "use keys and data that were made from one plan",
            }
            .into());
        }
        self.origin().expect(op, subject, plan.id(), keys)
    }
}

impl RoundFields {
    /// # Errors
    /// [`ExchangeError::Mismatch`] for a file with another content.
    pub(super) fn expect_content(self, op: &'static str, wanted: &[Content]) -> Result<Content> {
        if wanted.contains(&self.content) {
            return Ok(self.content);
        }
        Err(ExchangeError::Mismatch {
            op,
            what: "content",
            subject: "the file",
            found: format!("{:?}", self.content),
            expected: format!("{wanted:?}"),
            remedy: "a round returns weights or a state; refresh makes the start of the next round from a state",
        }.into())
    }
}

fn describe(spec: &ParametersSpec) -> String {
    format!(
        "N = 2^{} with {} levels and {} digits",
        spec.log_n,
        spec.windows.len().saturating_sub(1),
        spec.digit_sizes.len()
    )
}

/// A training file as it describes itself. Nothing of it has been compared with a plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrainingFile {
    /// Bytes of header and payload.
    pub prefix: Prefix,
    /// Its parameters.
    pub parameters: Parameters,
    /// The exchange.
    pub origin: Origin,
    /// What it holds.
    pub holds: Holds,
}

/// What a training file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The encrypted data of all rounds, kind 12.
    Dataset {
        /// How many rounds.
        rounds: usize,
    },
    /// What a round returns or starts from, kind 9.
    Round {
        /// The round, from 0.
        round: usize,
        /// Which of them.
        content: Content,
    },
    /// Rows, weights or scores of a network that is applied, kind 13.
    Inference {
        /// Rows that count; none of weights.
        rows: usize,
        /// Which of them.
        content: InferenceContent,
    },
}

/// Opens a file and decodes its header, without trusting either; the ciphertexts come next. Errors do not name the file.
pub(super) fn open<F: Fields>(path: &Path) -> Result<(FileHeader<F>, Reader<BufReader<File>>)> {
    let reader = Reader::open(path)?;
    let prefix = reader.prefix();
    prefix.expect_kind(F::KIND)?;
    let header = read_header(&reader)?;
    let file = std::fs::metadata(path).map_err(|error| TrainError::Read {
        path: path.to_owned(),
        error,
    })?;
    let (needed, available) = (prefix.container_len()?, file.len());
    if file.is_file() && available < needed {
        return Err(WireError::Truncated {
            what: "file",
            needed,
            available,
        }
        .into());
    }
    if file.is_file() && available > needed {
        return Err(WireError::TrailingBytes {
            what: "file",
            expected: needed,
            found: available,
        }
        .into());
    }
    Ok((header, reader))
}

/// The header, if its version is this one.
fn read_header<F: Fields>(reader: &Reader<BufReader<File>>) -> Result<FileHeader<F>> {
    if let Ok((found, _)) = postcard::take_from_bytes(reader.header_bytes()) {
        ExchangeError::expect_version(F::NAME, found, VERSION, F::COMMAND)?;
    }
    Ok(reader.header()?)
}

/// Reads what a file of kind 9, 12 or 13 says of itself. The payload is not read.
///
/// # Errors
/// Those of the container, naming the file; [`ExchangeError::Version`].
pub fn inspect(path: &Path) -> Result<TrainingFile> {
    fn described<F: Fields>(path: &Path, holds: fn(F) -> Holds) -> Result<TrainingFile> {
        let (header, reader) = open::<F>(path)?;
        let origin = header.origin();
        Ok(TrainingFile {
            prefix: reader.prefix(),
            parameters: Parameters::from_spec_allowing_insecure(header.parameters)
                .map_err(arras_ckks::CkksError::from)?,
            origin,
            holds: holds(header.fields),
        })
    }
    let inner = || match Reader::open(path)?.prefix().kind {
        ObjectKind::EncryptedDataset => described(path, |fields: DatasetFields| Holds::Dataset {
            rounds: fields.rounds as usize,
        }),
        ObjectKind::Inference => described(path, |fields: InferenceFields| Holds::Inference {
            rows: fields.rows as usize,
            content: fields.content,
        }),
        _ => described(path, |fields: RoundFields| Holds::Round {
            round: fields.round as usize,
            content: fields.content,
        }),
    };
    inner().map_err(|error| error.in_file(path))
}

/// Reads a whole container of any kind and verifies its checksum.
///
/// # Errors
/// [`WireError`], naming the file.
pub fn verify(path: &Path) -> Result<()> {
    let inner = || -> Result<()> {
        let mut reader = Reader::open(path)?;
        reader.skip()?;
        Ok(reader.finish_at_end()?)
    };
    inner().map_err(|error| error.in_file(path))
}
