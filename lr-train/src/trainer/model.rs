//! A trained model in the clear.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::{
    Result,
    circuits::Kind,
    data::{Classes, DataError, Dataset, FeatureTable},
    metrics::{Assessment, Threshold},
    plain::{Calibration, scores},
    preprocess::Preprocessor,
    sigmoid::sigma,
    trainer::ExchangeError,
};

/// The version of models that this build writes, and the only one that it reads.
pub const MODEL_VERSION: u32 = 3;

/// A trained model: weights, and what is needed to apply them to data as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Model {
    /// [`MODEL_VERSION`].
    pub version: u32,
    /// The circuit that trained it.
    pub kind: Kind,
    /// What was asked for.
    pub settings: Settings,
    /// Rows it was trained on.
    pub rows: usize,
    /// The classes.
    pub classes: Classes,
    /// Weights of normalized features, the intercept first.
    pub weights: Vec<f64>,
    /// Names of columns and their normalization.
    pub preprocessor: Preprocessor,
    /// What makes scores probabilities; none if it was not fitted ([`Model::calibrate`]).
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// From which probability a row is taken for positive.
    #[serde(default)]
    pub threshold: Threshold,
}

/// What a model says of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prediction {
    /// The linear score of the weights.
    pub score: f64,
    /// The probability of the positive class, by the calibrated score if the model has a calibration.
    pub probability: f64,
    /// The class: positive if the probability is above the model's threshold.
    pub class: String,
}

impl Model {
    /// # Errors
    /// [`ExchangeError::Version`], [`ExchangeError::Malformed`], [`ExchangeError::UnusableResult`].
    pub(super) fn check(&self) -> Result<()> {
        let (found, command) = (self.version, "lr-train decrypt");
        ExchangeError::expect_version("model", found, MODEL_VERSION, command)?;
        let (what, expected) = (
            "weights (intercept first)",
            self.preprocessor.features() + 1,
        );
        DataError::expect_length("model", what, self.weights.len(), expected)
            .map_err(ExchangeError::malformed("model"))?;
        ExchangeError::expect_usable("weights", &self.weights, f64::MAX.log2())?;
        if let Some(Calibration {
            slope, intercept, ..
        }) = self.calibration
        {
            ExchangeError::expect_usable("calibration", &[slope, intercept], f64::MAX.log2())?;
        }
        Ok(())
    }

    /// Reads a model from JSON, trusting nothing in it.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`], [`ExchangeError::UnusableResult`].
    pub fn from_json(text: &str) -> Result<Self> {
        let model: Self = serde_json::from_str(text).map_err(ExchangeError::malformed("model"))?;
        model.check()?;
        Ok(model)
    }

    /// The model as JSON.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`] if a number is not finite.
    pub fn to_json(&self) -> Result<String> {
        self.check()?;
        let text = serde_json::to_string_pretty(self);
        Ok(text.map_err(ExchangeError::malformed("model"))?)
    }

    /// The scores of rows as they were read: `w0 + w . x` of the normalized features.
    ///
    /// # Errors
    /// [`PreprocessError::ColumnCount`](crate::preprocess::PreprocessError::ColumnCount),
    /// [`PreprocessError::ColumnName`](crate::preprocess::PreprocessError::ColumnName), [`DataError::NotFinite`].
    pub fn scores(&self, data: &impl AsRef<FeatureTable>) -> Result<Vec<f64>> {
        let weights = Array1::from(self.weights.clone());
        Ok(scores(&self.preprocessor.apply(data)?, &weights)?)
    }

    /// Fits the [calibration](Calibration) to labelled rows as they were read, as a rule those trained on; replaces one that there is.
    ///
    /// # Errors
    /// As [`Model::scores`] and [`Calibration::fit`]; [`ExchangeError::OtherClasses`].
    pub fn calibrate(&mut self, data: &Dataset) -> Result<Calibration> {
        self.expect_classes(data)?;
        let fitted = Calibration::fit(&self.scores(data)?, data.labels())?;
        self.calibration = Some(fitted);
        Ok(fitted)
    }

    /// Whether its probabilities are those of the data: it is calibrated, or both classes weighed as they are in training.
    pub fn has_shares_of_the_data(&self) -> bool {
        self.calibration.is_some() || !self.settings.order.weighs_classes()
    }

    /// The calibrated score: its sigmoid is the probability.
    fn calibrated(&self, score: f64) -> f64 {
        self.calibration.map_or(score, |c| c.apply(score))
    }

    /// Score, probability and class of rows as they were read.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn predict(&self, data: &impl AsRef<FeatureTable>) -> Result<Vec<Prediction>> {
        let Classes { positive, negative } = &self.classes;
        let bound = self.threshold.score();
        let predict = |score: f64| {
            let calibrated = self.calibrated(score);
            let class = if calibrated > bound {
                positive
            } else {
                negative
            };
            Prediction {
                score,
                probability: sigma(calibrated),
                class: class.clone(),
            }
        };
        Ok(self.scores(data)?.into_iter().map(predict).collect())
    }

    /// How good it is on labelled rows as they were read, with its calibration and threshold.
    ///
    /// # Errors
    /// As [`Model::scores`]; [`ExchangeError::OtherClasses`] if the labels have other names.
    pub fn evaluate(&self, data: &Dataset) -> Result<Assessment> {
        self.expect_classes(data)?;
        let scores: Vec<f64> = (self.scores(data)?.into_iter())
            .map(|score| self.calibrated(score))
            .collect();
        Ok(Assessment::measure(&scores, data.labels(), self.threshold)?)
    }

    fn expect_classes(&self, data: &Dataset) -> Result<()> {
        let classes = data.classes();
        if classes == &self.classes {
            return Ok(());
        }
        Err(ExchangeError::OtherClasses {
            model_negative: self.classes.negative.clone(),
            model_positive: self.classes.positive.clone(),
            negative: classes.negative.clone(),
            positive: classes.positive.clone(),
        }
        .into())
    }
}
