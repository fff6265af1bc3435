//! What both sides of a training know before there are keys.

mod check;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use arras_ckks::{Parameters, params::ParametersSpec};
use arras_toolkit::{
    circuit::Summing,
    plan::{KeyRequests, ServerMemory},
};
use serde::{Deserialize, Serialize};

pub(crate) use self::check::check_requests;
use self::check::{check, check_keys, inconsistent};
use super::{
    PlanId,
    round::{InputShape, Outline, Round},
    settings::Settings,
};
use crate::{Result, TrainError, circuits::Kind, preprocess::Scheme, trainer::ExchangeError};

/// The version of plans that this build writes, and the only one that it reads.
pub const PLAN_VERSION: u32 = 5;

/// Separates plans' identifiers from every other use of BLAKE3.
const PLAN_CONTEXT: &str = "lr-train plan v2";

/// Recorded rounds that a plan keeps: a training of more of them records some again rather than fill the memory.
const KEPT_ROUNDS: usize = 8;

/// What is decided of a round; everything else about it follows from the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RoundSpec {
    /// Iterations.
    pub iterations: usize,
    /// How sums of rotations are added up.
    #[serde(default)]
    pub summing: Summing,
}

/// A plan as it is written down: nothing here has been checked. [`TrainingPlan`] is one that has been checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSpec {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The circuit.
    pub kind: Kind,
    /// The most rows of a data set.
    pub rows: usize,
    /// The most features of a data set, the intercept among them, without constant columns.
    pub features: usize,
    /// What was asked for.
    pub settings: Settings,
    /// How columns are normalized: the scheme alone, nothing that was fitted.
    pub normalization: Scheme,
    /// The rounds.
    pub rounds: Vec<RoundSpec>,
    /// The keys that all rounds together need.
    pub keys: KeyRequests,
    /// Parameters of the scheme.
    pub parameters: ParametersSpec,
}

impl PlanSpec {
    /// Rows of a minibatch: what was asked for, if there are as many.
    pub fn minibatch(&self) -> usize {
        self.settings.minibatch.min(self.rows)
    }
}

/// What both sides of a training know before there are keys: circuits of all rounds, parameters, keys. It holds no data and no secret.
///
/// Circuits are recorded when they are first asked for; a plan and its copies share them. Serialized it is a [`PlanSpec`], in JSON or
/// TOML; reading one refuses parameters without security.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "PlanSpec", into = "PlanSpec")]
pub struct TrainingPlan {
    spec: PlanSpec,
    params: Parameters,
    id: PlanId,
    recorded: Arc<Recorded>,
}

/// Plans are equal if they are written down alike.
impl PartialEq for TrainingPlan {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

#[derive(Debug, Default)]
struct Recorded {
    rounds: Mutex<VecDeque<Arc<Round>>>,
    data: OnceLock<Vec<Vec<InputShape>>>,
}

impl From<TrainingPlan> for PlanSpec {
    fn from(plan: TrainingPlan) -> Self {
        plan.spec
    }
}

/// Checks a plan, trusting nothing in it; parameters must be secure.
///
/// # Errors
/// [`ExchangeError::Version`], [`ExchangeError::PlanInconsistent`], for keys that its circuits do not need, too; [`FitError::Hyperparameter`](crate::plain::FitError::Hyperparameter);
/// those of the parameters.
impl TryFrom<PlanSpec> for TrainingPlan {
    type Error = TrainError;

    fn try_from(spec: PlanSpec) -> Result<Self> {
        let params =
            Parameters::try_from(spec.parameters.clone()).map_err(arras_ckks::CkksError::from)?;
        Self::checked(spec, params, [])
    }
}

impl TrainingPlan {
    /// Checks a plan as `try_from` does, but takes **parameters without security** too: for tests only.
    ///
    /// # Errors
    /// As there.
    pub fn from_spec_allowing_insecure(spec: PlanSpec) -> Result<Self> {
        Self::with_recorded(spec, [])
    }

    /// With circuits that were recorded already; with or without security.
    pub(super) fn with_recorded(
        spec: PlanSpec,
        rounds: impl IntoIterator<Item = Arc<Round>>,
    ) -> Result<Self> {
        let params = Parameters::from_spec_allowing_insecure(spec.parameters.clone())
            .map_err(arras_ckks::CkksError::from)?;
        Self::checked(spec, params, rounds)
    }

    fn checked(
        spec: PlanSpec,
        params: Parameters,
        rounds: impl IntoIterator<Item = Arc<Round>>,
    ) -> Result<Self> {
        known_version(spec.version)?;
        check(&spec, &params)?;
        let bytes = postcard::to_stdvec(&spec).map_err(malformed)?;
        let id = PlanId::from_bytes(blake3::derive_key(PLAN_CONTEXT, &bytes));
        let plan = Self {
            spec,
            params,
            id,
            recorded: Arc::default(),
        };
        plan.lock().extend(rounds);
        check_keys(&plan)?;
        Ok(plan)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Round>>> {
        let rounds = self.recorded.rounds.lock();
        rounds.unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything in it.
    pub fn spec(&self) -> &PlanSpec {
        &self.spec
    }

    /// What tells it from other plans.
    pub fn id(&self) -> PlanId {
        self.id
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// What was asked for.
    pub fn settings(&self) -> &Settings {
        &self.spec.settings
    }

    /// How columns are to be normalized.
    pub fn normalization(&self) -> Scheme {
        self.spec.normalization
    }

    /// The circuit.
    pub fn kind(&self) -> Kind {
        self.spec.kind
    }

    /// The most rows of a data set.
    pub fn rows(&self) -> usize {
        self.spec.rows
    }

    /// The most features of a data set, the intercept among them.
    pub fn features(&self) -> usize {
        self.spec.features
    }

    /// Rows of a minibatch: also the fewest of a data set.
    pub fn minibatch(&self) -> usize {
        self.spec.minibatch()
    }

    /// The rounds as they are written down.
    pub fn rounds(&self) -> &[RoundSpec] {
        &self.spec.rounds
    }

    fn outline(&self) -> Outline<'_> {
        outline(&self.spec, &self.params)
    }

    /// A round with its circuit, which is recorded the first time.
    ///
    /// # Errors
    /// [`ExchangeError::PlanInconsistent`] for a round that it does not have or that needs more levels than the parameters have.
    pub fn round(&self, index: usize) -> Result<Arc<Round>> {
        if index >= self.spec.rounds.len() {
            return Err(self.no_round(index));
        }
        // Locked while it records, so that nobody else records the same.
        let mut rounds = self.lock();
        if let Some(round) = rounds.iter().find(|round| round.index == index) {
            return Ok(round.clone());
        }
        let round = Arc::new(Round::record(&self.outline(), index)?);
        let (needed, most) = (round.program.levels_needed(), self.params.max_level());
        if needed > most {
            return Err(inconsistent(
                "number of levels that a round needs",
                &needed,
                &format!("at most {most}"),
            ));
        }
        if rounds.len() >= KEPT_ROUNDS {
            rounds.pop_front();
        }
        rounds.push_back(round.clone());
        Ok(round)
    }

    /// A round recorded for other minibatches than the plan's.
    pub(super) fn round_of_rows(&self, index: usize, rows: usize) -> Result<Round> {
        let outline = Outline {
            minibatch: rows,
            ..self.outline()
        };
        Round::record(&outline, index)
    }

    pub(super) fn no_round(&self, index: usize) -> TrainError {
        let below = format!("a number below {}", self.spec.rounds.len());
        inconsistent("round asked for", &index, &below)
    }

    /// The data inputs of every round. Of rounds of one shape, one is recorded.
    ///
    /// # Errors
    /// As [`TrainingPlan::round`].
    pub fn data_shapes(&self) -> Result<&[Vec<InputShape>]> {
        if let Some(shapes) = self.recorded.data.get() {
            return Ok(shapes);
        }
        let places = self.outline().places();
        let mut all: Vec<Vec<InputShape>> = vec![];
        for (index, place) in places.iter().enumerate() {
            let same = places[..index].iter().position(|p| p == place);
            let shapes = match same {
                Some(same) => all[same].clone(),
                None => self.round(index)?.data_shapes(),
            };
            all.push(shapes);
        }
        Ok(self.recorded.data.get_or_init(|| all))
    }

    /// The most memory of the server's process in a round, on the CPU engine with this many threads.
    ///
    /// # Errors
    /// As [`TrainingPlan::round`].
    pub fn server_memory(&self, index: usize, threads: usize) -> Result<ServerMemory> {
        let memory = ServerMemory::of(&self.round(index)?.program, &self.params, threads);
        Ok(memory.with_keys(self.spec.keys.set_bytes(&self.params)?.loaded))
    }

    /// The keys that all rounds together need.
    pub fn key_requests(&self) -> &KeyRequests {
        &self.spec.keys
    }

    /// The plan in TOML.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`] for numbers that TOML does not have: seeds of 2^63 and above.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(&self.spec).map_err(malformed)
    }

    /// Reads a plan in TOML; parameters must be secure.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`]; as `try_from` a [`PlanSpec`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::try_from(Self::spec_from_toml(text)?)
    }

    /// Reads a plan in TOML without checking more than its version.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`].
    pub fn spec_from_toml(text: &str) -> Result<PlanSpec> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        // Before the rest, which another version writes otherwise.
        let head: Head = toml::from_str(text).map_err(malformed)?;
        known_version(head.version)?;
        toml::from_str(text).map_err(malformed)
    }
}

fn known_version(found: u32) -> Result<()> {
    let command = "lr-train plan --out";
    Ok(ExchangeError::expect_version(
        "training plan",
        found,
        PLAN_VERSION,
        command,
    )?)
}

fn malformed<E: std::error::Error + Send + Sync + 'static>(error: E) -> TrainError {
    ExchangeError::malformed("training plan")(error).into()
}

fn outline<'a>(spec: &'a PlanSpec, params: &Parameters) -> Outline<'a> {
    Outline {
        kind: spec.kind,
        slots: params.slots(),
        features: spec.features,
        minibatch: spec.minibatch(),
        settings: &spec.settings,
        rounds: &spec.rounds,
    }
}
