//! The engine's operations by name.

use std::sync::Arc;

use arras_hal::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, SecretEngine, Shape, Workers,
    operations,
};

use super::{CpuKey, rescale::Input};
use crate::{CpuBuf, CpuEngine, CpuRing, kernels::dispatch};

impl Backend for CpuEngine {
    type Buf = CpuBuf;
    type Ring = CpuRing;
    type Key = CpuKey;

    fn name(&self) -> String {
        self.describe()
    }

    fn workers(&self) -> &Workers {
        self.workers()
    }

    fn ring(&self, basis: &Arc<RingBasis>) -> Result<CpuRing> {
        self.make_ring(basis)
    }

    fn basis<'a>(&self, ring: &'a CpuRing) -> &'a Arc<RingBasis> {
        ring.basis()
    }

    fn alloc(&self, ring: &CpuRing, shape: &Shape) -> Result<CpuBuf> {
        self.buffer(ring, shape, false)
    }

    fn shape<'a>(&self, buf: &'a CpuBuf) -> &'a Shape {
        buf.shape()
    }

    fn upload(&self, ring: &CpuRing, shape: &Shape, _: Domain, words: &[u32]) -> Result<CpuBuf> {
        let mut buf = self.buffer(ring, shape, false)?;
        self.load(&mut buf, words, ring.n());
        Ok(buf)
    }

    fn download(&self, ring: &CpuRing, buf: &CpuBuf, _: Domain, words: &mut [u32]) -> Result<()> {
        self.deferred()?;
        self.store(buf, words, ring.n());
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.deferred()
    }

    fn prepare_key(&self, ring: &CpuRing, layout: &KeyLayout, words: &[u32]) -> Result<CpuKey> {
        self.load_key(ring, layout, words)
    }

    fn key_layout<'a>(&self, key: &'a CpuKey) -> &'a KeyLayout {
        &key.layout
    }

    operations! {
        fn copy_rows(self, _, dst, src, rows) { self.copy(dst, src, rows); }

        fn zero(self, _, dst) { dst.words_mut().fill(0); }

        fn ntt(self, ring, x) {
            let (polys, limbs) = (x.polys(), x.shape().limbs.clone());
            self.each_chunk(x.words_mut(), ring.n(), |row, words| {
                let prime = ring.prime(limbs.at(row / polys));
                dispatch::forward(ring.level(), prime, words, true, &[]);
            });
        }

        fn intt(self, ring, x) {
            let (polys, limbs) = (x.polys(), x.shape().limbs.clone());
            self.each_chunk(x.words_mut(), ring.n(), |row, words| {
                let prime = ring.prime(limbs.at(row / polys));
                dispatch::inverse(ring.level(), prime, words, None, prime.n_inverse);
            });
        }

        fn add(self, ring, dst, a, b) { self.binary(ring, dst, a, b, dispatch::add); }

        fn sub(self, ring, dst, a, b) { self.binary(ring, dst, a, b, dispatch::sub); }

        fn mul(self, ring, dst, a, b) { self.binary(ring, dst, a, b, dispatch::mul); }

        fn mul_acc(self, ring, dst, a, b) { self.binary(ring, dst, a, b, dispatch::mul_acc); }

        fn scale(self, ring, dst, a, constants) { self.scale_rows(ring, dst, Some(a), constants); }

        fn automorphism(self, ring, dst, a, galois) { self.permute(ring, dst, a, galois); }

        fn base_convert(self, ring, dst, src, table) { self.defer(self.convert_buffer(ring, dst, src, table)); }

        fn key_inner_product(self, ring, dst, digits, key, key_digits, galois) {
            self.inner_product_buffer(ring, dst, digits, (key, key_digits), galois);
        }

        fn add_assign(self, ring, dst, a) {
            self.unary(ring, dst, a, dispatch::add_assign);
            Ok(())
        }

        fn sub_assign(self, ring, dst, a) {
            self.unary(ring, dst, a, dispatch::sub_assign);
            Ok(())
        }

        fn mul_assign(self, ring, dst, a) {
            self.unary(ring, dst, a, dispatch::mul_assign);
            Ok(())
        }

        fn scale_assign(self, ring, dst, constants) {
            self.scale_rows(ring, dst, None, constants);
            Ok(())
        }

        fn neg(self, ring, dst, a) {
            self.unary(ring, dst, a, dispatch::neg);
            Ok(())
        }

        fn add_leading(self, ring, dst, a, b, leading) {
            self.rows(ring, dst, |p, l, prime, words| {
                if p < leading {
                    let b = b.row(p % b.polys(), l);
                    dispatch::add(ring.level(), prime, words, a.row(p, l), b);
                } else {
                    words.copy_from_slice(a.row(p, l));
                }
            });
            Ok(())
        }

        fn add_constants(self, ring, dst, a, constants, leading) {
            self.rows(ring, dst, |p, l, prime, words| {
                if p < leading {
                    let c = constants.as_slice()[l].value;
                    dispatch::add_constant(ring.level(), prime, words, a.row(p, l), c);
                } else {
                    words.copy_from_slice(a.row(p, l));
                }
            });
            Ok(())
        }

        fn restrict_and_scale(self, ring, dst, a, constants) {
            let limbs = &dst.shape().limbs;
            let positions = limbs.positions_in(&a.shape().limbs).unwrap_or_default();
            self.rows(ring, dst, |p, l, prime, words| {
                let c = constants.as_slice()[l].value;
                dispatch::scale(ring.level(), prime, words, a.row(p, positions[l]), c);
            });
            Ok(())
        }

        fn rescale(self, ring, dst, src, plan) {
            let input = Input { src: Some(src.all()), addend: None, permutation: None };
            self.rescale_input(ring, dst, input, src.polys(), plan)
        }

        fn mod_up(self, ring, dst, src, plan) { self.mod_up_buffer(ring, dst, src, plan) }

        fn mod_down_and_rescale(self, ring, dst, src, addend, galois, plan) {
            let permutation = ring.permutation(galois);
            let input = Input {
                src: Some(src.all()),
                addend: addend.map(|a| (a.all(), plan)),
                permutation: permutation.as_deref(),
            };
            self.rescale_input(ring, dst, input, src.polys() / 2, plan.rescale())
        }

        fn tensor(self, ring, dst, a, b) {
            self.products(ring, dst, &[a], &[b]);
            Ok(())
        }

        fn sum_of_products(self, ring, dst, a, b) {
            self.products(ring, dst, a, b);
            Ok(())
        }

        fn weighted_sum(self, ring, dst, terms, weights) {
            self.weighted(ring, dst, terms, weights);
            Ok(())
        }

        fn key_switch(self, ring, dst, src, addend, key, galois, plan) {
            self.switch(ring, dst, src.all(), addend.map(CpuBuf::all), key, galois, plan)
        }

        fn relinearize(self, ring, dst, src, key, plan) {
            let batch = src.polys() / 3;
            let (linear, square) = (src.part(0, 2 * batch), src.part(2 * batch, batch));
            self.switch(ring, dst, square, Some(linear), key, GaloisElement::IDENTITY, plan)
        }

        fn rotate(self, ring, dst, src, key, galois, plan) {
            let batch = src.polys() / 2;
            let (c0, c1) = (src.part(0, batch), src.part(batch, batch));
            self.switch(ring, dst, c1, Some(c0), key, galois, plan)
        }

        fn hoisted_rotations(self, ring, dsts, src, keys, galois, plan) { self.hoist(ring, dsts, src, keys, galois, plan) }

        fn rotation_sum(self, ring, dst, src, keys, galois, weights, plan) {
            self.sum_rotations(ring, dst, src, (keys, galois), weights, plan)
        }
    }
}

impl SecretEngine for CpuEngine {
    fn alloc_secret(&self, ring: &CpuRing, shape: &Shape) -> Result<CpuBuf> {
        self.buffer(ring, shape, true)
    }

    fn upload_secret(
        &self,
        ring: &CpuRing,
        shape: &Shape,
        _: Domain,
        words: &[u32],
    ) -> Result<CpuBuf> {
        let mut buf = self.buffer(ring, shape, true)?;
        self.load(&mut buf, words, ring.n());
        Ok(buf)
    }
}
