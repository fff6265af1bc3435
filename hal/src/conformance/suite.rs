//! What the suite is run on.

use std::{fmt, io::Write, sync::Arc};

use super::{rig::Rig, rings};
use crate::{Backend, RingBasis};

/// Why an engine cannot be made on this machine: no adapter, no driver.
///
/// Tests on an absent engine pass and say on standard error that they did not run. With the environment variable
/// `ARRAS_REQUIRE_GPU=1` they fail, for machines that are known to have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    reason: String,
}

impl Absent {
    /// Absent for this reason.
    pub fn because(reason: impl fmt::Display) -> Self {
        Self {
            reason: reason.to_string(),
        }
    }
}

impl Absent {
    /// The engine; `None`, and a line on standard error, if it is absent where it may be.
    ///
    /// # Panics
    /// If it is absent where it is required. `what` begins the message and the line.
    pub fn or_skip<B>(engine: Result<B, Self>, what: &str) -> Option<B> {
        match engine {
            Ok(engine) => Some(engine),
            Err(absent) if std::env::var("ARRAS_REQUIRE_GPU").is_ok_and(|v| v == "1") => {
                panic!("{what}: the engine is required (ARRAS_REQUIRE_GPU=1) and absent: {absent}")
            }
            Err(absent) => {
                say_skipped(what, &absent.reason);
                None
            }
        }
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Absent {}

/// What a factory may return: an engine, or an engine or the reason why it is [`Absent`].
pub trait IntoEngine {
    /// The engine.
    type Engine: Backend;

    /// The engine, if there is one.
    ///
    /// # Errors
    /// The reason why there is none.
    fn into_engine(self) -> Result<Self::Engine, Absent>;
}

impl<B: Backend> IntoEngine for B {
    type Engine = B;

    fn into_engine(self) -> Result<B, Absent> {
        Ok(self)
    }
}

impl<B: Backend> IntoEngine for Result<B, Absent> {
    type Engine = B;

    fn into_engine(self) -> Self {
        self
    }
}

/// Injects a device failure into an engine: the next operation enqueued on it fails.
pub type Fault<B> = dyn Fn(&B) + Send + Sync;

/// How the suite is run.
pub struct Options<B: Backend> {
    max_log_n: u32,
    fault: Option<Arc<Fault<B>>>,
}

impl<B: Backend> Options<B> {
    /// Rings up to N = 2^14, no fault injection.
    pub fn new() -> Self {
        Self {
            max_log_n: 14,
            fault: None,
        }
    }

    /// Rings up to `2^log_n` (at least 2^6, at most 2^16).
    #[must_use]
    pub fn max_log_n(mut self, log_n: u32) -> Self {
        self.max_log_n = log_n.clamp(6, 16);
        self
    }

    /// `fault` makes the next operation enqueued on the engine fail as a failing device would. Without it the test of
    /// deferred errors says that it was skipped.
    #[must_use]
    pub fn fault(mut self, fault: impl Fn(&B) + Send + Sync + 'static) -> Self {
        self.fault = Some(Arc::new(fault));
        self
    }
}

impl<B: Backend> Default for Options<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Backend> fmt::Debug for Options<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_log_n", &self.max_log_n)
            .field("fault", &self.fault.is_some())
            .finish()
    }
}

/// An engine's factory and the options, on which tests run.
pub struct Subject<B: Backend> {
    make: Box<dyn Fn() -> Result<B, Absent> + Send + Sync>,
    options: Options<B>,
}

impl<B: Backend> Subject<B> {
    /// A subject whose every test makes its own engine with `factory`. If that is costly, let the factory clone one engine.
    pub fn new<E: IntoEngine<Engine = B>>(
        factory: impl Fn() -> E + Send + Sync + 'static,
        options: Options<B>,
    ) -> Self {
        Self {
            make: Box::new(move || factory().into_engine()),
            options,
        }
    }

    /// Runs one test of the suite.
    ///
    /// # Panics
    /// If the engine fails the test, or is absent where it is required.
    pub fn run(&self, name: &str, test: fn(&Bed<'_, B>)) {
        let what = format!("conformance: {name}");
        if let Some(engine) = Absent::or_skip((self.make)(), &what) {
            let options = &self.options;
            test(&Bed {
                engine,
                name,
                options,
            });
        }
    }
}

impl<B: Backend> fmt::Debug for Subject<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Written to standard error directly: the test harness shows it although the test passes.
fn say_skipped(what: &str, reason: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{what} SKIPPED: {reason}");
}

/// An engine under test.
pub struct Bed<'a, B: Backend> {
    pub(super) engine: B,
    name: &'a str,
    options: &'a Options<B>,
}

impl<B: Backend> Bed<'_, B> {
    /// The engine with a ring.
    pub(super) fn rig(&self, basis: &Arc<RingBasis>) -> Rig<B> {
        Rig::new(&self.engine, basis)
    }

    /// The engine with the suite's usual ring.
    pub(super) fn standard(&self, log_n: u32) -> Rig<B> {
        self.rig(&rings::standard(log_n))
    }

    pub(super) fn max_log_n(&self) -> u32 {
        self.options.max_log_n
    }

    /// Those of `sizes` that the options allow.
    pub(super) fn sizes<'s>(&self, sizes: &'s [u32]) -> impl Iterator<Item = u32> + use<'s, B> {
        let max = self.options.max_log_n;
        sizes.iter().copied().filter(move |&log_n| log_n <= max)
    }

    /// Makes the next operation fail; false, and said so, if the engine has no fault injection.
    pub(super) fn inject_fault(&self) -> bool {
        if let Some(fault) = &self.options.fault {
            fault(&self.engine);
            true
        } else {
            let what = format!("conformance: {}", self.name);
            say_skipped(&what, "the engine has no fault injection");
            false
        }
    }
}

impl<B: Backend> fmt::Debug for Bed<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bed({}, {})", self.engine.name(), self.name)
    }
}
