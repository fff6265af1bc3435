//! The side of whoever owns the rows.

use arras_ckks::{Context, SecretKey};
use arras_hal::{Backend, SecretEngine};
use arras_toolkit::{
    Bindings, Client, Encrypted, SeededEncrypted, ToolkitErrorKind, run::Progress,
};
use ndarray::{Array2, Axis, Slice, concatenate};

use super::{
    InferencePlan, Network, Weights,
    record::{ROWS, scores_of},
};
use crate::{
    Result,
    data::DataError,
    trainer::{DatasetId, ExchangeError, KeySetId, Origin, TrainingKeys, files::InferenceContent},
};

/// Who owns rows, and weights that the service is not to see: it alone can read the scores.
#[derive(Debug)]
pub struct InferenceOwner<S: SecretEngine> {
    plan: InferencePlan,
    client: Client<S>,
    keys: KeySetId,
}

/// What is sent to the service: rows, or weights.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncryptedRequest {
    /// Which plan, keys and request.
    pub origin: Origin,
    /// Rows or weights.
    pub content: InferenceContent,
    /// Rows that count; the others are zeros. None of weights.
    pub rows: usize,
    /// Ciphertexts by the names of the circuit's inputs.
    pub inputs: Bindings<SeededEncrypted>,
}

/// What the service sends back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncryptedScores<B: Backend> {
    /// Which plan, keys and request.
    pub origin: Origin,
    /// Rows that count.
    pub rows: usize,
    /// Scores of all rows.
    pub scores: Encrypted<B>,
}

impl<B: Backend> EncryptedScores<B> {
    pub(crate) fn new(origin: Origin, rows: usize, scores: Encrypted<B>) -> Self {
        Self {
            origin,
            rows,
            scores,
        }
    }
}

impl<S: SecretEngine> InferenceOwner<S> {
    /// Makes the keys of a plan; `progress` is told after each how many are made.
    ///
    /// # Errors
    /// If the operating system has no randomness; [`arras_ckks::CkksErrorKind::Stopped`].
    pub fn generate(
        plan: InferencePlan,
        context: &Context<S>,
        progress: impl FnMut(Progress),
    ) -> Result<(Self, TrainingKeys)> {
        let secret = SecretKey::generate(context)?;
        let keys = TrainingKeys::of(&plan.spec().keys, &secret, progress)?;
        let id = keys.id();
        Ok((Self::with_keys(plan, secret, id)?, keys))
    }

    /// With a secret key that was made before, and what tells its evaluation keys from others.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] for a key of other parameters.
    pub fn with_keys(plan: InferencePlan, secret: SecretKey<S>, keys: KeySetId) -> Result<Self> {
        ExchangeError::expect_parameters(secret.context().params(), plan.params())?;
        let largest = plan.spec().largest_input;
        let client = Client::with_secret_key(secret)?.largest_value(largest);
        Ok(Self { plan, client, keys })
    }

    /// The secret key's holder.
    pub fn client(&self) -> &Client<S> {
        &self.client
    }

    /// The plan.
    pub fn plan(&self) -> &InferencePlan {
        &self.plan
    }

    /// What tells the keys from others.
    pub fn key_set_id(&self) -> KeySetId {
        self.keys
    }

    /// Encrypts rows, up to as many as the plan holds.
    ///
    /// # Errors
    /// [`DataError::Length`] for rows of another length; [`ExchangeError::BeyondPlan`] for more rows or none;
    /// [`ToolkitErrorKind::BeyondPlan`] for an entry beyond what the plan says of entries.
    pub fn encrypt(&self, rows: &Array2<f64>) -> Result<EncryptedRequest> {
        let spec = self.plan.spec();
        let (count, features) = rows.dim();
        DataError::expect_length("encrypt rows", "entries of a row", features, spec.features)?;
        if !(1..=spec.rows).contains(&count) {
            return Err(ExchangeError::BeyondPlan {
                what: "rows",
                found: count,
                least: 1,
                most: spec.rows,
            }
            .into());
        }
        let scaled = rows * spec.input_scale;
        let largest = scaled.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        // An entry that is no number is refused when it is encrypted.
        if largest > spec.largest_input {
            let error = ToolkitErrorKind::BeyondPlan {
                name: ROWS.to_owned(),
                largest,
                planned: spec.largest_input,
            };
            return Err(arras_toolkit::ToolkitError::from(error).into());
        }
        let padding = Array2::zeros((spec.rows - count, features));
        let padded = concatenate(Axis(0), &[scaled.view(), padding.view()]);
        let padded = padded.map_err(ExchangeError::malformed("table of rows"))?;
        let shapes = self.plan.shapes(InferenceContent::Rows)?;
        let encrypted = self.client.encrypt(shapes[0].layout, padded, spec.level)?;
        self.request(
            InferenceContent::Rows,
            count,
            Bindings::new().with(ROWS, encrypted),
        )
    }

    /// Encrypts the weights of a network, for a plan of encrypted weights. They serve any number of requests.
    ///
    /// # Errors
    /// [`ExchangeError::Unsuitable`] for a plan of weights in the clear, and for a network of another shape or larger weights than the plan's.
    pub fn encrypt_weights(&self, network: &Network) -> Result<EncryptedRequest> {
        let spec = self.plan.spec();
        let refused = |what, found: String, allowed| ExchangeError::Unsuitable {
            what,
            found,
            allowed,
        };
        if spec.weights == Weights::Plain {
            let found = "in the clear".to_owned();
            return Err(refused("kind of weights of the plan", found, "encrypted alone").into());
        }
        for (layer, shape) in network.layers().iter().zip(&spec.layers) {
            let numbers = layer.weights.iter().chain(&layer.bias);
            let largest = numbers.fold(0.0f64, |m, x| m.max(x.abs()));
            if largest > shape.largest {
                let found = format!("{largest:.3e} in magnitude, {:.3e} planned", shape.largest);
                return Err(refused("largest weight of a layer", found, "less").into());
            }
        }
        let program = self.plan.program(None)?;
        let mut inputs = Bindings::new();
        for (name, value) in self.plan.weight_inputs(network)? {
            let encrypted = self.client.encrypt_input(&program, &name, value)?;
            inputs.insert(name, encrypted);
        }
        self.request(InferenceContent::Weights, 0, inputs)
    }

    fn request(
        &self,
        content: InferenceContent,
        rows: usize,
        inputs: Bindings<SeededEncrypted>,
    ) -> Result<EncryptedRequest> {
        let origin = Origin {
            plan: self.plan.id(),
            keys: self.keys,
            dataset: DatasetId::random()?,
        };
        Ok(EncryptedRequest {
            origin,
            content,
            rows,
            inputs,
        })
    }

    /// Decrypts scores: a row for each row of the request, a column for each output.
    ///
    /// # Errors
    /// [`ExchangeError::Mismatch`] for scores of another plan or other keys; [`ExchangeError::UnusableResult`]; the scheme's for what is no result.
    pub fn decrypt<B: Backend>(&self, scores: &EncryptedScores<B>) -> Result<Array2<f64>> {
        const OP: &str = "decrypt scores";
        let spec = self.plan.spec();
        scores
            .origin
            .expect(OP, "the scores", self.plan.id(), self.keys)?;
        let here = scores.scores.to_context(self.client.context())?;
        let decrypted = scores_of(self.client.decrypt(&here)?);
        DataError::expect_length(OP, "rows of scores", decrypted.nrows(), spec.rows)?;
        DataError::expect_length(
            OP,
            "scores of a row",
            decrypted.ncols(),
            self.plan.outputs(),
        )?;
        if scores.rows > spec.rows {
            return Err(ExchangeError::BeyondPlan {
                what: "rows",
                found: scores.rows,
                least: 1,
                most: spec.rows,
            }
            .into());
        }
        let decrypted = decrypted
            .slice_axis(Axis(0), Slice::from(..scores.rows))
            .to_owned();
        if spec.sigmoid.is_some() {
            ExchangeError::expect_usable("probabilities", &decrypted, PROBABILITY)?;
        }
        Ok(decrypted)
    }
}

/// log2 of what a probability can be at most: beyond the polynomial's interval it leaves [0, 1] quickly.
const PROBABILITY: f64 = 0.25;
