//! Choosing an engine at run time.

use std::fmt;

use arras_hal::{AnyBackend, Backend, HalError, Reference};

/// Why an engine cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine exists, but was not compiled in.
    #[error(
        "the {engine} engine is not in this build: build with --features {feature}; this build has: {available}"
    )]
    NotCompiled {
        /// The engine asked for.
        engine: &'static str,
        /// The feature that brings it.
        feature: &'static str,
        /// The engines of this build.
        available: String,
    },
    /// No engine has this name.
    #[error("ARRAS_ENGINE or --engine = {given:?} names no engine; possible values: {available}")]
    Unknown {
        /// What was given.
        given: String,
        /// What is possible.
        available: String,
    },
    /// The limit of device memory is no number.
    #[error(
        "ARRAS_GPU_MEMORY_MIB = {given:?} is no number of MiB; give a whole number, or unset it to take what the driver gives"
    )]
    MemoryLimit {
        /// What was given.
        given: String,
    },
    /// The CPU engine could not start.
    #[cfg(feature = "cpu")]
    #[error(transparent)]
    Cpu(#[from] arras_backend_cpu::CpuError),
    /// The GPU engine could not start.
    #[cfg(feature = "gpu")]
    #[error(transparent)]
    Gpu(#[from] arras_backend_gpu::GpuError),
}

impl EngineError {
    /// Whether the engine's name is to blame, not what was found on the machine.
    pub fn is_of_name(&self) -> bool {
        match self {
            Self::Unknown { .. } => true,
            #[cfg(feature = "cpu")]
            Self::Cpu(error) => {
                use arras_backend_cpu::CpuError;
                matches!(error, CpuError::NoThreads | CpuError::TooManyThreads { .. })
            }
            _ => false,
        }
    }
}

/// The engine on which this build keeps secrets: the CPU engine, or the reference engine where that was not compiled in.
#[cfg(feature = "cpu")]
pub type SecretBackend = arras_backend_cpu::CpuEngine;
/// The engine on which this build keeps secrets: the CPU engine, or the reference engine where that was not compiled in.
#[cfg(not(feature = "cpu"))]
pub type SecretBackend = Reference;

/// An engine for keys, encryption and decryption, on all cores.
pub fn secret_backend() -> SecretBackend {
    #[cfg(feature = "cpu")]
    return arras_backend_cpu::CpuEngine::new();
    #[cfg(not(feature = "cpu"))]
    return Reference::new();
}

/// A chosen engine, with the reason for the choice.
#[derive(Clone)]
pub struct Engine {
    backend: AnyBackend,
    reason: String,
    #[cfg(feature = "gpu")]
    device: Option<arras_backend_gpu::GpuEngine>,
}

impl Engine {
    /// The environment variable that [`Engine::from_env`] reads.
    pub const VARIABLE: &'static str = "ARRAS_ENGINE";
    /// The environment variable with the most MiB of device memory that [`Engine::gpu`] takes, where a device is shared.
    pub const MEMORY_VARIABLE: &'static str = "ARRAS_GPU_MEMORY_MIB";

    fn chosen(backend: impl Backend, reason: impl Into<String>) -> Self {
        Self {
            backend: AnyBackend::new(backend),
            reason: reason.into(),
            #[cfg(feature = "gpu")]
            device: None,
        }
    }

    /// The reference engine: one thread, slow, the definition of every result.
    pub fn reference() -> Self {
        Self::chosen(Reference::new(), "asked for")
    }

    /// The CPU engine on `threads` threads, or on all cores.
    ///
    /// # Errors
    /// [`EngineError::NotCompiled`] without the feature `cpu`; `EngineError::Cpu` for a number of threads that it cannot have.
    pub fn cpu(threads: Option<usize>) -> Result<Self, EngineError> {
        Self::cpu_because(threads, "asked for")
    }

    #[cfg(feature = "cpu")]
    fn cpu_because(threads: Option<usize>, reason: &str) -> Result<Self, EngineError> {
        use arras_backend_cpu::CpuEngine;
        let engine = match threads {
            Some(threads) => CpuEngine::with_threads(threads)?,
            None => CpuEngine::new(),
        };
        Ok(Self::chosen(engine, reason))
    }

    #[cfg(not(feature = "cpu"))]
    fn cpu_because(_: Option<usize>, _: &str) -> Result<Self, EngineError> {
        Err(EngineError::NotCompiled {
            engine: "cpu",
            feature: "cpu",
            available: available(),
        })
    }

    /// The GPU engine on the adapter whose name contains `adapter`, or on the best one. It takes at most as much device memory as the
    /// environment variable `ARRAS_GPU_MEMORY_MIB` says, if that is set.
    ///
    /// # Errors
    /// [`EngineError::NotCompiled`] without the feature `gpu`; `EngineError::Gpu` where no device serves;
    /// [`EngineError::MemoryLimit`].
    #[cfg(feature = "gpu")]
    pub fn gpu(adapter: Option<&str>) -> Result<Self, EngineError> {
        use arras_backend_gpu::{GpuEngine, GpuOptions};
        let options = GpuOptions {
            adapter: adapter.map(str::to_owned),
            memory_limit: memory_limit(std::env::var(Self::MEMORY_VARIABLE).ok())?,
            ..GpuOptions::default()
        };
        let engine = GpuEngine::new(&options)?;
        let mut chosen = Self::chosen(engine.clone(), engine.reason());
        chosen.device = Some(engine);
        Ok(chosen)
    }

    /// The GPU engine on the adapter whose name contains `adapter`, or on the best one.
    ///
    /// # Errors
    /// [`EngineError::NotCompiled`]: this build lacks the feature `gpu`.
    #[cfg(not(feature = "gpu"))]
    pub fn gpu(_: Option<&str>) -> Result<Self, EngineError> {
        Err(EngineError::NotCompiled {
            engine: "gpu",
            feature: "gpu",
            available: available(),
        })
    }

    /// The CPU engine, or the reference engine where that was not compiled in. A device is used only when it is asked for:
    /// whether it is faster depends on the device and on the circuit.
    ///
    /// # Errors
    /// None at present: these engines are there wherever they are compiled in.
    pub fn auto() -> Result<Self, EngineError> {
        if cfg!(feature = "cpu") {
            return Self::cpu_because(None, "chosen: every machine has one");
        }
        let reason = "chosen: this build has no other engine (build with --features cpu)";
        Ok(Self::chosen(Reference::new(), reason))
    }

    /// The engine that a name stands for: `auto`, `cpu`, `cpu:THREADS`, `gpu`, `gpu:ADAPTER` (a part of its name), `reference`.
    ///
    /// # Errors
    /// [`EngineError::Unknown`], [`EngineError::TooManyThreads`], [`EngineError::NotCompiled`]; those of the engine named: `EngineError::Cpu`, `EngineError::Gpu`,
    /// `EngineError::MemoryLimit`.
    pub fn named(name: &str) -> Result<Self, EngineError> {
        let unknown = || EngineError::Unknown {
            given: name.to_owned(),
            available: available(),
        };
        match name.split_once(':') {
            None => match name {
                "" | "auto" => Self::auto(),
                "cpu" => Self::cpu(None),
                "gpu" => Self::gpu(None),
                "reference" => Ok(Self::reference()),
                _ => Err(unknown()),
            },
            Some(("cpu", threads)) => match threads.parse() {
                Ok(threads) => Self::cpu(Some(threads)),
                Err(_) => Err(unknown()),
            },
            Some(("gpu", adapter)) => Self::gpu(Some(adapter)),
            Some(_) => Err(unknown()),
        }
    }

    /// The engine that the environment variable `ARRAS_ENGINE` names; `auto` if it is not set.
    ///
    /// # Errors
    /// As [`Engine::named`].
    pub fn from_env() -> Result<Self, EngineError> {
        match std::env::var(Self::VARIABLE) {
            Ok(name) => {
                let mut engine = Self::named(&name)?;
                engine.reason = format!("{} ({}={name})", engine.reason, Self::VARIABLE);
                Ok(engine)
            }
            Err(_) => Self::auto(),
        }
    }

    /// The engine, type-erased: it serves wherever a [`Backend`] does.
    pub fn backend(&self) -> &AnyBackend {
        &self.backend
    }

    /// Finds out, before they are loaded, whether `bytes` of keys and ciphertexts find room. Only a device is asked; engines in main
    /// memory take what the system gives.
    ///
    /// # Errors
    /// [`OutOfMemory`](arras_hal::HalErrorKind::OutOfMemory) with what there is; [`Device`](arras_hal::HalErrorKind::Device) for a device that has failed.
    pub fn make_room(&self, bytes: u64) -> Result<(), HalError> {
        #[cfg(feature = "gpu")]
        if let Some(device) = &self.device {
            return device.make_room(bytes);
        }
        let _ = bytes;
        Ok(())
    }

    /// Why this engine was chosen.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

#[cfg(feature = "gpu")]
fn memory_limit(mib: Option<String>) -> Result<Option<u64>, EngineError> {
    let bytes = |given: String| {
        let bytes = given.trim().parse().ok();
        bytes
            .and_then(|mib: u64| mib.checked_mul(1 << 20))
            .ok_or(EngineError::MemoryLimit { given })
    };
    mib.map(bytes).transpose()
}

fn available() -> String {
    let cpu = if cfg!(feature = "cpu") {
        "cpu, cpu:THREADS, "
    } else {
        ""
    };
    let gpu = if cfg!(feature = "gpu") {
        "gpu, gpu:ADAPTER, "
    } else {
        ""
    };
    format!("auto, {cpu}{gpu}reference")
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.backend.name(), self.reason)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_a_bound() {
        let message = Engine::named("cpu:100000").unwrap_err().to_string();
        assert!(message.contains("1024"), "{message}");
    }

    #[test]
    fn names_choose_and_wrong_ones_say_what_is_possible() {
        assert!(
            Engine::named("reference")
                .unwrap()
                .to_string()
                .starts_with("reference")
        );
        for wrong in ["tpu", "cpu:many", "reference:2"] {
            let message = Engine::named(wrong).unwrap_err().to_string();
            assert!(
                message.contains(wrong) && message.contains("reference"),
                "{message}"
            );
        }
    }

    #[cfg(feature = "cpu")]
    #[test]
    fn auto_is_the_cpu_engine_and_says_why() {
        let engine = Engine::named("auto").unwrap();
        assert!(engine.backend().name().starts_with("cpu"), "{engine}");
        assert!(engine.reason().contains("every machine"));
        assert!(
            Engine::named("cpu:2")
                .unwrap()
                .backend()
                .name()
                .contains('2')
        );
    }

    #[cfg(not(feature = "gpu"))]
    #[test]
    fn asking_for_a_gpu_that_was_not_compiled_in_names_the_feature() {
        let message = Engine::named("gpu:radeon").unwrap_err().to_string();
        assert!(message.contains("--features gpu"), "{message}");
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn an_adapter_that_is_not_there_is_an_error() {
        let message = Engine::named("gpu:no such adapter")
            .unwrap_err()
            .to_string();
        assert!(message.contains("no such adapter"), "{message}");
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn a_limit_of_device_memory_is_a_number_of_mib() {
        assert_eq!(memory_limit(None).unwrap(), None);
        assert_eq!(memory_limit(Some("512".into())).unwrap(), Some(512 << 20));
        for wrong in ["", "much", "-1", "1e3", "99999999999999999"] {
            let message = memory_limit(Some(wrong.into())).unwrap_err().to_string();
            assert!(
                message.contains(wrong) && message.contains("MIB"),
                "{message}"
            );
        }
    }

    #[test]
    fn engines_in_main_memory_promise_what_the_system_gives() {
        Engine::reference().make_room(u64::MAX).unwrap();
    }

    #[cfg(not(feature = "cpu"))]
    #[test]
    fn asking_for_what_was_not_compiled_in_names_the_feature() {
        let message = Engine::named("cpu").unwrap_err().to_string();
        assert!(message.contains("--features cpu"), "{message}");
        assert!(Engine::auto().unwrap().reason().contains("no other engine"));
    }
}
