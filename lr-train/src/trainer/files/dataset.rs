//! The encrypted data of all rounds.

use std::{
    io::{BufReader, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

use arras_ckks::{
    Parameters, SeededCiphertext,
    wire::{AtomicFile, PREFIX_LEN, container_len, open_file, write_container},
};
use arras_hal::SecretEngine;
use arras_toolkit::{Bindings, SeededEncrypted};

use super::{
    super::{
        DataOwner, DatasetId, EncryptedRound, InputShape, KeySetId, PreparedData, TrainingPlan,
        exchange::Origin,
    },
    header::{DatasetFields, Fields, FileHeader, number, open, verify},
    writing::save,
};
use crate::{Result, TrainError, trainer::ExchangeError};

const OP: &str = "read a data set";

/// How far writing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatasetProgress {
    /// Inputs written.
    pub done: usize,
    /// Inputs in all rounds.
    pub total: usize,
}

fn header(plan: &TrainingPlan, origin: Origin) -> FileHeader<DatasetFields> {
    let rounds = number(plan.rounds().len());
    FileHeader::new(plan, origin, DatasetFields { rounds })
}

fn payload_len(plan: &TrainingPlan, rounds: &[Vec<InputShape>]) -> Result<u64> {
    let mut total = 0;
    for shapes in rounds {
        total += InputShape::all_file_bytes(plan.params(), shapes)?;
    }
    Ok(total)
}

/// Bytes of a plan's data file, exactly: what [`write_dataset`] writes.
///
/// # Errors
/// As [`TrainingPlan::round`].
pub fn dataset_file_bytes(plan: &TrainingPlan) -> Result<u64> {
    let origin = Origin {
        plan: plan.id(),
        keys: KeySetId::from_bytes([0; 16]),
        dataset: DatasetId::from_bytes([0; 16]),
    };
    let payload = payload_len(plan, plan.data_shapes()?)?;
    Ok(container_len(
        DatasetFields::KIND,
        &header(plan, origin),
        payload,
    )?)
}

/// Encrypts a data set for all rounds into a file, one input at a time; returns the file's length.
///
/// # Errors
/// [`ExchangeError::Mismatch`] for data of another plan or key; what [`AtomicFile::commit`] refuses; what the operating system refuses,
/// naming the file.
pub fn write_dataset<S: SecretEngine>(
    owner: &DataOwner<S>,
    data: &PreparedData,
    file: AtomicFile,
    progress: impl FnMut(DatasetProgress),
) -> Result<u64> {
    save(file, |out| write_to(owner, data, out, progress))
}

/// [`write_dataset`] into any stream.
pub(super) fn write_to<S: SecretEngine>(
    owner: &DataOwner<S>,
    data: &PreparedData,
    out: &mut dyn Write,
    mut progress: impl FnMut(DatasetProgress),
) -> Result<u64> {
    let (plan, origin) = (owner.plan(), data.record().origin);
    origin.expect("encrypt", "the data", plan.id(), owner.key_set_id())?;
    let rounds = plan.data_shapes()?;
    let total = rounds.iter().map(Vec::len).sum();
    let length = payload_len(plan, rounds)?;
    let mut done = 0;
    write_container(
        out,
        DatasetFields::KIND,
        &header(plan, origin),
        length,
        |payload| {
            for index in 0..rounds.len() {
                let round = plan.round(index)?;
                owner.encrypt_round_with(data, &round, |_, encrypted| {
                    payload.bytes(&encrypted.ciphertext().to_bytes()?)?;
                    done += 1;
                    progress(DatasetProgress { done, total });
                    Ok(())
                })?;
            }
            Ok(())
        },
    )
}

/// An encrypted data set in a file, of which any round can be read.
#[derive(Debug)]
pub struct DatasetFile {
    path: PathBuf,
    plan: TrainingPlan,
    origin: Origin,
    start: u64,
}

impl DatasetFile {
    /// Opens a file and compares it with a plan and keys. No ciphertext is read.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] for other parameters, another plan or other keys; those of [`Reader`](arras_ckks::wire::Reader)
    /// for a file that is damaged, cut short or something else. All name the file.
    pub fn open(path: impl Into<PathBuf>, plan: &TrainingPlan, keys: KeySetId) -> Result<Self> {
        let path = path.into();
        let opened = || -> Result<Self> {
            let (header, reader) = open::<DatasetFields>(&path)?;
            header.check(OP, "the data", plan, keys)?;
            ExchangeError::expect_same(
                OP,
                ("number of rounds", "the data"),
                &(header.fields.rounds as usize),
                &plan.rounds().len(),
                "encrypt the data with this plan",
            )?;
            reader.expect_payload_len(payload_len(plan, plan.data_shapes()?)?)?;
            Ok(Self {
                path: path.clone(),
                plan: plan.clone(),
                origin: header.origin(),
                start: PREFIX_LEN as u64 + u64::from(reader.prefix().header_len),
            })
        };
        opened().map_err(|error| error.in_file(&path))
    }

    /// What it belongs to.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Reads the inputs of a round and verifies each one's checksum.
    ///
    /// # Errors
    /// [`ExchangeError::PlanInconsistent`] for a round that the plan does not have; those of [`SeededCiphertext::read_from`]
    /// for ciphertexts that are damaged; [`ExchangeError::Mismatch`] for those of another level or number. All name the file.
    pub fn round(&self, round: usize) -> Result<EncryptedRound> {
        self.read(round).map_err(|error| error.in_file(&self.path))
    }

    fn read(&self, index: usize) -> Result<EncryptedRound> {
        let shapes = self.plan.data_shapes()?;
        let Some(of_round) = shapes.get(index) else {
            return Err(self.plan.no_round(index));
        };
        let mut position = self.start;
        for shapes in &shapes[..index] {
            position += InputShape::all_file_bytes(self.plan.params(), shapes)?;
        }
        let mut file = open_file(&self.path)?;
        file.seek(SeekFrom::Start(position))
            .map_err(|error| TrainError::Read {
                path: self.path.clone(),
                error,
            })?;
        let mut input = BufReader::with_capacity(1 << 20, file);
        let inputs = read_inputs(&mut input, of_round, self.plan.params())?;
        Ok(EncryptedRound {
            origin: self.origin,
            round: index,
            inputs,
        })
    }

    /// Reads the whole file and verifies its checksum.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&self) -> Result<()> {
        verify(&self.path)
    }
}

/// Ciphertexts one after the other, each of which must be what the plan says.
pub(super) fn read_inputs(
    file: &mut impl Read,
    shapes: &[InputShape],
    params: &Parameters,
) -> Result<Bindings<SeededEncrypted>> {
    let read = |shape: &InputShape| -> Result<_> {
        let ciphertext = SeededCiphertext::read_from(&mut *file, params)?;
        ExchangeError::expect_same(
            OP,
            ("level and number of ciphertexts", "an input"),
            &format!("{:?}", (ciphertext.level(), ciphertext.batch())),
            &format!("{:?}", (shape.level, shape.units())),
            "encrypt the data again",
        )?;
        let input = SeededEncrypted::new(shape.layout, ciphertext)?;
        Ok((shape.name.clone(), input))
    };
    shapes.iter().map(read).collect()
}
