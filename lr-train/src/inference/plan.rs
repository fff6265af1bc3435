//! What a service and the owner of rows agree on.

use std::{collections::BTreeMap, ops::RangeInclusive};

use arras_ckks::{
    Parameters,
    params::{ParametersSpec, Security},
};
use arras_toolkit::{
    EncodingUnit, Layout, Plan, PlanOptions, Program, Samples, Stage, ToolkitErrorKind,
    plan::KeyRequests,
};
use serde::{Deserialize, Serialize};

use super::{
    Activation, Network,
    record::{ROWS, Recording},
};
use crate::{
    Result, TrainError,
    data::DataError,
    sigmoid::Approximation,
    trainer::{
        ExchangeError, InputShape, PlanId, check_requests,
        files::{ExchangePlan, InferenceContent},
    },
};

/// The version of plans that this build writes, and the only one that it reads.
pub const INFERENCE_VERSION: u32 = 1;
/// Separates identifiers of these plans from every other use of BLAKE3.
const CONTEXT: &str = "lr-train inference plan v1";
/// The most rows of a request.
const MOST_ROWS: usize = 1 << 18;
/// The most entries of all rows of a request, in any layer.
const MOST_ENTRIES: usize = 1 << 22;
/// The most bits after the binary point that scores can be right to.
const MOST_BITS: f64 = 30.0;
/// log2 of the rings that are tried.
const RINGS: RangeInclusive<u32> = 13..=16;
/// Levels at which scores may be delivered: a value that level 0 does not hold may be one that level 1 does.
const DELIVERED: RangeInclusive<usize> = 0..=2;

/// Who knows the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Weights {
    /// The service: it has them in the clear.
    #[default]
    Plain,
    /// The owner of the rows: the service has them encrypted under the rows' key.
    Encrypted,
}

/// A layer without its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct LayerShape {
    /// Its outputs.
    pub outputs: usize,
    /// What it does to its sums.
    #[serde(default)]
    pub activation: Activation,
    /// What encrypted weights and biases are at most in magnitude: a power of two, which is public.
    pub largest: f64,
}

/// A plan as it is written down: nothing in it has been checked. [`InferencePlan`] is one that has been checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct InferenceSpec {
    /// [`INFERENCE_VERSION`].
    pub version: u32,
    /// The most rows of a request.
    pub rows: usize,
    /// Entries of a row.
    pub features: usize,
    /// Whether rows are normalized as a trained model has it before they are encrypted. How, is not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_model: bool,
    /// What entries are multiplied by before they are encrypted.
    pub input_scale: f64,
    /// What they are at most in magnitude then.
    pub largest_input: f64,
    /// Who knows the weights.
    pub weights: Weights,
    /// The level at which rows are encrypted.
    pub level: usize,
    /// The level at which scores are delivered.
    pub delivered: usize,
    /// The layers.
    pub layers: Vec<LayerShape>,
    /// The polynomial that makes scores probabilities on the server, if any.
    #[serde(default)]
    pub sigmoid: Option<Approximation>,
    /// The keys that the service needs.
    pub keys: KeyRequests,
    /// Parameters of the scheme.
    pub parameters: ParametersSpec,
}

/// What a service and the owner of rows agree on before there are keys. It holds no weights in the clear, no rows and no secret.
#[derive(Clone, Debug, PartialEq)]
pub struct InferencePlan {
    spec: InferenceSpec,
    params: Parameters,
    id: PlanId,
}

/// What a plan is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InferenceOptions {
    rows: usize,
    bits: f64,
    weights: Weights,
    sigmoid: Option<Approximation>,
    security: Security,
    threads: usize,
    log_n: RangeInclusive<u32>,
}

impl InferenceOptions {
    /// Requests of up to so many rows, by weights that the service knows, scores right to 12 bits after the binary point.
    pub fn new(rows: usize) -> Self {
        Self {
            rows,
            bits: 12.0,
            weights: Weights::Plain,
            sigmoid: None,
            security: Security::Classical128,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            log_n: RINGS,
        }
    }

    /// Scores right to so many bits after the binary point.
    #[must_use]
    pub fn bits(mut self, bits: f64) -> Self {
        self.bits = bits;
        self
    }

    /// Who knows the weights.
    #[must_use]
    pub fn weights(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }

    /// Has the service make probabilities of scores by this polynomial, which holds for scores on its interval.
    #[must_use]
    pub fn sigmoid(mut self, sigmoid: Approximation) -> Self {
        self.sigmoid = Some(sigmoid);
        self
    }

    /// What parameters promise. **[`Security::InsecureForTests`] gives plans that protect nothing.**
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Threads of the server, for its memory and times.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Ring dimensions to try, as log2, the smallest first: 13 to 16 unless this is called.
    #[must_use]
    pub fn log_n(mut self, log_n: RangeInclusive<u32>) -> Self {
        self.log_n = log_n;
        self
    }
}

/// Plans the use of a network: the cheapest secure parameters of the smallest ring that hold it, and of the next larger one if that takes less time.
///
/// # Errors
/// [`ExchangeError::Unsuitable`] for no or too many rows; the toolkit's for a network that no ring holds.
pub fn plan(network: &Network, options: &InferenceOptions) -> Result<(InferencePlan, Plan)> {
    expect_rows(
        options.rows,
        network.layers().iter().map(|layer| layer.bias.len()),
        network.features(),
    )?;
    if !(1.0..=MOST_BITS).contains(&options.bits) {
        let (found, allowed) = (options.bits.to_string(), "1 to 30");
        return Err(unsuitable("number of bits of scores", &found, allowed));
    }
    let mut best: Option<(InferencePlan, Plan)> = None;
    let mut refused = None;
    for log_n in options.log_n.clone() {
        let before = best.as_ref().map(|(_, plan)| plan.time().seconds());
        match plan_on(network, options, log_n) {
            Ok(found) => {
                let faster = before.is_none_or(|before| found.1.time().seconds() < before);
                if faster {
                    best = Some(found);
                }
                if before.is_some() {
                    break;
                }
            }
            Err(TrainError::Toolkit(error)) if is_too_much(error.kind()) => {
                refused = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match (best, refused) {
        (Some(best), _) => Ok(best),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Err(unsuitable("number of rings", "0", "at least 1")),
    }
}

/// Whether a larger ring, or a higher level of what is delivered, may help.
fn is_too_much(kind: &ToolkitErrorKind) -> bool {
    matches!(
        kind,
        ToolkitErrorKind::TooDeep { .. }
            | ToolkitErrorKind::HeadroomExceeded(_)
            | ToolkitErrorKind::PrecisionNotReached { .. }
            | ToolkitErrorKind::DoesNotFit { .. }
    )
}

fn plan_on(
    network: &Network,
    options: &InferenceOptions,
    log_n: u32,
) -> Result<(InferencePlan, Plan)> {
    let mut spec = InferenceSpec {
        version: INFERENCE_VERSION,
        rows: options.rows,
        features: network.features(),
        of_model: network.is_of_model(),
        input_scale: network.input_scale(),
        largest_input: network.input_bound(),
        weights: options.weights,
        level: 0,
        delivered: 0,
        layers: shapes(network, options.weights),
        sigmoid: options.sigmoid.clone(),
        keys: KeyRequests::default(),
        parameters: Parameters::builder()
            .log_n(log_n)
            .levels(1)
            .security(Security::InsecureForTests)
            .build()
            .map_err(arras_ckks::CkksError::from)?
            .spec()
            .clone(),
    };
    let mut samples = Samples::uniform(-spec.largest_input, spec.largest_input);
    if options.weights == Weights::Encrypted {
        let recording = Recording::new(&spec, log_n)?;
        for (name, value) in recording.weights(network) {
            samples = samples.with_value(name, value);
        }
    }
    let planner = PlanOptions::new(options.bits, samples)
        .security(options.security)
        .threads(options.threads);
    let mut refused = None;
    for delivered in DELIVERED {
        spec.delivered = delivered;
        let recording = Recording::new(&spec, log_n)?;
        let known = (options.weights == Weights::Plain).then_some(network);
        let program = recording.program(known)?;
        match arras_toolkit::plan(&[Stage::once(&program)], &planner) {
            Ok(planned) => {
                spec.level = recording.input_level(&program)?;
                spec.keys = planned.key_requests().clone();
                spec.parameters = planned.parameters().spec().clone();
                return Ok((InferencePlan::allowing_insecure(spec)?, planned));
            }
            Err(error) if matches!(error.kind(), ToolkitErrorKind::HeadroomExceeded(_)) => {
                refused = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(refused.map_or_else(
        || unsuitable("level of delivery", "none", "0 to 2"),
        TrainError::from,
    ))
}

/// Shapes of layers. Of weights in the clear nothing is said.
fn shapes(network: &Network, weights: Weights) -> Vec<LayerShape> {
    let shape = |layer: &super::Layer| LayerShape {
        outputs: layer.bias.len(),
        activation: layer.activation,
        largest: match weights {
            Weights::Plain => 1.0,
            Weights::Encrypted => {
                let numbers = layer.weights.iter().chain(&layer.bias);
                let largest = numbers.fold(0.0f64, |m, x| m.max(x.abs()));
                largest.log2().ceil().max(-20.0).exp2()
            }
        },
    };
    network.layers().iter().map(shape).collect()
}

/// Whether a plan has the level and the keys of a circuit.
fn expect_circuit(
    spec: &InferenceSpec,
    recording: &Recording<'_>,
    program: &Program,
) -> Result<()> {
    let keys = spec.keys.clone().union(&KeyRequests::of(program));
    if recording.input_level(program)? == spec.level && keys == spec.keys {
        return Ok(());
    }
    Err(unsuitable(
        "circuit of these weights",
        "one of other levels or keys than the plan's",
        "the one that the plan was made for",
    ))
}

fn expect_version(found: u32) -> Result<()> {
    let (what, command) = (InferencePlan::NAME, "lr-train infer plan");
    Ok(ExchangeError::expect_version(
        what,
        found,
        INFERENCE_VERSION,
        command,
    )?)
}

/// Checks how many rows there are before anything is made of so many.
fn expect_rows(rows: usize, widths: impl Iterator<Item = usize>, features: usize) -> Result<()> {
    let widest = widths.chain([features]).max().unwrap_or(0);
    if (1..=MOST_ROWS).contains(&rows) && rows.saturating_mul(widest) <= MOST_ENTRIES {
        return Ok(());
    }
    Err(unsuitable(
        "number of rows of a request",
        &rows.to_string(),
        "1 to 2^18, of up to 2^22 entries in any layer,",
    ))
}

fn unsuitable(what: &'static str, found: &str, allowed: &'static str) -> TrainError {
    ExchangeError::Unsuitable {
        what,
        found: found.to_owned(),
        allowed,
    }
    .into()
}

impl ExchangePlan for InferencePlan {
    const NAME: &'static str = "inference plan";

    fn id(&self) -> PlanId {
        self.id
    }

    fn params(&self) -> &Parameters {
        &self.params
    }

    fn key_requests(&self) -> &KeyRequests {
        &self.spec.keys
    }

    fn to_toml(&self) -> Result<String> {
        self.to_toml()
    }

    fn read(text: &str, insecure: bool) -> Result<Self> {
        let spec = Self::spec_from_toml(text)?;
        if insecure {
            Self::allowing_insecure(spec)
        } else {
            Self::new(spec)
        }
    }
}

impl InferencePlan {
    /// Checks a plan, trusting nothing in it; parameters must be secure.
    ///
    /// # Errors
    /// [`ExchangeError::Version`], [`ExchangeError::Unsuitable`]; those of the parameters.
    pub fn new(spec: InferenceSpec) -> Result<Self> {
        Parameters::try_from(spec.parameters.clone()).map_err(arras_ckks::CkksError::from)?;
        Self::allowing_insecure(spec)
    }

    /// Checks a plan as [`InferencePlan::new`] does, but takes **parameters without security** too: for tests only.
    ///
    /// # Errors
    /// As there.
    pub fn allowing_insecure(spec: InferenceSpec) -> Result<Self> {
        expect_version(spec.version)?;
        let params = Parameters::from_spec_allowing_insecure(spec.parameters.clone())
            .map_err(arras_ckks::CkksError::from)?;
        let widths = spec.layers.iter().map(|layer| layer.outputs);
        expect_rows(spec.rows, widths, spec.features)?;
        let numbers = [spec.input_scale, spec.largest_input];
        let largest = spec.layers.iter().map(|layer| layer.largest);
        let numbers = numbers.into_iter().chain(largest);
        for number in numbers {
            if !(number > 0.0 && number <= 1e9) {
                return Err(unsuitable(
                    "bound or scale of an inference plan",
                    &number.to_string(),
                    "a positive number up to 1e9",
                ));
            }
        }
        let expect_levels = |first: usize| {
            if first <= params.max_level() && spec.delivered <= spec.level {
                return Ok(());
            }
            let found = format!("{first} to {}", spec.delivered);
            let allowed = "levels that the parameters have";
            Err(unsuitable("level of an inference plan", &found, allowed))
        };
        expect_levels(spec.level)?;
        check_requests(&spec.keys, &params)?;
        spec.keys.set_bytes(&params)?;
        let recording = Recording::new(&spec, params.log_n())?;
        // With weights in the clear the service, which has them, records the circuit and compares.
        if spec.weights == Weights::Encrypted {
            let program = recording.program(None)?;
            expect_levels(program.levels_needed())?;
            expect_circuit(&spec, &recording, &program)?;
        }
        let bytes =
            postcard::to_stdvec(&spec).map_err(ExchangeError::malformed("inference plan"))?;
        let id = PlanId::from_bytes(blake3::derive_key(CONTEXT, &bytes));
        Ok(Self { spec, params, id })
    }

    /// Everything in it.
    pub fn spec(&self) -> &InferenceSpec {
        &self.spec
    }

    /// What tells it from other plans.
    pub fn id(&self) -> PlanId {
        self.id
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// The plan in TOML.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`].
    pub fn to_toml(&self) -> Result<String> {
        let text = toml::to_string(&self.spec);
        Ok(text.map_err(ExchangeError::malformed("inference plan"))?)
    }

    /// Reads a plan in TOML; parameters must be secure.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`]; as [`InferencePlan::new`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::new(Self::spec_from_toml(text)?)
    }

    /// Reads a plan in TOML without checking more than its version.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`].
    pub fn spec_from_toml(text: &str) -> Result<InferenceSpec> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let malformed = ExchangeError::malformed(Self::NAME);
        // Before the rest, which another version writes otherwise.
        let head: Head = toml::from_str(text).map_err(&malformed)?;
        expect_version(head.version)?;
        Ok(toml::from_str(text).map_err(&malformed)?)
    }

    /// Scores of a row.
    pub fn outputs(&self) -> usize {
        self.spec.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// The circuit with these weights, or with encrypted ones.
    ///
    /// # Errors
    /// [`DataError::Length`] for a network of another shape; [`ExchangeError::Unsuitable`] for one of more levels or other keys than the plan's.
    pub(super) fn program(&self, known: Option<&Network>) -> Result<Program> {
        let recording = Recording::new(&self.spec, self.params.log_n())?;
        if let Some(network) = known {
            self.expect_shape(network)?;
        }
        let program = recording.program(known)?;
        expect_circuit(&self.spec, &recording, &program)?;
        Ok(program)
    }

    /// # Errors
    /// [`DataError::Length`], [`ExchangeError::Unsuitable`] for a network that this plan was not made for.
    pub(super) fn expect_shape(&self, network: &Network) -> Result<()> {
        let (spec, op) = (&self.spec, "apply a network");
        DataError::expect_length(op, "entries of a row", network.features(), spec.features)?;
        DataError::expect_length(op, "layers", network.layers().len(), spec.layers.len())?;
        for (layer, shape) in network.layers().iter().zip(&spec.layers) {
            DataError::expect_length(op, "outputs of a layer", layer.bias.len(), shape.outputs)?;
            if layer.activation != shape.activation {
                return Err(unsuitable(
                    "activation of a layer",
                    &format!("{:?}", layer.activation),
                    "the plan's alone",
                ));
            }
        }
        Ok(())
    }

    /// The inputs that are sent: rows, or weights.
    ///
    /// # Errors
    /// The toolkit's.
    pub(crate) fn shapes(&self, content: InferenceContent) -> Result<Vec<InputShape>> {
        let recording = Recording::new(&self.spec, self.params.log_n())?;
        if content != InferenceContent::Weights {
            return Ok(vec![InputShape {
                name: ROWS.to_owned(),
                level: self.spec.level,
                layout: recording.rows(),
            }]);
        }
        if self.spec.weights == Weights::Plain {
            return Err(unsuitable(
                "kind of weights of the plan",
                "in the clear",
                "encrypted alone",
            ));
        }
        let program = recording.program(None)?;
        let circuit = program.circuit();
        let inputs = circuit.inputs().iter().filter(|input| input.name() != ROWS);
        let shapes = inputs.map(|input| InputShape {
            name: input.name().to_owned(),
            level: circuit.level(input.node()).unwrap_or(0),
            layout: *input.layout(),
        });
        Ok(shapes.collect())
    }

    /// Layout and level of scores.
    ///
    /// # Errors
    /// The toolkit's.
    pub(crate) fn scores_shape(&self) -> Result<(Layout, usize)> {
        let recording = Recording::new(&self.spec, self.params.log_n())?;
        Ok((recording.scores(), self.spec.delivered))
    }

    /// Encrypted weights as inputs of the circuit.
    pub(super) fn weight_inputs(
        &self,
        network: &Network,
    ) -> Result<BTreeMap<String, arras_toolkit::Value>> {
        self.expect_shape(network)?;
        let recording = Recording::new(&self.spec, self.params.log_n())?;
        Ok(recording.weights(network).collect())
    }

    /// The unit in which rows stand.
    pub fn unit(&self) -> Result<EncodingUnit> {
        Recording::new(&self.spec, self.params.log_n()).map(|recording| recording.unit())
    }
}
