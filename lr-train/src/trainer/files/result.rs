//! States, results and models.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::Path};

use arras_ckks::{
    Ciphertext, Context,
    wire::{AtomicFile, PayloadWriter, Reader, WireError, read_bounded, write_container},
};
use arras_hal::Backend;
use arras_toolkit::{Encrypted, cost::memory::ciphertext_bytes};

use super::{
    super::{EncryptedState, InputShape, KeySetId, Model, Round, RoundResult, TrainingPlan},
    dataset::read_inputs,
    header::{Content, Fields, FileHeader, RoundFields, number, open},
    writing::save,
};
use crate::{Result, circuits::CircuitError, trainer::ExchangeError};

/// The most bytes of a model in JSON.
const MODEL_BYTES: u64 = 1 << 28;

/// A file whose parameters, plan, keys and content were compared; its ciphertexts come next.
fn open_round(
    path: &Path,
    op: &'static str,
    plan: &TrainingPlan,
    keys: KeySetId,
    wanted: &[Content],
) -> Result<(FileHeader<RoundFields>, Reader<BufReader<File>>)> {
    let (header, payload) = open::<RoundFields>(path)?;
    header.check(op, "the file", plan, keys)?;
    header.fields.expect_content(op, wanted)?;
    Ok((header, payload))
}

/// Writes a round's result, one ciphertext at a time; returns the file's length.
///
/// # Errors
/// [`WireError::AlreadyExists`]; what the operating system refuses, naming the file; [`CircuitError::MissingResult`].
pub fn save_result<B: Backend>(
    plan: &TrainingPlan,
    result: &RoundResult<B>,
    file: AtomicFile,
) -> Result<u64> {
    let content = if result.finished {
        Content::Weights
    } else {
        Content::State
    };
    let round = plan.round(result.round)?;
    let mut parts = vec![];
    let mut length = 0;
    for output in round.program.circuit().outputs() {
        let Some(encrypted) = result.outputs.get(output.name()) else {
            return Err(CircuitError::MissingResult {
                name: output.name().to_owned(),
            }
            .into());
        };
        length += encrypted.ciphertext().container_len()?;
        parts.push(encrypted.ciphertext());
    }
    let fields = RoundFields {
        round: number(result.round),
        content,
    };
    let header = FileHeader::new(plan, result.origin, fields);
    let write = |payload: &mut PayloadWriter<'_>| -> Result<()> {
        for part in parts {
            payload.bytes(&part.to_bytes()?)?;
        }
        Ok(())
    };
    save(file, |out| {
        write_container(out, RoundFields::KIND, &header, length, write)
    })
}

/// The most bytes of a round's ciphertexts.
fn most_bytes(plan: &TrainingPlan, round: &Round) -> Result<u64> {
    let outputs = round.program.circuit().outputs().iter();
    let mut most = 0;
    for (output, &step) in outputs.zip(round.program.outputs()) {
        let level = round.program.step(step).level();
        most += ciphertext_bytes(plan.params(), level, output.layout().units())?.container;
    }
    Ok(most)
}

/// Reads a round's result onto an engine, one ciphertext at a time.
///
/// # Errors
/// [`ExchangeError::Mismatch`] for another plan, other keys or a file that holds a start; those of the container and the ciphertexts. All
/// name the file.
pub fn load_result<B: Backend>(
    path: &Path,
    plan: &TrainingPlan,
    keys: KeySetId,
    context: &Context<B>,
) -> Result<RoundResult<B>> {
    const OP: &str = "read a result";
    let wanted = [Content::Weights, Content::State];
    let inner = || -> Result<_> {
        let (header, mut payload) = open_round(path, OP, plan, keys, &wanted)?;
        let (index, content) = (header.fields.round as usize, header.fields.content);
        let round = plan.round(index)?;
        let finished = index + 1 == plan.rounds().len();
        ExchangeError::expect_same(
            OP,
            ("content", "the file"),
            &format!("{content:?}"),
            &format!("{:?}", wanted[usize::from(!finished)]),
            "the last round returns weights, every other one a state",
        )?;
        let most = most_bytes(plan, &round)?;
        if payload.remaining() > most {
            return Err(WireError::OutOfBounds {
                what: "payload length",
                value: payload.remaining(),
                least: 0,
                most,
            }
            .into());
        }
        let mut outputs = BTreeMap::new();
        for output in round.program.circuit().outputs() {
            let ciphertext = Ciphertext::read_from(&mut payload, context)?;
            outputs.insert(
                output.name().to_owned(),
                Encrypted::new(*output.layout(), ciphertext)?,
            );
        }
        payload.finish_at_end()?;
        Ok(RoundResult {
            origin: header.origin(),
            round: index,
            finished,
            outputs,
            report: None,
        })
    };
    inner().map_err(|error| error.in_file(path))
}

/// Writes a refreshed state; returns the file's length.
///
/// # Errors
/// As [`save_result`].
pub fn save_state(plan: &TrainingPlan, state: &EncryptedState, file: AtomicFile) -> Result<u64> {
    let shapes = plan.round(state.round)?.start_shapes();
    let fields = RoundFields {
        round: number(state.round),
        content: Content::Start,
    };
    let header = FileHeader::new(plan, state.origin, fields);
    let length = InputShape::all_file_bytes(plan.params(), &shapes)?;
    let write = |payload: &mut PayloadWriter<'_>| -> Result<()> {
        for shape in shapes {
            let Some(encrypted) = state.inputs.get(&shape.name) else {
                return Err(CircuitError::MissingResult { name: shape.name }.into());
            };
            payload.bytes(&encrypted.ciphertext().to_bytes()?)?;
        }
        Ok(())
    };
    save(file, |out| {
        write_container(out, RoundFields::KIND, &header, length, write)
    })
}

/// Reads a refreshed state, one input at a time.
///
/// # Errors
/// As [`load_result`].
pub fn load_state(path: &Path, plan: &TrainingPlan, keys: KeySetId) -> Result<EncryptedState> {
    const OP: &str = "read a state";
    let inner = || -> Result<_> {
        let (header, mut payload) = open_round(path, OP, plan, keys, &[Content::Start])?;
        let round = plan.round(header.fields.round as usize)?;
        let shapes = round.start_shapes();
        payload.expect_payload_len(InputShape::all_file_bytes(plan.params(), &shapes)?)?;
        let inputs = read_inputs(&mut payload, &shapes, plan.params())?;
        payload.finish_at_end()?;
        Ok(EncryptedState {
            origin: header.origin(),
            round: round.index,
            inputs,
        })
    };
    inner().map_err(|error| error.in_file(path))
}

/// Writes a model in JSON into a file, which is to be private ([`AtomicFile::create_private`]).
///
/// # Errors
/// As [`save_result`].
pub fn save_model(model: &Model, file: AtomicFile) -> Result<()> {
    Ok(file.write_and_commit(model.to_json()?.as_bytes())?)
}

/// Reads a model in JSON.
///
/// # Errors
/// As [`Model::from_json`], naming the file.
pub fn load_model(path: &Path) -> Result<Model> {
    let bytes = read_bounded(path, MODEL_BYTES)?;
    let model = || Model::from_json(super::keys::utf8("model", &bytes)?);
    model().map_err(|error| error.in_file(path))
}
