//! Every composite, as the engine overrides it, against its default body over the same engine's primitives.
//!
//! The reference engine's composites are the default bodies, so an engine that passes the layer above passes this one; when
//! it does not, this layer tells a wrong fused kernel from a wrong primitive.

use super::{call::Body, cases, suite::Bed};
use crate::Backend;

macro_rules! one_test_per_composite {
    (
        primitives { $($primitives:tt)* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        $( #[doc = concat!("`", stringify!($c), "` equals its default body.")]
        pub fn $c<B: Backend>(bed: &Bed<'_, B>) {
            operation(bed, stringify!($c));
        } )*

        /// The suite has a test in this layer for every composite.
        pub fn every_composite_is_compared<B: Backend>(_: &Bed<'_, B>) {
            let tests = super::tests::<B>();
            for op in [$(stringify!($c)),*] {
                let name = format!("default_bodies::{op}");
                assert!(tests.iter().any(|t| t.name == name), "the suite's list lacks {name}");
            }
        }
    };
}
backend_ops!(one_test_per_composite);

/// `key_inner_product` equals the ready body for engines whose key is a buffer of rows.
pub fn key_inner_product<B: Backend>(bed: &Bed<'_, B>) {
    operation(bed, "key_inner_product");
}

fn operation<B: Backend>(bed: &Bed<'_, B>, op: &str) {
    for log_n in bed.sizes(&[3, 5, 8]) {
        let calls = cases::cases(op, log_n);
        let rig = bed.rig(&calls[0].basis);
        for (k, call) in calls.iter().enumerate() {
            let expected = call.run(&rig, Body::Default, k as u64);
            let got = call.run(&rig, Body::Own, 1000 + k as u64);
            for (got, expected) in got.iter().zip(&expected) {
                got.assert_same(expected, &call.describe());
            }
        }
    }
}
