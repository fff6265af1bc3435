//! A circuit with its inputs, what its outputs have to be, and what it costs.

use std::collections::BTreeMap;

use arras_hal::SecretEngine;
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Client, ColumnVector, EncodingUnit, Layout, Matrix, OpCount,
    Program, Recorded, Recorder, RotationSet, RowVector, Samples, Scalar, ScaleAndPrecision, Value,
};
use ndarray::{Array1, Array2};

use super::{Numbers, homomorphic, worst};

/// A circuit that is being recorded together with its inputs and what is expected of its outputs.
pub struct Building {
    pub recorder: Recorder,
    pub numbers: Numbers,
    inputs: Bindings<Value>,
    expected: BTreeMap<String, Value>,
}

impl Building {
    pub fn new(slots: usize, seed: u64) -> Self {
        let recorder = Recorder::new(slots).unwrap();
        // Entries are random: sums of them are far smaller than they could be.
        recorder.largest_value(400.0);
        Self {
            recorder,
            numbers: Numbers(seed),
            inputs: Bindings::new(),
            expected: BTreeMap::new(),
        }
    }

    /// An encrypted matrix of random entries.
    pub fn matrix(
        &mut self,
        name: &str,
        (rows, cols): (usize, usize),
        unit: EncodingUnit,
    ) -> (Matrix, Array2<f64>) {
        let value = self.numbers.matrix(rows, cols);
        self.bind(name, &value);
        (self.recorder.matrix(name, rows, cols, unit), value)
    }

    /// An encrypted row vector of random entries.
    pub fn row(&mut self, name: &str, len: usize, unit: EncodingUnit) -> (RowVector, Array1<f64>) {
        let value = self.numbers.vector(len);
        self.bind(name, &value);
        (self.recorder.row_vector(name, len, unit), value)
    }

    /// An encrypted column vector of random entries.
    pub fn column(
        &mut self,
        name: &str,
        len: usize,
        unit: EncodingUnit,
    ) -> (ColumnVector, Array1<f64>) {
        let value = self.numbers.vector(len);
        self.bind(name, &value);
        (self.recorder.column_vector(name, len, unit), value)
    }

    /// An encrypted number.
    pub fn scalar(&mut self, name: &str) -> (Scalar, f64) {
        let value = self.numbers.next();
        self.bind(name, value);
        (self.recorder.scalar(name), value)
    }

    /// The value of an input.
    pub fn bind(&mut self, name: &str, value: impl Into<Value>) {
        self.inputs.insert(name, value);
    }

    /// Names an output and says what it has to be.
    pub fn expect(&mut self, name: &str, result: &impl Recorded, value: impl Into<Value>) {
        self.recorder.output(name, result);
        self.expected.insert(name.into(), value.into());
    }

    pub fn finish(self) -> Case {
        Case {
            circuit: self.recorder.finish().unwrap(),
            inputs: self.inputs,
            expected: self.expected,
            tolerance: 1e-9,
        }
    }
}

/// The tolerance of what only moves entries: they come out to the bit.
pub const NOTHING: f64 = f64::MIN_POSITIVE;

/// Runs cases on plaintext slots: each costs what is said of it.
macro_rules! costs {
    ($($case:expr => $cost:expr;)+) => {$(
        assert_eq!($case.in_plaintext(), $cost, stringify!($case));
    )+};
}
pub(crate) use costs;

/// What a circuit costs: levels, rotations of ciphertexts, rotation keys, products of a ciphertext with a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub levels: usize,
    pub rotations: usize,
    pub keys: usize,
    pub constants: usize,
}

pub fn cost(levels: usize, rotations: usize, keys: usize, constants: usize) -> Cost {
    Cost {
        levels,
        rotations,
        keys,
        constants,
    }
}

impl Cost {
    pub fn of(program: &Program) -> Self {
        let count = OpCount::of(program);
        Self {
            levels: program.levels_needed(),
            rotations: count.rotations(),
            keys: RotationSet::of(program).len(),
            constants: count.plaintext_products(),
        }
    }
}

/// A recorded circuit, its inputs and its outputs.
pub struct Case {
    pub circuit: Circuit,
    pub inputs: Bindings<Value>,
    pub expected: BTreeMap<String, Value>,
    tolerance: f64,
}

impl Case {
    /// Records with inputs of these names and values; the result of `record` is the output "out".
    pub fn new<T: Recorded>(
        slots: usize,
        inputs: &[(&str, Value)],
        expected: impl Into<Value>,
        record: impl FnOnce(&Recorder) -> T,
    ) -> Self {
        let mut case = Building::new(slots, 0);
        for (name, value) in inputs {
            case.bind(name, value.clone());
        }
        let result = record(&case.recorder);
        case.expect("out", &result, expected);
        case.finish()
    }

    /// How far outputs of a plaintext run may be off.
    pub fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Runs it on plaintext slots: the outputs are as expected and nothing but their entries is in their slots.
    pub fn in_plaintext(&self) -> Cost {
        let program = Program::new(self.circuit.clone());
        let run = Cleartext::run(&program, &self.inputs).unwrap();
        assert_eq!(run.outputs.len(), self.expected.len());
        for (name, expected) in &self.expected {
            let layout = self.circuit.output(name).unwrap().layout();
            let error = worst(&run.outputs[name], expected);
            assert!(
                error < self.tolerance,
                "{name}, a {layout}, is off by {error}"
            );
            assert_clean(name, layout, &run.slots[name], expected, self.tolerance);
        }
        Cost::of(&program)
    }

    /// Runs it on plaintext slots and on ciphertexts of a client's engine: outputs are off by less than `tolerance`.
    pub fn on<S: SecretEngine>(&self, client: &Client<S>, tolerance: f64) {
        self.in_plaintext();
        self.on_ciphertexts(client, |_| tolerance);
    }

    /// Runs it on ciphertexts of a client's engine, where slots outside of the entries may hold anything: outputs are off by less
    /// than what `tolerance` says for their names.
    pub fn on_ciphertexts<S: SecretEngine>(
        &self,
        client: &Client<S>,
        tolerance: impl Fn(&str) -> f64,
    ) {
        let program = Program::new(self.circuit.clone());
        let sent = client.encrypt_inputs(&program, &self.inputs).unwrap();
        let inputs = sent.expand(client.context()).unwrap();
        let run = homomorphic(client, &program).run(&program, &inputs);
        let outputs = run.unwrap().outputs;
        assert_eq!(outputs.len(), self.expected.len());
        for (name, expected) in &self.expected {
            let layout = self.circuit.output(name).unwrap().layout();
            let found = client.decrypt(&outputs[name]).unwrap();
            let (error, most) = (worst(&found, expected), tolerance(name));
            assert!(
                error < most,
                "{name}, a {layout}, is off by {error:e}, at most {most:e}"
            );
        }
    }

    /// Runs it on plaintext slots and on ciphertexts of a client's engine: outputs are off by no more than is predicted for
    /// these inputs, to one bit.
    pub fn as_predicted<S: SecretEngine>(&self, client: &Client<S>) {
        let program = Program::new(self.circuit.clone());
        let samples = Samples::given(self.inputs.clone());
        let predicted = ScaleAndPrecision::new(client.context().params(), samples)
            .predict(&program)
            .unwrap();
        assert!(predicted.exceeded().is_none(), "{predicted}");
        self.in_plaintext();
        self.on_ciphertexts(client, |name| {
            2.0 * predicted.output(name).unwrap().worst_error
        });
    }
}

/// A case with one encrypted matrix "a".
pub fn with_matrix<T: Recorded>(
    a: &Array2<f64>,
    unit: EncodingUnit,
    expected: impl Into<Value>,
    op: impl Fn(&Matrix) -> T,
) -> Case {
    Case::new(unit.slots(), &[("a", a.into())], expected, |recorder| {
        let matrix = recorder.matrix("a", a.nrows(), a.ncols(), unit);
        recorder.assume(&matrix, a.iter().fold(1.0, |m: f64, x| m.max(x.abs())));
        op(&matrix)
    })
}

/// Slots of an output hold its entries, repeated as its layout says, and exact zeros elsewhere.
fn assert_clean(name: &str, layout: &Layout, slots: &[Vec<f64>], expected: &Value, tolerance: f64) {
    let ones = match expected {
        Value::Matrix(m) => Value::Matrix(Array2::ones(m.dim())),
        Value::Vector(v) => Value::Vector(Array1::ones(v.len())),
        other => other.clone(),
    };
    let inside = layout.pack(name, &ones).unwrap().concat();
    let packed = layout.pack(name, expected).unwrap().concat();
    let found = slots.concat();
    assert_eq!(found.len(), packed.len(), "{name}, a {layout}");
    for (j, &found) in found.iter().enumerate() {
        let (clean, inside) = (packed[j], inside[j] != 0.0);
        assert!(
            (found - clean).abs() < tolerance.min(1e-9) && (inside || found == 0.0),
            "{name}, a {layout}: slot {j} is {found}, not {clean}"
        );
    }
}

#[test]
#[should_panic(expected = "slot 5 is 0.000001")]
fn a_number_in_the_padding_is_seen() {
    let unit = arras_toolkit::EncodingUnit::new(4, 8).unwrap();
    let mut slots = vec![0.0; 32];
    slots[5] = 1e-6;
    let zeros = Array2::zeros((4, 5)).into();
    assert_clean("x", &Layout::matrix(4, 5, unit), &[slots], &zeros, 1e-9);
}
