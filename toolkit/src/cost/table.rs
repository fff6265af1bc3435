//! The table: entries, checks, interpolation.

use std::collections::BTreeMap;

use arras_ckks::{
    Parameters,
    params::{ParametersSpec, Security},
};
use serde::{Deserialize, Serialize};

use super::{
    CostError, OperationKind,
    operation::Work,
    samples::{Sample, at_work},
};

/// Seconds of one operation at one level, per ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostEntry {
    /// The operation.
    pub operation: OperationKind,
    /// Level of its operands.
    pub level: usize,
    /// Seconds for one ciphertext alone.
    pub single: f64,
    /// Seconds for each ciphertext of the table's larger batch.
    pub batched: f64,
    /// Further seconds for each term, one ciphertext alone; zero for operations without terms.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub single_per_term: f64,
    /// Further seconds for each term and ciphertext of the larger batch.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub batched_per_term: f64,
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

/// A table as it is written down: nothing in it has been checked. [`CostTable::from_spec`] checks everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostTableSpec {
    /// The parameters of the measurement.
    pub parameters: ParametersSpec,
    /// The engine's description of itself.
    pub engine: String,
    /// What it ran on, in words.
    pub machine: String,
    /// Threads that it used.
    pub threads: usize,
    /// The larger batch.
    pub batch: usize,
    /// The costs, at least at the lowest and at the highest level of every operation.
    pub entries: Vec<CostEntry>,
}

/// What every operation costs, per level and batch, on one engine under one parameter set.
///
/// Costs at levels between measured ones are interpolated linearly in the modelled work of the operation (transforms, conversions,
/// bytes of key), so they pass through the measurements and rise where these do. Costs of batches between 1 and the larger batch,
/// and beyond, are linear in the batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CostTableSpec", into = "CostTableSpec")]
pub struct CostTable {
    spec: CostTableSpec,
    params: Parameters,
    points: BTreeMap<OperationKind, Points>,
}

/// The measurements of one operation.
#[derive(Clone, Debug, PartialEq)]
struct Points {
    /// Ascending by level.
    list: Vec<Point>,
    /// Of every level from the operation's lowest.
    work: Vec<Work>,
}

/// What was measured at a level, with the work it stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    level: usize,
    once: Sample,
    per_term: Sample,
}

impl From<CostTable> for CostTableSpec {
    fn from(table: CostTable) -> Self {
        table.spec
    }
}

impl TryFrom<CostTableSpec> for CostTable {
    type Error = CostError;

    fn try_from(spec: CostTableSpec) -> Result<Self, CostError> {
        Self::from_spec(spec)
    }
}

impl CostTable {
    /// Checks a table, trusting nothing in it.
    ///
    /// # Errors
    /// The [`CostError`] of the first rule that it breaks.
    pub fn from_spec(spec: CostTableSpec) -> Result<Self, CostError> {
        // A table only tells times and sizes, so sets for tests are as good as any here.
        let params = Parameters::from_spec_allowing_insecure(spec.parameters.clone())?;
        if spec.batch < 2 {
            return Err(CostError::Batch { batch: spec.batch });
        }
        if spec.threads < 1 {
            let threads = spec.threads;
            return Err(CostError::Threads { threads });
        }
        let mut points: BTreeMap<OperationKind, Points> = BTreeMap::new();
        for entry in &spec.entries {
            let &CostEntry {
                operation, level, ..
            } = entry;
            check_entry(entry, params.max_level())?;
            let of = points.entry(operation).or_insert_with(|| Points {
                list: Vec::new(),
                work: operation.work_of_levels(&params),
            });
            if of.list.iter().any(|point| point.level == level) {
                return Err(CostError::Duplicate { operation, level });
            }
            let point = Point::new(entry, of.work_at(operation, level));
            of.list.push(point);
        }
        for operation in OperationKind::ALL {
            let ends = [operation.lowest_level(), params.max_level()];
            match points.get_mut(&operation) {
                Some(Points { list, .. }) => {
                    list.sort_by_key(|point| point.level);
                    let missing = |level: &&usize| list.iter().all(|p| p.level != **level);
                    if let Some(&level) = ends.iter().find(missing) {
                        return Err(CostError::MissingLevel { operation, level });
                    }
                }
                // Parameters without levels have no products.
                None if operation.needs_secret() || ends[0] > ends[1] => {}
                None => return Err(CostError::MissingOperation { operation }),
            }
        }
        Ok(Self {
            spec,
            params,
            points,
        })
    }

    /// Reads a table from JSON.
    ///
    /// # Errors
    /// [`CostError::Json`] if the text is no table, otherwise as [`from_spec`](Self::from_spec).
    pub fn from_json(text: &str) -> Result<Self, CostError> {
        // Not through serde's `try_from`, which would turn our errors into text.
        Self::from_spec(serde_json::from_str(text)?)
    }

    /// The table as JSON.
    ///
    /// # Errors
    /// [`CostError::Json`] if it cannot be written.
    pub fn to_json(&self) -> Result<String, CostError> {
        Ok(serde_json::to_string(&self.spec)?)
    }

    /// Everything in it.
    pub fn spec(&self) -> &CostTableSpec {
        &self.spec
    }

    /// The parameters it is for.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// log2 of the ring degree.
    pub fn log_n(&self) -> u32 {
        self.params.log_n()
    }

    /// In one line: engine, machine, parameters.
    pub fn summary(&self) -> String {
        let insecure = match self.params.security() {
            Security::InsecureForTests => ", insecure",
            _ => "",
        };
        format!(
            "{} on {}: N = 2^{}, {} levels, {} digits{insecure}",
            self.spec.engine,
            self.spec.machine,
            self.log_n(),
            self.params.max_level(),
            self.params.dnum(),
        )
    }

    /// Whether the table has costs of an operation.
    pub fn has(&self, operation: OperationKind) -> bool {
        self.points.contains_key(&operation)
    }

    /// Seconds that an operation takes on `batch` ciphertexts whose operands are at `level`, all of the batch together.
    ///
    /// `terms` counts for [`OperationKind::RotationSum`] and [`OperationKind::WeightedRotationSum`] and is ignored for others.
    ///
    /// # Errors
    /// [`CostError::NotMeasured`], [`CostError::NoSuchLevel`].
    pub fn cost(
        &self,
        operation: OperationKind,
        level: usize,
        batch: usize,
        terms: usize,
    ) -> Result<f64, CostError> {
        if !operation.exists_at(level, self.params.max_level()) {
            return Err(CostError::NoSuchLevel {
                operation,
                level,
                least: operation.lowest_level(),
                most: self.params.max_level(),
            });
        }
        let points = self.points(operation)?;
        let list = &points.list;
        let after = list.partition_point(|point| point.level < level);
        let exact = list.get(after).filter(|point| point.level == level);
        let (once, per_term) = match (exact, after.checked_sub(1).and_then(|i| list.get(i))) {
            (Some(point), _) => (point.once, point.per_term),
            (None, Some(low)) => {
                // The highest level was measured, so there is one above.
                let high = list.get(after).unwrap_or(low);
                let work = points.work_at(operation, level);
                let by_level = (level - low.level) as f64 / (high.level - low.level).max(1) as f64;
                (
                    low.once.towards(&high.once, work.once, by_level),
                    low.per_term
                        .towards(&high.per_term, work.per_term, by_level),
                )
            }
            // The lowest level was measured.
            (None, None) => return Err(CostError::MissingLevel { operation, level }),
        };
        let terms = if operation.has_terms() { terms } else { 0 };
        Ok(self.of_batch(once, batch) + terms as f64 * self.of_batch(per_term, batch))
    }

    fn points(&self, operation: OperationKind) -> Result<&Points, CostError> {
        let points = self.points.get(&operation);
        points.ok_or_else(|| CostError::NotMeasured {
            operation,
            engine: self.spec.engine.clone(),
        })
    }

    /// Seconds of a whole batch: a line through one ciphertext and the larger batch, which never falls.
    fn of_batch(&self, sample: Sample, batch: usize) -> f64 {
        let Some(more) = batch.checked_sub(1) else {
            return 0.0;
        };
        let large = self.spec.batch as f64;
        let slope = (large * sample.batched - sample.single) / (large - 1.0);
        sample.single + slope.max(0.0) * more as f64
    }

    /// An estimate for other parameters on the same engine, with an entry at every level.
    ///
    /// An operation's time is taken from this table where the modelled work is the same after it was brought to this table's ring
    /// degree, and then scaled by `N log N`. Beyond the work that was measured it grows in proportion. For the table's own
    /// parameters this is the table itself.
    ///
    /// # Errors
    /// None for a table that has been checked; [`CostError`] of [`from_spec`](Self::from_spec) otherwise.
    pub fn estimate_for(&self, params: &Parameters) -> Result<Self, CostError> {
        if params == &self.params {
            return Ok(self.clone());
        }
        let size = |log_n: u32| f64::from(log_n) * f64::from(log_n).exp2();
        let scaling = size(params.log_n()) / size(self.log_n());
        let mut entries = Vec::new();
        for (&operation, points) in &self.points {
            let once: Vec<Sample> = points.list.iter().map(|point| point.once).collect();
            let per_term: Vec<Sample> = points.list.iter().map(|point| point.per_term).collect();
            let works = operation.work_of_levels(params);
            for (level, work) in (operation.lowest_level()..).zip(works) {
                let once = at_work(&once, work.once / scaling);
                let per_term = at_work(&per_term, work.per_term / scaling);
                entries.push(CostEntry {
                    operation,
                    level,
                    single: nanoseconds(once.single * scaling),
                    batched: nanoseconds(once.batched * scaling),
                    single_per_term: nanoseconds(per_term.single * scaling),
                    batched_per_term: nanoseconds(per_term.batched * scaling),
                });
            }
        }
        Self::from_spec(CostTableSpec {
            parameters: params.spec().clone(),
            engine: format!(
                "{} (estimated from N = 2^{})",
                self.spec.engine,
                self.log_n()
            ),
            entries,
            ..self.spec.clone()
        })
    }
}

/// Rounded up to whole nanoseconds: short decimals, which every JSON reader reads to the bit.
pub(super) fn nanoseconds(seconds: f64) -> f64 {
    (seconds * 1e9).ceil() / 1e9
}

impl Points {
    /// The work at a level that exists.
    fn work_at(&self, operation: OperationKind, level: usize) -> Work {
        let index = level.saturating_sub(operation.lowest_level());
        self.work.get(index).copied().unwrap_or_default()
    }
}

impl Point {
    /// An entry that was checked.
    fn new(entry: &CostEntry, work: Work) -> Self {
        Self {
            level: entry.level,
            once: Sample {
                work: work.once,
                single: entry.single,
                batched: entry.batched,
            },
            per_term: Sample {
                work: work.per_term,
                single: entry.single_per_term,
                batched: entry.batched_per_term,
            },
        }
    }
}

fn check_entry(entry: &CostEntry, max_level: usize) -> Result<(), CostError> {
    let &CostEntry {
        operation, level, ..
    } = entry;
    if !operation.exists_at(level, max_level) {
        return Err(CostError::EntryLevel {
            operation,
            level,
            least: operation.lowest_level(),
            most: max_level,
        });
    }
    let per_term = [
        ("a term's cost", entry.single_per_term),
        ("a term's cost in a batch", entry.batched_per_term),
    ];
    if !operation.has_terms() && per_term.iter().any(|&(_, seconds)| seconds != 0.0) {
        return Err(CostError::Terms { operation, level });
    }
    let once = [
        ("the cost", entry.single),
        ("the cost in a batch", entry.batched),
    ];
    for (what, seconds) in once.into_iter().chain(per_term) {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return Err(CostError::Seconds {
                operation,
                level,
                what,
                seconds,
            });
        }
    }
    for (what, total) in [
        ("the cost", entry.single + entry.single_per_term),
        (
            "the cost in a batch",
            entry.batched + entry.batched_per_term,
        ),
    ] {
        if total == 0.0 {
            return Err(CostError::Seconds {
                operation,
                level,
                what,
                seconds: total,
            });
        }
    }
    Ok(())
}
