//! Every operation on the device against the reference engine, to the bit.

use std::sync::Arc;

use crate::common::{
    Words, chain, engines,
    scenarios::{Case, Results, arithmetic, compare, conversions, key_switches, transforms},
    spec, toy,
};
use arras_backend_gpu::GpuEngine;
use arras_hal::{
    Backend, Coeff, ConversionMode, Eval, GaloisElement, Key, KeyLayout, KeySwitchSpec, Limbs,
    Poly, Reference, RingBasis, Shape, is_prime,
};

fn check(case: &str, gpu: impl Fn(&GpuEngine) -> Results, reference: impl Fn() -> Results) {
    let expected = reference();
    for engine in engines() {
        compare(&engine, case, &gpu(&engine), &expected);
    }
}

macro_rules! against_reference {
    ($case:expr, $scenario:ident($($argument:expr),*)) => {
        check($case, |e| $scenario(e $(, $argument)*), || $scenario(&Reference::new() $(, $argument)*))
    };
}

/// Primitives and composites that the typed layer reaches only inside others.
fn below_the_typed_layer<B: Backend>(engine: &B, basis: &Arc<RingBasis>) -> Results {
    let mut case = Case::new(engine, basis, 5);
    let spec = spec(basis, 2, 3);
    let window = Limbs::new(1..basis.len() - 2);
    let to = Limbs::new(0..basis.len() - 3);
    let plan = basis.key_switch_plan(&spec, &window, &to).unwrap();
    let key = case.key(spec.groups.len());
    let ring = case.ring.clone();
    let rotate = GaloisElement::rotation(5, basis.log_n());
    for batch in [1, 3, 5] {
        let digits: Poly<B, Eval> = case.poly(plan.mod_up().digits().len() * batch, plan.ext());
        let mut sum: Poly<B, Eval> = case.poly(2 * batch, plan.ext());
        let zeros = sum.try_clone().unwrap();
        let (inner, mut out) = (
            ring.inner(),
            engine.alloc(ring.inner(), sum.shape()).unwrap(),
        );
        let key_digits = plan.mod_up().key_digits();
        engine.key_inner_product(
            inner,
            &mut out,
            digits.buf(),
            key.inner(),
            key_digits,
            rotate,
        );
        case.keep_buffer("key_inner_product", &out);
        for components in [0, 1, 2] {
            let addend: Poly<B, Eval> = case.poly(components.max(1) * batch, &window);
            let mut dst = engine
                .alloc(inner, &Shape::new(2 * batch, to.clone()))
                .unwrap();
            engine
                .mod_down_and_rescale(
                    inner,
                    &mut dst,
                    zeros.buf(),
                    (components > 0).then(|| addend.buf()),
                    rotate,
                    plan.mod_down(),
                )
                .unwrap();
            case.keep_buffer(&format!("mod_down, addend {components}"), &dst);
        }
        sum.add_assign(&zeros).unwrap();
        case.keep("input unchanged", &zeros);
        case.keep("sum", &sum);
    }
    case.results
}

#[test]
fn arithmetic_is_bit_exact() {
    for log_n in [3, 4, 6, 10] {
        let basis = toy(log_n);
        against_reference!(&format!("toy 2^{log_n}"), arithmetic(&basis));
    }
    let basis = chain(11, 3, 4, 2);
    against_reference!("chain 2^11", arithmetic(&basis));
}

#[test]
fn transforms_are_bit_exact() {
    for log_n in [3, 4, 5, 6, 7, 8, 9, 10, 12] {
        let basis = toy(log_n);
        against_reference!(&format!("toy 2^{log_n}"), transforms(&basis));
    }
    for log_n in [11, 12, 13, 14, 15, 16] {
        let basis = chain(log_n, 1, 1, 1);
        against_reference!(&format!("chain 2^{log_n}"), transforms(&basis));
    }
}

#[test]
fn conversions_are_bit_exact() {
    for log_n in [3, 5, 7] {
        let basis = toy(log_n);
        against_reference!(&format!("toy 2^{log_n}"), conversions(&basis));
    }
    let basis = chain(6, 4, 20, 14);
    against_reference!("many limbs", conversions(&basis));
    let basis = chain(13, 2, 4, 2);
    against_reference!("two kernels", conversions(&basis));
}

#[test]
fn key_switches_are_bit_exact() {
    for log_n in [3, 5, 8] {
        let basis = toy(log_n);
        against_reference!(&format!("toy 2^{log_n}"), key_switches(&basis, &[1, 2, 3]));
    }
    let basis = chain(6, 4, 16, 2);
    against_reference!("many digits", key_switches(&basis, &[1, 4]));
    let basis = chain(13, 2, 4, 2);
    against_reference!("two kernels", key_switches(&basis, &[2]));
}

#[test]
fn primitives_below_the_typed_layer_are_bit_exact() {
    let basis = toy(4);
    against_reference!("toy", below_the_typed_layer(&basis));
    let basis = chain(9, 3, 5, 2);
    against_reference!("chain", below_the_typed_layer(&basis));
}

/// Everything q - 1 (or within a `spread`-th of q below it), with as many digits and sources as there may be: the sums that kernels hold are the largest.
fn extremes<B: Backend>(engine: &B, basis: &Arc<RingBasis>, spread: u32) -> Results {
    let mut case = Case::new(engine, basis, 6);
    let ring = case.ring.clone();
    let fill = |polys: usize, limbs: &Limbs| -> Vec<u32> {
        let mut below = Words::new(23);
        let mut row = |limb| -> Vec<u32> {
            let q = basis.modulus(limb).value();
            let width = (q.checked_div(spread).unwrap_or(0) + 1) as u64;
            (0..basis.n())
                .map(|_| q - 1 - (below.next() % width) as u32)
                .collect()
        };
        (0..polys)
            .flat_map(|_| limbs.iter().flat_map(&mut row).collect::<Vec<u32>>())
            .collect()
    };
    let all = basis.all_limbs();
    let from = Limbs::new(basis.len() - 60..basis.len());
    let to = all.without(&from);
    let words = fill(1, &from);
    let x = Poly::<B, Coeff>::from_words(&ring, &Shape::new(1, from.clone()), &words).unwrap();
    for mode in [ConversionMode::Centred, ConversionMode::Quotient] {
        case.keep("convert", &x.base_convert(&to, mode).unwrap());
    }
    let digits = 60;
    let layout = KeyLayout {
        digits,
        limbs: all.clone(),
    };
    let key = Key::prepare(&ring, &layout, &fill(2 * digits, &all)).unwrap();
    for batch in [1, 4] {
        let shape = Shape::new(digits * batch, to.clone());
        let x = Poly::<B, Eval>::from_words(&ring, &shape, &fill(digits * batch, &to)).unwrap();
        let shape = shape.with_polys(2 * batch);
        let mut sum = engine.alloc(ring.inner(), &shape).unwrap();
        let key_digits: Vec<usize> = (0..digits).collect();
        let g = GaloisElement::IDENTITY;
        engine.key_inner_product(ring.inner(), &mut sum, x.buf(), key.inner(), &key_digits, g);
        case.keep_buffer("key_inner_product", &sum);
    }
    // Twenty digits of three rotations: sums are reduced on the way.
    let window = Limbs::new(0..60);
    let spec = KeySwitchSpec {
        groups: (0..20).map(|k| Limbs::new(3 * k..3 * k + 3)).collect(),
        special: all.without(&window),
    };
    let terms: Vec<_> = [1, -1, 2]
        .map(|k| (GaloisElement::rotation(k, basis.log_n()), Some(&key)))
        .into();
    for batch in [1, 4] {
        let shape = Shape::new(2 * batch, window.clone());
        let x = Poly::<B, Eval>::from_words(&ring, &shape, &fill(2 * batch, &window)).unwrap();
        for count in [2, 3] {
            let sum = x.rotation_sum(&terms[..count], &[], &spec, &window);
            case.keep("rotation_sum", &sum.unwrap());
        }
    }
    let shape = Shape::new(4, to.clone());
    let x = Poly::<B, Eval>::from_words(&ring, &shape, &fill(4, &to)).unwrap();
    let terms = [&x; 7];
    case.keep(
        "sum_of_products",
        &Poly::sum_of_products(&terms, &terms).unwrap(),
    );
    case.keep("weighted_sum", &Poly::weighted_sum(&terms, &terms).unwrap());
    case.keep("intt", &x.try_clone().unwrap().intt());
    let shape = Shape::new(4, to.clone());
    let y = Poly::<B, Coeff>::from_words(&ring, &shape, &fill(4, &to)).unwrap();
    case.keep("ntt", &y.ntt());
    case.results
}

#[test]
fn the_largest_sums_are_bit_exact() {
    let basis = chain(4, 2, 0, 64);
    against_reference!("1 modulo 2^16", extremes(&basis, 0));
    let mut moduli = crate::common::primes_below(1 << 30, 32, 64);
    moduli.insert(0, 97);
    let basis = RingBasis::new(&arras_hal::RingSpec { log_n: 4, moduli }).unwrap();
    against_reference!("the largest primes", extremes(&basis, 0));
    // Just above 2^32 / 5 the quotient of a high word is most often estimated one too small.
    let mut moduli = crate::common::primes_below(900_000_000, 32, 3);
    moduli.extend(
        (0..)
            .map(|k| 858_993_473 + 32 * k)
            .filter(|&q| is_prime(q))
            .take(64),
    );
    let basis = RingBasis::new(&arras_hal::RingSpec { log_n: 4, moduli }).unwrap();
    against_reference!("just above 2^32 / 5", extremes(&basis, 10));
}
