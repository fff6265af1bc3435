//! What a run did.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{bytes, seconds};

/// Figures of one run of a program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Wall time in seconds.
    pub seconds: f64,
    /// Sum over all groups of the time they took, in seconds: the work, if the engine used one thread.
    pub work_seconds: f64,
    /// Steps of the program.
    pub steps: usize,
    /// Groups of steps that ran as one: calls of the scheme's evaluator.
    pub calls: usize,
    /// Waves.
    pub waves: usize,
    /// The most groups of a wave.
    pub width: usize,
    /// Steps on the longest chain of dependent steps.
    pub critical_path: usize,
    /// The most bytes of ciphertexts alive at once, inputs included.
    pub peak_ciphertext_bytes: usize,
    /// Bytes of encoded constants kept.
    pub constant_bytes: usize,
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |count: usize| bytes(count as u64);
        writeln!(f, "wall time        {}", seconds(self.seconds))?;
        writeln!(f, "work             {}", seconds(self.work_seconds))?;
        writeln!(f, "steps            {}", self.steps)?;
        writeln!(f, "calls            {}", self.calls)?;
        writeln!(
            f,
            "waves            {}, the widest of {} calls",
            self.waves, self.width
        )?;
        writeln!(f, "critical path    {} steps", self.critical_path)?;
        let peak = bytes(self.peak_ciphertext_bytes);
        writeln!(f, "peak ciphertexts {peak}")?;
        write!(f, "constants        {}", bytes(self.constant_bytes))
    }
}
