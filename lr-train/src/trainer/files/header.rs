//! Headers of kinds 9 and 12.

use std::{fs::File, io::BufReader, path::Path};

use arras_ckks::{
    Parameters,
    params::ParametersSpec,
    wire::{ContainerReader, ObjectKind, Prefix, WireError},
};
use serde::{Deserialize, Serialize};

use super::super::{DatasetId, KeySetId, PlanId, TrainingPlan, exchange::Origin};
use crate::{Result, TrainError, trainer::ExchangeError};

/// The version of the layout within these containers.
const VERSION: u32 = 1;

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

/// What a file of kind 9 or 12 says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileHeader {
    version: u32,
    parameters: ParametersSpec,
    plan: [u8; 32],
    keys: [u8; 16],
    dataset: [u8; 16],
    /// Kind 9: the round. Kind 12: how many rounds.
    pub(super) round: u32,
    /// None for kind 12.
    pub(super) content: Option<Content>,
}

impl FileHeader {
    pub(super) fn new(
        plan: &TrainingPlan,
        origin: Origin,
        round: usize,
        content: Option<Content>,
    ) -> Self {
        Self {
            version: VERSION,
            parameters: plan.params().spec().clone(),
            plan: *origin.plan.as_bytes(),
            keys: *origin.keys.as_bytes(),
            dataset: *origin.dataset.as_bytes(),
            // Plans have at most 10,000 rounds.
            round: u32::try_from(round).unwrap_or(u32::MAX),
            content,
        }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            plan: PlanId::from_bytes(self.plan),
            keys: KeySetId::from_bytes(self.keys),
            dataset: DatasetId::from_bytes(self.dataset),
        }
    }

    /// Version, parameters, plan and keys.
    ///
    /// # Errors
    /// [`ExchangeError::Version`], [`ExchangeError::Mismatch`].
    pub(super) fn check(
        &self,
        op: &'static str,
        subject: &'static str,
        plan: &TrainingPlan,
        keys: KeySetId,
    ) -> Result<()> {
        self.check_version()?;
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

    fn check_version(&self) -> Result<()> {
        if self.version == VERSION {
            return Ok(());
        }
        Err(ExchangeError::Version {
            what: "training file",
            found: self.version,
            known: VERSION,
            command: "lr-train encrypt, train or refresh",
        }
        .into())
    }

    /// # Errors
    /// [`ExchangeError::Mismatch`] for a file with another content.
    pub(super) fn expect_content(&self, op: &'static str, wanted: &[Content]) -> Result<Content> {
        match self.content {
            Some(content) if wanted.contains(&content) => Ok(content),
            found => Err(ExchangeError::Mismatch {
                op,
                what: "content",
                subject: "the file",
                found: format!("{found:?}"),
                expected: format!("{wanted:?}"),
                remedy: "a round returns weights or a state; refresh makes the start of the next round from a state",
            }.into()),
        }
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
pub struct TrainingFile {
    /// Bytes of header and payload.
    pub prefix: Prefix,
    /// Its parameters.
    pub parameters: Parameters,
    /// The exchange.
    pub origin: Origin,
    /// Kind 9: the round, from 0. Kind 12: how many rounds.
    pub round: usize,
    /// What a file of kind 9 holds.
    pub content: Option<Content>,
}

/// Opens a container of a file and decodes its header, without trusting either.
pub(super) fn open(path: &Path, kind: ObjectKind) -> Result<(FileHeader, Prefix)> {
    let file = File::open(path).map_err(|error| TrainError::Read {
        path: path.to_owned(),
        error,
    })?;
    let inner = || -> Result<_> {
        let length = file.metadata().map_err(|error| TrainError::Read {
            path: path.to_owned(),
            error,
        })?;
        let reader = ContainerReader::new(BufReader::new(&file), u64::MAX)?;
        let prefix = reader.prefix();
        prefix.expect_kind(kind)?;
        let header: FileHeader = reader.header()?;
        header.check_version()?;
        let (needed, available) = (prefix.container_len()?, length.len());
        if length.is_file() && available < needed {
            return Err(WireError::Truncated {
                what: "file",
                needed,
                available,
            }
            .into());
        }
        if length.is_file() && available > needed {
            return Err(WireError::TrailingBytes {
                what: "file",
                expected: needed,
                found: available,
            }
            .into());
        }
        Ok((header, prefix))
    };
    inner().map_err(|error| error.in_file(path))
}

/// Reads what a file of kind 9 or 12 says of itself. The payload is not read.
///
/// # Errors
/// Those of the container, naming the file; [`ExchangeError::Version`].
pub fn inspect(path: &Path) -> Result<TrainingFile> {
    let (header, prefix) = match open(path, ObjectKind::Model) {
        Err(TrainError::InFile { error, .. })
            if matches!(*error, TrainError::Wire(WireError::WrongKind { .. })) =>
        {
            open(path, ObjectKind::EncryptedDataset)?
        }
        other => other?,
    };
    let parameters = Parameters::from_spec_allowing_insecure(header.parameters.clone())
        .map_err(|error| TrainError::from(arras_ckks::CkksError::from(error)).in_file(path))?;
    Ok(TrainingFile {
        prefix,
        parameters,
        origin: header.origin(),
        round: header.round as usize,
        content: header.content,
    })
}
