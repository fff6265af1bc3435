//! A circuit with its inputs and what its outputs have to be.

use std::collections::BTreeMap;

use arras_hal::SecretEngine;
use arras_toolkit::{
    Bindings, Circuit, Cleartext, Client, Layout, Program, Recorded, Recorder, Samples,
    ScaleAndPrecision, Value, run::Options,
};

use super::{Numbers, run, worst};

/// A circuit that is being recorded together with its inputs and what is expected of its outputs.
pub struct Building {
    pub recorder: Recorder,
    pub numbers: Numbers,
    inputs: Bindings<Value>,
    expected: BTreeMap<String, Value>,
}

impl Building {
    pub fn new(slots: usize, seed: u64) -> Self {
        Self {
            recorder: Recorder::new(slots).unwrap(),
            numbers: Numbers(seed),
            inputs: Bindings::new(),
            expected: BTreeMap::new(),
        }
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
        }
    }
}

/// A recorded circuit, its inputs and its outputs.
pub struct Case {
    pub circuit: Circuit,
    pub inputs: Bindings<Value>,
    pub expected: BTreeMap<String, Value>,
}

impl Case {
    /// Runs it on plaintext slots: the outputs are as expected and nothing but their entries is in their slots.
    pub fn in_plaintext(&self) {
        let program = Program::new(self.circuit.clone());
        let run = Cleartext::run(&program, &self.inputs).unwrap();
        assert_eq!(run.outputs.len(), self.expected.len());
        for (name, expected) in &self.expected {
            let layout = self.circuit.output(name).unwrap().layout();
            let error = worst(&run.outputs[name], expected);
            assert!(error < 1e-9, "{name}, a {layout}, is off by {error}");
            assert_clean(name, layout, &run.slots[name]);
        }
    }

    /// Runs it on plaintext slots and on ciphertexts of a client's engine: outputs are off by less than `tolerance`.
    pub fn on<S: SecretEngine>(&self, client: &Client<S>, tolerance: f64) {
        self.in_plaintext();
        let out = run(client, self.circuit.clone(), &self.inputs, Options::new());
        for (name, expected) in &self.expected {
            let layout = self.circuit.output(name).unwrap().layout();
            let error = worst(&out.outputs[name], expected);
            assert!(error < tolerance, "{name}, a {layout}, is off by {error}");
        }
    }
}

impl Case {
    /// Runs it on plaintext slots and on ciphertexts of a client's engine: outputs are off by no more than is predicted for
    /// these inputs, to one bit.
    pub fn as_predicted<S: SecretEngine>(&self, client: &Client<S>) {
        self.in_plaintext();
        let program = Program::new(self.circuit.clone());
        let samples = Samples::given(self.inputs.clone());
        let predicted = ScaleAndPrecision::new(client.context().params(), samples)
            .predict(&program)
            .unwrap();
        assert!(predicted.exceeded().is_none(), "{predicted}");
        let out = run(client, self.circuit.clone(), &self.inputs, Options::new());
        assert_eq!(out.outputs.len(), self.expected.len());
        for (name, expected) in &self.expected {
            let layout = self.circuit.output(name).unwrap().layout();
            let error = worst(&out.outputs[name], expected);
            let worst = predicted.output(name).unwrap().worst_error;
            assert!(
                error <= 2.0 * worst,
                "{name}, a {layout}, is off by {error:e}, predicted {worst:e}"
            );
        }
    }
}

/// Slots of an output hold its entries, repeated as its layout says, and zeros elsewhere.
pub fn assert_clean(name: &str, layout: &Layout, slots: &[Vec<f64>]) {
    let value = layout.unpack(name, slots).unwrap();
    let packed = layout.pack(name, &value).unwrap();
    for (u, (found, clean)) in slots.iter().zip(&packed).enumerate() {
        for (j, (found, clean)) in found.iter().zip(clean).enumerate() {
            assert!(
                (found - clean).abs() < 1e-9,
                "{name}, a {layout}: slot {j} of ciphertext {u} is {found}, not {clean}"
            );
        }
    }
}

#[test]
#[should_panic(expected = "slot 5 of ciphertext 0")]
fn a_number_in_the_padding_is_seen() {
    let unit = arras_toolkit::EncodingUnit::new(4, 8).unwrap();
    let mut slots = vec![0.0; 32];
    slots[5] = 1e-6;
    assert_clean("x", &Layout::matrix(4, 5, unit), &[slots]);
}
