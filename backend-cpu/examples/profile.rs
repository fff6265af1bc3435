//! Times of this engine's operations on this machine, per SIMD level: `cargo run --release -p arras-backend-cpu --example
//! profile [log_n] [threads] [level] [operation] [batch]`.
//!
//! The ring is the one of `common`. Each line is the least of many runs, per ciphertext of the batch.

mod common;

use std::{hint::black_box, time::Instant};

use arras_backend_cpu::{CpuEngine, SimdLevel};
use arras_hal::{Eval, GaloisElement, Poly};
use common::Rig;

/// The least time of many runs, in microseconds.
fn least(mut f: impl FnMut()) -> f64 {
    let (start, mut least) = (Instant::now(), f64::MAX);
    let mut runs = 0;
    while runs < 5 || start.elapsed().as_secs_f64() < 1.0 {
        let now = Instant::now();
        f();
        least = least.min(now.elapsed().as_secs_f64() * 1e6);
        runs += 1;
    }
    least
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default| arguments.get(i).map_or(default, |a| a.parse().unwrap());
    let (log_n, threads) = (number(0, 15) as u32, number(1, 1) as usize);
    let batch = number(4, 1) as usize;
    let wanted = |i: usize, name: &str| arguments.get(i).is_none_or(|a| name.contains(a.as_str()));

    let levels: Vec<SimdLevel> = SimdLevel::available().collect();
    for level in levels.into_iter().rev() {
        if !wanted(2, &level.to_string()) {
            continue;
        }
        let rig = Rig::new(log_n, threads, level);
        let (window, lower, spec) = (&rig.window, &rig.lower, &rig.spec);
        println!("{:?}", rig.ring);
        // One key for each rotation, as in earnest: all of them together are in no cache.
        let keys: Vec<_> = (0..8).map(|_| rig.key()).collect();
        let key = &keys[0];
        let (a, b) = (rig.poly(2 * batch), rig.poly(2 * batch));

        let g = GaloisElement::rotation(3, log_n);
        let terms: Vec<_> = (1..=8)
            .zip(&keys)
            .map(|(k, key)| (GaloisElement::rotation(k, log_n), Some(key)))
            .collect();
        let product = a.tensor(&b).unwrap();
        let (mut x, mut y) = (Some(rig.poly(2 * batch).intt()), rig.poly(2 * batch));
        let one = a.select(0..batch, window).unwrap();
        let relinearize = |p: &Poly<CpuEngine, Eval>| p.relinearize(key, spec, lower).unwrap();

        let report = |name: &str, rows: usize, f: &mut dyn FnMut()| {
            if wanted(3, name) {
                println!("  {name:<28} {:10.2} us", least(f) / rows as f64);
            }
        };
        let rows = 2 * batch * window.len();
        report("ntt and intt, per row", rows, &mut || {
            x = Some(x.take().unwrap().ntt().intt());
        });
        report("mul_assign, per row", rows, &mut || {
            y.mul_assign(&b).unwrap();
        });
        report("add", batch, &mut || drop(black_box(a.add(&b).unwrap())));
        report("tensor", batch, &mut || {
            drop(black_box(a.tensor(&b).unwrap()));
        });
        report("mod_up", batch, &mut || {
            drop(black_box(one.mod_up(spec).unwrap()));
        });
        report("rescale", batch, &mut || {
            drop(black_box(a.rescale(lower).unwrap()));
        });
        report("relinearize and rescale", batch, &mut || {
            drop(black_box(relinearize(&product)));
        });
        report("multiply, all of it", batch, &mut || {
            drop(black_box(relinearize(&a.tensor(&b).unwrap())));
        });
        report("rotate", batch, &mut || {
            drop(black_box(a.rotate(key, g, spec, window).unwrap()));
        });
        report("8 hoisted rotations", batch, &mut || {
            drop(black_box(
                a.hoisted_rotations(&terms, spec, window).unwrap(),
            ));
        });
        report("sum of 8 rotations", batch, &mut || {
            drop(black_box(
                a.rotation_sum(&terms, &[], spec, window).unwrap(),
            ));
        });
        println!("  {:?}", rig.ring.engine().pool_stats());
    }
}
