//! A complete engine in a page: the one that `docs/adding-an-engine.md` walks through.
//!
//! It is slow and simple, and unlike the reference engine inside: words are signed and 64 bits wide, evaluations are in
//! natural order, transforms recurse, a key's halves lie side by side. None of that shows at the boundary.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use arras_hal::{
    Backend, ConversionMode, ConversionTable, Domain, GaloisElement, HalError, HalErrorKind,
    KeyLayout, LimbConstants, Result, RingBasis, RowCopy, Shape,
};

/// The engine: a value, cheap to clone. All it holds is the state of its imaginary device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Toy {
    fail_next: Arc<AtomicBool>,
    failure: Arc<Mutex<Option<HalError>>>,
}

/// A buffer: one vector per row, residues in `[-(q-1)/2, (q-1)/2]`.
#[derive(Debug)]
pub(crate) struct ToyBuf {
    shape: Shape,
    rows: Vec<Vec<i64>>,
}

/// Tables of a ring: for every prime psi^0 .. psi^(2N-1).
#[derive(Debug)]
pub(crate) struct ToyRing {
    basis: Arc<RingBasis>,
    powers: Vec<Vec<i64>>,
}

/// A key: for every digit and absolute limb the pairs (b, a), side by side.
#[derive(Debug)]
pub(crate) struct ToyKey {
    layout: KeyLayout,
    pairs: HashMap<(usize, usize), Vec<[i64; 2]>>,
}

/// The representative of `x` in `[-(q-1)/2, (q-1)/2]`.
fn centre(x: i64, q: i64) -> i64 {
    let x = x.rem_euclid(q);
    if x > q / 2 { x - q } else { x }
}

impl ToyBuf {
    /// The row of a polynomial and a limb position; a polynomial past the end is a repeated one.
    fn row(&self, poly: usize, limb: usize) -> &[i64] {
        &self.rows[poly % self.shape.polys * self.shape.limbs.len() + limb]
    }
}

impl ToyRing {
    fn q(&self, limb: usize) -> i64 {
        i64::from(self.basis.modulus(limb).value())
    }

    /// Our position of the evaluation at boundary index `i`: we keep the value at psi^(2k + 1) at index k.
    fn place(&self, domain: Domain, i: usize) -> usize {
        match domain {
            Domain::Coeff => i,
            Domain::Eval => (i as u32).reverse_bits() as usize >> (32 - self.basis.log_n()),
        }
    }

    /// Boundary words to a row of ours.
    fn read(&self, limb: usize, domain: Domain, words: &[u32]) -> Vec<i64> {
        let q = self.q(limb);
        (0..words.len())
            .map(|k| centre(i64::from(words[self.place(domain, k)]), q))
            .collect()
    }

    /// Values at psi^((2k + 1) stride), by f(x) = even(x^2) + x odd(x^2).
    fn evaluate(&self, limb: usize, f: &[i64], stride: usize) -> Vec<i64> {
        let (n, q) = (f.len(), self.q(limb));
        if n == 1 {
            return f.to_vec();
        }
        let [even, odd] = [0, 1].map(|start| {
            let part: Vec<i64> = f[start..].iter().step_by(2).copied().collect();
            self.evaluate(limb, &part, 2 * stride)
        });
        let x = |k: usize| self.powers[limb][(2 * k + 1) * stride];
        (0..n)
            .map(|k| centre(even[k % (n / 2)] + x(k) * odd[k % (n / 2)], q))
            .collect()
    }

    /// The inverse of [`ToyRing::evaluate`], with 1/2 at every step.
    fn interpolate(&self, limb: usize, y: &[i64], stride: usize) -> Vec<i64> {
        let (n, q) = (y.len(), self.q(limb));
        if n == 1 {
            return y.to_vec();
        }
        let two_n = self.powers[limb].len();
        let x_inverse = |k: usize| self.powers[limb][two_n - (2 * k + 1) * stride];
        let half = |x: i64| centre(centre(x, q) * ((q + 1) / 2), q);
        let (low, high) = y.split_at(n / 2);
        let pairs = || low.iter().zip(high);
        let even: Vec<i64> = pairs().map(|(a, b)| half(a + b)).collect();
        let odd: Vec<i64> = pairs()
            .enumerate()
            .map(|(k, (a, b))| centre(half(a - b) * x_inverse(k), q))
            .collect();
        let [even, odd] = [even, odd].map(|part| self.interpolate(limb, &part, 2 * stride));
        let both = even.iter().zip(&odd);
        both.flat_map(|(&e, &o)| [e, o]).collect()
    }
}

impl Toy {
    /// Makes the next operation fail, as a device may.
    pub(crate) fn fail_next(&self) {
        self.fail_next.store(true, Ordering::SeqCst);
    }

    /// Runs an operation. A real engine would put it into a queue; ours runs it at once, but keeps its failure for the
    /// next wait.
    fn enqueue(&self, operation: impl FnOnce()) {
        if self.fail_next.swap(false, Ordering::SeqCst) {
            let failure = HalErrorKind::Device {
                engine: self.name(),
                message: "a failure that was asked for".into(),
            };
            if let Ok(mut first) = self.failure.lock() {
                first.get_or_insert(failure.into());
            }
        } else {
            operation();
        }
    }

    /// Every row of `dst` through `f`, which gets the polynomial, the limb position and the modulus.
    fn rows(&self, ring: &ToyRing, dst: &mut ToyBuf, f: impl Fn(usize, usize, i64, &mut Vec<i64>)) {
        self.enqueue(|| {
            let limbs = dst.shape.limbs.clone();
            for (row, words) in dst.rows.iter_mut().enumerate() {
                let (poly, limb) = (row / limbs.len(), row % limbs.len());
                f(poly, limb, ring.q(limbs.at(limb)), words);
            }
        });
    }

    /// Every word of `dst` from itself and the words of `a` and `b`.
    fn pointwise(
        &self,
        ring: &ToyRing,
        dst: &mut ToyBuf,
        (a, b): (&ToyBuf, &ToyBuf),
        f: impl Fn(i64, i64, i64) -> i64,
    ) {
        self.rows(ring, dst, |p, l, q, row| {
            let (a, b) = (a.row(p, l), b.row(p, l));
            for (k, d) in row.iter_mut().enumerate() {
                *d = centre(f(*d, a[k], b[k]), q);
            }
        });
    }
}

impl Backend for Toy {
    type Buf = ToyBuf;
    type Ring = ToyRing;
    type Key = ToyKey;

    fn name(&self) -> String {
        "toy".into()
    }

    fn ring(&self, basis: &Arc<RingBasis>) -> Result<ToyRing> {
        let powers = |limb| {
            let (q, psi) = (basis.modulus(limb), basis.psi(limb));
            (0..2 * basis.n() as u64)
                .map(|k| centre(i64::from(q.pow(psi, k)), i64::from(q.value())))
                .collect()
        };
        Ok(ToyRing {
            powers: (0..basis.len()).map(powers).collect(),
            basis: basis.clone(),
        })
    }

    fn basis<'a>(&self, ring: &'a ToyRing) -> &'a Arc<RingBasis> {
        &ring.basis
    }

    fn alloc(&self, ring: &ToyRing, shape: &Shape) -> Result<ToyBuf> {
        Ok(ToyBuf {
            shape: shape.clone(),
            rows: vec![vec![i64::MIN; ring.basis.n()]; shape.rows()],
        })
    }

    fn shape<'a>(&self, buf: &'a ToyBuf) -> &'a Shape {
        &buf.shape
    }

    fn upload(
        &self,
        ring: &ToyRing,
        shape: &Shape,
        domain: Domain,
        words: &[u32],
    ) -> Result<ToyBuf> {
        let rows = words.chunks_exact(ring.basis.n()).enumerate();
        let limb = |row| shape.limbs.at(row % shape.limbs.len());
        Ok(ToyBuf {
            shape: shape.clone(),
            rows: rows
                .map(|(row, words)| ring.read(limb(row), domain, words))
                .collect(),
        })
    }

    fn download(
        &self,
        ring: &ToyRing,
        buf: &ToyBuf,
        domain: Domain,
        words: &mut [u32],
    ) -> Result<()> {
        self.sync()?;
        let limbs = &buf.shape.limbs;
        for (row, words) in words.chunks_exact_mut(ring.basis.n()).enumerate() {
            let q = ring.q(limbs.at(row % limbs.len()));
            for (k, &x) in buf.rows[row].iter().enumerate() {
                words[ring.place(domain, k)] = x.rem_euclid(q) as u32;
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let failure = self.failure.lock().ok().and_then(|mut f| f.take());
        failure.map_or(Ok(()), Err)
    }

    fn prepare_key(&self, ring: &ToyRing, layout: &KeyLayout, words: &[u32]) -> Result<ToyKey> {
        let shape = Shape::new(2 * layout.digits, layout.limbs.clone());
        let rows = self.upload(ring, &shape, Domain::Eval, words)?;
        let mut pairs = HashMap::new();
        for digit in 0..layout.digits {
            for (l, limb) in layout.limbs.iter().enumerate() {
                let (b, a) = (rows.row(2 * digit, l), rows.row(2 * digit + 1, l));
                let both = b.iter().zip(a).map(|(&b, &a)| [b, a]).collect();
                pairs.insert((digit, limb), both);
            }
        }
        Ok(ToyKey {
            layout: layout.clone(),
            pairs,
        })
    }

    fn key_layout<'a>(&self, key: &'a ToyKey) -> &'a KeyLayout {
        &key.layout
    }

    fn copy_rows(&self, _: &ToyRing, dst: &mut ToyBuf, src: &ToyBuf, rows: &[RowCopy]) {
        self.enqueue(|| {
            for r in rows {
                let row = src.row(r.src_poly as usize, r.src_limb as usize);
                let limbs = dst.shape.limbs.len();
                dst.rows[r.dst_poly as usize * limbs + r.dst_limb as usize] = row.to_vec();
            }
        });
    }

    fn zero(&self, ring: &ToyRing, dst: &mut ToyBuf) {
        self.rows(ring, dst, |_, _, _, row| row.fill(0));
    }

    fn ntt(&self, ring: &ToyRing, x: &mut ToyBuf) {
        let limbs = x.shape.limbs.clone();
        self.rows(ring, x, |_, l, _, row| {
            *row = ring.evaluate(limbs.at(l), row, 1);
        });
    }

    fn intt(&self, ring: &ToyRing, x: &mut ToyBuf) {
        let limbs = x.shape.limbs.clone();
        self.rows(ring, x, |_, l, _, row| {
            *row = ring.interpolate(limbs.at(l), row, 1);
        });
    }

    fn add(&self, ring: &ToyRing, dst: &mut ToyBuf, a: &ToyBuf, b: &ToyBuf) {
        self.pointwise(ring, dst, (a, b), |_, a, b| a + b);
    }

    fn sub(&self, ring: &ToyRing, dst: &mut ToyBuf, a: &ToyBuf, b: &ToyBuf) {
        self.pointwise(ring, dst, (a, b), |_, a, b| a - b);
    }

    fn mul(&self, ring: &ToyRing, dst: &mut ToyBuf, a: &ToyBuf, b: &ToyBuf) {
        self.pointwise(ring, dst, (a, b), |_, a, b| a * b);
    }

    fn mul_acc(&self, ring: &ToyRing, dst: &mut ToyBuf, a: &ToyBuf, b: &ToyBuf) {
        self.pointwise(ring, dst, (a, b), |d, a, b| d + a * b);
    }

    fn scale(&self, ring: &ToyRing, dst: &mut ToyBuf, a: &ToyBuf, constants: &LimbConstants) {
        self.rows(ring, dst, |p, l, q, row| {
            let c = i64::from(constants.as_slice()[l].value);
            for (d, a) in row.iter_mut().zip(a.row(p, l)) {
                *d = centre(a * c, q);
            }
        });
    }

    fn automorphism(&self, ring: &ToyRing, dst: &mut ToyBuf, a: &ToyBuf, galois: GaloisElement) {
        self.rows(ring, dst, |p, l, _, row| {
            let a = a.row(p, l);
            for (k, d) in row.iter_mut().enumerate() {
                *d = a[image(k, galois, a.len())];
            }
        });
    }

    fn base_convert(
        &self,
        ring: &ToyRing,
        dst: &mut ToyBuf,
        src: &ToyBuf,
        table: &ConversionTable,
    ) {
        self.rows(ring, dst, |p, t, q, row| {
            for (k, d) in row.iter_mut().enumerate() {
                let x = |i: usize| src.row(p, i)[k];
                let plain = |i: usize| x(i).rem_euclid(ring.q(table.from().at(i)));
                let sources = 0..table.from().len();
                let weight = |i: usize| i64::from(table.row(t)[i]);
                *d = match table.mode() {
                    // Our words are the centred lifts already.
                    ConversionMode::Centred => {
                        sources.fold(0, |sum, i| centre(sum + x(i) * weight(i), q))
                    }
                    ConversionMode::Quotient => {
                        let v = table.quotient(sources.clone().map(|i| plain(i) as u32));
                        let start = i64::from(v) * i64::from(table.offset()[t]);
                        sources.fold(centre(start, q), |sum, i| {
                            centre(sum + plain(i) * weight(i), q)
                        })
                    }
                };
            }
        });
    }

    fn key_inner_product(
        &self,
        ring: &ToyRing,
        dst: &mut ToyBuf,
        digits: &ToyBuf,
        key: &ToyKey,
        key_digits: &[usize],
        galois: GaloisElement,
    ) {
        let (limbs, batch) = (dst.shape.limbs.clone(), dst.shape.polys / 2);
        self.rows(ring, dst, |p, l, q, row| {
            let (component, member) = (p / batch, p % batch);
            row.fill(0);
            for (j, &key_digit) in key_digits.iter().enumerate() {
                let digit = digits.row(j * batch + member, l);
                let pairs = &key.pairs[&(key_digit, limbs.at(l))];
                for (k, d) in row.iter_mut().enumerate() {
                    let moved = digit[image(k, galois, digit.len())];
                    *d = centre(*d + moved * pairs[k][component], q);
                }
            }
        });
    }

    fn tensor(&self, ring: &ToyRing, dst: &mut ToyBuf, a: &ToyBuf, b: &ToyBuf) -> Result<()> {
        let batch = dst.shape.polys / 3;
        self.rows(ring, dst, |p, l, q, row| {
            let [a0, a1, b0, b1] = [(a, 0), (a, batch), (b, 0), (b, batch)]
                .map(|(factor, component)| factor.row(component + p % batch, l));
            for (k, d) in row.iter_mut().enumerate() {
                *d = match p / batch {
                    0 => centre(a0[k] * b0[k], q),
                    1 => centre(centre(a0[k] * b1[k], q) + a1[k] * b0[k], q),
                    _ => centre(a1[k] * b1[k], q),
                };
            }
        });
        Ok(())
    }
}

/// The position whose value X -> X^g puts at position `k`: the value at psi^((2k + 1) g).
fn image(k: usize, galois: GaloisElement, n: usize) -> usize {
    (2 * k + 1) * galois.value() as usize % (2 * n) / 2
}
