//! Where minibatches and weights stand in slots.
//!
//! ```text
//!   T = m x n (wide)                U = n x m (tall), half-width circuits: n/2 x 2m
//!
//!   rows      = rows of a minibatch   rows      = features of one tile
//!   columns   = features of one tile  columns   = rows of a minibatch
//! ```
//! A *tile* is a group of `chunk` features: `chunk` = n, or n/2 where data stands twice side by side. A vector of **column kind** has
//! slot s = x\[s mod chunk\] in a tile, one of **row kind** slot s = x\[s div (slots / chunk)\]. A value for each row of a minibatch, such
//! as t', is of row kind if slot s = t\[s div n\], of column kind if slot s = t\[s mod (slots / chunk)\], where t has zeros from m on.

use super::{CircuitError, Kind};

/// Units and tiles of a training circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Slots of a ciphertext: m times n.
    pub(crate) slots: usize,
    /// Rows of the wide unit.
    pub(crate) m: usize,
    /// Columns of the wide unit.
    pub(crate) n: usize,
    /// Features of a tile.
    pub(crate) chunk: usize,
    /// Tiles side by side: features over chunk.
    pub(crate) across: usize,
    /// Tiles below each other: rows of a minibatch over m. 1 for circuits with Gram matrices.
    pub(crate) down: usize,
}

/// The most ciphertexts of a minibatch: at N = 2^17 these are hundreds of GiB.
const MAX_TILES: usize = 1 << 12;
/// Slots of the largest ring.
const LARGEST: usize = 1 << 16;

impl Geometry {
    /// The units of a circuit for minibatches of `rows` rows and `features` features: the fewest ciphertexts, then the shortest rows:
    /// a sum of columns with a mask rotates twice for every doubling of a row, a sum of rows once for every doubling of their number.
    ///
    /// # Errors
    /// [`CircuitError::MinibatchTooLarge`] for circuits with Gram matrices, naming the most rows that they take;
    /// [`CircuitError::TooManyCiphertexts`] for more than is reasonable.
    pub(crate) fn choose(
        kind: Kind,
        slots: usize,
        features: usize,
        rows: usize,
    ) -> Result<Self, CircuitError> {
        let best = Self::fewest(kind, slots, features, rows);
        let best = best.ok_or_else(|| CircuitError::MinibatchTooLarge {
            circuit: kind.name(),
            rows,
            most: Self::most_rows(kind, slots),
            slots,
        })?;
        if best.tiles() <= MAX_TILES {
            return Ok(best);
        }
        let fits = |rows: usize| {
            let best = Self::fewest(kind, LARGEST, features, rows);
            best.is_some_and(|best| best.tiles() <= MAX_TILES)
        };
        // More rows need as many ciphertexts or more.
        let (mut most, mut beyond) = (0, rows.saturating_add(1));
        while most + 1 < beyond {
            let middle = most + (beyond - most) / 2;
            if fits(middle) {
                most = middle;
            } else {
                beyond = middle;
            }
        }
        Err(CircuitError::TooManyCiphertexts {
            circuit: kind.name(),
            rows,
            features,
            slots,
            ciphertexts: best.tiles(),
            allowed: MAX_TILES,
            most,
        })
    }

    /// Ciphertexts of a minibatch.
    fn tiles(&self) -> usize {
        self.across.saturating_mul(self.down)
    }

    /// The units with the fewest ciphertexts; none if the circuit takes no minibatch of so many rows.
    fn fewest(kind: Kind, slots: usize, features: usize, rows: usize) -> Option<Self> {
        let halves = usize::from(kind.halves_columns()) + 1;
        let candidates = (0..=slots.trailing_zeros()).map(|log| {
            let m = 1usize << log;
            let n = slots / m;
            let chunk = n / halves;
            Self {
                slots,
                m,
                n,
                chunk,
                across: features.div_ceil(chunk.max(1)),
                down: rows.div_ceil(m),
            }
        });
        let fits = |g: &Self| {
            if g.chunk == 0 {
                return false;
            }
            match kind {
                Kind::Baseline | Kind::MaskFree => true,
                // G stands in one tile and its columns within the columns of a tall unit.
                Kind::LowDepth | Kind::SingleChain => g.down == 1 && g.m <= g.n,
                Kind::SingleChainMaskFree => g.down == 1 && 2 * g.m <= g.n,
            }
        };
        let fitting = candidates.filter(fits);
        fitting.min_by_key(|g| (g.tiles(), g.n))
    }

    /// The most rows of a minibatch that a circuit takes at this many slots.
    fn most_rows(kind: Kind, slots: usize) -> usize {
        let log = slots.trailing_zeros();
        match kind {
            Kind::Baseline | Kind::MaskFree => usize::MAX,
            Kind::LowDepth | Kind::SingleChain => 1 << (log / 2),
            Kind::SingleChainMaskFree => 1 << (log.saturating_sub(1) / 2),
        }
    }

    /// Columns of the tall unit: m, or 2m where it has n/2 rows.
    pub(crate) fn tall_width(&self) -> usize {
        self.slots / self.chunk
    }
}
