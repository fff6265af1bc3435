//! Times of this engine's operations on this machine, per SIMD level: `cargo run --release -p arras-backend-cpu --example
//! profile [log_n] [threads] [level] [operation] [batch]`.
//!
//! The ring is the one of a circuit of 15 levels at N = 2^15 (4 terminal, 19 main and 7 special primes, 4 digits of 6), from
//! N = 2^16 on that of 30 levels (4, 39, 15; 3 digits of 15). Each line is the least of many runs, per ciphertext of the batch.

use std::{hint::black_box, time::Instant};

use arras_backend_cpu::{CpuEngine, SimdLevel};
use arras_hal::{
    Eval, GaloisElement, Key, KeyLayout, KeySwitchSpec, Limbs, Poly, Ring, RingBasis, RingSpec,
    Shape,
};

const TERMINAL: usize = 4;

/// Main primes, special primes, digits, limbs of a digit.
fn sizes(log_n: u32) -> (usize, usize, usize, usize) {
    if log_n < 16 {
        (19, 7, 4, 6)
    } else {
        (39, 15, 3, 15)
    }
}

fn is_prime(n: u64) -> bool {
    (2..)
        .take_while(|d| d * d <= n)
        .all(|d| !n.is_multiple_of(d))
}

/// The first `count` primes 1 modulo 2^17 from `from` downward.
fn primes(from: u64, count: usize) -> impl Iterator<Item = u32> {
    let top = (from - 1) >> 17;
    (1..top)
        .rev()
        .map(|k| (k << 17) + 1)
        .filter(|&q| is_prime(q))
        .take(count)
        .map(|q| q as u32)
}

/// Words below every modulus, from a small generator.
fn words(basis: &RingBasis, shape: &Shape) -> Vec<u32> {
    let mut state = 1u64;
    let n = basis.n();
    let mut words = Vec::with_capacity(shape.words(n));
    for _ in 0..shape.polys {
        for limb in shape.limbs.iter() {
            let q = basis.modulus(limb).value();
            words.extend((0..n).map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 34) as u32 % q
            }));
        }
    }
    words
}

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
    let (main, special, digits, digit) = sizes(log_n);
    let wanted = |i: usize, name: &str| arguments.get(i).is_none_or(|a| name.contains(a.as_str()));
    let moduli: Vec<u32> = primes(1 << 24, TERMINAL)
        .chain(primes(575_000_000, main))
        .chain(primes(1 << 30, special))
        .collect();
    let basis = RingBasis::new(&RingSpec { log_n, moduli }).unwrap();
    let window = Limbs::new(0..TERMINAL + main);
    let lower = Limbs::new(2..TERMINAL + main - 1);
    let spec = KeySwitchSpec {
        groups: (0..digits)
            .map(|j| window.iter().skip(digit * j).take(digit).collect())
            .collect(),
        special: Limbs::new(TERMINAL + main..TERMINAL + main + special),
    };
    let layout = KeyLayout {
        digits,
        limbs: basis.all_limbs(),
    };
    let key_words = words(&basis, &Shape::new(2 * digits, basis.all_limbs()));

    let levels: Vec<SimdLevel> = SimdLevel::available().collect();
    for level in levels.into_iter().rev() {
        if !wanted(2, &level.to_string()) {
            continue;
        }
        let engine = CpuEngine::builder().threads(threads).simd(level).build();
        let ring = Ring::new(engine.unwrap(), &basis).unwrap();
        println!("{:?}", ring);
        let poly = |polys: usize| {
            let shape = Shape::new(polys, window.clone());
            Poly::<_, Eval>::from_words(&ring, &shape, &words(&basis, &shape)).unwrap()
        };
        // One key for each rotation, as in earnest: all of them together are in no cache.
        let keys: Vec<_> = (0..8)
            .map(|_| Key::prepare(&ring, &layout, &key_words).unwrap())
            .collect();
        let key = &keys[0];
        let (a, b) = (poly(2 * batch), poly(2 * batch));

        let g = GaloisElement::rotation(3, log_n);
        let terms: Vec<_> = (1..=8)
            .zip(&keys)
            .map(|(k, key)| (GaloisElement::rotation(k, log_n), Some(key)))
            .collect();
        let product = a.tensor(&b).unwrap();
        let (mut x, mut y) = (Some(poly(2 * batch).intt()), poly(2 * batch));
        let one = a.select(0..batch, &window).unwrap();
        let relinearize = |p: &Poly<_, Eval>| p.relinearize(key, &spec, &lower).unwrap();

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
            drop(black_box(one.mod_up(&spec).unwrap()));
        });
        report("rescale", batch, &mut || {
            drop(black_box(a.rescale(&lower).unwrap()));
        });
        report("relinearize and rescale", batch, &mut || {
            drop(black_box(relinearize(&product)));
        });
        report("multiply, all of it", batch, &mut || {
            drop(black_box(relinearize(&a.tensor(&b).unwrap())));
        });
        report("rotate", batch, &mut || {
            drop(black_box(a.rotate(key, g, &spec, &window).unwrap()));
        });
        report("8 hoisted rotations", batch, &mut || {
            drop(black_box(
                a.hoisted_rotations(&terms, &spec, &window).unwrap(),
            ));
        });
        report("sum of 8 rotations", batch, &mut || {
            drop(black_box(
                a.rotation_sum(&terms, &[], &spec, &window).unwrap(),
            ));
        });
        println!("  {:?}", ring.engine().pool_stats());
    }
}
