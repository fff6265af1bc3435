//! The client of the suite, on the reference engine, and the outputs that engines are held against.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use arras_ckks::{Context, EvaluationKeySet, Evaluator, Parameters};
use arras_hal::{Backend, Reference};

use super::{
    Operations, party,
    sheet::{SIZES, Sheet},
};
use crate::{
    Bindings, Cleartext, Client, Encrypted, Homomorphic, Program, Result, Samples,
    ScaleAndPrecision, SeededEncrypted, Value,
    plan::KeyRequests,
    run::{Batching, Options},
};

const LOG_N: u32 = 8;
const SEED: u8 = 0x71;

/// How every circuit is run on the engine under test.
const RUNS: [(Batching, usize); 4] = [
    (Batching::Waves, 1),
    (Batching::Waves, 2),
    (Batching::Off, 1),
    (Batching::Off, 2),
];

/// A list of operations with what its client sends, and what a server has to send back.
pub(super) struct Fixture {
    params: Parameters,
    cases: Vec<Case>,
}

struct Case {
    size: (usize, usize),
    program: Program,
    keys: EvaluationKeySet,
    sent: Bindings<SeededEncrypted>,
    /// Bytes of the outputs' ciphertexts.
    expected: BTreeMap<String, Vec<u8>>,
}

/// The fixture of a list of operations, made once per process.
pub(super) fn of(name: &'static str, operations: Operations) -> Arc<Fixture> {
    type Cell = Arc<OnceLock<Arc<Fixture>>>;
    static FIXTURES: Mutex<BTreeMap<&'static str, Cell>> = Mutex::new(BTreeMap::new());
    let cell = {
        let mut fixtures = FIXTURES.lock().unwrap_or_else(PoisonError::into_inner);
        fixtures.entry(name).or_default().clone()
    };
    cell.get_or_init(|| {
        let fixture = Fixture::make(name, operations);
        Arc::new(fixture.unwrap_or_else(|error| panic!("{name} on the reference engine: {error}")))
    })
    .clone()
}

impl Fixture {
    fn make(name: &str, operations: Operations) -> Result<Self> {
        let mut recorded = vec![];
        for size in SIZES {
            let sheet = Sheet::new(size)?;
            operations(&sheet);
            let (circuit, inputs) = sheet.finish()?;
            recorded.push((size, Program::new(circuit), inputs));
        }
        let levels = recorded.iter().map(|(_, p, _)| p.levels_needed()).max();
        let params = party::insecure(LOG_N, levels.unwrap_or(0).max(1))?;
        let client = party::client(&params, Reference::new(), SEED)?;
        let mut cases = vec![];
        for (size, program, inputs) in recorded {
            let keys = party::keys(&client, &KeyRequests::of(&program), SEED)?;
            let sent = client.encrypt_inputs(&program, &inputs)?;
            let mut case = Case {
                size,
                program,
                keys,
                sent,
                expected: BTreeMap::new(),
            };
            let outputs = case.run(client.context(), Batching::Waves, 1)?;
            case.within_prediction(name, &params, &client, &inputs, &outputs)?;
            for (output, encrypted) in &outputs {
                let bytes = encrypted.ciphertext().to_bytes()?;
                case.expected.insert(output.clone(), bytes);
            }
            cases.push(case);
        }
        Ok(Self { params, cases })
    }

    /// Runs all circuits on an engine, in every way.
    pub(super) fn check<B: Backend>(&self, name: &str, engine: B) {
        let label = engine.name();
        let context = Context::new(&self.params, engine)
            .unwrap_or_else(|error| panic!("{name} on {label}: {error}"));
        for case in &self.cases {
            let (rows, cols) = case.size;
            for (batching, side_by_side) in RUNS {
                let title = format!(
                    "{name} of {rows}x{cols} on {label} ({batching:?}, {side_by_side} side by side)"
                );
                let outputs = case
                    .run(&context, batching, side_by_side)
                    .unwrap_or_else(|error| panic!("{title}: {error}"));
                assert_eq!(outputs.len(), case.expected.len(), "{title}: outputs");
                for (output, encrypted) in &outputs {
                    let bytes = encrypted
                        .ciphertext()
                        .to_bytes()
                        .unwrap_or_else(|error| panic!("{title}: {output}: {error}"));
                    assert!(
                        bytes == case.expected[output],
                        "{title}: {output} differs from the reference engine's"
                    );
                }
            }
        }
    }
}

impl Case {
    fn run<B: Backend>(
        &self,
        context: &Context<B>,
        batching: Batching,
        side_by_side: usize,
    ) -> Result<BTreeMap<String, Encrypted<B>>> {
        let evaluator = Evaluator::new(context, self.keys.load(context)?)?;
        let inputs = self.sent.expand(context)?;
        let options = Options::new().batching(batching).side_by_side(side_by_side);
        let run = Homomorphic::with_options(evaluator, options).run(&self.program, &inputs)?;
        Ok(run.outputs)
    }

    /// Outputs decrypt to what the plaintext run gives, up to twice the predicted error.
    fn within_prediction(
        &self,
        name: &str,
        params: &Parameters,
        client: &Client<Reference>,
        inputs: &Bindings<Value>,
        outputs: &BTreeMap<String, Encrypted<Reference>>,
    ) -> Result<()> {
        let exact = Cleartext::run(&self.program, inputs)?.outputs;
        let predicted = ScaleAndPrecision::new(params, Samples::given(inputs.clone()))
            .predict(&self.program)?;
        let (rows, cols) = self.size;
        if let Some(magnitude) = predicted.exceeded() {
            panic!("{name} of {rows}x{cols}: {magnitude}");
        }
        for (output, encrypted) in outputs {
            let found = client.decrypt(encrypted)?.entries();
            let exact = exact[output].entries();
            assert_eq!(
                found.len(),
                exact.len(),
                "{name} of {rows}x{cols}: {output}"
            );
            let differences = found.iter().zip(&exact).map(|(a, b)| (a - b).abs());
            let error = differences.fold(0.0, f64::max);
            let worst = predicted.outputs()[output].worst_error;
            assert!(
                found.iter().all(|x| x.is_finite()) && error <= 2.0 * worst,
                "{name} of {rows}x{cols}: {output} is off by {error:e}, predicted {worst:e}"
            );
        }
        Ok(())
    }
}
