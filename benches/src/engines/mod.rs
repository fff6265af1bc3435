//! The same operations on every engine, with the limits of the device beside the times of the GPU, and where its time goes.
//!
//! ```text
//!   cases      what is measured, generic over the engine
//!   measure    latency, time per operation of many, host time, dispatches, submissions; the device's time by kernel
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
        Context, Parameters, SeededCiphertext,
        params::{Dnum, LevelWidth},
    },
    hal::Backend,
    toolkit::run::Options,
};
use arras_backend_gpu::{Arithmetic, GpuEngine, GpuOptions};
use clap::Args;
use lr_train::circuits::Kind;
use serde::Serialize;

use crate::{
    Client, Common, Result, Server,
    floor::Peak,
    parameter_sets::{self, Set},
    process::thread_counts,
    report::{Origin, Table},
    roofline::Work,
    timing::Timing,
    training::circuit::{MNIST, Prepared, TINY},
    transfers,
};
use cases::Case;
use measure::{Measured, measure};

/// The same operations on the CPU and the GPU engine, with the device's limits, its time by kernel, and what recording for it takes.
///
/// Needs nothing but itself and a driver: the program can be copied to a machine without network and without this repository.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Seconds for each row of each engine [default: 0.5, and 0.05 with --quick].
    #[arg(long)]
    seconds: Option<f64>,
    /// Ring degrees and levels, as LOG_N:LEVELS, in place of the standard ones.
    #[arg(long, value_delimiter = ',')]
    sets: Vec<Set>,
    /// Ciphertexts of a batch, with --sets.
    #[arg(long, value_delimiter = ',', default_value = "1", requires = "sets")]
    batch: Vec<usize>,
    /// Only adapters whose name contains this.
    #[arg(long)]
    adapter: Option<String>,
    /// 32-bit integers in shaders, as a browser has.
    #[arg(long)]
    portable: bool,
    /// Without the CPU engine.
    #[arg(long)]
    gpu_only: bool,
    /// Leave out the training runs.
    #[arg(long)]
    no_training: bool,
    /// Leave out the times of kernels.
    #[arg(long)]
    no_profile: bool,
}

impl Arguments {
    /// Measures and publishes `engines`, after every part. What fails on the GPU is among the failures, and an error at the end.
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let quick = common.quick;
        let origin = Origin::here();
        let mut found = Engines::new(&self, quick)?;
        let opened = self.devices(&mut found, quick);
        found.keep(opened.map_err(|error| format!("no GPU: {error}").into()));
        let save = |found: &Engines| common.output.save("engines", &found.report(&origin));
        for plan in self.plans(quick)? {
            found.measure(&Part::operations(plan)?)?;
            save(&found)?;
        }
        let kinds = [Kind::SingleChain, Kind::SingleChainMaskFree, Kind::LowDepth];
        let (size, kinds) = match (quick, self.no_training) {
            (_, true) => (TINY, &kinds[..0]),
            (true, _) => (TINY, &kinds[..1]),
            (false, _) => (MNIST, &kinds[..]),
        };
        for &kind in kinds {
            found.measure(&Part::Training(Prepared::new(kind, size)?))?;
            save(&found)?;
        }
        print!("{}", found.report(&origin).to_markdown());
        match found.failures.len() {
            0 => Ok(()),
            failures => Err(format!("{failures} failures: see FAILED above").into()),
        }
    }

    /// Opens the device; one with a profile clocks every kernel.
    fn open(&self, profile: bool) -> Result<GpuEngine> {
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

    /// Opens the GPU and gives it a column.
    fn devices(&self, found: &mut Engines, quick: bool) -> Result<()> {
        let engine = self.open(false)?;
        let report = engine.adapter();
        let device = Device {
            adapter: report.to_string(),
            driver: report.driver.clone(),
            reason: engine.reason().to_owned(),
            software: report.kind == "software",
            peak: peak::peak(&engine, self.portable, quick, found.seconds)?,
        };
        eprintln!("{}\n{}", device.adapter, device.reason);
        found.names.push(engine.name());
        found.device = Some(device);
        found.gpu = Some(engine);
        if !self.no_profile {
            found.profiled = Some(self.open(true)?);
        }
        Ok(())
    }

    fn plans(&self, quick: bool) -> Result<Vec<Plan>> {
        let whole = |params: Parameters, batches: &[usize]| Plan {
            levels: vec![params.max_level()],
            transforms: vec![params.basis_len()],
            batches: batches.to_vec(),
            params,
        };
        if !self.sets.is_empty() {
            let sets = self.sets.iter();
            return sets
                .map(|set| Ok(whole(set.parameters()?, &self.batch)))
                .collect();
        }
        let standard = parameter_sets::standard;
        if quick {
            return Ok(vec![
                whole(standard(13)?, &[1, 2]),
                whole(standard(14)?, &[1]),
            ]);
        }
        let deep = deep()?;
        let nearest = |limbs: usize| {
            (1..=deep.max_level()).min_by_key(|&level| deep.window(level).len().abs_diff(limbs))
        };
        Ok(vec![
            whole(standard(14)?, &[1]),
            whole(standard(15)?, &[1, 2, 4, 8, 16, 32]),
            Plan {
                levels: [48, 26, 15].into_iter().filter_map(nearest).collect(),
                batches: vec![1, 4],
                transforms: vec![1, 40],
                params: deep,
            },
        ])
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

/// One operation at one size on one engine, with what it needs at least where that is counted.
struct Row<F, T> {
    key: Key,
    facts: F,
    /// The engine's column.
    engine: usize,
    found: T,
}

/// Everything that one run found out.
struct Engines {
    /// None without a GPU.
    device: Option<Device>,
    gpu: Option<GpuEngine>,
    /// The same device with a clock for every kernel.
    profiled: Option<GpuEngine>,
    /// Threads of the CPU engines.
    cpus: Vec<usize>,
    /// Names of the engines, in the order of columns.
    names: Vec<String>,
    /// Bytes a second that all cores copy.
    host_copy: f64,
    /// Seconds for each row.
    seconds: f64,
    /// Operations and training runs, with what they need at least where that was counted.
    rows: Vec<Row<Option<Work>, Measured>>,
    /// Transfers, with their bytes in boundary form: median seconds. Nothing of them is in another row.
    transfers: Vec<Row<u64, f64>>,
    /// Times of kernels, and what of.
    kernels: Vec<(String, Table)>,
    failures: Vec<String>,
}

/// A parameter set and what is measured with it.
struct Plan {
    params: Parameters,
    levels: Vec<usize>,
    /// The first is that of one thread, and of kernels.
    batches: Vec<usize>,
    /// Limbs of transforms.
    transforms: Vec<usize>,
}

/// What every engine is given.
enum Part {
    /// With ciphertexts at every level.
    Operations(Plan, Client<CpuEngine>, Vec<(usize, [SeededCiphertext; 2])>),
    Training(Prepared),
}

impl Part {
    fn operations(plan: Plan) -> Result<Self> {
        let client = Client::new(&plan.params, CpuEngine::new())?;
        let encrypt = |level: usize, of: usize| {
            let values = &[client.values[of].as_slice()];
            client.encryptor().encrypt(values, level)
        };
        let inputs = plan.levels.iter().map(|&level| {
            let both = [encrypt(level, 0)?, encrypt(level, 1)?];
            Ok((level, both))
        });
        let inputs = inputs.collect::<Result<_>>()?;
        Ok(Self::Operations(plan, client, inputs))
    }
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

impl Engines {
    fn new(arguments: &Arguments, quick: bool) -> Result<Self> {
        let mut cpus = thread_counts();
        if arguments.gpu_only {
            cpus.clear();
        }
        let names = cpus.iter();
        let names = names.map(|&threads| Ok(CpuEngine::with_threads(threads)?.name()));
        let seconds = arguments.seconds.unwrap_or(if quick { 0.05 } else { 0.5 });
        Ok(Self {
            device: None,
            gpu: None,
            profiled: None,
            names: names.collect::<Result<_>>()?,
            cpus,
            host_copy: peak::copy_rate(CpuEngine::new(), quick, seconds)?,
            seconds,
            rows: Vec::new(),
            transfers: Vec::new(),
            kernels: Vec::new(),
            failures: Vec::new(),
        })
    }

    fn keep(&mut self, done: Result<()>) {
        if let Err(error) = done {
            eprintln!("FAILED: {error}");
            self.failures.push(error.to_string());
        }
    }

    /// A part on every engine.
    fn measure(&mut self, part: &Part) -> Result<()> {
        for (column, threads) in self.cpus.clone().into_iter().enumerate() {
            let engine = CpuEngine::with_threads(threads)?;
            self.column(column, threads, engine, part)?;
        }
        if let Some(engine) = self.gpu.clone() {
            // One queue: calls side by side only help to record.
            let done = self.column(self.cpus.len(), 1, engine, part);
            self.keep(done);
        }
        if let (Some(engine), Part::Operations(plan, client, inputs)) = (&self.profiled, part) {
            let (first, batch) = (&inputs[0].1, plan.batches[0]);
            eprintln!("2^{}: kernels", plan.params.log_n());
            let tables = measure::kernels(engine, client, first, batch, self.seconds);
            let done = tables.map(|tables| self.kernels.extend(tables));
            self.keep(done);
        }
        Ok(())
    }

    fn column<B: Backend>(
        &mut self,
        column: usize,
        threads: usize,
        engine: B,
        part: &Part,
    ) -> Result<()> {
        let gpu = self.gpu.clone().filter(|_| column == self.cpus.len());
        let (plan, client, inputs) = match part {
            Part::Operations(plan, client, inputs) => (plan, client, inputs),
            Part::Training(prepared) => {
                let options = Options::new().side_by_side(threads);
                let loaded = prepared.workload.load(engine, options)?;
                let case = cases::training(prepared, &loaded);
                return self.cases(column, &loaded.context, gpu.as_ref(), true, vec![case]);
            }
        };
        let server = Server::new(client, engine)?;
        let (context, gpu) = (&server.context, gpu.as_ref());
        let mut take = |list| self.cases(column, context, gpu, false, list);
        // One thread does a batch one by one.
        let one_by_one = threads == 1 && gpu.is_none();
        let batches = if one_by_one { 1 } else { plan.batches.len() };
        for &limbs in &plan.transforms {
            take(cases::transforms(context, limbs)?)?;
        }
        for (level, inputs) in inputs {
            take(cases::conversions(context, *level)?)?;
            for &batch in &plan.batches[..batches] {
                take(cases::scheme(&server.evaluator, inputs, batch)?)?;
            }
        }
        let log_n = plan.params.log_n();
        for mut transfer in transfers::between_host_and_engine(client, &server)? {
            eprintln!("2^{log_n}, {}: {}", self.names[column], transfer.name);
            self.transfers.push(Row {
                key: (transfer.name, log_n, 0, 0),
                facts: transfer.bytes.unwrap_or(0),
                engine: column,
                found: Timing::of_operation(&mut transfer, self.seconds)?.median,
            });
        }
        Ok(())
    }

    fn cases<B: Backend>(
        &mut self,
        column: usize,
        context: &Context<B>,
        gpu: Option<&GpuEngine>,
        training: bool,
        list: Vec<Case<'_>>,
    ) -> Result<()> {
        let seconds = if training { 8.0 } else { 1.0 } * self.seconds;
        for mut case in list {
            let key = (case.name, context.params().log_n(), case.limbs, case.batch);
            eprintln!(
                "2^{}, {}: {}, {} limbs, batch {}",
                key.1, self.names[column], key.0, key.2, key.3
            );
            self.rows.push(Row {
                key,
                facts: case.work,
                engine: column,
                found: measure(&mut case, context, gpu, training, seconds)?,
            });
        }
        Ok(())
    }
}
