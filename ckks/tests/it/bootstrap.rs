//! Bootstraps of a 128-bit set. They take gigabytes and minutes: `.ci/long` runs them.

use std::time::Instant;

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    BootstrapPlan, Bootstrapper, Context, Decryptor, Encryptor, Evaluator, KeyGenerator,
    Parameters, SecretKey, params::Dnum,
};

use crate::support::{bits, values};

/// Gibibytes of memory that this process has used at most.
fn most_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / f64::from(1 << 20))
}

/// N = 2^16, 17 levels, 512 values: `cargo test --release -p arras-ckks --test it bootstrap -- --ignored --nocapture`
#[test]
#[ignore = "takes 7 GiB and two minutes"]
fn a_128_bit_set_keeps_21_bits_in_the_worst_slot() {
    let builder = Parameters::builder().log_n(16).levels(17);
    let params = builder
        .dnum(Dnum::Fixed(3))
        .bootstrapping(512)
        .build()
        .unwrap();
    println!("{params}");
    let plan = BootstrapPlan::new(&params, 512).unwrap();
    let bytes = plan.key_bytes().unwrap();
    println!(
        "{plan:?}, {} keys of {:.2} GB loaded, {:.2} GB in a file",
        plan.keys().len(),
        bytes.loaded as f64 / 1e9,
        bytes.container as f64 / 1e9
    );
    let timed =
        |what: &str, start: Instant| println!("{what}: {:.2} s", start.elapsed().as_secs_f64());

    let context = Context::new(&params, CpuEngine::new()).unwrap();
    let secret = SecretKey::generate(&context).unwrap();
    let start = Instant::now();
    let keys = KeyGenerator::new(&secret)
        .unwrap()
        .bootstrapping_keys(&plan)
        .unwrap();
    timed("keys made", start);
    let start = Instant::now();
    let evaluator = Evaluator::new(&context, keys.into_loaded(&context).unwrap()).unwrap();
    timed("keys loaded", start);

    for bound in [1.0, 8.0] {
        let start = Instant::now();
        let bootstrapper = Bootstrapper::new(&evaluator, &plan, bound).unwrap();
        timed("maps encoded", start);
        let z: Vec<f64> = values(1, 512).iter().map(|z| z * bound).collect();
        let all = z.repeat(context.slots() / z.len());
        let encryptor = Encryptor::new(&secret).unwrap().largest_value(bound);
        let ct = encryptor
            .encrypt(&[&all], 2)
            .unwrap()
            .expand(&context)
            .unwrap();
        for _ in 0..2 {
            let start = Instant::now();
            let out = bootstrapper.bootstrap(&ct).unwrap();
            context.ring().sync().unwrap();
            timed("bootstrapped", start);
            assert_eq!((out.level(), out.bound()), (17, bound));
            let decrypted = Decryptor::new(&secret).decrypt(&out).unwrap().remove(0);
            let worst = bits(&all, &decrypted) + bound.log2();
            let squares = all.iter().zip(&decrypted).map(|(a, b)| (a - b).powi(2));
            let rms = (squares.sum::<f64>() / all.len() as f64).sqrt() / bound;
            println!(
                "up to {bound}: worst slot {worst:.2} bits of the bound, root mean square {:.2}",
                -rms.log2()
            );
            assert!(worst >= 21.0, "up to {bound}: worst slot {worst:.2} bits");
        }
    }
    if let Some(memory) = most_memory() {
        println!("most memory: {memory:.2} GiB");
    }
}
