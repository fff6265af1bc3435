//! The client's side: keys, encryption, decryption, refresh.

use std::{collections::BTreeMap, sync::Arc};

use arras_ckks::{CkksErrorKind, Context, SecretKey};
use arras_hal::{Backend, SecretEngine};
use arras_toolkit::{Bindings, Client, SeededEncrypted, ToolkitErrorKind, Value, run::Progress};

use super::{
    DatasetId, DatasetRecord, EncryptedRound, EncryptedState, KeySetId, Model, Optimizer,
    PreparedData, Round, RoundResult, TrainingKeys, TrainingPlan, exchange::Origin,
};
use crate::{
    Result, TrainError,
    circuits::{CircuitError, LARGEST_VALUE},
    data::Dataset,
    plain::State,
    preprocess::Scheme,
    trainer::ExchangeError,
};

/// Who owns the data and holds the secret key.
#[derive(Debug)]
pub struct DataOwner<S: SecretEngine> {
    plan: TrainingPlan,
    client: Client<S>,
    keys: KeySetId,
}

impl<S: SecretEngine> DataOwner<S> {
    /// Makes the keys of a plan: the secret key, which stays here, and the evaluation keys, which go to the server.
    ///
    /// # Errors
    /// If the operating system has no randomness or the engine no memory.
    pub fn generate(plan: TrainingPlan, engine: S) -> Result<(Self, TrainingKeys)> {
        let context = Context::new(plan.params(), engine)?;
        Self::generate_on(plan, &context, |_| ())
    }

    /// [`DataOwner::generate`] on a context of the plan's parameters, whose [token](Context::with_stop_token) stops it and what the
    /// owner does later; `progress` is told after each key how many are made.
    ///
    /// # Errors
    /// As [`DataOwner::generate`]; [`arras_ckks::CkksErrorKind::ParametersMismatch`], [`arras_ckks::CkksErrorKind::Stopped`].
    pub fn generate_on(
        plan: TrainingPlan,
        context: &Context<S>,
        progress: impl FnMut(Progress),
    ) -> Result<(Self, TrainingKeys)> {
        let secret = SecretKey::generate(context)?;
        let keys = TrainingKeys::of(plan.key_requests(), &secret, progress)?;
        Ok((Self::with_keys(plan, secret, keys.id())?, keys))
    }

    /// With a secret key that was made before, and what tells its evaluation keys from others.
    ///
    /// # Errors
    /// [`arras_ckks::CkksErrorKind::ParametersMismatch`]; if the operating system has no randomness.
    pub fn with_keys(plan: TrainingPlan, secret: SecretKey<S>, keys: KeySetId) -> Result<Self> {
        ExchangeError::expect_parameters(secret.context().params(), plan.params())?;
        Ok(Self {
            plan,
            client: Client::with_secret_key(secret)?.largest_value(LARGEST_VALUE),
            keys,
        })
    }

    /// With a toolkit client of the caller's, for runs that must be reproducible.
    #[must_use]
    pub fn with_client(mut self, client: Client<S>) -> Self {
        self.client = client.largest_value(LARGEST_VALUE);
        self
    }

    /// The plan.
    pub fn plan(&self) -> &TrainingPlan {
        &self.plan
    }

    /// What tells the keys from others.
    pub fn key_set_id(&self) -> KeySetId {
        self.keys
    }

    /// The toolkit's client, with the secret key.
    pub fn client(&self) -> &Client<S> {
        &self.client
    }

    /// The context.
    pub fn context(&self) -> &Context<S> {
        self.client.context()
    }

    /// Normalizes a data set and gives it an identifier. Keep its [record](PreparedData::record): without it the model cannot be read.
    ///
    /// # Errors
    /// [`DataError::OneClass`](crate::data::DataError::OneClass), [`ExchangeError::BeyondPlan`],
    /// [`ExchangeError::ValueTooLarge`], [`FitError::Diverged`](crate::plain::FitError::Diverged); those of
    /// [`Preprocessor::fit`](crate::preprocess::Preprocessor::fit) and [`apply`](crate::preprocess::Preprocessor::apply);
    /// [`ExchangeError::NoRandomness`].
    pub fn prepare(&self, data: &Dataset, scheme: Scheme) -> Result<PreparedData> {
        let origin = Origin {
            plan: self.plan.id(),
            keys: self.keys,
            dataset: DatasetId::random()?,
        };
        let stop = self.context().stop_token();
        PreparedData::new(&self.plan, origin, data, scheme, stop)
    }

    /// Encrypts the data of a round, each input at the level at which it is needed.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] for data prepared for another plan or other keys; the toolkit's.
    pub fn encrypt_round(&self, data: &PreparedData, round: usize) -> Result<EncryptedRound> {
        let round = self.plan.round(round)?;
        let mut inputs = Bindings::new();
        self.encrypt_round_with(data, &round, |name, encrypted| {
            inputs.insert(name, encrypted);
            Ok(())
        })?;
        Ok(EncryptedRound {
            origin: data.record.origin,
            round: round.index,
            inputs,
        })
    }

    /// Encrypts the data of a round one input after the other, in the order of [`Round::data_shapes`], so that one at a time is in
    /// memory.
    ///
    /// # Errors
    /// As [`DataOwner::encrypt_round`], and those of `take`.
    pub fn encrypt_round_with(
        &self,
        data: &PreparedData,
        round: &Round,
        mut take: impl FnMut(&str, SeededEncrypted) -> Result<()>,
    ) -> Result<()> {
        let origin = &data.record.origin;
        origin.expect("encrypt", "the data", self.plan.id(), self.keys)?;
        let minibatches = data.minibatches(round.first, round.circuit.spec().iterations());
        for shape in round.data_shapes() {
            let value = round.circuit.data_input(&shape.name, &minibatches)?;
            let encrypted = self.client.encrypt(shape.layout, value, shape.level)?;
            take(&shape.name, encrypted)?;
        }
        Ok(())
    }

    /// Encrypts the state that a round starts from.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] if the state is after another number of iterations than the round begins with; the toolkit's.
    pub fn encrypt_state(
        &self,
        record: &DatasetRecord,
        state: &State,
        round: usize,
    ) -> Result<EncryptedState> {
        const OP: &str = "encrypt a state";
        let origin = record.origin;
        origin.expect(OP, "the data's record", self.plan.id(), self.keys)?;
        let round = self.plan.round(round)?;
        if round.index == 0 || state.iteration != round.first {
            return Err(ExchangeError::Mismatch {
                op: OP,
                what: "number of iterations done",
                subject: "the state",
                found: state.iteration.to_string(),
                expected: round.first.to_string(),
                remedy: "a state belongs to the round after the one that returned it; the first round takes none",
            }.into());
        }
        let values = round.circuit.start_inputs(state)?;
        let mut inputs = Bindings::new();
        for shape in round.start_shapes() {
            let Some(value) = values.get(&shape.name) else {
                return Err(CircuitError::MissingResult { name: shape.name }.into());
            };
            let encrypted = self
                .client
                .encrypt(shape.layout, value.clone(), shape.level)?;
            inputs.insert(&*shape.name, encrypted);
        }
        Ok(EncryptedState {
            origin,
            round: round.index,
            inputs,
        })
    }

    /// Everything that can be said of a result before it is decrypted: it belongs to the plan, the keys and the data of the record, and its
    /// ciphertexts have the form of those that the round's circuit returns.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`], [`CircuitError::MissingResult`]; the engine's.
    pub fn expect_result<B: Backend>(
        &self,
        record: &DatasetRecord,
        result: &RoundResult<B>,
    ) -> Result<Arc<Round>> {
        const OP: &str = "decrypt";
        let (plan, keys, origin) = (self.plan.id(), self.keys, &result.origin);
        origin.expect(OP, "the result", plan, keys)?;
        record.origin.expect(OP, "the data's record", plan, keys)?;
        origin.expect_dataset(OP, "the result", record.origin.dataset)?;
        let round = self.plan.round(result.round)?;
        result.expect_of(OP, &round)?;
        Ok(round)
    }

    /// Decrypts what a round returned: the state after it. For the last round `v` is the weights themselves.
    ///
    /// # Errors
    /// As [`DataOwner::expect_result`], before anything is decrypted;
    /// [`ExchangeError::UnusableResult`] for what no training gives; the scheme's.
    pub fn decrypt_state<B: Backend>(
        &self,
        record: &DatasetRecord,
        result: &RoundResult<B>,
    ) -> Result<State> {
        let round = self.expect_result(record, result)?;
        // What the plan's circuits assume of weights, whatever the file says of its values, and what their level holds.
        let levels = result.outputs.values().map(arras_toolkit::Encrypted::level);
        let headroom = self.plan.params().headroom_bits(levels.max().unwrap_or(0));
        let most = headroom.min(LARGEST_VALUE.log2());
        let mut values: BTreeMap<&str, Value> = BTreeMap::new();
        // The engine that trained may be another, and its context is.
        for (entry, (name, encrypted)) in result.outputs.iter().enumerate() {
            let own = encrypted.to_context(self.context())?;
            let value = self.client.decrypt(&own).map_err(|error| {
                // What another key decrypts is far above the headroom in nearly every slot.
                match error.kind() {
                    ToolkitErrorKind::Ckks(cause)
                        if matches!(cause.kind(), CkksErrorKind::NotAResult { .. }) =>
                    {
                        let what = "ciphertexts";
                        ExchangeError::UnusableResult { what, entry, most }.into()
                    }
                    _ => TrainError::from(error),
                }
            })?;
            values.insert(name, value);
        }
        let (w, previous) = round.circuit.weights(|name| values.get(name))?;
        ExchangeError::expect_usable("weights", &w, most)?;
        let iteration = round.first + round.circuit.spec().iterations();
        if let Some(previous) = &previous {
            ExchangeError::expect_usable("weights before the last", previous, most)?;
        }
        match previous {
            Some(previous) if self.plan.settings().optimizer == Optimizer::Nesterov => {
                State::from_last_two(self.plan.settings().first_step, iteration, w, &previous)
            }
            // Without momentum, and after the last round, v is the weights.
            _ => Ok(State::at_rest(iteration, w)),
        }
    }

    /// Decrypts a state and re-encrypts it for the next round. Nothing is encrypted unless every check of the decryption passed.
    ///
    /// # Errors
    /// As [`DataOwner::decrypt_state`] and [`DataOwner::encrypt_state`]; [`ExchangeError::NothingToRefresh`] for the last round's result.
    pub fn refresh<B: Backend>(
        &self,
        record: &DatasetRecord,
        result: &RoundResult<B>,
    ) -> Result<EncryptedState> {
        let rounds = self.plan.rounds().len();
        if result.round + 1 >= rounds {
            return Err(ExchangeError::NothingToRefresh {
                round: result.round + 1,
                rounds,
            }
            .into());
        }
        let state = self.decrypt_state(record, result)?;
        self.encrypt_state(record, &state, result.round + 1)
    }

    /// Decrypts a result to a model: that of the last round, or the weights after an earlier one.
    ///
    /// # Errors
    /// As [`DataOwner::decrypt_state`].
    pub fn decrypt_model<B: Backend>(
        &self,
        record: &DatasetRecord,
        result: &RoundResult<B>,
    ) -> Result<Model> {
        let state = self.decrypt_state(record, result)?;
        record.model(&self.plan, &state.w)
    }
}
