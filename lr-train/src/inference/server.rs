//! The service's side: evaluation keys and ciphertexts, weights in the clear or encrypted.

use arras_ckks::{Context, Evaluator};
use arras_hal::Backend;
use arras_toolkit::{
    Bindings, Encrypted, Homomorphic, Program,
    run::{Options, RunReport},
};

use super::{EncryptedRequest, EncryptedScores, InferencePlan, Network, Weights, record::SCORES};
use crate::{
    Result,
    trainer::{ExchangeError, KeySetId, TrainingKeys},
};

/// Scores encrypted rows. It holds evaluation keys, and weights.
pub struct InferenceServer<B: Backend> {
    plan: InferencePlan,
    keys: KeySetId,
    program: Program,
    weights: Bindings<Encrypted<B>>,
    homomorphic: Homomorphic<B>,
}

impl<B: Backend> std::fmt::Debug for InferenceServer<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InferenceServer")
            .field("plan", &self.plan.id())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// Weights as a service has them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServedWeights<'a> {
    /// In the clear.
    Plain(&'a Network),
    /// Encrypted by the owner of the rows.
    Encrypted(&'a EncryptedRequest),
}

impl<B: Backend> InferenceServer<B> {
    /// Loads keys and weights onto an engine.
    ///
    /// # Errors
    /// [`ExchangeError::Unsuitable`] for weights that the plan was not made for, [`ExchangeError::Mismatch`] for encrypted ones of another plan or other
    /// keys; the scheme's.
    pub fn new(
        plan: InferencePlan,
        keys: TrainingKeys,
        weights: &ServedWeights<'_>,
        engine: B,
        options: Options,
    ) -> Result<Self> {
        let context =
            Context::new(plan.params(), engine)?.with_stop_token(options.stop_token().clone());
        let id = keys.id();
        let (program, weights) = match (weights, plan.spec().weights) {
            (ServedWeights::Plain(network), Weights::Plain) => {
                (plan.program(Some(network))?, Bindings::new())
            }
            (ServedWeights::Encrypted(sent), Weights::Encrypted) => {
                sent.origin
                    .expect("load weights", "the weights", plan.id(), id)?;
                (plan.program(None)?, sent.inputs.expand(&context)?)
            }
            (_, wanted) => {
                return Err(ExchangeError::Unsuitable {
                    what: "kind of weights given",
                    found: "not the plan's".to_owned(),
                    allowed: match wanted {
                        Weights::Plain => "weights in the clear alone",
                        Weights::Encrypted => "encrypted weights alone",
                    },
                }
                .into());
            }
        };
        let evaluator = Evaluator::new(&context, keys.into_set().into_loaded(&context)?)?;
        let homomorphic = Homomorphic::with_options(evaluator, options);
        homomorphic.check(&program)?;
        Ok(Self {
            plan,
            keys: id,
            program,
            weights,
            homomorphic,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &InferencePlan {
        &self.plan
    }

    /// The context.
    pub fn context(&self) -> &Context<B> {
        self.homomorphic.evaluator().context()
    }

    /// Scores the rows of a request.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] for rows of another plan or other keys; the toolkit's, the engine's.
    pub fn score(&self, request: &EncryptedRequest) -> Result<(EncryptedScores<B>, RunReport)> {
        let (plan, keys) = (self.plan.id(), self.keys);
        request.origin.expect("score", "the rows", plan, keys)?;
        let mut inputs = self.weights.clone();
        for (name, value) in request.inputs.expand(self.context())?.iter() {
            inputs.insert(name, value.clone());
        }
        let run = self.homomorphic.run(&self.program, &inputs)?;
        let scores = EncryptedScores {
            origin: request.origin,
            rows: request.rows,
            scores: run.output(SCORES)?.clone(),
        };
        Ok((scores, run.report))
    }
}
