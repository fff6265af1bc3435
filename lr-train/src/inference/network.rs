//! Networks in the clear.

use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    data::DataError,
    sigmoid::Approximation,
    trainer::{ExchangeError, Model},
};

/// The version of networks that this build writes, and the only one that it reads.
pub const NETWORK_VERSION: u32 = 1;

/// The most inputs or outputs of a layer.
const MOST_WIDTH: usize = 1 << 14;
/// The most weights of all layers together.
pub(super) const MOST_WEIGHTS: usize = 1 << 24;
/// The most layers: each square takes a level of its own.
const MOST_LAYERS: usize = 16;

/// What a layer does to its sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// Squares them.
    Square,
}

/// A dense layer: `activation(x W + b)` for a row x.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Layer {
    /// W: a row for each input, a column for each output.
    pub weights: Array2<f64>,
    /// b: one for each output.
    pub bias: Array1<f64>,
    /// What is done to the sums.
    pub activation: Activation,
}

/// Dense layers in the clear, with what is known of the rows that they take.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Network {
    layers: Vec<Layer>,
    input_scale: f64,
    largest_input: f64,
    classes: Vec<String>,
    of_model: bool,
}

/// A layer as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLayer {
    weights: Vec<Vec<f64>>,
    bias: Vec<f64>,
    #[serde(default)]
    activation: Activation,
}

/// A network as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    version: u32,
    #[serde(default = "one")]
    input_scale: f64,
    #[serde(default = "one")]
    largest_input: f64,
    #[serde(default)]
    classes: Vec<String>,
    layers: Vec<WrittenLayer>,
}

fn one() -> f64 {
    1.0
}

impl Layer {
    /// A layer.
    ///
    /// # Errors
    /// [`DataError::Length`] unless there is a bias for each column of the weights.
    pub fn new(
        weights: Array2<f64>,
        bias: Array1<f64>,
        activation: Activation,
    ) -> Result<Self, DataError> {
        DataError::expect_length("layer", "biases", bias.len(), weights.ncols())?;
        Ok(Self {
            weights,
            bias,
            activation,
        })
    }
}

impl Network {
    /// A network of these layers, for rows of entries up to 1 in magnitude.
    ///
    /// # Errors
    /// [`DataError::Length`] for layers that do not fit one another; [`ExchangeError::Unsuitable`] for none or too many layers, and
    /// for widths and numbers that none has.
    pub fn new(layers: Vec<Layer>) -> Result<Self> {
        let network = Self {
            layers,
            input_scale: 1.0,
            largest_input: 1.0,
            classes: vec![],
            of_model: false,
        };
        network.check()?;
        Ok(network)
    }

    /// For rows of entries up to this in magnitude, after scaling.
    ///
    /// # Errors
    /// [`ExchangeError::Unsuitable`] unless it is a positive number up to 2^20.
    pub fn largest_input(mut self, largest: f64) -> Result<Self> {
        self.largest_input = largest;
        self.check()?;
        Ok(self)
    }

    /// The network of a trained model, for its normalized rows, whose one output is the linear score; of several classes an output for each.
    ///
    /// # Errors
    /// [`ExchangeError::Unsuitable`] for numbers that no network has.
    pub fn of_model(model: &Model, largest_input: f64) -> Result<Self> {
        let outputs = model.settings.model.chains();
        let each = model.preprocessor.features() + 1;
        let of = |output: usize, feature: usize| model.weights[output * each + feature];
        let layer = Layer {
            weights: Array2::from_shape_fn((each - 1, outputs), |(feature, output)| {
                of(output, feature + 1)
            }),
            bias: Array1::from_shape_fn(outputs, |output| of(output, 0)),
            activation: Activation::None,
        };
        let mut network = Self::new(vec![layer])?;
        network.classes.clone_from(&model.class_names);
        network.of_model = true;
        network.largest_input(largest_input)
    }

    fn check(&self) -> Result<()> {
        let unsuitable = |what: &'static str, found: String, allowed: &'static str| {
            Err(ExchangeError::Unsuitable {
                what,
                found,
                allowed,
            }
            .into())
        };
        if !(1..=MOST_LAYERS).contains(&self.layers.len()) {
            let found = self.layers.len().to_string();
            return unsuitable("number of a network's layers", found, "1 to 16");
        }
        let weights: usize = self.layers.iter().map(|layer| layer.weights.len()).sum();
        if weights > MOST_WEIGHTS {
            let found = weights.to_string();
            return unsuitable("number of a network's weights", found, "up to 2^24");
        }
        let mut inputs = self.layers[0].weights.nrows();
        for layer in &self.layers {
            let (rows, columns) = layer.weights.dim();
            DataError::expect_length("network", "rows of a layer's weights", rows, inputs)?;
            if !(1..=MOST_WIDTH).contains(&rows) || !(1..=MOST_WIDTH).contains(&columns) {
                let found = format!("{rows} x {columns}");
                return unsuitable("size of a layer", found, "1 to 16384 inputs and outputs");
            }
            let numbers = layer.weights.iter().chain(&layer.bias);
            if let Some(number) = numbers.copied().find(|x| !is_within(*x)) {
                return unsuitable(
                    "weight or bias of a layer",
                    number.to_string(),
                    "a number up to 2^20",
                );
            }
            if layer.weights.iter().all(|x| x.abs() < LEAST) {
                let found = "below 2^-30 throughout".to_owned();
                return unsuitable("weights of a layer", found, "one at least that is larger");
            }
            inputs = columns;
        }
        for (what, number) in [
            ("scale of a network's inputs", self.input_scale),
            ("largest input of a network", self.largest_input),
        ] {
            if !(number > 0.0 && number <= LARGEST) {
                return unsuitable(what, number.to_string(), "a positive number up to 2^20");
            }
        }
        if !self.classes.is_empty() {
            DataError::expect_length(
                "network",
                "names of classes",
                self.classes.len(),
                self.outputs(),
            )?;
        }
        Ok(())
    }

    /// Reads a network from JSON, trusting nothing in it: `version` (1), `layers` of `weights` (a row for each input), `bias` and `activation` (`square` or
    /// `none`), and if they are not as usual `input-scale` (which rows are multiplied by, 1), `largest-input` (after it, 1) and `classes`
    /// (a name for each output).
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`]; as [`Network::new`].
    pub fn from_json(text: &str) -> Result<Self> {
        let command = "examples/train_square_network.py";
        let written: Written =
            ExchangeError::read_json(text.as_bytes(), "network", NETWORK_VERSION, command)?;
        let layer = |layer: WrittenLayer| -> Result<Layer> {
            let (rows, columns) = (layer.weights.len(), layer.bias.len());
            for row in &layer.weights {
                DataError::expect_length("network", "weights of an input", row.len(), columns)?;
            }
            let weights = layer.weights.concat();
            let weights = Array2::from_shape_vec((rows, columns), weights);
            let weights = weights.map_err(ExchangeError::malformed("network"))?;
            Ok(Layer::new(weights, layer.bias.into(), layer.activation)?)
        };
        let network = Self {
            layers: written
                .layers
                .into_iter()
                .map(layer)
                .collect::<Result<_>>()?,
            input_scale: written.input_scale,
            largest_input: written.largest_input,
            classes: written.classes,
            of_model: false,
        };
        network.check()?;
        Ok(network)
    }

    /// The network as [`Network::from_json`] reads it.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`] if it cannot be written.
    pub fn to_json(&self) -> Result<String> {
        let layer = |layer: &Layer| WrittenLayer {
            weights: layer
                .weights
                .rows()
                .into_iter()
                .map(|row| row.to_vec())
                .collect(),
            bias: layer.bias.to_vec(),
            activation: layer.activation,
        };
        let written = Written {
            version: NETWORK_VERSION,
            input_scale: self.input_scale,
            largest_input: self.largest_input,
            classes: self.classes.clone(),
            layers: self.layers.iter().map(layer).collect(),
        };
        let text = serde_json::to_string(&written);
        Ok(text.map_err(ExchangeError::malformed("network"))?)
    }

    /// The layers, the first first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Entries of a row.
    pub fn features(&self) -> usize {
        self.layers[0].weights.nrows()
    }

    /// Scores of a row.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.bias.len())
    }

    /// What entries of rows are multiplied by before anything else.
    pub fn input_scale(&self) -> f64 {
        self.input_scale
    }

    /// What they are at most in magnitude then.
    pub fn input_bound(&self) -> f64 {
        self.largest_input
    }

    /// Whether its rows are those of a trained model, normalized.
    pub fn is_of_model(&self) -> bool {
        self.of_model
    }

    /// What its scores are of; empty if they have no names.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Scores of rows in the clear, and what the sigmoid's polynomial makes of them if there is one: what encrypted rows give but for the error of encryption.
    ///
    /// # Errors
    /// [`DataError::Length`] for rows of another length.
    pub fn scores(
        &self,
        rows: &Array2<f64>,
        sigmoid: Option<&Approximation>,
    ) -> Result<Array2<f64>> {
        DataError::expect_length("network", "entries of a row", rows.ncols(), self.features())?;
        let mut values = rows * self.input_scale;
        for layer in &self.layers {
            values = values.dot(&layer.weights) + layer.bias.view().insert_axis(Axis(0));
            if layer.activation == Activation::Square {
                values.mapv_inplace(|x| x * x);
            }
        }
        if let Some(sigmoid) = sigmoid {
            // The approximation is of sigma(-t).
            values.mapv_inplace(|score| sigmoid.eval(-score));
        }
        Ok(values)
    }
}

/// Whether it is a number, and not too large.
fn is_within(number: f64) -> bool {
    number.abs() <= LARGEST
}

/// Weights of which none is as large as this make scores that are the bias alone.
const LEAST: f64 = 1.0 / (1u64 << 30) as f64;
/// The largest weight, bias, scale or input.
const LARGEST: f64 = (1 << 20) as f64;
