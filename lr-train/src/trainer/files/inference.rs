//! Rows, weights and scores of a network that is applied.

use std::{io::BufReader, path::Path};

use arras_ckks::{
    Ciphertext, Context,
    wire::{AtomicFile, PayloadWriter, Reader, write_container},
};
use arras_hal::Backend;
use arras_toolkit::{Encrypted, cost::memory::ciphertext_bytes};

use super::{
    super::{InputShape, KeySetId},
    dataset::read_inputs,
    header::{Fields, FileHeader, InferenceContent, InferenceFields, number, open},
    writing::save,
};
use crate::{
    Result,
    circuits::CircuitError,
    inference::{EncryptedRequest, EncryptedScores, InferencePlan},
    trainer::ExchangeError,
};

/// A file whose parameters, plan, keys and content were compared; its ciphertexts come next.
fn open_content(
    path: &Path,
    (op, wanted): (&'static str, InferenceContent),
    plan: &InferencePlan,
    keys: KeySetId,
) -> Result<(
    FileHeader<InferenceFields>,
    Reader<BufReader<std::fs::File>>,
)> {
    let (header, payload) = open::<InferenceFields>(path)?;
    header.check(op, "the file", plan, keys)?;
    let InferenceFields { content, rows } = header.fields;
    ExchangeError::expect_same(
        op,
        ("content", "the file"),
        &format!("{content:?}"),
        &format!("{wanted:?}"),
        "`infer encrypt` writes rows and weights, `infer score` scores",
    )?;
    let (least, most) = match content {
        InferenceContent::Weights => (0, 0),
        InferenceContent::Rows | InferenceContent::Scores => (1, plan.spec().rows),
    };
    let found = rows as usize;
    if !(least..=most).contains(&found) {
        let what = "rows";
        return Err(ExchangeError::BeyondPlan {
            what,
            found,
            least,
            most,
        }
        .into());
    }
    Ok((header, payload))
}

/// Writes rows or weights; returns the file's length.
///
/// # Errors
/// What the operating system refuses, naming the file; [`CircuitError::MissingResult`].
pub fn save_request(
    plan: &InferencePlan,
    request: &EncryptedRequest,
    file: AtomicFile,
) -> Result<u64> {
    let content = request.content;
    let shapes = plan.shapes(content)?;
    let fields = InferenceFields {
        content,
        rows: number(request.rows),
    };
    let header = FileHeader::new(plan, request.origin, fields);
    let length = InputShape::all_file_bytes(plan.params(), &shapes)?;
    let write = |payload: &mut PayloadWriter<'_>| -> Result<()> {
        for shape in shapes {
            let Some(encrypted) = request.inputs.get(&shape.name) else {
                return Err(CircuitError::MissingResult { name: shape.name }.into());
            };
            payload.bytes(&encrypted.ciphertext().to_bytes()?)?;
        }
        Ok(())
    };
    save(file, |out| {
        write_container(out, InferenceFields::KIND, &header, length, write)
    })
}

/// Reads rows or weights, one input at a time.
///
/// # Errors
/// [`ExchangeError::Mismatch`] for another plan, other keys or another content; those of the container and the ciphertexts. All name the
/// file.
pub fn load_request(
    path: &Path,
    content: InferenceContent,
    plan: &InferencePlan,
    keys: KeySetId,
) -> Result<EncryptedRequest> {
    const OP: &str = "read a request";
    let inner = || -> Result<_> {
        let (header, mut payload) = open_content(path, (OP, content), plan, keys)?;
        let shapes = plan.shapes(content)?;
        payload.expect_payload_len(InputShape::all_file_bytes(plan.params(), &shapes)?)?;
        let inputs = read_inputs(&mut payload, &shapes, plan.params())?;
        payload.finish_at_end()?;
        let rows = header.fields.rows as usize;
        Ok(EncryptedRequest {
            origin: header.origin(),
            content,
            rows,
            inputs,
        })
    };
    inner().map_err(|error| error.in_file(path))
}

/// Writes scores; returns the file's length.
///
/// # Errors
/// As [`save_request`].
pub fn save_scores<B: Backend>(
    plan: &InferencePlan,
    scores: &EncryptedScores<B>,
    file: AtomicFile,
) -> Result<u64> {
    let fields = InferenceFields {
        content: InferenceContent::Scores,
        rows: number(scores.rows),
    };
    let header = FileHeader::new(plan, scores.origin, fields);
    let ciphertext = scores.scores.ciphertext();
    let length = ciphertext.container_len()?;
    save(file, |out| {
        write_container(out, InferenceFields::KIND, &header, length, |payload| {
            Ok::<_, crate::TrainError>(payload.bytes(&ciphertext.to_bytes()?)?)
        })
    })
}

/// Reads scores onto an engine.
///
/// # Errors
/// As [`load_request`].
pub fn load_scores<B: Backend>(
    path: &Path,
    plan: &InferencePlan,
    keys: KeySetId,
    context: &Context<B>,
) -> Result<EncryptedScores<B>> {
    const OP: &str = "read scores";
    let inner = || -> Result<_> {
        let wanted = (OP, InferenceContent::Scores);
        let (header, mut payload) = open_content(path, wanted, plan, keys)?;
        let (layout, level) = plan.scores_shape()?;
        let expected = ciphertext_bytes(plan.params(), level, layout.units())?;
        payload.expect_payload_len(expected.container)?;
        let ciphertext = Ciphertext::read_from(&mut payload, context)?;
        payload.finish_at_end()?;
        ExchangeError::expect_same(
            OP,
            ("level and number of ciphertexts", "the scores"),
            &format!("{:?}", (ciphertext.level(), ciphertext.batch())),
            &format!("{:?}", (level, layout.units())),
            "have the rows scored again",
        )?;
        if ciphertext.is_transparent()? {
            return Err(ExchangeError::Unsuitable {
                what: "kind of ciphertext of the scores",
                found: "one that anybody can make without a key".to_owned(),
                allowed: "an encrypted one alone",
            }
            .into());
        }
        let rows = header.fields.rows as usize;
        let scores = Encrypted::new(layout, ciphertext)?;
        Ok(EncryptedScores::new(header.origin(), rows, scores))
    };
    inner().map_err(|error| error.in_file(path))
}
