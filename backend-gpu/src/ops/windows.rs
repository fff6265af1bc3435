//! Buffers larger than what one binding covers.
//!
//! An operation whose operands fit runs as it is. Otherwise its batch goes through in pieces that fit: a window of the buffer
//! where the piece's polynomials are contiguous, a copy of them where they are not.
//!
//! ```text
//!   [1][batch]   | item 0 | item 1 | item 2 | ..             a piece is a window
//!   [2][batch]   | c0 of all items ..  | c1 of all items ..  a piece is gathered, and what was written is scattered
//! ```
//! Copies are the device's own, from buffer to buffer: they need no binding.

use std::ops::Range;

use arras_hal::{Result, RowCopy};

use crate::{GpuBuf, GpuEngine, GpuRing, recorder::Transfer};

/// A buffer as an operation sees it: polynomial p of part c is `(c * batch + p) mod polys`.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    pub(crate) buf: &'a GpuBuf,
    pub(crate) parts: usize,
    /// Old contents count: an output that is updated.
    pub(crate) read: bool,
}

impl<'a> Operand<'a> {
    pub(crate) fn input(buf: &'a GpuBuf, parts: usize) -> Self {
        let read = true;
        Self { buf, parts, read }
    }

    /// Overwritten.
    pub(crate) fn output(buf: &'a GpuBuf, parts: usize) -> Self {
        let read = false;
        Self { buf, parts, read }
    }

    /// Read and written.
    pub(crate) fn updated(buf: &'a GpuBuf, parts: usize) -> Self {
        Self::input(buf, parts)
    }

    /// Runs of consecutive polynomials that make up a piece of the batch.
    fn runs(&self, batch: usize, piece: &Range<usize>) -> Vec<Range<usize>> {
        let polys = self.buf.shape.polys;
        let mut runs: Vec<Range<usize>> = Vec::new();
        for part in 0..self.parts {
            for item in piece.clone() {
                let poly = (part * batch + item) % polys;
                match runs.last_mut() {
                    Some(run) if run.end == poly => run.end += 1,
                    _ => runs.push(poly..poly + 1),
                }
            }
        }
        runs
    }
}

impl GpuEngine {
    fn exceeds(&self, buf: &GpuBuf) -> bool {
        buf.block.bytes > self.memory().largest_binding()
    }

    /// Runs `op` on outputs and inputs, as they are or in pieces of the batch. The first output is `[parts][batch]`.
    ///
    /// # Errors
    /// Those of `op`; [`arras_hal::HalErrorKind::OutOfMemory`] where one batch item exceeds a binding, or copies find no memory.
    pub(crate) fn in_pieces(
        &self,
        ring: &GpuRing,
        outputs: &[Operand<'_>],
        inputs: &[Operand<'_>],
        op: impl Fn(&[&GpuBuf], &[&GpuBuf]) -> Result<()>,
    ) -> Result<()> {
        let all = || outputs.iter().chain(inputs);
        if !all().any(|o| self.exceeds(o.buf)) {
            let outputs: Vec<&GpuBuf> = outputs.iter().map(|o| o.buf).collect();
            let inputs: Vec<&GpuBuf> = inputs.iter().map(|o| o.buf).collect();
            return op(&outputs, &inputs);
        }
        let Some(batch) = outputs.first().map(|o| o.buf.shape.polys / o.parts) else {
            return Ok(());
        };
        let item = all().map(|o| o.parts as u64 * poly_bytes(ring, o.buf));
        let item = item.max().unwrap_or(1);
        let largest = self.memory().largest_binding();
        if item > largest {
            return Err(self.memory().refuse(item, largest));
        }
        let step = usize::try_from(largest / item).unwrap_or(batch);
        for start in (0..batch).step_by(step) {
            let range = start..(start + step).min(batch);
            let take = |o: &Operand<'_>| self.piece(ring, o, o.runs(batch, &range));
            let written = outputs.iter().map(take).collect::<Result<Vec<_>>>()?;
            let read = inputs.iter().map(take).collect::<Result<Vec<_>>>()?;
            let [bufs, sources] =
                [&written, &read].map(|p| p.iter().map(|p| &p.buf).collect::<Vec<_>>());
            op(&bufs, &sources)?;
            for (operand, piece) in outputs.iter().zip(&written) {
                self.recorder()
                    .transfer(&piece.transfers(ring, operand.buf, Way::Out));
            }
        }
        Ok(())
    }

    /// [`GpuEngine::in_pieces`] for operations that return no error: it stays with the engine, as one of the device does.
    pub(crate) fn primitive(
        &self,
        ring: &GpuRing,
        output: Operand<'_>,
        inputs: &[Operand<'_>],
        op: impl Fn(&GpuBuf, &[&GpuBuf]) -> Result<()>,
    ) {
        let run = self.in_pieces(ring, &[output], inputs, |outputs, inputs| {
            op(outputs[0], inputs)
        });
        self.keep_error(run);
    }

    /// An error that a primitive cannot return comes out of the next wait.
    pub(super) fn keep_error(&self, run: Result<()>) {
        if let Err(error) = run {
            self.fail(&error);
        }
    }

    /// These polynomials of an operand as a buffer of their own.
    fn piece(
        &self,
        ring: &GpuRing,
        operand: &Operand<'_>,
        runs: Vec<Range<usize>>,
    ) -> Result<Piece> {
        let buf = operand.buf;
        let bytes = poly_bytes(ring, buf);
        let window = |run: &Range<usize>| {
            let (offset, bytes) = (run.start as u64 * bytes, run.len() as u64 * bytes);
            GpuBuf {
                shape: buf.shape.with_polys(run.len()),
                block: buf.block.window(offset, bytes),
            }
        };
        let whole = 0..1;
        let contiguous = match &runs[..] {
            _ if buf.shape.polys == 1 => Some(&whole),
            [run] if (run.start as u64 * bytes).is_multiple_of(self.memory().alignment()) => {
                Some(run)
            }
            _ => None,
        };
        if let Some(run) = contiguous {
            return Ok(Piece {
                buf: window(run),
                copied: Vec::new(),
            });
        }
        let polys = runs.iter().map(ExactSizeIterator::len).sum();
        let shape = buf.shape.with_polys(polys);
        let block = self.recorder().alloc(shape.words(ring.basis.n()))?;
        let piece = Piece {
            buf: GpuBuf { shape, block },
            copied: runs,
        };
        if operand.read {
            self.recorder()
                .transfer(&piece.transfers(ring, buf, Way::In));
        }
        Ok(piece)
    }

    /// Copies rows from buffer to buffer where a kernel cannot see both.
    pub(crate) fn transfer_rows(
        &self,
        ring: &GpuRing,
        dst: &GpuBuf,
        src: &GpuBuf,
        rows: &[RowCopy],
    ) -> bool {
        if !self.exceeds(dst) && !self.exceeds(src) {
            return false;
        }
        let row_bytes = ring.basis.n() as u64 * 4;
        let at = |buf: &GpuBuf, poly: u32, limb: u32| {
            (u64::from(poly) * buf.shape.limbs.len() as u64 + u64::from(limb)) * row_bytes
        };
        let mut copies: Vec<Transfer<'_>> = Vec::new();
        for row in rows {
            let src_offset = at(src, row.src_poly, row.src_limb);
            let dst_offset = at(dst, row.dst_poly, row.dst_limb);
            match copies.last_mut() {
                Some(c)
                    if (c.src_offset + c.bytes, c.dst_offset + c.bytes)
                        == (src_offset, dst_offset) =>
                {
                    c.bytes += row_bytes;
                }
                _ => copies.push(Transfer {
                    src: &src.block,
                    src_offset,
                    dst: &dst.block,
                    dst_offset,
                    bytes: row_bytes,
                }),
            }
        }
        self.recorder().transfer(&copies);
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// Polynomials of an operand: a window of it, or a copy.
struct Piece {
    buf: GpuBuf,
    /// What was copied, in order; empty for a window.
    copied: Vec<Range<usize>>,
}

impl Piece {
    fn transfers<'a>(&'a self, ring: &GpuRing, whole: &'a GpuBuf, way: Way) -> Vec<Transfer<'a>> {
        let bytes = poly_bytes(ring, whole);
        let mut done = 0;
        let copy = |run: &Range<usize>| {
            let here = done as u64 * bytes;
            done += run.len();
            let there = run.start as u64 * bytes;
            let (src, src_offset, dst, dst_offset) = match way {
                Way::In => (&whole.block, there, &self.buf.block, here),
                Way::Out => (&self.buf.block, here, &whole.block, there),
            };
            let bytes = run.len() as u64 * bytes;
            Transfer {
                src,
                src_offset,
                dst,
                dst_offset,
                bytes,
            }
        };
        self.copied.iter().map(copy).collect()
    }
}

fn poly_bytes(ring: &GpuRing, buf: &GpuBuf) -> u64 {
    (buf.shape.limbs.len() * ring.basis.n()) as u64 * 4
}
