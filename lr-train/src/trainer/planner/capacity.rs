//! What fits, and what to do where a training does not.

use std::ops::RangeInclusive;

use arras_ckks::params::deepest;

use super::{
    super::{
        error::{ExchangeError, Remedy},
        report::Capacity,
    },
    Planner, RINGS,
};
use crate::{Result, circuits::Kind};

impl Planner<'_> {
    /// Iterations that fit each circuit and ring in one round.
    pub(super) fn capacity(&mut self) -> Result<Vec<Capacity>> {
        let mut table = vec![];
        for kind in Kind::ALL {
            for log_n in RINGS {
                let (width, dnum) = (self.options.level_width, self.options.dnum);
                let Some(levels) = deepest(log_n, width, dnum) else {
                    continue;
                };
                let iterations = self
                    .takes_minibatch(kind, log_n)
                    .then(|| self.depths.single_round(kind, levels));
                table.push(Capacity {
                    kind,
                    log_n,
                    levels,
                    iterations: iterations.transpose()?,
                });
            }
        }
        Ok(table)
    }

    /// What would do instead.
    pub(super) fn too_many(&mut self, kinds: &[Kind]) -> Result<ExchangeError> {
        let iterations = self.settings.iterations;
        let rings = self.options.log_n.clone();
        let largest = *rings.end();
        let mut choices = vec![];
        for &kind in kinds {
            let beyond = self.smallest(kind, largest + 1..=*RINGS.end())?;
            choices.extend(beyond.map(|log_n| Remedy::Ring {
                circuit: kind.name(),
                log_n,
            }));
        }
        for kind in Kind::ALL {
            if !kinds.contains(&kind) && !self.is_beyond(kind) {
                let fits = self.smallest(kind, rings.clone())?;
                choices.extend(fits.map(|log_n| Remedy::Circuit {
                    circuit: kind.name(),
                    log_n,
                }));
            }
        }
        let levels = self.levels(largest).unwrap_or(0);
        let mut most = 0;
        let mut fewest: Option<(usize, Remedy)> = None;
        for &kind in kinds {
            if !self.takes_minibatch(kind, largest) {
                continue;
            }
            most = most.max(self.depths.single_round(kind, levels)?);
            let length = self.depths.middle_round(kind, levels)?;
            let rounds = iterations.div_ceil(length.max(1));
            if length > 0 && fewest.is_none_or(|(fewest, _)| rounds < fewest) {
                let remedy = Remedy::Rounds {
                    circuit: kind.name(),
                    log_n: largest,
                    rounds,
                    length,
                };
                fewest = Some((rounds, remedy));
            }
        }
        choices.extend(fewest.map(|(_, remedy)| remedy));
        Ok(ExchangeError::TooManyIterations {
            iterations,
            rounds: self.settings.round_lengths(1).len(),
            circuit: match kinds {
                [kind] => kind.to_string(),
                _ => "any circuit".to_owned(),
            },
            log_n: largest,
            most,
            choices,
        })
    }

    /// The smallest of these rings that holds a circuit's rounds.
    fn smallest(&mut self, kind: Kind, rings: RangeInclusive<u32>) -> Result<Option<u32>> {
        for log_n in rings {
            if self.lengths(kind, log_n)?.is_some() {
                return Ok(Some(log_n));
            }
        }
        Ok(None)
    }
}
