//! What the client keeps of a data set while it trains elsewhere.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{
    Optimizer, TrainingPlan,
    exchange::Origin,
    model::{MODEL_VERSION, Model},
};
use crate::{
    Result,
    data::{Classes, DataError, Dataset},
    plain::hessian_bound,
    preprocess::{Preprocessor, Scheme, signed_rows},
    split::Minibatches,
    trainer::ExchangeError,
};

/// The version of records that this build writes, and the only one that it reads.
pub const RECORD_VERSION: u32 = 1;

/// What the client keeps of a data set: how to read the result. **Private**: it holds names and ranges of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct DatasetRecord {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// The exchange.
    pub origin: Origin,
    /// Rows that it has.
    pub rows: usize,
    /// Names of columns, and how they were normalized.
    pub preprocessor: Preprocessor,
    /// The classes.
    pub classes: Classes,
    /// What each column, the intercept first, was multiplied by, and what weights are multiplied by in the end; none for ones.
    pub scaling: Option<Vec<f64>>,
}

impl DatasetRecord {
    /// # Errors
    /// [`ExchangeError::Version`], [`ExchangeError::Malformed`].
    pub(super) fn check(&self) -> Result<()> {
        let (what, command) = ("record of a data set", "lr-train encrypt");
        ExchangeError::expect_version(what, self.version, RECORD_VERSION, command)?;
        if let Some(scaling) = &self.scaling {
            let expected = self.preprocessor.features() + 1;
            DataError::expect_length(what, "scaling", scaling.len(), expected)
                .map_err(ExchangeError::malformed(what))?;
            if let Some(entry) = scaling.iter().position(|s| !(s.is_finite() && *s > 0.0)) {
                let error = format!("scaling {entry} is {}, not above 0", scaling[entry]).into();
                return Err(ExchangeError::Malformed { what, error }.into());
            }
        }
        Ok(())
    }

    /// The model of weights as they were trained.
    pub(super) fn model(&self, plan: &TrainingPlan, weights: &Array1<f64>) -> Result<Model> {
        let features = self.preprocessor.features() + 1;
        if weights.len() < features {
            return Err(DataError::Length {
                op: "model",
                what: "weights",
                found: weights.len(),
                expected: features,
            }
            .into());
        }
        let one = |f: usize| self.scaling.as_ref().map_or(1.0, |s| s[f]);
        let weights = (0..features).map(|f| weights[f] * one(f)).collect();
        let model = Model {
            version: MODEL_VERSION,
            kind: plan.kind(),
            settings: plan.settings().clone(),
            rows: self.rows,
            classes: self.classes.clone(),
            weights,
            preprocessor: self.preprocessor.clone(),
        };
        model.check()?;
        Ok(model)
    }
}

/// The rows that a training computes on, normalized, signed and scaled as its optimizer needs them.
///
/// # Errors
/// Those of [`Preprocessor::fit`] and [`Preprocessor::apply`].
pub fn training_rows(
    optimizer: Optimizer,
    data: &Dataset,
    preprocessor: &Preprocessor,
) -> Result<Array2<f64>> {
    Ok(scaled_rows(optimizer, data, preprocessor)?.0)
}

/// [`training_rows`], and what each column was multiplied by; none for ones.
fn scaled_rows(
    optimizer: Optimizer,
    data: &Dataset,
    preprocessor: &Preprocessor,
) -> Result<(Array2<f64>, Option<Vec<f64>>)> {
    let mut signed = signed_rows(&preprocessor.apply(data)?, data.labels())?;
    if optimizer != Optimizer::FixedHessian {
        return Ok((signed, None));
    }
    // Every column varies, so the bound is positive.
    let bounds = hessian_bound(&signed);
    let scaling: Vec<f64> = bounds.iter().map(|h| 1.0 / h.sqrt()).collect();
    for (mut column, scale) in signed.columns_mut().into_iter().zip(&scaling) {
        column *= *scale;
    }
    Ok((signed, Some(scaling)))
}

/// A data set ready to be encrypted. It holds the data in the clear.
#[derive(Clone, Debug)]
pub struct PreparedData {
    pub(super) record: DatasetRecord,
    pub(super) z: Array2<f64>,
    pub(super) batches: Minibatches,
}

impl PreparedData {
    /// Fits the normalization to training rows, applies it, and checks that a plan holds the data.
    ///
    /// # Errors
    /// [`DataError::OneClass`], [`ExchangeError::BeyondPlan`]; those of [`Preprocessor::fit`] and [`Preprocessor::apply`].
    pub(super) fn new(
        plan: &TrainingPlan,
        origin: Origin,
        data: &Dataset,
        scheme: Scheme,
    ) -> Result<Self> {
        let (positives, rows) = (data.positives(), data.rows());
        if positives == 0 || positives == rows {
            let Classes { positive, negative } = data.classes();
            let only = if positives > 0 { positive } else { negative };
            return Err(DataError::OneClass {
                what: "training",
                rows,
                value: only.clone(),
            }
            .into());
        }
        let preprocessor = Preprocessor::fit(data, scheme)?;
        let features = preprocessor.features() + 1;
        for (what, found, least, most) in [
            ("rows", rows, plan.minibatch(), plan.rows()),
            (
                "features (with the intercept, without constant columns)",
                features,
                1,
                plan.features(),
            ),
        ] {
            if !(least..=most).contains(&found) {
                return Err(ExchangeError::BeyondPlan {
                    what,
                    found,
                    least,
                    most,
                }
                .into());
            }
        }
        let (signed, scaling) = scaled_rows(plan.settings().optimizer, data, &preprocessor)?;
        // Columns beyond those of the data are zero: their weights stay zero.
        let z = Array2::from_shape_fn((rows, plan.features()), |at| {
            signed.get(at).copied().unwrap_or(0.0)
        });
        let record = DatasetRecord {
            version: RECORD_VERSION,
            origin,
            rows,
            preprocessor,
            classes: data.classes().clone(),
            scaling,
        };
        record.check()?;
        let batches = Minibatches::new(rows, plan.minibatch(), plan.settings().order)?;
        Ok(Self { record, z, batches })
    }

    /// What the client keeps of it.
    pub fn record(&self) -> &DatasetRecord {
        &self.record
    }

    /// The signed rows that training computes on, padded to the plan's features.
    pub fn signed_rows(&self) -> &Array2<f64> {
        &self.z
    }

    /// The rows of `count` minibatches from iteration `first`.
    pub fn minibatches(&self, first: usize, count: usize) -> Vec<Array2<f64>> {
        self.batches.select(&self.z, first, count)
    }
}
