//! What a program will need, before any key exists.
//!
//! ```text
//!   circuit -> program --+-- rotations, relinearization --> keys with level budgets --> bytes
//!                        +-- levels, slots, samples --> parameters, predicted precision
//!                        +-- the executor's order --> peak memory, calls
//!                        +-- cost table --> work, longest path
//! ```
//! The ring degree is given by the circuit's slots: a plan looks for the cheapest level width and chain length in that ring.

mod choose;
mod keys;
mod memory;
mod options;
mod report;

use std::collections::BTreeMap;

pub use choose::{Rejected, RejectedReason};
pub use keys::KeyRequests;
pub use memory::{Execution, constant_bytes};
pub use options::PlanOptions;
pub use report::{Bytes, Plan, PlannedKey, PlannedObject, TimeEstimate};

use arras_hal::Named;

use crate::{
    Circuit, Result,
    cost::{CostTable, memory as sizes},
    interpret::{RotationSet, step_seconds},
    program::{Program, StepId},
    run::Batching,
};

/// Plans a circuit.
///
/// # Errors
/// As [`plan_program`].
pub fn plan(circuit: &Circuit, options: &PlanOptions) -> Result<Plan> {
    plan_program(&Program::new(circuit.clone()), options)
}

/// Plans a program.
///
/// # Errors
/// [`crate::ToolkitErrorKind::TooDeep`] if no safe ring of the circuit's slots has the levels;
/// [`crate::ToolkitErrorKind::PrecisionNotReached`], [`crate::ToolkitErrorKind::HeadroomExceeded`] if no parameters keep what was asked for;
/// [`crate::ToolkitErrorKind::SlotsMismatch`], [`crate::ToolkitErrorKind::TooFewLevels`] for given parameters that do not fit; those of
/// [`crate::interpret::Samples::draw`].
pub fn plan_program(program: &Program, options: &PlanOptions) -> Result<Plan> {
    let chosen = choose::choose(program, options).named("plan")?;
    let params = &chosen.parameters;
    let circuit = program.circuit();

    let mut inputs = BTreeMap::new();
    for input in circuit.inputs() {
        if let Some(level) = circuit.level(input.node()) {
            let units = input.layout().units();
            let bytes = if options.public_key {
                sizes::ciphertext_bytes(params, level, units)?
            } else {
                sizes::seeded_ciphertext_bytes(params, level, units)?
            };
            let object = PlannedObject::new(*input.layout(), level, bytes.into());
            inputs.insert(input.name().to_owned(), object);
        }
    }
    let mut outputs = BTreeMap::new();
    for (output, &id) in circuit.outputs().iter().zip(program.outputs()) {
        let level = program.step(id).level();
        let bytes = sizes::ciphertext_bytes(params, level, output.layout().units())?;
        let object = PlannedObject::new(*output.layout(), level, bytes.into());
        outputs.insert(output.name().to_owned(), object);
    }

    let key_requests = KeyRequests::of(program);
    let kinds = key_requests.kinds(params.log_n());
    let key_set_bytes = sizes::evaluation_key_set_bytes_by_level(params, kinds.iter().copied())?;
    let keys = key_requests.planned(params)?;

    let execution = Execution::of(program, params, Batching::default());
    let time = TimeEstimate {
        table: chosen.costs.summary(),
        threads: chosen.costs.spec().threads,
        work_seconds: chosen.count.seconds(),
        critical_path_seconds: critical_path_seconds(program, &chosen.costs)?,
        encoding_seconds: chosen.count.encoding_seconds(),
    };
    Ok(Plan {
        parameters: params.clone(),
        asked_bits: options.precision_bits,
        levels_needed: program.levels_needed(),
        key_requests,
        keys,
        key_set_bytes: key_set_bytes.into(),
        inputs,
        outputs,
        precision: chosen.precision,
        peak_ciphertext_bytes: execution.peak_ciphertext_bytes,
        constant_bytes: constant_bytes(program, params),
        steps: program.steps().len(),
        calls: execution.calls,
        waves: program.waves().len(),
        width: execution.width,
        time,
        count: chosen.count,
        rotations: RotationSet::of(program),
        rejected: chosen.rejected,
    })
}

/// Seconds of the longest chain of dependent steps: what remains with unlimited cores.
fn critical_path_seconds(program: &Program, table: &CostTable) -> Result<f64> {
    let mut ends: Vec<f64> = Vec::with_capacity(program.steps().len());
    for (index, step) in program.steps().iter().enumerate() {
        let start = step.operands().iter().map(|o| ends[o.index()]);
        let start = start.fold(0.0, f64::max);
        ends.push(start + step_seconds(table, program, StepId(index))?);
    }
    Ok(ends.into_iter().fold(0.0, f64::max))
}
