//! Precision floors: what a user may rely on. A later change may raise one, never lower it.
//!
//! Errors are magnitudes of complex slots, in bits: 20 bits are an error of 2^-20 in the worst slot. Operations are
//! measured three levels below the top, where scales are the nominal ones; chains start at the top. Values are uniform in [-1, 1],
//! those of the chains have magnitude 1 (so that errors do not shrink with the values).

use std::fmt;

use crate::support::{Party, secure, values};
use arras_backend_cpu::CpuEngine;
use arras_ckks::{Ciphertext, Decryptor, Encryptor, Parameters, PrecisionReport};
use arras_hal::{Reference, SecretEngine};
use num_complex::Complex64;

const ENCRYPT_SECRET: (&str, f64) = ("encrypt with the secret key", 27.0);
const ENCRYPT_PUBLIC: (&str, f64) = ("encrypt with the public key", 22.5);
const MULTIPLY: (&str, f64) = ("multiply, relinearize, rescale", 22.5);
const ROTATE: (&str, f64) = ("rotate", 22.5);
const FOURTH_POWER: (&str, f64) = ("x^4", 21.5);
const FIFTEEN_PRODUCTS: (&str, f64) = ("15 multiplications by fresh values", 20.5);
const TEN_SQUARINGS: (&str, f64) = ("10 squarings of magnitude 1", 14.0);

/// How far below the median slot 0 may be. Its error is Gaussian as everywhere, so 2.5 bits are 4.7 standard deviations of a complex
/// slot; systematic rounding costs it 5 bits and more.
const SLOT0_BELOW_MEDIAN: f64 = 2.5;

struct Measured {
    what: (&'static str, f64),
    report: PrecisionReport,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what: (name, floor),
            report,
        } = self;
        write!(
            f,
            "{name:<36} worst {:5.2}  median {:5.2}  slot 0 {:5.2}  floor {floor:4.1}",
            report.worst_bits(),
            report.median_bits(),
            report.slot0_bits()
        )
    }
}

/// Prints all rows, then fails on those below their floor.
fn assert_floors(title: &str, rows: &[Measured]) {
    println!("{title}");
    for row in rows {
        println!("  {row}");
    }
    for row in rows {
        let report = &row.report;
        assert!(report.worst_bits() >= row.what.1, "{title}: {row}");
        assert!(
            report.slot0_bits() >= report.median_bits() - SLOT0_BELOW_MEDIAN,
            "{title}: slot 0 has a systematic error: {row}"
        );
    }
}

/// Client and server of one engine.
struct Bench<S: SecretEngine> {
    party: Party<S>,
}

impl<S: SecretEngine> Bench<S> {
    fn new(params: &Parameters, engine: S) -> Self {
        let party = Party::new(params, engine, &[1]);
        Self { party }
    }

    fn encrypt(&self, values: &[Complex64], level: usize) -> Ciphertext<S> {
        self.party.encrypt_values(&[values], level)
    }

    fn measure(
        &self,
        what: (&'static str, f64),
        expected: &[Complex64],
        ct: &Ciphertext<S>,
    ) -> Measured {
        let actual = Decryptor::new(&self.party.secret).decrypt_complex(ct);
        let report = PrecisionReport::new(expected, &actual.unwrap()[0]).unwrap();
        Measured { what, report }
    }

    fn operations(&self) -> Vec<Measured> {
        let (p, e) = (&self.party, &self.party.evaluator);
        let slots = p.context.slots();
        let level = p.context.max_level() - 3;
        let real = |seed| -> Vec<Complex64> {
            let values = values(seed, slots);
            values.iter().map(|&x| Complex64::new(x, 0.0)).collect()
        };
        let (x, y) = (real(1), real(2));
        let (a, b) = (self.encrypt(&x, level), self.encrypt(&y, level));
        let public_key = p.public_key();
        let encryptor = Encryptor::with_streams(&public_key, &p.streams);
        let public = encryptor.encrypt(&[&x], level).unwrap();
        let product: Vec<_> = x.iter().zip(&y).map(|(x, y)| x * y).collect();
        let mut rotated = x.clone();
        rotated.rotate_left(1);
        let fourth: Vec<_> = x.iter().map(|x| x.powu(4)).collect();
        let multiplied = p.settle(&e.multiply(&a, &b).unwrap());
        let squared = p.settle(&e.square(&e.square(&a).unwrap()).unwrap());
        vec![
            self.measure(ENCRYPT_SECRET, &x, &a),
            self.measure(ENCRYPT_PUBLIC, &x, &public),
            self.measure(MULTIPLY, &product, &multiplied),
            self.measure(ROTATE, &rotated, &e.rotate(&a, 1).unwrap()),
            self.measure(FOURTH_POWER, &fourth, &squared),
        ]
    }

    fn chains(&self) -> Vec<Measured> {
        let e = &self.party.evaluator;
        let slots = self.party.context.slots();
        let top = self.party.context.max_level();
        assert!(top >= 15, "the chain has {top} levels");

        let mut expected = unit_values(100, slots);
        // Of magnitude 1 up to rounding.
        let unit = |values: &[Complex64], level| self.encrypt(values, level).assume(1.0).unwrap();
        let mut product = unit(&expected, top);
        for step in 1..=15 {
            let fresh = unit_values(100 + step, slots);
            let factor = unit(&fresh, product.level());
            product = self.party.settle(&e.multiply(&product, &factor).unwrap());
            for (x, y) in expected.iter_mut().zip(&fresh) {
                *x *= y;
            }
        }
        let products = self.measure(FIFTEEN_PRODUCTS, &expected, &product);

        let mut expected = unit_values(200, slots);
        let mut power = unit(&expected, top);
        for _ in 0..10 {
            power = self.party.settle(&e.square(&power).unwrap());
            for x in &mut expected {
                let square = *x * *x;
                *x = square / square.norm();
            }
        }
        vec![products, self.measure(TEN_SQUARINGS, &expected, &power)]
    }
}

/// Complex numbers of magnitude 1.
fn unit_values(seed: u64, count: usize) -> Vec<Complex64> {
    values(seed, count)
        .iter()
        .map(|x| Complex64::cis(x * std::f64::consts::PI))
        .collect()
}

#[test]
fn operations_at_2_14_on_the_reference_engine() {
    let bench = Bench::new(&secure(14, 6), Reference::new());
    assert_floors("reference, N = 2^14", &bench.operations());
}

#[test]
fn operations_at_2_14_on_the_cpu_engine() {
    let bench = Bench::new(&secure(14, 6), CpuEngine::new());
    assert_floors("cpu, N = 2^14", &bench.operations());
}

#[test]
fn operations_and_chains_at_2_15_on_the_cpu_engine() {
    let bench = Bench::new(&secure(15, 15), CpuEngine::new());
    assert_floors("cpu, N = 2^15", &bench.operations());
    assert_floors("cpu, N = 2^15, 15 levels", &bench.chains());
}
