//! One training spread over rounds in several ways, side by side.

use std::fmt;

use arras_toolkit::text::{Table, UNKNOWN, bytes, seconds};
use serde::{Deserialize, Serialize};

use super::{Planner, PlannerOptions};
use crate::{
    Result,
    trainer::{Candidate, Rounds, Settings},
};

/// A way to spread a training over rounds, with what it costs both parties.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Way {
    /// How iterations are spread over rounds.
    pub rounds: Rounds,
    /// The best circuit and ring for it; none if no ring that the planner may take holds its rounds.
    pub best: Option<Candidate>,
}

/// The ways that are compared: all in one upload, as few rounds as the levels allow, and as many as make the server's work least.
const COMPARED: [Rounds; 3] = [Rounds::One, Rounds::Fewest, Rounds::Fastest];

/// Weighs a training in one upload, in as few rounds as the levels allow, and in as many as make the server's work least, beside what the settings ask for.
/// `chosen` is what [`plan`](super::plan) took for these settings: it need not be found again.
///
/// # Errors
/// As [`plan`](super::plan), but for a training that does not fit.
pub fn ways(
    settings: &Settings,
    features: usize,
    rows: usize,
    options: &PlannerOptions,
    chosen: &Candidate,
) -> Result<Ways> {
    let mut all: Vec<Way> = vec![];
    let asked = (!COMPARED.contains(&settings.rounds)).then_some(settings.rounds);
    for rounds in asked.into_iter().chain(COMPARED) {
        // Fewer than one are not to be found.
        let is_one = |way: &Way| way.rounds == Rounds::One && way.best.is_some();
        if rounds == Rounds::Fewest && all.iter().any(is_one) {
            continue;
        }
        let best = if rounds == settings.rounds {
            Some(chosen.clone())
        } else {
            let settings = settings.clone().rounds(rounds);
            let mut planner = Planner::new(&settings, features, rows, options)?;
            let kinds = planner.kinds()?;
            planner.all = kinds.len() * options.log_n.clone().count();
            let found = planner.weigh(&kinds)?;
            found.into_iter().next().map(|found| found.candidate)
        };
        all.push(Way { rounds, best });
    }
    Ok(Ways(all))
}

/// A table of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ways(Vec<Way>);

impl Ways {
    /// What was asked for if it is none of these; one upload; fewest rounds unless they are one; fastest rounds.
    pub fn all(&self) -> &[Way] {
        &self.0
    }
}

impl Way {
    /// In words.
    fn name(&self) -> String {
        match self.rounds {
            Rounds::One => "one upload",
            Rounds::Fewest => "fewest",
            Rounds::Fastest => "fastest",
            Rounds::Count(_) | Rounds::Of(_) => "as asked",
        }
        .to_owned()
    }

    fn cells(&self) -> Vec<String> {
        let Some(best) = &self.best else {
            let unknown = (0..7).map(|_| UNKNOWN.to_owned());
            let head = [self.name(), UNKNOWN.to_owned(), "does not fit".to_owned()];
            return head.into_iter().chain(unknown).collect();
        };
        let server = best.seconds.first();
        let server = server.map_or(UNKNOWN.to_owned(), |time| seconds(time.seconds));
        vec![
            self.name(),
            best.rounds.len().to_string(),
            best.kind.to_string(),
            format!("2^{}", best.log_n),
            seconds(best.client.seconds()),
            bytes(best.client.memory),
            server,
            bytes(best.memory.total()),
            bytes(best.key_file_bytes + best.data_bytes + best.state_bytes),
            bytes(best.result_bytes),
        ]
    }
}

impl fmt::Display for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "rounds",
            "",
            "circuit",
            "N",
            "client",
            "its memory",
            "server",
            "its memory",
            "sent",
            "sent back",
        ];
        let table = Table::new(head).with_rows(self.0.iter().map(Way::cells));
        write!(f, "{table}")
    }
}
