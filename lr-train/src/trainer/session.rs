//! Both sides in one process.

use std::borrow::Cow;

use arras_hal::{Backend, SecretEngine};
use arras_toolkit::run::{Options, RunReport};

use super::{
    DataOwner, Model, PlanReport, PlannerOptions, PreparedData, RoundResult, Settings,
    TrainingServer, forecast, plan,
};
use crate::{
    ModelKind, Result,
    data::Dataset,
    plain::{History, State},
    preprocess::{Preprocessor, Scheme},
    search::{self, Found},
};

/// Trains on encrypted data with both sides in one process: plan, keys, encryption, rounds with refreshes, decryption. A
/// [`TrainerBuilder`] makes one.
///
/// `S` holds the secret key, `B` computes on ciphertexts; they may be one engine. Where the sides are two programs, use
/// [`DataOwner`] and [`TrainingServer`].
///
/// [The crate's front page](crate) shows one at work.
#[derive(Debug)]
pub struct Trainer<S: SecretEngine, B: Backend> {
    owner: DataOwner<S>,
    server: TrainingServer<B>,
    data: PreparedData,
    report: PlanReport,
}

/// A round as [`Trainer::train_with`] tells of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct RoundDone<'a> {
    /// The round, from 0.
    pub round: usize,
    /// Rounds in all.
    pub rounds: usize,
    /// What the server did.
    pub report: Option<&'a RunReport>,
    /// The state after the round, decrypted by its owner.
    pub state: &'a State,
}

/// What a [`Trainer`] is made from, with defaults for all but settings and data.
#[derive(Debug)]
pub struct TrainerBuilder<'a> {
    settings: Cow<'a, Settings>,
    data: &'a Dataset,
    scheme: Scheme,
    found: Option<Found>,
    planner: PlannerOptions,
    run: Options,
}

impl<'a> TrainerBuilder<'a> {
    /// For a training of these data.
    pub fn new(settings: &'a Settings, data: &'a Dataset) -> Self {
        Self::of(Cow::Borrowed(settings), data)
    }

    fn of(settings: Cow<'a, Settings>, data: &'a Dataset) -> Self {
        Self {
            settings,
            data,
            scheme: Scheme::MaxAbs,
            found: None,
            planner: PlannerOptions::default(),
            run: Options::default(),
        }
    }

    /// For a training of these data with settings and normalization that suit them: what `options` give is held, the rest is searched in
    /// the clear, which takes seconds, for the model that their target asks for. Settings chosen from data tell the server a little about
    /// them.
    ///
    /// # Errors
    /// As [`search::search`], [`search::search_classes`] and [`search::search_measured`].
    pub fn search(data: &'a Dataset, options: &search::Options<'_>) -> Result<Self> {
        let (settings, scheme, found) = match ModelKind::of(data.target()) {
            ModelKind::Logistic => {
                let found = search::search(data, options)?;
                (found.settings(), found.chosen.setting.scheme, Some(found))
            }
            ModelKind::OneVsRest { .. } => {
                let found = search::search_classes(data, options)?;
                (found.settings(), found.chosen.setting.scheme, None)
            }
            ModelKind::Linear => {
                let found = search::search_measured(data, options)?;
                (found.settings(), found.chosen.setting.scheme, None)
            }
        };
        Ok(Self {
            scheme,
            found,
            ..Self::of(Cow::Owned(settings), data)
        })
    }

    /// What [`TrainerBuilder::search`] found for a model of two classes.
    pub fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// How columns are normalized, instead of by their largest magnitude.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// What the planner may choose from.
    #[must_use]
    pub fn planner(mut self, options: PlannerOptions) -> Self {
        self.planner = options;
        self
    }

    /// How the server runs programs, and who is told how far they are.
    #[must_use]
    pub fn run(mut self, options: Options) -> Self {
        self.run = options;
        self
    }

    /// Plans for the data set, makes keys on the owner's engine and loads them onto the server's.
    ///
    /// # Errors
    /// As [`plan`], [`DataOwner::generate`], [`DataOwner::prepare`], [`TrainingServer::new`].
    pub fn build<S: SecretEngine, B: Backend>(self, owner: S, server: B) -> Result<Trainer<S, B>> {
        let features = Preprocessor::fit(self.data, self.scheme)?.features() + 1;
        let planner = self.planner.normalization(self.scheme);
        let (plan, report) = plan(&self.settings, features, self.data.rows(), &planner)?;
        let (owner, keys) = DataOwner::generate(plan.clone(), owner)?;
        let data = owner.prepare(self.data, self.scheme)?;
        let server = TrainingServer::new(plan, keys, server, self.run)?;
        Ok(Trainer {
            owner,
            server,
            data,
            report,
        })
    }
}

impl<S: SecretEngine, B: Backend> Trainer<S, B> {
    /// What the plan said.
    pub fn report(&self) -> &PlanReport {
        &self.report
    }

    /// The client's side.
    pub fn owner(&self) -> &DataOwner<S> {
        &self.owner
    }

    /// The server's side.
    pub fn server(&self) -> &TrainingServer<B> {
        &self.server
    }

    /// The data, ready to be encrypted.
    pub fn data(&self) -> &PreparedData {
        &self.data
    }

    /// The same training in the clear, with the same minibatches, constants and polynomial: what encryption changes is the difference.
    ///
    /// # Errors
    /// [`FitError::Diverged`](crate::plain::FitError::Diverged).
    pub fn twin(&self) -> Result<History> {
        let stop = self.owner.context().stop_token();
        Ok(forecast::in_the_clear(self.owner.plan(), self.data.examples(), stop)?.1)
    }

    /// Trains all rounds; between them the client refreshes the state.
    ///
    /// # Errors
    /// Those of both sides.
    pub fn train(&self) -> Result<RoundResult<B>> {
        self.rounds(None)
    }

    /// Trains all rounds and tells of each, decrypting its state.
    ///
    /// # Errors
    /// Those of both sides, and of `done`.
    pub fn train_with(
        &self,
        mut done: impl FnMut(RoundDone<'_>) -> Result<()>,
    ) -> Result<RoundResult<B>> {
        self.rounds(Some(&mut done))
    }

    fn rounds(&self, mut done: Option<Observer<'_>>) -> Result<RoundResult<B>> {
        let rounds = self.owner.plan().rounds().len();
        let record = self.data.record();
        let mut state = None;
        let mut round = 0;
        loop {
            let data = self.owner.encrypt_round(&self.data, round)?;
            let result = self.server.train(&data, state.as_ref())?;
            if result.finished && done.is_none() {
                return Ok(result);
            }
            let after = self.owner.decrypt_state(record, &result)?;
            if let Some(done) = &mut done {
                done(RoundDone {
                    round,
                    rounds,
                    report: result.report.as_ref(),
                    state: &after,
                })?;
            }
            if result.finished {
                return Ok(result);
            }
            round += 1;
            state = Some(self.owner.encrypt_state(record, &after, round)?);
        }
    }

    /// Decrypts a model.
    ///
    /// # Errors
    /// As [`DataOwner::decrypt_model`].
    pub fn decrypt(&self, result: &RoundResult<B>) -> Result<Model> {
        self.owner.decrypt_model(self.data.record(), result)
    }
}

type Observer<'a> = &'a mut dyn FnMut(RoundDone<'_>) -> Result<()>;
