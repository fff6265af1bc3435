//! The server's side: evaluation keys and ciphertexts, no secret.

use arras_ckks::{Context, Evaluator};
use arras_hal::Backend;
use arras_toolkit::{Homomorphic, run::Options};

use super::{
    EncryptedRound, EncryptedState, KeySetId, RoundResult, TrainingKeys, TrainingPlan,
    exchange::expect_round,
};
use crate::{Result, trainer::ExchangeError};

/// Trains on ciphertexts, a round at a time. It holds evaluation keys only.
pub struct TrainingServer<B: Backend> {
    plan: TrainingPlan,
    keys: KeySetId,
    homomorphic: Homomorphic<B>,
}

impl<B: Backend> std::fmt::Debug for TrainingServer<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrainingServer")
            .field("plan", &self.plan.id())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl<B: Backend> TrainingServer<B> {
    /// Loads keys onto an engine and drops their portable form. `options` say how programs run, and who is told how far they are
    /// ([`Options::on_progress`]) and who may stop them and the loading of keys ([`Options::with_stop_token`]).
    ///
    /// # Errors
    /// The scheme's: keys of other parameters than the plan's, an engine without memory.
    pub fn new(
        plan: TrainingPlan,
        keys: TrainingKeys,
        engine: B,
        options: Options,
    ) -> Result<Self> {
        let context =
            Context::new(plan.params(), engine)?.with_stop_token(options.stop_token().clone());
        let id = keys.id();
        let loaded = keys.into_set().into_loaded(&context)?;
        let evaluator = Evaluator::new(&context, loaded)?;
        Ok(Self {
            plan,
            keys: id,
            homomorphic: Homomorphic::with_options(evaluator, options),
        })
    }

    /// The plan.
    pub fn plan(&self) -> &TrainingPlan {
        &self.plan
    }

    /// What tells the keys from others.
    pub fn key_set_id(&self) -> KeySetId {
        self.keys
    }

    /// The context.
    pub fn context(&self) -> &Context<B> {
        self.homomorphic.evaluator().context()
    }

    /// Trains a round: the first from zero, without a state, a later one from the state that the client re-encrypted.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] for data or a state of another plan, other keys or another round, a missing or needless state;
    /// the toolkit's for missing keys or inputs, the engine's.
    pub fn train(
        &self,
        data: &EncryptedRound,
        state: Option<&EncryptedState>,
    ) -> Result<RoundResult<B>> {
        const OP: &str = "train";
        let (plan, keys) = (self.plan.id(), self.keys);
        data.origin.expect(OP, "the data", plan, keys)?;
        let missing = |found: &str, expected: &str| ExchangeError::Mismatch {
            op: OP,
            what: "start",
            subject: "the round",
            found: found.to_owned(),
            expected: expected.to_owned(),
            remedy: "the first round starts from zero, every later one from the state that the client refreshed",
        };
        match state {
            None if data.round > 0 => return Err(missing("absent", "a state").into()),
            Some(_) if data.round == 0 => return Err(missing("a state", "none").into()),
            Some(state) => {
                let (origin, dataset) = (&state.origin, data.origin.dataset);
                origin.expect(OP, "the state", plan, keys)?;
                origin.expect_dataset(OP, "the state", dataset)?;
                expect_round(OP, "the state", state.round, data.round)?;
            }
            None => {}
        }
        let round = self.plan.round(data.round)?;
        let mut sent = data.inputs.clone();
        for (name, value) in state.iter().flat_map(|state| state.inputs.iter()) {
            sent.insert(name, value.clone());
        }
        let inputs = sent.expand(self.context())?;
        let run = self.homomorphic.run(&round.program, &inputs)?;
        Ok(RoundResult {
            origin: data.origin,
            round: data.round,
            finished: data.round + 1 == self.plan.rounds().len(),
            outputs: run.outputs,
            report: Some(run.report),
        })
    }
}
