//! What a training does to known rows, from its twin in the clear: looked at before anything is encrypted.

use std::fmt;

use arras_hal::StopToken;
use arras_toolkit::text;
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{
    TrainingPlan,
    doubt::{Doubt, beyond, short},
    predict::twin,
};
use crate::{
    Result,
    circuits::LARGEST_VALUE,
    metrics::{highest, log_loss},
    plain::{Examples, History, State, of_chain},
    split::Minibatches,
};

/// Which of its rows a training computes on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Usage {
    /// Rows of the data.
    pub rows: usize,
    /// Those that are in a minibatch or more.
    pub used: usize,
    /// How often the training goes through the data: rows of all minibatches over rows of the data.
    pub passes: f64,
}

impl Usage {
    /// Of a training of so many iterations.
    pub fn of(batches: &Minibatches, iterations: usize) -> Self {
        let rows = batches.rows();
        let mut seen = vec![false; rows];
        let mut used = 0;
        for batch in batches.starting_at(0).take(iterations) {
            for row in batch {
                used += usize::from(!std::mem::replace(&mut seen[row], true));
            }
            if used == rows {
                break;
            }
        }
        let passes = (iterations * batches.size()) as f64 / rows as f64;
        Self { rows, used, passes }
    }

    /// What is to be said of a training that does not go through its data once; nothing of others.
    pub fn doubt(&self) -> Option<String> {
        (self.passes < 1.0 && self.used < self.rows).then(|| {
            format!(
                "the training uses {} of {} rows, less than one pass: raise --iterations or --minibatch where the rest is to count",
                self.used, self.rows
            )
        })
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, used, passes } = self;
        write!(f, "{used} of {rows} rows, in {passes:.2} passes")
    }
}

/// What a training does to known rows. **Private** like the rows themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Forecast {
    /// Rows that it computes on.
    pub usage: Usage,
    /// Half the interval on which the polynomial is near the sigmoid.
    pub interval: f64,
    /// The largest `|z v|`, which the polynomial is evaluated at.
    #[serde(with = "number")]
    pub largest_input: f64,
    /// The iteration, from 0, that first left the interval.
    pub left_in: Option<usize>,
    /// The row, from 0, that was farthest outside then.
    pub left_by: Option<usize>,
    /// The largest weight or gradient of any iteration.
    #[serde(with = "number", default)]
    pub largest_value: f64,
    /// Its iteration, from 0.
    #[serde(default)]
    pub largest_value_in: usize,
    /// The largest weight in the end.
    #[serde(with = "number")]
    pub largest_weight: f64,
    /// log2 of what weights may be: what the circuits assume, and what a ciphertext of a result can hold.
    pub headroom: f64,
    /// The lowest and the highest score of any row in the end.
    #[serde(with = "numbers")]
    pub scores: [f64; 2],
    /// Mean log loss over all rows in the end, weighed by class as in training, of a model of two classes; `ln 2` is that of a model that knows nothing.
    #[serde(
        with = "maybe_number",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub log_loss: Option<f64>,
    /// Rows that the model takes for positive in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_for_positive: Option<usize>,
    /// Rows that are positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<usize>,
    /// Mean squared error over all rows in the end, of a model of standardized numbers; 1 is that of a model that knows nothing.
    #[serde(
        with = "maybe_number",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub squared_error: Option<f64>,
    /// The share of rows that a model of several classes takes for what they are in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
}

/// What a plan trains, in the clear: its minibatches and every iteration.
pub(super) fn in_the_clear(
    plan: &TrainingPlan,
    z: &Examples,
    stop: &StopToken,
) -> Result<(Minibatches, History)> {
    let settings = plan.settings();
    let mut plain = settings.plain_of(z)?;
    plain.batches = Minibatches::of_examples(z, plan.minibatch(), settings.order)?;
    let (history, _) = twin(settings.optimizer, z, &plain, stop)?;
    Ok((plain.batches, history))
}

impl Forecast {
    /// Trains in the clear on examples as [`training_rows`](super::training_rows) makes them, or padded to the plan's features.
    ///
    /// # Errors
    /// [`FitError::Diverged`](crate::plain::FitError::Diverged); those of the data's shape;
    /// [`ToolkitErrorKind::Stopped`](arras_toolkit::ToolkitErrorKind::Stopped) once the token is set.
    pub fn of(plan: &TrainingPlan, z: &Examples, stop: &StopToken) -> Result<Self> {
        let (batches, history) = in_the_clear(plan, z, stop)?;
        Self::after(plan, z, &batches, &history)
    }

    fn after(
        plan: &TrainingPlan,
        examples: &Examples,
        batches: &Minibatches,
        history: &History,
    ) -> Result<Self> {
        let z = examples.rows();
        let weights = history.weights().cloned();
        let weights = weights.unwrap_or_else(|| State::zero(z.ncols() * examples.chains()).w);
        if examples.chains() > 1 {
            return Self::side_by_side(plan, examples, batches, history, &weights);
        }
        let margins = z.dot(&weights);
        let targets = examples.constants().map(|c| c.column(0));
        // Signed rows have the label in the intercept's column.
        let labels: Vec<bool> = z.column(0).iter().map(|y| *y > 0.0).collect();
        let sign = |label: bool| if label { 1.0 } else { -1.0 };
        let scores: Vec<f64> = (margins.iter().zip(&labels))
            .map(|(margin, label)| margin * sign(*label))
            .collect();
        let count = |of: &dyn Fn(usize) -> bool| {
            let counted = (0..labels.len()).filter(|&row| of(row)).count();
            targets.is_none().then_some(counted)
        };
        let squared_error = targets.map(|y| {
            let squares = y.iter().zip(&scores).map(|(y, score)| (y - score).powi(2));
            squares.sum::<f64>() / labels.len() as f64
        });
        let mut forecast = Self::of_weights(plan, batches, history, &weights, &scores);
        forecast.log_loss = match targets {
            None => Some(mean_loss(&scores, &labels, batches)?),
            Some(_) => None,
        };
        forecast.taken_for_positive = count(&|row| scores[row] > 0.0);
        forecast.positive = count(&|row| labels[row]);
        forecast.squared_error = squared_error;
        Ok(forecast)
    }

    /// Of a model of several classes: the class of the highest score is told.
    fn side_by_side(
        plan: &TrainingPlan,
        examples: &Examples,
        batches: &Minibatches,
        history: &History,
        weights: &Array1<f64>,
    ) -> Result<Self> {
        let (rows, features) = examples.rows().dim();
        let chains = (0..examples.chains()).map(|chain| of_chain(weights, chain, features));
        let scores: Vec<Array1<f64>> = chains.map(|w| examples.rows().dot(&w)).collect();
        let all: Vec<f64> = scores.iter().flatten().copied().collect();
        let mut forecast = Self::of_weights(plan, batches, history, weights, &all);
        let right = |row: usize| {
            let told = highest(scores.iter().map(|of_class| of_class[row]));
            let constants = examples.constants();
            told == constants.and_then(|c| highest(c.row(row).iter().copied()))
        };
        let right = (0..rows).filter(|&row| right(row)).count();
        forecast.accuracy = Some(right as f64 / rows as f64);
        Ok(forecast)
    }

    /// What there is to say of any model; the rest is open.
    fn of_weights(
        plan: &TrainingPlan,
        batches: &Minibatches,
        history: &History,
        weights: &Array1<f64>,
        scores: &[f64],
    ) -> Self {
        let values = history.iterations().iter().map(|iteration| {
            let weights = iteration.weights.iter().map(|w| w.abs());
            weights.fold(iteration.largest_step, f64::max)
        });
        let (largest_value_in, largest_value) = (history.first()..)
            .zip(values)
            .fold((0, 0.0), |most, at| if at.1 > most.1 { at } else { most });
        let left = history.left_interval();
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        Self {
            usage: Usage::of(batches, plan.settings().iterations),
            interval: plan.settings().activation.bound(),
            largest_input: history.largest_t(),
            left_in: left.map(|left| left.iteration),
            left_by: left.map(|left| left.row),
            largest_value,
            largest_value_in,
            largest_weight: largest(&mut weights.iter().map(|w| w.abs())),
            headroom: plan.params().headroom_bits(0).min(LARGEST_VALUE.log2()),
            scores: [
                scores.iter().copied().fold(f64::INFINITY, f64::min),
                scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ],
            log_loss: None,
            taken_for_positive: None,
            positive: None,
            squared_error: None,
            accuracy: None,
        }
    }

    /// What is wrong with such a training. `error` is the predicted error of any weight, where one was predicted.
    pub fn doubts(&self, error: Option<f64>) -> Vec<Doubt> {
        let mut doubts = vec![];
        let most = self.headroom.exp2();
        let (largest, iteration) = (self.largest_value, self.largest_value_in);
        if beyond(largest, most) {
            doubts.push(Doubt::Headroom {
                iteration,
                largest,
                most,
            });
        }
        let bound = self.interval;
        if let (Some(iteration), Some(row)) = (self.left_in, self.left_by) {
            let largest = self.largest_input;
            doubts.push(Doubt::Interval {
                iteration,
                row,
                largest,
                bound,
            });
        }
        let [lowest, highest] = self.scores;
        if lowest < -bound || highest > bound {
            doubts.push(Doubt::Scores {
                lowest,
                highest,
                bound,
            });
        }
        let weight = self.largest_weight;
        if let Some(error) = error.filter(|error| beyond(*error, weight * LARGEST_ERROR)) {
            doubts.push(Doubt::Error { error, weight });
        }
        let rows = self.usage.rows;
        if let (Some(taken), Some(positive)) = (self.taken_for_positive, self.positive)
            && (taken == 0 || taken == rows)
            && (1..rows).contains(&positive)
        {
            doubts.push(Doubt::OneClass {
                positive: taken > 0,
                rows,
                others: if taken > 0 { rows - positive } else { positive },
            });
        }
        if let Some(loss) = self.log_loss.filter(|loss| *loss > std::f64::consts::LN_2) {
            doubts.push(Doubt::Loss { loss });
        }
        if let Some(error) = self.squared_error.filter(|error| beyond(*error, 1.0)) {
            doubts.push(Doubt::SquaredError { error });
        }
        doubts
    }
}

/// The mean log loss, of classes with the shares that they have in training.
fn mean_loss(scores: &[f64], labels: &[bool], batches: &Minibatches) -> Result<f64> {
    let Some(share) = batches.weighted_share() else {
        return Ok(log_loss(scores, labels)?);
    };
    let of = |class: bool| {
        let rows = scores
            .iter()
            .zip(labels)
            .filter(|(_, label)| **label == class);
        let scores: Vec<f64> = rows.map(|(score, _)| *score).collect();
        log_loss(&scores, &vec![class; scores.len()])
    };
    Ok(share * of(true)? + (1.0 - share) * of(false)?)
}

/// An error of this part of the largest weight is a wrong model.
const LARGEST_ERROR: f64 = 0.1;
impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::line(f, "rows used", self.usage)?;
        let [lowest, highest] = self.scores.map(short);
        let inputs = match self.squared_error {
            None => "inputs of the sigmoid",
            Some(_) => "standard deviations of the target; inner products",
        };
        let scores = format!(
            "{lowest} to {highest} in the end, {inputs} to {} of {}",
            short(self.largest_input),
            self.interval
        );
        text::line(f, "scores", scores)?;
        if let Some(loss) = self.log_loss {
            let loss = format!("{} in the end, of 0.693", short(loss));
            text::line(f, "log loss", loss)?;
        }
        if let Some(error) = self.squared_error {
            let error = format!("{} of the target's variance in the end", short(error));
            text::line(f, "squared error", error)?;
        }
        if let Some(accuracy) = self.accuracy {
            let accuracy = format!("{} in the end", text::percent(accuracy));
            text::line(f, "accuracy", accuracy)?;
        }
        Ok(())
    }
}

/// Numbers that may be infinite or none: JSON has no such numbers, and `null` would say nothing.
pub(super) mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Number {
        Finite(f64),
        Named(String),
    }

    impl From<f64> for Number {
        fn from(value: f64) -> Self {
            if value.is_finite() {
                Self::Finite(value)
            } else {
                Self::Named(value.to_string())
            }
        }
    }

    impl Number {
        pub(super) fn value<E: serde::de::Error>(self) -> Result<f64, E> {
            match self {
                Self::Finite(value) => Ok(value),
                Self::Named(name) => name.parse().map_err(E::custom),
            }
        }
    }

    pub(in super::super) fn serialize<S: Serializer>(
        value: &f64,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        Number::from(*value).serialize(to)
    }

    pub(in super::super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<f64, D::Error> {
        Number::deserialize(from)?.value()
    }
}

mod numbers {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::number::Number;

    pub(super) fn serialize<S: Serializer>(values: &[f64; 2], to: S) -> Result<S::Ok, S::Error> {
        values.map(Number::from).serialize(to)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<[f64; 2], D::Error> {
        let [low, high] = <[Number; 2]>::deserialize(from)?;
        Ok([low.value()?, high.value()?])
    }
}

/// As [`number`], for what may be absent.
pub(super) mod maybe_number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::number::Number;

    pub(in super::super) fn serialize<S: Serializer>(
        value: &Option<f64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Number::from).serialize(to)
    }

    pub(in super::super) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<Option<f64>, D::Error> {
        let number = Option::<Number>::deserialize(from)?;
        number.map(Number::value).transpose()
    }
}
