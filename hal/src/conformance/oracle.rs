//! Every operation of the table against the reference engine, bit for bit.

use super::{call::Body, call::Call, cases, rig::Rig, suite::Bed};
use crate::{Backend, OPERATIONS, Reference};

macro_rules! one_test_per_operation {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        $( #[doc = concat!("`", stringify!($p), "` gives the reference engine's bits.")]
        pub fn $p<B: Backend>(bed: &Bed<'_, B>) {
            operation(bed, stringify!($p));
        } )*
        $( #[doc = concat!("`", stringify!($c), "` gives the reference engine's bits.")]
        pub fn $c<B: Backend>(bed: &Bed<'_, B>) {
            operation(bed, stringify!($c));
        } )*
    };
}
backend_ops!(one_test_per_operation);

/// Sizes up to one where passes are tiled and rows no longer fit a workgroup; odd logarithms too.
fn operation<B: Backend>(bed: &Bed<'_, B>, op: &str) {
    for log_n in bed.sizes(&[3, 4, 6, 7, 9, 10, 12]) {
        agree(bed, &cases::cases(op, log_n));
    }
}

fn agree<B: Backend>(bed: &Bed<'_, B>, calls: &[Call]) {
    let basis = &calls[0].basis;
    let (rig, reference) = (bed.rig(basis), Rig::new(&Reference, basis));
    for (k, call) in calls.iter().enumerate() {
        let expected = call.run(&reference, Body::Own, k as u64);
        let got = call.run(&rig, Body::Own, 1000 + k as u64);
        for (got, expected) in got.iter().zip(&expected) {
            got.assert_same(expected, &call.describe());
        }
    }
}

/// Conversions from up to sixty primes, where the quotient's sum nearly fills 32 bits.
pub fn wide_base_conversions<B: Backend>(bed: &Bed<'_, B>) {
    for log_n in [3, 6] {
        agree(bed, &cases::wide_conversions(log_n));
    }
}

/// Transforms at the size of real parameters.
pub fn large_transforms<B: Backend>(bed: &Bed<'_, B>) {
    for log_n in bed.sizes(&[5, 8, 11, 13, 14]) {
        agree(bed, &cases::large_transforms(log_n));
    }
    if bed.max_log_n() > 14 {
        agree(bed, &cases::large_transforms(bed.max_log_n()));
    }
}

/// The suite has a test in this layer for every operation of the table.
pub fn every_operation_is_compared<B: Backend>(_: &Bed<'_, B>) {
    let tests = super::tests::<B>();
    for op in OPERATIONS {
        let name = format!("oracle::{op}");
        assert!(
            tests.iter().any(|t| t.name == name),
            "the suite's list lacks {name}"
        );
        assert!(!cases::cases(op, 3).is_empty());
    }
}
