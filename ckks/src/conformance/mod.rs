//! The scheme level of the conformance suite: fixed seeds give the same bytes on every engine and every platform.
//!
//! [`scheme_conformance!`](crate::scheme_conformance) runs programs of [`Evaluator`](crate::Evaluator) operations on an
//! engine, [`secret_conformance!`](crate::secret_conformance) key generation, encryption and decryption on an engine that may
//! hold secrets. After every step the result is hashed (BLAKE3 over level, form, limbs and residues); the list of hashes
//! must be the reference engine's, and the hash of the list must be the one that is recorded in the `golden` module.
//!
//! ```text
//!   reference engine                          engine under test
//!   secret key, keys, fresh ciphertexts  -->  expanded by its own context, computed with, downloaded, hashed
//! ```
//! The client's part runs on the reference engine and its objects move as host words, so engines that hold no secrets are
//! tested by the same programs. [`sets`] lists the parameters, [`programs`] and [`client`] the programs; the macros
//! expand to every pair, so an engine cannot forget one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test suite: failing is its purpose"
)]

pub mod client;
mod fixture;
mod golden;
pub mod programs;
mod record;
pub mod sets;

use arras_hal::Reference;
pub use arras_hal::conformance::{Absent, IntoEngine};
#[doc(hidden)]
pub use arras_hal::{Backend, SecretEngine};
pub use fixture::Fixture;
pub use record::Record;
pub use sets::Set;

/// A program of the suite on an engine.
pub type Program<B> = fn(&Fixture, B) -> crate::Result<Record>;

/// Runs one program on one set of parameters and compares it with the reference engine and with what is recorded.
///
/// An absent engine passes and says on standard error that it did not run; with the environment variable
/// `ARRAS_REQUIRE_GPU=1` it fails.
///
/// # Panics
/// If the engine fails: the message names the first step that differs.
pub fn check<B: Backend>(
    engine: Result<B, Absent>,
    set: &Set,
    name: &str,
    on_engine: Program<B>,
    on_reference: Program<Reference>,
) {
    let title = format!("{}::{name}", set.name());
    let what = format!("scheme conformance: {title}");
    let Some(engine) = Absent::or_skip(engine, &what) else {
        return;
    };
    let label = engine.name();
    let fixture = set.fixture();
    let expected = set.on_reference(name, on_reference);
    let record =
        on_engine(fixture, engine).unwrap_or_else(|error| panic!("{title} on {label}: {error}"));
    if let Some(difference) = record.first_difference(&expected) {
        panic!("{title} on {label}: {difference}");
    }
    let digest = record.digest();
    let recorded = golden::digest(set.name(), name);
    assert!(
        recorded == Some(digest.as_str()),
        "{title} on {label}: agrees with the reference engine and not with the recorded hash {recorded:?}.\n\
         Bytes depend on this platform, or the scheme has changed. If the change was meant, every ciphertext and key made \
         from a seed changes with it; the new row is\n    (\"{}\", \"{name}\", \"{digest}\"),",
        set.name(),
    );
}

/// Calls `$callback!` with the programs of each set of parameters: the one list.
#[doc(hidden)]
#[macro_export]
macro_rules! __scheme_conformance_list {
    ($($callback:tt)+) => {
        $($callback)+! {
            programs
            bits39 { plaintexts products levels rotations circuit }
            bits34 { plaintexts products levels rotations circuit }
            one_limb_digits { plaintexts products levels rotations circuit }
            secure { plaintexts products levels rotations circuit }
            bootstrapping { bootstraps }
        }
    };
}

/// Like [`__scheme_conformance_list`], for engines that may hold secrets.
#[doc(hidden)]
#[macro_export]
macro_rules! __secret_conformance_list {
    ($($callback:tt)+) => {
        $($callback)+! {
            client
            bits39 { keys encryptions decryptions }
            bits34 { keys encryptions decryptions }
            one_limb_digits { keys encryptions decryptions }
            secure { keys encryptions decryptions }
            bootstrapping { sparse_keys }
        }
    };
}

/// Expands to a module with every program of the scheme level for one engine.
///
/// `scheme_conformance!(name, factory)`: `factory` is a function that returns an engine, or `Result<engine,
/// `[`Absent`](crate::conformance::Absent)`>` for engines that need a device; every test calls it once.
///
/// ```ignore
/// arras_ckks::scheme_conformance!(my_engine, MyEngine::new);
/// ```
#[macro_export]
macro_rules! scheme_conformance {
    ($name:ident, $factory:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn engine() -> Result<impl $crate::conformance::Backend, $crate::conformance::Absent> {
                $crate::conformance::IntoEngine::into_engine(($factory)())
            }

            $crate::__scheme_conformance_list!($crate::__scheme_conformance_tests);
        }
    };
}

/// Expands to a module with every program of the client's side for one engine that may hold secrets: its keys,
/// encryptions and decryptions are the reference engine's to the bit.
///
/// ```ignore
/// arras_ckks::secret_conformance!(my_engine, MyEngine::new);
/// ```
#[macro_export]
macro_rules! secret_conformance {
    ($name:ident, $factory:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn engine()
            -> Result<impl $crate::conformance::SecretEngine, $crate::conformance::Absent> {
                let factory = $factory;
                Ok(factory())
            }

            $crate::__secret_conformance_list!($crate::__scheme_conformance_tests);
        }
    };
}

/// The tests of one module of [`scheme_conformance!`] or [`secret_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __scheme_conformance_tests {
    ($programs:ident $( $set:ident $list:tt )*) => {
        $(
            mod $set {
                $crate::__scheme_conformance_tests!(@ $programs $set $list);
            }
        )*
    };
    (@ $programs:ident $set:ident { $($program:ident)* }) => {
        $(
            #[test]
            fn $program() {
                $crate::conformance::check(
                    super::engine(),
                    $crate::conformance::sets::$set(),
                    stringify!($program),
                    $crate::conformance::$programs::$program,
                    $crate::conformance::$programs::$program,
                );
            }
        )*
    };
}
