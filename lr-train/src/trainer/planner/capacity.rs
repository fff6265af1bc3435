//! What fits, and what to do where a training does not.

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
                let Some(levels) = deepest(log_n, self.options.level_width, self.options.dnum)
                else {
                    continue;
                };
                let iterations = if self.takes_minibatch(kind, log_n) {
                    Some(self.depths.single_round(kind, levels)?)
                } else {
                    None
                };
                table.push(Capacity {
                    kind,
                    log_n,
                    levels,
                    iterations,
                });
            }
        }
        Ok(table)
    }

    /// What would do instead.
    pub(super) fn too_many(&mut self, kinds: &[Kind]) -> Result<ExchangeError> {
        let largest = *self.options.log_n.end();
        let beyond = largest + 1..=*RINGS.end();
        let mut choices = vec![];
        for &kind in kinds {
            for log_n in beyond.clone() {
                if self.lengths(kind, log_n)?.is_some() {
                    choices.push(Remedy::Ring {
                        circuit: kind.name(),
                        log_n,
                    });
                    break;
                }
            }
        }
        for kind in Kind::ALL {
            let safe = kind
                .longest_run()
                .is_none_or(|most| self.settings.iterations <= most);
            if kinds.contains(&kind) || !safe {
                continue;
            }
            for log_n in self.options.log_n.clone() {
                if self.lengths(kind, log_n)?.is_some() {
                    choices.push(Remedy::Circuit {
                        circuit: kind.name(),
                        log_n,
                    });
                    break;
                }
            }
        }
        let levels = self.levels(largest).unwrap_or(0);
        let mut most = 0;
        let mut refreshed: Option<Remedy> = None;
        let mut fewest = usize::MAX;
        for &kind in kinds
            .iter()
            .filter(|&&kind| self.takes_minibatch(kind, largest))
            .collect::<Vec<_>>()
        {
            most = most.max(self.depths.single_round(kind, levels)?);
            let length = self.depths.middle_round(kind, levels)?;
            if length > 0 && self.settings.iterations.div_ceil(length) < fewest {
                fewest = self.settings.iterations.div_ceil(length);
                refreshed = Some(Remedy::Rounds {
                    circuit: kind.name(),
                    log_n: largest,
                    rounds: fewest,
                    length,
                });
            }
        }
        choices.extend(refreshed);
        Ok(ExchangeError::TooManyIterations {
            iterations: self.settings.iterations,
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
}
