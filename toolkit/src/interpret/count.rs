//! How many operations a program does, and what they cost.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Interpretation, seconds::encoding_seconds};
use crate::{
    Program, Result,
    cost::CostTable,
    program::{Step, StepId},
    text::{Table, seconds},
};

/// Steps of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    key_switch_seconds: f64,
    encoding_seconds: f64,
}

impl OpCount {
    /// Nothing counted yet. What is walked is counted without costs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a program.
    pub fn of(program: &Program) -> Self {
        let mut count = Self::new();
        for step in program.steps() {
            count.see(step, 0.0);
        }
        count
    }

    /// Counts a program and adds up its costs, encoding of constants included.
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::Cost`] if the table lacks a level that the program has.
    pub fn with_costs_of(program: &Program, table: &CostTable) -> Result<Self> {
        let mut count = Self::new();
        for step in program.steps() {
            count.see(step, step.work().seconds(table)?);
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

    /// Those of the steps that switch keys.
    pub fn key_switch_seconds(&self) -> f64 {
        self.key_switch_seconds
    }

    /// Seconds of encoding the constants, which only a first run pays; zero without a table.
    pub fn encoding_seconds(&self) -> f64 {
        self.encoding_seconds
    }

    fn see(&mut self, step: &Step, seconds: f64) {
        let work = step.work();
        self.ciphertext_products += work.products;
        self.plaintext_products += work.plain_products;
        self.scalar_products += work.scalar_products;
        self.rotations += work.rotations;
        self.key_switches += work.key_switches();
        if work.key_switches() > 0 {
            self.key_switch_seconds += seconds;
        }
        let level = step.operand_state().window_level();
        let of_level = self.levels.entry(level).or_default();
        for counts in [&mut self.kinds, of_level] {
            let count = counts.entry(step.name().to_owned()).or_default();
            count.steps += 1;
            count.ciphertexts += step.units();
            count.seconds += seconds;
        }
    }
}

impl Interpretation for OpCount {
    type Value = ();

    fn step(&mut self, program: &Program, id: StepId, _: &[&()]) -> Result<()> {
        self.see(program.step(id), 0.0);
        Ok(())
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
