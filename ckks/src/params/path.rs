//! Level paths: which primes are in use at each level.
//!
//! A level is a [`Window`] of the basis, so many mains and so many terminals. Mains are 6u bits, terminals 5u bits, so a step
//! of 8u is 3 mains for 2 terminals (18u - 10u) or 4 terminals for 2 mains (20u - 12u), and every step is about 8u (or 7u) although
//! no prime has that size: the prime system of arXiv 2407.13055.
//!
//! ```text
//! basis   T_{A-1} .. T_1  T_0 | Q_0  Q_1  Q_2  Q_3  Q_4 .. Q_{M-1} | P_0 ..
//! (0,2)              [------]
//! (3,0)                       |[------------]
//! (1,4)   [------------------------]
//! (4,2)              [-----------------------------]
//! ```

use core::fmt;

use serde::{Deserialize, Serialize};

use super::log2::{Log2, units};

/// Size of a main prime in units of u.
const MAIN: i64 = 6;
/// Size of a terminal prime in units of u.
const TERMINAL: i64 = 5;

/// How many bits a level spends: the scale of a level is about as large as the step to the level below it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum LevelWidth {
    /// 7u = 33.95 bits per level, five terminals: more levels in the same modulus, 4.85 bits less precision.
    Bits34,
    /// 8u = 38.8 bits per level, four terminals. The default.
    #[default]
    Bits39,
}

impl LevelWidth {
    /// Both widths, the narrow one first.
    pub const ALL: [LevelWidth; 2] = [LevelWidth::Bits34, LevelWidth::Bits39];

    /// The width in units of u = 4.85 bits: 7 or 8.
    pub const fn in_units(self) -> i64 {
        match self {
            LevelWidth::Bits34 => 7,
            LevelWidth::Bits39 => 8,
        }
    }

    /// The width in bits: 33.95 or 38.8.
    pub const fn bits(self) -> f64 {
        match self {
            LevelWidth::Bits34 => 33.95,
            LevelWidth::Bits39 => 38.8,
        }
    }

    /// The scale of level 0, the `f64` nearest to 2^33.95 or 2^38.8. A literal, because `exp2` differs between platforms.
    pub const fn base_scale(self) -> f64 {
        match self {
            LevelWidth::Bits34 => 16_594_659_771.002_042,
            LevelWidth::Bits39 => 478_590_233_455.517_6,
        }
    }

    /// The band in which the scale of every level must lie, as logarithms. The ends of the paths below use nearly all of it.
    pub(crate) const fn scale_band(self) -> (Log2, Log2) {
        let w = self.in_units();
        (units(4 * w - 3, 4), units(4 * w + 7, 4))
    }
}

impl fmt::Display for LevelWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bits per level", self.bits())
    }
}

/// The primes in use at one level: the first `mains` mains and the first `terminals` terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Number of mains, `Q_0 .. Q_{mains-1}`.
    pub mains: usize,
    /// Number of terminals, `T_0 .. T_{terminals-1}`.
    pub terminals: usize,
}

impl Window {
    /// A window of `mains` mains and `terminals` terminals.
    pub const fn new(mains: usize, terminals: usize) -> Self {
        Self { mains, terminals }
    }

    /// Nominal size in units of u. Only for windows of paths generated here.
    pub(crate) const fn size(self) -> i64 {
        MAIN * self.mains as i64 + TERMINAL * self.terminals as i64
    }

    /// Number of limbs.
    pub const fn limbs(self) -> usize {
        self.mains + self.terminals
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.mains, self.terminals)
    }
}

/// The window of level 0.
pub const BASE: Window = Window::new(0, 2);

/// The mains and terminals that a path needs: the largest count of each over its levels.
pub(crate) fn extent(path: &[Window]) -> Window {
    path.iter().fold(Window::new(0, 0), |e, w| {
        Window::new(e.mains.max(w.mains), e.terminals.max(w.terminals))
    })
}

/// Nominal logarithm of each level's scale: `s_i = (s_{i-1} + step) / 2` from the width at level 0.
pub(crate) fn nominal_scales(width: LevelWidth, path: &[Window]) -> Vec<Log2> {
    let mut scale = units(width.in_units(), 1);
    let mut scales = vec![scale];
    for pair in path.windows(2) {
        scale = (scale + units(pair[1].size() - pair[0].size(), 1)) / 2;
        scales.push(scale);
    }
    scales
}

/// The path of a chain of `levels` levels, `levels + 1` windows from [`BASE`] up, that needs the smallest keys' modulus.
///
/// The keys' modulus is all terminals x all mains x P whatever the level, so the steps are regular only up to a top that
/// uses every terminal: a chain that ended on (7,0) would pay for four terminals it does not use.
pub fn level_path(width: LevelWidth, levels: usize) -> Vec<Window> {
    match width {
        _ if levels == 0 => vec![BASE],
        LevelWidth::Bits39 => wide_path(levels),
        LevelWidth::Bits34 => narrow_path(levels),
    }
}

/// The regular sequence: steps of exactly the width, each with the fewest terminals that allow it.
fn regular(width: LevelWidth, levels: usize) -> Vec<Window> {
    let mut path = vec![BASE];
    let mut at = BASE;
    for _ in 0..levels {
        // Terminals 0..=5 cover every residue modulo 6 because 5 is invertible, so a step always exists.
        for terminals in 0..6 {
            let rest = width.in_units() - TERMINAL * (terminals as i64 - at.terminals as i64);
            if rest % MAIN == 0 {
                let mains = at.mains.saturating_add_signed((rest / MAIN) as isize);
                at = Window::new(mains, terminals);
                break;
            }
        }
        path.push(at);
    }
    path
}

/// Levels that the reduction modulo Q_0 of a bootstrap takes, of two mains each.
pub(crate) const EVAL_MOD_LEVELS: usize = 8;
/// Terminals of a path with bootstrapping: all that the width of 8u uses.
const BOOTSTRAP_TERMINALS: usize = 4;
/// The band in which the scales above users' levels must lie.
pub(crate) const RAISED_BAND: (Log2, Log2) = (units(9, 1), units(13, 1));

/// The path of a set that bootstraps to level `levels`: regular steps of 8u up to there, the levels of the reduction, and `stages` for
/// the map to slots, of two mains each or, at the top, of the two terminals that are still missing: the top window must hold every terminal, or modulus
/// is wasted. `None` if there are fewer stages than pairs of terminals missing.
pub(crate) fn bootstrap_path(levels: usize, stages: usize) -> Option<Vec<Window>> {
    let mut path = regular(LevelWidth::Bits39, levels);
    let mut at = *path.last()?;
    let missing = (BOOTSTRAP_TERMINALS - at.terminals) / 2;
    for _ in 0..EVAL_MOD_LEVELS + stages.checked_sub(missing)? {
        at.mains += 2;
        path.push(at);
    }
    for _ in 0..missing {
        at.terminals += 2;
        path.push(at);
    }
    Some(path)
}

/// 8u: three regular steps take 4 mains, and the three possible remainders have the tops 9u; 9u, 7.5u; 8u, 9u, 9.5u.
fn wide_path(levels: usize) -> Vec<Window> {
    let periods = (levels - 1) / 3;
    let m = 4 * periods;
    let mut path = regular(LevelWidth::Bits39, 3 * periods);
    match (levels - 1) % 3 {
        0 => path.push(Window::new(m, 4)),
        1 => path.extend([Window::new(m, 4), Window::new(m + 1, 4)]),
        _ => path.extend([0, 2, 4].map(|t| Window::new(m + 3, t))),
    }
    path
}

/// 7u: a regular prefix and at most three free steps, found by search; the smallest extent wins, then the largest lowest
/// scale, then the first in lexicographic order.
fn narrow_path(levels: usize) -> Vec<Window> {
    const FREE_STEPS: usize = 3;
    let regular = regular(LevelWidth::Bits34, levels);
    let mut search = Search {
        best: (i64::MAX, 0),
        path: regular.clone(),
    };
    for free in 0..=FREE_STEPS.min(levels) {
        let mut path = regular[..=levels - free].to_vec();
        let reach = extent(&path);
        let scale = 8 * LevelWidth::Bits34.in_units();
        search.extend(&mut path, reach, free, scale, i64::MAX);
    }
    search.path
}

/// The best path so far and its rank: extent in units (smaller is better), then minus the lowest scale.
struct Search {
    best: (i64, i64),
    path: Vec<Window>,
}

impl Search {
    /// Scales are in eighths of u, so that the three halvings of the free steps are exact.
    const LOWEST: i64 = 52;
    const HIGHEST: i64 = 69;

    fn extend(
        &mut self,
        path: &mut Vec<Window>,
        reach: Window,
        free: usize,
        scale: i64,
        lowest: i64,
    ) {
        let Some(&at) = path.last() else { return };
        if free == 0 {
            let rank = (reach.size(), -lowest);
            if rank < self.best {
                self.best = rank;
                self.path.clone_from(path);
            }
            return;
        }
        if reach.size() > self.best.0 {
            return;
        }
        for mains in at.mains.saturating_sub(4)..=at.mains + 5 {
            for terminals in 0..=5 {
                let next = Window::new(mains, terminals);
                let doubled = scale + 8 * (next.size() - at.size());
                if !(2 * Self::LOWEST..=2 * Self::HIGHEST).contains(&doubled) {
                    continue;
                }
                path.push(next);
                let (reach, scale) = (extent(&[reach, next]), doubled / 2);
                self.extend(path, reach, free - 1, scale, lowest.min(scale));
                path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log2::to_bits;
    use super::*;

    fn windows(pairs: &[(usize, usize)]) -> Vec<Window> {
        pairs.iter().map(|&(m, t)| Window::new(m, t)).collect()
    }

    #[test]
    fn regular_sequences() {
        let wide = [
            (0, 2),
            (3, 0),
            (1, 4),
            (4, 2),
            (7, 0),
            (5, 4),
            (8, 2),
            (11, 0),
            (9, 4),
            (12, 2),
        ];
        assert_eq!(regular(LevelWidth::Bits39, 9), windows(&wide));
        let narrow = [(0, 2), (2, 1), (4, 0), (1, 5), (3, 4), (5, 3), (7, 2)];
        assert_eq!(regular(LevelWidth::Bits34, 6), windows(&narrow));
    }

    #[test]
    fn bootstrapping_paths_end_with_every_prime() {
        for levels in 1..40 {
            for stages in 0..4 {
                let Some(path) = bootstrap_path(levels, stages) else {
                    assert!(stages < 2);
                    continue;
                };
                assert_eq!(path.len(), levels + EVAL_MOD_LEVELS + stages + 1);
                let top = extent(&path);
                assert_eq!((path.last(), top.terminals), (Some(&top), 4));
            }
        }
        let top = |levels, stages| bootstrap_path(levels, stages).unwrap().pop();
        assert_eq!(top(17, 2), Some(Window::new(41, 4)));
        assert_eq!(top(16, 3), Some(Window::new(41, 4)));
        assert_eq!(top(13, 2), Some(Window::new(35, 4)));
    }

    #[test]
    fn wide_tops_hold_every_prime() {
        let path = |levels| level_path(LevelWidth::Bits39, levels);
        assert_eq!(path(0), windows(&[(0, 2)]));
        assert_eq!(path(1), windows(&[(0, 2), (0, 4)]));
        let five = [(0, 2), (3, 0), (1, 4), (4, 2), (4, 4), (5, 4)];
        assert_eq!(path(5), windows(&five));
        assert_eq!(path(6).last(), Some(&Window::new(7, 4)));
        for levels in 1..100 {
            let path = level_path(LevelWidth::Bits39, levels);
            assert_eq!(path.last().copied(), Some(extent(&path)), "{levels} levels");
        }
    }

    #[test]
    fn every_path_has_its_length_and_stays_in_the_band() {
        for width in LevelWidth::ALL {
            let (low, high) = width.scale_band();
            let mut previous = 0;
            for levels in 0..100 {
                let path = level_path(width, levels);
                assert_eq!(path.len(), levels + 1);
                assert_eq!(path[0], BASE);
                let scales = nominal_scales(width, &path);
                let band = low + units(1, 8)..=high - units(1, 8);
                let in_band = scales.iter().all(|s| band.contains(s));
                assert!(in_band, "{width} {levels}");
                let size = extent(&path).size();
                assert!(size > previous, "{width}: {levels} levels need no more");
                previous = size;
            }
        }
    }

    #[test]
    fn narrow_paths_are_as_small_as_the_model_finds() {
        let model = [
            16, 25, 31, 38, 45, 55, 61, 67, 73, 85, 91, 97, 103, 109, 115, 127, 133, 139, 145,
        ];
        for (i, want) in model.into_iter().enumerate() {
            let path = level_path(LevelWidth::Bits34, i + 1);
            assert_eq!(extent(&path).size(), want, "{} levels", i + 1);
        }
    }

    #[test]
    fn base_scales_are_the_nearest_floats() {
        for width in LevelWidth::ALL {
            assert!((width.base_scale().log2() - width.bits()).abs() < 1e-14);
            assert!((to_bits(units(width.in_units(), 1)) - width.bits()).abs() < 1e-11);
        }
    }
}
