//! What a plan is asked for.

use std::collections::BTreeMap;

use arras_ckks::{
    Parameters,
    params::{Dnum, LevelWidth, Security},
};

use crate::{Circuit, Result, Samples, circuit::Input, cost::CostTable, interpret::Bounds};

/// A chain may be this much longer than needed: the top levels of some lengths have a smaller scale than the others, and a longer
/// chain may have cheaper digits.
const SPARE_LEVELS: usize = 2;

/// What is asked of a plan.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    pub(super) asked: Option<(f64, Samples)>,
    pub(super) widths: Vec<LevelWidth>,
    pub(super) spare_levels: usize,
    pub(super) dnum: Dnum,
    pub(super) security: Security,
    pub(super) costs: Vec<CostTable>,
    pub(super) threads: usize,
    pub(super) trials: Option<usize>,
    pub(super) public_key: bool,
    pub(super) parameters: Option<Parameters>,
}

impl PlanOptions {
    /// Every entry of every output right to `precision_bits` bits after the binary point, for inputs like these samples; times by the
    /// built-in cost table of the CPU engine with one thread.
    pub fn new(precision_bits: f64, samples: Samples) -> Self {
        Self {
            asked: Some((precision_bits, samples)),
            ..Self::any_precision()
        }
    }

    /// The cheapest parameters that hold the circuits, whatever their precision, which is not predicted.
    pub fn any_precision() -> Self {
        Self {
            asked: None,
            widths: LevelWidth::ALL.to_vec(),
            spare_levels: SPARE_LEVELS,
            dnum: Dnum::Auto,
            security: Security::Classical128,
            costs: vec![],
            threads: 1,
            trials: None,
            public_key: false,
            parameters: None,
        }
    }

    /// Chains of this width only.
    #[must_use]
    pub fn level_width(mut self, width: LevelWidth) -> Self {
        self.widths = vec![width];
        self
    }

    /// Chains up to this many levels longer than needed, instead of two.
    #[must_use]
    pub fn spare_levels(mut self, levels: usize) -> Self {
        self.spare_levels = levels;
        self
    }

    /// Key-switching digits, instead of the cheapest number.
    #[must_use]
    pub fn dnum(mut self, dnum: Dnum) -> Self {
        self.dnum = dnum;
        self
    }

    /// What parameters promise. **[`Security::InsecureForTests`] gives plans that protect nothing.**
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Times from this table instead of the built-in one; it is brought to the parameters with [`CostTable::estimate_for`]. Tables of one
    /// engine, machine and number of threads make one estimate, by the nearest ring degree; those of others make further ones. The
    /// first decides what is cheapest.
    #[must_use]
    pub fn costs(mut self, table: CostTable) -> Self {
        self.costs.push(table);
        self
    }

    /// Threads of the server: for its memory, and for times of the CPU engine if no table is given.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Trials of the prediction of precision, instead of [`ScaleAndPrecision`](crate::ScaleAndPrecision)'s own number.
    #[must_use]
    pub fn trials(mut self, trials: usize) -> Self {
        self.trials = Some(trials);
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

    /// What an input's values are at most in magnitude: as the circuit assumes, or as the samples are; `None` if neither says anything.
    pub(super) fn range(&self, circuit: &Circuit, input: &Input) -> Option<f64> {
        let assumed = circuit.node(input.node()).assumption();
        let samples = self.asked.as_ref().map(|(_, samples)| samples);
        assumed
            .map(|assumption| assumption.bound)
            .or_else(|| samples?.largest(input.name()))
    }

    /// Bounds of a circuit's values, if the ranges of all inputs are known on which an output depends.
    pub(super) fn bounds(&self, circuit: &Circuit) -> Option<Bounds> {
        let mut ranges = BTreeMap::new();
        for input in circuit.inputs() {
            if circuit.level(input.node()).is_some() {
                ranges.insert(input.name(), self.range(circuit, input)?);
            }
        }
        let range = |name: &str| ranges.get(name).copied().unwrap_or_default();
        Some(Bounds::of(circuit, range))
    }

    /// Costs under these parameters, one table for each engine.
    pub(super) fn tables(&self, params: &Parameters) -> Result<Vec<CostTable>> {
        let mut nearest: Vec<&CostTable> = vec![];
        let distance = |table: &CostTable| table.log_n().abs_diff(params.log_n());
        for table in &self.costs {
            let of = |table: &CostTable| {
                let spec = table.spec();
                (spec.engine.clone(), spec.machine.clone(), spec.threads)
            };
            match nearest.iter_mut().find(|known| of(known) == of(table)) {
                Some(known) if distance(table) < distance(known) => *known = table,
                Some(_) => {}
                None => nearest.push(table),
            }
        }
        if nearest.is_empty() {
            return Ok(vec![CostTable::built_in(params, self.threads)?]);
        }
        let scaled = nearest.iter().map(|table| table.estimate_for(params));
        Ok(scaled.collect::<Result<_, _>>()?)
    }
}
