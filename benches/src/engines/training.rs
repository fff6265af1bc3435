//! Whole training runs as rows of the table.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use arras::hal::Backend;

use super::measure::{Counters, Measured, median, warm_up};
use crate::{Result, resident::Prepared};

/// Runs `side_by_side` calls at a time for about so many seconds.
///
/// # Errors
/// The toolkit's.
pub fn measure<B: Backend>(
    prepared: &Prepared,
    engine: B,
    side_by_side: usize,
    seconds: f64,
    counters: Counters<'_, B>,
) -> Result<Measured> {
    let (resident, first) = prepared.load(engine, side_by_side)?;
    let mut hasher = DefaultHasher::new();
    for output in first.outputs.values() {
        output.ciphertext().poly().to_words()?.hash(&mut hasher);
    }
    let engine = resident.context.engine();
    let before = counters(engine);
    resident.seconds()?;
    let counts = counters(engine).zip(before);
    warm_up(seconds / 4.0, || resident.seconds())?;
    let latency = median(seconds, || resident.seconds())?;
    Ok(Measured {
        latency,
        each: latency,
        enqueue: latency,
        queued: 1,
        dispatches: counts.map(|(after, before)| after.0 - before.0),
        submissions: counts.map(|(after, before)| after.1 - before.1),
        fingerprint: hasher.finish(),
    })
}
