use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::*;
use crate::{
    Counting, Eval, Limbs, OPERATIONS, Poly, Reference, Ring, Traced,
    decorators::{Tampered, program},
    reference::{ReferenceBuf, ReferenceRing},
};

/// Replaces word 5 of the last row of a buffer by `word` of it, in `domain`.
fn corrupt<B: Backend>(
    e: &B,
    ring: &B::Ring,
    buf: &mut B::Buf,
    domain: Domain,
    word: impl Fn(u32) -> u32,
) {
    let shape = e.shape(buf).clone();
    let mut words = vec![0; shape.words(e.basis(ring).n())];
    e.download(ring, buf, domain, &mut words).unwrap();
    let at = words.len() - e.basis(ring).n() + 5;
    words[at] = word(words[at]);
    *buf = e.upload(ring, &shape, domain, &words).unwrap();
}

/// The domain of an operation's first call in the program.
fn domain_after(op: &str) -> Domain {
    if ["intt", "base_convert"].contains(&op) {
        Domain::Coeff
    } else {
        Domain::Eval
    }
}

/// The reference engine with a wrong word in the last output of every call of `op`.
fn wrong(op: &'static str) -> Tampered<Reference> {
    Tampered::new(Reference).after(move |name, e, ring, outputs| {
        if name == op {
            let buf = outputs.last_mut().unwrap();
            let domain = domain_after(op);
            corrupt(e, ring, buf, domain, |w| if w == 0 { 1 } else { w - 1 });
        }
    })
}

#[test]
fn equal_engines_pass_and_give_the_same_words() {
    let engine = Checked::new(Reference, Reference);
    assert_eq!(program::run(engine.clone()).unwrap(), program::expected());
    assert_eq!(engine.first_mismatch(), None);
    assert!(engine.operations() > 20);
    assert_eq!(engine.name(), "reference, checked by reference");
}

#[test]
fn decorators_nest() {
    let counting = Counting::new(Reference);
    let inner = Checked::new(counting.clone(), Traced::new(Reference));
    let outer = Counting::new(Traced::new(Checked::new(inner.clone(), Reference)));
    assert_eq!(program::run(outer.clone()).unwrap(), program::expected());
    assert_eq!(inner.first_mismatch(), None);
    assert_eq!(outer.counts().calls("hoisted_rotations"), 1);
    assert_eq!(counting.counts().calls("hoisted_rotations"), 1);
    assert_eq!(
        counting.counts().calls("mod_up"),
        1,
        "the program's own only"
    );
}

#[test]
fn a_wrong_result_of_any_operation_is_named() {
    // `copy_rows` also poisons, where the output may hide a wrong word; it has its own test.
    for &op in OPERATIONS.iter().filter(|&&op| op != "copy_rows") {
        let engine = Checked::new(wrong(op), Reference);
        let error = program::run(engine.clone()).unwrap_err();
        let found = engine.first_mismatch().expect(op);
        assert_eq!(
            *error.kind(),
            HalErrorKind::Mismatch(Box::new(found.clone()))
        );
        assert_eq!((found.op, found.kind), (op, MismatchKind::Output));
        assert_eq!(found.index, 5);
        assert_eq!(found.output, if op == "hoisted_rotations" { 2 } else { 0 });
        assert_eq!(found.domain, domain_after(op));
        assert_ne!(found.got, found.expected);
    }
}

#[test]
fn the_place_of_a_wrong_word_is_exact_and_the_error_stays() {
    let engine = Checked::new(wrong("add"), Reference);
    let ring = Ring::new(engine.clone(), &program::basis()).unwrap();
    let shape = Shape::new(3, Limbs::new([0, 2, 5]));
    let words = program::words(ring.basis(), &shape, 1);
    let a = Poly::<_, Eval>::from_words(&ring, &shape, &words).unwrap();
    let difference = a.sub(&a).unwrap();
    assert!(difference.to_words().unwrap().iter().all(|&w| w == 0));
    let sum = a.add(&difference).unwrap();
    // One more operation before the wait: the first fault counts, not the last.
    let _product = sum.mul(&a).unwrap();
    for wait in [sum.to_words().map(|_| ()), ring.sync(), ring.sync()] {
        let HalErrorKind::Mismatch(found) = wait.unwrap_err().into_kind() else {
            panic!("not a mismatch");
        };
        assert_eq!((found.op, found.op_index, found.output), ("add", 1, 0));
        assert_eq!((found.poly, found.limb, found.index), (2, 5, 5));
        assert_eq!(found.expected, words[8 * 16 + 5]);
        let got = found.expected.checked_sub(1).unwrap_or(1);
        assert_eq!(found.got, got);
    }
    let text = engine.first_mismatch().unwrap().to_string();
    assert!(
        text.starts_with("add: operation number 1, output 0: polynomial 2, limb 5, index 5"),
        "{text}"
    );
}

#[test]
fn a_residue_that_is_not_canonical_is_a_fault_even_if_congruent() {
    let basis = program::basis();
    let q = basis.modulus(0).value();
    let engine = Tampered::new(Reference).after(move |op, e, ring, outputs| {
        if op == "scale_assign" {
            corrupt(e, ring, outputs[0], Domain::Eval, |w| w + q);
        }
    });
    let engine = Checked::new(engine, Reference);
    let ring = Ring::new(engine.clone(), &basis).unwrap();
    let shape = Shape::new(1, Limbs::new([0]));
    let words = program::words(&basis, &shape, 1);
    let mut a = Poly::<_, Eval>::from_words(&ring, &shape, &words).unwrap();
    a.scale_assign(&basis.constants(&shape.limbs, |_| 1))
        .unwrap();
    let found = engine.first_mismatch().unwrap();
    assert_eq!(found.kind, MismatchKind::NotCanonical);
    assert_eq!((found.got, found.expected), (words[5] + q, words[5]));
    assert!(
        a.to_words()
            .unwrap_err()
            .to_string()
            .contains("not below its modulus")
    );
}

#[test]
fn an_input_that_changes_is_a_fault() {
    // After `mul`, the second download is that of the first input.
    let (armed, downloads) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let arm = armed.clone();
    let engine = Tampered::new(Reference)
        .after(move |op, _, _, _| {
            if op == "mul" {
                arm.store(true, Ordering::Relaxed);
            }
        })
        .on_download(move |words| {
            if armed.load(Ordering::Relaxed) && downloads.fetch_add(1, Ordering::Relaxed) == 1 {
                words[20] ^= 1;
            }
            Ok(())
        });
    let engine = Checked::new(engine, Reference);
    let ring = Ring::new(engine.clone(), &program::basis()).unwrap();
    let shape = Shape::new(1, program::window());
    let words = program::words(ring.basis(), &shape, 1);
    let a = Poly::<_, Eval>::from_words(&ring, &shape, &words).unwrap();
    a.mul(&a.add(&a).unwrap()).unwrap();
    let found = engine.first_mismatch().unwrap();
    assert_eq!((found.kind, found.op), (MismatchKind::InputChanged, "mul"));
    assert_eq!((found.output, found.limb, found.index), (0, 1, 4));
    assert_eq!((found.got, found.expected), (words[20] ^ 1, words[20]));
}

#[test]
fn partly_written_buffers_are_compared_and_unwritten_ones_are_not() {
    let engine = Checked::new(Reference, Reference);
    let basis = program::basis();
    let ring = engine.ring(&basis).unwrap();
    let shape = Shape::new(2, program::window());
    let words = program::words(&basis, &shape, 1);
    let src = engine.upload(&ring, &shape, Domain::Coeff, &words).unwrap();
    let mut dst = engine.alloc(&ring, &shape).unwrap();
    let rows = composites::rows([(1, 0)].into_iter(), [(2, 3)].into_iter());
    engine.copy_rows(&ring, &mut dst, &src, &rows);
    let mut out = vec![0; words.len()];
    engine
        .download(&ring, &dst, Domain::Coeff, &mut out)
        .unwrap();
    assert_eq!(out[6 * 16..7 * 16], words[3 * 16..4 * 16]);
    assert!(out[..16].iter().all(|&w| w == out[0] && w != 0), "poison");
    // The reference fills fresh buffers with words that are no residues.
    let (mut sum, fresh) = (
        engine.alloc(&ring, &shape).unwrap(),
        engine.alloc(&ring, &shape).unwrap(),
    );
    engine.add(&ring, &mut sum, &src, &fresh);
    engine.sync().unwrap();
    assert_eq!(engine.first_mismatch(), None);
}

/// The reference engine with outputs of `op` that `mix` makes of the words before and after the operation.
fn remembering(
    op: &'static str,
    mix: impl Fn(u32, u32) -> u32 + Send + Sync + 'static,
) -> Tampered<Reference> {
    fn read(ring: &ReferenceRing, buf: &ReferenceBuf) -> Vec<u32> {
        let e = Reference;
        let mut words = vec![0; e.shape(buf).words(e.basis(ring).n())];
        e.download(ring, buf, Domain::Eval, &mut words).unwrap();
        words
    }
    let before = Arc::new(Mutex::new(Vec::new()));
    let kept = before.clone();
    Tampered::new(Reference)
        .before(move |name, _, ring, outputs| {
            if name == op {
                *kept.lock().unwrap() = read(ring, outputs[0]);
            }
        })
        .after(move |name, e, ring, outputs| {
            if name == op {
                let after = read(ring, outputs[0]);
                let before = before.lock().unwrap();
                let mixed: Vec<u32> = before.iter().zip(after).map(|(&b, a)| mix(b, a)).collect();
                let shape = e.shape(outputs[0]).clone();
                *outputs[0] = e.upload(ring, &shape, Domain::Eval, &mixed).unwrap();
            }
        })
}

#[test]
fn an_engine_that_skips_writes_or_adds_where_it_should_assign_is_found() {
    type Program = fn(&Poly<Checked<Tampered<Reference>, Reference>, Eval>);
    let first = |engine: Tampered<Reference>, program: Program| {
        let engine = Checked::new(engine, Reference);
        let ring = Ring::new(engine.clone(), &program::basis()).unwrap();
        let shape = Shape::new(2, program::window());
        let words = program::words(ring.basis(), &shape, 1);
        program(&Poly::from_words(&ring, &shape, &words).unwrap());
        let found = engine.first_mismatch().unwrap();
        (found.op, found.index)
    };
    let skipped = |op, program: Program| first(remembering(op, |before, _| before), program);
    let copy: Program = |a| drop(a.try_clone().unwrap());
    let neg: Program = |a| drop(a.neg().unwrap());
    let tensor: Program = |a| drop(a.tensor(a).unwrap());
    assert_eq!(skipped("copy_rows", copy), ("copy_rows", 0));
    assert_eq!(skipped("neg", neg), ("neg", 0));
    let adds = remembering("tensor", u32::wrapping_add);
    assert_eq!(first(adds, tensor), ("tensor", 0));
}

#[test]
fn errors_met_while_comparing_come_out_of_the_next_wait_once() {
    let failing = Arc::new(AtomicBool::new(false));
    let fails = failing.clone();
    let engine = Tampered::new(Reference).on_download(move |_| {
        if fails.load(Ordering::Relaxed) {
            return Err(HalErrorKind::Device {
                engine: "test".into(),
                message: "lost".into(),
            }
            .into());
        }
        Ok(())
    });
    let engine = Checked::new(engine, Reference);
    let ring = Ring::new(engine.clone(), &program::basis()).unwrap();
    let shape = Shape::new(1, program::window());
    let a = Poly::<_, Eval>::zeros(&ring, &shape).unwrap();
    failing.store(true, Ordering::Relaxed);
    let _sum = a.add(&a).unwrap();
    failing.store(false, Ordering::Relaxed);
    let owed = ring.sync().unwrap_err();
    assert!(matches!(owed.kind(), HalErrorKind::Device { .. }));
    assert_eq!(ring.sync(), Ok(()));
    assert_eq!(engine.first_mismatch(), None);
}

#[test]
fn secret_engines_stay_secret_engines() {
    fn run<B: SecretEngine>(engine: B) -> Vec<u32> {
        let ring = Ring::new(engine, &program::basis()).unwrap();
        let shape = Shape::new(1, program::window());
        let words = program::words(ring.basis(), &shape, 1);
        let a = Poly::<B, Eval>::from_secret_words(&ring, &shape, &words).unwrap();
        let mut square = Poly::<B, Eval>::secret_zeros(&ring, &shape).unwrap();
        a.mul_into(&a, &mut square).unwrap();
        square.to_words().unwrap()
    }
    let expected = run(Reference);
    assert_eq!(run(Counting::new(Reference)), expected);
    assert_eq!(run(Traced::new(Reference)), expected);
    assert_eq!(run(Tampered::new(Reference)), expected);
    assert_eq!(
        run(Checked::new(Counting::new(Reference), Reference)),
        expected
    );
}
