//! The bounds of every parameter set.

/// Ring degrees are 2^5 to 2^17.
pub const LOG_N: core::ops::RangeInclusive<u32> = 5..=17;
/// The most levels of a set.
pub const MAX_LEVELS: usize = 127;
/// The most mains of a set.
pub const MAX_MAINS: usize = 192;
/// The most terminals of a set.
pub const MAX_TERMINALS: usize = 8;
/// The most special primes a set may have. A base conversion takes at most 60 sources: its quotient estimate adds 16-bit
/// residues times 26-bit factors in 32 bits, and its error grows with their number.
pub const MAX_CONVERSION_SOURCES: usize = 60;
/// Every level must hold values of magnitude up to `2^MIN_HEADROOM_BITS`.
pub const MIN_HEADROOM_BITS: u32 = 4;
