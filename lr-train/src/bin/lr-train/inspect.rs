//! `inspect`: what a file is.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use arras::ckks::{
    Parameters,
    params::CostModel,
    wire::{self, MAGIC, ObjectKind, open_file, read_bounded},
};
use arras::toolkit::{cost::CostTable, text};
use clap::Args;
use lr_train::{
    ModelKind,
    inference::{InferencePlan, Network},
    trainer::{
        DatasetRecord, ExchangeRecord, Model,
        files::{self, Content, ExchangePlan, Holds, InferenceContent},
    },
};
use serde_json::{Value, json};

use crate::{
    Done, encrypt,
    failure::Failure,
    output::{Answer, Output, path, with},
    plan,
};

/// Describe a file: its kind, parameters, level and size, and whether it is complete; needs no key
#[derive(Debug, Args)]
#[command(after_help = "\
Every byte is read and every checksum compared. No secret key is read or needed.

Example:
  lr-train inspect data.arras")]
pub(crate) struct Inspect {
    /// Any file that lr-train wrote
    file: PathBuf,
}

/// The most bytes of a text that is looked at.
const TEXT_BYTES: u64 = 1 << 28;

pub(crate) fn run(args: &Inspect, _: &Output) -> Done {
    let file = &args.file;
    // Four bytes tell a container from a text, so that one cut short is named as such.
    let (known, _) = MAGIC.split_at(4);
    let mut start = vec![];
    let opened = open_file(file)?;
    if !opened.metadata().map_err(Failure::read(file))?.is_file() {
        let reason =
            "is no file, and inspect reads more than once: write what comes out of it into a file";
        return Err(Failure::file(file, reason));
    }
    opened
        .take(known.len() as u64)
        .read_to_end(&mut start)
        .map_err(Failure::read(file))?;
    if start.is_empty() {
        return Err(Failure::file(file, "is empty; make it again"));
    }
    if start == known {
        container(file)
    } else {
        text(file)
    }
}

fn container(file: &Path) -> Done {
    let opened = open_file(file)?;
    let inspection = wire::inspect(BufReader::with_capacity(1 << 20, opened))
        .map_err(|error| Failure::in_file(file)(error.into()))?;
    let mut text = format!("{}: {inspection}", file.display());
    let mut fields = json!({
        "file": path(file),
        "kind": inspection.kind().to_string(),
        "version": inspection.version(),
        "bytes": inspection.bytes(),
        "checksum": "verified",
        "parameters": inspection.parameters().map(parameters),
    });
    if matches!(
        inspection.kind(),
        ObjectKind::Model | ObjectKind::EncryptedDataset | ObjectKind::Inference
    ) {
        let training = files::inspect(file)?;
        let (round, holds) = match training.holds {
            Holds::Dataset { rounds } => (rounds, format!("encrypted data of {rounds} rounds")),
            Holds::Round { round, content } => {
                let number = round + 1;
                let holds = match content {
                    Content::Weights => format!("an encrypted model, of round {number}"),
                    Content::State => {
                        format!("the encrypted state after round {number}: refresh it")
                    }
                    Content::Start => {
                        format!("the encrypted state that round {number} starts from")
                    }
                };
                (round, holds)
            }
            Holds::Inference { rows, content } => (
                0,
                match content {
                    InferenceContent::Rows => format!("{rows} encrypted rows to score"),
                    InferenceContent::Weights => "the encrypted weights of a network".to_owned(),
                    InferenceContent::Scores => format!("the encrypted scores of {rows} rows"),
                },
            ),
        };
        let origin = training.origin;
        text += &format!(
            "\n  holds    {holds}\n  plan     {}\n  keys     {}\n  data set {}\n{}",
            origin.plan, origin.keys, origin.dataset, training.parameters
        );
        fields["holds"] = holds.into();
        fields["origin"] = json!(origin);
        fields["round"] = round.into();
        fields["parameters"] = parameters(&training.parameters);
    }
    Ok(Answer::new(text, fields))
}

fn parameters(params: &Parameters) -> Value {
    json!({
        "log-n": params.log_n(),
        "levels": params.max_level(),
        "dnum": params.dnum(),
        "log2-qp": params.log2_qp(),
        "security": format!("{:?}", params.spec().security),
        "log2-attack": CostModel::ALL.map(|model| (model.name(), params.ring_lwe().log2_cost(model))).into_iter().collect::<BTreeMap<_, _>>(),
    })
}

fn text(file: &Path) -> Done {
    let bytes = read_bounded(file, TEXT_BYTES)?;
    let size = bytes.len() as u64;
    let unknown = || {
        Failure::file(
            file,
            "is not a file that lr-train writes: no container, plan, model, record of a data set or an exchange, or table of costs",
        )
    };
    let content = std::str::from_utf8(&bytes).map_err(|_| unknown())?;
    let said = |what: &str, fields: Value| {
        let lines: String = fields
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("\n  {name:<12} {value}"))
            .collect();
        let text = format!("{}: {what}, {}{lines}", file.display(), text::bytes(size));
        let object = json!({"file": path(file), "kind": what, "bytes": size});
        Ok(Answer::new(text, with(object, fields)))
    };
    let parsed: Option<Value> = serde_json::from_str(content).ok();
    let has = |key: &str| {
        parsed
            .as_ref()
            .is_some_and(|value| value.get(key).is_some())
    };
    if has("weights") {
        let model = Model::from_json(content).map_err(Failure::in_file(file))?;
        return said(
            "model",
            json!({"circuit": model.kind.name(), "rows": model.rows, "weights": model.weights.len(), "model": model.settings.model.name(),
                "classes": (model.settings.model == ModelKind::Logistic).then_some(&model.classes), "class-names": model.class_names,
                "target": model.measure,
                "normalization": format!("{:?}", model.preprocessor.scheme()), "dropped": model.preprocessor.dropped().len()}),
        );
    }
    if has("preprocessor") {
        let record = DatasetRecord::from_json(content).map_err(Failure::in_file(file))?;
        return said(
            "record of a data set (private)",
            json!({"origin": record.origin, "rows": record.rows, "classes": encrypt::two_classes(&record), "class-names": record.class_names, "target": record.measure}),
        );
    }
    if has("taken") {
        let record = ExchangeRecord::from_json(content).map_err(Failure::in_file(file))?;
        return said(
            "record of an exchange (private)",
            json!({"origin": record.origin, "rounds-taken": record.taken.len(), "refused-round": record.refused.map(|round| round + 1),
                "replaced": record.replaced}),
        );
    }
    if has("tables") || content.contains("[[tables]]") {
        let tables = files::load_costs(file)?;
        let list: Vec<String> = tables.iter().map(CostTable::summary).collect();
        return said("table of costs", json!({"tables": list}));
    }
    if has("layers") {
        let network = Network::from_json(content).map_err(Failure::in_file(file))?;
        return said(
            "network",
            json!({"layers": network.layers().len(), "features": network.features(), "outputs": network.outputs(), "classes": network.classes()}),
        );
    }
    if content.contains("[parameters]") && content.contains("[[layers]]") {
        let plan = InferencePlan::read(content, false).map_err(Failure::in_file(file))?;
        let spec = plan.spec();
        return said(
            "inference plan",
            json!({"plan": plan.id().to_string(), "rows": spec.rows, "features": spec.features, "outputs": plan.outputs(), "weights": spec.weights,
                "of-model": spec.of_model, "parameters": parameters(plan.params())}),
        );
    }
    if content.contains("[parameters]") && content.contains("[settings") {
        let plan = plan::read(file)?;
        return said(
            "training plan",
            json!({"plan": plan.id().to_string(), "circuit": plan.kind().name(), "iterations": plan.settings().iterations,
                "rounds": plan.rounds().len(), "rows": plan.rows(), "features": plan.features() - 1, "minibatch": plan.minibatch(),
                "parameters": parameters(plan.params())}),
        );
    }
    Err(unknown())
}
