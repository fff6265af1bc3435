//! What an engine does to memory, threads and errors.

use super::{
    call::{Body, Call},
    cases,
    rig::Rig,
    rings,
    suite::Bed,
    values::{Values, Words},
};
use crate::{
    Backend, Domain, HalError, HalErrorKind, KeyLayout, Limbs, OPERATIONS, Reference, Result, Shape,
};

fn all_cases(log_n: u32) -> Vec<Call> {
    OPERATIONS
        .iter()
        .flat_map(|op| cases::cases(op, log_n))
        .collect()
}

/// Every k-th case of every operation, and at least one.
fn some_cases(log_n: u32, k: usize) -> Vec<Call> {
    OPERATIONS
        .iter()
        .flat_map(|op| cases::cases(op, log_n).into_iter().step_by(k))
        .collect()
}

fn digest(words: &Words) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for word in &words.words {
        hasher.update(&word.to_le_bytes());
    }
    hasher.finalize()
}

fn expect_same(call: &Call, got: &[Words], expected: &[Words], when: &str) {
    for (got, expected) in got.iter().zip(expected) {
        got.assert_same(expected, &format!("{}, {when}", call.describe()));
    }
}

/// Uploads come back as they went in, and buffers, keys and rings tell their shapes.
pub fn transfers_keep_contents_and_shapes<B: Backend>(bed: &Bed<'_, B>) {
    for log_n in bed.sizes(&[3, 5, 10]) {
        let rig = bed.standard(log_n);
        assert_eq!(rig.engine.basis(&rig.ring).moduli(), rig.basis.moduli());
        let mut values = Values::new("transfers", 0);
        for (polys, limbs) in [
            (1, Limbs::new([3])),
            (3, Limbs::new([0, 7, 14])),
            (2, rig.basis.all_limbs()),
        ] {
            let shape = Shape::new(polys, limbs.clone());
            for domain in [Domain::Coeff, Domain::Eval] {
                let words = values.words(&rig.basis, &shape, domain);
                let buf = rig.upload(&words);
                assert_eq!(rig.engine.shape(&buf), &shape);
                rig.download(&buf, domain, "upload")
                    .assert_same(&words, "upload");
                rig.download(&buf, domain, "upload")
                    .assert_same(&words, "second download");
            }
            let empty = rig.engine.alloc(&rig.ring, &shape).expect("alloc");
            assert_eq!(rig.engine.shape(&empty), &shape);
            let layout = KeyLayout { digits: 2, limbs };
            let rows = values.words(&rig.basis, &shape.with_polys(4), Domain::Eval);
            let key = rig.engine.prepare_key(&rig.ring, &layout, &rows.words);
            assert_eq!(rig.engine.key_layout(&key.expect("prepare_key")), &layout);
        }
        rig.engine.sync().expect("nothing has failed");
    }
}

/// The digests of all inputs are the same before and after every operation, and keys still work.
pub fn inputs_are_left_alone<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(4);
    for (k, call) in all_cases(4).iter().enumerate() {
        let mut running = call.start(&rig, Body::Own, k as u64);
        for (i, (buf, words)) in running.ins.iter().zip(&call.ins).enumerate() {
            let after = rig.download(buf, words.domain, &call.describe());
            assert_eq!(
                digest(&after),
                digest(words),
                "{}: input {i} was changed",
                call.describe()
            );
        }
        let first = call.finish(&rig, &running);
        for (buf, out) in running.outs.iter_mut().zip(&call.outs) {
            if let Some(words) = &out.initial {
                *buf = rig.upload(words);
            }
        }
        let second = call.again(&rig, &mut running);
        expect_same(call, &second, &first, "again on the same inputs and keys");
    }
}

/// An operation with an output and two inputs.
type TwoInputs<'a, B> =
    dyn Fn(&mut <B as Backend>::Buf, &<B as Backend>::Buf, &<B as Backend>::Buf) + 'a;

/// Two inputs may be the same buffer: squares, and lists that repeat an entry.
pub fn inputs_may_be_one_buffer<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(4);
    let (e, r) = (&rig.engine, &rig.ring);
    let shape = Shape::new(2, Limbs::new([0, 4, 12]));
    let words = Values::new("one buffer", 0).words(&rig.basis, &shape, Domain::Eval);
    let (a, copy) = (rig.upload(&words), rig.upload(&words));
    let compare = |op: &str, polys: usize, run: &TwoInputs<'_, B>| {
        let [mut same, mut apart] = [0, 1].map(|seed| rig.garbage(&shape.with_polys(polys), seed));
        run(&mut same, &a, &a);
        run(&mut apart, &a, &copy);
        let expected = rig.download(&apart, Domain::Eval, op);
        rig.download(&same, Domain::Eval, op)
            .assert_same(&expected, &format!("{op} of a buffer and itself"));
    };
    compare("add", 2, &|dst, a, b| e.add(r, dst, a, b));
    compare("sub", 2, &|dst, a, b| e.sub(r, dst, a, b));
    compare("mul", 2, &|dst, a, b| e.mul(r, dst, a, b));
    compare("mul_acc", 2, &|dst, a, b| {
        e.zero(r, dst);
        e.mul_acc(r, dst, a, b);
    });
    compare("add_leading", 2, &|dst, a, b| {
        e.add_leading(r, dst, a, b, 2).expect("add_leading");
    });
    compare("tensor", 3, &|dst, a, b| {
        e.tensor(r, dst, a, b).expect("tensor");
    });
    compare("sum_of_products", 3, &|dst, a, b| {
        e.sum_of_products(r, dst, &[a, b, a], &[b, b, a])
            .expect("sum_of_products");
    });
    compare("weighted_sum", 2, &|dst, a, b| {
        e.weighted_sum(r, dst, &[a, b, a], &[b, b, a])
            .expect("weighted_sum");
    });
}

/// Outputs do not depend on what they held, and nothing else depends on what fresh memory holds.
pub fn old_contents_do_not_matter<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(4);
    for (k, call) in all_cases(4).iter().enumerate() {
        let first = call.run(&rig, Body::Own, 2 * k as u64);
        // Scratch memory that the engine reuses now holds what the first run left.
        let second = call.run(&rig, Body::Own, 2 * k as u64 + 1_000_000);
        expect_same(call, &second, &first, "over other old contents");
        // Memory from alloc, whatever it holds, and dirtied by what ran before.
        let mut running = call.start(&rig, Body::Own, 0);
        for (buf, out) in running.outs.iter_mut().zip(&call.outs) {
            *buf = match &out.initial {
                Some(words) => rig.upload(words),
                None => rig.engine.alloc(&rig.ring, &out.shape).expect("alloc"),
            };
        }
        let third = call.again(&rig, &mut running);
        expect_same(call, &third, &first, "over memory from alloc");
    }
}

/// Outputs are canonical where inputs are all 0 and all q - 1: where a lazy value is most likely to slip out.
pub fn outputs_are_canonical_at_the_extremes<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(3);
    for mut call in all_cases(3) {
        let Call {
            basis, ins, outs, ..
        } = &mut call;
        let initial = outs.iter_mut().filter_map(|o| o.initial.as_mut());
        for (k, words) in ins.iter_mut().chain(initial).enumerate() {
            let limbs = words.shape.limbs.clone();
            for (row, values) in words.words.chunks_exact_mut(basis.n()).enumerate() {
                let q = basis.modulus(limbs.at(row % limbs.len())).value();
                // Up to three operands meet in all combinations of their extremes.
                for (index, value) in values.iter_mut().enumerate() {
                    *value = if (index >> (k % 3)) & 1 == 0 {
                        q - 1
                    } else {
                        0
                    };
                }
            }
        }
        // Downloads fail on a residue that is not canonical.
        call.run(&rig, Body::Own, 0);
    }
}

/// Results stay the same when buffers are dropped and their memory is used again, in any order of calls.
pub fn memory_is_reused<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(4);
    let calls = some_cases(4, 3);
    let run = |call: &Call, poison| call.run(&rig, Body::Own, poison);
    let first: Vec<_> = calls.iter().map(|c| run(c, 1)).collect();
    for (call, first) in calls.iter().zip(&first).rev() {
        expect_same(call, &run(call, 2), first, "in reverse order");
    }
}

/// Two rings of one engine do not mix their tables and plans: other degrees, and other primes at the same indices.
pub fn two_rings_live_side_by_side<B: Backend>(bed: &Bed<'_, B>) {
    let mut reversed = rings::MODULI.to_vec();
    reversed.reverse();
    let bases = [
        rings::standard(4),
        rings::standard(6),
        rings::ring(4, reversed),
    ];
    let rigs = bases.each_ref().map(|basis| bed.rig(basis));
    let references = bases.each_ref().map(|basis| Rig::new(&Reference, basis));
    let shape = Shape::new(2, Limbs::new([0, 4, 13]));
    let (from, to) = (Limbs::new(2..9), Limbs::new(0..6));
    let wide = Shape::new(1, from.clone());
    for round in 0..3 {
        // All rings have operations pending at the same time.
        let inputs = bases.each_ref().map(|basis| {
            let mut values = Values::new("two rings", round);
            (
                values.words(basis, &shape, Domain::Coeff),
                values.words(basis, &wide, Domain::Eval),
            )
        });
        let start = |k: usize| pending(&rigs[k], &inputs[k].0, &inputs[k].1, &to);
        let bufs = [start(0), start(1), start(2)];
        for k in 0..3 {
            let (a, b) = pending(&references[k], &inputs[k].0, &inputs[k].1, &to);
            let what = format!("ring {k}, round {round}");
            let got = rigs[k].download(&bufs[k].0, Domain::Eval, &what);
            got.assert_same(&references[k].download(&a, Domain::Eval, &what), &what);
            let got = rigs[k].download(&bufs[k].1, Domain::Eval, &what);
            got.assert_same(&references[k].download(&b, Domain::Eval, &what), &what);
        }
    }
}

/// A transform and a rescale, enqueued.
fn pending<B: Backend>(rig: &Rig<B>, a: &Words, b: &Words, to: &Limbs) -> (B::Buf, B::Buf) {
    let mut x = rig.upload(a);
    rig.ntt(&mut x);
    let src = rig.upload(b);
    let plan = rig
        .basis
        .rescale_plan(&b.shape.limbs, to)
        .expect("a valid pair");
    let mut y = rig.garbage(&Shape::new(b.shape.polys, to.clone()), 1);
    rig.rescale(&mut y, &src, &plan).expect("rescale");
    (x, y)
}

/// Two threads, each with a clone of the engine, work in one ring at once and get what one alone gets.
pub fn two_threads_share_a_ring<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(5);
    let calls = some_cases(5, 4);
    let reference = Rig::new(&Reference, &rig.basis);
    let expected: Vec<_> = calls
        .iter()
        .map(|c| c.run(&reference, Body::Own, 0))
        .collect();
    std::thread::scope(|scope| {
        for thread in 0..2u64 {
            let (rig, calls, expected) = (&rig, &calls, &expected);
            scope.spawn(move || {
                let order = 0..calls.len();
                let order: Vec<usize> = if thread == 0 {
                    order.collect()
                } else {
                    order.rev().collect()
                };
                for k in order {
                    let got = calls[k].run(rig, Body::Own, thread);
                    expect_same(&calls[k], &got, &expected[k], "beside another thread");
                }
            });
        }
    });
}

/// Buffers may be dropped while operations on them are pending, inputs, outputs and keys alike.
pub fn dropping_while_pending<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(bed.max_log_n().min(10));
    let shape = Shape::new(2, Limbs::new([0, 5, 12]));
    let mut values = Values::new("dropping", 0);
    let start = values.words(&rig.basis, &shape, Domain::Eval);
    let step = values.words(&rig.basis, &shape, Domain::Eval);
    let mut sum = rig.upload(&start);
    for _ in 0..20 {
        let addend = rig.upload(&step);
        let mut next = rig.engine.alloc(&rig.ring, &shape).expect("alloc");
        rig.add(&mut next, &sum, &addend);
        let mut unused = rig.engine.alloc(&rig.ring, &shape).expect("alloc");
        rig.mul(&mut unused, &sum, &addend);
        sum = next;
    }
    let got = rig.download(&sum, Domain::Eval, "a chain of sums");
    let mut expected = start.clone();
    let limbs = &shape.limbs;
    for (at, (word, step)) in expected.words.iter_mut().zip(&step.words).enumerate() {
        let q = rig
            .basis
            .modulus(limbs.at(at / rig.basis.n() % limbs.len()));
        *word = q.add(*word, q.mul(*step, 20));
    }
    got.assert_same(&expected, "a chain of sums, everything dropped on the way");
    for (k, call) in some_cases(3, 5).iter().enumerate() {
        drop(call.start(&bed.rig(&call.basis), Body::Own, k as u64));
    }
    rig.engine.sync().expect("dropping is no failure");
}

/// A failure comes out of the next wait, and no result computed from a failed operation is returned.
pub fn device_errors_surface_at_the_next_wait<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(4);
    let shape = Shape::new(1, Limbs::new([4, 5]));
    let words = Values::new("faults", 0).words(&rig.basis, &shape, Domain::Eval);
    let (a, b) = (rig.upload(&words), rig.upload(&words));
    let mut failed = rig.garbage(&shape, 0);
    let mut later = rig.garbage(&shape, 1);
    if !bed.inject_fault() {
        return;
    }
    rig.add(&mut failed, &a, &b);
    // Enqueueing goes on: the caller does not know yet. A composite may learn of it when it takes scratch memory.
    let composite = rig.neg(&mut later, &failed);
    if let Err(error) = composite {
        assert!(
            matches!(error.kind(), HalErrorKind::Device { .. }),
            "{error}"
        );
    }
    let mut out = vec![0; words.words.len()];
    let downloaded = rig
        .engine
        .download(&rig.ring, &later, Domain::Eval, &mut out);
    assert!(
        failed_device(&downloaded),
        "a result was returned from after a failed operation: {downloaded:?}"
    );
}

/// The same failure comes out of `sync`.
pub fn device_errors_surface_at_sync<B: Backend>(bed: &Bed<'_, B>) {
    let rig = bed.standard(4);
    let shape = Shape::new(1, Limbs::new([4, 5]));
    let words = Values::new("faults", 1).words(&rig.basis, &shape, Domain::Eval);
    let a = rig.upload(&words);
    let mut failed = rig.garbage(&shape, 0);
    rig.engine.sync().expect("nothing has failed yet");
    if !bed.inject_fault() {
        return;
    }
    rig.add(&mut failed, &a, &a);
    let waited = rig.engine.sync();
    assert!(failed_device(&waited), "{waited:?}");
}

fn failed_device(result: &Result<()>) -> bool {
    matches!(
        result.as_ref().map_err(HalError::kind),
        Err(HalErrorKind::Device { .. })
    )
}
