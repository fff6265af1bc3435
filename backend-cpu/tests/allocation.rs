//! No memory is asked from the system in steady state.
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, Ordering},
};

use arras_backend_cpu::CpuEngine;
use arras_hal::GaloisElement;
use common::Rig;

/// Counts allocations of a page or more.
struct Counting;

static LARGE: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    if bytes >= 4096 {
        LARGE.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

// One test in this file: another one's allocations would be counted too.
#[test]
fn steady_state_asks_the_system_for_nothing() {
    for threads in [1, 2] {
        let engine = CpuEngine::with_threads(threads).unwrap();
        let rig = Rig::new(engine.clone(), 12);
        let (a, b) = (rig.poly(4, 1), rig.poly(4, 2));
        let key = rig.key(3);
        let g = |k| GaloisElement::rotation(k, 12);
        let terms = [1, 2, 3].map(|k| (g(k), Some(&key)));
        let weights: Vec<_> = (0..3).map(|k| rig.wide(1, k)).collect();
        let weights: Vec<_> = weights.iter().collect();
        let work = || {
            let product = a.tensor(&b).unwrap();
            let mut low = product.relinearize(&key, &rig.spec, &rig.lower).unwrap();
            low.add_assign(&b.rescale(&rig.lower).unwrap()).unwrap();
            drop(a.rotate(&key, g(5), &rig.spec, &rig.window).unwrap());
            let list = a.hoisted_rotations(&terms, &rig.spec, &rig.window);
            drop(list.unwrap());
            let sum = a.rotation_sum(&terms, &weights, &rig.spec, &rig.lower);
            sum.unwrap().add_assign(&low).unwrap();
        };
        // The first rounds fill the pool and the plans.
        work();
        work();
        let (large, misses) = (LARGE.load(Ordering::Relaxed), engine.pool_stats().misses);
        for _ in 0..10 {
            work();
        }
        assert_eq!(engine.pool_stats().misses, misses, "{threads} threads");
        assert_eq!(LARGE.load(Ordering::Relaxed), large, "{threads} threads");
        assert!(large > 0, "the counter counts");
    }
}
