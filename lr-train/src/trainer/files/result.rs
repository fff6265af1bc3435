//! States, results and models.

use std::{collections::BTreeMap, path::Path};

use arras_ckks::{
    Ciphertext, Context, SeededCiphertext,
    wire::{
        Container, ObjectKind, Overwrite, PayloadRead, peek, read_bounded, read_container_file,
        write_atomically, write_container,
    },
};
use arras_hal::Backend;
use arras_toolkit::{Bindings, Encrypted, cost::memory::ciphertext_bytes};

use super::{
    super::{EncryptedState, InputShape, KeySetId, Model, RoundResult, TrainingPlan},
    dataset::expected,
    header::{Content, FileHeader, open},
};
use crate::{Result, circuits::CircuitError, trainer::ExchangeError};

/// The most bytes of a model in JSON.
const MODEL_BYTES: u64 = 1 << 28;

fn save(path: &Path, overwrite: Overwrite, header: &FileHeader, parts: &[Vec<u8>]) -> Result<u64> {
    let payload = parts.iter().map(|part| part.len() as u64).sum();
    Ok(write_atomically(path, overwrite, false, |out| {
        write_container(out, ObjectKind::Model, header, payload, |out| {
            parts.iter().try_for_each(|part| out.bytes(part))
        })
    })?)
}

/// Header and nested containers of a file of at most `most` bytes of payload, after parameters, plan, keys and content were compared.
fn load(
    path: &Path,
    op: &'static str,
    plan: &TrainingPlan,
    keys: KeySetId,
    wanted: &[Content],
    most: impl FnOnce(usize) -> Result<u64>,
) -> Result<(FileHeader, Content, Vec<Vec<u8>>)> {
    let (header, prefix) = open(path, ObjectKind::Model)?;
    let inner = || -> Result<_> {
        header.check(op, "the file", plan, keys)?;
        let content = header.expect_content(op, wanted)?;
        let most = most(header.round as usize)?;
        if prefix.payload_len > most {
            return Err(arras_ckks::wire::WireError::OutOfBounds {
                what: "payload length",
                value: prefix.payload_len,
                least: 0,
                most,
            }
            .into());
        }
        let bytes = read_container_file(path, prefix.container_len()?)?;
        let container = Container::parse_as(&bytes, ObjectKind::Model)?;
        let again: FileHeader = container.header()?;
        again.check(op, "the file", plan, keys)?;
        let mut rows = container.rows();
        let mut parts = vec![];
        while rows.remaining() > 0 {
            // A nested container says how long it is; the payload bounds it.
            let rest = container.payload().len() - rows.remaining();
            let length = peek(&container.payload()[rest..])?.container_len()?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            parts.push(rows.bytes(length)?.to_vec());
        }
        rows.finish()?;
        Ok((content, parts))
    };
    let (content, parts) = inner().map_err(|error| error.in_file(path))?;
    Ok((header, content, parts))
}

fn expect_parts(op: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(ExchangeError::Mismatch {
        op,
        what: "number of ciphertexts",
        subject: "the file",
        found: found.to_string(),
        expected: expected.to_string(),
        remedy: "make the file again with this plan",
    }
    .into())
}

/// Writes a round's result, whole or not at all; returns the file's length.
///
/// # Errors
/// [`WireError::AlreadyExists`](arras_ckks::wire::WireError::AlreadyExists); what the operating system refuses, naming the file;
/// [`CircuitError::MissingResult`].
pub fn save_result<B: Backend>(
    plan: &TrainingPlan,
    result: &RoundResult<B>,
    path: &Path,
    overwrite: Overwrite,
) -> Result<u64> {
    let content = if result.finished {
        Content::Weights
    } else {
        Content::State
    };
    let header = FileHeader::new(plan, result.origin, result.round, Some(content));
    let round = plan.round(result.round)?;
    let mut parts = vec![];
    for output in round.program.circuit().outputs() {
        let Some(encrypted) = result.outputs.get(output.name()) else {
            return Err(CircuitError::MissingResult {
                name: output.name().to_owned(),
            }
            .into());
        };
        parts.push(encrypted.ciphertext().to_bytes()?);
    }
    save(path, overwrite, &header, &parts)
}

/// Reads a round's result onto an engine.
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
    let most = |round: usize| {
        let round = plan.round(round)?;
        let mut most = 0;
        for (output, &step) in round
            .program
            .circuit()
            .outputs()
            .iter()
            .zip(round.program.outputs())
        {
            let level = round.program.step(step).level();
            most += ciphertext_bytes(plan.params(), level, output.layout().units())?.container;
        }
        Ok(most)
    };
    let wanted = [Content::Weights, Content::State];
    let (header, content, parts) = load(path, OP, plan, keys, &wanted, most)?;
    let inner = || -> Result<_> {
        let round = plan.round(header.round as usize)?;
        let finished = round.index + 1 == plan.rounds().len();
        if finished != (content == Content::Weights) {
            return Err(ExchangeError::Mismatch {
                op: OP,
                what: "content",
                subject: "the file",
                found: format!("{content:?}"),
                expected: format!("{:?}", wanted[usize::from(!finished)]),
                remedy: "the last round returns weights, every other one a state",
            }
            .into());
        }
        let outputs = round.program.circuit().outputs();
        expect_parts(OP, parts.len(), outputs.len())?;
        let mut read = BTreeMap::new();
        for (output, bytes) in outputs.iter().zip(&parts) {
            let ciphertext = Ciphertext::from_bytes(bytes, context)?;
            read.insert(
                output.name().to_owned(),
                Encrypted::new(*output.layout(), ciphertext)?,
            );
        }
        Ok(RoundResult {
            origin: header.origin(),
            round: round.index,
            finished,
            outputs: read,
            report: None,
        })
    };
    inner().map_err(|error| error.in_file(path))
}

/// Writes a refreshed state, whole or not at all; returns the file's length.
///
/// # Errors
/// As [`save_result`].
pub fn save_state(
    plan: &TrainingPlan,
    state: &EncryptedState,
    path: &Path,
    overwrite: Overwrite,
) -> Result<u64> {
    let header = FileHeader::new(plan, state.origin, state.round, Some(Content::Start));
    let mut parts = vec![];
    for shape in plan.round(state.round)?.start_shapes() {
        let Some(encrypted) = state.inputs.get(&shape.name) else {
            return Err(CircuitError::MissingResult { name: shape.name }.into());
        };
        parts.push(encrypted.ciphertext().to_bytes()?);
    }
    save(path, overwrite, &header, &parts)
}

/// Reads a refreshed state.
///
/// # Errors
/// As [`load_result`].
pub fn load_state(path: &Path, plan: &TrainingPlan, keys: KeySetId) -> Result<EncryptedState> {
    const OP: &str = "read a state";
    let most = |round: usize| {
        InputShape::all_file_bytes(plan.params(), &plan.round(round)?.start_shapes())
    };
    let (header, _, parts) = load(path, OP, plan, keys, &[Content::Start], most)?;
    let inner = || -> Result<_> {
        let round = plan.round(header.round as usize)?;
        let shapes = round.start_shapes();
        expect_parts(OP, parts.len(), shapes.len())?;
        let mut inputs = Bindings::new();
        for (shape, bytes) in shapes.iter().zip(&parts) {
            let ciphertext = SeededCiphertext::from_bytes(bytes, plan.params())?;
            inputs.insert(&*shape.name, expected(shape, ciphertext)?);
        }
        Ok(EncryptedState {
            origin: header.origin(),
            round: round.index,
            inputs,
        })
    };
    inner().map_err(|error| error.in_file(path))
}

/// Writes a model in JSON, for its owner only, whole or not at all.
///
/// # Errors
/// As [`save_result`].
pub fn save_model(model: &Model, path: &Path, overwrite: Overwrite) -> Result<()> {
    let text = model.to_json()?;
    Ok(write_atomically(path, overwrite, true, |out| {
        Ok(out.write_all(text.as_bytes())?)
    })?)
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
