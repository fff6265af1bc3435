//! `run`: both parties in one process, each with a folder of its own.
//!
//! ```text
//!   OUT/client/plan.toml, keys/, model.json        what the client keeps
//!   OUT/server/eval/, data.arras                   what it sends once
//!   OUT/server/result-R.arras, state-R.arras       rounds: what the server returns, what it starts from
//! ```
//! The files are those of the verbs, so either can go on where the other ended. Keys are loaded once for all rounds.

mod folders;
mod page;
mod rounds;

use std::path::PathBuf;

use clap::Args;
use lr_train::{
    ModelKind,
    data::Dataset,
    split::Minibatches,
    trainer::{Model, PlanReport, Rounds, TrainingPlan, Usage, files::save_model},
};
use serde_json::json;

use self::{folders::Folders, page::Story, rounds::Run};
use crate::{
    Done,
    decrypt::{self, Cut},
    engines::EngineChoice,
    evaluate::Quality,
    failure::Failure,
    output::{Answer, Output, claim, claim_private, path},
    plan::{self, Choice, Training},
    sources::{Known, Purpose, Source},
};

/// Both parties in one process: plan, keys, encryption, all rounds, model
#[derive(Debug, Args)]
#[command(after_help = "\
For those who want to see all of it at work before client and server part. Each party has a folder, OUT/client and OUT/server, with the files of
the verbs and nothing of the other's: what lies in OUT/server is all that the server's part reads. Keys are loaded once for all rounds. A run that
was ended goes on with --resume, or verb by verb.

Data sets that are built in or MNIST are trained on their part `train` and evaluated on their part `test`; so is a CSV file with --part train.

Examples:
  lr-train run --data builtin:breast-cancer --out breast
  lr-train run --data train.csv --label diagnosis --part train --out diagnosis
  lr-train run --data train.csv --label diagnosis --out diagnosis --resume")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    training: Training,
    #[command(flatten)]
    choice: Choice,
    /// Folder to write
    #[arg(long)]
    out: PathBuf,
    /// Go on with what is there, by its plan
    #[arg(long)]
    resume: bool,
    /// Train even if it is predicted to fail
    #[arg(long)]
    force: bool,
    /// End after so many rounds in a row in which the log loss on the training rows, the root mean squared error or the share of rows taken for another class, falls by less than a thousandth of itself [default: train all
    /// rounds]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    patience: Option<u32>,
    /// From which probability rows are taken for the positive class, as for `decrypt` [default: 0.5]
    #[arg(long, value_parser = decrypt::parse_threshold)]
    threshold: Option<Cut>,
    #[command(flatten)]
    engine: EngineChoice,
}

pub(crate) fn run(args: &RunArgs, output: &Output) -> Done {
    if args
        .source
        .counterpart()
        .is_some_and(|rows| rows.is_stdin())
    {
        return Err(Failure::Usage(
            "--data - --part train: rows held back are read a second time, and the standard input cannot be; give a file, or --part all".into(),
        ));
    }
    let folders = Folders::new(&args.out);
    let engine = args.engine.open()?;
    output.note(format_args!("engine: {engine}"));
    let model = match args.resume {
        true => plan::read(&folders.plan())?.settings().model,
        false => args.training.model,
    };
    if let (Some(_), false) = (args.threshold, model == ModelKind::default()) {
        return Err(Failure::Usage(format!(
            "--threshold cuts between two classes, which a {model} model does not: leave it out"
        )));
    }
    let data = plan::read_data(&args.source, model, None, output)?;
    let (plan, report) = args.plan(&folders, &data, output)?;
    let mut run = Run::new(&folders, &plan, &data, args.force, output)?;
    let ended = run.train(&engine, args.patience)?;
    let mut model = ended.record.model(run.plan(), &ended.state.w)?;
    if let Some(reason) = decrypt::finish(Some(&data), args.threshold, &mut model)? {
        output.note(format_args!("note: not calibrated: {reason}"));
    }
    let out = folders.model();
    save_model(&model, claim_private(&out, true)?)?;
    let (quality, held_back) = args.quality(&model, &data)?;
    let (done, rounds) = (ended.rounds, run.plan().rounds().len());
    let planned = report.as_ref().and_then(|r| r.chosen.seconds.first());
    let planned = planned.map(|of| of.seconds);
    let settings = run.plan().settings();
    let batches = Minibatches::of_data(&data, run.plan().minibatch(), settings.order)?;
    let usage = Usage::of(&batches, settings.iterations);
    let mut text = format!(
        "{done} of {rounds} rounds trained; all of them use {usage}\n{}\n",
        run.times.table(&run.sizes(), planned)
    );
    if done < rounds {
        text += "ended early: the loss on the training rows no longer fell (--patience)\n";
    }
    let on = if held_back {
        "rows held back"
    } else {
        "the rows that were trained on, which flatter (hold some back with --part train)"
    };
    let page = folders.report();
    Story {
        plan: run.plan(),
        report: report.as_ref(),
        data: &data,
        times: &run.times,
        sizes: &run.sizes(),
        model: &model,
        quality: &quality,
        rows: on,
    }
    .write(&folders)?;
    if held_back && model.measure.is_some() {
        text += &format!("\n{}", decrypt::fit(&model, &data)?);
    }
    text += &format!(
        "\non {on}:\n{}\n\nreport: {}\nmodel: {}; next: lr-train predict --model {2} --data ..",
        quality.told(&model.classes),
        page.display(),
        out.display()
    );
    let json = json!({
        "plan": run.plan().id().to_string(),
        "rounds": rounds,
        "rounds-trained": done,
        "usage": usage,
        "losses": run.losses,
        "seconds": run.times,
        "planned-seconds": planned,
        "bytes": run.sizes(),
        "held-back": held_back,
        "calibrated": model.calibration.is_some(),
        "quality": quality,
        "engine": engine.to_string(),
        "page": path(&page),
        "out": path(&out),
    });
    Ok(Answer::new(text, json))
}

impl RunArgs {
    /// The plan that is there, or a new one with its report.
    fn plan(
        &self,
        folders: &Folders,
        data: &Dataset,
        output: &Output,
    ) -> Result<(TrainingPlan, Option<PlanReport>), Failure> {
        let file = folders.plan();
        if self.resume {
            if !self.training.is_silent() {
                return Err(Failure::Usage(format!(
                    "--resume goes on with the plan in {}: settings are given in the first call, leave them out",
                    file.display()
                )));
            }
            return Ok((plan::read(&file)?, None));
        }
        if file.exists() {
            return Err(Failure::file(
                &self.out,
                "holds a run already: go on with it by --resume, or name another folder",
            ));
        }
        let mut training = self.training.clone();
        // Both parties are here: refreshes cost next to nothing.
        training.rounds.get_or_insert(Rounds::Fastest);
        let planned = plan::planned(&training, &self.choice, Some(data), (None, None), output)?;
        let (chosen, report) = (planned.chosen, planned.report);
        plan::judge(&report, chosen.classes_found(), self.force, output)?;
        output.note(chosen.text(true));
        folders.create()?;
        claim(&file, false)?.write_and_commit(planned.plan.to_toml()?.as_bytes())?;
        Ok((planned.plan, Some(report)))
    }

    /// Figures on the rows that were not trained on, if there are any.
    fn quality(&self, model: &Model, data: &Dataset) -> Result<(Quality, bool), Failure> {
        let test = self.source.counterpart();
        let held_back = test.is_some();
        let quality = match test {
            Some(test) => {
                let rows = test.read(&Purpose::Testing(Known::of_model(model)))?;
                Quality::of(model, &rows)?
            }
            None => Quality::of(model, data)?,
        };
        Ok((quality, held_back))
    }
}
