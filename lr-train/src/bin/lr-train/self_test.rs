//! Two seconds on an engine: does it compute rightly, and how fast.

use std::time::{Duration, Instant};

use arras::{
    Engine,
    ckks::{
        Ciphertext, CkksError, Context, Decryptor, Encryptor, Evaluator, KeyGenerator, Parameters,
        SecretKey,
    },
    hal::AnyBackend,
    toolkit::cost::{CostTable, MEASURED_STEPS, MeasureOptions, measured_parameters},
};
use serde_json::{Value, json};

use crate::{failure::Failure, signals};

/// The self-test's ring, and how long each of its two operations is repeated.
const LOG_N: u32 = 14;
const LEVELS: usize = 4;
const SHARE: Duration = Duration::from_secs(1);
/// The largest error that passes: scales leave twenty bits and more.
const MOST: f64 = 1e-4;

/// What the self-test found.
pub(crate) struct SelfTest {
    products: f64,
    rotations: f64,
    error: f64,
}

impl SelfTest {
    /// Squares and rotates a fresh ciphertext at N = 2^14 with 4 levels, over and over, and decrypts.
    ///
    /// # Errors
    /// [`Failure::SelfTest`] for wrong numbers; the engine's.
    pub(crate) fn run(engine: &Engine) -> Result<Self, Failure> {
        let params = Parameters::builder()
            .log_n(LOG_N)
            .levels(LEVELS)
            .build()
            .map_err(CkksError::from)?;
        let bench = Bench::new(engine, &params, &[1])?;
        let (server, x) = (&bench.evaluator, &bench.fresh);
        let (products, product) =
            bench.rate(|| server.relinearize_and_rescale(&server.square(x)?))?;
        let (rotations, rotated) = bench.rate(|| server.rotate(x, 1))?;
        let values = || bench.vector.iter();
        let squares = values().map(|v| v * v);
        let shifted = values().chain(values()).skip(1).copied();
        let error = bench
            .error(&product, squares)?
            .max(bench.error(&rotated, shifted)?);
        if error > MOST {
            return Err(Failure::SelfTest {
                engine: engine.to_string(),
                found: error,
                most: MOST,
            });
        }
        Ok(Self {
            products,
            rotations,
            error,
        })
    }

    pub(crate) fn json(&self) -> Value {
        json!({"log-n": LOG_N, "levels": LEVELS, "products-per-second": self.products, "rotations-per-second": self.rotations,
            "largest-error": self.error})
    }
}

impl std::fmt::Display for SelfTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "correct (error {:.0e}); {:.1} products/s, {:.1} rotations/s at N = 2^{LOG_N}, {LEVELS} levels, one at a time",
            self.error, self.products, self.rotations
        )
    }
}

/// Measures what single operations cost on an engine, at a ring of this degree, as the tables that come with the toolkit were.
///
/// # Errors
/// The engine's.
pub(crate) fn measure(
    engine: &Engine,
    log_n: u32,
    seconds: f64,
    threads: usize,
    machine: &str,
) -> Result<CostTable, Failure> {
    let params = measured_parameters(log_n)?;
    let bench = Bench::new(engine, &params, &MEASURED_STEPS)?;
    let mut options = MeasureOptions::new(params.max_level(), threads, machine);
    options.seconds = seconds;
    Ok(CostTable::measure_with(
        &bench.evaluator,
        &bench.fresh,
        &options,
    )?)
}

/// Keys and a ciphertext on an engine, made where secrets may be.
struct Bench {
    secret: SecretKey<arras::SecretBackend>,
    client: Context<arras::SecretBackend>,
    evaluator: Evaluator<AnyBackend>,
    fresh: Ciphertext<AnyBackend>,
    vector: Vec<f64>,
}

impl Bench {
    fn new(
        engine: &Engine,
        params: &arras::ckks::Parameters,
        steps: &[i64],
    ) -> Result<Self, Failure> {
        let client =
            Context::new(params, arras::secret_backend())?.with_stop_token(signals::token());
        let secret = SecretKey::generate(&client)?;
        let keys = KeyGenerator::new(&secret)?.evaluation_keys(steps)?;
        let vector: Vec<f64> = (0..client.slots())
            .map(|j| ((j * 7919 + 13) % 2003) as f64 / 1001.0 - 1.0)
            .collect();
        let sent = Encryptor::new(&secret)?.encrypt(&[&vector], client.max_level())?;
        let server =
            Context::new(params, engine.backend().clone())?.with_stop_token(signals::token());
        let evaluator = Evaluator::new(&server, keys.load(&server)?)?;
        let fresh = sent.expand(&server)?;
        Ok(Self {
            secret,
            client,
            evaluator,
            fresh,
            vector,
        })
    }

    /// Repetitions per second, in about a second, and the last result.
    fn rate<T>(&self, mut run: impl FnMut() -> Result<T, CkksError>) -> Result<(f64, T), Failure> {
        let ring = self.evaluator.context().ring();
        let mut last = run()?;
        ring.sync().map_err(CkksError::from)?;
        let started = Instant::now();
        let mut count = 0;
        while started.elapsed() < SHARE {
            last = run()?;
            // Operations only enqueue: without waiting, the queue would be measured.
            ring.sync().map_err(CkksError::from)?;
            count += 1;
        }
        Ok((f64::from(count) / started.elapsed().as_secs_f64(), last))
    }

    /// The largest difference of a result from what it should be.
    fn error(
        &self,
        result: &Ciphertext<AnyBackend>,
        expected: impl Iterator<Item = f64>,
    ) -> Result<f64, Failure> {
        let found = Decryptor::new(&self.secret)
            .decrypt(&result.to_context(&self.client)?)?
            .swap_remove(0);
        let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        // The maximum passes over what is not a number.
        let differences = differences.map(|d| if d.is_nan() { f64::INFINITY } else { d });
        Ok(differences.fold(0.0, f64::max))
    }
}
