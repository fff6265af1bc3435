//! Client and server in one place, and random values.
#![allow(unreachable_pub, reason = "a module of a test binary")]

pub mod case;
pub mod sizes;
pub mod suite;

use std::fmt::{Debug, Display};

use arras_ckks::Parameters;
use arras_hal::SecretEngine;
use arras_toolkit::{
    Circuit, Client, EncodingUnit, Homomorphic, Program, Recorder, Slots, ToolkitError, Value,
    conformance::party, linalg::Dot,
};
use ndarray::{Array1, Array2};
use serde::{Serialize, de::DeserializeOwned};

/// An error is of this kind.
macro_rules! assert_kind {
    ($error:expr, $kind:pat) => {{
        let error = &$error;
        assert!(matches!(error.kind(), $kind), "{error}");
    }};
}
pub(crate) use assert_kind;

/// Each call on a recorder of so many slots fails with this kind of error, which names the file of the call and all the parts.
macro_rules! refused {
    ($slots:expr, $kind:pat, |$r:ident| $($call:expr => [$($part:expr),+];)+) => {$(
        let error = crate::support::attempt($slots, |$r| $call);
        crate::support::assert_kind!(error, $kind);
        crate::support::says(&error, &[$($part),+, file!()]);
    )+};
}
pub(crate) use refused;

/// The message says all of `parts`.
#[track_caller]
pub fn says(error: impl Display, parts: &[impl AsRef<str>]) {
    let message = error.to_string();
    for part in parts.iter().map(AsRef::as_ref) {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// JSON gives a value back as it was.
#[track_caller]
pub fn survives_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
}

/// What is recorded on this many slots.
pub fn circuit<T>(slots: usize, record: impl FnOnce(&Recorder) -> T) -> Circuit {
    let recorder = Recorder::new(slots).unwrap();
    record(&recorder);
    recorder.finish().unwrap()
}

/// The error of a recording on this many slots.
pub fn attempt<T>(slots: usize, record: impl FnOnce(&Recorder) -> T) -> ToolkitError {
    let recorder = Recorder::new(slots).unwrap();
    record(&recorder);
    recorder.finish().unwrap_err()
}

/// A function of one ciphertext: "x" to "y".
pub fn function(slots: usize, body: impl FnOnce(&Slots) -> Slots) -> Circuit {
    circuit(slots, |r| r.output("y", &body(&r.slots_input("x", 1))))
}

/// A product of this many factors, one at every level.
pub fn chain(slots: usize, products: usize) -> Circuit {
    circuit(slots, |r| {
        let (x, y) = (r.slots_input("x", 1), r.slots_input("y", 1));
        let product = (0..products).fold(x, |product, _| product.multiply(&y));
        r.output("product", &product);
    })
}

/// A matrix "a" by a column vector "x" in units of 64 x 64.
pub fn matrix_by_vector(rows: usize, cols: usize) -> Circuit {
    let unit = EncodingUnit::new(64, 64).unwrap();
    circuit(unit.slots(), |r| {
        let a = r.matrix("a", rows, cols, unit);
        r.output("ax", &a.dot(&r.column_vector("x", cols, unit)));
    })
}

/// A small set without any security: 2^12 slots at `log_n` 13.
pub fn insecure(log_n: u32, levels: usize) -> Parameters {
    party::insecure(log_n, levels).unwrap()
}

/// A client with fixed seeds.
pub fn client<S: SecretEngine>(params: &Parameters, engine: S) -> Client<S> {
    party::client(params, engine, 1).unwrap()
}

/// An executor with the keys that a program asks for and no others.
pub fn homomorphic<S: SecretEngine>(client: &Client<S>, program: &Program) -> Homomorphic<S> {
    party::homomorphic(client, program, 1).unwrap()
}

/// The worst absolute difference of two values of one shape.
pub fn worst(a: &Value, b: &Value) -> f64 {
    let (a, b) = (a.entries(), b.entries());
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).fold(0.0, |m, (a, b)| (a - b).abs().max(m))
}

/// A stream of numbers in [-1, 1] from a seed (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as i64 as f64 / 2f64.powi(63)
    }

    pub fn matrix(&mut self, rows: usize, cols: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, cols), || self.next())
    }

    pub fn vector(&mut self, len: usize) -> Array1<f64> {
        Array1::from_shape_simple_fn(len, || self.next())
    }
}
