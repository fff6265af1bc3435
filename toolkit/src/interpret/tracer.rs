//! An encrypted run beside a plaintext one, step by step.

use std::{fmt, sync::Arc};

use arras_ckks::{Ciphertext, Decryptor, SecretKey};
use arras_hal::{Named, SecretEngine};
use serde::{Deserialize, Serialize};

use super::{Batch, Interpretation, Place, walk};
use crate::{
    Bindings, Cleartext, Homomorphic, Program, Result, ToolkitError, ToolkitErrorKind, Value,
    encrypted::Encrypted,
    program::{Form, StepId},
    run::Stepwise,
    text::magnitude,
};

/// How far a decrypted slot may be from the plaintext one: `absolute + relative * m`, where m is the largest magnitude of the
/// step's plaintext slots.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// In units of the values.
    pub absolute: f64,
    /// As part of the step's largest magnitude.
    pub relative: f64,
}

impl Bound {
    /// An absolute bound.
    pub fn absolute(absolute: f64) -> Self {
        Self {
            absolute,
            relative: 0.0,
        }
    }

    /// A bound relative to a step's largest magnitude, and absolute for what is smaller than 1.
    pub fn relative(relative: f64) -> Self {
        Self {
            absolute: relative,
            relative,
        }
    }

    fn allowed(&self, largest: f64) -> f64 {
        self.absolute + self.relative * largest
    }
}

/// Runs a program on ciphertexts and on plaintext in lock step, decrypts every step and stops at the first that is off by more
/// than a bound. Products that are pending are settled for the look at them. For the holder of the secret key only.
pub struct Tracer<'a, S: SecretEngine> {
    stepwise: Stepwise<'a, S>,
    homomorphic: &'a Homomorphic<S>,
    plaintext: Cleartext,
    decryptor: Decryptor<'a, S>,
    bound: Bound,
    report: TraceReport,
}

impl<'a, S: SecretEngine> Tracer<'a, S> {
    /// For a program with these inputs, encrypted and in the clear.
    ///
    /// # Errors
    /// As [`Homomorphic::run`] before the first step, and as [`Cleartext::new`].
    pub fn new(
        program: &Program,
        homomorphic: &'a Homomorphic<S>,
        secret: &'a SecretKey<S>,
        encrypted: &'a Bindings<Encrypted<S>>,
        inputs: &Bindings<Value>,
        bound: Bound,
    ) -> Result<Self> {
        Ok(Self {
            stepwise: Stepwise::new(homomorphic, program, encrypted)?,
            homomorphic,
            plaintext: Cleartext::new(program, inputs)?,
            decryptor: Decryptor::new(secret),
            bound,
            report: TraceReport::default(),
        })
    }

    /// Runs the program to its end, or to the first step that is off.
    ///
    /// # Errors
    /// The scheme's, with the place of the operation. A step that is off is no error but [`TraceReport::deviation`].
    pub fn run(mut self, program: &Program) -> Result<TraceReport> {
        match walk(program, &mut self, |_, _| Ok(())) {
            Ok(()) => Ok(self.report),
            Err(_) if self.report.deviation.is_some() => Ok(self.report),
            Err(error) => Err(error),
        }
    }

    /// What was seen so far.
    pub fn report(&self) -> &TraceReport {
        &self.report
    }

    fn compare(
        &mut self,
        program: &Program,
        id: StepId,
        ciphertext: &Ciphertext<S>,
        expected: &[Vec<f64>],
    ) -> Result<()> {
        let settled;
        let inspected = if ciphertext.is_pending() {
            settled = self
                .homomorphic
                .evaluator()
                .relinearize_and_rescale(ciphertext)?;
            &settled
        } else {
            ciphertext
        };
        let actual = self.decryptor.decrypt_unchecked(inspected)?;
        let largest = expected
            .iter()
            .flatten()
            .fold(0.0, |m: f64, x| m.max(x.abs()));
        let slots = expected.iter().zip(&actual).enumerate();
        let worst = slots
            .flat_map(|(unit, (e, a))| {
                let slots = e.iter().zip(a).enumerate();
                slots.map(move |(slot, (&e, &a))| (unit, slot, e, a))
            })
            .map(|at| {
                let error = (at.2 - at.3).abs();
                // What is no number is as wrong as can be.
                (if error.is_nan() { f64::INFINITY } else { error }, at)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((error, (unit, slot, expected, actual))) = worst else {
            return Ok(());
        };
        self.report.steps += 1;
        let allowed = self.bound.allowed(largest);
        let step = program.step(id);
        let deviation = || Deviation {
            place: program.operation_of(id).into(),
            kind: step.name().to_owned(),
            step: id.index(),
            unit,
            slot,
            expected,
            actual,
            error,
            allowed,
            largest,
            level: ciphertext.level(),
            headroom_bits: inspected
                .context()
                .params()
                .headroom_bits(inspected.level()),
            log2_scale: ciphertext.scale().log2(),
            form: step.form(),
            operands: program
                .operation_of(id)
                .operands()
                .iter()
                .map(|o| (&program.circuit().operations()[o.index()]).into())
                .collect(),
        };
        if error > allowed || allowed.is_nan() {
            let deviation = self.report.deviation.insert(deviation());
            let error = ToolkitError::from(ToolkitErrorKind::Deviates(deviation.to_string()));
            return Err(error.named("debug"));
        }
        if self.report.worst.as_ref().is_none_or(|w| error > w.error) {
            self.report.worst = Some(deviation());
        }
        Ok(())
    }
}

impl<S: SecretEngine> Interpretation for Tracer<'_, S> {
    type Value = (Arc<Ciphertext<S>>, Batch);

    fn step(&mut self, program: &Program, id: StepId, of: &[&Self::Value]) -> Result<Self::Value> {
        let encrypted: Vec<_> = of.iter().map(|o| &o.0).collect();
        let plain: Vec<_> = of.iter().map(|o| &o.1).collect();
        let ciphertext = self.stepwise.step(program, id, &encrypted)?;
        let expected = self.plaintext.step(program, id, &plain)?;
        self.compare(program, id, &ciphertext, &expected)?;
        Ok((ciphertext, expected))
    }
}

/// A step of an encrypted run beside its plaintext, at the slot where they differ most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deviation {
    /// The operation that the step is part of.
    pub place: Place,
    /// The step's kind.
    pub kind: String,
    /// The step, by position in the program.
    pub step: usize,
    /// The ciphertext of the batch.
    pub unit: usize,
    /// The slot.
    pub slot: usize,
    /// The slot's value in plaintext.
    pub expected: f64,
    /// The slot's value, decrypted.
    pub actual: f64,
    /// Their difference.
    pub error: f64,
    /// What the bound allows here.
    pub allowed: f64,
    /// The largest magnitude of the step's plaintext slots.
    pub largest: f64,
    /// The ciphertext's level.
    pub level: usize,
    /// log2 of what values at this level must stay below.
    pub headroom_bits: f64,
    /// log2 of the ciphertext's scale.
    pub log2_scale: f64,
    /// The ciphertext's form.
    pub form: Form,
    /// The operations whose results it takes; they were within the bound.
    pub operands: Vec<Place>,
}

impl Deviation {
    /// Whether the values are too large for their level, which explains any error.
    pub fn exceeds_headroom(&self) -> bool {
        self.largest.log2() >= self.headroom_bits
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.place)?;
        writeln!(f, "  step       {} ({})", self.step, self.kind)?;
        writeln!(f, "  worst slot {} of ciphertext {}", self.slot, self.unit)?;
        writeln!(f, "  expected   {:+.10e}", self.expected)?;
        writeln!(f, "  actual     {:+.10e}", self.actual)?;
        writeln!(
            f,
            "  error      {} (allowed {})",
            magnitude(self.error),
            magnitude(self.allowed)
        )?;
        writeln!(f, "  level      {}", self.level)?;
        writeln!(f, "  scale      2^{:.2}", self.log2_scale)?;
        write!(
            f,
            "  form       {}",
            match self.form {
                Form::Settled => "settled",
                Form::Pending2 => "waits for its rescale",
                Form::Pending3 => "waits for relinearization and rescale",
            }
        )?;
        for operand in &self.operands {
            write!(f, "\n  operand    {operand}")?;
        }
        if self.exceeds_headroom() {
            write!(
                f,
                "\n  values up to {} do not fit level {}, which holds less than 2^{:.1}: scale the inputs down, or deliver the result \
                 at a higher level",
                magnitude(self.largest),
                self.level,
                self.headroom_bits
            )?;
        }
        Ok(())
    }
}

/// What a debugging run saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceReport {
    steps: usize,
    worst: Option<Deviation>,
    deviation: Option<Deviation>,
}

impl TraceReport {
    /// Whether every step was within the bound.
    pub fn passed(&self) -> bool {
        self.deviation.is_none()
    }

    /// Steps that were compared.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The first step that was off by more than the bound: there the run stopped.
    pub fn deviation(&self) -> Option<&Deviation> {
        self.deviation.as_ref()
    }

    /// The step with the largest error among those within the bound.
    pub fn worst(&self) -> Option<&Deviation> {
        self.worst.as_ref()
    }
}

impl fmt::Display for TraceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.deviation, &self.worst) {
            (Some(deviation), _) => write!(
                f,
                "{} steps were compared; the last is off by more than allowed:\n{deviation}",
                self.steps
            ),
            (None, Some(worst)) => write!(
                f,
                "{} steps were compared, all within the bound; the largest error was {} (allowed {}) in {}",
                self.steps,
                magnitude(worst.error),
                magnitude(worst.allowed),
                worst.place
            ),
            (None, None) => write!(f, "no step was compared"),
        }
    }
}
