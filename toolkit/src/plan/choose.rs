//! The cheapest parameters under which a program keeps its promises.

use std::fmt;

use arras_ckks::{
    Parameters,
    params::{Dnum, LevelWidth, ParamsError, deepest},
};
use serde::{Deserialize, Serialize};

use super::PlanOptions;
use crate::{
    Result, ToolkitError,
    cost::CostTable,
    interpret::{OpCount, PrecisionReport, ScaleAndPrecision},
    program::Program,
};

/// A chain may be this much longer than needed: the top levels of some lengths have a smaller scale than the others, and a longer
/// chain may have cheaper digits.
const SPARE_LEVELS: usize = 2;

/// log2 of the largest ring degree.
const LARGEST_LOG_N: u32 = 17;

/// Parameters that were considered and not taken, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// Bits that a level spends.
    pub width: LevelWidth,
    /// Levels of the chain.
    pub levels: usize,
    /// Why.
    pub reason: RejectedReason,
}

/// Why parameters were not taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RejectedReason {
    /// They do not fit the security bound of the ring.
    Security,
    /// The predicted precision is too low.
    Precision {
        /// Predicted bits after the point.
        bits: f64,
    },
    /// Values exceed the headroom.
    Headroom,
    /// They are dearer than the chosen ones; whether they are precise enough was not looked at.
    Cost {
        /// Estimated seconds of all steps.
        seconds: f64,
    },
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} levels of {} bits: ", self.levels, self.width.bits())?;
        match self.reason {
            RejectedReason::Security => write!(f, "beyond the 128-bit bound of the ring"),
            RejectedReason::Precision { bits } => write!(f, "only {bits:.1} bits after the point"),
            RejectedReason::Headroom => write!(f, "values exceed the headroom"),
            RejectedReason::Cost { seconds } => write!(f, "dearer: {seconds:.3} s"),
        }
    }
}

/// What was chosen.
pub(super) struct Chosen {
    pub(super) parameters: Parameters,
    pub(super) costs: CostTable,
    pub(super) count: OpCount,
    pub(super) precision: PrecisionReport,
    pub(super) rejected: Vec<Rejected>,
}

struct Candidate {
    parameters: Parameters,
    costs: CostTable,
    count: OpCount,
}

impl Candidate {
    fn new(program: &Program, parameters: Parameters, options: &PlanOptions) -> Result<Self> {
        let costs = match &options.costs {
            Some(table) => table.estimate_for(&parameters)?,
            None => CostTable::built_in(&parameters, options.threads)?,
        };
        let count = OpCount::with_costs_of(program, &costs)?;
        Ok(Self {
            parameters,
            costs,
            count,
        })
    }
}

/// The caller's parameters, or the cheapest that suffice.
pub(super) fn choose(program: &Program, options: &PlanOptions) -> Result<Chosen> {
    let mut rejected = vec![];
    let mut candidates = match &options.parameters {
        Some(parameters) => {
            check(program, parameters)?;
            vec![Candidate::new(program, parameters.clone(), options)?]
        }
        None => candidates(program, options, &mut rejected)?,
    };
    candidates.sort_by(|a, b| a.count.seconds().total_cmp(&b.count.seconds()));
    let mut best: Option<PrecisionReport> = None;
    let mut exceeded = None;
    let mut candidates = candidates.into_iter();
    while let Some(candidate) = candidates.next() {
        let mut predictor = ScaleAndPrecision::new(&candidate.parameters, options.samples.clone())
            .trials(options.trials);
        if options.public_key {
            predictor = predictor.public_key();
        }
        let precision = predictor.predict(program)?;
        let reason = if let Some(magnitude) = precision.exceeded() {
            exceeded = exceeded.or_else(|| Some(magnitude.clone()));
            RejectedReason::Headroom
        } else if precision.bits() < options.precision_bits {
            let bits = precision.bits();
            if best.as_ref().is_none_or(|best| bits > best.bits()) {
                best = Some(precision);
            }
            RejectedReason::Precision { bits }
        } else {
            let dearer = candidates.map(|c| {
                let seconds = c.count.seconds();
                reject(&c.parameters, RejectedReason::Cost { seconds })
            });
            rejected.extend(dearer);
            return Ok(Chosen {
                parameters: candidate.parameters,
                costs: candidate.costs,
                count: candidate.count,
                precision,
                rejected,
            });
        };
        rejected.push(reject(&candidate.parameters, reason));
    }
    Err(match (best, exceeded) {
        (Some(best), _) => not_precise(options.precision_bits, &best),
        (None, Some(magnitude)) => ToolkitError::HeadroomExceeded(Box::new(magnitude)),
        (None, None) => too_deep(program),
    })
}

fn reject(parameters: &Parameters, reason: RejectedReason) -> Rejected {
    Rejected {
        width: parameters.level_width(),
        levels: parameters.max_level(),
        reason,
    }
}

fn check(program: &Program, parameters: &Parameters) -> Result<()> {
    if program.circuit().slots() != parameters.slots() {
        return Err(ToolkitError::SlotsMismatch {
            op: "plan",
            circuit: program.circuit().slots(),
            parameters: parameters.slots(),
        });
    }
    if program.levels_needed() > parameters.max_level() {
        return Err(ToolkitError::TooFewLevels {
            op: "plan".into(),
            needed: program.levels_needed(),
            available: parameters.max_level(),
        });
    }
    Ok(())
}

/// Chains of both widths with the levels, in the ring that the circuit's slots ask for.
fn candidates(
    program: &Program,
    options: &PlanOptions,
    rejected: &mut Vec<Rejected>,
) -> Result<Vec<Candidate>> {
    let log_n = log_n(program);
    let needed = program.levels_needed();
    let mut found = vec![];
    for width in LevelWidth::ALL {
        if deepest(log_n, width, Dnum::Auto).is_none_or(|most| most < needed) {
            rejected.push(Rejected {
                width,
                levels: needed,
                reason: RejectedReason::Security,
            });
            continue;
        }
        for levels in needed..=needed + SPARE_LEVELS {
            let builder = Parameters::builder()
                .log_n(log_n)
                .level_width(width)
                .levels(levels);
            match builder.build() {
                Ok(parameters) => found.push(Candidate::new(program, parameters, options)?),
                Err(ParamsError::DoesNotFit { .. } | ParamsError::NotEnoughPrimes { .. }) => {
                    rejected.push(Rejected {
                        width,
                        levels,
                        reason: RejectedReason::Security,
                    });
                    break;
                }
                // A chain that is too long altogether.
                Err(_) if levels > needed => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(found)
}

/// log2 of the ring degree whose ciphertexts have the circuit's slots.
fn log_n(program: &Program) -> u32 {
    program.circuit().slots().ilog2() + 1
}

fn too_deep(program: &Program) -> ToolkitError {
    let needed = program.levels_needed();
    let most = |log_n| {
        let widths = LevelWidth::ALL.into_iter();
        widths
            .filter_map(|width| deepest(log_n, width, Dnum::Auto))
            .max()
    };
    let log_n = log_n(program);
    ToolkitError::TooDeep {
        needed,
        slots: program.circuit().slots(),
        available: most(log_n),
        sufficient_slots: (log_n + 1..=LARGEST_LOG_N)
            .find(|&log_n| most(log_n).is_some_and(|most| most >= needed))
            .map(|log_n| 1 << (log_n - 1)),
    }
}

fn not_precise(asked: f64, best: &PrecisionReport) -> ToolkitError {
    let least = best
        .outputs()
        .iter()
        .min_by(|a, b| a.1.bits().total_cmp(&b.1.bits()));
    let (output, reached) =
        least.map_or((String::new(), 0.0), |(name, of)| (name.clone(), of.bits()));
    ToolkitError::PrecisionNotReached {
        asked,
        output,
        reached,
    }
}
