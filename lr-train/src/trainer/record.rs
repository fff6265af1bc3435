//! What the client keeps of a data set while it trains elsewhere.

use arras_hal::StopToken;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{
    Optimizer, TrainingPlan,
    exchange::Origin,
    forecast::Forecast,
    ids::RowsDigest,
    model::{MODEL_VERSION, Model},
};
use crate::{
    Result, TrainError,
    circuits::LARGEST_VALUE,
    data::{Classes, DataError, Dataset, Measure, Target},
    metrics::Threshold,
    plain::{Examples, FitError, hessian_bound},
    preprocess::{Preprocessor, Scheme},
    split::Minibatches,
    trainer::ExchangeError,
};

/// The version of records that this build writes, and the only one that it reads.
pub const RECORD_VERSION: u32 = 3;

/// What the client keeps of a data set: how to read the result. **Private**: it holds names and ranges of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
    /// The classes, of a target that has them.
    #[serde(default = "Classes::none", skip_serializing_if = "Classes::are_none")]
    pub classes: Classes,
    /// Names of several classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// How a target that is a number was standardized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// What each column, the intercept first, was multiplied by, and what weights are multiplied by in the end; none for ones.
    pub scaling: Option<Vec<f64>>,
    /// The rows themselves, so that others are told apart.
    pub seal: RowsSeal,
    /// What the training does to the rows, from its twin in the clear; none where nobody has computed it.
    pub forecast: Option<Forecast>,
}

/// A keyed BLAKE3 of the rows that were encrypted, and its key. Rows can be guessed against it by whoever has the record, and by nobody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsSeal {
    key: RowsDigest,
    tag: RowsDigest,
}

impl RowsSeal {
    fn new(key: RowsDigest, examples: &Examples) -> Self {
        let rows = examples.rows();
        let mut hasher = blake3::Hasher::new_keyed(key.as_bytes());
        for size in rows.shape() {
            hasher.update(&(*size as u64).to_le_bytes());
        }
        for value in rows
            .iter()
            .chain(examples.constants().into_iter().flatten())
        {
            hasher.update(&value.to_bits().to_le_bytes());
        }
        let tag = RowsDigest::from_bytes(*hasher.finalize().as_bytes());
        Self { key, tag }
    }
}

impl DatasetRecord {
    /// Reads a record from JSON, trusting nothing in it.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`].
    pub fn from_json(text: &str) -> Result<Self> {
        let (what, command) = ("record of a data set", "lr-train encrypt");
        let record: Self =
            ExchangeError::read_json(text.as_bytes(), what, RECORD_VERSION, command)?;
        record.check()?;
        Ok(record)
    }

    /// # Errors
    /// [`ExchangeError::Malformed`].
    pub(super) fn check(&self) -> Result<()> {
        let what = "record of a data set";
        let kinds = [
            self.measure.is_some(),
            !self.classes.are_none(),
            !self.class_names.is_empty(),
        ];
        if kinds.iter().filter(|kind| **kind).count() != 1 {
            let error = "a target has two classes, several or a measure".into();
            return Err(ExchangeError::Malformed { what, error }.into());
        }
        if let Some(measure) = self.measure.as_ref().filter(|m| !m.is_usable()) {
            let error = format!("mean {:?} and scale {:?}", measure.mean, measure.scale).into();
            return Err(ExchangeError::Malformed { what, error }.into());
        }
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
    ///
    /// # Errors
    /// [`DataError::Length`] for fewer weights than the data have columns; [`ExchangeError::UnusableResult`].
    pub fn model(&self, plan: &TrainingPlan, weights: &Array1<f64>) -> Result<Model> {
        let features = self.preprocessor.features() + 1;
        // Of each training side by side as many as the plan has features, of which the data may have fewer.
        let chains = plan.settings().model.chains();
        let (found, each) = (weights.len(), weights.len() / chains);
        if each < features || each * chains != found {
            return Err(DataError::Length {
                op: "model",
                what: "weights",
                found,
                expected: features * chains,
            }
            .into());
        }
        let one = |f: usize| self.scaling.as_ref().map_or(1.0, |s| s[f]);
        let of = |chain: usize| (0..features).map(move |f| (chain * each + f, f));
        let kept = (0..chains).flat_map(of);
        let weights = kept.map(|(at, f)| weights[at] * one(f)).collect();
        let model = Model {
            version: MODEL_VERSION,
            kind: plan.kind(),
            settings: plan.settings().clone(),
            rows: self.rows,
            classes: self.classes.clone(),
            class_names: self.class_names.clone(),
            measure: self.measure.clone(),
            weights,
            preprocessor: self.preprocessor.clone(),
            calibration: None,
            threshold: Threshold::default(),
        };
        model.check()?;
        Ok(model)
    }
}

/// The rows that a training computes on, normalized, and signed with labels or with standardized targets beside them, scaled as its
/// optimizer needs them.
///
/// # Errors
/// Those of [`Preprocessor::fit`], [`Preprocessor::apply`] and [`Measure::fit`].
pub fn training_rows(
    optimizer: Optimizer,
    data: &Dataset,
    preprocessor: &Preprocessor,
) -> Result<Examples> {
    let width = preprocessor.features() + 1;
    Ok(scaled_rows(optimizer, data, preprocessor, width)?.0)
}

/// [`training_rows`] with columns of zeros up to `width`, and what each column was multiplied by; none for ones.
fn scaled_rows(
    optimizer: Optimizer,
    data: &Dataset,
    preprocessor: &Preprocessor,
    width: usize,
) -> Result<(Examples, Option<Vec<f64>>)> {
    let unsigned = || preprocessor.rows(data, |_| 1.0, width);
    let mut signed = match data.target() {
        Target::Binary { .. } => preprocessor.signed(data, width)?,
        Target::Several { labels, names } => {
            let constants = Array2::from_shape_fn((labels.len(), names.len()), |(row, class)| {
                if labels[row] == class { 0.5 } else { -0.5 }
            });
            return Ok((Examples::side_by_side(unsigned()?, constants)?, None));
        }
        Target::Real { name, values } => {
            let targets = Measure::fit(name, values)?.apply(values);
            return Ok((Examples::new(unsigned()?, targets)?, None));
        }
    };
    if optimizer != Optimizer::FixedHessian {
        return Ok((signed.into(), None));
    }
    // Every column of the data varies, so the bound is positive.
    let mut bounds = hessian_bound(&signed).to_vec();
    bounds.truncate(preprocessor.features() + 1);
    let scaling: Vec<f64> = bounds.iter().map(|h| 1.0 / h.sqrt()).collect();
    for (mut column, scale) in signed.columns_mut().into_iter().zip(&scaling) {
        column *= *scale;
    }
    Ok((signed.into(), Some(scaling)))
}

/// A forecast, unless a value is to blame that is too large: for a ciphertext of data, or, where the training diverges, for one of a result.
fn within(
    plan: &TrainingPlan,
    preprocessor: &Preprocessor,
    signed: &Array2<f64>,
    forecast: impl FnOnce() -> Result<Forecast>,
) -> Result<Forecast> {
    let magnitude = |at: (usize, usize)| signed[at].abs();
    let places = signed.indexed_iter().map(|(at, _)| at);
    let largest = places.max_by(|&a, &b| magnitude(a).total_cmp(&magnitude(b)));
    let too_large = |most: f64| {
        let (row, column) = largest.filter(|&at| magnitude(at) > most)?;
        let (_, name) = preprocessor.kept().nth(column.checked_sub(1)?)?;
        Some(ExchangeError::ValueTooLarge {
            column: name.to_owned(),
            row: row + 1,
            value: magnitude((row, column)),
            most,
        })
    };
    let shapes = plan.data_shapes()?.iter().flatten();
    let params = plan.params();
    let lowest = shapes.map(|shape| params.headroom_bits(shape.level));
    // What the plan says of inputs, and what a ciphertext holds.
    if let Some(error) = too_large(lowest.fold(LARGEST_VALUE.log2(), f64::min).exp2()) {
        return Err(error.into());
    }
    forecast().map_err(|error| match error {
        TrainError::Fit(FitError::Diverged { .. }) => {
            too_large(params.headroom_bits(0).exp2()).map_or(error, TrainError::from)
        }
        other => other,
    })
}

/// A data set ready to be encrypted. It holds the data in the clear.
#[derive(Clone, Debug)]
pub struct PreparedData {
    pub(super) record: DatasetRecord,
    pub(super) examples: Examples,
    pub(super) batches: Minibatches,
}

impl PreparedData {
    /// Fits the normalization to training rows, applies it, and checks that a plan holds the data.
    ///
    /// # Errors
    /// [`DataError::OneClass`], [`DataError::ConstantTarget`], [`DataError::OtherTarget`], [`ExchangeError::BeyondPlan`], [`ExchangeError::ValueTooLarge`], [`FitError::Diverged`]; those of [`Preprocessor::fit`] and [`Preprocessor::apply`].
    pub(super) fn new(
        plan: &TrainingPlan,
        origin: Origin,
        data: &Dataset,
        scheme: Scheme,
        stop: &StopToken,
    ) -> Result<Self> {
        data.expect_for("encrypt", plan.settings().model)?;
        let (positives, rows) = (data.positives(), data.rows());
        let measure = match data.target() {
            Target::Binary { .. } | Target::Several { .. } => None,
            Target::Real { name, values } => Some(Measure::fit(name, values)?),
        };
        let two = matches!(data.target(), Target::Binary { .. });
        if two && (positives == 0 || positives == rows) {
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
        // Columns beyond those of the data are zero: their weights stay zero.
        let (optimizer, width) = (plan.settings().optimizer, plan.features());
        let (examples, scaling) = scaled_rows(optimizer, data, &preprocessor, width)?;
        let forecast = within(plan, &preprocessor, examples.rows(), || {
            Forecast::of(plan, &examples, stop)
        })?;
        let record = DatasetRecord {
            version: RECORD_VERSION,
            origin,
            rows,
            preprocessor,
            classes: data.classes().clone(),
            class_names: data.target().class_names().to_vec(),
            measure,
            scaling,
            seal: RowsSeal::new(RowsDigest::random_key()?, &examples),
            forecast: Some(forecast),
        };
        record.check()?;
        let order = plan.settings().order;
        let batches = Minibatches::of_examples(&examples, plan.minibatch(), order)?;
        Ok(Self {
            record,
            examples,
            batches,
        })
    }

    /// What the client keeps of it.
    pub fn record(&self) -> &DatasetRecord {
        &self.record
    }

    /// Whether a record is that of these rows, in this order and with this normalization.
    pub fn is_of(&self, record: &DatasetRecord) -> bool {
        let parts = |r: &DatasetRecord| {
            (
                r.rows,
                r.classes.clone(),
                r.measure.clone(),
                r.class_names.clone(),
                r.preprocessor.clone(),
                r.scaling.clone(),
            )
        };
        parts(record) == parts(&self.record)
            && record.seal == RowsSeal::new(record.seal.key, &self.examples)
    }

    /// What training computes on, padded to the plan's features.
    pub fn examples(&self) -> &Examples {
        &self.examples
    }

    /// The rows of `count` minibatches from iteration `first`.
    pub fn minibatches(&self, first: usize, count: usize) -> Vec<Examples> {
        self.batches.select(&self.examples, first, count)
    }
}
