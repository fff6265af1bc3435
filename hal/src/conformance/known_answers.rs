//! Operations against their definitions at N = 8 to 64, computed with sums and big integers.

use num_bigint::BigInt;
use num_traits::{One, ToPrimitive, Zero};

use super::{
    naive,
    rig::Rig,
    rings,
    suite::Bed,
    values::{Values, Words, quotient_ties},
};
use crate::{
    Backend, ConversionMode, Domain, GaloisElement, KeySwitchSpec, Limbs, RingBasis, Shape,
};

pub use super::vectors::{recorded_answers_n8, recorded_answers_n64};

const SIZES: [u32; 4] = [3, 4, 5, 6];

fn coefficients<B: Backend>(rig: &Rig<B>, label: &str, polys: usize, limbs: &Limbs) -> Words {
    let shape = Shape::new(polys, limbs.clone());
    Values::new(label, 0).words(&rig.basis, &shape, Domain::Coeff)
}

fn some_limbs() -> Limbs {
    Limbs::new([0, 3, 4, 9, 12, 14])
}

/// Index i of a transform is the value at psi^(2 bitrev(i) + 1).
pub fn ntt_evaluates_at_the_stated_points<B: Backend>(bed: &Bed<'_, B>) {
    for log_n in SIZES {
        let rig = bed.standard(log_n);
        let words = coefficients(&rig, "ntt", 2, &some_limbs());
        let mut x = rig.upload(&words);
        rig.ntt(&mut x);
        let expected = naive::to_eval(&rig.basis, &words);
        rig.expect(&x, &expected, "ntt");
    }
}

/// The inverse transform gives the coefficients, 1/N included.
pub fn intt_interpolates<B: Backend>(bed: &Bed<'_, B>) {
    for log_n in SIZES {
        let rig = bed.standard(log_n);
        let words = coefficients(&rig, "intt", 2, &some_limbs());
        let mut x = rig.upload(&naive::to_eval(&rig.basis, &words));
        rig.intt(&mut x);
        rig.expect(&x, &words, "intt");
    }
}

/// A product of evaluations is the product modulo X^N + 1.
pub fn products_are_negacyclic<B: Backend>(bed: &Bed<'_, B>) {
    for log_n in SIZES {
        let rig = bed.standard(log_n);
        let [a, b] = ["a", "b"].map(|label| coefficients(&rig, label, 1, &some_limbs()));
        let [x, y] = [&a, &b].map(|words| {
            let mut buf = rig.upload(words);
            rig.ntt(&mut buf);
            buf
        });
        let mut z = rig.garbage(&a.shape, 0);
        rig.mul(&mut z, &x, &y);
        rig.intt(&mut z);
        let n = rig.basis.n();
        let pairs = a.words.chunks_exact(n).zip(b.words.chunks_exact(n));
        let products = pairs.zip(a.shape.limbs.iter());
        let words = products
            .flat_map(|((a, b), i)| naive::negacyclic_product(a, b, rig.basis.modulus(i)))
            .collect();
        let expected = Words {
            shape: a.shape.clone(),
            domain: Domain::Coeff,
            words,
        };
        rig.expect(&z, &expected, "mul");
    }
}

/// The permutation of evaluations is X -> X^g on coefficients, for every g.
pub fn automorphisms_substitute<B: Backend>(bed: &Bed<'_, B>) {
    for log_n in [3, 5] {
        let rig = bed.standard(log_n);
        let words = coefficients(&rig, "automorphism", 2, &Limbs::new([2, 8]));
        let mut x = rig.upload(&words);
        rig.ntt(&mut x);
        for g in (1..2u32 << log_n).step_by(2) {
            let element = GaloisElement::new(g.into(), log_n).expect("odd and below 2N");
            let mut y = rig.garbage(&words.shape, 0);
            rig.automorphism(&mut y, &x, element);
            rig.intt(&mut y);
            let expected = naive::map_rows(&rig.basis, &words, Domain::Coeff, |row, q, _| {
                naive::substitute(row, g, q)
            });
            let what = format!("X -> X^{g}");
            rig.expect(&y, &expected, &what);
        }
    }
}

fn conversion<B: Backend>(bed: &Bed<'_, B>, mode: ConversionMode) {
    for (log_n, from, to) in [
        (3, Limbs::new([4]), Limbs::new([0, 5, 12])),
        (4, Limbs::new(4..12), Limbs::new(0..4)),
        (6, Limbs::new([0, 2, 7, 13]), Limbs::new([1, 4, 14])),
        (3, Limbs::new([12]), Limbs::new([3, 4])),
        (4, Limbs::new([12, 13, 14]), Limbs::new(0..8)),
    ] {
        let rig = bed.standard(log_n);
        let mut words = coefficients(&rig, "conversion", 2, &from);
        let moduli: Vec<u32> = from.iter().map(|i| rig.basis.modulus(i).value()).collect();
        for (k, column) in quotient_ties(&moduli).iter().enumerate() {
            for (i, &x) in column.iter().enumerate() {
                words.words[i * rig.basis.n() + k] = x;
            }
        }
        let table = rig.basis.conversion_table(&from, &to, mode);
        let src = rig.upload(&words);
        let mut dst = rig.garbage(&Shape::new(2, to.clone()), 0);
        rig.base_convert(&mut dst, &src, &table.expect("disjoint limbs"));
        let got = rig.download(&dst, Domain::Coeff, "base_convert");
        let product = BigInt::from(rig.basis.product(&from));
        for poly in 0..2 {
            for k in 0..rig.basis.n() {
                let x = naive::column(&words, rig.basis.n(), poly, k);
                let integer = naive::representative(&rig.basis, &from, &x, mode);
                if mode == ConversionMode::Quotient {
                    assert!(
                        naive::at_most_percent(&integer, 53, &product),
                        "the definition"
                    );
                }
                let expected: Vec<u32> = to
                    .iter()
                    .map(|t| naive::residue(&integer, rig.basis.modulus(t).value()))
                    .collect();
                assert_eq!(
                    naive::column(&got, rig.basis.n(), poly, k),
                    expected,
                    "base_convert ({mode:?}), N = {}, {from} to {to}, polynomial {poly}, coefficient {k}, from {x:?}",
                    rig.basis.n()
                );
            }
        }
    }
}

/// Centred conversions stand for the sum of the centred lifts.
pub fn centred_conversions_are_exact<B: Backend>(bed: &Bed<'_, B>) {
    conversion(bed, ConversionMode::Centred);
}

/// Conversions with the quotient stand for the sum less the stated multiple of the modulus.
pub fn quotient_conversions_are_exact<B: Backend>(bed: &Bed<'_, B>) {
    conversion(bed, ConversionMode::Quotient);
}

/// `c * factor * (S/s_i)^-1 mod s_i` for every limb of `part`, c the residues over `limbs`.
fn scaled(
    basis: &RingBasis,
    limbs: &Limbs,
    residues: &[u32],
    part: &Limbs,
    factor: &BigInt,
) -> Vec<u32> {
    let product = BigInt::from(basis.product(part));
    part.iter()
        .map(|i| {
            let q = basis.modulus(i);
            let c = residues[limbs.position(i).expect("a part of the limbs")];
            let cofactor = naive::residue(&(&product / q.value()), q.value());
            q.mul(q.mul(c, naive::residue(factor, q.value())), q.inv(cofactor))
        })
        .collect()
}

/// A rescale is an exact division of in * R less the converted part by S, within 0.53 of in * R / S.
pub fn rescale_divides<B: Backend>(bed: &Bed<'_, B>) {
    for (k, (from, to)) in rings::rescales().into_iter().enumerate() {
        let rig = bed.standard(SIZES[k % 4]);
        let (basis, n) = (&rig.basis, rig.basis.n());
        let words = coefficients(&rig, "rescale", 2, &from);
        let plan = basis.rescale_plan(&from, &to).expect("a valid pair");
        let src = rig.upload(&naive::to_eval(basis, &words));
        let mut dst = rig.garbage(&Shape::new(2, to.clone()), 0);
        rig.rescale(&mut dst, &src, &plan).expect("rescale");
        let got = rig.download(&dst, Domain::Eval, "rescale");
        let got = naive::to_coeff(basis, &got);
        let (dropped, restored) = (from.without(&to), to.without(&from));
        let s = BigInt::from(basis.product(&dropped));
        let r = BigInt::from(basis.product(&restored));
        for poly in 0..2 {
            for k in 0..n {
                let residues = naive::column(&words, n, poly, k);
                let x = scaled(basis, &from, &residues, &dropped, &r);
                let y = naive::representative(basis, &dropped, &x, ConversionMode::Quotient);
                let lifted = naive::crt(basis, &from, &residues) * &r - &y;
                assert!((&lifted % &s).is_zero(), "the definition divides");
                assert!(naive::at_most_percent(&y, 53, &s), "the definition is near");
                let quotient = lifted / &s;
                let expected: Vec<u32> = to
                    .iter()
                    .map(|t| naive::residue(&quotient, basis.modulus(t).value()))
                    .collect();
                assert_eq!(
                    naive::column(&got, n, poly, k),
                    expected,
                    "rescale, N = {n}, {from} to {to}, polynomial {poly}, coefficient {k}"
                );
            }
        }
    }
}

/// Every extended digit is the centred representative of its digit on all limbs, at most half the digit's modulus per limb.
pub fn mod_up_extends<B: Backend>(bed: &Bed<'_, B>) {
    for (k, (spec, window, _)) in rings::switches().into_iter().enumerate() {
        let rig = bed.standard(SIZES[k % 4]);
        let words = coefficients(&rig, "mod_up", 2, &window);
        let plan = rig.basis.mod_up_plan(&spec, &window).expect("valid");
        let src = rig.upload(&naive::to_eval(&rig.basis, &words));
        let digits = digits_of(&spec, &window);
        let ext = window.union(&spec.special);
        let mut dst = rig.garbage(&Shape::new(2 * digits.len(), ext.clone()), 0);
        rig.mod_up(&mut dst, &src, &plan).expect("mod_up");
        let got = rig.download(&dst, Domain::Eval, "mod_up");
        check_digits(
            &rig.basis,
            &words,
            &digits,
            &ext,
            &naive::to_coeff(&rig.basis, &got),
        );
    }
}

fn digits_of(spec: &KeySwitchSpec, window: &Limbs) -> Vec<Limbs> {
    let groups = spec.groups.iter().map(|g| g.intersection(window));
    groups.filter(|g| !g.is_empty()).collect()
}

fn check_digits(basis: &RingBasis, words: &Words, digits: &[Limbs], ext: &Limbs, got: &Words) {
    let n = basis.n();
    for (j, digit) in digits.iter().enumerate() {
        let bound = BigInt::from(basis.product(digit)) * digit.len();
        for poly in 0..2 {
            for k in 0..n {
                let residues = naive::column(words, n, poly, k);
                let x = scaled(basis, &words.shape.limbs, &residues, digit, &BigInt::one());
                let y = naive::representative(basis, digit, &x, ConversionMode::Centred);
                assert!(
                    naive::at_most_percent(&y, 50, &bound),
                    "the definition is small"
                );
                let expected: Vec<u32> = ext
                    .iter()
                    .map(|t| naive::residue(&y, basis.modulus(t).value()))
                    .collect();
                assert_eq!(
                    naive::column(got, n, 2 * j + poly, k),
                    expected,
                    "mod_up, N = {n}, {} to {ext}, digit {j} ({digit}), polynomial {poly}, coefficient {k}",
                    words.shape.limbs
                );
            }
        }
    }
}

/// The plans' constants are what their documentation says, so that engines may rely on them.
pub fn plans_hold_what_they_state<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(3);
    let basis = rig.engine.basis(&rig.ring);
    for (from, to) in rings::rescales() {
        let plan = basis.rescale_plan(&from, &to).expect("a valid pair");
        let s = BigInt::from(basis.product(plan.dropped()));
        for (limb, c) in to.iter().zip(plan.dropped_inverse().as_slice()) {
            let q = basis.modulus(limb);
            assert_eq!(q.mul(c.value, naive::residue(&s, q.value())), 1);
            let shoup = (BigInt::from(c.value) << 32u32) / q.value();
            assert_eq!(shoup.to_u32(), Some(c.shoup));
        }
    }
}
