//! Training on the device: the client's side on the CPU engine, the server's side on both engines, the same ciphertext bytes of
//! the weights.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::common::{engines, parameters};
use arras_backend_cpu::CpuEngine;
use arras_backend_gpu::GpuOptions;
use arras_ckks::{
    Ciphertext, Context, EvaluationKeySet, Evaluator, Parameters,
    params::Security,
    wire::{AtomicFile, Overwrite},
};
use arras_hal::Backend;
use arras_toolkit::{
    Bindings, Cleartext, Encrypted, Homomorphic, Program, SeededEncrypted, Value,
    conformance::party, plan::KeyRequests, run::Options,
};
use lr_train::{
    circuits::{Kind, Results, Spec, TrainingCircuit},
    data::builtin,
    plain::{Examples, Rate},
    preprocess::{Preprocessor, Scheme},
    trainer::{
        DataOwner, PlannerOptions, Settings, TrainingServer,
        files::{DatasetFile, KeyDirectory, load_evaluation, save_result, write_dataset},
        plan,
    },
};
use ndarray::Array2;

const LOG_N: u32 = 10;
const FEATURES: usize = 9;
const ROWS: usize = 8;
const ITERATIONS: usize = 2;

fn circuit(kind: Kind) -> TrainingCircuit {
    let steps = Spec::nesterov_steps(&Rate::Constant(1.0), ROWS, 0, ITERATIONS).unwrap();
    let spec = Spec::new(kind, 1 << (LOG_N - 1), FEATURES, ROWS, steps)
        .results(Results::State)
        .summing(arras_toolkit::circuit::Summing::Fours);
    TrainingCircuit::record(spec).unwrap()
}

/// The outputs of a training run on an engine.
fn train<B: Backend>(
    engine: B,
    program: &Program,
    params: &Parameters,
    keys: &EvaluationKeySet,
    data: &Bindings<SeededEncrypted>,
) -> BTreeMap<String, Encrypted<B>> {
    let context = Context::new(params, engine).unwrap();
    let evaluator = Evaluator::new(&context, keys.load(&context).unwrap()).unwrap();
    let inputs = data.expand(&context).unwrap();
    Homomorphic::with_options(evaluator, Options::new())
        .run(program, &inputs)
        .unwrap()
        .outputs
}

#[test]
fn training_gives_the_same_ciphertexts_as_the_cpu_engine() {
    let devices = engines();
    if devices.is_empty() {
        return;
    }
    let mut words = crate::common::Words::new(7);
    let minibatches: Vec<Examples> = (0..ITERATIONS)
        .map(|_| {
            Array2::from_shape_simple_fn((ROWS, FEATURES), || {
                words.next() as i64 as f64 / (1u64 << 63) as f64
            })
            .into()
        })
        .collect();
    for kind in Kind::ALL {
        let circuit = circuit(kind);
        let program = Program::new(circuit.circuit().clone());
        let params = parameters(LOG_N, program.levels_needed());
        let client = party::client(&params, CpuEngine::new(), 1).unwrap();
        let keys = party::keys(&client, &KeyRequests::of(&program), 1).unwrap();
        let values = circuit.inputs(&minibatches, None).unwrap();
        let data = client.encrypt_inputs(&program, &values).unwrap();

        let expected = train(CpuEngine::new(), &program, &params, &keys, &data);
        let bytes: BTreeMap<&str, Vec<u8>> = expected
            .iter()
            .map(|(name, out)| (name.as_str(), out.ciphertext().to_bytes().unwrap()))
            .collect();
        for (index, device) in devices.iter().enumerate() {
            let got = train(device.clone(), &program, &params, &keys, &data);
            assert_eq!(got.len(), bytes.len());
            for (output, encrypted) in &got {
                assert!(
                    encrypted.ciphertext().to_bytes().unwrap() == bytes[output.as_str()],
                    "{kind} on device {index}: {output} differs from the CPU engine's"
                );
            }
        }

        // The bytes are right, not only equal.
        let twin = Cleartext::run(&program, &values).unwrap();
        let (twin, _) = circuit.weights(|name| twin.outputs.get(name)).unwrap();
        let outputs: BTreeMap<String, Value> = expected
            .iter()
            .map(|(name, out)| {
                let moved = Ciphertext::from_bytes(&bytes[name.as_str()], client.context());
                let moved = moved.unwrap();
                let moved = Encrypted::new(*out.layout(), moved).unwrap();
                (name.clone(), client.decrypt(&moved).unwrap())
            })
            .collect();
        let (weights, _) = circuit.weights(|name| outputs.get(name)).unwrap();
        for (w, expected) in weights.iter().zip(&twin) {
            approx::assert_abs_diff_eq!(w, expected, epsilon = 1e-4);
        }
    }
}

/// Bytes of a run's result, in a file; on an error there is no file.
fn train_to_file<B: Backend>(
    engine: B,
    keys: &KeyDirectory,
    data: &Path,
    out: &Path,
    options: Options,
) -> lr_train::Result<Vec<u8>> {
    let (plan, keys) = load_evaluation(&keys.evaluation(), true)?;
    let data = DatasetFile::open(data, &plan, keys.id())?;
    let server = TrainingServer::new(plan, keys, engine, options)?;
    let result = server.train(&data.round(0)?, None)?;
    let file = AtomicFile::create(out, Overwrite::Refuse)?;
    save_result(server.plan(), &result, file)?;
    Ok(std::fs::read(out).unwrap())
}

#[test]
fn a_device_lost_while_it_trains_leaves_files_intact_and_another_engine_takes_over() {
    let options = GpuOptions::default();
    let Some(device) = crate::common::engine(&options) else {
        return;
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lost-device");
    let _ = std::fs::remove_dir_all(&folder);
    let planner = PlannerOptions::new()
        .log_n(LOG_N..=LOG_N)
        .security(Security::InsecureForTests);
    let dataset = builtin::breast_cancer().unwrap();
    // Every 30th row: both classes.
    let dataset = dataset
        .select(&(0..16).map(|k| 30 * k).collect::<Vec<_>>())
        .unwrap();
    let features = Preprocessor::fit(&dataset, Scheme::MaxAbs)
        .unwrap()
        .features()
        + 1;
    let settings = Settings::new(8, 2).circuit(Kind::Baseline);
    let (plan, _) = plan(&settings, features, dataset.rows(), &planner).unwrap();
    let (owner, set) = DataOwner::generate(plan, CpuEngine::new()).unwrap();
    let keys = KeyDirectory::new(&folder).allowing_insecure();
    let claim = keys.claim(Overwrite::Refuse).unwrap();
    claim.save(&owner, &set).unwrap();
    let data = folder.join("data.arras");
    let prepared = owner.prepare(&dataset, Scheme::MaxAbs).unwrap();
    let file = AtomicFile::create(&data, Overwrite::Refuse).unwrap();
    write_dataset(&owner, &prepared, file, |_| {}).unwrap();
    let out = folder.join("result.arras");
    let inputs = [
        data.clone(),
        keys.evaluation().join("evaluation-keys.arras"),
    ]
    .map(|path| (std::fs::read(&path).unwrap(), path));

    // Half of the steps are done when the device goes.
    let victim = device.clone();
    let destroy = Options::new().on_progress(move |at| {
        if at.done >= at.total / 2 {
            victim.destroy_device();
        }
    });
    let lost = train_to_file(device, &keys, &data, &out, destroy).unwrap_err();
    let message = lost.to_string();
    assert!(
        message.contains("device error") && message.contains("make a new engine"),
        "{message}"
    );

    // A device that is too small for the keys.
    let small = GpuOptions {
        memory_limit: Some(1 << 20),
        ..options
    };
    let small = crate::common::engine(&small).unwrap();
    let refused = train_to_file(small, &keys, &data, &out, Options::new()).unwrap_err();
    let message = refused.to_string();
    assert!(message.contains("available"), "{message}");

    assert!(!out.exists());
    for (bytes, path) in &inputs {
        assert!(std::fs::read(path).unwrap() == *bytes, "{}", path.display());
    }
    let on_cpu = train_to_file(CpuEngine::new(), &keys, &data, &out, Options::new()).unwrap();
    let again = folder.join("again.arras");
    for engine in engines() {
        let on_device = train_to_file(engine, &keys, &data, &again, Options::new()).unwrap();
        assert!(on_device == on_cpu);
        std::fs::remove_file(&again).unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
