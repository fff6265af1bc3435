//! What boxes say.

use std::panic::Location;

use crate::{
    Circuit, Layout,
    circuit::{Node, Op},
    program::{Form, Step, StepOp},
};

/// A layout in a few characters.
pub(super) fn of_layout(layout: &Layout) -> String {
    match *layout {
        Layout::Matrix { rows, cols, .. } => format!("matrix {rows} x {cols}"),
        Layout::RowVector { len, .. } => format!("row vector of {len}"),
        Layout::ColumnVector { len, .. } => format!("column vector of {len}"),
        Layout::Scalar { .. } => "number".into(),
        Layout::Slots { units, .. } => ciphertexts(units),
    }
}

fn ciphertexts(units: usize) -> String {
    if units == 1 {
        "1 ciphertext".into()
    } else {
        format!("{units} ciphertexts")
    }
}

/// The file's name and line: folders tell more about a machine than about a circuit.
pub(super) fn of_location(location: &Location<'_>) -> String {
    let file = location.file().rsplit(['/', '\\']).next().unwrap_or("");
    format!("{file}:{}", location.line())
}

/// Numbers as short as they may be told apart at a glance.
fn number(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e6 {
        return format!("{x}");
    }
    let short = if (1e-3..1e6).contains(&x.abs()) {
        format!("{x:.4}")
    } else {
        format!("{x:.3e}")
    };
    match short.split_once('e') {
        None => short.trim_end_matches('0').to_owned(),
        Some(_) => short,
    }
}

fn added(x: f64) -> String {
    let sign = if x < 0.0 { '-' } else { '+' };
    format!("{sign} {}", number(x.abs()))
}

fn list<T: ToString>(items: &[T]) -> String {
    const MOST: usize = 4;
    let mut words: Vec<String> = items.iter().take(MOST).map(ToString::to_string).collect();
    if items.len() > MOST {
        words.push(format!(".. ({})", items.len()));
    }
    words.join(", ")
}

pub(super) fn of_op(circuit: &Circuit, node: &Node) -> String {
    let square = node.operands().len() == 2 && node.operands()[0] == node.operands()[1];
    match node.op() {
        Op::Multiply if square => "square".into(),
        Op::AddScalar(x) => added(*x),
        Op::MultiplyScalar(x) => format!("times {}", number(*x)),
        Op::MultiplyInteger(x) => format!("times {x}"),
        Op::Rotate(s) => format!("by {s}"),
        Op::RotationSum(s) => format!("by {}", list(s)),
        Op::WeightedRotationSum { steps, .. } => format!("by {}", list(steps)),
        Op::Pick(indices) => list(indices),
        Op::LowerLevel(levels) => format!("by {levels}"),
        Op::SumOfProducts => format!("{} products", node.operands().len() / 2),
        Op::Input { index } => of_layout(circuit.inputs()[*index].layout()),
        _ => ciphertexts(node.units()),
    }
}

pub(super) fn of_step(circuit: &Circuit, step: &Step) -> String {
    let square = step.operands().len() == 2 && step.operands()[0] == step.operands()[1];
    match step.op() {
        StepOp::Multiply if square => "square".into(),
        StepOp::AddScalar(x) => added(*x),
        StepOp::MultiplyScalar(x) => format!("times {}", number(*x)),
        StepOp::MultiplyInteger(x) => format!("times {x}"),
        StepOp::Rotate(s) => format!("by {s}"),
        StepOp::RotationSum(s) => format!("by {}", list(s)),
        StepOp::WeightedRotationSum { steps, .. } => format!("by {}", list(steps)),
        StepOp::Pick(indices) => list(indices),
        StepOp::SumOfProducts => format!("{} products", step.operands().len() / 2),
        StepOp::WeightedSum(weights) => format!("{} products", weights.len()),
        StepOp::Input(index) => of_layout(circuit.inputs()[*index].layout()),
        _ => ciphertexts(step.units()),
    }
}

/// A step's form, if it is worth saying.
pub(super) fn of_form(form: Form) -> Option<&'static str> {
    match form {
        Form::Settled => None,
        Form::Pending2 => Some("pending 2"),
        Form::Pending3 => Some("pending 3"),
    }
}
