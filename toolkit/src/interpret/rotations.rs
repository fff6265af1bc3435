//! The rotations of a program.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::Interpretation;
use crate::{
    Program, Result,
    program::{Step, StepId},
    text::Table,
};

/// How a rotation is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RotationUse {
    /// The highest level of the ciphertexts that are rotated: keys are cut to it.
    pub highest_level: usize,
    /// Steps of the program that use it.
    pub uses: usize,
    /// Ciphertexts that are rotated by it.
    pub ciphertexts: usize,
}

/// Collects every rotation that a program does (identities left out).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationSet {
    rotations: BTreeMap<i64, RotationUse>,
}

impl RotationSet {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rotations of a program.
    pub fn of(program: &Program) -> Self {
        let mut set = Self::new();
        program.steps().iter().for_each(|step| set.see(step));
        set
    }

    /// The steps, from -slots/2 (exclusive) to slots/2, and how each is used.
    pub fn rotations(&self) -> &BTreeMap<i64, RotationUse> {
        &self.rotations
    }

    /// How a rotation is used; `None` if it is not.
    pub fn get(&self, steps: i64) -> Option<RotationUse> {
        self.rotations.get(&steps).copied()
    }

    /// Number of different rotations: each needs a key.
    pub fn len(&self) -> usize {
        self.rotations.len()
    }

    /// Whether nothing is rotated.
    pub fn is_empty(&self) -> bool {
        self.rotations.is_empty()
    }

    fn see(&mut self, step: &Step) {
        let level = step.operand_state().window_level();
        for &steps in step.op().rotations().iter().filter(|&&s| s != 0) {
            let of = self.rotations.entry(steps).or_default();
            of.highest_level = of.highest_level.max(level);
            of.uses += 1;
            of.ciphertexts += step.units();
        }
    }
}

impl Interpretation for RotationSet {
    type Value = ();

    fn step(&mut self, program: &Program, id: StepId, _: &[&()]) -> Result<()> {
        self.see(program.step(id));
        Ok(())
    }
}

/// Every rotation a program does (identities left out), with the highest window at which it is done.
pub fn rotation_steps(program: &Program) -> BTreeMap<i64, usize> {
    RotationSet::of(program)
        .rotations
        .into_iter()
        .map(|(steps, of)| (steps, of.highest_level))
        .collect()
}

impl fmt::Display for RotationSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["rotation", "highest level", "uses", "ciphertexts"]);
        for (steps, of) in &self.rotations {
            table.row([
                steps.to_string(),
                of.highest_level.to_string(),
                of.uses.to_string(),
                of.ciphertexts.to_string(),
            ]);
        }
        write!(f, "{table}")
    }
}
