//! Programs of evaluator operations, on a fresh context of the engine under test.
//!
//! | program | operations |
//! |---|---|
//! | [`plaintexts`] | encode, sums and products with plaintexts, weighted sums, scalars |
//! | [`products`] | sums, multiply, square, relinearize, rescale, both in one step, sums of products, pending sums |
//! | [`levels`] | every level down to every other, alignment, concat, pick, dropped moduli |
//! | [`rotations`] | rotate, conjugate, hoisted rotations, plain and weighted sums of rotations, pending operands |
//! | [`circuit`] | an inner product, squared and rotated until no level is left |
//! | [`bootstraps`] | bootstraps of what is at the least level, above it, and pending |
//!
//! Each runs with batches of 1 and of 3.

use arras_hal::Backend;
use num_complex::Complex64;

use super::{
    Fixture, Record,
    fixture::{BATCHES, values},
    sets::BOOTSTRAPPED,
};
use crate::{BootstrapPlan, Bootstrapper, Ciphertext, Evaluator, Result};

/// A program while it runs.
struct Run<'a, B: Backend> {
    fixture: &'a Fixture,
    evaluator: &'a Evaluator<B>,
    batch: usize,
    record: &'a mut Record,
}

impl<B: Backend> Run<'_, B> {
    fn note(&mut self, step: impl std::fmt::Display, ct: &Ciphertext<B>) -> Result<()> {
        self.record
            .ciphertext(format!("{step}, batch {}", self.batch), ct)
    }

    fn fresh(&self, which: usize, level: usize) -> Result<Ciphertext<B>> {
        self.fixture
            .fresh(self.evaluator.context(), which, level, self.batch)
    }

    fn top(&self) -> usize {
        self.fixture.params().max_level()
    }
}

fn run<B: Backend>(
    fixture: &Fixture,
    engine: B,
    program: impl Fn(&mut Run<'_, B>) -> Result<()>,
) -> Result<Record> {
    let context = crate::Context::new(fixture.params(), engine)?;
    let evaluator = Evaluator::new(&context, fixture.keys().load(&context)?)?;
    let mut record = Record::default();
    for batch in BATCHES {
        program(&mut Run {
            fixture,
            evaluator: &evaluator,
            batch,
            record: &mut record,
        })?;
    }
    Ok(record)
}

/// Encoding, plaintexts and scalars.
///
/// # Errors
/// The evaluator's: the engine failed.
pub fn plaintexts<B: Backend>(fixture: &Fixture, engine: B) -> Result<Record> {
    run(fixture, engine, |r| {
        let e = r.evaluator;
        for level in [r.top(), 1] {
            let (a, b) = (r.fresh(0, level)?, r.fresh(1, level)?);
            let many = e.encode(&r.fixture.vectors(r.batch), level)?;
            let one = e.encode(&r.fixture.vectors(1), level)?;
            let (re, im) = (values(100, 16), values(101, 16));
            let complex: Vec<Complex64> = re
                .iter()
                .zip(&im)
                .map(|(&re, &im)| Complex64::new(re, im))
                .collect();
            let complex = e.encode(&[&complex], level)?;
            r.record.plaintext("encode", &many)?;
            r.record.plaintext("encode_complex", &complex)?;
            r.note("add_plain", &e.add_plain(&a, &many)?)?;
            r.note("sub_plain, one vector", &e.sub_plain(&a, &one)?)?;
            let product = e.multiply_plain(&a, &complex)?;
            r.note("multiply_plain", &product)?;
            r.note("rescaled", &e.rescale(&product)?)?;
            let sum = e.weighted_sum(&[&a, &b, &a], &[&many, &one, &complex])?;
            r.note("weighted_sum", &sum)?;
            r.note("settled", &e.relinearize_and_rescale(&sum)?)?;
            r.note("add_scalar", &e.add_scalar(&a, 0.375)?)?;
            r.note("add_scalar, pending", &e.add_scalar(&sum, -2.5)?)?;
            let scaled = e.multiply_scalar(&b, -1.25)?;
            r.note("multiply_scalar", &scaled)?;
            r.note("settled", &e.relinearize_and_rescale(&scaled)?)?;
            r.note("multiply_integer", &e.multiply_integer(&b, -3)?)?;
            r.note("multiply_i", &e.multiply_i(&b)?)?;
        }
        Ok(())
    })
}

/// Sums, products, and the ways in which they are settled.
///
/// # Errors
/// The evaluator's: the engine failed.
pub fn products<B: Backend>(fixture: &Fixture, engine: B) -> Result<Record> {
    run(fixture, engine, |r| {
        let e = r.evaluator;
        for level in 1..=r.top() {
            let (a, b) = (r.fresh(0, level)?, r.fresh(1, level)?);
            let product = e.multiply(&a, &b)?;
            r.note(format!("multiply at {level}"), &product)?;
            let linear = e.relinearize(&product)?;
            r.note("relinearize", &linear)?;
            r.note("rescale", &e.rescale(&linear)?)?;
            r.note("settle", &e.relinearize_and_rescale(&product)?)?;
            r.note("square", &e.square(&a)?)?;
        }
        let (a, b) = (r.fresh(0, r.top())?, r.fresh(1, r.top())?);
        r.note("add", &e.add(&a, &b)?)?;
        r.note("sub", &e.sub(&a, &b)?)?;
        r.note("neg", &e.neg(&a)?)?;
        let (product, square) = (e.multiply(&a, &b)?, e.square(&b)?);
        let scaled = e.multiply_scalar(&a, 0.75)?;
        r.note("3 + 2 components", &e.add(&product, &scaled)?)?;
        r.note("2 - 3 components", &e.sub(&scaled, &product)?)?;
        let many = e.add_many(&[&product, &square, &scaled])?;
        r.note("add_many", &many)?;
        r.note("settled", &e.relinearize_and_rescale(&many)?)?;
        let sum = e.sum_of_products(&[&a, &b, &a], &[&b, &b, &a])?;
        r.note("sum_of_products", &sum)?;
        r.note("settled", &e.relinearize_and_rescale(&sum)?)?;
        // A batch of 1 is repeated.
        let one = a.pick(&[0])?;
        r.note("multiply by one", &e.multiply(&one, &b)?)
    })
}

/// Moving between levels.
///
/// # Errors
/// The evaluator's: the engine failed.
pub fn levels<B: Backend>(fixture: &Fixture, engine: B) -> Result<Record> {
    run(fixture, engine, |r| {
        let e = r.evaluator;
        for from in 0..=r.top() {
            let a = r.fresh(0, from)?;
            for to in 0..=from {
                r.note(
                    format!("level_down from {from} to {to}"),
                    &e.level_down(&a, to)?,
                )?;
            }
            r.note(format!("cut at {from}"), &e.drop_moduli(&a, 1.0)?)?;
        }
        let (high, low) = (r.fresh(0, r.top())?, r.fresh(1, 0)?);
        r.note("add at two levels", &e.add(&high, &low)?)?;
        r.note("sub at two levels", &e.sub(&low, &high)?)?;
        r.note("concat", &e.concat(&[&high, &low, &high])?)?;
        let middle = r.fresh(1, r.top().min(1))?;
        r.note("multiply at two levels", &e.multiply(&high, &middle)?)?;
        r.note("pick", &high.pick(&[r.batch - 1; 4])?)
    })
}

/// Rotations.
///
/// # Errors
/// The evaluator's: the engine failed.
pub fn rotations<B: Backend>(fixture: &Fixture, engine: B) -> Result<Record> {
    run(fixture, engine, |r| {
        let e = r.evaluator;
        for level in 0..=r.top() {
            let a = r.fresh(0, level)?;
            r.note(format!("rotate at {level}"), &e.rotate(&a, 1)?)?;
        }
        let a = r.fresh(1, r.top())?;
        r.note("rotate to the right", &e.rotate(&a, -5)?)?;
        r.note("rotate by nothing", &e.rotate(&a, 0)?)?;
        r.note("conjugate", &e.conjugate(&a)?)?;
        for (i, ct) in e.hoisted_rotations(&a, &[3, 0, 1, -5])?.iter().enumerate() {
            r.note(format!("hoisted rotation {i}"), ct)?;
        }
        r.note("rotation_sum", &e.rotation_sum(&a, &[0, 1, 3, 3, 8])?)?;
        r.note("rotate_and_sum", &e.rotate_and_sum(&a, 1, 16)?)?;
        let many = e.encode_weights(&r.fixture.vectors(r.batch), r.top())?;
        let one = e.encode_weights(&r.fixture.vectors(1), r.top())?;
        r.record.plaintext("encode_weights", &many)?;
        let sum = e.weighted_rotation_sum(&a, &[0, 3, -5], &[&many, &one, &many])?;
        r.note("weighted_rotation_sum", &sum)?;
        // Pending operands of two components are rotated and rescaled in one step, those of three are settled first.
        let scaled = e.multiply_scalar(&a, 0.625)?;
        r.note("rotate a pending operand", &e.rotate(&scaled, 4)?)?;
        for (i, ct) in e.hoisted_rotations(&scaled, &[2, 0])?.iter().enumerate() {
            r.note(format!("hoisted rotation {i} of a pending operand"), ct)?;
        }
        r.note(
            "rotation_sum of a pending operand",
            &e.rotation_sum(&scaled, &[0, 2, 3])?,
        )?;
        let product = e.square(&a)?;
        r.note("rotate a product", &e.rotate(&product, 1)?)
    })
}

/// z <- z^2 + rotate(z) / 4 + 1/8 after an inner product, until no level is left: what is computed goes into what
/// follows.
///
/// # Errors
/// The evaluator's: the engine failed.
pub fn circuit<B: Backend>(fixture: &Fixture, engine: B) -> Result<Record> {
    run(fixture, engine, |r| {
        // The suite compares residues, whatever they mean: what the circuit's values would need may be more than level 0 holds.
        let e = &r.evaluator.assuming(r.fixture.params().headroom(0) / 2.0)?;
        let x = r.fixture.public(e.context(), r.batch)?;
        r.note("public-key encryption", &x)?;
        let weights = e.encode(&r.fixture.vectors(1), r.top())?;
        let product = e.multiply_plain(&x, &weights)?;
        let mut z = e.rotate_and_sum(&product, 1, 16)?;
        r.note("inner product", &z)?;
        while z.level() > 0 {
            // Both terms are pending when they are added; one settling serves both.
            let square = e.square(&z)?;
            let rotated = e.multiply_scalar(&e.rotate(&z, 3)?, 0.25)?;
            z = e.relinearize_and_rescale(&e.add_scalar(&e.add(&square, &rotated)?, 0.125)?)?;
            r.note(format!("z at level {}", z.level()), &z)?;
        }
        let total = e.rotate_and_sum(&z, 2, 4)?;
        r.note("sum", &total)?;
        r.note("cut", &e.drop_moduli(&total, 2.0)?)
    })
}

/// Bootstraps.
///
/// # Errors
/// The evaluator's: the engine failed.
pub fn bootstraps<B: Backend>(fixture: &Fixture, engine: B) -> Result<Record> {
    run(fixture, engine, |r| {
        let e = r.evaluator;
        let plan = BootstrapPlan::new(r.fixture.params(), BOOTSTRAPPED)?;
        let bootstrapper = Bootstrapper::new(e, &plan, 1.0)?;
        let first = bootstrapper.bootstrap(&r.fresh(0, 2)?)?;
        r.note("bootstrap at 2", &first)?;
        let product = e.multiply(&first, &r.fresh(1, 3)?)?;
        r.note("multiply", &product)?;
        r.note("bootstrap, pending", &bootstrapper.bootstrap(&product)?)
    })
}
