//! The reference engine, written for reading.

mod buffer;
mod transform;

use std::sync::Arc;

pub use buffer::ReferenceBuf;

use crate::{
    Backend, ConversionMode, ConversionTable, Domain, GaloisElement, KeyLayout, LimbConstants,
    Modulus, Result, RingBasis, RowCopy, SecretEngine, Shape, composites,
};

/// The reference engine: the definition of every operation.
///
/// One thread, 64-bit remainders, no lazy values, no fused kernel: composites are the default bodies. Every other engine is
/// compared with it bit for bit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

/// The reference engine's tables for one ring.
#[derive(Debug)]
pub struct ReferenceRing {
    basis: Arc<RingBasis>,
    forward: Vec<Vec<u32>>,
    inverse: Vec<Vec<u32>>,
}

/// A key of the reference engine: its rows.
#[derive(Debug)]
pub struct ReferenceKey {
    layout: KeyLayout,
    rows: ReferenceBuf,
}

impl Reference {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl ReferenceRing {
    /// Applies `f` to every row of `dst` with its modulus and the rows of `a` and `b` that meet it.
    fn rowwise(
        &self,
        dst: &mut ReferenceBuf,
        a: &ReferenceBuf,
        b: &ReferenceBuf,
        f: impl Fn(Modulus, u32, u32, u32) -> u32,
    ) {
        let shape = dst.shape().clone();
        for p in 0..shape.polys {
            for (l, limb) in shape.limbs.iter().enumerate() {
                let q = self.basis.modulus(limb);
                let (a, b) = (a.row(p % a.shape().polys, l), b.row(p % b.shape().polys, l));
                for ((d, &a), &b) in dst.row_mut(p, l).iter_mut().zip(a).zip(b) {
                    *d = f(q, *d, a, b);
                }
            }
        }
    }
}

impl Backend for Reference {
    type Buf = ReferenceBuf;
    type Ring = ReferenceRing;
    type Key = ReferenceKey;

    fn name(&self) -> String {
        "reference".into()
    }

    fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring> {
        let limbs = 0..basis.len();
        Ok(ReferenceRing {
            forward: limbs.clone().map(|i| basis.forward_twiddles(i)).collect(),
            inverse: limbs.map(|i| basis.inverse_twiddles(i)).collect(),
            basis: basis.clone(),
        })
    }

    fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis> {
        &ring.basis
    }

    fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
        Ok(ReferenceBuf::new(shape, ring.basis.n()))
    }

    fn shape<'a>(&self, buf: &'a Self::Buf) -> &'a Shape {
        buf.shape()
    }

    fn upload(
        &self,
        ring: &Self::Ring,
        shape: &Shape,
        _: Domain,
        words: &[u32],
    ) -> Result<Self::Buf> {
        let mut buf = self.alloc(ring, shape)?;
        buf.words_mut().copy_from_slice(words);
        Ok(buf)
    }

    fn download(
        &self,
        _: &Self::Ring,
        buf: &Self::Buf,
        _: Domain,
        words: &mut [u32],
    ) -> Result<()> {
        words.copy_from_slice(buf.words());
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn prepare_key(
        &self,
        ring: &Self::Ring,
        layout: &KeyLayout,
        words: &[u32],
    ) -> Result<Self::Key> {
        let shape = Shape::new(layout.digits * 2, layout.limbs.clone());
        let rows = self.upload(ring, &shape, Domain::Eval, words)?;
        Ok(ReferenceKey {
            layout: layout.clone(),
            rows,
        })
    }

    fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout {
        &key.layout
    }

    operations! {
        fn copy_rows(self, _, dst, src, rows) {
            for r in rows {
                let row = src.row(r.src_poly as usize, r.src_limb as usize);
                dst.row_mut(r.dst_poly as usize, r.dst_limb as usize).copy_from_slice(row);
            }
        }

        fn zero(self, _, dst) { dst.words_mut().fill(0); }

        fn ntt(self, ring, x) {
            x.for_each_row(|limb, row| transform::forward(row, ring.basis.modulus(limb), &ring.forward[limb]));
        }

        fn intt(self, ring, x) {
            x.for_each_row(|limb, row| {
                let (q, n_inverse) = (ring.basis.modulus(limb), ring.basis.n_inverse(limb).value);
                transform::inverse(row, q, &ring.inverse[limb], n_inverse);
            });
        }

        fn add(self, ring, dst, a, b) { ring.rowwise(dst, a, b, |q, _, a, b| q.add(a, b)); }

        fn sub(self, ring, dst, a, b) { ring.rowwise(dst, a, b, |q, _, a, b| q.sub(a, b)); }

        fn mul(self, ring, dst, a, b) { ring.rowwise(dst, a, b, |q, _, a, b| q.mul(a, b)); }

        fn mul_acc(self, ring, dst, a, b) { ring.rowwise(dst, a, b, |q, d, a, b| q.add(d, q.mul(a, b))); }

        fn scale(self, ring, dst, a, constants) {
            for p in 0..dst.shape().polys {
                for (l, limb) in constants.limbs().iter().enumerate() {
                    let (q, c) = (ring.basis.modulus(limb), constants.as_slice()[l].value);
                    let a = a.row(p % a.shape().polys, l);
                    for (d, &a) in dst.row_mut(p, l).iter_mut().zip(a) {
                        *d = q.mul(a, c);
                    }
                }
            }
        }

        fn automorphism(self, ring, dst, a, galois) {
            let permutation = galois.evaluation_permutation(ring.basis.log_n());
            let shape = dst.shape().clone();
            for p in 0..shape.polys {
                for l in 0..shape.limbs.len() {
                    let a = a.row(p, l);
                    for (d, &from) in dst.row_mut(p, l).iter_mut().zip(&permutation) {
                        *d = a[from as usize];
                    }
                }
            }
        }

        fn base_convert(self, ring, dst, src, table) {
            let sources: Vec<Modulus> = table.from().iter().map(|i| ring.basis.modulus(i)).collect();
            let mut x = vec![0; sources.len()];
            for p in 0..dst.shape().polys {
                for k in 0..ring.basis.n() {
                    for (i, x) in x.iter_mut().enumerate() {
                        *x = src.row(p, i)[k];
                    }
                    let quotient = match table.mode() {
                        ConversionMode::Centred => {
                            for ((x, q), &half) in x.iter_mut().zip(&sources).zip(table.half()) {
                                *x = q.add(*x, half);
                            }
                            1
                        }
                        ConversionMode::Quotient => table.quotient(x.iter().copied()),
                    };
                    for (t, limb) in table.to().iter().enumerate() {
                        let q = ring.basis.modulus(limb);
                        let start = q.mul(quotient, table.offset()[t]);
                        let y = x.iter().zip(table.row(t));
                        dst.row_mut(p, t)[k] = y.fold(start, |acc, (&x, &w)| q.add(acc, q.mul(x, w)));
                    }
                }
            }
        }

        fn key_inner_product(self, ring, dst, digits, key, key_digits, galois) {
            let key = (&key.layout, &key.rows);
            // The body fails only where scratch does, and this engine's allocations do not fail.
            let done = composites::key_inner_product_of_rows(self, ring, dst, digits, key, key_digits, galois);
            debug_assert!(done.is_ok());
        }
    }
}

impl SecretEngine for Reference {
    fn alloc_secret(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
        self.alloc(ring, shape)
    }

    fn upload_secret(
        &self,
        ring: &Self::Ring,
        shape: &Shape,
        domain: Domain,
        words: &[u32],
    ) -> Result<Self::Buf> {
        self.upload(ring, shape, domain, words)
    }
}
