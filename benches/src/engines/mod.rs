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
use clap::Args;
use lr_train::circuits::Kind;
use serde::Serialize;

use crate::{
    Client, Common, Result, Server,
    floor::{Floor, Peak},
    parameter_sets,
    process::{all_threads, host_threads},
    report::Origin,
    timing::Timing,
    training::circuit::{MNIST, Prepared, TINY},
    transfers,
};
use cases::Case;
use measure::{Counted, Measured, measure, measure_training};

/// The same operations on the CPU and the GPU engine, with the device's limits.
///
/// Needs nothing but itself and a driver: the program can be copied to a machine without network and without this repository.
#[derive(Args)]
pub(crate) struct Arguments {
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
pub(crate) struct Adapter {
    /// Only adapters whose name contains this.
    #[arg(long)]
    adapter: Option<String>,
    /// 32-bit integers in shaders, as a browser has.
    #[arg(long)]
    portable: bool,
}

impl Adapter {
    /// Opens it; a profile clocks every kernel.
    pub(crate) fn open(&self, profile: bool) -> Result<GpuEngine> {
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

impl Arguments {
    /// Measures and publishes `engines`, after every part. What fails on the GPU is among the failures, and an error at the end.
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let quick = common.quick;
        let origin = Origin::here();
        let mut found = Engines::new(&self, quick)?;
        let gpu = match found.open(&self.gpu, quick) {
            Ok(engine) => Some(engine),
            Err(error) => {
                found.failures.push(format!("no GPU: {error}"));
                None
            }
        };
        let save = |found: &Engines| common.output.save("engines", &found.report(&origin));
        for plan in plans(quick)? {
            found.operations(&plan, gpu.as_ref())?;
            save(&found)?;
        }
        let kinds = [Kind::SingleChain, Kind::SingleChainMaskFree, Kind::LowDepth];
        let (size, kinds) = if quick {
            (TINY, &kinds[..1])
        } else {
            (MNIST, &kinds[..])
        };
        for &kind in kinds {
            found.trainings(&Prepared::new(kind, size)?, gpu.as_ref())?;
            save(&found)?;
        }
        print!("{}", found.report(&origin).to_markdown());
        match found.failures.len() {
            0 => Ok(()),
            failures => Err(format!("{failures} failures: see FAILED above").into()),
        }
    }
}

/// The device of the GPU column.
#[derive(Serialize)]
struct Device {
    /// Name, kind, interface, driver, limits.
    adapter: String,
    driver: String,
    /// Why this one.
    reason: String,
    /// Software on the CPU: its times are not those of a GPU.
    software: bool,
    /// What it can do, measured.
    peak: Peak,
}

/// Name, base-2 logarithm of the ring degree, limbs of the operands; ciphertexts, polynomials or minibatches at once.
type Key = (&'static str, u32, usize, usize);

/// One operation at one size, with a place for every engine.
struct Row<F, T> {
    key: Key,
    facts: F,
    columns: Vec<Option<T>>,
}

/// Everything that one run found out.
struct Engines {
    /// None without a GPU.
    device: Option<Device>,
    /// Threads of the CPU engines.
    cpus: Vec<usize>,
    /// Names of the engines, in the order of columns.
    names: Vec<String>,
    /// Bytes a second that all cores copy.
    host_copy: f64,
    /// Seconds for each row.
    seconds: f64,
    /// Operations and training runs, with what they need at least where that was counted.
    rows: Vec<Row<Option<Floor>, Measured>>,
    /// Transfers, with their bytes in boundary form: median seconds. Nothing of them is in another row.
    transfers: Vec<Row<u64, f64>>,
    failures: Vec<String>,
}

/// A parameter set and what is measured with it.
struct Plan {
    params: Parameters,
    levels: Vec<usize>,
    batches: Vec<usize>,
    /// Limbs of transforms.
    transforms: Vec<usize>,
}

/// Ciphertexts at a level: every engine gets the same ones.
type Inputs = [(usize, [SeededCiphertext; 2])];

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
    let whole = |log_n: u32, batches: &[usize]| -> Result<Plan> {
        let params = parameter_sets::standard(log_n)?;
        Ok(Plan {
            levels: vec![params.max_level()],
            transforms: vec![params.basis_len()],
            batches: batches.to_vec(),
            params,
        })
    };
    if quick {
        return Ok(vec![whole(13, &[1, 2])?, whole(14, &[1])?]);
    }
    let deep = deep()?;
    let nearest = |limbs: usize| {
        (1..=deep.max_level()).min_by_key(|&level| deep.window(level).len().abs_diff(limbs))
    };
    Ok(vec![
        whole(14, &[1])?,
        whole(15, &[1, 2, 4, 8, 16, 32])?,
        Plan {
            levels: [48, 26, 15].into_iter().filter_map(nearest).collect(),
            batches: vec![1, 4],
            transforms: vec![1, 40],
            params: deep,
        },
    ])
}

impl Engines {
    fn new(arguments: &Arguments, quick: bool) -> Result<Self> {
        let mut cpus = vec![1, all_threads()];
        cpus.dedup();
        if arguments.gpu_only {
            cpus.clear();
        }
        let names = cpus.iter();
        let names = names.map(|&threads| Ok(CpuEngine::with_threads(threads)?.name()));
        let seconds = arguments.seconds.unwrap_or(if quick { 0.05 } else { 0.5 });
        Ok(Self {
            device: None,
            names: names.collect::<Result<_>>()?,
            cpus,
            host_copy: peak::copy_rate(CpuEngine::new(), quick, seconds)?,
            seconds,
            rows: Vec::new(),
            transfers: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Opens the GPU and gives it a column.
    fn open(&mut self, adapter: &Adapter, quick: bool) -> Result<GpuEngine> {
        let engine = adapter.open(false)?;
        let report = engine.adapter();
        let device = Device {
            adapter: report.to_string(),
            driver: report.driver.clone(),
            reason: engine.reason().to_owned(),
            software: report.kind == "software",
            peak: peak::peak(&engine, adapter.portable, quick, self.seconds)?,
        };
        eprintln!("{}\n{}", device.adapter, device.reason);
        self.names.push(engine.name());
        self.device = Some(device);
        Ok(engine)
    }

    fn keep(&mut self, done: Result<()>) {
        if let Err(error) = done {
            eprintln!("FAILED: {error}");
            self.failures.push(error.to_string());
        }
    }

    fn on_cpus(
        &mut self,
        mut measure: impl FnMut(&mut Self, usize, usize, CpuEngine) -> Result<()> + Send,
    ) -> Result<()> {
        for (column, threads) in self.cpus.clone().into_iter().enumerate() {
            let engine = CpuEngine::with_threads(threads)?;
            host_threads(threads)?.install(|| measure(self, column, threads, engine))?;
        }
        Ok(())
    }

    fn operations(&mut self, plan: &Plan, gpu: Option<&GpuEngine>) -> Result<()> {
        let client = Client::new(&plan.params, CpuEngine::new())?;
        let encrypt = |level: usize, of: usize| {
            let values = &[client.values[of].as_slice()];
            client.encryptor().encrypt(values, level)
        };
        let inputs = plan.levels.iter().map(|&level| {
            let both = [encrypt(level, 0)?, encrypt(level, 1)?];
            Ok((level, both))
        });
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        self.on_cpus(|found, column, threads, engine| {
            // One thread does a batch one by one.
            let batches = if threads == 1 { 1 } else { plan.batches.len() };
            let given = (&client, plan, &inputs[..], &plan.batches[..batches]);
            found.column(column, engine, given)
        })?;
        if let Some(engine) = gpu {
            let given = (&client, plan, &inputs[..], &plan.batches[..]);
            let done = self.column(self.cpus.len(), engine.clone(), given);
            self.keep(done);
        }
        Ok(())
    }

    fn column<S: SecretEngine, B: Counted>(
        &mut self,
        column: usize,
        engine: B,
        (client, plan, inputs, batches): (&Client<S>, &Plan, &Inputs, &[usize]),
    ) -> Result<()> {
        let server = Server::new(client, engine)?;
        let context = &server.context;
        let (log_n, width, seconds) = (plan.params.log_n(), self.names.len(), self.seconds);
        let name = context.engine().name();
        let mut run = |list: Vec<Case<'_>>| -> Result<()> {
            for mut case in list {
                let key = (case.name, log_n, case.limbs, case.batch);
                eprintln!(
                    "2^{log_n}, {name}: {}, {} limbs, batch {}",
                    key.0, key.2, key.3
                );
                let measured = measure(&mut case, context, seconds)?;
                let row = columns(&mut self.rows, width, key, Some(case.floor));
                row[column] = Some(measured);
            }
            Ok(())
        };
        for &limbs in &plan.transforms {
            run(cases::transforms(context, limbs)?)?;
        }
        for (level, inputs) in inputs {
            run(cases::conversions(context, *level)?)?;
            for &batch in batches {
                run(cases::scheme(&server.evaluator, inputs, batch)?)?;
            }
        }
        for mut transfer in transfers::between_host_and_engine(client, &server)? {
            let (what, bytes) = (transfer.name, transfer.bytes.unwrap_or(0));
            eprintln!("2^{log_n}, {name}: {what}");
            let time = Timing::of_operation(&mut transfer, seconds)?.median;
            let row = columns(&mut self.transfers, width, (what, log_n, 0, 0), bytes);
            row[column] = Some(time);
        }
        Ok(())
    }

    fn trainings(&mut self, prepared: &Prepared, gpu: Option<&GpuEngine>) -> Result<()> {
        self.on_cpus(|found, column, threads, engine| {
            found.training(column, threads, engine, prepared)
        })?;
        if let Some(engine) = gpu {
            // One queue: calls side by side only help to record.
            let done = self.training(self.cpus.len(), 1, engine.clone(), prepared);
            self.keep(done);
        }
        Ok(())
    }

    fn training<B: Counted>(
        &mut self,
        column: usize,
        side_by_side: usize,
        engine: B,
        prepared: &Prepared,
    ) -> Result<()> {
        let kind = prepared.circuit.training.spec().kind;
        let params = &prepared.circuit.params;
        eprintln!("training, {}: {kind}", engine.name());
        let seconds = 4.0 * self.seconds;
        let measured = measure_training(prepared, engine, side_by_side, seconds)?;
        let limbs = params.window(params.max_level()).len();
        let key = (kind.name(), params.log_n(), limbs, prepared.iterations);
        columns(&mut self.rows, self.names.len(), key, None)[column] = Some(measured);
        Ok(())
    }
}

/// The columns of a row, which is made if there is none.
fn columns<F, T>(rows: &mut Vec<Row<F, T>>, width: usize, key: Key, facts: F) -> &mut [Option<T>] {
    let known = rows.iter().position(|row| row.key == key);
    let at = known.unwrap_or(rows.len());
    if known.is_none() {
        let columns = (0..width).map(|_| None).collect();
        rows.push(Row {
            key,
            facts,
            columns,
        });
    }
    &mut rows[at].columns
}
