//! Recording.

use std::{
    collections::HashMap,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Assumption, Input, Node, NodeId, Op, Operation, OperationId, Output, Plain, PlainId};
use arras_hal::Named;

use crate::{Circuit, EncodingUnit, Layout, Result, Slots, ToolkitError, ToolkitErrorKind};

/// Records a circuit. Handles made by it refer to it; the first error of any operation is kept and returned by
/// [`Recorder::finish`] with the place in the source where it was recorded.
#[derive(Clone, Debug)]
pub struct Recorder {
    pub(super) state: Arc<Mutex<State>>,
    slots: usize,
    summing: Summing,
}

/// How [`Slots::rotate_and_sum`] adds up 2^k rotations, and with it every sum of rows or columns.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Summing {
    /// By doubling: k rotations one after the other, k keys.
    #[default]
    Doubling,
    /// Four at a time: half as many steps, each the sum of three rotations that share their decomposition and their division by P. Half
    /// as many keys more, and faster where a sum of rotations costs less than one after the other.
    Fours,
    /// Up to eight at a time, in as few steps as that allows and as equal ones: k = 8 as 8, 8 and 4 slots. More keys again, and faster
    /// where a further rotation of a sum costs less than a fifth of what the sum costs before any.
    Eights,
}

impl Summing {
    /// All of them, that with the fewest keys first.
    pub const ALL: [Self; 3] = [Self::Doubling, Self::Fours, Self::Eights];

    /// In words: how sums of rotations are added up.
    pub fn name(self) -> &'static str {
        match self {
            Self::Doubling => "by doubling",
            Self::Fours => "four at a time",
            Self::Eights => "eight at a time",
        }
    }

    /// How many of `strides` doublings each step takes, in their order.
    pub(super) fn steps(self, strides: usize) -> impl Iterator<Item = usize> {
        let most = match self {
            Self::Doubling => 1,
            Self::Fours => 2,
            Self::Eights => 3,
        };
        let steps = strides.div_ceil(most);
        // Fours keep to pairs, with what is left last, so that sums of different lengths share their keys.
        let even = self == Self::Eights;
        (0..steps).map(move |i| {
            if even {
                strides / steps + usize::from(i < strides % steps)
            } else {
                most.min(strides - most * i)
            }
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    nodes: Vec<Node>,
    operations: Vec<Operation>,
    plains: Vec<Plain>,
    plain_ids: HashMap<Vec<u64>, PlainId>,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// What is assumed of all values at level 0.
    largest: Option<Assumption>,
    error: Option<ToolkitError>,
    /// Operations being recorded, the outermost first: nodes belong to that one.
    open: Vec<OperationId>,
    /// Paths of the open sections, each with that of the one around it.
    sections: Vec<Arc<str>>,
}

/// A part of a circuit that is open until this is dropped: see [`Recorder::section`].
#[must_use = "a section ends when this is dropped"]
#[derive(Debug)]
pub struct Section {
    recorder: Recorder,
    outside: usize,
}

impl Drop for Section {
    fn drop(&mut self) {
        // Also ends sections inside it that are still open.
        self.recorder.lock().sections.truncate(self.outside);
    }
}

impl Recorder {
    /// Records a circuit for ciphertexts of `slots` slots (half of the ring degree).
    ///
    /// # Errors
    /// [`crate::ToolkitErrorKind::DoesNotFit`] unless `slots` is a power of two up to [`EncodingUnit::MAX_SLOTS`].
    pub fn new(slots: usize) -> Result<Self> {
        EncodingUnit::with_height(slots, 1)?;
        Ok(Self {
            state: Arc::default(),
            slots,
            summing: Summing::default(),
        })
    }

    /// With sums of rotations added up in this way from here on.
    #[must_use]
    pub fn summing(mut self, summing: Summing) -> Self {
        self.summing = summing;
        self
    }

    pub(super) fn summing_way(&self) -> Summing {
        self.summing
    }

    /// Slots of every ciphertext.
    pub fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a named part of the circuit, for pictures and reports: operations recorded until the result is dropped belong to it.
    /// Sections nest; the path of an operation ([`Operation::section`]) joins their names with ` / `.
    pub fn section(&self, name: &str) -> Section {
        let mut state = self.lock();
        let outside = state.sections.len();
        let path: Arc<str> = match state.sections.last() {
            Some(outer) => format!("{outer} / {name}").into(),
            None => name.into(),
        };
        state.sections.push(path);
        drop(state);
        Section {
            recorder: self.clone(),
            outside,
        }
    }

    /// Records with `body` in a section: see [`Recorder::section`].
    pub fn within<T>(&self, name: &str, body: impl FnOnce() -> T) -> T {
        let _section = self.section(name);
        body()
    }

    /// Whether both record one circuit.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// Keeps the first error.
    #[track_caller]
    pub(crate) fn fail(&self, error: ToolkitError) {
        let location = Location::caller();
        let mut state = self.lock();
        let outer = state.open.first().map(|id| state.operations[id.0].location);
        state
            .error
            .get_or_insert_with(|| error.at(outer.unwrap_or(location)));
    }

    /// A new input of any layout, as slots.
    #[track_caller]
    pub(crate) fn input_slots(&self, name: &str, layout: Layout) -> Slots {
        let operation = self.open("input", &[], Some(layout), Some(name));
        let slots = self.try_input(name, layout).unwrap_or_else(|error| {
            self.fail(error.named("input"));
            Slots::failed(self, layout.units().min(1))
        });
        self.close(operation);
        slots
    }

    fn try_input(&self, name: &str, layout: Layout) -> Result<Slots> {
        layout.check()?;
        if layout.slots() != self.slots {
            return Err(ToolkitError::does_not_fit(
                layout,
                format!("a circuit of {} slots", self.slots),
                "use units with as many slots as the circuit",
            ));
        }
        let mut state = self.lock();
        if state.inputs.iter().any(|input| input.name == name) {
            let (what, name) = ("input", name.into());
            return Err(ToolkitErrorKind::NameTaken { what, name }.into());
        }
        let index = state.inputs.len();
        let node = state.push(Op::Input(index), vec![], layout.units());
        state.inputs.push(Input {
            name: name.into(),
            layout,
            node,
        });
        drop(state);
        Ok(Slots::new(self, node, layout.units()))
    }

    /// Slots without a meaning known to the toolkit: `units` ciphertexts.
    #[track_caller]
    pub fn slots_input(&self, name: &str, units: usize) -> Slots {
        let slots = self.slots;
        self.input_slots(name, Layout::Slots { units, slots })
    }

    /// Names a result as an output, delivered at level 0.
    #[track_caller]
    pub fn output(&self, name: &str, result: &impl Recorded) {
        self.output_at(name, result, 0);
    }

    /// Names a result as an output that is delivered at `level`, so that another circuit can go on with it.
    #[track_caller]
    pub fn output_at(&self, name: &str, result: &impl Recorded, level: usize) {
        let slots = result.recorded();
        if !self.is(slots.recorder()) {
            return self.fail(ToolkitError::from(ToolkitErrorKind::TwoCircuits).named("output"));
        }
        if self.lock().outputs.iter().any(|o| o.name == name) {
            let (what, name) = ("output", name.into());
            let error = ToolkitError::from(ToolkitErrorKind::NameTaken { what, name });
            return self.fail(error.named("output"));
        }
        // A failed result has left its error behind.
        if let Some(node) = slots.node() {
            self.lock().outputs.push(Output {
                name: name.into(),
                layout: result.layout(),
                node,
                level,
                location: Location::caller(),
            });
        }
    }

    /// States that no slot of a value exceeds `bound` in magnitude, where more is known than operations can tell: the interval on which
    /// a polynomial approximates a function, the size of a model's weights. It changes no step, but that a product that is assumed stays one of its own in a sum of products: [`Bounds`](crate::interpret::Bounds) go on with
    /// it, plans name it ([`PlannedStage::assumptions`](crate::plan::PlannedStage::assumptions)), and [`Cleartext`](crate::Cleartext) runs say for which inputs it does not hold. Of an
    /// input it is the range that its owner declares at encryption.
    ///
    /// Whoever assumes answers for it: where encrypted values are larger, results may wrap around without an error.
    #[track_caller]
    pub fn assume(&self, value: &impl Recorded, bound: f64) {
        let slots = value.recorded();
        if !self.is(slots.recorder()) {
            return self.fail(ToolkitError::from(ToolkitErrorKind::TwoCircuits).named("assume"));
        }
        if let (Some(assumption), Some(node)) = (self.assumption(bound, "assume"), slots.node()) {
            let known = &mut self.lock().nodes[node.0].assumption;
            if known.is_none_or(|known| bound < known.bound) {
                *known = Some(assumption);
            }
        }
    }

    /// States that no value at level 0, where results are delivered and headroom is least, exceeds `largest` in magnitude, neither results
    /// nor what they are sums of: see [`Recorder::assume`].
    #[track_caller]
    pub fn largest_value(&self, largest: f64) {
        if let Some(assumption) = self.assumption(largest, "largest_value") {
            self.lock().largest = Some(assumption);
        }
    }

    #[track_caller]
    fn assumption(&self, bound: f64, operation: &'static str) -> Option<Assumption> {
        if bound.is_finite() && bound.is_sign_positive() {
            let caller = Location::caller();
            // Of a part of an operation it is the operation's.
            let state = self.lock();
            let outer = state.open.first().map(|id| state.operations[id.0].location);
            let location = outer.unwrap_or(caller);
            return Some(Assumption { bound, location });
        }
        let error = ToolkitError::out_of_range("bound", bound, "finite numbers from 0");
        self.fail(error.named(operation));
        None
    }

    /// The circuit.
    ///
    /// # Errors
    /// The first error of the recording, with its place; [`crate::ToolkitErrorKind::NoOutput`].
    pub fn finish(self) -> Result<Circuit> {
        let mut state = self.lock();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let state = std::mem::take(&mut *state);
        Circuit::new(
            self.slots,
            state.nodes,
            state.operations,
            state.plains,
            state.inputs,
            state.outputs,
            state.largest,
        )
    }

    /// Begins an operation of the circuit's author; nodes recorded until it is closed belong to it. One inside another is a
    /// part of that.
    #[track_caller]
    pub(crate) fn open(
        &self,
        name: &'static str,
        operands: &[&Slots],
        layout: Option<Layout>,
        label: Option<&str>,
    ) -> OpenOperation {
        let location = Location::caller();
        let mut state = self.lock();
        if let Some(&outer) = state.open.first() {
            state.open.push(outer);
            return OpenOperation(outer);
        }
        let mut from: Vec<OperationId> = vec![];
        for operand in operands.iter().filter_map(|slots| slots.node()) {
            if let Some(node) = state.nodes.get(operand.0)
                && !from.contains(&node.operation)
            {
                from.push(node.operation);
            }
        }
        let label = label.map(str::to_owned);
        OpenOperation(state.begin(name, location, from, layout, label))
    }

    /// Ends an operation.
    pub(crate) fn close(&self, OpenOperation(_): OpenOperation) {
        self.lock().open.pop();
    }

    /// Ends an operation whose result has this layout.
    pub(crate) fn close_with(&self, OpenOperation(id): OpenOperation, result: Layout) {
        let mut state = self.lock();
        state.open.pop();
        if state.open.is_empty() {
            state.operations[id.0].layout = Some(result);
        }
    }

    #[track_caller]
    pub(super) fn node(&self, op: Op, operands: Vec<NodeId>, units: usize) -> Slots {
        let (name, location, slots) = (op.name(), Location::caller(), self.slots);
        let mut state = self.lock();
        // An operation on slots that is a part of none is an operation of its own.
        let own = state.open.is_empty();
        if own {
            let operations = operands.iter().map(|o| state.nodes[o.0].operation);
            let mut from: Vec<_> = operations.collect();
            from.dedup();
            state.begin(
                name,
                location,
                from,
                Some(Layout::Slots { units, slots }),
                None,
            );
        }
        let node = state.push(op, operands, units);
        if own {
            state.open.pop();
        }
        drop(state);
        Slots::new(self, node, units)
    }

    /// A constant; equal ones are kept once.
    pub(crate) fn plain(&self, vectors: Vec<Vec<f64>>) -> PlainId {
        let plain = Plain::new(vectors);
        let mut state = self.lock();
        let next = PlainId(state.plains.len());
        let id = *state.plain_ids.entry(plain.fingerprint()).or_insert(next);
        if id == next {
            state.plains.push(plain);
        }
        id
    }
}

/// Proof that an operation was opened.
#[must_use]
#[derive(Debug)]
pub(crate) struct OpenOperation(OperationId);

impl State {
    /// An operation of the circuit's author, open from here on.
    fn begin(
        &mut self,
        name: &'static str,
        location: &'static Location<'static>,
        operands: Vec<OperationId>,
        layout: Option<Layout>,
        label: Option<String>,
    ) -> OperationId {
        let id = OperationId(self.operations.len());
        self.operations.push(Operation {
            name,
            location,
            operands,
            layout,
            label,
            section: self.sections.last().cloned(),
        });
        self.open.push(id);
        id
    }

    fn push(&mut self, op: Op, operands: Vec<NodeId>, units: usize) -> NodeId {
        let id = NodeId(self.nodes.len());
        // Every node is recorded inside an operation.
        let operation = self.open.first().copied().unwrap_or(OperationId(0));
        self.nodes.push(Node {
            op,
            operands,
            units,
            operation,
            assumption: None,
        });
        id
    }
}

/// A handle of a recorded object.
pub trait Recorded {
    /// Its slots.
    fn recorded(&self) -> &Slots;

    /// Its shape and encoding.
    fn layout(&self) -> Layout;
}
