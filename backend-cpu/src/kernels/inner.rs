//! The inner product of digits with a key.

use super::{
    reduce::{FOLD, Modular},
    views,
};
use crate::{permutation::Permutation, ring::Prime, simd::Simd};

/// The most digits of one [`inner_product`].
pub(crate) const MAX_DIGITS: usize = 24;

/// The most digits that may be any values below 4q, as they leave a transform: with q < 2^30 so many products by a residue stay
/// below 16 q^2 < 4 q 2^32, which `montgomery` takes.
pub(crate) const LAZY_DIGITS: usize = 4;

/// Words of a half of a key digit that lie together: a key is read as one stream of such blocks. Rows that are shorter are
/// one block.
pub(crate) const KEY_BLOCK: usize = 32;

const AHEAD: usize = 256;

/// The piece of a key that an inner product reads.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    /// `[block][digit][2][KEY_BLOCK]`, times 2^32 modulo the prime.
    pub(crate) words: &'a [u32],
    /// Digits of the key.
    pub(crate) digits: usize,
    /// The key's digit for each digit of the product.
    pub(crate) numbers: &'a [usize],
    /// Where it comes from.
    pub(crate) source: Source,
}

/// Where a key comes from, and so what is worth asking for ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// From memory, for this product alone: it must not drive the digits out of the second-level cache.
    Memory,
    /// For this product alone, and already asked for during transforms: now permuted digits are worth asking for.
    Fetched,
    /// Read again for the next ciphertext of a batch.
    Shared,
}

/// Vectors taken at a time; a block has at least as many.
const WIDTH: usize = 2;

/// `dst[c] = sum over j of digits[j] * key[numbers[j]][c] * 2^-32 mod q`, added to `dst` if asked, for a piece of a row that
/// starts at word `at`. `digits` are whole rows because a permutation may read anywhere in them: canonical, or below 4q if they are at most
/// [`LAZY_DIGITS`].
#[inline(always)]
pub(crate) fn inner_product<S: Simd>(
    s: S,
    prime: &Prime,
    dst: [&mut [u32]; 2],
    at: usize,
    digits: &[&[u32]],
    key: Key<'_>,
    permutation: Option<&Permutation>,
    accumulate: bool,
) {
    debug_assert!(digits.len() <= MAX_DIGITS && digits.len() == key.numbers.len());
    debug_assert!(
        digits.len() <= LAZY_DIGITS || digits.iter().all(|d| d.iter().all(|&x| x < prime.q))
    );
    let m = Modular::new(s, prime);
    let block = KEY_BLOCK.min(dst[0].len()) / S::LANES;
    let dst = dst.map(|d| s.view_mut(d));
    let rows: [&[S::V]; MAX_DIGITS] = views(s, digits);
    let rows = &rows[..digits.len()];
    let first = at / S::LANES;
    match permutation {
        None => run(s, &m, dst, block, rows, key, accumulate, |i| Plain {
            first: first + i,
        }),
        Some(p) if key.source == Source::Fetched => {
            run(s, &m, dst, block, rows, key, accumulate, |i| Sought {
                moved: Moved::new(s, p, first + i),
                ahead: [p.ahead(first + i), p.ahead(first + i + 1)],
            });
        }
        Some(p) => run(s, &m, dst, block, rows, key, accumulate, |i| {
            Moved::new(s, p, first + i)
        }),
    }
}

/// Where [`WIDTH`] neighbouring vectors of every digit come from. A trait and not a closure: closures of closures are not inlined
/// into the vector code.
trait Place<S: Simd> {
    fn load(&self, s: S, row: &[S::V]) -> [S::V; WIDTH];
}

struct Plain {
    first: usize,
}

impl<S: Simd> Place<S> for Plain {
    #[inline(always)]
    fn load(&self, _: S, row: &[S::V]) -> [S::V; WIDTH] {
        let x = &row[self.first..][..WIDTH];
        [x[0], x[1]]
    }
}

/// Looked up once for all digits.
struct Moved<S: Simd> {
    places: [(usize, S::V); WIDTH],
}

impl<S: Simd> Moved<S> {
    #[inline(always)]
    fn new(s: S, p: &Permutation, i: usize) -> Self {
        Self {
            places: [p.place(s, i), p.place(s, i + 1)],
        }
    }
}

impl<S: Simd> Place<S> for Moved<S> {
    #[inline(always)]
    fn load(&self, s: S, row: &[S::V]) -> [S::V; WIDTH] {
        let [(i, p), (j, q)] = self.places;
        [s.permute(row[i], p), s.permute(row[j], q)]
    }
}

/// [`Moved`], and what comes a little later is asked for.
struct Sought<S: Simd> {
    moved: Moved<S>,
    ahead: [usize; WIDTH],
}

impl<S: Simd> Place<S> for Sought<S> {
    #[inline(always)]
    fn load(&self, s: S, row: &[S::V]) -> [S::V; WIDTH] {
        s.prefetch(row, self.ahead[0]);
        s.prefetch(row, self.ahead[1]);
        self.moved.load(s, row)
    }
}

#[inline(always)]
fn run<S: Simd, P: Place<S>>(
    s: S,
    m: &Modular<S>,
    [d0, d1]: [&mut [S::V]; 2],
    block: usize,
    digits: &[&[S::V]],
    key: Key<'_>,
    accumulate: bool,
    place: impl Fn(usize) -> P,
) {
    let zero = s.widen_low(s.splat(0));
    let whole = s.view(key.words);
    let block_len = key.digits * 2 * block;
    let blocks = whole.chunks_exact(block_len);
    let (shared, numbers) = (key.source == Source::Shared, key.numbers);
    let dst = d0.chunks_exact_mut(block).zip(d1.chunks_exact_mut(block));
    for (b, ((d0, d1), key)) in dst.zip(blocks).enumerate() {
        let ahead = (b + 1) * block_len + AHEAD / S::LANES;
        for i in (0..block_len).step_by(16usize.div_ceil(S::LANES)) {
            if shared {
                s.prefetch(whole, ahead + i);
            } else {
                s.prefetch_once(whole, ahead + i);
            }
        }
        for i in (0..block).step_by(WIDTH) {
            let (mut sums0, mut sums1) = ([zero; WIDTH], [zero; WIDTH]);
            let mut room = FOLD;
            let place = place(b * block + i);
            for (digit, &number) in digits.iter().zip(numbers) {
                if room == 0 {
                    for w in 0..WIDTH {
                        (sums0[w], sums1[w]) = (m.fold(sums0[w]), m.fold(sums1[w]));
                    }
                    room = FOLD;
                }
                room -= 1;
                let x = place.load(s, digit);
                let halves = &key[2 * number * block..][..2 * block];
                let (k0, k1) = (&halves[i..][..WIDTH], &halves[block + i..][..WIDTH]);
                for w in 0..WIDTH {
                    let odd = s.odd(x[w]);
                    sums0[w] = s.add_wide(sums0[w], s.mul_wide(x[w], odd, k0[w], s.odd(k0[w])));
                    sums1[w] = s.add_wide(sums1[w], s.mul_wide(x[w], odd, k1[w], s.odd(k1[w])));
                }
            }
            for w in 0..WIDTH {
                let (sum0, sum1) = (m.montgomery(sums0[w]), m.montgomery(sums1[w]));
                let (sum0, sum1) = (m.reduce_4q(sum0), m.reduce_4q(sum1));
                (d0[i + w], d1[i + w]) = if accumulate {
                    (m.add(d0[i + w], sum0), m.add(d1[i + w], sum1))
                } else {
                    (sum0, sum1)
                };
            }
        }
    }
}
