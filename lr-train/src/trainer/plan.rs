//! What both sides of a training know before there are keys.

use std::collections::BTreeMap;

use arras_ckks::params::{MAX_LEVELS, Parameters, ParametersSpec};
use arras_toolkit::{Program, plan::KeyRequests};
use serde::{Deserialize, Serialize};

use super::{
    PlanId, ServerMemory, estimate,
    settings::{MAX_FEATURES, MAX_ITERATIONS, MAX_ROWS, Settings},
    sizes,
};
use crate::{
    Result, TrainError,
    circuits::{Geometry, Kind, Results, Spec, Start, TrainingCircuit},
    trainer::ExchangeError,
};

/// The version of plans that this build writes, and the only one that it reads.
pub const PLAN_VERSION: u32 = 3;

/// The most ciphertexts of a minibatch: at N = 2^17 these are hundreds of GiB.
const MAX_TILES: usize = 1 << 12;

/// Separates plans' identifiers from every other use of BLAKE3.
const PLAN_CONTEXT: &str = "lr-train plan v1";

/// One round as it is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RoundSpec {
    /// The number of its first iteration.
    pub first: usize,
    /// What its circuit is recorded for.
    pub spec: Spec,
}

/// A key of the plan for a rotation, with the highest level at which it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationKey {
    /// Slots to the left.
    pub steps: i64,
    /// Level.
    pub level: usize,
}

/// The keys of a plan as they are written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyList {
    /// Highest level at which something is relinearized; none if nothing is.
    #[serde(default)]
    pub relinearization: Option<usize>,
    /// Rotations, each once, ascending.
    #[serde(default)]
    pub rotations: Vec<RotationKey>,
}

impl From<&KeyRequests> for KeyList {
    fn from(requests: &KeyRequests) -> Self {
        Self {
            relinearization: requests.relinearization,
            rotations: requests
                .rotations
                .iter()
                .map(|(&steps, &level)| RotationKey { steps, level })
                .collect(),
        }
    }
}

/// A plan as it is written down: nothing here has been checked. [`TrainingPlan::from_spec`] checks everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanSpec {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The circuit.
    pub kind: Kind,
    /// The most rows of a data set.
    pub rows: usize,
    /// The most features of a data set, the intercept among them, without constant columns.
    pub features: usize,
    /// Rows of a minibatch.
    pub minibatch: usize,
    /// What was asked for.
    pub settings: Settings,
    /// The keys that all rounds together need.
    pub keys: KeyList,
    /// Parameters of the scheme.
    pub parameters: ParametersSpec,
    /// The rounds.
    pub rounds: Vec<RoundSpec>,
}

/// What both sides of a training know before there are keys: circuits of all rounds, parameters, keys. It holds no data and no secret.
///
/// Serialized it is a [`PlanSpec`], in JSON or TOML; reading one refuses parameters without security.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PlanSpec", into = "PlanSpec")]
pub struct TrainingPlan {
    spec: PlanSpec,
    params: Parameters,
    id: PlanId,
}

impl From<TrainingPlan> for PlanSpec {
    fn from(plan: TrainingPlan) -> Self {
        plan.spec
    }
}

impl TryFrom<PlanSpec> for TrainingPlan {
    type Error = TrainError;

    fn try_from(spec: PlanSpec) -> Result<Self> {
        Self::from_spec(spec)
    }
}

/// A round with its circuit recorded.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its position among the rounds.
    pub index: usize,
    /// The number of its first iteration.
    pub first: usize,
    /// Its circuit.
    pub circuit: TrainingCircuit,
    /// The circuit lowered.
    pub program: Program,
}

impl Round {
    /// Records a circuit.
    pub(super) fn record(index: usize, round: &RoundSpec) -> Result<Self> {
        let circuit = TrainingCircuit::record(round.spec.clone())?;
        let program = Program::new(circuit.circuit().clone());
        Ok(Self {
            index,
            first: round.first,
            circuit,
            program,
        })
    }

    /// The names of the data's inputs with their level and number of ciphertexts, in the order of files.
    pub fn data_shapes(&self) -> Vec<InputShape> {
        self.shapes(&self.circuit.input_names().0)
    }

    /// The names of the start's inputs with their level and number of ciphertexts, in the order of files; none in the first round.
    pub fn start_shapes(&self) -> Vec<InputShape> {
        self.shapes(&self.circuit.input_names().1)
    }

    fn shapes(&self, names: &[&str]) -> Vec<InputShape> {
        let circuit = self.program.circuit();
        circuit
            .inputs()
            .iter()
            .filter(|input| names.contains(&input.name()))
            .map(|input| InputShape {
                name: input.name().to_owned(),
                level: circuit.level(input.node()).unwrap_or(0),
                units: input.layout().units(),
            })
            .collect()
    }
}

/// An input of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// Its name.
    pub name: String,
    /// The level at which it is encrypted.
    pub level: usize,
    /// Its ciphertexts.
    pub units: usize,
}

impl TrainingPlan {
    /// Checks a plan, trusting nothing in it.
    ///
    /// # Errors
    /// [`ExchangeError::Version`], [`ExchangeError::PlanInconsistent`], [`FitError::Hyperparameter`](crate::plain::FitError::Hyperparameter); those of the parameters, which must be
    /// secure.
    pub fn from_spec(spec: PlanSpec) -> Result<Self> {
        let params =
            Parameters::from_spec(spec.parameters.clone()).map_err(arras_ckks::CkksError::from)?;
        Self::checked(spec, params)
    }

    /// [`TrainingPlan::from_spec`] that takes **parameters without security** too: for tests only.
    ///
    /// # Errors
    /// As there.
    pub fn from_spec_allowing_insecure(spec: PlanSpec) -> Result<Self> {
        let params = Parameters::from_spec_allowing_insecure(spec.parameters.clone())
            .map_err(arras_ckks::CkksError::from)?;
        Self::checked(spec, params)
    }

    fn checked(spec: PlanSpec, params: Parameters) -> Result<Self> {
        if spec.version != PLAN_VERSION {
            return Err(ExchangeError::Version {
                what: "training plan",
                found: spec.version,
                known: PLAN_VERSION,
            }
            .into());
        }
        check(&spec, &params)?;
        let bytes = postcard::to_stdvec(&spec).map_err(|error| ExchangeError::Malformed {
            what: "training plan",
            error: Box::new(error),
        })?;
        let id = PlanId::from_bytes(blake3::derive_key(PLAN_CONTEXT, &bytes));
        Ok(Self { spec, params, id })
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
        self.spec.minibatch
    }

    /// The rounds as they are written down.
    pub fn rounds(&self) -> &[RoundSpec] {
        &self.spec.rounds
    }

    /// Records the circuit of a round.
    ///
    /// # Errors
    /// [`ExchangeError::PlanInconsistent`] for a round that it does not have or that needs more levels than the parameters have.
    pub fn round(&self, index: usize) -> Result<Round> {
        let Some(round) = self.spec.rounds.get(index) else {
            return Err(inconsistent(
                "round asked for",
                &index,
                &format!("a number below {}", self.spec.rounds.len()),
            ));
        };
        let round = Round::record(index, round)?;
        let (needed, most) = (round.program.levels_needed(), self.params.max_level());
        if needed > most {
            return Err(inconsistent(
                "number of levels that a round needs",
                &needed,
                &format!("at most {most}"),
            ));
        }
        Ok(round)
    }

    /// The data inputs of every round. Rounds of one shape are recorded once.
    ///
    /// # Errors
    /// As [`TrainingPlan::round`].
    pub fn data_shapes(&self) -> Result<Vec<Vec<InputShape>>> {
        let mut known: Vec<((usize, Start, Results), Vec<InputShape>)> = vec![];
        let mut all = vec![];
        for (index, round) in self.spec.rounds.iter().enumerate() {
            let s = &round.spec;
            let shape = (s.iterations(), s.start, s.results);
            let found = known.iter().find(|(of, _)| *of == shape);
            let shapes = match found {
                Some((_, shapes)) => shapes.clone(),
                None => {
                    let shapes = self.round(index)?.data_shapes();
                    known.push((shape, shapes.clone()));
                    shapes
                }
            };
            all.push(shapes);
        }
        Ok(all)
    }

    /// The most memory of the server's process in a round, on the CPU engine with so many threads.
    ///
    /// # Errors
    /// As [`TrainingPlan::round`].
    pub fn server_memory(&self, index: usize, threads: usize) -> Result<ServerMemory> {
        let memory = estimate::memory(&self.round(index)?.program, &self.params, threads);
        Ok(memory.with_keys(sizes::keys(&self.params, &self.key_requests())?.loaded))
    }

    /// The keys that all rounds together need.
    pub fn key_requests(&self) -> KeyRequests {
        let rotations: BTreeMap<i64, usize> = self
            .spec
            .keys
            .rotations
            .iter()
            .map(|key| (key.steps, key.level))
            .collect();
        KeyRequests {
            relinearization: self.spec.keys.relinearization,
            rotations,
        }
    }

    /// The plan in TOML.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`] for numbers that TOML does not have: seeds of 2^63 and above.
    pub fn to_toml(&self) -> Result<String> {
        Ok(
            toml::to_string(&self.spec).map_err(|error| ExchangeError::Malformed {
                what: "training plan",
                error: Box::new(error),
            })?,
        )
    }

    /// Reads a plan in TOML; parameters must be secure.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`]; as [`TrainingPlan::from_spec`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_spec(Self::spec_from_toml(text)?)
    }

    /// Reads a plan in TOML without checking it.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`].
    pub fn spec_from_toml(text: &str) -> Result<PlanSpec> {
        Ok(
            toml::from_str(text).map_err(|error| ExchangeError::Malformed {
                what: "training plan",
                error: Box::new(error),
            })?,
        )
    }
}

fn inconsistent(what: &'static str, found: &dyn ToString, expected: &dyn ToString) -> TrainError {
    ExchangeError::PlanInconsistent {
        what,
        found: found.to_string(),
        expected: expected.to_string(),
    }
    .into()
}

fn check(spec: &PlanSpec, params: &Parameters) -> Result<()> {
    spec.settings.check()?;
    for (what, value, least, most) in [
        ("number of rows", spec.rows, 1, MAX_ROWS),
        ("number of features", spec.features, 1, MAX_FEATURES),
        ("minibatch", spec.minibatch, 1, spec.rows),
        ("number of rounds", spec.rounds.len(), 1, MAX_ITERATIONS),
    ] {
        if !(least..=most).contains(&value) {
            return Err(inconsistent(what, &value, &format!("{least} to {most}")));
        }
    }
    // Before anything is recorded whose size follows from these.
    let geometry = Geometry::choose(spec.kind, params.slots(), spec.features, spec.minibatch)?;
    let tiles = geometry.across.saturating_mul(geometry.down);
    if tiles > MAX_TILES {
        return Err(inconsistent(
            "number of ciphertexts of a minibatch",
            &tiles,
            &format!("at most {MAX_TILES}; take smaller minibatches or a larger ring"),
        ));
    }
    let mut iteration = 0;
    let last = spec.rounds.len() - 1;
    for (r, round) in spec.rounds.iter().enumerate() {
        let s = &round.spec;
        s.check()?;
        let start = if r == 0 {
            Start::Zero
        } else {
            Start::Encrypted
        };
        let results = if r == last {
            Results::Model
        } else {
            Results::State
        };
        let numbers = [
            ("first iteration of a round", round.first, iteration),
            ("number of slots of a round", s.slots, params.slots()),
            ("number of features of a round", s.features, spec.features),
            ("minibatch of a round", s.minibatch, spec.minibatch),
        ];
        for (what, found, expected) in numbers {
            if found != expected {
                return Err(inconsistent(what, &found, &expected));
            }
        }
        // An iteration costs a level or more.
        if s.iterations() > MAX_LEVELS {
            return Err(inconsistent(
                "number of iterations of a round",
                &s.iterations(),
                &format!("at most {MAX_LEVELS}"),
            ));
        }
        if s.kind != spec.kind {
            return Err(inconsistent("circuit of a round", &s.kind, &spec.kind));
        }
        if (s.start, s.results) != (start, results) {
            return Err(inconsistent(
                "start and result of a round",
                &format!("{:?}, {:?}", s.start, s.results),
                &format!("{start:?}, {results:?}"),
            ));
        }
        if s.activation != spec.settings.activation {
            return Err(inconsistent(
                "sigmoid of a round",
                &format!("{:?}", s.activation.coefficients()),
                &format!("{:?}", spec.settings.activation.coefficients()),
            ));
        }
        iteration += s.iterations();
    }
    if iteration != spec.settings.iterations {
        return Err(inconsistent(
            "number of iterations in all rounds",
            &iteration,
            &spec.settings.iterations,
        ));
    }
    let keys = &spec.keys;
    let half = params.slots() as i64 / 2;
    let ascending = keys.rotations.windows(2).all(|k| k[0].steps < k[1].steps);
    let within = |k: &RotationKey| k.steps != 0 && k.steps > -half && k.steps <= half;
    if !ascending || !keys.rotations.iter().all(within) {
        return Err(inconsistent(
            "list of rotation keys",
            &"out of order or range",
            &format!("ascending steps, not 0, above -{half} and up to {half}"),
        ));
    }
    let levels = keys.rotations.iter().map(|k| k.level);
    if let Some(level) = levels
        .chain(keys.relinearization)
        .find(|&l| l > params.max_level())
    {
        return Err(inconsistent(
            "level of a key",
            &level,
            &format!("at most {}", params.max_level()),
        ));
    }
    Ok(())
}
