//! The cheapest parameters under which a program keeps its promises.

use std::fmt;

use arras_ckks::{
    Parameters,
    params::{LevelWidth, ParamsError, Security, deepest},
};
use serde::{Deserialize, Serialize};

use crate::{
    OpCount, PlanOptions, Result, ScaleAndPrecision, Stage, ToolkitError, ToolkitErrorKind,
    cost::CostTable, interpret::PredictedPrecision,
};

/// log2 of the largest ring degree.
const LARGEST_LOG_N: u32 = 17;

/// Parameters that were considered and not taken, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// They are more expensive than the chosen ones; whether they are precise enough was not looked at.
    Cost {
        /// Estimated seconds of all runs, encoding of constants included.
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
            RejectedReason::Cost { seconds } => write!(f, "more expensive: {seconds:.3} s"),
        }
    }
}

/// What was chosen.
pub(super) struct Chosen {
    pub(super) parameters: Parameters,
    /// Costs by engine, at least one table.
    pub(super) tables: Vec<CostTable>,
    /// Of each stage; none if no precision was asked for.
    pub(super) precisions: Vec<PredictedPrecision>,
    pub(super) rejected: Vec<Rejected>,
}

struct Candidate {
    parameters: Parameters,
    tables: Vec<CostTable>,
    seconds: f64,
}

impl Candidate {
    fn new(stages: &[Stage<'_>], parameters: Parameters, options: &PlanOptions) -> Result<Self> {
        let tables = options.tables(&parameters)?;
        let mut seconds = 0.0;
        for stage in stages {
            let count = OpCount::with_costs_of(stage.program, &tables[0])?;
            seconds += stage.times as f64 * (count.seconds() + count.encoding_seconds());
        }
        Ok(Self {
            parameters,
            tables,
            seconds,
        })
    }

    fn rejected(&self, reason: RejectedReason) -> Rejected {
        Rejected {
            width: self.parameters.level_width(),
            levels: self.parameters.max_level(),
            reason,
        }
    }
}

/// Levels of the deepest stage.
pub(super) fn levels_needed(stages: &[Stage<'_>]) -> usize {
    let levels = stages.iter().map(|stage| stage.program.levels_needed());
    levels.max().unwrap_or(0)
}

/// The caller's parameters, or the cheapest that suffice.
pub(super) fn choose(stages: &[Stage<'_>], options: &PlanOptions) -> Result<Chosen> {
    let Some(slots) = stages.first().map(|stage| stage.program.circuit().slots()) else {
        let least = "at least 1";
        return Err(ToolkitError::out_of_range("number of stages", 0.0, least));
    };
    let mut rejected = vec![];
    let mut candidates = if let Some(parameters) = &options.parameters {
        for stage in stages {
            stage.program.check_fits(parameters)?;
        }
        vec![Candidate::new(stages, parameters.clone(), options)?]
    } else {
        let mut others = stages.iter().map(|stage| stage.program.circuit().slots());
        if let Some(circuit) = others.find(|&other| other != slots) {
            let parameters = slots;
            return Err(ToolkitError::slots_mismatch(circuit, parameters));
        }
        candidates(stages, slots, options, &mut rejected)?
    };
    candidates.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let mut worst: Option<(f64, PredictedPrecision)> = None;
    let mut exceeded = None;
    let mut candidates = candidates.into_iter();
    while let Some(candidate) = candidates.next() {
        let precisions = predict(stages, &candidate.parameters, options)?;
        let asked = options.asked.as_ref().map_or(f64::NEG_INFINITY, |a| a.0);
        if let Some(broken) = precisions.iter().find_map(|p| p.broken()) {
            return Err(ToolkitErrorKind::AssumptionBroken(broken.to_string()).into());
        }
        let least = precisions
            .iter()
            .min_by(|a, b| a.bits().total_cmp(&b.bits()));
        let reason = if let Some(magnitude) = precisions.iter().find_map(|p| p.exceeded()) {
            exceeded = exceeded.or_else(|| Some(magnitude.to_string()));
            RejectedReason::Headroom
        } else if let Some(error) = beyond(stages, &candidate.parameters, options) {
            exceeded = exceeded.or(Some(error));
            RejectedReason::Headroom
        } else if let Some(least) = least.filter(|least| least.bits() < asked) {
            let bits = least.bits();
            if worst.as_ref().is_none_or(|(best, _)| bits > *best) {
                worst = Some((bits, least.clone()));
            }
            RejectedReason::Precision { bits }
        } else {
            let more = candidates.map(|c| {
                let seconds = c.seconds;
                c.rejected(RejectedReason::Cost { seconds })
            });
            rejected.extend(more);
            return Ok(Chosen {
                parameters: candidate.parameters,
                tables: candidate.tables,
                precisions,
                rejected,
            });
        };
        rejected.push(candidate.rejected(reason));
    }
    Err(match (worst, exceeded) {
        (Some((_, best)), _) => not_precise(options.asked.as_ref().map_or(0.0, |a| a.0), &best),
        (None, Some(exceeded)) => ToolkitErrorKind::HeadroomExceeded(exceeded).into(),
        (None, None) => too_deep(stages, slots, options),
    })
}

/// The first step of a stage whose values may be larger than its level holds, by the ranges of its inputs.
fn beyond(stages: &[Stage<'_>], params: &Parameters, options: &PlanOptions) -> Option<String> {
    stages.iter().find_map(|stage| {
        let bounds = options.bounds(stage.program.circuit())?;
        bounds.exceeded(stage.program, params)
    })
}

/// The precision of every stage; none if none was asked for.
fn predict(
    stages: &[Stage<'_>],
    parameters: &Parameters,
    options: &PlanOptions,
) -> Result<Vec<PredictedPrecision>> {
    let Some((_, samples)) = &options.asked else {
        return Ok(vec![]);
    };
    let mut predictor = ScaleAndPrecision::new(parameters, samples.clone());
    if let Some(trials) = options.trials {
        predictor = predictor.trials(trials);
    }
    if options.public_key {
        predictor = predictor.public_key();
    }
    let predicted = stages.iter().map(|stage| predictor.predict(stage.program));
    predicted.collect()
}

/// Chains of the widths with the levels, in the ring that the circuits' slots ask for.
fn candidates(
    stages: &[Stage<'_>],
    slots: usize,
    options: &PlanOptions,
    rejected: &mut Vec<Rejected>,
) -> Result<Vec<Candidate>> {
    let log_n = log_n(slots);
    let needed = levels_needed(stages);
    let mut found = vec![];
    for &width in &options.widths {
        let insecure = |levels| Rejected {
            width,
            levels,
            reason: RejectedReason::Security,
        };
        let fits = options.security == Security::InsecureForTests
            || deepest(log_n, width, options.dnum).is_some_and(|most| most >= needed);
        if !fits {
            rejected.push(insecure(needed));
            continue;
        }
        for levels in needed..=needed + options.spare_levels {
            let builder = Parameters::builder()
                .log_n(log_n)
                .level_width(width)
                .levels(levels)
                .dnum(options.dnum)
                .security(options.security);
            match builder.build() {
                Ok(parameters) => found.push(Candidate::new(stages, parameters, options)?),
                Err(ParamsError::DoesNotFit { .. } | ParamsError::NotEnoughPrimes { .. }) => {
                    rejected.push(insecure(levels));
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

/// log2 of the ring degree whose ciphertexts have these slots.
fn log_n(slots: usize) -> u32 {
    slots.ilog2() + 1
}

fn too_deep(stages: &[Stage<'_>], slots: usize, options: &PlanOptions) -> ToolkitError {
    let needed = levels_needed(stages);
    let most = |log_n| {
        let widths = options.widths.iter();
        widths
            .filter_map(|&width| deepest(log_n, width, options.dnum))
            .max()
    };
    let log_n = log_n(slots);
    ToolkitError::from(ToolkitErrorKind::TooDeep {
        needed,
        slots,
        available: most(log_n),
        sufficient_slots: (log_n + 1..=LARGEST_LOG_N)
            .find(|&log_n| most(log_n).is_some_and(|most| most >= needed))
            .map(|log_n| 1 << (log_n - 1)),
    })
}

fn not_precise(asked: f64, best: &PredictedPrecision) -> ToolkitError {
    let least = best
        .outputs()
        .iter()
        .min_by(|a, b| a.1.bits().total_cmp(&b.1.bits()));
    let (output, reached) =
        least.map_or((String::new(), 0.0), |(name, of)| (name.clone(), of.bits()));
    ToolkitError::from(ToolkitErrorKind::PrecisionNotReached {
        asked,
        output,
        reached,
    })
}
