//! Measuring a table.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use arras_ckks::{
    Ciphertext, CkksError, Context, Decryptor, Encryptor, Evaluator, KeyGenerator, Parameters,
    Plaintext, SecretKey, random::Seed,
};
use arras_hal::{Backend, SecretEngine};

use super::{CostEntry, CostError, CostTable, CostTableSpec, OperationKind, table::nanoseconds};
use crate::text::median;

/// The rotations whose keys a measurement uses: as many as the larger sum has terms, because a circuit's keys come from main memory, and
/// a key that is used again at once would come from a cache.
pub const MEASURED_STEPS: [i64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
/// Terms of the two sums of rotations from whose difference the cost of a term follows.
const TERMS: [usize; 2] = [2, MEASURED_STEPS.len()];
/// A sample takes at least this long: fast operations are repeated in it.
const SAMPLE: Duration = Duration::from_millis(4);
/// The most repetitions in a sample.
const MOST: usize = 256;

/// How to measure.
#[derive(Clone, Debug)]
pub struct MeasureOptions {
    /// Levels to measure besides 0, 1 and the top; none outside the parameters' levels.
    pub levels: Vec<usize>,
    /// The larger batch, at least 2.
    pub batch: usize,
    /// Samples of each cost at least, of which the median is taken.
    pub samples: usize,
    /// Seconds for the whole measurement, shared equally by its parts. Every part takes its warm-up and its samples even if
    /// that is longer.
    pub seconds: f64,
    /// Threads that the engine uses, for the record.
    pub threads: usize,
    /// The machine in words, for the record.
    pub machine: String,
}

impl MeasureOptions {
    /// Levels at a third and two thirds of the chain, batches of 8, three samples or more in a minute.
    pub fn new(max_level: usize, threads: usize, machine: impl Into<String>) -> Self {
        Self {
            levels: vec![max_level / 3, 2 * max_level / 3],
            batch: 8,
            samples: 3,
            seconds: 60.0,
            threads,
            machine: machine.into(),
        }
    }

    fn check(&self, max_level: usize) -> Result<Vec<usize>, CostError> {
        let wrong = |what, value, range| Err(CostError::Option { what, value, range });
        if self.samples == 0 {
            return wrong("samples", 0.0, "at least 1");
        }
        if !(self.seconds.is_finite() && self.seconds >= 0.0) {
            return wrong("seconds", self.seconds, "finite and not negative");
        }
        if self.batch < 2 {
            return Err(CostError::Batch { batch: self.batch });
        }
        if let Some(&level) = self.levels.iter().find(|&&level| level > max_level) {
            let most = max_level;
            return Err(CostError::MeasuredLevel { level, most });
        }
        let mut levels = self.levels.clone();
        levels.extend([0, max_level.min(1), max_level]);
        levels.sort_unstable();
        levels.dedup();
        Ok(levels)
    }
}

/// Levels of the parameters that tables are measured at, by log2 of the ring degree: about the most that 128 bits of security leave
/// with four digits.
const LEVELS: [(u32, usize); 5] = [(13, 2), (14, 6), (15, 15), (16, 34), (17, 65)];

/// The parameters that tables are measured at: those of the crate and those of the command line alike.
///
/// # Errors
/// [`CostError::Option`] for a ring degree that is not 2^13 to 2^17.
pub fn measured_parameters(log_n: u32) -> Result<Parameters, CostError> {
    let Some(&(_, levels)) = LEVELS.iter().find(|(n, _)| *n == log_n) else {
        return Err(CostError::Option {
            what: "log2 of the ring degree",
            value: f64::from(log_n),
            range: "13 to 17",
        });
    };
    Ok(Parameters::builder().log_n(log_n).levels(levels).build()?)
}

impl CostTable {
    /// Measures everything, encryption and decryption included, with keys of its own.
    ///
    /// # Errors
    /// [`CostError`] for options out of range; [`CostError::Ckks`] if the engine has no memory, or the context's token was set.
    pub fn measure<S: SecretEngine>(
        context: &Context<S>,
        options: &MeasureOptions,
    ) -> Result<Self, CostError> {
        // Times do not depend on the numbers, and nothing of this leaves the function: fixed seeds do.
        let secret = SecretKey::from_seed(context, &Seed::from_bytes([1; 32]))?;
        let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
        let mut keys = arras_ckks::EvaluationKeys::none(context);
        for key in generator.evaluation_keys(&MEASURED_STEPS)?.iter() {
            keys.insert(key)?;
        }
        let evaluator = Evaluator::new(context, keys)?;
        let encryptor = Encryptor::with_seed(&secret, Seed::from_bytes([3; 32]));
        let vector = vector(context.slots());
        let fresh = encryptor
            .encrypt(&[&vector], context.max_level())?
            .expand(context)?;
        let mut clock = Clock::new(context, options)?;
        clock.server(&evaluator, &fresh)?;
        clock.client(&encryptor, &secret, &evaluator, &fresh)?;
        clock.table()
    }

    /// Measures on an engine that may hold no secrets: all but encryption and decryption. The evaluator has the relinearization key
    /// and the keys of rotations by [`MEASURED_STEPS`] for all levels; `fresh` is one ciphertext (or a batch, of which the first is
    /// taken) at the top level.
    ///
    /// # Errors
    /// As [`measure`](Self::measure); [`CostError::NotFresh`] for a ciphertext below the top level; [`CostError::Ckks`] for a
    /// missing key.
    pub fn measure_with<B: Backend>(
        evaluator: &Evaluator<B>,
        fresh: &Ciphertext<B>,
        options: &MeasureOptions,
    ) -> Result<Self, CostError> {
        let mut clock = Clock::new(evaluator.context(), options)?;
        clock.server(evaluator, fresh)?;
        clock.table()
    }
}

/// Numbers in [-1, 1] of no special form.
fn vector(slots: usize) -> Vec<f64> {
    (0..slots)
        .map(|j| ((j * 7919 + 13) % 2003) as f64 / 1001.0 - 1.0)
        .collect()
}

/// Takes times and collects entries.
struct Clock<'a, B: Backend> {
    context: &'a Context<B>,
    options: &'a MeasureOptions,
    levels: Vec<usize>,
    /// Time for each cost.
    share: Duration,
    entries: Vec<CostEntry>,
}

/// Operands at one level, of one batch.
struct Operands<'a, B: Backend> {
    evaluator: &'a Evaluator<B>,
    a: Ciphertext<B>,
    b: Ciphertext<B>,
    vector: &'a [f64],
    plain: Plaintext<B>,
    weights: Plaintext<B>,
}

impl<'a, B: Backend> Clock<'a, B> {
    fn new(context: &'a Context<B>, options: &'a MeasureOptions) -> Result<Self, CostError> {
        let levels = options.check(context.max_level())?;
        let costs = 2 * (OperationKind::ALL.len() + 2) * levels.len();
        Ok(Self {
            context,
            options,
            share: Duration::from_secs_f64(options.seconds / costs as f64),
            levels,
            entries: Vec::new(),
        })
    }

    fn table(self) -> Result<CostTable, CostError> {
        CostTable::from_spec(CostTableSpec {
            parameters: self.context.params().spec().clone(),
            engine: self.context.engine().name(),
            machine: self.options.machine.clone(),
            threads: self.options.threads,
            batch: self.options.batch,
            entries: self.entries,
        })
    }

    /// The median time of an operation. The clock stops when the engine has finished.
    fn median<O>(&self, mut run: impl FnMut() -> Result<O, CkksError>) -> Result<f64, CostError> {
        let ring = self.context.ring();
        let mut sample = |repetitions: usize| -> Result<Duration, CkksError> {
            self.context.stop_token().check()?;
            ring.sync()?;
            let start = Instant::now();
            for _ in 0..repetitions {
                black_box(run()?);
            }
            ring.sync()?;
            Ok(start.elapsed())
        };
        // The first run fills caches and pools, the second tells how often the operation fits into a sample.
        sample(1)?;
        let one = sample(1)?.max(Duration::from_nanos(100));
        let repetitions = (SAMPLE.as_nanos() / one.as_nanos()) as usize;
        let repetitions = repetitions.clamp(1, MOST);
        let end = Instant::now() + self.share;
        let mut seconds = Vec::new();
        while seconds.len() < self.options.samples || Instant::now() < end {
            seconds.push(sample(repetitions)?.as_secs_f64() / repetitions as f64);
        }
        Ok(median(seconds).unwrap_or_default())
    }

    fn record(&mut self, operation: OperationKind, level: usize, [single, large]: [Cost; 2]) {
        let batch = self.options.batch as f64;
        self.entries.push(CostEntry {
            operation,
            level,
            single: nanoseconds(single.once),
            batched: nanoseconds(large.once / batch),
            single_per_term: nanoseconds(single.per_term),
            batched_per_term: nanoseconds(large.per_term / batch),
        });
    }

    /// Everything that needs no secret.
    fn server(&mut self, evaluator: &Evaluator<B>, fresh: &Ciphertext<B>) -> Result<(), CostError> {
        let top = self.context.max_level();
        if fresh.level() != top || fresh.is_pending() {
            let level = fresh.level();
            return Err(CostError::NotFresh { level, top });
        }
        let vector = vector(self.context.slots());
        let fresh = fresh.pick(&[0])?;
        for level in self.levels.clone() {
            let a = evaluator.level_down(&fresh, level)?;
            let operands = |batch: usize| -> Result<Operands<'_, B>, CkksError> {
                let a = a.pick(&vec![0; batch])?;
                Ok(Operands {
                    evaluator,
                    b: a.try_clone()?,
                    a,
                    vector: &vector,
                    plain: evaluator.encode(&[&vector], level)?,
                    weights: evaluator.encode_weights(&[&vector], level)?,
                })
            };
            let operands = [operands(1)?, operands(self.options.batch)?];
            for operation in OperationKind::ALL {
                let here = operation.exists_at(level, top) && !operation.needs_secret();
                if here {
                    let [single, large] = &operands;
                    let costs = [self.cost(operation, single)?, self.cost(operation, large)?];
                    self.record(operation, level, costs);
                }
            }
        }
        Ok(())
    }

    fn cost(&self, operation: OperationKind, x: &Operands<'_, B>) -> Result<Cost, CostError> {
        let (e, a, plain) = (x.evaluator, &x.a, &x.plain);
        let vectors = vec![x.vector; a.batch()];
        let once = match operation {
            OperationKind::Add => self.median(|| e.add(a, &x.b))?,
            OperationKind::AddPlain => self.median(|| e.add_plain(a, plain))?,
            OperationKind::Negate => self.median(|| e.neg(a))?,
            OperationKind::AddScalar => self.median(|| e.add_scalar(a, 0.7))?,
            OperationKind::Tensor => self.median(|| e.multiply(a, &x.b))?,
            OperationKind::Settle => {
                let product = e.multiply(a, &x.b)?;
                self.median(|| e.relinearize_and_rescale(&product))?
            }
            OperationKind::Rescale => {
                let product = e.multiply_plain(a, plain)?;
                self.median(|| e.rescale(&product))?
            }
            OperationKind::LevelDown => {
                self.median(|| e.level_down(a, a.level().saturating_sub(1)))?
            }
            OperationKind::MultiplyPlain => self.median(|| e.multiply_plain(a, plain))?,
            OperationKind::MultiplyScalar => self.median(|| e.multiply_scalar(a, 0.7))?,
            OperationKind::Rotate => self.median(|| e.rotate(a, MEASURED_STEPS[0]))?,
            OperationKind::RotationSum => {
                return self.by_terms(|steps| e.rotation_sum(a, steps));
            }
            OperationKind::WeightedRotationSum => {
                return self.by_terms(|steps| {
                    e.weighted_rotation_sum(a, steps, &vec![&x.weights; steps.len()])
                });
            }
            OperationKind::Encode => self.median(|| e.encode(&vectors, a.level()))?,
            OperationKind::EncodeWeights => {
                self.median(|| e.encode_weights(&vectors, a.level()))?
            }
            // The client's, measured with the secret key.
            OperationKind::Encrypt | OperationKind::Decrypt => 0.0,
        };
        Ok(Cost::once(once))
    }

    /// A line through two numbers of terms.
    fn by_terms(
        &self,
        run: impl Fn(&[i64]) -> Result<Ciphertext<B>, CkksError>,
    ) -> Result<Cost, CostError> {
        let [few, many] = TERMS.map(|terms| &MEASURED_STEPS[..terms]);
        let low = self.median(|| run(few))?;
        let high = self.median(|| run(many))?;
        let [few, many] = TERMS.map(|terms| terms as f64);
        // On a busy machine the larger sum may come out the faster one, or the part paid once negative.
        let per_term = ((high - low) / (many - few)).max(0.0);
        let once = low - few * per_term;
        Ok(if once >= 0.0 {
            Cost { once, per_term }
        } else {
            let (once, per_term) = (0.0, high / many);
            Cost { once, per_term }
        })
    }
}

/// Seconds of a whole batch.
#[derive(Clone, Copy)]
struct Cost {
    once: f64,
    per_term: f64,
}

impl Cost {
    /// Of an operation without terms.
    fn once(once: f64) -> Self {
        let per_term = 0.0;
        Self { once, per_term }
    }
}

impl<S: SecretEngine> Clock<'_, S> {
    fn client(
        &mut self,
        encryptor: &Encryptor<'_, SecretKey<S>>,
        secret: &SecretKey<S>,
        evaluator: &Evaluator<S>,
        fresh: &Ciphertext<S>,
    ) -> Result<(), CostError> {
        let vector = vector(self.context.slots());
        let decryptor = Decryptor::new(secret);
        for level in self.levels.clone() {
            let at = |batch: usize| evaluator.level_down(fresh, level)?.pick(&vec![0; batch]);
            let batches = [1, self.options.batch];
            let cts = [at(batches[0])?, at(batches[1])?];
            let encrypt = |batch: usize| {
                let vectors = vec![vector.as_slice(); batch];
                self.median(|| encryptor.encrypt(&vectors, level))
            };
            let decrypt = |ct| self.median(|| decryptor.decrypt(ct));
            let encrypted = [encrypt(batches[0])?, encrypt(batches[1])?].map(Cost::once);
            let decrypted = [decrypt(&cts[0])?, decrypt(&cts[1])?].map(Cost::once);
            self.record(OperationKind::Encrypt, level, encrypted);
            self.record(OperationKind::Decrypt, level, decrypted);
        }
        Ok(())
    }
}
