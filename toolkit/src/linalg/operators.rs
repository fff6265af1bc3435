//! `+`, `-` and `*`, entry by entry as in `ndarray`: between objects of one kind, with an encrypted number, with arrays of the same
//! shape and with numbers.

use std::ops::{Add, Mul, Neg, Sub};

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::{ColumnVector, Matrix, RowVector, Scalar};

/// One operator, for left and right operands as they are and behind references.
macro_rules! operator {
    ($left:ty, $trait:ident, $name:ident, $right:ty, $out:ident, |$a:ident, $b:ident| $body:expr) => {
        impl $trait<$right> for $left {
            type Output = $out;

            #[track_caller]
            fn $name(self, $b: $right) -> $out {
                let $a = self;
                $body
            }
        }
    };
}

macro_rules! between {
    ($left:ident, $right:ident: $($trait:ident $name:ident $method:ident),*) => {$(
        operator!(&$left, $trait, $name, &$right, $left, |a, b| $left::$method(a, b));
        operator!(&$left, $trait, $name, $right, $left, |a, b| $left::$method(a, &b));
        operator!($left, $trait, $name, &$right, $left, |a, b| $left::$method(&a, b));
        operator!($left, $trait, $name, $right, $left, |a, b| $left::$method(&a, &b));
    )*};
}

/// Operators with plaintext on either side.
macro_rules! plaintext {
    ($object:ident: $($plain:ty),*) => {$(
        operator!(&$object, Add, add, $plain, $object, |a, b| a.add_plain(b));
        operator!($object, Add, add, $plain, $object, |a, b| a.add_plain(b));
        operator!(&$object, Sub, sub, $plain, $object, |a, b| a.sub_plain(b));
        operator!($object, Sub, sub, $plain, $object, |a, b| a.sub_plain(b));
        operator!(&$object, Mul, mul, $plain, $object, |a, b| a.multiply_plain(b));
        operator!($object, Mul, mul, $plain, $object, |a, b| a.multiply_plain(b));
        operator!($plain, Add, add, &$object, $object, |a, b| b.add_plain(a));
        operator!($plain, Add, add, $object, $object, |a, b| b.add_plain(a));
        operator!($plain, Sub, sub, &$object, $object, |a, b| b.sub_from_plain(a));
        operator!($plain, Sub, sub, $object, $object, |a, b| b.sub_from_plain(a));
        operator!($plain, Mul, mul, &$object, $object, |a, b| b.multiply_plain(a));
        operator!($plain, Mul, mul, $object, $object, |a, b| b.multiply_plain(a));
    )*};
}

macro_rules! operators {
    ($($object:ident),*) => {$(
        between!($object, $object: Add add add, Sub sub sub, Mul mul hadamard);
        plaintext!($object: f64);

        impl Neg for &$object {
            type Output = $object;

            #[track_caller]
            fn neg(self) -> $object {
                self.negate()
            }
        }

        impl Neg for $object {
            type Output = $object;

            #[track_caller]
            fn neg(self) -> $object {
                self.negate()
            }
        }
    )*};
}

operators!(Matrix, RowVector, ColumnVector, Scalar);
between!(Matrix, Scalar: Add add add_encrypted, Sub sub sub_encrypted, Mul mul multiply_encrypted);
between!(RowVector, Scalar: Add add add_encrypted, Sub sub sub_encrypted, Mul mul multiply_encrypted);
between!(ColumnVector, Scalar: Add add add_encrypted, Sub sub sub_encrypted, Mul mul multiply_encrypted);
plaintext!(Matrix: &Array2<f64>, ArrayView2<'_, f64>);
plaintext!(RowVector: &Array1<f64>, ArrayView1<'_, f64>);
plaintext!(ColumnVector: &Array1<f64>, ArrayView1<'_, f64>);
