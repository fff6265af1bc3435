//! Which widths this processor has.

/// A set of vector instructions the engine can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SimdLevel {
    /// No explicit vectors; what the compiler makes of plain loops for the target's baseline.
    Scalar,
    /// 256-bit vectors (x86-64 with AVX2).
    Avx2,
    /// 512-bit vectors (x86-64 with AVX-512 F, BW, DQ and VL).
    Avx512,
}

impl SimdLevel {
    /// All levels, narrowest first.
    pub const ALL: [Self; 3] = [Self::Scalar, Self::Avx2, Self::Avx512];

    /// Whether this processor has the level.
    pub fn is_available(self) -> bool {
        Level::new(self).is_some()
    }

    /// The widest level of this processor.
    pub fn detect() -> Self {
        Self::ALL
            .into_iter()
            .rev()
            .find(|level| level.is_available())
            .unwrap_or(Self::Scalar)
    }

    /// The levels of this processor, narrowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }
}

impl std::fmt::Display for SimdLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

/// A [`SimdLevel`] that this processor has: there is no other way to make one than [`Level::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level(SimdLevel);

impl Level {
    /// The level, if the processor has it.
    pub(crate) fn new(level: SimdLevel) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let available = match level {
            SimdLevel::Scalar => true,
            SimdLevel::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            SimdLevel::Avx512 => {
                std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
            }
        };
        #[cfg(not(target_arch = "x86_64"))]
        let available = level == SimdLevel::Scalar;
        available.then_some(Self(level))
    }

    /// The level that always exists.
    pub(crate) const SCALAR: Self = Self(SimdLevel::Scalar);

    /// Which one it is.
    pub(crate) fn get(self) -> SimdLevel {
        self.0
    }

    /// Words of one vector.
    pub(crate) fn lanes(self) -> usize {
        match self.0 {
            SimdLevel::Scalar => 1,
            SimdLevel::Avx2 => 8,
            SimdLevel::Avx512 => 16,
        }
    }
}
