//! What boxes say.

use std::panic::Location;

use crate::{
    Circuit, Layout,
    circuit::{Class, Op},
    op::Argument,
    program::Form,
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

fn list<T: ToString>(items: &[T]) -> String {
    const MOST: usize = 4;
    let mut words: Vec<String> = items.iter().take(MOST).map(ToString::to_string).collect();
    if items.len() > MOST {
        words.push(format!(".. ({})", items.len()));
    }
    words.join(", ")
}

/// What a node or step does, as short as it can be told.
pub(super) fn of_op<Id: PartialEq>(
    circuit: &Circuit,
    op: &Op,
    operands: &[Id],
    units: usize,
) -> String {
    let row = op.row();
    let products = match row.class {
        Class::Product => operands.len() / 2,
        Class::PlainProduct => row.plaintexts.len(),
        Class::Input | Class::Rotation | Class::Sum | Class::Arrangement | Class::Maintenance => 0,
    };
    match row.argument {
        Argument::Input(index) => of_layout(circuit.inputs()[index].layout()),
        Argument::Number(x) if row.class == Class::Sum => {
            let sign = if x < 0.0 { '-' } else { '+' };
            format!("{sign} {}", number(x.abs()))
        }
        Argument::Number(x) => format!("times {}", number(x)),
        Argument::Integer(x) => format!("times {x}"),
        Argument::Rotations(steps) => format!("by {}", list(steps)),
        Argument::Positions(positions) => list(positions),
        Argument::Levels(levels) if levels > 0 => format!("by {levels}"),
        Argument::None if products > 1 => format!("{products} products"),
        Argument::None if products == 1 && operands.len() == 2 && operands[0] == operands[1] => {
            "square".into()
        }
        Argument::None | Argument::Levels(_) => ciphertexts(units),
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
