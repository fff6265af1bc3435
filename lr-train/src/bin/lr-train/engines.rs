//! The engine of a server's verb.

use arras::Engine;
use clap::Args;

use crate::failure::Failure;

/// Which engine computes.
#[derive(Clone, Debug, Args)]
pub(crate) struct EngineChoice {
    /// auto, cpu, cpu:THREADS, gpu, gpu:ADAPTER (a part of its name) or reference [default: the variable ARRAS_ENGINE, else auto]
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Option<String>,
}

impl EngineChoice {
    /// # Errors
    /// [`Failure::Engine`]: unknown, not compiled in, or without a device.
    pub(crate) fn open(&self) -> Result<Engine, Failure> {
        Ok(match &self.engine {
            Some(name) => Engine::named(name)?,
            None => Engine::from_env()?,
        })
    }
}
