//! Keys, data and rounds of a run, with what they take.

use std::time::Instant;

use arras::{
    Engine, SecretBackend,
    toolkit::{
        run::Options,
        text::{self, Table},
    },
};
use lr_train::{
    data::Dataset,
    plain::State,
    preprocess::Preprocessor,
    trainer::{
        DataOwner, DatasetRecord, Forecast, RoundResult, TrainingPlan, TrainingServer,
        files::{
            DatasetFile, Expected, KeyDirectory, PlannedColumns, load_evaluation, load_result,
            save_result, save_state,
        },
        training_rows,
    },
};
use serde::Serialize;

use super::folders::Folders;
use crate::{
    encrypt,
    evaluate::Quality,
    failure::Failure,
    keygen,
    output::{Output, claim, file_bytes},
    signals, train,
};

/// Seconds of a run, by what was done.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Times {
    /// The client's keys.
    pub(super) keys: f64,
    /// The client's data.
    pub(super) encrypt: f64,
    /// The client's refreshes, and reading the last result.
    pub(super) refresh: f64,
    /// The server's loading of keys.
    pub(super) load: f64,
    /// The server's training.
    pub(super) train: f64,
    /// The same training in the clear.
    pub(super) clear: f64,
}

/// Bytes of what the parties send.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Sizes {
    pub(super) keys: u64,
    pub(super) data: u64,
    pub(super) states: u64,
    pub(super) results: u64,
}

/// What a training came to.
pub(super) struct Ended {
    pub(super) record: DatasetRecord,
    pub(super) state: State,
    /// Rounds that were trained.
    pub(super) rounds: usize,
}

/// A run whose keys and data are there.
pub(super) struct Run<'a> {
    folders: &'a Folders,
    keys: KeyDirectory,
    owner: DataOwner<SecretBackend>,
    data: &'a Dataset,
    output: &'a Output,
    pub(super) times: Times,
    /// The log loss on the training rows, the root mean squared error or the share of wrong classes, after each round of this call.
    pub(super) losses: Vec<f64>,
}

/// A loss that falls by less than this part of itself has not fallen.
const FALLS: f64 = 1e-3;

/// What `work` gives, with its seconds added to a sum.
fn timed<T>(sum: &mut f64, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let start = Instant::now();
    let done = work();
    *sum += start.elapsed().as_secs_f64();
    done
}

impl<'a> Run<'a> {
    /// Makes keys and encrypts data, or opens those of an earlier call.
    pub(super) fn new(
        folders: &'a Folders,
        plan: &TrainingPlan,
        data: &'a Dataset,
        force: bool,
        output: &'a Output,
    ) -> Result<Self, Failure> {
        let mut times = Times::default();
        let folder = folders.keys();
        let (keys, owner) = timed(&mut times.keys, || {
            let keys = KeyDirectory::new(&folder);
            if !keys.secret().join("owner.json").exists() {
                let layout = data.table().layout().cloned();
                let columns = layout.map(|layout| PlannedColumns::new(plan, layout));
                keygen::make(plan.clone(), columns, &keys, false, output)?;
            }
            let opened = keygen::open(&folder)?;
            folders.share(&keys.evaluation())?;
            Ok(opened)
        })?;
        if owner.plan().id() != plan.id() {
            return Err(Failure::file(
                &folders.plan(),
                format!(
                    "is plan {}, and the keys beside it are of plan {}: restore the plan that they were made from",
                    plan.id(),
                    owner.plan().id()
                ),
            ));
        }
        timed(&mut times.encrypt, || {
            encrypted(folders, (&keys, &owner), data, force, output)
        })?;
        let preprocessor = Preprocessor::fit(data, plan.normalization())?;
        let rows = training_rows(plan.settings().optimizer, data, &preprocessor)?;
        timed(&mut times.clear, || {
            Ok(Forecast::of(plan, &rows, &signals::token())?)
        })?;
        Ok(Self {
            folders,
            keys,
            owner,
            data,
            output,
            times,
            losses: vec![],
        })
    }

    pub(super) fn plan(&self) -> &TrainingPlan {
        self.owner.plan()
    }

    /// Trains from where the exchange stands: all rounds, or as long as the loss falls.
    pub(super) fn train(
        &mut self,
        engine: &Engine,
        patience: Option<u32>,
    ) -> Result<Ended, Failure> {
        let (mut times, mut losses) = (self.times, vec![]);
        let rounds = self.plan().rounds().len();
        let (progress, of_steps) = self.output.watched("training");
        // Of one round the steps are counted, of several the rounds.
        let options = if rounds == 1 {
            of_steps
        } else {
            Options::new()
        };
        let options = options.with_stop_token(signals::token());
        // The server's part reads its own folder.
        let (server, sent) = timed(&mut times.load, || {
            let (plan, keys) = load_evaluation(&self.folders.evaluation(), false)?;
            let sent = DatasetFile::open(self.folders.data(), &plan, keys.id())?;
            let largest = (0..rounds).map(|r| Ok((plan.server_memory(r, 1)?.on_engine(), r)));
            let largest = largest.collect::<Result<Vec<_>, Failure>>()?;
            let (_, round) = largest.into_iter().max().unwrap_or_default();
            train::make_room(engine, &plan, round, self.output)?;
            let server = TrainingServer::new(plan, keys, engine.backend().clone(), options)?;
            Ok((server, sent))
        })?;
        let mut next = self.keys.exchange(sent.origin())?.taken.len();
        let mut ended = None;
        let mut start = None;
        if next > 0 {
            let (plan, id) = (self.plan(), self.owner.key_set_id());
            let last = load_result(
                &self.folders.result(next - 1),
                plan,
                id,
                self.owner.context(),
            )?;
            let (record, state) = self.take(&last)?;
            if next < rounds {
                start = Some(self.refresh(&record, &state, next)?);
            }
            ended = Some((record, state));
        }
        let mut flat = 0;
        let mut least = f64::INFINITY;
        while next < rounds && patience.is_none_or(|most| flat < most) {
            let result = timed(&mut times.train, || {
                let result = server.train(&sent.round(next)?, start.as_ref())?;
                // One that was written and not taken is made again, to the same bytes.
                let file = claim(&self.folders.result(next), true)?;
                save_result(server.plan(), &result, file)?;
                Ok(result)
            })?;
            next += 1;
            let (record, state) = timed(&mut times.refresh, || {
                let (record, state) = self.take(&result)?;
                if next < rounds {
                    start = Some(self.refresh(&record, &state, next)?);
                }
                Ok((record, state))
            })?;
            let model = record.model(self.plan(), &state.w)?;
            let loss = Quality::of(&model, self.data)?.loss();
            losses.push(loss);
            flat = if loss < least * (1.0 - FALLS) {
                0
            } else {
                flat + 1
            };
            least = least.min(loss);
            if rounds > 1 {
                progress.at(next, rounds);
            }
            ended = Some((record, state));
        }
        (self.times, self.losses) = (times, losses);
        let (record, state) = ended
            .ok_or_else(|| Failure::file(&self.folders.plan(), "plans no round: make a new run"))?;
        Ok(Ended {
            record,
            state,
            rounds: next,
        })
    }

    /// What the client does with a result.
    fn take<B: arras::hal::Backend>(
        &self,
        result: &RoundResult<B>,
    ) -> Result<(DatasetRecord, State), Failure> {
        // Of the one data set that these keys have in training, whatever the result says of itself.
        let expected = Expected::default();
        Ok(self.keys.take_result(&self.owner, result, expected)?)
    }

    fn refresh(
        &self,
        record: &DatasetRecord,
        state: &State,
        round: usize,
    ) -> Result<lr_train::trainer::EncryptedState, Failure> {
        let state = self.owner.encrypt_state(record, state, round)?;
        save_state(
            self.plan(),
            &state,
            claim(&self.folders.state(round), true)?,
        )?;
        Ok(state)
    }

    /// Bytes of the files that were sent.
    pub(super) fn sizes(&self) -> Sizes {
        let rounds = 0..self.plan().rounds().len();
        let keys = self.folders.evaluation().join("evaluation-keys.arras");
        Sizes {
            keys: file_bytes(&keys),
            data: file_bytes(&self.folders.data()),
            states: rounds
                .clone()
                .map(|r| file_bytes(&self.folders.state(r)))
                .sum(),
            results: rounds.map(|r| file_bytes(&self.folders.result(r))).sum(),
        }
    }
}

/// Encrypts the data, unless they are there.
fn encrypted(
    folders: &Folders,
    (keys, owner): (&KeyDirectory, &DataOwner<SecretBackend>),
    data: &Dataset,
    force: bool,
    output: &Output,
) -> Result<(), Failure> {
    let prepared = owner.prepare(data, owner.plan().normalization())?;
    let path = folders.data();
    if path.exists() {
        let file = DatasetFile::open(&path, owner.plan(), owner.key_set_id())?;
        if prepared.is_of(&keys.record(file.origin().dataset)?) {
            return Ok(());
        }
        return Err(Failure::file(
            &path,
            "holds other rows than the data given: give the rows that the run was begun with, or begin another in a new folder",
        ));
    }
    encrypt::judge(prepared.record(), force)?;
    keys.clear_records()?;
    let progress = output.progress("encrypting");
    let out = claim(&path, false)?;
    keys.write_dataset(owner, &prepared, out, |at| progress.at(at.done, at.total))?;
    Ok(())
}

impl Times {
    /// Who took how long, and sent how much.
    pub(super) fn table(&self, sizes: &Sizes, planned: Option<f64>) -> String {
        let mut table = Table::new(["step", "at", "seconds", "sent"]);
        let mut row = |step: &str, at: &str, seconds: f64, sent: Option<u64>| {
            let sent = sent.map(text::bytes).unwrap_or_default();
            table.row([step.to_owned(), at.to_owned(), text::seconds(seconds), sent]);
        };
        row("make keys", "client", self.keys, Some(sizes.keys));
        row("encrypt", "client", self.encrypt, Some(sizes.data));
        row("load keys", "server", self.load, None);
        row("train", "server", self.train, Some(sizes.results));
        row("refresh", "client", self.refresh, Some(sizes.states));
        let planned = planned.map_or(String::new(), |seconds| {
            format!("; planned for training: {}", text::seconds(seconds))
        });
        format!(
            "{table}\nserver: {}{planned}; the same training in the clear, with its scores: {} on one thread",
            text::seconds(self.load + self.train),
            text::seconds(self.clear)
        )
    }
}
