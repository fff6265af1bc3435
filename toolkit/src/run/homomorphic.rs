//! The executor.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arras_ckks::{Ciphertext, Evaluator};
use arras_hal::{Backend, GaloisElement, Named, StopToken};

use super::{
    RunReport, check_inputs,
    groups::{Group, groups},
    masks::Masks,
    perform::Performer,
};
use crate::{
    Bindings, Program, Result, ToolkitError, ToolkitErrorKind,
    circuit::Op,
    encrypted::Encrypted,
    interpret::{Interpretation, rotation_steps},
    program::StepId,
};

/// Whether steps of one kind become one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Batching {
    /// [`Batching::Waves`] on engines that prefer joined batches, [`Batching::Hoisting`] on others.
    #[default]
    Auto,
    /// Steps of one kind and level in a wave become one batched call; rotations of one operand are hoisted.
    Waves,
    /// Rotations of one operand in a wave are hoisted; other steps are calls of their own, which run side by side.
    Hoisting,
    /// Every step is a call of its own.
    Off,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

type Observer = Arc<dyn Fn(Progress) + Send + Sync>;

/// How programs are run.
#[derive(Clone)]
pub struct Options {
    batching: Batching,
    threads: usize,
    constant_bytes: usize,
    observer: Option<Observer>,
    stop: StopToken,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batching: Batching::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            constant_bytes: 1 << 30,
            observer: None,
            stop: StopToken::new(),
        }
    }
}

impl Options {
    /// Batches as the engine prefers, as many calls side by side as there are cores, at most 1 GiB of encoded constants kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether steps of one kind become one call.
    #[must_use]
    pub fn batching(mut self, batching: Batching) -> Self {
        self.batching = batching;
        self
    }

    /// The most calls side by side, at least 1; never more than the engine's [`Workers`](arras_hal::Workers). Each call may use all
    /// threads of its engine; side by side they fill what one call leaves idle.
    #[must_use]
    pub fn side_by_side(mut self, calls: usize) -> Self {
        self.threads = calls.max(1);
        self
    }

    /// The most bytes of encoded constants kept for later steps and runs.
    #[must_use]
    pub fn constant_bytes(mut self, bytes: usize) -> Self {
        self.constant_bytes = bytes;
        self
    }

    /// Called after every group of steps, from the thread that computed it.
    #[must_use]
    pub fn on_progress(mut self, observer: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Stops a run before its next group of steps; nothing of it is kept. The token of the evaluator's context stops it, too.
    #[must_use]
    pub fn with_stop_token(mut self, token: StopToken) -> Self {
        self.stop = token;
        self
    }

    /// What stops runs.
    pub fn stop_token(&self) -> &StopToken {
        &self.stop
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("batching", &self.batching)
            .field("threads", &self.threads)
            .field("constant_bytes", &self.constant_bytes)
            .finish_non_exhaustive()
    }
}

/// Runs programs on ciphertexts.
pub struct Homomorphic<B: Backend> {
    evaluator: Arc<Evaluator<B>>,
    masks: Masks<B>,
    options: Options,
}

/// What a run gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run<B: Backend> {
    /// The outputs by name.
    pub outputs: BTreeMap<String, Encrypted<B>>,
    /// What it did.
    pub report: RunReport,
}

impl<B: Backend> Run<B> {
    /// The output of a name.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::UnknownName`].
    pub fn output(&self, name: &str) -> Result<&Encrypted<B>> {
        let names = self.outputs.keys().map(String::as_str);
        let found = self.outputs.get(name);
        found.ok_or_else(|| ToolkitError::unknown_name(name, names).named("output"))
    }
}

/// The results of a group's steps, and the time they took.
type Timed<B> = (Vec<Arc<Ciphertext<B>>>, Duration);

/// Results of steps, freed after their last use.
struct Values<B: Backend> {
    values: Vec<Option<Arc<Ciphertext<B>>>>,
    left: Vec<usize>,
    bytes: usize,
    peak: usize,
}

impl<B: Backend> Values<B> {
    fn put(&mut self, id: StepId, value: Arc<Ciphertext<B>>) {
        self.bytes += value.bytes();
        self.peak = self.peak.max(self.bytes);
        if self.left[id.0] > 0 {
            self.values[id.0] = Some(value);
        } else {
            self.bytes -= value.bytes();
        }
    }

    fn used(&mut self, id: StepId) {
        self.left[id.0] -= 1;
        if self.left[id.0] == 0
            && let Some(value) = self.values[id.0].take()
        {
            self.bytes -= value.bytes();
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "waves are in the order of dependence, and a value stays until its last use"
    )]
    fn get(&self, id: StepId) -> &Arc<Ciphertext<B>> {
        self.values[id.0]
            .as_ref()
            .expect("computed in an earlier wave")
    }
}

impl<B: Backend> Homomorphic<B> {
    /// Runs with this evaluator's keys.
    pub fn new(evaluator: impl Into<Arc<Evaluator<B>>>) -> Self {
        Self::with_options(evaluator, Options::default())
    }

    /// Runs with these options.
    pub fn with_options(evaluator: impl Into<Arc<Evaluator<B>>>, options: Options) -> Self {
        Self {
            evaluator: evaluator.into(),
            masks: Masks::new(options.constant_bytes),
            options,
        }
    }

    /// The evaluator.
    pub fn evaluator(&self) -> &Evaluator<B> {
        &self.evaluator
    }

    /// Checks that a program can run here: slots, levels, keys.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::SlotsMismatch`], [`crate::ToolkitErrorKind::TooFewLevels`], [`crate::ToolkitErrorKind::MissingRotationKeys`].
    pub fn check(&self, program: &Program) -> Result<()> {
        let params = self.evaluator.context().params();
        program.check_fits(params).named("run")?;
        let have: Vec<GaloisElement> = self.evaluator.keys().galois_elements().collect();
        let missing: Vec<i64> = rotation_steps(program)
            .into_keys()
            .filter(|&steps| {
                let galois = GaloisElement::rotation(steps, params.log_n());
                !galois.is_identity() && !have.contains(&galois)
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(ToolkitError::from(ToolkitErrorKind::MissingRotationKeys { missing }).named("run"))
    }

    /// Runs a program.
    ///
    /// # Errors
    /// Those of [`Homomorphic::check`]; [`crate::ToolkitErrorKind::UnknownName`], [`crate::ToolkitErrorKind::WrongInput`],
    /// [`crate::ToolkitErrorKind::InputTooLow`] for inputs that do not fit; [`crate::ToolkitErrorKind::Stopped`]; the scheme's, with
    /// the place of the operation.
    pub fn run(&self, program: &Program, inputs: &Bindings<Encrypted<B>>) -> Result<Run<B>> {
        self.check(program)?;
        check_encrypted(program, inputs)?;
        let start = Instant::now();
        let mut values = Values {
            values: vec![None; program.steps().len()],
            left: program.uses().to_vec(),
            bytes: 0,
            peak: 0,
        };
        let mut batching = self.options.batching;
        let engine = self.evaluator.context().engine();
        if batching == Batching::Auto && engine.prefers_joined_batches() {
            batching = Batching::Waves;
        }
        let mut report = RunReport {
            steps: program.steps().len(),
            waves: program.waves().len(),
            critical_path: program.waves().len(),
            ..RunReport::default()
        };
        let done = AtomicUsize::new(0);
        let mut work = Duration::ZERO;
        for wave in program.waves() {
            let groups = groups(program, wave, batching);
            report.calls += groups.len();
            report.width = report.width.max(groups.len());
            let results = self.wave(program, inputs, &groups, &values, &done)?;
            for (group, (result, time)) in groups.iter().zip(results) {
                work += time;
                for (&id, value) in group.steps().iter().zip(result) {
                    values.put(id, value);
                }
            }
            for &id in wave {
                for &operand in program.step(id).operands() {
                    values.used(operand);
                }
            }
        }
        // Engines only enqueue: the time counts when the work is done.
        self.evaluator
            .context()
            .ring()
            .sync()
            .map_err(arras_ckks::CkksError::from)?;
        let mut outputs = BTreeMap::new();
        for (output, &id) in program.circuit().outputs().iter().zip(program.outputs()) {
            let ciphertext = values.get(id).clone();
            values.used(id);
            let encrypted = Encrypted::from_shared(*output.layout(), ciphertext)?;
            outputs.insert(output.name().to_owned(), encrypted);
        }
        report.seconds = start.elapsed().as_secs_f64();
        report.work_seconds = work.as_secs_f64();
        report.peak_ciphertext_bytes = values.peak;
        report.constant_bytes = self.masks.bytes();
        Ok(Run { outputs, report })
    }

    /// # Errors
    /// [`crate::ToolkitErrorKind::Stopped`] once a token was set.
    fn stopped(&self) -> Result<()> {
        self.options.stop.check()?;
        Ok(self.evaluator.context().stop_token().check()?)
    }

    /// The results of a wave's groups, in order, each with the time it took.
    fn wave(
        &self,
        program: &Program,
        inputs: &Bindings<Encrypted<B>>,
        groups: &[Group],
        values: &Values<B>,
        done: &AtomicUsize,
    ) -> Result<Vec<Timed<B>>> {
        let performer = Performer {
            evaluator: &self.evaluator,
            program,
            masks: &self.masks,
        };
        let one = |group: &Group| {
            self.stopped().named("run")?;
            let first = group.steps()[0];
            let (result, time) = timed(|| {
                if let Op::Input(index) = program.step(first).op() {
                    let ciphertext = input(program, *index, inputs)?;
                    return Ok(vec![performer.step(first, &[ciphertext])?]);
                }
                performer.group(group, &|id| values.get(id))
            });
            let count = group.steps().len();
            let done = done.fetch_add(count, Ordering::Relaxed) + count;
            if let Some(observer) = &self.options.observer {
                observer(Progress {
                    done,
                    total: program.steps().len(),
                });
            }
            result
                .map(|value| (value, time))
                .map_err(|error| error.at(program.operation_of(first).location()))
        };
        let workers = self.evaluator.context().engine().workers();
        workers.side_by_side(self.options.threads, groups, one)
    }
}

thread_local! {
    /// Time that this thread has spent in groups since the group around them began.
    static INSIDE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What `work` gives, and its time: a thread that waits inside may take up another group meanwhile, whose time is that group's.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let around = INSIDE.take();
    let result = work();
    let whole = start.elapsed();
    let inside = INSIDE.replace(around + whole);
    (result, whole.saturating_sub(inside))
}

fn input<'a, B: Backend>(
    program: &Program,
    index: usize,
    inputs: &'a Bindings<Encrypted<B>>,
) -> Result<&'a Arc<Ciphertext<B>>> {
    let name = program.circuit().inputs()[index].name();
    inputs
        .get(name)
        .map(Encrypted::shared)
        .ok_or_else(|| ToolkitError::unknown_name(name, []).named("run (a value for an input)"))
}

/// Inputs by name, layout and level.
fn check_encrypted<B: Backend>(program: &Program, inputs: &Bindings<Encrypted<B>>) -> Result<()> {
    let circuit = program.circuit();
    check_inputs(circuit, inputs)?;
    for input in circuit.inputs() {
        let (Some(value), Some(needed)) = (inputs.get(input.name()), circuit.level(input.node()))
        else {
            continue;
        };
        if value.layout() != input.layout() {
            return Err(ToolkitError::from(ToolkitErrorKind::WrongInput {
                name: input.name().into(),
                expected: input.layout().to_string(),
                found: value.layout().to_string(),
            })
            .named("run"));
        }
        let available = value.ciphertext().level();
        if available < needed {
            return Err(ToolkitError::from(ToolkitErrorKind::InputTooLow {
                name: input.name().into(),
                needed,
                available,
            })
            .named("run"));
        }
    }
    Ok(())
}

/// One step after the other, for walks in lock step with other interpretations.
pub struct Stepwise<'a, B: Backend> {
    homomorphic: &'a Homomorphic<B>,
    inputs: &'a Bindings<Encrypted<B>>,
}

impl<'a, B: Backend> Stepwise<'a, B> {
    /// For a program with these inputs.
    ///
    /// # Errors
    /// As [`Homomorphic::run`] before the first step.
    pub fn new(
        homomorphic: &'a Homomorphic<B>,
        program: &Program,
        inputs: &'a Bindings<Encrypted<B>>,
    ) -> Result<Self> {
        homomorphic.check(program)?;
        check_encrypted(program, inputs)?;
        Ok(Self {
            homomorphic,
            inputs,
        })
    }
}

impl<B: Backend> Interpretation for Stepwise<'_, B> {
    type Value = Arc<Ciphertext<B>>;

    fn step(&mut self, program: &Program, id: StepId, of: &[&Self::Value]) -> Result<Self::Value> {
        let performer = Performer {
            evaluator: &self.homomorphic.evaluator,
            program,
            masks: &self.homomorphic.masks,
        };
        if let Op::Input(index) = program.step(id).op() {
            return performer.step(id, &[input(program, *index, self.inputs)?]);
        }
        performer.step(id, of)
    }
}
