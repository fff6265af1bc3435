//! Both sides in memory.

mod exchange;
mod models;
mod plans;
mod training;

use std::ops::RangeInclusive;

use arras_backend_cpu::CpuEngine;
use arras_ckks::params::Security;
use arras_toolkit::run::Options;

use super::*;
use crate::{
    data::{Dataset, builtin},
    preprocess::{Preprocessor, Scheme},
};

/// Small rings without security.
pub(super) fn insecure(log_n: u32) -> PlannerOptions {
    let security = Security::InsecureForTests;
    rings(log_n..=log_n).security(security).threads(1)
}

/// Secure rings.
fn rings(log_n: RangeInclusive<u32>) -> PlannerOptions {
    PlannerOptions::new().log_n(log_n)
}

/// A few rows of a built-in data set.
pub(super) fn some_rows(count: usize) -> Dataset {
    let data = builtin::breast_cancer().unwrap();
    data.select(&(0..count).collect::<Vec<_>>()).unwrap()
}

fn features_of(data: &Dataset) -> usize {
    Preprocessor::fit(data, Scheme::MaxAbs).unwrap().features() + 1
}

/// A plan for these data, without security.
pub(super) fn small_plan(settings: &Settings, data: &Dataset) -> TrainingPlan {
    let features = features_of(data);
    plan(settings, features, data.rows(), &insecure(11))
        .unwrap()
        .0
}

pub(super) fn owner(plan: &TrainingPlan) -> (DataOwner<CpuEngine>, TrainingKeys) {
    DataOwner::generate(plan.clone(), CpuEngine::new()).unwrap()
}

pub(super) fn server(plan: &TrainingPlan, keys: TrainingKeys) -> TrainingServer<CpuEngine> {
    TrainingServer::new(plan.clone(), keys, CpuEngine::new(), Options::default()).unwrap()
}

fn trainer(
    settings: &Settings,
    data: &Dataset,
    options: &PlannerOptions,
) -> Trainer<CpuEngine, CpuEngine> {
    let engine = CpuEngine::new();
    TrainerBuilder::new(settings, data)
        .planner(options.clone())
        .build(engine.clone(), engine)
        .unwrap()
}
