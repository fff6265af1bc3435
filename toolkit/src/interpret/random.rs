//! Random numbers for trials: not for secrets. The same on every platform.

/// A stream of numbers from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The stream of these words.
    pub(crate) fn new(seed: &[u64]) -> Self {
        let hash = |state: u64, &word: &u64| {
            mix(state.wrapping_add(GOLDEN) ^ mix(word.wrapping_add(GOLDEN)))
        };
        Self(seed.iter().fold(0, hash))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Evenly in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normally distributed with mean 0 and variance 1, to within a few percent of density up to 5: the number of ones in 64 random
    /// bits, smoothed by a uniform number. Without transcendental functions, which differ between platforms.
    pub(crate) fn normal(&mut self) -> f64 {
        let ones = f64::from(self.next().count_ones());
        // Variance 64 / 4 + 1 / 12.
        const SCALE: f64 = 0.249_351_490_477_014_8;
        (ones - 32.0 + self.uniform() - 0.5) * SCALE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_distribution() {
        let mut random = Random::new(&[1, 2]);
        let n = 200_000;
        let normals: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let moment = |k: i32| normals.iter().map(|x| x.powi(k)).sum::<f64>() / f64::from(n);
        assert!(moment(1).abs() < 0.01);
        assert!((moment(2) - 1.0).abs() < 0.01, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.1, "{}", moment(4));
        // P(|x| > 3) = 0.0027.
        let beyond = normals.iter().filter(|x| x.abs() > 3.0).count();
        assert!((400..700).contains(&beyond), "{beyond}");
        let mean = (0..n).map(|_| random.uniform()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.003);
        assert_ne!(Random::new(&[1]).next(), Random::new(&[1, 0]).next());
    }
}
