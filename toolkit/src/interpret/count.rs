//! How many operations a program does, and what they cost.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{
    Interpretation,
    rotations::rotated_by,
    seconds::{encoding_seconds, step_seconds},
};
use crate::{
    Result,
    cost::CostTable,
    program::{Form, Program, Step, StepId, StepOp},
    text::{Table, seconds},
};

/// Steps of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindCount {
    /// Steps: calls if nothing is batched.
    pub steps: usize,
    /// Ciphertexts that they make.
    pub ciphertexts: usize,
    /// Seconds by the cost table; zero without one.
    pub seconds: f64,
}

/// Counts the steps of a program by kind and by level.
///
/// "Level" is that of the operands' window: what the step works on, and what its cost depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpCount {
    kinds: BTreeMap<String, KindCount>,
    levels: BTreeMap<usize, BTreeMap<String, KindCount>>,
    key_switches: usize,
    ciphertext_products: usize,
    plaintext_products: usize,
    scalar_products: usize,
    rotations: usize,
    encoding_seconds: f64,
    #[serde(skip)]
    costs: Option<Box<CostTable>>,
}

impl OpCount {
    /// Nothing counted yet, without costs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing counted yet; costs from a table for the parameters in question
    /// (see [`CostTable::estimate_for`]).
    pub fn with_costs(table: &CostTable) -> Self {
        Self {
            costs: Some(Box::new(table.clone())),
            ..Self::default()
        }
    }

    /// Counts a program.
    pub fn of(program: &Program) -> Self {
        let mut count = Self::new();
        for index in 0..program.steps().len() {
            count.see(program, StepId(index), 0.0);
        }
        count
    }

    /// Counts a program and adds up its costs, encoding of constants included.
    ///
    /// # Errors
    /// [`crate::ToolkitError::Cost`] if the table lacks a level that the program has.
    pub fn with_costs_of(program: &Program, table: &CostTable) -> Result<Self> {
        let mut count = Self::new();
        for index in 0..program.steps().len() {
            let id = StepId(index);
            count.see(program, id, step_seconds(table, program, id)?);
        }
        count.encoding_seconds = encoding_seconds(table, program)?;
        Ok(count)
    }

    /// Counts by kind: the step's name, `relinearize_and_rescale` or `rescale` for what settles.
    pub fn kinds(&self) -> &BTreeMap<String, KindCount> {
        &self.kinds
    }

    /// Counts by level and kind.
    pub fn levels(&self) -> &BTreeMap<usize, BTreeMap<String, KindCount>> {
        &self.levels
    }

    /// The count of a kind; zero if there is none.
    pub fn kind(&self, kind: &str) -> KindCount {
        self.kinds.get(kind).copied().unwrap_or_default()
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.kinds.values().map(|k| k.steps).sum()
    }

    /// Key switches, of each ciphertext: relinearizations and rotations.
    pub fn key_switches(&self) -> usize {
        self.key_switches
    }

    /// Products of two ciphertexts.
    pub fn ciphertext_products(&self) -> usize {
        self.ciphertext_products
    }

    /// Products of a ciphertext and an encoded constant.
    pub fn plaintext_products(&self) -> usize {
        self.plaintext_products
    }

    /// Products of a ciphertext and a number.
    pub fn scalar_products(&self) -> usize {
        self.scalar_products
    }

    /// Rotations of a ciphertext; identities are none.
    pub fn rotations(&self) -> usize {
        self.rotations
    }

    /// Seconds of all steps by the cost table, one after the other, without the encoding of constants; zero without a table.
    pub fn seconds(&self) -> f64 {
        self.kinds.values().map(|k| k.seconds).sum()
    }

    /// Seconds of encoding the constants, which only a first run pays; zero without a table, and in an interpretation that was only walked.
    pub fn encoding_seconds(&self) -> f64 {
        self.encoding_seconds
    }

    fn see(&mut self, program: &Program, id: StepId, seconds: f64) {
        let step = program.step(id);
        let units = step.units();
        let first = step.operands().first().map(|&o| program.step(o));
        let rotations = rotated_by(step.op()).iter().filter(|&&s| s != 0).count() * units;
        self.rotations += rotations;
        self.key_switches += rotations;
        match step.op() {
            StepOp::Multiply => self.ciphertext_products += units,
            StepOp::SumOfProducts => {
                self.ciphertext_products += units * (step.operands().len() / 2);
            }
            StepOp::MultiplyPlain(_) => self.plaintext_products += units,
            StepOp::WeightedSum(weights) => self.plaintext_products += units * weights.len(),
            StepOp::WeightedRotationSum { steps, .. } => {
                self.plaintext_products += units * steps.len();
            }
            StepOp::MultiplyScalar(_) => self.scalar_products += units,
            StepOp::Settle if first.is_some_and(|s| s.form() == Form::Pending3) => {
                self.key_switches += units;
            }
            _ => {}
        }
        let form = first.map_or(Form::Settled, Step::form);
        let kind = kind_name(step.op(), form);
        let level = first.map_or(step.level(), Step::window_level);
        let of_level = self.levels.entry(level).or_default();
        for counts in [&mut self.kinds, of_level] {
            let count = counts.entry(kind.to_owned()).or_default();
            count.steps += 1;
            count.ciphertexts += units;
            count.seconds += seconds;
        }
    }
}

impl Interpretation for OpCount {
    type Value = ();

    fn step(&mut self, program: &Program, id: StepId, _: &[&()]) -> Result<()> {
        let seconds = match &self.costs {
            Some(table) => step_seconds(table, program, id)?,
            None => 0.0,
        };
        self.see(program, id, seconds);
        Ok(())
    }
}

/// The name of a kind of step; settling by the form of what it takes.
pub(crate) fn kind_name(op: &StepOp, operand: Form) -> &'static str {
    match op {
        StepOp::Settle if operand == Form::Pending3 => "relinearize_and_rescale",
        StepOp::Settle => "rescale",
        _ => op.name(),
    }
}

impl fmt::Display for OpCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["kind", "steps", "ciphertexts", "levels", "time"]);
        for (kind, count) in &self.kinds {
            let mut at = self.levels.iter().filter(|(_, of)| of.contains_key(kind));
            let lowest = at.next().map_or(0, |(&level, _)| level);
            let highest = at.next_back().map_or(lowest, |(&level, _)| level);
            table.row([
                kind.clone(),
                count.steps.to_string(),
                count.ciphertexts.to_string(),
                if lowest == highest {
                    lowest.to_string()
                } else {
                    format!("{lowest}..{highest}")
                },
                if count.seconds > 0.0 {
                    seconds(count.seconds)
                } else {
                    "-".into()
                },
            ]);
        }
        write!(f, "{table}")?;
        writeln!(f, "key switches        {}", self.key_switches)?;
        writeln!(f, "ciphertext products {}", self.ciphertext_products)?;
        writeln!(f, "plaintext products  {}", self.plaintext_products)?;
        writeln!(f, "scalar products     {}", self.scalar_products)?;
        write!(f, "rotations           {}", self.rotations)?;
        if self.seconds() > 0.0 {
            write!(f, "\ntime of all steps   {}", seconds(self.seconds()))?;
        }
        Ok(())
    }
}
