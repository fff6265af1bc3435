//! Memory from the system, with large pages where it is worth it.

use memmap2::MmapMut;

/// Sixteen words at a multiple of 64 bytes: one cache line, one widest vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u32; 16]);

/// No memory: how many bytes were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted(pub(crate) usize);

/// Bytes of a line.
pub(crate) const LINE: usize = size_of::<Line>();

/// Bytes from which a piece is mapped by itself: the size of a large page on x86-64 and of most on aarch64.
const LARGE: usize = 2 << 20;

/// Zeroed lines. Kernels walk a dozen rows side by side and permutations jump within them, so with pages of 4 KiB a good part
/// of the time goes to address translation (a tenth of a key switch inside a virtual machine, where a miss costs twice).
pub(crate) enum Piece {
    Small(Vec<Line>),
    Mapped(MmapMut),
}

impl Piece {
    /// So many lines of zeros.
    pub(crate) fn new(lines: usize) -> Result<Self, Exhausted> {
        let bytes = lines.saturating_mul(LINE);
        let exhausted = Exhausted(bytes);
        if bytes >= LARGE {
            let map = MmapMut::map_anon(bytes).map_err(|_| exhausted)?;
            // Advice: where it is refused, pages stay small and nothing else changes.
            // Miri knows no such advice.
            #[cfg(all(target_os = "linux", not(miri)))]
            let _ = map.advise(memmap2::Advice::HugePage);
            return Ok(Self::Mapped(map));
        }
        let mut small = Vec::new();
        small.try_reserve_exact(lines).map_err(|_| exhausted)?;
        small.resize(lines, Line::default());
        Ok(Self::Small(small))
    }

    pub(crate) fn lines(&self) -> &[Line] {
        match self {
            Self::Small(lines) => lines,
            // Pages are aligned to more than a line, and a piece is whole lines.
            Self::Mapped(map) => bytemuck::cast_slice(map),
        }
    }

    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        match self {
            Self::Small(lines) => lines,
            Self::Mapped(map) => bytemuck::cast_slice_mut(map),
        }
    }
}

/// What a taken piece leaves behind.
impl Default for Piece {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

/// Contents are not printed: they may be secret.
impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Piece({} lines)", self.lines().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_pieces_are_aligned_zeros() {
        let sizes = [0, 1, 100, LARGE / LINE - 1, LARGE / LINE, LARGE / LINE + 1];
        // Miri takes a minute for the large ones.
        for lines in sizes.into_iter().take(if cfg!(miri) { 3 } else { 6 }) {
            let mut piece = Piece::new(lines).unwrap();
            assert_eq!(piece.lines().len(), lines);
            assert_eq!(matches!(piece, Piece::Mapped(_)), lines * LINE >= LARGE);
            assert_eq!(piece.lines().as_ptr().align_offset(LINE), 0);
            assert!(piece.lines().iter().all(|line| *line == Line::default()));
            piece.lines_mut().fill(Line([7; 16]));
        }
        assert_eq!(
            Piece::new(usize::MAX / LINE).unwrap_err(),
            Exhausted(usize::MAX / LINE * LINE)
        );
    }
}
