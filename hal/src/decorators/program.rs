//! A small program on the typed layer, for tests: every engine must give the same words.

use std::sync::Arc;

use crate::{
    Backend, Coeff, ConversionMode, Eval, GaloisElement, Key, KeyLayout, KeySwitchSpec, Limbs,
    Poly, Result, Ring, RingBasis, RingSpec, Shape, is_prime,
};

const LOG_N: u32 = 4;
/// Limbs 0 to 3 in digits of two, limbs 4 and 5 special.
const WINDOW: usize = 4;
const PRIMES: usize = 6;

/// Over the largest primes q = 1 mod 2^17 below 2^30.
pub(crate) fn basis() -> Arc<RingBasis> {
    let candidates = (1..1u32 << 13).rev().map(|k| (k << 17) + 1);
    let primes = candidates.filter(|&q| is_prime(q));
    let moduli = primes.take(PRIMES).collect();
    RingBasis::new(&RingSpec {
        log_n: LOG_N,
        moduli,
    })
    .unwrap()
}

/// Residues from a linear congruential generator, the same for the same seed.
pub(crate) fn words(basis: &RingBasis, shape: &Shape, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    (0..shape.words(basis.n()))
        .map(|i| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let limb = shape.limbs.at(i / basis.n() % shape.limbs.len());
            ((state >> 33) % u64::from(basis.modulus(limb).value())) as u32
        })
        .collect()
}

pub(crate) fn window() -> Limbs {
    Limbs::new(0..WINDOW)
}

fn random<B: Backend>(ring: &Arc<Ring<B>>, polys: usize, seed: u64) -> Result<Poly<B, Eval>> {
    let shape = Shape::new(polys, window());
    Poly::from_words(ring, &shape, &words(ring.basis(), &shape, seed))
}

/// Runs the program, which calls every operation of the table; the downloads of its results, each with a name.
pub(crate) fn run<B: Backend>(engine: B) -> Result<Vec<(&'static str, Vec<u32>)>> {
    let ring = Ring::new(engine, &basis())?;
    let spec = KeySwitchSpec {
        groups: vec![Limbs::new(0..2), Limbs::new(2..4)],
        special: Limbs::new(WINDOW..PRIMES),
    };
    let layout = KeyLayout {
        digits: 2,
        limbs: ring.basis().all_limbs(),
    };
    let key = |seed| {
        let shape = Shape::new(4, layout.limbs.clone());
        Key::prepare(&ring, &layout, &words(ring.basis(), &shape, seed))
    };
    let (key, other_key) = (key(1)?, key(2)?);
    let left = GaloisElement::rotation(1, LOG_N);
    let right = GaloisElement::rotation(-2, LOG_N);
    let lower = Limbs::new(0..WINDOW - 1);
    let constants = ring.basis().constants(&window(), |q| q.value() / 3);

    let shape = Shape::new(2, window());
    let a = Poly::<B, Coeff>::from_words(&ring, &shape, &words(ring.basis(), &shape, 3))?.ntt();
    let b = random(&ring, 2, 4)?;
    let product = a.tensor(&b)?;
    let linear = product.relinearize(&key, &spec, &window())?;
    let dropped = product.relinearize(&key, &spec, &lower)?;
    let rotated = a.rotate(&key, left, &spec, &window())?;
    let terms = [
        (left, Some(&key)),
        (GaloisElement::IDENTITY, None),
        (right, Some(&other_key)),
    ];
    let hoisted = a.hoisted_rotations(&terms, &spec, &window())?;
    let unweighted = a.rotation_sum(&terms, &[], &spec, &window())?;
    let wide = Shape::new(1, ring.basis().all_limbs());
    let weights = [5, 6, 7]
        .map(|seed| Poly::<B, Eval>::from_words(&ring, &wide, &words(ring.basis(), &wide, seed)));
    let [w0, w1, w2] = weights;
    let (w0, w1, w2) = (w0?, w1?, w2?);
    let weighted = a.rotation_sum(&terms, &[&w0, &w1, &w2], &spec, &lower)?;
    let rescaled = a.rescale(&lower)?;
    let sums = Poly::sum_of_products(&[&a, &b], &[&b, &linear])?;
    let mut acc = Poly::<B, Eval>::zeros(&ring, &shape)?;
    acc.add_assign(&a)?;
    acc.mul_acc(&a, &random(&ring, 1, 8)?)?;
    let joined = Poly::concat(&[&acc.sub(&b)?, &rotated.neg()?])?;
    let moved = joined.pick(&[3, 0])?.automorphism(right)?;
    let switched = b.select(0..1, &window())?.key_switch(
        Some(&a.select(1..2, &window())?),
        &other_key,
        right,
        &spec,
        &window(),
    )?;
    let weighted_terms = Poly::weighted_sum(&[&a, &b], &[&b, &acc])?;
    let digits = a.select(0..1, &window())?.mod_up(&spec)?;
    let mut linear_combination = a.add(&b.scale(&constants)?)?;
    linear_combination.sub_assign(&rotated)?;
    linear_combination.mul_assign(&acc)?;
    linear_combination.scale_assign(&constants)?;
    let shifted = product
        .add_leading(&linear, 2)?
        .add_constants(&constants, 1)?;
    let narrowed = a.restrict_and_scale(&ring.basis().constants(&lower, |q| q.value() / 5))?;
    let square = a.mul(&a)?;
    // Two operations that the typed layer reaches through composites only.
    let plan = ring.basis().key_switch_plan(&spec, &window(), &window())?;
    let (e, r) = (ring.engine(), ring.inner());
    let mut inner = Poly::<B, Eval>::output(&ring, &Shape::new(2, plan.ext().clone()))?;
    let key_digits = plan.mod_up().key_digits();
    e.key_inner_product(
        r,
        &mut inner.buf,
        digits.buf(),
        key.inner(),
        key_digits,
        left,
    );
    let mut down = Poly::<B, Eval>::output(&ring, &shape)?;
    let addend = Some(a.buf());
    e.mod_down_and_rescale(r, &mut down.buf, inner.buf(), addend, left, plan.mod_down())?;
    let coefficients = a.intt();
    let converted = coefficients.base_convert(&spec.special, ConversionMode::Centred)?;

    let mut results = vec![
        ("tensor", product.to_words()?),
        ("relinearize", linear.to_words()?),
        ("relinearize and rescale", dropped.to_words()?),
        ("rotate", rotated.to_words()?),
        ("rotation_sum", unweighted.to_words()?),
        ("weighted rotation_sum", weighted.to_words()?),
        ("rescale", rescaled.to_words()?),
        ("sum_of_products", sums.to_words()?),
        ("concat", joined.to_words()?),
        ("automorphism", moved.to_words()?),
        ("key_switch", switched.to_words()?),
        ("weighted_sum", weighted_terms.to_words()?),
        ("mod_up", digits.to_words()?),
        ("linear combination", linear_combination.to_words()?),
        ("add_leading and add_constants", shifted.to_words()?),
        ("restrict_and_scale", narrowed.to_words()?),
        ("mul", square.to_words()?),
        ("key_inner_product", inner.to_words()?),
        ("mod_down_and_rescale", down.to_words()?),
        ("intt", coefficients.to_words()?),
        ("base_convert", converted.to_words()?),
    ];
    for rotation in &hoisted {
        results.push(("hoisted_rotations", rotation.to_words()?));
    }
    ring.sync()?;
    Ok(results)
}

/// The program on the reference engine.
pub(crate) fn expected() -> Vec<(&'static str, Vec<u32>)> {
    run(crate::Reference).unwrap()
}

#[test]
fn the_program_is_consistent() {
    let results = expected();
    let hoisted: Vec<_> = results
        .iter()
        .filter(|(name, _)| *name == "hoisted_rotations")
        .collect();
    let rotate = results.iter().find(|(name, _)| *name == "rotate").unwrap();
    assert_eq!(hoisted[0].1, rotate.1, "a hoisted rotation is a rotation");
    let basis = basis();
    let shape = Shape::new(2, window());
    let a = words(&basis, &shape, 3);
    let intt = results.iter().find(|(name, _)| *name == "intt").unwrap();
    assert_eq!(intt.1, a, "intt undoes ntt");
    // The identity in a hoisted list returns its input; compare in the coefficient domain.
    let ring = Ring::new(crate::Reference, &basis).unwrap();
    let identity = Poly::<_, Eval>::from_words(&ring, &shape, &hoisted[1].1).unwrap();
    assert_eq!(identity.intt().to_words().unwrap(), a);
}
