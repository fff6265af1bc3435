//! A trained model in the clear.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{Optimizer, Settings, training_rows};
use crate::{
    ModelKind, Result, TrainError,
    circuits::Kind,
    data::{Classes, DataError, Dataset, FeatureTable, Measure, Target},
    metrics::{Accuracy, Assessment, SeveralClasses, Threshold, highest},
    plain::{Calibration, FitError, exact_weights, scores},
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
    /// The classes, of a model that tells them.
    #[serde(default = "Classes::none", skip_serializing_if = "Classes::are_none")]
    pub classes: Classes,
    /// Names of several classes, of a model that tells one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// How the target was standardized, of a model that tells a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// Weights of normalized features, the intercept first; of several classes one after the other.
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
        // Before anything follows from a number of classes.
        let chains = self.settings.model.check();
        chains.map_err(ExchangeError::malformed("model"))?;
        let (what, expected) = (
            "weights (intercept first)",
            (self.preprocessor.features() + 1) * self.settings.model.chains(),
        );
        DataError::expect_length("model", what, self.weights.len(), expected)
            .map_err(ExchangeError::malformed("model"))?;
        ExchangeError::expect_usable("weights", &self.weights, f64::MAX.log2())?;
        let usable = self.measure.as_ref().map(Measure::is_usable);
        let (two, names) = (!self.classes.are_none(), self.class_names.len());
        let fits = match self.settings.model {
            ModelKind::Logistic => (two, names, usable) == (true, 0, None),
            ModelKind::OneVsRest { classes } => (two, names, usable) == (false, classes, None),
            ModelKind::Linear => (two, names, usable) == (false, 0, Some(true)),
        };
        if !fits {
            let error = format!(
                "what it holds of its target is not what a {} model has",
                self.settings.model
            );
            let (what, error) = ("model", error.into());
            return Err(ExchangeError::Malformed { what, error }.into());
        }
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

    /// The scores of every class, rows as they were read: `rows x classes`, one column of a model that has one score.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn class_scores(&self, data: &impl AsRef<FeatureTable>) -> Result<Array2<f64>> {
        let normalized = self.preprocessor.apply(data)?;
        let each = self.preprocessor.features() + 1;
        let mut all = Array2::zeros((normalized.nrows(), self.weights.len() / each));
        for (mut column, weights) in all.columns_mut().into_iter().zip(self.weights.chunks(each)) {
            let scores = scores(&normalized, &Array1::from(weights.to_vec()))?;
            column.assign(&Array1::from(scores));
        }
        Ok(all)
    }

    /// Of a model of several classes, that of the highest score by its position among the names, for rows as they were read.
    ///
    /// # Errors
    /// As [`Model::scores`]; [`DataError::OtherTarget`] for other models.
    pub fn told_classes(&self, data: &impl AsRef<FeatureTable>) -> Result<Vec<usize>> {
        self.expect_several("predict")?;
        let scores = self.class_scores(data)?;
        let rows = scores.rows().into_iter();
        Ok(rows
            .map(|row| Self::told_class(row.iter().copied()))
            .collect())
    }

    /// The position of the highest of a row's scores, which is its class.
    pub fn told_class(scores: impl Iterator<Item = f64>) -> usize {
        highest(scores).unwrap_or(0)
    }

    /// How good a model of several classes is on labelled rows as they were read.
    ///
    /// # Errors
    /// As [`Model::told_classes`]; [`DataError::OtherTarget`] and [`DataError::ClassCount`] for rows of other targets,
    /// [`ExchangeError::OtherClassNames`] for labels of other names.
    pub fn evaluate_classes(&self, data: &Dataset) -> Result<SeveralClasses> {
        self.expect_several("evaluate")?;
        data.expect_for("evaluate", self.settings.model)?;
        let Target::Several { labels, names } = data.target() else {
            return Ok(SeveralClasses::measure(&[], &[], &self.class_names)?);
        };
        if let Some((model, data)) = self.class_names.iter().zip(names).find(|(m, d)| m != d) {
            let (model, data) = (model.clone(), data.clone());
            return Err(ExchangeError::OtherClassNames { model, data }.into());
        }
        Ok(SeveralClasses::measure(
            &self.told_classes(data)?,
            labels,
            names,
        )?)
    }

    fn expect_several(&self, op: &'static str) -> Result<(), DataError> {
        if !self.class_names.is_empty() {
            return Ok(());
        }
        Err(DataError::OtherTarget {
            op,
            model: self.settings.model.name(),
            found: "one of several classes",
            expected: "another",
        })
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
        let scores = self.scores(data)?.into_iter();
        Ok(scores.map(|score| self.prediction(score)).collect())
    }

    /// What a [score](Model::scores) says.
    pub fn prediction(&self, score: f64) -> Prediction {
        let Classes { positive, negative } = &self.classes;
        let calibrated = self.calibrated(score);
        let class = if calibrated > self.threshold.score() {
            positive
        } else {
            negative
        };
        Prediction {
            score,
            probability: sigma(calibrated),
            class: class.clone(),
        }
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

    /// What a model of numbers says of rows as they were read, in the units of the target.
    ///
    /// # Errors
    /// As [`Model::scores`]; [`DataError::OtherTarget`] for a model of classes.
    pub fn values(&self, data: &impl AsRef<FeatureTable>) -> Result<Vec<f64>> {
        let measure = self.expect_measure("values")?;
        let scores = self.scores(data)?.into_iter();
        Ok(scores.map(|score| measure.value(score)).collect())
    }

    /// How near a model of numbers comes to the targets of rows as they were read.
    ///
    /// # Errors
    /// As [`Model::values`]; [`DataError::OtherTarget`] for rows with labels.
    pub fn evaluate_values(&self, data: &Dataset) -> Result<Accuracy> {
        let measure = self.expect_measure("evaluate")?;
        data.expect_for("evaluate", self.settings.model)?;
        let Target::Real { values, .. } = data.target() else {
            return Ok(Accuracy::measure(&[], &[], measure.mean)?);
        };
        Ok(Accuracy::measure(
            &self.values(data)?,
            values,
            measure.mean,
        )?)
    }

    /// The model that the exact solver, of numbers the closed form, fits to rows as they were read: of the same columns with a penalty of
    /// one over the rows, without a calibration. None where columns depend on each other so far that it has no answer.
    ///
    /// # Errors
    /// [`DataError::OtherTarget`] for rows of another model; those of [`training_rows`] and [`exact`](crate::plain::exact).
    pub fn exact(&self, data: &Dataset) -> Result<Option<Self>> {
        data.expect_for("exact solver", self.settings.model)?;
        // Not scaled as another optimizer wants them.
        let examples = training_rows(Optimizer::Nesterov, data, &self.preprocessor)?;
        let weights = match exact_weights(&examples, 1.0 / data.rows() as f64) {
            Err(TrainError::Fit(FitError::Collinear { .. })) => return Ok(None),
            other => other?.to_vec(),
        };
        let fitted = Self {
            weights,
            calibration: None,
            ..self.clone()
        };
        fitted.check()?;
        Ok(Some(fitted))
    }

    fn expect_measure(&self, op: &'static str) -> Result<&Measure> {
        let error = DataError::OtherTarget {
            op,
            model: self.settings.model.name(),
            found: "one of two classes",
            expected: "a number",
        };
        Ok(self.measure.as_ref().ok_or(error)?)
    }

    fn expect_classes(&self, data: &Dataset) -> Result<()> {
        data.expect_for("evaluate", self.settings.model)?;
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
