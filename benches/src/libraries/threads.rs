//! What a second thread brings, beside what it brings to arithmetic alone; all by turns, so that what disturbs one disturbs all.

use std::{hint::black_box, thread};

use crate::{
    Result, Server, parameter_sets,
    timing::{Repeat, Timing, clock},
    training::circuit::Prepared,
};

/// Rounds of all measurements.
const FEWEST: usize = 7;
/// Steps of the chain: tens of milliseconds.
const ARITHMETIC: u64 = 10_000_000;
/// Products in a row: tens of milliseconds, as long as the others. One alone is over before a second thread that slept has run for long.
const PRODUCTS: u32 = 10;

/// One thing with one and with two threads.
pub(super) struct Gain {
    pub(super) name: String,
    pub(super) one: Timing,
    /// Of the arithmetic twice the work.
    pub(super) two: Timing,
    /// How many times as much is done in a second.
    pub(super) gain: f64,
    /// The gain by that of the arithmetic.
    pub(super) efficiency: f64,
}

/// A chain of multiplications that no compiler shortens: one thread's work is independent of the other's and of memory.
fn arithmetic() {
    let mut x = black_box(1u64);
    for _ in 0..ARITHMETIC {
        // Shifts between the products: several steps of products and sums alone would be folded into one.
        x = (x ^ (x >> 29)).wrapping_mul(6_364_136_223_846_793_005);
    }
    black_box(x);
}

/// Measures a product at `N = 2^log_n` and training runs of a circuit.
pub(super) fn measure(log_n: u32, prepared: &Prepared, seconds: f64) -> Result<Vec<Gain>> {
    let params = parameter_sets::standard(log_n)?;
    let servers = [
        Server::with_threads(&params, 1)?,
        Server::with_threads(&params, 2)?,
    ];
    let workload = &prepared.workload;
    let loaded = [workload.on_threads(1)?, workload.on_threads(2)?];
    let multiply = |which: usize| -> Result<f64> {
        let Server {
            evaluator, x, y, ..
        } = &servers[which];
        let all = clock(|| {
            for _ in 0..PRODUCTS {
                evaluator.relinearize_and_rescale(&evaluator.multiply(x, y)?)?;
            }
            Ok(())
        })?;
        Ok(all / f64::from(PRODUCTS))
    };
    let train = |which: usize| loaded[which].seconds();
    let loops = |which: usize| {
        clock(|| {
            thread::scope(|scope| {
                for _ in 0..which {
                    scope.spawn(arithmetic);
                }
                arithmetic();
            });
            Ok(())
        })
    };
    let kind = prepared.circuit.training.spec().kind;
    let names = [
        "arithmetic alone".to_owned(),
        format!("multiply, relinearize, rescale, N = 2^{log_n}"),
        format!(
            "{} minibatches of {kind}, N = 2^{}",
            prepared.iterations,
            prepared.circuit.params.log_n()
        ),
    ];
    let repeat = Repeat {
        warm_up: 0.0,
        seconds,
        fewest: FEWEST,
    };
    let of = |which: usize| -> Result<_> { Ok([loops(which)?, multiply(which)?, train(which)?]) };
    let times = repeat.times_of(|| {
        let ([a, b, c], [d, e, f]) = (of(0)?, of(1)?);
        Ok([a, b, c, d, e, f])
    })?;
    let mut gains: Vec<Gain> = Vec::new();
    let (ones, twos) = times.split_at(names.len());
    for (name, (&one, &two)) in names.into_iter().zip(ones.iter().zip(twos)) {
        let work = if gains.is_empty() { 2.0 } else { 1.0 };
        let gain = work * one.median / two.median;
        let alone = gains.first().map_or(gain, |first| first.gain);
        gains.push(Gain {
            name,
            one,
            two,
            gain,
            efficiency: gain / alone,
        });
    }
    Ok(gains)
}
