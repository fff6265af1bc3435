//! What happens at the limits of a device: memory, bindings, grids, order of uploads, faults; and dispatch counts.

use std::sync::Arc;

use crate::common::{Words, chain, engine, scenarios::Case, shared, spec, toy};
use arras_backend_gpu::{Arithmetic, GpuEngine, GpuError, GpuOptions};
use arras_hal::{
    Backend, Coeff, Eval, GaloisElement, HalErrorKind, Limbs, Poly, Reference, RingBasis, Shape,
};

/// Two ciphertext batches multiplied, relinearized, rescaled; then rotated, one by one and summed.
fn circuit<B: Backend>(engine: &B, basis: &Arc<RingBasis>, batch: usize) -> Vec<Vec<u32>> {
    let mut case = Case::new(engine, basis, 7);
    let spec = spec(basis, 2, 1);
    let window = Limbs::new(0..basis.len() - 2);
    let lower = Limbs::new(1..basis.len() - 2);
    let key = case.key(spec.groups.len());
    let a: Poly<B, Eval> = case.poly(2 * batch, &window);
    let b = case.poly(2 * batch, &window);
    let product = a.tensor(&b).unwrap();
    let product = product.relinearize(&key, &spec, &lower).unwrap();
    let g = GaloisElement::rotation(1, basis.log_n());
    let terms = [(GaloisElement::IDENTITY, None), (g, Some(&key))];
    let ext = lower.union(&spec.special);
    let weights = [1, 2 * batch].map(|polys| case.poly(polys, &ext));
    let weights = [&weights[0], &weights[1]];
    let mut results = vec![product.rotate(&key, g, &spec, &lower).unwrap()];
    results.extend(product.hoisted_rotations(&terms, &spec, &lower).unwrap());
    results.push(
        product
            .rotation_sum(&terms, &weights, &spec, &lower)
            .unwrap(),
    );
    results.push(product);
    results.iter().map(|p| p.to_words().unwrap()).collect()
}

#[test]
fn batches_and_keys_are_split_where_a_binding_would_not_fit() {
    // A kernel sees 60 rows: digits of a ciphertext are 6 x 8, a key is 8 x 6 x 2. The operands of 3 ciphertexts fit, those of 11
    // and 34 do not; at N = 2^4 their pieces do not begin where a binding may, and are copied.
    for (log_n, batch) in [(7, 3), (7, 11), (7, 34), (4, 11)] {
        let basis = chain(log_n, 2, 4, 2);
        let expected = circuit(&Reference::new(), &basis, batch);
        let binding = 60 * 4 * basis.n() as u64;
        let dispatches = [None, Some(binding)].map(|largest_binding| {
            let engine = engine(&GpuOptions {
                largest_binding,
                ..GpuOptions::default()
            })?;
            assert!(
                circuit(&engine, &basis, batch) == expected,
                "N = 2^{log_n}, {batch} ciphertexts, {largest_binding:?}"
            );
            if let Some(largest) = largest_binding {
                assert_eq!(engine.memory_report().largest_binding, largest);
            }
            Some(engine.dispatch_count())
        });
        assert!(
            dispatches[1] >= dispatches[0].map(|n| 2 * n),
            "{dispatches:?}"
        );
    }
}

#[test]
fn a_buffer_above_the_device_s_own_binding_limit_works() {
    let Some(engine) = shared(Arithmetic::Auto) else {
        return;
    };
    let report = engine.memory_report();
    let basis = chain(16, 0, 2, 0);
    let limbs = Limbs::new([0]);
    let polys = usize::try_from(report.largest_binding / (4 << 16)).unwrap() + 3;
    if report.largest_binding > 256 << 20 || report.largest_buffer <= (polys * 4) as u64 * 65536 {
        eprintln!(
            "skipped: bindings of this device are too large to exceed, or its buffers too small: {report:?}"
        );
        return;
    }
    let ring = crate::common::ring(&engine, &basis);
    let q = basis.modulus(0);
    let words: Vec<u32> = (0..polys << 16)
        .map(|i| (i as u32).wrapping_mul(2_654_435_761) % q.value())
        .collect();
    let x: Poly<_, Eval> = Poly::from_words(&ring, &Shape::new(polys, limbs), &words).unwrap();
    let doubled = x.add(&x).unwrap().to_words().unwrap();
    assert!(doubled.iter().zip(&words).all(|(d, &w)| *d == q.add(w, w)));
    let back = x.intt().ntt().to_words().unwrap();
    assert!(back == words);
}

#[test]
fn an_item_that_exceeds_a_binding_is_an_error_that_says_what_fits() {
    // Extended digits of one ciphertext are 48 rows, but all operands fit.
    let largest = 40 * 4 * 128;
    let Some(engine) = engine(&GpuOptions {
        largest_binding: Some(largest),
        ..GpuOptions::default()
    }) else {
        return;
    };
    let basis = chain(7, 2, 4, 2);
    let x: Poly<_, Eval> = Case::new(&engine, &basis, 3).poly(1, &Limbs::new(0..6));
    let refused = x.mod_up(&spec(&basis, 2, 1)).unwrap_err();
    assert!(
        matches!(refused.kind(), HalErrorKind::OutOfMemory { bytes, available, .. }
            if *bytes == 48 * 512 && *available == largest),
        "{refused}"
    );
    assert!(x.add(&x).unwrap().to_words().is_ok());
}

#[test]
fn large_rings_are_bit_exact() {
    let Some(engine) = shared(Arithmetic::Auto) else {
        return;
    };
    for log_n in [15, 16] {
        let basis = chain(log_n, 1, 2, 2);
        assert!(
            circuit(&engine, &basis, 1) == circuit(&Reference::new(), &basis, 1),
            "N = 2^{log_n}"
        );
    }
}

#[test]
fn multiplication_takes_few_dispatches() {
    let Some(engine) = engine(&GpuOptions::default()) else {
        return;
    };
    // N = 2^13: a transform is two kernels.
    let basis = chain(13, 2, 4, 2);
    let mut case = Case::new(&engine, &basis, 9);
    let spec = spec(&basis, 2, 2);
    let window = Limbs::new(0..6);
    let lower = Limbs::new(1..6);
    let key = case.key(spec.groups.len());
    let a: Poly<_, Eval> = case.poly(4, &window);
    let b = case.poly(4, &window);
    let count = |run: &dyn Fn()| {
        let before = engine.dispatch_count();
        run();
        engine.dispatch_count() - before
    };
    let g = GaloisElement::rotation(1, 13);
    let multiply = count(&|| {
        let product = a.tensor(&b).unwrap();
        drop(product.relinearize(&key, &spec, &lower).unwrap());
    });
    let rotate = count(&|| drop(a.rotate(&key, g, &spec, &window).unwrap()));
    let rescale = count(&|| drop(a.rescale(&lower).unwrap()));
    let terms = [g; 8].map(|g| (g, Some(&key)));
    let hoisted = count(&|| drop(a.hoisted_rotations(&terms, &spec, &window).unwrap()));
    let summed = count(&|| drop(a.rotation_sum(&terms, &[], &spec, &window).unwrap()));
    assert_eq!(
        (multiply, rotate, rescale, hoisted, summed),
        (12, 11, 5, 5 + 8 + 4 + 8, 5 + 3 + 5)
    );
}

#[test]
fn dispatches_are_folded_above_the_grid_limit() {
    let Some(engine) = shared(Arithmetic::Auto) else {
        return;
    };
    let basis = toy(3);
    fn work<B: Backend>(engine: &B, basis: &Arc<RingBasis>) -> Vec<u32> {
        let x: Poly<B, Coeff> = Case::new(engine, basis, 11).poly(70_001, &Limbs::new([1, 8]));
        let y = x.ntt();
        let z = y.mul(&y).unwrap().add(&y).unwrap();
        z.rescale(&Limbs::new([1])).unwrap().to_words().unwrap()
    }
    assert!(work(&engine, &basis) == work(&Reference::new(), &basis));
}

#[test]
fn entries_beyond_one_window_of_parameters_are_split() {
    let Some(engine) = engine(&GpuOptions::default()) else {
        return;
    };
    // 30 digits over 32 limbs: 960 rows of digits in one transform.
    let basis = chain(5, 6, 24, 2);
    fn run<B: Backend>(engine: &B, basis: &Arc<RingBasis>) -> Vec<u32> {
        let x: Poly<B, Eval> = Case::new(engine, basis, 13).poly(1, &Limbs::new(0..30));
        x.mod_up(&spec(basis, 2, 1)).unwrap().to_words().unwrap()
    }
    let before = engine.dispatch_count();
    let got = run(&engine, &basis);
    // One inverse transform, two conversions, two transforms, one copy.
    assert_eq!(engine.dispatch_count() - before, 6);
    assert!(got == run(&Reference::new(), &basis));
}

#[test]
fn an_upload_does_not_overtake_what_is_recorded() {
    let Some(engine) = engine(&GpuOptions::default()) else {
        return;
    };
    let basis = toy(8);
    let ring = crate::common::ring(&engine, &basis);
    let limbs = Limbs::new([0, 5]);
    let mut words = Words::new(17);
    let mut sums = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..200 {
        let a = words.rows(&basis, 1, &limbs);
        let shape = Shape::new(1, limbs.clone());
        let x: Poly<_, Eval> = Poly::from_words(&ring, &shape, &a).unwrap();
        // x's memory goes back to the pool while the copy is only recorded; the next upload takes it.
        sums.push(x.try_clone().unwrap());
        expected.push(a);
    }
    for (sum, expected) in sums.iter().zip(&expected) {
        assert!(sum.to_words().unwrap() == *expected);
    }
    // Every upload met a pending reader and was preceded by a submission; the submission was never larger than its bound.
    assert!(engine.submit_count() >= 200);
    // x's place served the next x, again and again: 200 sums, a few tables, few others.
    let report = engine.memory_report();
    assert!(
        report.handed_out >= 400 && report.created < 220,
        "{report:?}"
    );
}

#[test]
fn allocation_beyond_the_limit_is_an_error_and_the_engine_goes_on() {
    let Some(engine) = engine(&GpuOptions {
        memory_limit: Some(1 << 20),
        ..GpuOptions::default()
    }) else {
        return;
    };
    let basis = toy(8);
    let ring = crate::common::ring(&engine, &basis);
    let limbs = Limbs::new([0]);
    let fits = Shape::new(100, limbs.clone());
    let too_large = Shape::new(2000, limbs);
    let held = Poly::<_, Eval>::zeros(&ring, &fits).unwrap();
    let refused = Poly::<_, Eval>::zeros(&ring, &too_large).unwrap_err();
    let HalErrorKind::OutOfMemory {
        bytes, available, ..
    } = refused.kind()
    else {
        panic!("{refused}");
    };
    assert_eq!(*bytes, 2000 * 256 * 4);
    assert!(*available < *bytes);
    let report = engine.memory_report();
    assert!(report.in_use + available == 1 << 20 && report.limit == Some(1 << 20));
    // Memory that was given back is found again, in another size too.
    drop(held);
    for polys in [300, 500, 700, 600] {
        let x = Poly::<_, Eval>::zeros(&ring, &fits.with_polys(polys)).unwrap();
        assert!(x.to_words().unwrap().iter().all(|&w| w == 0));
    }
    let report = engine.memory_report();
    assert!(report.peak <= 1 << 20 && report.in_use + report.pooled <= 1 << 20);
}

#[test]
fn room_is_looked_for_before_much_is_loaded() {
    let Some(engine) = engine(&GpuOptions {
        memory_limit: Some(512 << 20),
        ..GpuOptions::default()
    }) else {
        return;
    };
    let before = engine.memory_report();
    engine.make_room(300 << 20).unwrap();
    assert_eq!(engine.memory_report().in_use, before.in_use);
    let basis = toy(8);
    let ring = crate::common::ring(&engine, &basis);
    let held = Poly::<_, Eval>::zeros(&ring, &Shape::new(1000, Limbs::new([0]))).unwrap();
    let in_use = engine.memory_report().in_use;
    let refused = engine.make_room(512 << 20).unwrap_err();
    assert_eq!(
        *refused.kind(),
        HalErrorKind::OutOfMemory {
            engine: engine.name(),
            bytes: 512 << 20,
            available: (512 << 20) - in_use,
        }
    );
    // More than any machine has: the driver refuses, and the engine goes on.
    let engine = crate::common::engine(&GpuOptions::default()).unwrap();
    let refused = engine.make_room(1 << 50).unwrap_err();
    assert!(
        matches!(refused.kind(), HalErrorKind::OutOfMemory { available, .. } if *available < 1 << 50),
        "{refused}"
    );
    let ring = crate::common::ring(&engine, &basis);
    assert!(
        Poly::<_, Eval>::zeros(&ring, held.shape())
            .unwrap()
            .to_words()
            .is_ok()
    );
}

#[test]
fn allocation_beyond_one_buffer_is_an_error_that_says_so() {
    let Some(engine) = shared(Arithmetic::Auto) else {
        return;
    };
    let basis = toy(10);
    let ring = crate::common::ring(&engine, &basis);
    let largest = engine.memory_report().largest_buffer;
    let polys = usize::try_from(largest / 4096).unwrap() + 1;
    let shape = Shape::new(polys, Limbs::new([0]));
    let refused = Poly::<_, Eval>::zeros(&ring, &shape).unwrap_err();
    assert!(
        matches!(refused.kind(), HalErrorKind::OutOfMemory { available, .. } if *available == largest),
        "{refused}"
    );
    ring.sync().unwrap();
}

#[test]
fn a_device_destroyed_in_mid_run_is_an_error_at_every_later_wait() {
    let Some(engine) = engine(&GpuOptions::default()) else {
        return;
    };
    let basis = chain(12, 1, 3, 2);
    let mut case = Case::new(&engine, &basis, 19);
    let (ring, limbs) = (case.ring.clone(), basis.all_limbs());
    let x: Poly<_, Eval> = case.poly(2, &limbs);
    let mut sum = x.try_clone().unwrap();
    for step in 0..300 {
        if step == 200 {
            engine.destroy_device();
        }
        let Ok(()) = sum.add_assign(&x) else {
            continue;
        };
    }
    for _ in 0..2 {
        let lost = sum.to_words().unwrap_err();
        assert!(matches!(lost.kind(), HalErrorKind::Device { .. }), "{lost}");
        let owed = ring.sync().unwrap_err();
        assert!(matches!(owed.kind(), HalErrorKind::Device { .. }));
    }
    // Nothing panics on a lost device, wherever it is noticed.
    let upload = Poly::<_, Eval>::from_words(&ring, x.shape(), &case.words.rows(&basis, 2, &limbs));
    assert!(upload.and_then(|y| y.add(&x)?.to_words()).is_err());
    // A new engine works.
    let fresh = crate::common::ring(
        &crate::common::engine(&GpuOptions::default()).unwrap(),
        &basis,
    );
    assert!(
        Poly::<_, Eval>::zeros(&fresh, x.shape())
            .unwrap()
            .to_words()
            .is_ok()
    );
}

#[test]
fn an_adapter_that_is_not_there_is_an_error_that_lists_what_is() {
    let options = GpuOptions {
        adapter: Some("no such adapter".into()),
        ..GpuOptions::default()
    };
    let error = GpuEngine::new(&options).unwrap_err();
    assert!(matches!(error, GpuError::NoAdapter { .. }));
    let message = error.to_string();
    assert!(message.contains("no such adapter"), "{message}");
    for adapter in arras_backend_gpu::adapters() {
        assert!(message.contains(&adapter.name), "{message}");
    }
    if let Some(engine) = shared(Arithmetic::Auto) {
        let part = engine.adapter().name.to_uppercase();
        let again = GpuEngine::new(&GpuOptions {
            adapter: Some(part[..4].into()),
            ..GpuOptions::default()
        })
        .unwrap();
        assert_eq!(again.adapter(), engine.adapter());
        assert!(again.reason().contains("usable"), "{}", again.reason());
    }
}
