//! What a plan is asked for.

use arras_ckks::Parameters;

use crate::{cost::CostTable, interpret::Samples};

/// What is asked of a plan.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    pub(super) precision_bits: f64,
    pub(super) samples: Samples,
    pub(super) costs: Option<CostTable>,
    pub(super) threads: usize,
    pub(super) trials: usize,
    pub(super) public_key: bool,
    pub(super) parameters: Option<Parameters>,
}

impl PlanOptions {
    /// Every entry of every output right to `precision_bits` bits after the binary point, for inputs like these samples; times by the
    /// built-in cost table of the CPU engine with one thread.
    pub fn new(precision_bits: f64, samples: Samples) -> Self {
        Self {
            precision_bits,
            samples,
            costs: None,
            threads: 1,
            trials: 4,
            public_key: false,
            parameters: None,
        }
    }

    /// Times from this table instead of the built-in one; it is brought to the parameters with [`CostTable::estimate_for`].
    #[must_use]
    pub fn costs(mut self, table: CostTable) -> Self {
        self.costs = Some(table);
        self
    }

    /// Times of the CPU engine with this many threads, if no table is given.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Trials of the prediction of precision, instead of four.
    #[must_use]
    pub fn trials(mut self, trials: usize) -> Self {
        self.trials = trials.max(1);
        self
    }

    /// Inputs encrypted with the public key: larger errors, and twice the bytes.
    #[must_use]
    pub fn public_key(mut self) -> Self {
        self.public_key = true;
        self
    }

    /// These parameters, instead of the cheapest that suffice.
    #[must_use]
    pub fn parameters(mut self, parameters: &Parameters) -> Self {
        self.parameters = Some(parameters.clone());
        self
    }
}
