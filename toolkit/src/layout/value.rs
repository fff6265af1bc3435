//! Plaintext values of objects.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// A plaintext matrix, vector, number or list of slots.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A matrix.
    Matrix(Array2<f64>),
    /// A row or column vector.
    Vector(Array1<f64>),
    /// A number.
    Scalar(f64),
    /// Slots of each ciphertext; missing ones at the end are zero.
    Slots(Vec<Vec<f64>>),
}

impl Value {
    /// What it is, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Matrix(m) => format!("matrix {}x{}", m.nrows(), m.ncols()),
            Self::Vector(v) => format!("vector of {}", v.len()),
            Self::Scalar(_) => "scalar".into(),
            Self::Slots(s) => format!("{} lists of slots", s.len()),
        }
    }

    /// The matrix, if it is one.
    pub fn as_matrix(&self) -> Option<&Array2<f64>> {
        match self {
            Self::Matrix(m) => Some(m),
            _ => None,
        }
    }

    /// The vector, if it is one.
    pub fn as_vector(&self) -> Option<&Array1<f64>> {
        match self {
            Self::Vector(v) => Some(v),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_scalar(&self) -> Option<f64> {
        match self {
            Self::Scalar(x) => Some(*x),
            _ => None,
        }
    }

    /// The slots, if it is a list of them.
    pub fn as_slots(&self) -> Option<&[Vec<f64>]> {
        match self {
            Self::Slots(s) => Some(s),
            _ => None,
        }
    }

    /// The entries in order: of a matrix row by row.
    pub fn entries(&self) -> Vec<f64> {
        match self {
            Self::Matrix(m) => m.iter().copied().collect(),
            Self::Vector(v) => v.to_vec(),
            Self::Scalar(x) => vec![*x],
            Self::Slots(s) => s.concat(),
        }
    }
}

macro_rules! made_of {
    ($($from:ty => |$value:ident| $made:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $made
            }
        }
    )+};
}

made_of! {
    Array2<f64> => |m| Self::Matrix(m);
    ArrayView2<'_, f64> => |m| Self::Matrix(m.to_owned());
    &Array2<f64> => |m| Self::Matrix(m.clone());
    Array1<f64> => |v| Self::Vector(v);
    ArrayView1<'_, f64> => |v| Self::Vector(v.to_owned());
    &Array1<f64> => |v| Self::Vector(v.clone());
    f64 => |x| Self::Scalar(x);
    Vec<Vec<f64>> => |slots| Self::Slots(slots);
}
