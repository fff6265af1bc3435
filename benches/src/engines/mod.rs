//! The same operations on every engine, with the limits of the device beside the times of the GPU.
//!
//! ```text
//!   cases      what is measured, generic over the engine
//!   measure    latency, time per operation of many, dispatches, submissions; whole training runs
//!   peak       what the device can do
//!   render     the tables
//! ```
//! Every result is hashed: a row says whether all engines gave the same residues.

mod cases;
mod measure;
mod peak;
mod render;

use arras::{
    CpuEngine,
    ckks::{
        Parameters, SeededCiphertext,
        params::{Dnum, LevelWidth},
    },
    hal::{Backend, SecretEngine},
};
use arras_backend_gpu::{Arithmetic, GpuEngine, GpuOptions};
use arras_shaders::Prelude;
use clap::Args;
use lr_train::circuits::Kind;
use serde::Serialize;

use crate::{
    Client, Common, Result, Server, parameter_sets,
    process::{all_threads, host_threads},
    report::Origin,
    roofline::{Floor, Peak},
    timing::Timing,
    training::circuit::{MNIST, Prepared, TINY},
    transfers,
};
use cases::{Case, conversion_cases, ring_cases, scheme_cases};
use measure::{Counters, Measured, measure, measure_training};

/// The same operations on the CPU and the GPU engine, with the device's limits.
///
/// Needs nothing but itself and a driver: the program can be copied to a machine without network and without this repository.
#[derive(Args)]
pub struct Arguments {
    /// Seconds for each row of each engine [default: 0.5, and 0.05 with --quick].
    #[arg(long)]
    seconds: Option<f64>,
    #[command(flatten)]
    gpu: Adapter,
    /// Without the CPU engine.
    #[arg(long)]
    gpu_only: bool,
}

/// Which device.
#[derive(Args)]
pub struct Adapter {
    /// Only adapters whose name contains this.
    #[arg(long)]
    adapter: Option<String>,
    /// 32-bit integers in shaders, as a browser has.
    #[arg(long)]
    portable: bool,
}

impl Adapter {
    /// Opens it; a profile clocks every kernel.
    ///
    /// # Errors
    /// The engine's.
    pub fn open(&self, profile: bool) -> Result<GpuEngine> {
        Ok(GpuEngine::new(&GpuOptions {
            adapter: self.adapter.clone(),
            arithmetic: if self.portable {
                Arithmetic::Portable
            } else {
                Arithmetic::Auto
            },
            profile,
            ..GpuOptions::default()
        })?)
    }
}

/// How much to measure, and on what.
struct Settings {
    quick: bool,
    /// Seconds for each row of each engine.
    seconds: f64,
    gpu: Adapter,
    gpu_only: bool,
}

impl Arguments {
    /// Measures and publishes `engines`, after every part.
    ///
    /// # Errors
    /// The CPU engine's, and for files that cannot be written; at the end if the GPU failed.
    pub fn run(self, common: &Common) -> Result<()> {
        let default = if common.quick { 0.05 } else { 0.5 };
        let settings = Settings {
            quick: common.quick,
            seconds: self.seconds.unwrap_or(default),
            gpu: self.gpu,
            gpu_only: self.gpu_only,
        };
        let origin = Origin::here();
        let save = |engines: &Engines| {
            let report = engines.report(origin.clone());
            common.output.write("engines.md", &report.to_markdown())?;
            common
                .output
                .write("engines.json", &report.to_json(engines)?)
        };
        let engines = compare(&settings, &save)?;
        print!("{}", engines.report(origin).to_markdown());
        match engines.failures.len() {
            0 => Ok(()),
            failures => Err(format!("{failures} failures: see FAILED above").into()),
        }
    }
}

/// The device of the GPU column.
#[derive(Debug, Serialize)]
struct Device {
    /// Name, kind, interface, driver, limits.
    adapter: String,
    /// Name and version of the driver.
    driver: String,
    /// Why this one.
    reason: String,
    /// Software on the CPU: its times are not those of a GPU.
    software: bool,
    /// What it can do, measured.
    peak: Peak,
}

/// One operation at one size.
#[derive(Debug, Serialize)]
struct Row {
    /// The operation.
    name: String,
    /// Base-2 logarithm of the ring degree.
    log_n: u32,
    /// Limbs of the operands.
    limbs: usize,
    /// Ciphertexts, polynomials or minibatches at once.
    batch: usize,
    /// What it needs at least; none where it was not counted.
    floor: Option<Floor>,
    /// A place for every engine.
    columns: Vec<Option<Measured>>,
}

/// A transfer: nothing of it is in another row.
#[derive(Debug, Serialize)]
struct Transfer {
    /// What is moved.
    name: String,
    /// Base-2 logarithm of the ring degree.
    log_n: u32,
    /// Bytes in boundary form.
    bytes: u64,
    /// Median seconds for every engine.
    columns: Vec<Option<f64>>,
}

/// Everything that one run found out.
#[derive(Debug, Serialize)]
struct Engines {
    /// The device; none without one.
    device: Option<Device>,
    /// Names of the engines, in the order of columns.
    names: Vec<String>,
    /// Bytes a second that all cores copy.
    host_copy: f64,
    /// Seconds for each row.
    seconds: f64,
    /// Operations and training runs.
    rows: Vec<Row>,
    /// Transfers.
    transfers: Vec<Transfer>,
    /// What failed.
    failures: Vec<String>,
}

/// Ciphertexts at a level: every engine gets the same ones.
type Inputs = Vec<(usize, [SeededCiphertext; 2])>;

/// A parameter set and what is measured with it.
struct Plan {
    params: Parameters,
    levels: Vec<usize>,
    batches: Vec<usize>,
    /// Limbs of transforms.
    transforms: Vec<usize>,
}

/// The deep set of `N = 2^16`: 44 main primes, 4 terminals, 12 special ones in 4 digits.
fn deep() -> Result<Parameters> {
    Ok(Parameters::builder()
        .log_n(16)
        .levels(34)
        .level_width(LevelWidth::Bits39)
        .dnum(Dnum::Fixed(4))
        .build()?)
}

fn plans(quick: bool) -> Result<Vec<Plan>> {
    let whole = |params: Parameters, batches: &[usize]| Plan {
        levels: vec![params.max_level()],
        transforms: vec![params.basis_len()],
        batches: batches.to_vec(),
        params,
    };
    if quick {
        let small = whole(parameter_sets::standard(13)?, &[1, 2]);
        return Ok(vec![small, whole(parameter_sets::standard(14)?, &[1])]);
    }
    let deep = deep()?;
    let nearest = |limbs: usize| {
        (1..=deep.max_level()).min_by_key(|&level| deep.window(level).len().abs_diff(limbs))
    };
    Ok(vec![
        whole(parameter_sets::standard(14)?, &[1]),
        whole(parameter_sets::standard(15)?, &[1, 2, 4, 8, 16, 32]),
        Plan {
            levels: [48, 26, 15].into_iter().filter_map(nearest).collect(),
            batches: vec![1, 4],
            transforms: vec![1, 40],
            params: deep,
        },
    ])
}

/// Measures; `save` gets everything so far after each part. What fails on the GPU is among the failures.
fn compare(settings: &Settings, save: &dyn Fn(&Engines) -> Result<()>) -> Result<Engines> {
    let threads = all_threads();
    let mut cpus = if settings.gpu_only {
        Vec::new()
    } else {
        vec![1, threads]
    };
    cpus.dedup();
    let mut found = Engines {
        device: None,
        names: cpus
            .iter()
            .map(|&threads| Ok(CpuEngine::with_threads(threads)?.name()))
            .collect::<Result<_>>()?,
        host_copy: peak::host_copy_rate(settings.quick, settings.seconds)?,
        seconds: settings.seconds,
        rows: Vec::new(),
        transfers: Vec::new(),
        failures: Vec::new(),
    };
    let gpu = match open(settings) {
        Ok((engine, device)) => {
            eprintln!("{}\n{}", device.adapter, device.reason);
            found.names.push(engine.name());
            found.device = Some(device);
            Some(engine)
        }
        Err(error) => {
            found.failures.push(format!("no GPU: {error}"));
            None
        }
    };
    let counters = |engine: &GpuEngine| Some((engine.dispatch_count(), engine.submit_count()));
    for plan in plans(settings.quick)? {
        let client = Client::new(&plan.params, CpuEngine::new())?;
        let encrypt = |level: usize, of: usize| {
            let values = &[client.values[of].as_slice()];
            client.encryptor().encrypt(values, level)
        };
        let inputs: Inputs = plan
            .levels
            .iter()
            .map(|&level| Ok((level, [encrypt(level, 0)?, encrypt(level, 1)?])))
            .collect::<Result<_>>()?;
        let given = (&client, &plan, &inputs);
        for (column, &threads) in cpus.iter().enumerate() {
            let engine = CpuEngine::with_threads(threads)?;
            host_threads(threads)?.install(|| {
                let one = threads == 1;
                found.operations((column, one), engine, given, &|_| None)
            })?;
        }
        if let Some(engine) = &gpu {
            let column = (cpus.len(), false);
            let done = found.operations(column, engine.clone(), given, &counters);
            found.keep(done);
        }
        save(&found)?;
    }
    let (size, kinds) = if settings.quick {
        (TINY, vec![Kind::SingleChain])
    } else {
        let kinds = [Kind::SingleChain, Kind::SingleChainMaskFree, Kind::LowDepth];
        (MNIST, kinds.to_vec())
    };
    for kind in kinds {
        let prepared = Prepared::new(kind, size)?;
        for (column, &threads) in cpus.iter().enumerate() {
            let engine = CpuEngine::with_threads(threads)?;
            host_threads(threads)?
                .install(|| found.training((column, threads), engine, &prepared, &|_| None))?;
        }
        if let Some(engine) = &gpu {
            // One queue: calls side by side only help to record.
            let column = (cpus.len(), 1);
            let done = found.training(column, engine.clone(), &prepared, &counters);
            found.keep(done);
        }
        save(&found)?;
    }
    Ok(found)
}

fn open(settings: &Settings) -> Result<(GpuEngine, Device)> {
    let engine = settings.gpu.open(false)?;
    let report = engine.adapter();
    let prelude = if report.int64 && !settings.gpu.portable {
        Prelude::Int64
    } else {
        Prelude::Portable
    };
    let peak = peak::peak(&engine, prelude, settings.quick, settings.seconds)?;
    let device = Device {
        adapter: report.to_string(),
        driver: report.driver.clone(),
        reason: engine.reason().to_owned(),
        software: report.kind == "software",
        peak,
    };
    Ok((engine, device))
}

impl Engines {
    fn keep(&mut self, done: Result<()>) {
        if let Err(error) = done {
            eprintln!("FAILED: {error}");
            self.failures.push(error.to_string());
        }
    }

    fn operations<S: SecretEngine, B: Backend>(
        &mut self,
        (column, single): (usize, bool),
        engine: B,
        (client, plan, inputs): (&Client<S>, &Plan, &Inputs),
        counters: Counters<'_, B>,
    ) -> Result<()> {
        let server = Server::new(client, engine)?;
        let context = &server.context;
        let log_n = plan.params.log_n();
        let seconds = self.seconds;
        let name = context.engine().name();
        let mut run = |list: Vec<Case<'_, B>>| -> Result<()> {
            for mut case in list {
                eprintln!(
                    "2^{log_n}, {name}: {}, {} limbs, batch {}",
                    case.name, case.limbs, case.batch
                );
                let measured = measure(&mut case, context, seconds, counters)?;
                self.put(column, log_n, &case, measured);
            }
            Ok(())
        };
        for &limbs in &plan.transforms {
            run(ring_cases(context, limbs)?)?;
        }
        for (level, inputs) in inputs {
            run(conversion_cases(context, *level)?)?;
            for &batch in &plan.batches {
                // One thread does a batch one by one.
                if !single || batch == 1 {
                    run(scheme_cases(&server.evaluator, inputs, batch)?)?;
                }
            }
        }
        for mut transfer in transfers::between_host_and_engine(client, &server)? {
            eprintln!("2^{log_n}, {name}: {}", transfer.name());
            let time = Timing::of_operation(&mut transfer, seconds)?.median;
            let known = self
                .transfers
                .iter()
                .position(|row| (row.log_n, row.name.as_str()) == (log_n, transfer.name()));
            let at = known.unwrap_or_else(|| {
                self.transfers.push(Transfer {
                    name: transfer.name().into(),
                    log_n,
                    bytes: transfer.bytes().unwrap_or(0),
                    columns: vec![None; self.names.len()],
                });
                self.transfers.len() - 1
            });
            self.transfers[at].columns[column] = Some(time);
        }
        Ok(())
    }

    fn training<B: Backend>(
        &mut self,
        (column, side_by_side): (usize, usize),
        engine: B,
        prepared: &Prepared,
        counters: Counters<'_, B>,
    ) -> Result<()> {
        let circuit = &prepared.circuit;
        let kind = circuit.training.spec().kind;
        let params = &circuit.params;
        eprintln!("training, {}: {kind}", engine.name());
        let seconds = 4.0 * self.seconds;
        let measured = measure_training(prepared, engine, side_by_side, seconds, counters)?;
        let case: Case<'_, B> = Case {
            name: kind.name(),
            limbs: params.window(params.max_level()).len(),
            batch: prepared.iterations,
            floor: Floor::default(),
            run: Box::new(|| Ok(cases::Output::Ciphertexts(Vec::new()))),
        };
        self.put(column, params.log_n(), &case, measured);
        Ok(())
    }

    fn put<B: Backend>(&mut self, column: usize, log_n: u32, case: &Case<'_, B>, value: Measured) {
        let same = |row: &Row| {
            (row.name.as_str(), row.log_n, row.limbs, row.batch)
                == (case.name, log_n, case.limbs, case.batch)
        };
        let at = self.rows.iter().position(same).unwrap_or_else(|| {
            self.rows.push(Row {
                name: case.name.into(),
                log_n,
                limbs: case.limbs,
                batch: case.batch,
                floor: (case.floor != Floor::default()).then_some(case.floor),
                columns: vec![None; self.names.len()],
            });
            self.rows.len() - 1
        });
        self.rows[at].columns[column] = Some(value);
    }
}
