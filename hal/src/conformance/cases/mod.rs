//! The calls on which engines are compared: for every operation of the table, shapes, windows and values that
//! have broken engines before.

mod elementwise;
mod modulus_switching;

use std::sync::Arc;

use super::{
    call::{Call, KeyWords, Op, Out},
    rings,
    values::Values,
    values::Words,
};
use crate::{ConversionMode, Domain, GaloisElement, Limbs, RingBasis, Shape};

/// The calls for one operation at one size.
///
/// # Panics
/// If the suite has no cases for the operation: a new line of the op table needs them.
pub(super) fn cases(op: &str, log_n: u32) -> Vec<Call> {
    let mut c = Cases::new(rings::standard(log_n), op);
    match op {
        "copy_rows" => c.copy_rows(),
        "zero" => c.zero(),
        "ntt" => c.transforms(Domain::Coeff),
        "intt" => c.transforms(Domain::Eval),
        "add" => c.binary(&[Domain::Coeff, Domain::Eval], || Op::Add),
        "sub" => c.binary(&[Domain::Coeff, Domain::Eval], || Op::Sub),
        "mul" => c.binary(&[Domain::Eval], || Op::Mul),
        "mul_acc" => c.mul_acc(),
        "scale" => c.scale(),
        "automorphism" => c.automorphism(),
        "base_convert" => c.base_convert(),
        "key_inner_product" => c.key_inner_product(),
        "add_assign" => c.assign(&[Domain::Coeff, Domain::Eval], || Op::AddAssign),
        "sub_assign" => c.assign(&[Domain::Coeff, Domain::Eval], || Op::SubAssign),
        "mul_assign" => c.assign(&[Domain::Eval], || Op::MulAssign),
        "scale_assign" => c.scale_assign(),
        "add_leading" => c.add_leading(),
        "add_constants" => c.add_constants(),
        "restrict_and_scale" => c.restrict_and_scale(),
        "neg" => c.neg(),
        "rescale" => c.rescale(),
        "mod_up" => c.mod_up(),
        "mod_down_and_rescale" => c.mod_down_and_rescale(),
        "tensor" => c.tensor(),
        "sum_of_products" => c.sum_of_products(),
        "weighted_sum" => c.weighted_sum(),
        "key_switch" => c.key_switch(),
        "relinearize" => c.relinearize(),
        "rotate" => c.rotate(),
        "hoisted_rotations" => c.hoisted_rotations(),
        "rotation_sum" => c.rotation_sum(),
        _ => panic!("the conformance suite has no case for {op}; add some here"),
    }
    assert!(
        !c.calls.is_empty() && c.calls.iter().all(|call| call.op.name() == op),
        "the cases for {op} are not of {op}"
    );
    c.calls
}

/// Base conversions from as many primes as a table allows, every residue as large as it can be among them.
pub(super) fn wide_conversions(log_n: u32) -> Vec<Call> {
    let mut c = Cases::new(rings::wide(log_n, 63), "wide conversions");
    for mode in [ConversionMode::Centred, ConversionMode::Quotient] {
        c.conversion(&Limbs::new(3..63), &Limbs::new(0..3), mode, 1);
        c.conversion(&Limbs::new(0..41), &Limbs::new([45, 50, 62]), mode, 2);
        c.conversion(&Limbs::new([7]), &Limbs::new(8..63), mode, 1);
    }
    c.calls
}

/// A forward and an inverse transform at one large size.
pub(super) fn large_transforms(log_n: u32) -> Vec<Call> {
    let mut c = Cases::new(rings::standard(log_n), "large transforms");
    let shape = Shape::new(2, Limbs::new([1, 6, 12]));
    c.transform(&shape, Domain::Coeff);
    c.transform(&shape, Domain::Eval);
    c.calls
}

struct Cases {
    basis: Arc<RingBasis>,
    values: Values,
    calls: Vec<Call>,
}

impl Cases {
    fn new(basis: Arc<RingBasis>, label: &str) -> Self {
        let seed = u64::from(basis.log_n());
        Self {
            basis,
            values: Values::new(label, seed),
            calls: Vec::new(),
        }
    }

    /// Large rings get the first few of a list only: sizes matter there, not combinations.
    fn few<T>(&self, list: Vec<T>) -> Vec<T> {
        let count = if self.basis.log_n() > 9 {
            2
        } else {
            list.len()
        };
        list.into_iter().take(count).collect()
    }

    fn words(&mut self, shape: &Shape, domain: Domain) -> Words {
        self.values.words(&self.basis, shape, domain)
    }

    fn eval(&mut self, polys: usize, limbs: &Limbs) -> Words {
        self.words(&Shape::new(polys, limbs.clone()), Domain::Eval)
    }

    fn push(&mut self, op: Op, ins: Vec<Words>, out: Out, keys: Vec<Option<KeyWords>>) {
        self.calls.push(Call {
            basis: self.basis.clone(),
            op,
            ins,
            outs: vec![out],
            keys,
        });
    }

    fn written(&mut self, op: Op, ins: Vec<Words>, shape: &Shape, domain: Domain) {
        let out = Out::written(shape.clone(), domain);
        self.push(op, ins, out, Vec::new());
    }

    fn updated(&mut self, op: Op, ins: Vec<Words>, initial: Words, domain: Domain) {
        let out = Out {
            shape: initial.shape.clone(),
            domain,
            initial: Some(initial),
        };
        self.push(op, ins, out, Vec::new());
    }

    /// 1, 5, 2N - 1, a right rotation, and any.
    fn elements(&mut self) -> [GaloisElement; 5] {
        let log_n = self.basis.log_n();
        let any = 2 * u64::from(self.values.below(1 << log_n)) + 1;
        [
            GaloisElement::rotation(1, log_n),
            GaloisElement::conjugation(log_n),
            GaloisElement::IDENTITY,
            GaloisElement::rotation(-1, log_n),
            GaloisElement::new(any, log_n).expect("odd and below 2N"),
        ]
    }
}
