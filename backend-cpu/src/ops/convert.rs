//! Base conversion of whole buffers, and the pieces of it that composites share.

use arras_hal::{ConversionMode, ConversionTable, Result};

use super::batch::{Grid, MAX_GROUP, split, stride};
use crate::{
    CpuEngine, CpuRing,
    kernels::{
        PIECE,
        convert::{MAX_SOURCES, MAX_TARGETS, Weights},
        dispatch,
    },
    memory::{CpuBuf, Words},
};

/// One target of a conversion with its constants ready.
pub(super) struct Target {
    limb: usize,
    weights: [u32; MAX_SOURCES],
    start: u32,
}

impl Target {
    /// The target at a position of the table.
    pub(super) fn new(ring: &CpuRing, table: &ConversionTable, position: usize) -> Self {
        let limb = table.to().at(position);
        let prime = ring.prime(limb);
        let mut weights = [0; MAX_SOURCES];
        for (weight, &w) in weights.iter_mut().zip(table.row(position)) {
            *weight = prime.to_montgomery(w);
        }
        let offset = prime.to_montgomery(table.offset()[position]);
        let start = match table.mode() {
            ConversionMode::Centred => offset,
            ConversionMode::Quotient => {
                weights[table.from().len()] = offset;
                0
            }
        };
        Self {
            limb,
            weights,
            start,
        }
    }
}

/// Sources of one polynomial: rows of all source limbs, and the quotients in that mode.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    rows: [&'a [u32]; MAX_SOURCES],
    count: usize,
}

impl<'a> Sources<'a> {
    pub(super) fn new(rows: impl Iterator<Item = &'a [u32]>) -> Self {
        let mut sources = Self {
            rows: [&[]; MAX_SOURCES],
            count: 0,
        };
        for row in rows {
            sources.push(row);
        }
        sources
    }

    pub(super) fn push(&mut self, row: &'a [u32]) {
        self.rows[self.count] = row;
        self.count += 1;
    }

    fn piece(&self, at: usize, len: usize) -> Self {
        let mut piece = *self;
        for row in &mut piece.rows[..self.count] {
            *row = &row[at..at + len];
        }
        piece
    }

    fn as_slice(&self) -> &[&'a [u32]] {
        &self.rows[..self.count]
    }
}

/// Converts one polynomial to several targets. `row(k)` is the number of target k's row; it grows with k. Results are below
/// 4q: the forward transform takes them.
pub(super) fn convert_rows(
    ring: &CpuRing,
    sources: &Sources<'_>,
    targets: &[Target],
    rows: &mut [&mut [u32]],
    row: impl Fn(usize) -> usize,
) {
    let n = ring.n();
    let len = n.min(PIECE);
    for (c, targets) in targets.chunks(MAX_TARGETS).enumerate() {
        let mut weights = [Weights {
            prime: ring.prime(0),
            weights: &[],
            start: 0,
        }; MAX_TARGETS];
        for (weights, target) in weights.iter_mut().zip(targets) {
            *weights = Weights {
                prime: ring.prime(target.limb),
                weights: &target.weights[..sources.count],
                start: target.start,
            };
        }
        let mut dst: [&mut [u32]; MAX_TARGETS] = [&mut [], &mut [], &mut [], &mut []];
        // Numbers of rows grow with k.
        let mut rest = &mut *rows;
        let mut before = 0;
        for (k, dst) in dst.iter_mut().enumerate().take(targets.len()) {
            let number = row(c * MAX_TARGETS + k);
            let (_, tail) = std::mem::take(&mut rest).split_at_mut(number - before);
            let Some((found, tail)) = tail.split_first_mut() else {
                return;
            };
            (*dst, rest, before) = (&mut **found, tail, number + 1);
        }
        for at in (0..n).step_by(len) {
            let piece = sources.piece(at, len);
            let mut pieces: [&mut [u32]; MAX_TARGETS] = [&mut [], &mut [], &mut [], &mut []];
            for (piece, dst) in pieces.iter_mut().zip(&mut dst[..targets.len()]) {
                *piece = &mut dst[at..at + len];
            }
            dispatch::convert(
                ring.level(),
                &mut pieces[..targets.len()],
                piece.as_slice(),
                &weights[..targets.len()],
            );
        }
    }
}

impl CpuEngine {
    /// The quotients of all polynomials, rows `[poly]`; `row(poly, source)` gives the sources.
    pub(super) fn quotients<'a>(
        &self,
        ring: &CpuRing,
        table: &ConversionTable,
        (polys, secret): (usize, bool),
        row: impl Fn(usize, usize) -> &'a [u32] + Sync + Send,
    ) -> Result<Words> {
        let (n, stride) = (ring.n(), stride(ring.n()));
        let len = n.min(PIECE);
        let mut quotients = self.scratch(polys * stride, secret)?;
        self.each_chunk(quotients.as_mut(), stride, |poly, words| {
            let rows = (0..table.from().len()).map(|source| row(poly, source));
            let sources = Sources::new(rows);
            for at in (0..n).step_by(len) {
                let (piece, sources) = (&mut words[at..at + len], sources.piece(at, len));
                dispatch::quotient(ring.level(), piece, sources.as_slice(), table.reciprocal());
            }
        });
        Ok(quotients)
    }

    /// How many limbs to take in one task: enough to reuse sources, few enough to keep all threads busy and the
    /// task's `rows` rows per limb in a second-level cache.
    pub(super) fn group(&self, limbs: usize, rows: usize) -> usize {
        (limbs / (3 * self.threads()))
            .min(16 / rows.max(1))
            .clamp(1, MAX_GROUP)
    }

    pub(super) fn convert_buffer(
        &self,
        ring: &CpuRing,
        dst: &mut CpuBuf,
        src: &CpuBuf,
        table: &ConversionTable,
    ) -> Result<()> {
        let (n, polys, limbs) = (ring.n(), dst.polys(), table.from().len());
        let secret = dst.is_secret();
        // What the sources need before they are converted: a quotient, or half their prime added.
        let (quotients, shifted) = match table.mode() {
            ConversionMode::Quotient => {
                let rows = |p, i| src.row(p, i);
                (
                    Some(self.quotients(ring, table, (polys, secret), rows)?),
                    None,
                )
            }
            ConversionMode::Centred => {
                let mut shifted = self.buffer(ring, &src.shape().with_polys(polys), secret)?;
                self.each_row(shifted.words_mut(), n, |row, words| {
                    let (i, p) = (row / polys, row % polys);
                    words.copy_from_slice(src.row(p, i));
                    let prime = ring.prime(table.from().at(i));
                    dispatch::add_constant_assign(ring.level(), prime, words, table.half()[i]);
                });
                (None, Some(shifted))
            }
        };
        let from = shifted.as_ref().unwrap_or(src);
        let group = self.group(table.to().len(), polys);
        self.each_chunk(dst.words_mut(), group * polys * n, |g, words| {
            let first = g * group;
            let count = words.len() / (polys * n);
            let targets: Vec<Target> = (first..first + count)
                .map(|t| Target::new(ring, table, t))
                .collect();
            let mut rows = split(words, n, n);
            for p in 0..polys {
                let mut sources = Sources::new((0..limbs).map(|i| from.row(p, i)));
                if let Some(q) = &quotients {
                    sources.push(Grid::new(q.as_ref(), n, stride(n)).row(p));
                }
                convert_rows(ring, &sources, &targets, &mut rows, |k| k * polys + p);
            }
            for (target, rows) in targets.iter().zip(words.chunks_exact_mut(polys * n)) {
                dispatch::canonical(ring.level(), ring.prime(target.limb), rows);
            }
        });
        Ok(())
    }
}
