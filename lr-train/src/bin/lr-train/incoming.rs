//! What the client says of a result that comes from a server.

use std::path::Path;

use arras::SecretBackend;
use clap::Args;
use lr_train::{
    plain::State,
    trainer::{
        DataOwner, DatasetId, DatasetRecord, RoundResult,
        files::{DatasetFile, Expected, KeyDirectory},
    },
};

use crate::failure::Failure;

/// What a person knows of a result before it is decrypted.
#[derive(Clone, Debug, Args)]
pub(crate) struct Incoming {
    /// Data set that the result is to be of, its file or its identifier [default: the only one in training]
    #[arg(long, value_name = "DATA")]
    dataset: Option<String>,
    /// Go on after a result was refused, or with another result of the last round: somebody has looked why
    #[arg(long)]
    after_refusal: bool,
}

impl Incoming {
    /// Decrypts a result, if it is the one to come.
    ///
    /// # Errors
    /// As [`KeyDirectory::take_result`]; what is wrong with the file of `--dataset`.
    pub(crate) fn take(
        &self,
        keys: &KeyDirectory,
        owner: &DataOwner<SecretBackend>,
        result: &RoundResult<SecretBackend>,
    ) -> Result<(DatasetRecord, State), Failure> {
        let dataset = self.dataset.as_deref().map(|data| match data.parse() {
            Ok(id) => Ok::<DatasetId, Failure>(id),
            Err(_) => {
                let file = DatasetFile::open(Path::new(data), owner.plan(), owner.key_set_id())?;
                Ok(file.origin().dataset)
            }
        });
        let expected = Expected {
            dataset: dataset.transpose()?,
            after_refusal: self.after_refusal,
        };
        Ok(keys.take_result(owner, result, expected)?)
    }
}
