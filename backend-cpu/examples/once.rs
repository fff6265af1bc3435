//! One operation, once, for tools that count instructions: `once OPERATION LEVEL LOG_N`. `.ci/count-instructions` runs it.

mod common;

use std::hint::black_box;

use arras_backend_cpu::SimdLevel;
use arras_hal::GaloisElement;
use common::Rig;

/// Counters are switched on in here.
#[inline(never)]
fn measured<T>(f: impl FnOnce() -> T) -> T {
    black_box(f())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [operation, level, log_n] = &arguments[..] else {
        panic!("give an operation, a SIMD level and log2 of the ring degree");
    };
    let level = SimdLevel::available().find(|l| l.to_string() == *level);
    let level = level.expect("a level of this processor: scalar, avx2 or avx512");
    let log_n: u32 = log_n.parse().expect("log2 of the ring degree");
    let rig = Rig::new(log_n, 1, level);
    let (a, b) = (rig.poly(2), rig.poly(2));
    // What the first call of an operation leaves behind for the next is not counted: everything runs twice.
    match operation.as_str() {
        "intt" => {
            drop(b.intt());
            drop(measured(|| a.intt()));
        }
        "ntt" => {
            let (a, b) = (a.intt(), b.intt());
            drop(a.ntt());
            drop(measured(|| b.ntt()));
        }
        "multiply" => {
            let key = rig.key();
            let run = || {
                let product = a.tensor(&b).unwrap();
                product.relinearize(&key, &rig.spec, &rig.lower).unwrap()
            };
            drop(run());
            drop(measured(run));
        }
        "rotate" => {
            let key = rig.key();
            let g = GaloisElement::rotation(3, log_n);
            let run = || a.rotate(&key, g, &rig.spec, &rig.window).unwrap();
            drop(run());
            drop(measured(run));
        }
        "hoisted" => {
            let key = rig.key();
            let terms = [1, 2, 3, 4].map(|k| (GaloisElement::rotation(k, log_n), Some(&key)));
            let run = || a.hoisted_rotations(&terms, &rig.spec, &rig.window).unwrap();
            drop(run());
            drop(measured(run));
        }
        other => panic!("no operation {other}: ntt, intt, multiply, rotate or hoisted"),
    }
}
