//! A circuit with one output "out", its inputs, what it should give and what it costs.

use arras_hal::SecretEngine;
use arras_toolkit::{
    Bindings, Cleartext, Client, OpCount, Program, Recorder, RotationSet, Value, circuit::Circuit,
    run::Options,
};

use super::{run, worst};

pub struct Case {
    pub circuit: Circuit,
    pub inputs: Bindings<Value>,
    pub expected: Value,
}

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

impl Case {
    /// Records with inputs of these names and values; the result of `record` goes to the output "out".
    pub fn new(
        slots: usize,
        inputs: &[(&str, Value)],
        expected: impl Into<Value>,
        record: impl FnOnce(&Recorder),
    ) -> Self {
        let recorder = Recorder::new(slots).unwrap();
        record(&recorder);
        let mut bindings = Bindings::new();
        for (name, value) in inputs {
            bindings = bindings.with(*name, value.clone());
        }
        Self {
            circuit: recorder.finish().unwrap(),
            inputs: bindings,
            expected: expected.into(),
        }
    }

    /// Compares the plaintext run with what is expected, and every slot with the encoding of that: entries where they belong
    /// and repeated, zeros elsewhere.
    pub fn in_plaintext(&self) -> Cost {
        let program = Program::new(self.circuit.clone());
        let run = Cleartext::run(&program, &self.inputs).unwrap();
        let layout = *self.circuit.output("out").unwrap().layout();
        let difference = worst(&run.outputs["out"], &self.expected);
        assert!(difference < 1e-9, "{layout}: {difference}");
        let slots = layout.pack("out", &self.expected).unwrap();
        let difference = worst(&run.slots["out"].clone().into(), &slots.into());
        assert!(difference < 1e-9, "slots of {layout}: {difference}");
        count(&program)
    }

    /// The same, and on ciphertexts.
    pub fn on_ciphertexts<S: SecretEngine>(self, client: &Client<S>, tolerance: f64) -> Cost {
        let cost = self.in_plaintext();
        let out = run(client, self.circuit, &self.inputs, Options::new());
        let difference = worst(&out.outputs["out"], &self.expected);
        assert!(difference < tolerance, "{difference} of {tolerance}");
        cost
    }
}

pub fn count(program: &Program) -> Cost {
    let count = OpCount::of(program);
    Cost {
        levels: program.levels_needed(),
        rotations: count.rotations(),
        keys: RotationSet::of(program).len(),
        constants: count.plaintext_products(),
    }
}
