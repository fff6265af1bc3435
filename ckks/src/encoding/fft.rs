//! The special FFT: evaluation at `zeta^(5^j)` in `O(n log n)`.
//!
//! `forward` takes `w_0 .. w_(n-1)` to `z_j = sum_k w_k zeta^(5^j k)`, `zeta = exp(i pi / 2n)`. Splitting
//! `w` into even and odd positions gives two transforms of half the length with `zeta^2` for `zeta`, and
//! because `5^(n/2) = 1 + 2n (mod 4n)` the slots `j` and `j + n/2` differ only in the sign of the odd part
//! (compare ePrint 2018/1043, which evaluates this factorization on ciphertexts):
//!
//! ```text
//! z_j       = even_j + t_j odd_j        t_j = zeta^(5^j),  j < n/2
//! z_(j+n/2) = even_j - t_j odd_j
//! ```
//!
//! Real and imaginary parts are separate arrays, so that the butterflies of a stage are loops over
//! contiguous f64 which compilers turn into vector code.

use num_complex::Complex64;

use super::roots::RootTable;

/// Twiddle factors of all stages for `n` slots.
pub(super) struct SpecialFft {
    n: usize,
    /// The stage that joins transforms of length `h` uses the entries `h .. 2h`: `exp(2 pi i 5^j / 8h)`.
    cos: Vec<f64>,
    sin: Vec<f64>,
}

impl SpecialFft {
    /// Tables for `n = 2^log_slots` slots.
    pub(super) fn new(log_slots: u32) -> Self {
        let n = 1usize << log_slots;
        let log_order = log_slots + 2;
        let roots = RootTable::new(log_order.max(3));
        let mut cos = vec![1.0; n];
        let mut sin = vec![0.0; n];
        for log_h in 0..log_slots {
            let h = 1usize << log_h;
            let order_mask = 8 * h - 1;
            let stride_log = log_order - (log_h + 3);
            let mut power = 1usize;
            for j in 0..h {
                (cos[h + j], sin[h + j]) = roots.get(power << stride_log);
                power = (5 * power) & order_mask;
            }
        }
        Self { n, cos, sin }
    }

    /// The factors of the stage that joins transforms of length `h`.
    pub(super) fn twiddles(&self, h: usize) -> impl Iterator<Item = Complex64> + '_ {
        let parts = self.cos[h..2 * h].iter().zip(&self.sin[h..2 * h]);
        parts.map(|(&re, &im)| Complex64 { re, im })
    }

    /// From the folded coefficients `w` to the slots, in place. Both slices have length `n`.
    // In its caller the compiler makes slower code of it.
    #[inline(never)]
    pub(super) fn forward(&self, re: &mut [f64], im: &mut [f64]) {
        self.check(re, im);
        bit_reverse(re);
        bit_reverse(im);
        let mut h = 1;
        while h < self.n {
            // A constant width lets the compiler unroll the short stages.
            match h {
                1 => self.join(1, re, im),
                2 => self.join(2, re, im),
                4 => self.join(4, re, im),
                _ => self.join(h, re, im),
            }
            h *= 2;
        }
    }

    /// From the slots to `n` times the folded coefficients, in place. Both slices have length `n`. Leaving
    /// the factor out costs nothing: it is a power of two.
    pub(super) fn inverse_times_n(&self, re: &mut [f64], im: &mut [f64]) {
        self.check(re, im);
        let mut h = self.n / 2;
        while h >= 1 {
            match h {
                1 => self.part(1, re, im),
                2 => self.part(2, re, im),
                4 => self.part(4, re, im),
                _ => self.part(h, re, im),
            }
            h /= 2;
        }
        bit_reverse(re);
        bit_reverse(im);
    }

    fn check(&self, re: &[f64], im: &[f64]) {
        assert!(
            re.len() == self.n && im.len() == self.n,
            "special FFT of {} slots on arrays of {} and {}",
            self.n,
            re.len(),
            im.len()
        );
    }

    /// One stage of butterflies `(a, b) -> (a + t b, a - t b)`.
    #[inline(always)]
    fn join(&self, h: usize, re: &mut [f64], im: &mut [f64]) {
        let (c, s) = (&self.cos[h..2 * h], &self.sin[h..2 * h]);
        for (re, im) in re.chunks_exact_mut(2 * h).zip(im.chunks_exact_mut(2 * h)) {
            let (ar, br) = re.split_at_mut(h);
            let (ai, bi) = im.split_at_mut(h);
            let (br, ai, bi) = (&mut br[..h], &mut ai[..h], &mut bi[..h]);
            for j in 0..h {
                let tr = br[j] * c[j] - bi[j] * s[j];
                let ti = br[j] * s[j] + bi[j] * c[j];
                br[j] = ar[j] - tr;
                bi[j] = ai[j] - ti;
                ar[j] += tr;
                ai[j] += ti;
            }
        }
    }

    /// One stage of inverse butterflies `(a, b) -> (a + b, conj(t) (a - b))`, which doubles.
    #[inline(always)]
    fn part(&self, h: usize, re: &mut [f64], im: &mut [f64]) {
        let (c, s) = (&self.cos[h..2 * h], &self.sin[h..2 * h]);
        for (re, im) in re.chunks_exact_mut(2 * h).zip(im.chunks_exact_mut(2 * h)) {
            let (ar, br) = re.split_at_mut(h);
            let (ai, bi) = im.split_at_mut(h);
            let (br, ai, bi) = (&mut br[..h], &mut ai[..h], &mut bi[..h]);
            for j in 0..h {
                let dr = ar[j] - br[j];
                let di = ai[j] - bi[j];
                ar[j] += br[j];
                ai[j] += bi[j];
                br[j] = dr * c[j] + di * s[j];
                bi[j] = di * c[j] - dr * s[j];
            }
        }
    }
}

/// Swaps the positions whose binary digits are reversed. The length is a power of two, at least 2.
fn bit_reverse(values: &mut [f64]) {
    let shift = usize::BITS - values.len().trailing_zeros();
    for i in 0..values.len() {
        let j = i.reverse_bits() >> shift;
        if i < j {
            values.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::tests::signed_units;

    /// Worst error of a round trip, absolute, for parts in [-1, 1] / sqrt(2).
    fn round_trip_error(log_slots: u32, seed: u64) -> f64 {
        let fft = SpecialFft::new(log_slots);
        let n = 1usize << log_slots;
        let values = signed_units(seed, 2 * n);
        let scale = std::f64::consts::FRAC_1_SQRT_2;
        let re0: Vec<f64> = values[..n].iter().map(|x| x * scale).collect();
        let im0: Vec<f64> = values[n..].iter().map(|x| x * scale).collect();
        let (mut re, mut im) = (re0.clone(), im0.clone());
        fft.inverse_times_n(&mut re, &mut im);
        for x in re.iter_mut().chain(im.iter_mut()) {
            *x /= n as f64;
        }
        fft.forward(&mut re, &mut im);
        (0..n)
            .map(|j| (re[j] - re0[j]).hypot(im[j] - im0[j]))
            .fold(0.0, f64::max)
    }

    #[test]
    fn round_trip() {
        for log_slots in 3..=16 {
            let worst = round_trip_error(log_slots, u64::from(log_slots));
            println!("n = 2^{log_slots}: 2^{:.2}", worst.log2());
            assert!(
                worst < 2f64.powi(-49),
                "n = 2^{log_slots}: 2^{:.2}",
                worst.log2()
            );
        }
    }

    #[test]
    fn forward_is_evaluation() {
        for log_slots in 3..=7 {
            let n = 1usize << log_slots;
            let fft = SpecialFft::new(log_slots);
            let w = signed_units(7, 2 * n);
            let (mut re, mut im) = (w[..n].to_vec(), w[n..].to_vec());
            fft.forward(&mut re, &mut im);
            let mut power = 1usize;
            for j in 0..n {
                let (mut r, mut i) = (0.0, 0.0);
                for k in 0..n {
                    let turns = (power * k) % (4 * n);
                    let (s, c) = (std::f64::consts::PI * turns as f64 / (2 * n) as f64).sin_cos();
                    r += w[k] * c - w[n + k] * s;
                    i += w[k] * s + w[n + k] * c;
                }
                assert!((r - re[j]).hypot(i - im[j]) < 1e-12, "n = {n}, slot {j}");
                power = 5 * power % (4 * n);
            }
        }
    }
}
