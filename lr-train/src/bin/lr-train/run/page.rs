//! The report of a run.

use lr_train::{
    data::Dataset,
    report::{AssessedRows, Machine, ModelSummary, PlanSummary, Side, Stage, TrainingReport},
    trainer::{Model, PlanReport, TrainingPlan},
};

use super::rounds::{Sizes, Times};
use crate::{evaluate::Quality, failure::Failure, output::claim_private, run::folders::Folders};

/// What a run came to.
pub(super) struct Story<'a> {
    pub(super) plan: &'a TrainingPlan,
    /// None where an earlier call planned.
    pub(super) report: Option<&'a PlanReport>,
    pub(super) data: &'a Dataset,
    pub(super) times: &'a Times,
    pub(super) sizes: &'a Sizes,
    pub(super) model: &'a Model,
    pub(super) quality: &'a Quality,
    /// Which rows it was found on.
    pub(super) rows: &'a str,
}

impl Story<'_> {
    /// Writes it as a page into the client's folder: it tells of the data.
    pub(super) fn write(&self, folders: &Folders) -> Result<(), Failure> {
        let title = format!("A training of {} encrypted rows", self.data.rows());
        let mut page = TrainingReport::new(title, Machine::here());
        if let Some(report) = self.report {
            page.plans.push(PlanSummary::new(self.plan, report));
        }
        page.stages = self.stages();
        if let Quality::Classes(assessment) = self.quality {
            let (kind, weights) = (self.plan.kind().name(), &self.model.weights);
            let preprocessor = &self.model.preprocessor;
            page.model = Some(ModelSummary::new(
                kind,
                preprocessor,
                weights,
                (&**assessment).into(),
            ));
            let assessed = AssessedRows::new(self.rows, (**assessment).clone());
            page.assessment = Some(assessed);
        }
        let html = page.to_html()?;
        Ok(claim_private(&folders.report(), true)?.write_and_commit(html.as_bytes())?)
    }

    fn stages(&self) -> Vec<Stage> {
        let (times, sizes) = (self.times, self.sizes);
        let sent = |bytes: u64| (bytes > 0).then_some(bytes);
        vec![
            Stage::new("make keys", Side::Client, times.keys, sent(sizes.keys)),
            Stage::new("encrypt", Side::Client, times.encrypt, sent(sizes.data)),
            Stage::new("load keys", Side::Server, times.load, None),
            Stage::new("train", Side::Server, times.train, sent(sizes.results)),
            Stage::new(
                "refresh and decrypt",
                Side::Client,
                times.refresh,
                sent(sizes.states),
            ),
        ]
    }
}
