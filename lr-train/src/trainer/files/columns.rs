//! How the columns that a plan was made from become features: beside the plan, then with the secret key.
//!
//! A plan goes to the server and says nothing of columns. What was fitted to them (names, levels, medians) stays in a file of its own beside it,
//! which `keygen` takes into the secret folder, where `encrypt` finds it.

use std::path::{Path, PathBuf};

use arras_ckks::wire::AtomicFile;
use serde::{Deserialize, Serialize};

use super::{
    super::{PlanId, TrainingPlan},
    KeyDirectory,
    keys::{read_json, write_json},
};
use crate::{Result, TrainError, data::Layout, trainer::ExchangeError};

/// The version of these files that this build writes, and the only one that it reads.
const VERSION: u32 = 1;
pub(super) const COLUMNS: &str = "columns.json";
const WHAT: &str = "layout of columns";
const COMMAND: &str = "lr-train plan --out";

/// The layout of the columns that a plan was made from. **Private**: it holds names, levels and medians of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedColumns {
    version: u32,
    plan: PlanId,
    layout: Layout,
}

impl PlannedColumns {
    /// Of a plan that was made from columns in this layout.
    pub fn new(plan: &TrainingPlan, layout: Layout) -> Self {
        Self {
            version: VERSION,
            plan: plan.id(),
            layout,
        }
    }

    /// Where they are kept beside a plan file: `plan.columns.json` for `plan.toml`.
    pub fn path_beside(plan: &Path) -> PathBuf {
        plan.with_extension(COLUMNS)
    }

    /// Writes them into a file for its owner only.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub fn save(&self, file: AtomicFile) -> Result<()> {
        write_json(file, self)
    }

    /// Those beside a plan file; none if there are none.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`]; [`ExchangeError::Mismatch`] for those of another plan.
    pub fn beside(file: &Path, plan: &TrainingPlan) -> Result<Option<Self>> {
        Self::read(&Self::path_beside(file), plan.id())
    }

    /// Whether there are some beside a plan file, of whichever plan.
    pub fn are_beside(file: &Path) -> bool {
        read_json::<Self>(&Self::path_beside(file), WHAT, VERSION, COMMAND).is_ok()
    }

    fn read(path: &Path, plan: PlanId) -> Result<Option<Self>> {
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let read: Self = read_json(path, WHAT, VERSION, COMMAND)?;
        let same = ExchangeError::expect_same(
            "read columns",
            ("plan", "the layout of columns"),
            &read.plan,
            &plan,
            "make the plan again with `lr-train plan --force`, or delete the file if the plan needs none",
        );
        same.map_err(|error| TrainError::from(error).in_file(path))?;
        Ok(Some(read))
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl KeyDirectory {
    /// How the columns that the plan of these keys was made from become features; none where nobody has kept it.
    ///
    /// # Errors
    /// [`ExchangeError::Malformed`], [`ExchangeError::Version`]; [`ExchangeError::Mismatch`] if it is of another plan than the keys.
    pub fn columns(&self) -> Result<Option<PlannedColumns>> {
        let path = self.secret().join(COLUMNS);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let owner = self.description()?;
        PlannedColumns::read(&path, owner.plan)
    }
}
