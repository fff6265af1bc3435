//! Plans of programs that run one after the other.

use std::collections::BTreeMap;

use arras_ckks::Parameters;
use arras_hal::Named;

use super::{
    Execution, KeyRequests, PlannedObject, PlannedStage, ServerMemory, TimeEstimate, choose,
    constant_bytes,
};
use crate::{
    OpCount, Plan, PlanOptions, Program, Result, RotationSet,
    cost::{CostTable, memory as sizes},
    interpret::{PlannedAssumption, PredictedPrecision, critical_path_seconds},
    run::Batching,
};

/// A program, and how often it runs. Each run brings inputs and constants of its own.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// The program.
    pub program: &'a Program,
    /// How many runs, at least 1.
    pub times: usize,
}

impl<'a> Stage<'a> {
    /// One run.
    pub fn once(program: &'a Program) -> Self {
        Self::repeated(program, 1)
    }

    /// This many runs.
    pub fn repeated(program: &'a Program, times: usize) -> Self {
        Self {
            program,
            times: times.max(1),
        }
    }
}

/// Plans what runs one after the other under one set of parameters and keys. A single circuit is one stage.
///
/// # Errors
/// [`crate::ToolkitErrorKind::TooDeep`] if no safe ring of the circuits' slots has the levels;
/// [`crate::ToolkitErrorKind::PrecisionNotReached`], [`crate::ToolkitErrorKind::HeadroomExceeded`] if no parameters keep what was asked for;
/// [`crate::ToolkitErrorKind::SlotsMismatch`], [`crate::ToolkitErrorKind::TooFewLevels`] for programs of different slots and for given
/// parameters that do not fit; [`crate::ToolkitErrorKind::OutOfRange`] for no stage; those of [`crate::Samples::draw`].
pub fn plan(stages: &[Stage<'_>], options: &PlanOptions) -> Result<Plan> {
    let chosen = choose::choose(stages, options).named("plan")?;
    let params = &chosen.parameters;
    let key_requests = stages.iter().fold(KeyRequests::default(), |keys, stage| {
        keys.union(&KeyRequests::of(stage.program))
    });
    let key_set_bytes = key_requests.set_bytes(params)?;
    let mut planned = vec![];
    let mut precisions = chosen.precisions.into_iter();
    for stage in stages {
        let count = OpCount::with_costs_of(stage.program, &chosen.tables[0])?;
        planned.push(stage_of(*stage, params, options, count, precisions.next())?);
    }
    let times = chosen.tables.iter();
    let times = times.map(|table| TimeEstimate::of(stages, table));
    let memory = planned.iter().map(|stage| stage.memory);
    let memory = memory.fold(ServerMemory::default(), ServerMemory::max);
    Ok(Plan {
        parameters: params.clone(),
        asked_bits: options.asked.as_ref().map(|(bits, _)| *bits),
        levels_needed: choose::levels_needed(stages),
        keys: key_requests.planned(params)?,
        key_requests,
        key_set_bytes,
        memory: memory.with_keys(key_set_bytes.loaded),
        times: times.collect::<Result<_>>()?,
        stages: planned,
        rejected: chosen.rejected,
    })
}

fn stage_of(
    stage: Stage<'_>,
    params: &Parameters,
    options: &PlanOptions,
    count: OpCount,
    precision: Option<PredictedPrecision>,
) -> Result<PlannedStage> {
    let program = stage.program;
    let circuit = program.circuit();
    let bounds = options.bounds(circuit);
    let mut inputs = BTreeMap::new();
    for input in circuit.inputs() {
        if let Some(level) = circuit.level(input.node()) {
            let units = input.layout().units();
            let bytes = if options.public_key {
                sizes::ciphertext_bytes(params, level, units)?
            } else {
                sizes::seeded_ciphertext_bytes(params, level, units)?
            };
            let largest = options.range(circuit, input);
            let object = PlannedObject::new(*input.layout(), level, largest, bytes.into());
            inputs.insert(input.name().to_owned(), object);
        }
    }
    let mut outputs = BTreeMap::new();
    for (output, &id) in circuit.outputs().iter().zip(program.outputs()) {
        let level = program.step(id).level();
        let bytes = sizes::ciphertext_bytes(params, level, output.layout().units())?;
        let largest = bounds.as_ref().map(|bounds| bounds.node(output.node()));
        let object = PlannedObject::new(*output.layout(), level, largest, bytes.into());
        outputs.insert(output.name().to_owned(), object);
    }
    let execution = Execution::of(program, params, Batching::default());
    Ok(PlannedStage {
        times: stage.times,
        levels_needed: program.levels_needed(),
        inputs,
        outputs,
        assumptions: PlannedAssumption::of(circuit),
        precision,
        memory: ServerMemory::of(program, params, options.threads),
        peak_ciphertext_bytes: execution.peak_ciphertext_bytes,
        constant_bytes: constant_bytes(program, params),
        steps: program.steps().len(),
        calls: execution.calls,
        waves: program.waves().len(),
        width: execution.width,
        count,
        rotations: RotationSet::of(program),
    })
}

impl TimeEstimate {
    /// All runs of all stages.
    fn of(stages: &[Stage<'_>], table: &CostTable) -> Result<Self> {
        let mut estimate = Self {
            table: table.summary(),
            threads: table.spec().threads,
            work_seconds: 0.0,
            critical_path_seconds: 0.0,
            encoding_seconds: 0.0,
        };
        for stage in stages {
            let count = OpCount::with_costs_of(stage.program, table)?;
            let times = stage.times as f64;
            estimate.work_seconds += times * count.seconds();
            estimate.encoding_seconds += times * count.encoding_seconds();
            estimate.critical_path_seconds += times * critical_path_seconds(stage.program, table)?;
        }
        Ok(estimate)
    }
}
