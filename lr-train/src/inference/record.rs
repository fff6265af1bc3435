//! The circuit of a network.

use arras_toolkit::{
    EncodingUnit, Layout, Matrix, Polynomial, Program, Recorder, RowVector, Value,
    linalg::{Dot, PlainMatrix},
};
use ndarray::{Array2, Axis, Ix2};

use super::{Activation, InferenceSpec, Layer, Network, Weights, network::MOST_WEIGHTS};
use crate::{Result, circuits::CircuitError, trainer::ExchangeError};

pub(super) const ROWS: &str = "rows";
pub(super) const SCORES: &str = "scores";

/// The most entries of masks while the circuit of encrypted weights is recorded. Products of matrices in units that are wider than high mask each
/// diagonal in many parts: just below this recording held 3.2 GB for 19 s (units of 4 x 1024, two layers of 128 outputs and one of 10).
const MOST_MASKS: usize = 3 << 29;

/// What the circuit of a network follows from.
pub(super) struct Recording<'a> {
    spec: &'a InferenceSpec,
    unit: EncodingUnit,
}

impl<'a> Recording<'a> {
    /// Rows below each other, in the narrowest unit that holds the widest layer, or in several side by side.
    pub(super) fn new(spec: &'a InferenceSpec, log_n: u32) -> Result<Self> {
        if !(1..=16).contains(&spec.layers.len()) {
            return Err(ExchangeError::Unsuitable {
                what: "number of layers of an inference plan",
                found: spec.layers.len().to_string(),
                allowed: "1 to 16",
            }
            .into());
        }
        let outputs = spec.layers.iter().map(|layer| layer.outputs);
        let mut widest = outputs.chain([spec.features]);
        if let Some(width) = widest.clone().find(|width| !(1..=1 << 14).contains(width)) {
            return Err(ExchangeError::Unsuitable {
                what: "width of a layer of an inference plan",
                found: width.to_string(),
                allowed: "1 to 16384",
            }
            .into());
        }
        let width = widest.by_ref().max().unwrap_or(1).next_power_of_two();
        let slots = 1usize << (log_n - 1);
        let width = width.min(slots);
        let unit = EncodingUnit::new(slots / width, width)?;
        let recording = Self { spec, unit };
        let weights = recording.sizes().map(|(inputs, outputs)| inputs * outputs);
        let masks = recording.masks();
        for (what, found, most, allowed) in [
            (
                "number of weights",
                weights.sum(),
                MOST_WEIGHTS,
                "up to 2^24",
            ),
            (
                "size of the circuit of encrypted weights, in entries of masks,",
                masks,
                MOST_MASKS,
                "up to 3 * 2^29; narrower layers, or weights in the clear,",
            ),
        ] {
            if found > most {
                let found = found.to_string();
                return Err(ExchangeError::Unsuitable {
                    what,
                    found,
                    allowed,
                }
                .into());
            }
        }
        Ok(recording)
    }

    /// Inputs and outputs of the layers, each at most 2^14.
    fn sizes(&self) -> impl Iterator<Item = (usize, usize)> {
        let outputs = self.spec.layers.iter().map(|layer| layer.outputs);
        let inputs = std::iter::once(self.spec.features).chain(outputs.clone());
        inputs.zip(outputs)
    }

    /// Entries of the masks of products with encrypted weights: of each diagonal, in each part of it.
    fn masks(&self) -> usize {
        let (spec, unit) = (self.spec, self.unit);
        let (height, width) = (unit.height(), unit.width());
        let of_layer = |(inputs, outputs): (usize, usize)| {
            let diagonals = width.min(inputs + outputs);
            let blocks = inputs.div_ceil(width) * outputs.div_ceil(width);
            diagonals * width.div_ceil(height) * unit.slots() * blocks
        };
        let mut sizes = self.sizes();
        match spec.weights {
            Weights::Encrypted if !sizes.any(|size| is_vector(size.1, spec.layers.len())) => {
                self.sizes().map(of_layer).sum()
            }
            _ => 0,
        }
    }

    pub(super) fn unit(&self) -> EncodingUnit {
        self.unit
    }

    /// Layout of rows.
    pub(super) fn rows(&self) -> Layout {
        Layout::matrix(self.spec.rows, self.spec.features, self.unit)
    }

    /// Layout of scores.
    pub(super) fn scores(&self) -> Layout {
        let (spec, unit) = (self.spec, self.unit);
        let outputs = spec.layers.last().map_or(1, |layer| layer.outputs);
        let is_vector = is_vector(outputs, spec.layers.len());
        if spec.weights == Weights::Encrypted && is_vector {
            return Layout::row_vector(spec.rows, unit);
        }
        Layout::matrix(spec.rows, outputs, unit)
    }

    /// The level at which rows are needed.
    pub(super) fn input_level(&self, program: &Program) -> Result<usize> {
        let level = program
            .circuit()
            .input_levels()
            .get(ROWS)
            .copied()
            .flatten();
        let missing = CircuitError::MissingResult { name: ROWS.into() };
        Ok(level.ok_or(missing)?)
    }

    /// Encrypted weights and biases by the names of their inputs.
    pub(super) fn weights(&self, network: &Network) -> impl Iterator<Item = (String, Value)> {
        let rows = self.spec.rows;
        let inputs = |(at, layer): (usize, &Layer)| {
            let bias = layer.bias.view().insert_axis(Axis(0));
            let bias = bias
                .broadcast((rows, layer.bias.len()))
                .map(|b| b.to_owned());
            let bias = bias.unwrap_or_default();
            if is_vector(layer.bias.len(), network.layers().len()) {
                let column = layer.weights.column(0).to_owned();
                let bias = bias.column(0).to_owned();
                [
                    (name("weights", at), column.into()),
                    (name("bias", at), bias.into()),
                ]
            } else {
                [
                    (name("weights", at), (&layer.weights).into()),
                    (name("bias", at), bias.into()),
                ]
            }
        };
        let all: Vec<_> = network
            .layers()
            .iter()
            .enumerate()
            .flat_map(inputs)
            .collect();
        all.into_iter()
    }

    /// The circuit for weights in the clear, or without them for encrypted ones.
    pub(super) fn program(&self, known: Option<&Network>) -> Result<Program> {
        let spec = self.spec;
        let recorder = Recorder::new(self.unit.slots())?;
        let rows = recorder.matrix(ROWS, spec.rows, spec.features, self.unit);
        recorder.assume(&rows, spec.largest_input);
        let scores = match known {
            Some(network) => Scores::Many(plain(&recorder, &rows, network, spec.rows)),
            None => self.encrypted(&recorder, &rows),
        };
        let scores = match &spec.sigmoid {
            Some(sigmoid) => {
                // The approximation is of sigma(-t).
                let even = sigmoid.coefficients();
                let flipped = even.iter().enumerate();
                let flipped = flipped.map(|(k, c)| if k % 2 == 1 { -c } else { *c });
                let flipped: Vec<f64> = flipped.collect();
                let bound = sigmoid.bound();
                scores.polynomial(&Polynomial::monomial(&flipped)?.on(-bound, bound)?)
            }
            None => scores,
        };
        scores.output(&recorder, spec.delivered);
        Ok(Program::new(recorder.finish()?))
    }

    fn encrypted(&self, recorder: &Recorder, rows: &Matrix) -> Scores {
        let (spec, unit) = (self.spec, self.unit);
        let count = spec.layers.len();
        let mut values = rows.clone();
        let mut inputs = spec.features;
        for (at, shape) in spec.layers.iter().enumerate() {
            let _section = recorder.section(&format!("layer {}", at + 1));
            let (weights, bias) = (name("weights", at), name("bias", at));
            if is_vector(shape.outputs, count) {
                let weights = recorder.column_vector(&weights, inputs, unit);
                let bias = recorder.row_vector(&bias, spec.rows, unit);
                recorder.assume(&weights, shape.largest);
                recorder.assume(&bias, shape.largest);
                let scores = values.dot(&weights).add(&bias);
                return Scores::One(match shape.activation {
                    Activation::Square => scores.square(),
                    Activation::None => scores,
                });
            }
            let weights = recorder.matrix(&weights, inputs, shape.outputs, unit);
            let bias = recorder.matrix(&bias, spec.rows, shape.outputs, unit);
            recorder.assume(&weights, shape.largest);
            recorder.assume(&bias, shape.largest);
            values = values.dot(&weights).add(&bias);
            if shape.activation == Activation::Square {
                values = values.square();
            }
            inputs = shape.outputs;
        }
        Scores::Many(values)
    }
}

/// Whether a layer's weights are a vector: those of one layer with one output. Sums of rows then take fewer rotations.
fn is_vector(outputs: usize, layers: usize) -> bool {
    outputs == 1 && layers == 1
}

fn name(what: &str, layer: usize) -> String {
    format!("{what} {}", layer + 1)
}

fn plain(recorder: &Recorder, rows: &Matrix, network: &Network, count: usize) -> Matrix {
    let mut values = rows.clone();
    for (at, layer) in network.layers().iter().enumerate() {
        let _section = recorder.section(&format!("layer {}", at + 1));
        let bias = layer.bias.view().insert_axis(Axis(0));
        let bias = bias.broadcast((count, layer.bias.len()));
        let bias = bias.map(|b| b.to_owned()).unwrap_or_default();
        values = values
            .dot(&PlainMatrix::from(&layer.weights))
            .add_plain(bias);
        if layer.activation == Activation::Square {
            values = values.square();
        }
    }
    values
}

/// What comes out: a vector if every row has one score.
enum Scores {
    One(RowVector),
    Many(Matrix),
}

impl Scores {
    fn polynomial(&self, polynomial: &Polynomial) -> Self {
        match self {
            Self::One(scores) => Self::One(scores.polynomial(polynomial)),
            Self::Many(scores) => Self::Many(scores.polynomial(polynomial)),
        }
    }

    fn output(&self, recorder: &Recorder, level: usize) {
        match self {
            Self::One(scores) => recorder.output_at(SCORES, scores, level),
            Self::Many(scores) => recorder.output_at(SCORES, scores, level),
        }
    }
}

/// Scores as they are decrypted: a row for each row.
pub(super) fn scores_of(value: Value) -> Array2<f64> {
    match value {
        Value::Matrix(scores) => scores,
        Value::Vector(scores) => scores.insert_axis(Axis(1)),
        other => {
            let entries = other.entries();
            let column = Array2::from_shape_vec((entries.len(), 1), entries);
            column
                .ok()
                .and_then(|m| m.into_dimensionality::<Ix2>().ok())
                .unwrap_or_default()
        }
    }
}
