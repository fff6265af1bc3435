//! The toolkit level of the conformance suite: circuits of linear algebra give the reference engine's ciphertexts on every
//! engine, however they are run.
//!
//! [`toolkit_conformance!`](crate::toolkit_conformance) expands to a test for each list of operations in [`operations`]. Each is
//! recorded in three sizes ([`sheet::SIZES`]) on a small unit:
//!
//! ```text
//!   reference engine                             engine under test
//!   keys, encrypted inputs, fixed seeds    -->   waves or step by step, one call or two side by side
//!   outputs, decrypted                           outputs: the same bytes
//!     within the predicted precision, to one bit
//! ```
//! The client's part runs on the reference engine and its objects move as bytes, so engines that hold no secrets are tested by
//! the same circuits. The parameters are **insecure**: N = 2^8, and as many levels as a list needs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test suite: failing is its purpose"
)]

mod fixture;
pub mod golden;
pub mod operations;
pub mod party;
pub mod sheet;

#[doc(hidden)]
pub use arras_hal::Backend;
pub use arras_hal::conformance::{Absent, IntoEngine};

use sheet::Sheet;

/// A list of operations: writes them onto a sheet.
pub type Operations = fn(&Sheet);

/// Runs the circuits of one list of operations on an engine and compares the outputs with the reference engine's.
///
/// An absent engine passes and says on standard error that it did not run; with the environment variable
/// `ARRAS_REQUIRE_GPU=1` it fails.
///
/// # Panics
/// If the engine fails: the message names circuit, output, and how it was run.
pub fn check<B: Backend>(engine: Result<B, Absent>, name: &'static str, operations: Operations) {
    let what = format!("toolkit conformance: {name}");
    if let Some(engine) = Absent::or_skip(engine, &what) {
        fixture::of(name, operations).check(name, engine);
    }
}

/// Calls `$callback!` with the lists of operations: the one list of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __toolkit_conformance_list {
    ($($callback:tt)+) => {
        $($callback)+! {
            arithmetic plain scalars hadamard products sums lists inner outer convert extract join masks statistics
            plain_product matmul mixed_unit transpose polynomials inverses constants
        }
    };
}

/// The lists of operations by name: what [`toolkit_conformance!`](crate::toolkit_conformance) tests.
pub fn lists() -> Vec<(&'static str, Operations)> {
    macro_rules! named {
        ($($name:ident)*) => {
            vec![$((stringify!($name), operations::$name as Operations)),*]
        };
    }
    crate::__toolkit_conformance_list!(named)
}

/// Expands to a module with every circuit of the suite for one engine.
///
/// `toolkit_conformance!(name, factory)`: `factory` is a function that returns an engine, or `Result<engine,
/// `[`Absent`](crate::conformance::Absent)`>` for engines that need a device; every test calls it once.
///
/// ```ignore
/// arras_toolkit::toolkit_conformance!(my_engine, MyEngine::new);
/// ```
#[macro_export]
macro_rules! toolkit_conformance {
    ($name:ident, $factory:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn engine() -> Result<impl $crate::conformance::Backend, $crate::conformance::Absent> {
                $crate::conformance::IntoEngine::into_engine(($factory)())
            }

            $crate::__toolkit_conformance_list!($crate::__toolkit_conformance_tests);
        }
    };
}

/// The tests of [`toolkit_conformance!`](crate::toolkit_conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __toolkit_conformance_tests {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::conformance::check(
                    engine(),
                    stringify!($name),
                    $crate::conformance::operations::$name,
                );
            }
        )*
    };
}
