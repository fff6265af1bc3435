//! A recorded training circuit with what its client needs: how to pack inputs and read results.

use std::collections::BTreeMap;

use arras_toolkit::{Bindings, Circuit, EncodingUnit, Layout, Recorder, Value};
use ndarray::{Array1, Axis};

use super::{
    CircuitError, Geometry, Kind, Results, Spec,
    activation::Activation,
    low_depth,
    pack::{self, Packed},
    recording::{Inputs, Recording, of_chain},
    sequential, single_chain,
};
use crate::{
    Result,
    data::DataError,
    plain::{Examples, State, chain_range},
};

/// A training circuit with the packing of its inputs and results.
#[derive(Clone, Debug)]
pub struct TrainingCircuit {
    spec: Spec,
    geometry: Geometry,
    circuit: Circuit,
    contents: Vec<(String, Packed)>,
}

/// What weights, gradients and what they are sums of are assumed not to exceed in magnitude, and inputs do not: below 2^8.7, what level 0
/// holds at 38.8 bits per level. A model with larger weights is none: the plan's run in the clear and the client's checks of results say so.
pub const LARGEST_VALUE: f64 = 400.0;

const PARTS: [&str; 4] = ["w column", "w row", "previous column", "previous row"];

impl TrainingCircuit {
    /// Records the circuit of a specification.
    ///
    /// # Errors
    /// [`FitError::Hyperparameter`](crate::plain::FitError::Hyperparameter), [`CircuitError::MinibatchTooLarge`]; the toolkit's.
    pub fn record(spec: Spec) -> Result<Self> {
        spec.check()?;
        let geometry = Geometry::choose(spec.kind, spec.slots, spec.features, spec.minibatch)?;
        EncodingUnit::new(geometry.m, geometry.n)?;
        let recorder = Recorder::new(spec.slots)?.summing(spec.summing);
        recorder.largest_value(LARGEST_VALUE);
        let recording = Recording {
            spec: &spec,
            geometry: &geometry,
            activation: Activation::new(&spec.activation)?,
        };
        let mut inputs = Inputs::new(&recorder, &spec, &geometry);
        let record = match spec.kind {
            Kind::Baseline | Kind::MaskFree => sequential::record,
            Kind::LowDepth => low_depth::record,
            Kind::SingleChain | Kind::SingleChainMaskFree => single_chain::record,
        };
        let wanted = match spec.results {
            Results::Model => 2,
            Results::State => 4,
        };
        for chain in 0..spec.chains {
            inputs.of_chain(chain);
            let parts = record(&recording, &mut inputs);
            for (name, part) in PARTS.iter().zip(parts).take(wanted) {
                if let Some(part) = part {
                    recorder.output(&of_chain((*name).to_owned(), chain), &part);
                }
            }
        }
        let contents = inputs.into_contents();
        let circuit = recorder.finish()?;
        Ok(Self {
            spec,
            geometry,
            circuit,
            contents,
        })
    }

    /// What it was recorded for.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The circuit.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// The slots of every input that the circuit uses, from each iteration's minibatch, its rows signed or with constants as the
    /// specification says, and, for circuits with an
    /// encrypted start, the state to go on from.
    ///
    /// # Errors
    /// [`DataError::Length`] for another number of minibatches, more rows or another number of columns than the circuit was
    /// recorded for, a missing or needless start.
    pub fn inputs(
        &self,
        minibatches: &[Examples],
        start: Option<&State>,
    ) -> Result<Bindings<Value>> {
        pack::check(&self.spec, minibatches, start)?;
        self.packed(|_| true, minibatches, start)
    }

    /// The inputs that hold the state to start from; none for a circuit that starts from zero.
    ///
    /// # Errors
    /// [`DataError::Length`] for weights of another length.
    pub fn start_inputs(&self, start: &State) -> Result<Bindings<Value>> {
        pack::check_start(&self.spec, start)?;
        self.packed(Packed::is_start, &[], Some(start))
    }

    /// Names of the inputs that the circuit uses: those of data, and those of the state to start from.
    pub fn input_names(&self) -> (Vec<&str>, Vec<&str>) {
        let names = |start| {
            let inputs = self.used().filter(move |(_, of)| of.is_start() == start);
            inputs.map(|(name, _)| name).collect()
        };
        (names(false), names(true))
    }

    /// One input that holds data.
    pub(crate) fn data_input(&self, name: &str, minibatches: &[Examples]) -> Result<Value> {
        let mut all = self.used().filter(|(_, content)| !content.is_start());
        match all.find(|(known, _)| *known == name) {
            Some((_, content)) => self.pack(content, minibatches, None),
            None => Err(CircuitError::MissingResult { name: name.into() }.into()),
        }
    }

    /// The inputs that the circuit uses, with what they hold.
    fn used(&self) -> impl Iterator<Item = (&str, Packed)> {
        let used = self.circuit.input_levels();
        let is_used = move |name: &str| used.get(name).copied().flatten().is_some();
        let all = self.contents.iter().map(|(name, what)| (&**name, *what));
        all.filter(move |(name, _)| is_used(name))
    }

    /// What of the used inputs is wanted, packed.
    fn packed(
        &self,
        wanted: impl Fn(Packed) -> bool,
        minibatches: &[Examples],
        start: Option<&State>,
    ) -> Result<Bindings<Value>> {
        self.used()
            .filter(|(_, content)| wanted(*content))
            .map(|(name, content)| Ok((name.to_owned(), self.pack(content, minibatches, start)?)))
            .collect()
    }

    fn pack(
        &self,
        content: Packed,
        minibatches: &[Examples],
        start: Option<&State>,
    ) -> Result<Value> {
        let slots = content.pack(&self.spec, &self.geometry, minibatches, start)?;
        Ok(Value::Slots(slots))
    }

    /// The weights, and those before the last iteration if the circuit returns a state, from its decrypted outputs by name. Those of several
    /// trainings side by side follow each other.
    ///
    /// # Errors
    /// The toolkit's for outputs that are missing or of another shape.
    pub fn weights<'v>(
        &self,
        output: impl Fn(&str) -> Option<&'v Value>,
    ) -> Result<(Array1<f64>, Option<Array1<f64>>)> {
        let (features, chains) = (self.spec.features, self.spec.chains);
        let mut sums = [(); 2].map(|()| Array1::zeros(features * chains));
        let mut positions = BTreeMap::new();
        for chain in 0..chains {
            for (position, name) in PARTS.iter().enumerate() {
                positions.insert(of_chain((*name).to_owned(), chain), (chain, position));
            }
        }
        for out in self.circuit.outputs() {
            let position = positions.get(out.name()).copied();
            let (Some((chain, position)), Some(Value::Slots(slots))) =
                (position, output(out.name()))
            else {
                return Err(CircuitError::MissingResult {
                    name: out.name().to_owned(),
                }
                .into());
            };
            let shape = Layout::Slots {
                units: slots.len(),
                slots: slots.first().map_or(0, Vec::len),
            };
            if shape != *out.layout() {
                let (found, expected) = (slots.len(), out.layout().units());
                return Err(DataError::Length {
                    op: "weights",
                    what: "ciphertexts of a result",
                    found,
                    expected,
                }
                .into());
            }
            let part = pack::unpack_weights(&self.geometry, slots, features, position % 2 == 1);
            let mut own = sums[position / 2].slice_axis_mut(Axis(0), chain_range(chain, features));
            own += &part;
        }
        let [weights, previous] = sums;
        let state = self.spec.results == Results::State;
        Ok((weights, state.then_some(previous)))
    }
}
