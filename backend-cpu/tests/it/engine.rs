//! What the conformance suite does not ask of every engine: threads, SIMD levels, sizes, settings.

use crate::common::Rig;
use arras_backend_cpu::{CpuEngine, CpuError, SimdLevel};
use arras_hal::{Backend, Coeff, GaloisElement, Limbs, Poly, Reference, Shape};

fn engine(threads: usize, level: SimdLevel) -> CpuEngine {
    let builder = CpuEngine::builder().threads(threads).simd(level);
    builder.build().unwrap()
}

/// Every fused composite, on a batch of three.
fn outputs<B: Backend>(engine: B, log_n: u32) -> Vec<Vec<u32>> {
    let rig = Rig::new(engine, log_n);
    let (a, b, key) = (rig.poly(6, 1), rig.poly(6, 2), rig.key(3));
    let g = |k| GaloisElement::rotation(k, log_n);
    let terms = [(g(1), Some(&key)), (g(0), None), (g(-2), Some(&key))];
    let weights: Vec<_> = (0..3)
        .map(|k| rig.wide(1 + 2 * (k as usize % 2), k))
        .collect();
    let weights: Vec<_> = weights.iter().collect();
    let product = a.tensor(&b).unwrap();
    let mut all = vec![
        Poly::sum_of_products(&[&a, &b, &a], &[&b, &b, &a]).unwrap(),
        Poly::weighted_sum(&[&a, &b], &[&b, &rig.poly(2, 9)]).unwrap(),
        product.relinearize(&key, &rig.spec, &rig.lower).unwrap(),
        a.rotate(&key, g(3), &rig.spec, &rig.window).unwrap(),
        a.rescale(&rig.lower).unwrap(),
        a.rotation_sum(&terms, &weights, &rig.spec, &rig.lower)
            .unwrap(),
        a.rotation_sum(&terms, &[], &rig.spec, &rig.window).unwrap(),
        product,
    ];
    all.extend(a.hoisted_rotations(&terms, &rig.spec, &rig.lower).unwrap());
    all.iter().map(|p| p.to_words().unwrap()).collect()
}

#[test]
fn threads_and_levels_do_not_change_a_bit() {
    for log_n in [3, 6, 7, 9, 13] {
        let expected = outputs(Reference::new(), log_n);
        for level in SimdLevel::available() {
            for threads in [1, 2, 3, 7] {
                let got = outputs(engine(threads, level), log_n);
                assert!(got == expected, "N = 2^{log_n}, {level}, {threads} threads");
            }
        }
    }
}

#[test]
fn transforms_of_every_size() {
    for log_n in 3..=17 {
        let limbs = Limbs::new([0, 2, 8]);
        let reference = Rig::new(Reference::new(), log_n);
        let shape = Shape::new(1, limbs.clone());
        let mut words = crate::common::words(reference.ring.basis(), &shape, 5);
        // The largest residues everywhere: where a lazy bound would break.
        for (x, limb) in words.chunks_mut(1 << log_n).zip(limbs.iter()).skip(1) {
            x.fill(reference.ring.basis().modulus(limb).value() - 1);
        }
        let poly = Poly::<_, Coeff>::from_words(&reference.ring, &shape, &words).unwrap();
        let image = poly.ntt();
        let expected = image.to_words().unwrap();
        // Reads what it inverts where it is.
        let kept = Limbs::new([0, 2]);
        let rescaled = image.rescale(&kept).unwrap().to_words().unwrap();
        for level in SimdLevel::available() {
            let rig = Rig::new(engine(1, level), log_n);
            let poly = Poly::<_, Coeff>::from_words(&rig.ring, &shape, &words).unwrap();
            let image = poly.ntt();
            assert!(image.to_words().unwrap() == expected, "2^{log_n}, {level}");
            assert!(
                image.rescale(&kept).unwrap().to_words().unwrap() == rescaled,
                "2^{log_n}, {level}"
            );
            assert!(
                image.intt().to_words().unwrap() == words,
                "2^{log_n}, {level}"
            );
        }
    }
}

#[test]
fn settings() {
    let error = CpuEngine::with_threads(0).unwrap_err();
    assert!(matches!(error, CpuError::NoThreads));
    assert!(error.to_string().contains("at least 1"));
    assert_eq!(engine(1, SimdLevel::Scalar).name(), "cpu, 1 thread, scalar");
    assert_eq!(
        engine(3, SimdLevel::Scalar).name(),
        "cpu, 3 threads, scalar"
    );
    let engine = CpuEngine::new();
    assert_eq!(engine.simd_level(), SimdLevel::detect());
    assert!(engine.threads() >= 1);
    for level in SimdLevel::ALL {
        let built = CpuEngine::builder().simd(level).build();
        assert_eq!(built.is_ok(), level.is_available());
    }
}

#[test]
fn clones_share_memory_and_trim_gives_it_back() {
    let engine = CpuEngine::with_threads(1).unwrap();
    let rig = Rig::new(engine.clone(), 8);
    drop(rig.poly(2, 1));
    assert!(engine.pool_stats().idle_bytes >= 2 * 6 * 4 * 256);
    engine.trim();
    assert_eq!(engine.pool_stats().idle_bytes, 0);
}
