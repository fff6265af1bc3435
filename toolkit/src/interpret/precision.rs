//! What precision an encrypted run will have, before there is one.

use std::{collections::BTreeMap, fmt};

use arras_ckks::{NoiseModel, Parameters};
use arras_hal::StopToken;
use serde::{Deserialize, Serialize};

use super::{Batch, BrokenAssumption, Interpretation, Noisy, Place, walk};
use crate::{
    Bindings, Cleartext, Program, Result, Samples, ToolkitError, Value,
    program::StepId,
    text::{Table, magnitude},
};

/// Predicts the error of every output, and whether all values stay within the headroom.
///
/// A few trials run the program on plaintext and as [`Noisy`], on inputs of the caller's [`Samples`]; where all inputs are given, one plaintext
/// run serves all trials. The predicted error of an output,
/// or of any numbers that are made of outputs, is the largest difference in any of them and any trial, plus half a bit. Values must stay below the headroom
/// ([`Parameters::headroom_bits`]) of their level; the largest magnitude of any slot is held against it, which suffices
/// but is only necessary for vectors that are nearly constant.
#[derive(Clone, Debug)]
pub struct ScaleAndPrecision {
    params: Parameters,
    samples: Samples,
    trials: usize,
    public: bool,
    stop: StopToken,
}

/// What the prediction has on top of the worst trial: half a bit. Measured over the circuits of this crate's tests and the five training
/// circuits, errors are between a third of what is predicted so and all of it.
const SAFETY: f64 = std::f64::consts::SQRT_2;

impl ScaleAndPrecision {
    /// For these parameters and inputs, with four trials.
    pub fn new(params: &Parameters, samples: Samples) -> Self {
        Self {
            params: params.clone(),
            samples,
            trials: Self::TRIALS,
            public: false,
            stop: StopToken::new(),
        }
    }

    /// Trials, if nothing else is said.
    pub const TRIALS: usize = 4;

    /// More or fewer trials, at least one. The prediction is sharp for outputs of many entries. A single slot's error scatters from run to
    /// run and with the secret's value at it, and may happen to be far smaller than predicted.
    #[must_use]
    pub fn trials(mut self, trials: usize) -> Self {
        self.trials = trials.max(1);
        self
    }

    /// For inputs that are encrypted with the public key.
    #[must_use]
    pub fn public_key(mut self) -> Self {
        self.public = true;
        self
    }

    /// Ends a prediction between two steps once this token is set.
    #[must_use]
    pub fn with_stop_token(mut self, stop: StopToken) -> Self {
        self.stop = stop;
        self
    }

    /// Predicts the error of every output.
    ///
    /// # Errors
    /// Those of [`Noisy::new`] and [`Samples::draw`]; [`crate::ToolkitErrorKind::Stopped`].
    pub fn predict(&self, program: &Program) -> Result<PredictedPrecision> {
        let mut headroom = Headroom::new(&self.params);
        let mut broken = None;
        let mut outputs: BTreeMap<String, OutputPrecision> = BTreeMap::new();
        for (output, &id) in program.circuit().outputs().iter().zip(program.outputs()) {
            let level = program.step(id).level();
            let unknown = OutputPrecision {
                worst_error: 0.0,
                largest: 0.0,
                level,
                headroom_bits: self.params.headroom_bits(level),
            };
            outputs.insert(output.name().to_owned(), unknown);
        }
        self.try_out::<ToolkitError>(program, &mut headroom, |exact, noisy| {
            broken = broken.take().or(exact.broken.first().cloned());
            for (name, of) in &mut outputs {
                // Values beyond the range of doubles have no entries that differ by a finite number.
                let (exact, noisy) = (exact.outputs[name].entries(), noisy[name].entries());
                let largest = exact.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
                of.worst_error = larger(of.worst_error, worst(&exact, &noisy));
                of.largest = larger(of.largest, largest);
            }
            Ok(())
        })?;
        Ok(PredictedPrecision {
            trials: self.trials,
            outputs,
            tightest: headroom.tightest,
            exceeded: headroom.exceeded,
            broken,
        })
    }

    /// Predicts the largest error of any of the numbers that `metric` makes of the outputs, such as the weights of a model.
    ///
    /// # Errors
    /// As [`ScaleAndPrecision::predict`], and those of `metric`.
    pub fn predict_numbers<E: From<ToolkitError>>(
        &self,
        program: &Program,
        metric: impl Fn(&BTreeMap<String, Value>) -> Result<Vec<f64>, E>,
    ) -> Result<PredictedNumbers, E> {
        let mut headroom = Headroom::new(&self.params);
        let (mut worst_error, mut broken) = (0.0, vec![]);
        self.try_out(program, &mut headroom, |exact, noisy| {
            worst_error = larger(
                worst_error,
                worst(&metric(&exact.outputs)?, &metric(noisy)?),
            );
            broken.clone_from(&exact.broken);
            Ok::<_, E>(())
        })?;
        Ok(PredictedNumbers {
            worst_error,
            broken,
        })
    }

    /// Tells the outputs of every trial, exact and with errors.
    fn try_out<E: From<ToolkitError>>(
        &self,
        program: &Program,
        headroom: &mut Headroom,
        mut tell: impl FnMut(&Exact, &BTreeMap<String, Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut exact = self.exact(program, 0, headroom)?;
        for trial in 0..self.trials as u64 {
            if trial > 0 && !self.samples.are_given(program.circuit()) {
                exact = self.exact(program, trial, headroom)?;
            }
            tell(&exact, &self.noisy(program, &exact.inputs, trial)?)?;
        }
        Ok(())
    }

    /// The exact run of a trial.
    fn exact(&self, program: &Program, trial: u64, headroom: &mut Headroom) -> Result<Exact> {
        let inputs = self.samples.draw(program.circuit(), trial)?;
        let plain = Cleartext::new(program, &inputs)?;
        let mut watched = Watched { plain, headroom };
        let outputs = self.outputs(program, &mut watched)?;
        Ok(Exact {
            inputs,
            outputs,
            broken: watched.plain.broken().to_vec(),
        })
    }

    /// The outputs of a trial with errors.
    fn noisy(
        &self,
        program: &Program,
        inputs: &Bindings<Value>,
        trial: u64,
    ) -> Result<BTreeMap<String, Value>> {
        let mut noisy = Noisy::new(program, inputs, &NoiseModel::new(&self.params), trial)?;
        if self.public {
            noisy = noisy.public_key();
        }
        self.outputs(program, &mut noisy)
    }

    /// The outputs of a run, which the token ends.
    fn outputs(
        &self,
        program: &Program,
        run: &mut impl Interpretation<Value = Batch>,
    ) -> Result<BTreeMap<String, Value>> {
        let stop = &self.stop;
        let mut outputs = BTreeMap::new();
        walk(program, &mut Stoppable { run, stop }, |i, slots| {
            let output = &program.circuit().outputs()[i];
            let value = output.layout().unpack("predict", slots)?;
            outputs.insert(output.name().to_owned(), value);
            Ok(())
        })?;
        Ok(outputs)
    }
}

/// The exact run of a trial: its outputs, and assumptions that did not hold.
struct Exact {
    inputs: Bindings<Value>,
    outputs: BTreeMap<String, Value>,
    broken: Vec<BrokenAssumption>,
}

/// A run that a token ends.
struct Stoppable<'r, I> {
    run: &'r mut I,
    stop: &'r StopToken,
}

impl<I: Interpretation> Interpretation for Stoppable<'_, I> {
    type Value = I::Value;

    fn step(&mut self, program: &Program, id: StepId, of: &[&I::Value]) -> Result<I::Value> {
        self.stop.check()?;
        self.run.step(program, id, of)
    }
}

/// The predicted error of numbers: their largest difference and what is on top of it.
fn worst(exact: &[f64], noisy: &[f64]) -> f64 {
    let differences = exact.iter().zip(noisy).map(|(a, b)| SAFETY * (a - b).abs());
    differences.fold(0.0, larger)
}

/// The larger; what is not a number is larger than all.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::INFINITY
    } else {
        a.max(b)
    }
}

/// The exact run, with an eye on magnitudes.
struct Watched<'h> {
    plain: Cleartext,
    headroom: &'h mut Headroom,
}

impl Interpretation for Watched<'_> {
    type Value = Batch;

    fn step(&mut self, program: &Program, id: StepId, of: &[&Batch]) -> Result<Batch> {
        let value = self.plain.step(program, id, of)?;
        self.headroom.see(program, id, self.plain.latest());
        Ok(value)
    }
}

struct Headroom {
    params: Parameters,
    tightest: Option<Magnitude>,
    exceeded: Option<Magnitude>,
}

impl Headroom {
    fn new(params: &Parameters) -> Self {
        Self {
            params: params.clone(),
            tightest: None,
            exceeded: None,
        }
    }

    fn see(&mut self, program: &Program, id: StepId, largest: f64) {
        let step = program.step(id);
        // A pending value has the headroom of the level on which it lands, to within the tolerance of scales.
        let headroom_bits = self.params.headroom_bits(step.level());
        let left = headroom_bits - largest.log2();
        let less = |than: &Option<Magnitude>| than.as_ref().is_none_or(|m| left < m.bits_left());
        let exceeds = left < 0.0 && self.exceeded.as_ref().is_none_or(|m| id.index() < m.step);
        if !less(&self.tightest) && !exceeds {
            return;
        }
        let magnitude = Magnitude {
            place: program.operation_of(id).into(),
            step: id.index(),
            kind: step.name().to_owned(),
            level: step.level(),
            largest,
            headroom_bits,
        };
        if exceeds {
            self.exceeded = Some(magnitude.clone());
        }
        if less(&self.tightest) {
            self.tightest = Some(magnitude);
        }
    }
}

/// The largest magnitude at a step, beside what its level can hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Magnitude {
    /// The operation that the step is part of.
    pub place: Place,
    /// The step, by position in the program.
    pub step: usize,
    /// Its kind.
    pub kind: String,
    /// The level of its result.
    pub level: usize,
    /// The largest magnitude of a slot.
    pub largest: f64,
    /// log2 of what values at this level must stay below.
    pub headroom_bits: f64,
}

impl Magnitude {
    /// Bits between the largest magnitude and the headroom; negative if it exceeds it.
    pub fn bits_left(&self) -> f64 {
        self.headroom_bits - self.largest.log2()
    }
}

impl fmt::Display for Magnitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (step {}, {}): values up to {} at level {}, which holds less than 2^{:.1}",
            self.place,
            self.step,
            self.kind,
            magnitude(self.largest),
            self.level,
            self.headroom_bits
        )
    }
}

/// The prediction for numbers that are made of outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PredictedNumbers {
    /// The predicted largest error of any of them.
    pub worst_error: f64,
    /// The circuit's assumptions that did not hold in the last trial.
    pub broken: Vec<BrokenAssumption>,
}

/// The prediction for an output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutputPrecision {
    /// The predicted largest error of any entry.
    pub worst_error: f64,
    /// The largest magnitude of an entry.
    pub largest: f64,
    /// The level at which it is delivered.
    pub level: usize,
    /// log2 of what values at this level must stay below.
    pub headroom_bits: f64,
}

impl OutputPrecision {
    /// Correct bits after the binary point: `-log2(worst_error)`.
    pub fn bits(&self) -> f64 {
        -self.worst_error.log2()
    }

    /// Bits between the largest magnitude and the headroom; negative if it exceeds it.
    pub fn headroom_left(&self) -> f64 {
        self.headroom_bits - self.largest.log2()
    }
}

/// Predicted precision of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedPrecision {
    trials: usize,
    outputs: BTreeMap<String, OutputPrecision>,
    tightest: Option<Magnitude>,
    exceeded: Option<Magnitude>,
    broken: Option<BrokenAssumption>,
}

impl PredictedPrecision {
    /// Trials it is from.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// The predictions by output.
    pub fn outputs(&self) -> &BTreeMap<String, OutputPrecision> {
        &self.outputs
    }

    /// The prediction for an output.
    pub fn output(&self, name: &str) -> Option<&OutputPrecision> {
        self.outputs.get(name)
    }

    /// The least bits after the binary point of any output.
    pub fn bits(&self) -> f64 {
        let bits = self.outputs.values().map(OutputPrecision::bits);
        bits.fold(f64::INFINITY, f64::min)
    }

    /// The step with the least headroom left.
    pub fn tightest(&self) -> Option<&Magnitude> {
        self.tightest.as_ref()
    }

    /// The first step whose values exceed its headroom, if any.
    pub fn exceeded(&self) -> Option<&Magnitude> {
        self.exceeded.as_ref()
    }

    /// The first assumption of the circuit that did not hold in a trial, if any.
    pub fn broken(&self) -> Option<&BrokenAssumption> {
        self.broken.as_ref()
    }

    /// Whether no value exceeds its headroom, all assumptions hold and all outputs have this many bits after the binary point.
    pub fn suffices(&self, bits: f64) -> bool {
        self.exceeded.is_none() && self.broken.is_none() && self.bits() >= bits
    }
}

impl fmt::Display for PredictedPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new([
            "output",
            "largest",
            "worst error",
            "bits",
            "level",
            "headroom left",
        ]);
        for (name, of) in &self.outputs {
            table.row([
                name.clone(),
                magnitude(of.largest),
                magnitude(of.worst_error),
                format!("{:.1}", of.bits()),
                of.level.to_string(),
                format!("{:.1} bits", of.headroom_left()),
            ]);
        }
        write!(f, "{table}")?;
        if let Some(broken) = &self.broken {
            writeln!(f, "an assumption does not hold: {broken}")?;
        }
        match (&self.exceeded, &self.tightest) {
            (Some(magnitude), _) => write!(f, "headroom exceeded by {magnitude}"),
            (None, Some(magnitude)) => write!(f, "least headroom left: {magnitude}"),
            (None, None) => Ok(()),
        }
    }
}
