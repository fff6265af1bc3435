//! The conformance suite: everything the [contract](crate#the-contract-of-an-engine) promises, tested on any engine by
//! one line.
//!
//! ```
//! # // Any engine stands for one's own.
//! # use arras_hal::Reference as MyEngine;
//! arras_hal::backend_conformance!(my_engine, MyEngine::new);
//! # fn main() {}
//! ```
//!
//! The suite owns its list of tests, so an engine cannot forget one. Layers, in the order in which to read failures:
//!
//! | layer | compares an engine with |
//! |---|---|
//! | [`known_answers`] | definitions computed by sums and big integers at N = 8 to 64, and recorded answers |
//! | [`laws`] | itself: algebraic laws, by proptest |
//! | [`oracle`] | the reference engine: every operation of the op table, biased values, many shapes |
//! | [`default_bodies`] | its own primitives: every composite against its default body |
//! | [`hygiene`] | the rules of memory, threads, several rings and deferred errors |
//!
//! [`tests`] is the list as data, for tests of the suite itself.

mod call;
mod cases;
pub mod default_bodies;
pub mod hygiene;
pub mod known_answers;
pub mod laws;
mod naive;
pub mod oracle;
mod rig;
mod rings;
mod suite;
mod values;
mod vectors;

pub use suite::{Absent, Bed, Fault, IntoEngine, Options, Subject};

use crate::Backend;

/// A test of the suite.
#[derive(Debug)]
pub struct Test<B: Backend> {
    /// Layer and name, `oracle::rescale`.
    pub name: &'static str,
    /// The test; it panics if the engine fails it. Run it with [`Subject::run`].
    pub run: fn(&Bed<'_, B>),
}

/// Calls `$callback!` with the list of all tests by layer. The one list: the table and the expansion come from it.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_list {
    ($($callback:tt)+) => {
        $($callback)+! {
            known_answers {
                ntt_evaluates_at_the_stated_points intt_interpolates products_are_negacyclic automorphisms_substitute
                centred_conversions_are_exact quotient_conversions_are_exact rescale_divides mod_up_extends
                plans_hold_what_they_state recorded_answers_n8 recorded_answers_n64
            }
            laws {
                transforms_are_inverse transforms_are_linear products_and_sums_make_a_ring tensors_are_products
                automorphisms_compose mod_up_commutes_with_automorphisms hoisted_equals_unhoisted rotation_sums_are_sums
                lifting_and_mod_down_are_inverse merged_mod_down_is_its_definition relinearization_is_a_key_switch
            }
            oracle {
                copy_rows zero ntt intt add sub mul mul_acc scale automorphism base_convert key_inner_product
                add_assign sub_assign mul_assign scale_assign neg add_leading add_constants restrict_and_scale rescale mod_up mod_down_and_rescale tensor sum_of_products
                weighted_sum key_switch relinearize rotate hoisted_rotations rotation_sum
                wide_base_conversions large_transforms every_operation_is_compared
            }
            default_bodies {
                key_inner_product
                add_assign sub_assign mul_assign scale_assign neg add_leading add_constants restrict_and_scale rescale mod_up mod_down_and_rescale tensor sum_of_products
                weighted_sum key_switch relinearize rotate hoisted_rotations rotation_sum
                every_composite_is_compared
            }
            hygiene {
                transfers_keep_contents_and_shapes inputs_are_left_alone inputs_may_be_one_buffer old_contents_do_not_matter
                outputs_are_canonical_at_the_extremes memory_is_reused two_rings_live_side_by_side two_threads_share_a_ring
                dropping_while_pending device_errors_surface_at_the_next_wait device_errors_surface_at_sync
            }
        }
    };
}

macro_rules! table {
    ($( $layer:ident { $($test:ident)* } )*) => {
        vec![$($(
            Test {
                name: concat!(stringify!($layer), "::", stringify!($test)),
                run: $layer::$test::<B>,
            },
        )*)*]
    };
}

/// All tests of the suite, in the order of the layers.
pub fn tests<B: Backend>() -> Vec<Test<B>> {
    __conformance_list!(table)
}

/// Expands to a module with every test of the conformance suite for one engine.
///
/// `backend_conformance!(name, factory)` or `backend_conformance!(name, factory, options)`: `factory` is a
/// function that returns an engine, or `Result<engine, `[`Absent`](crate::conformance::Absent)`>` for engines that need a
/// device; every test calls it once. `options` are [`Options`](crate::conformance::Options): the largest ring, and a
/// function that makes the engine fail, for the tests of deferred errors.
///
/// ```
/// use arras_hal::{Reference, backend_conformance, conformance::{Absent, Options}};
///
/// backend_conformance!(reference, Reference::new);
///
/// // An engine that needs a device, with rings up to N = 2^12 only.
/// fn device() -> Result<Reference, Absent> {
///     Err(Absent::because("no adapter"))
/// }
/// backend_conformance!(with_a_device, device, Options::new().max_log_n(12));
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! backend_conformance {
    ($name:ident, $factory:expr $(,)?) => {
        $crate::backend_conformance!($name, $factory, $crate::conformance::Options::new());
    };
    ($name:ident, $factory:expr, $options:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn subject() -> $crate::conformance::Subject<impl $crate::Backend> {
                $crate::conformance::Subject::new($factory, $options)
            }

            $crate::__conformance_list!($crate::__conformance_tests);
        }
    };
}

/// The tests of one module of [`backend_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($( $layer:ident { $($test:ident)* } )*) => {
        $(
            mod $layer {
                $(
                    #[test]
                    fn $test() {
                        let name = concat!(stringify!($layer), "::", stringify!($test));
                        super::subject().run(name, $crate::conformance::$layer::$test);
                    }
                )*
            }
        )*
    };
}
