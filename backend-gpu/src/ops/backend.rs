//! The engine's operations by name.

use std::sync::Arc;

use arras_hal::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, Shape, Workers, operations,
};
use arras_shaders::{Direction, Elementwise};

use super::{Digits, Operand, Product, View};
use crate::{GpuBuf, GpuEngine, GpuKey, GpuRing};

impl Backend for GpuEngine {
    type Buf = GpuBuf;
    type Ring = GpuRing;
    type Key = GpuKey;

    fn name(&self) -> String {
        self.gpu().name()
    }

    fn prefers_joined_batches(&self) -> bool {
        true
    }

    fn workers(&self) -> &Workers {
        self.host()
    }

    fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring> {
        self.host().check()?;
        GpuRing::new(basis, self.gpu().int64, self.recorder())
    }

    fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis> {
        &ring.basis
    }

    fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
        self.host().check()?;
        Ok(GpuBuf {
            block: self.recorder().alloc_large(shape.words(ring.basis.n()))?,
            shape: shape.clone(),
        })
    }

    fn shape<'a>(&self, buf: &'a Self::Buf) -> &'a Shape {
        &buf.shape
    }

    fn upload(
        &self,
        ring: &Self::Ring,
        shape: &Shape,
        _: Domain,
        words: &[u32],
    ) -> Result<Self::Buf> {
        let buf = self.alloc(ring, shape)?;
        self.recorder().upload(&buf.block, words);
        Ok(buf)
    }

    fn download(
        &self,
        _: &Self::Ring,
        buf: &Self::Buf,
        _: Domain,
        words: &mut [u32],
    ) -> Result<()> {
        self.host().check()?;
        self.recorder().download(&buf.block, words)
    }

    fn sync(&self) -> Result<()> {
        self.host().check()?;
        self.recorder().sync()
    }

    fn prepare_key(
        &self,
        ring: &Self::Ring,
        layout: &KeyLayout,
        words: &[u32],
    ) -> Result<Self::Key> {
        self.host().check()?;
        self.load_key(ring, layout, words)
    }

    fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout {
        &key.layout
    }

    operations! {
        fn copy_rows(self, ring, dst, src, rows) {
            if !self.transfer_rows(ring, dst, src, rows) {
                self.copy(ring, dst, src, rows);
            }
        }

        fn zero(self, ring, dst) { self.keep_error(self.position_wise(ring, Elementwise::Zero, dst, &[], None)); }

        fn ntt(self, ring, x) { self.transform_buffer(ring, x, Direction::Forward); }

        fn intt(self, ring, x) { self.transform_buffer(ring, x, Direction::Inverse); }

        fn add(self, ring, dst, a, b) { self.keep_error(self.position_wise(ring, Elementwise::Add, dst, &[a, b], None)); }

        fn sub(self, ring, dst, a, b) { self.keep_error(self.position_wise(ring, Elementwise::Sub, dst, &[a, b], None)); }

        fn mul(self, ring, dst, a, b) { self.keep_error(self.position_wise(ring, Elementwise::Mul, dst, &[a, b], None)); }

        fn mul_acc(self, ring, dst, a, b) { self.keep_error(self.position_wise(ring, Elementwise::MulAcc, dst, &[a, b], None)); }

        fn scale(self, ring, dst, a, constants) { self.keep_error(self.position_wise(ring, Elementwise::Scale, dst, &[a], Some(constants))); }

        fn automorphism(self, ring, dst, a, g) {
            let (dst, a) = (Operand::output(dst, 1), Operand::input(a, 1));
            self.primitive(ring, dst, &[a], |dst, a| {
                self.gather(ring, dst, a[0], g);
                Ok(())
            });
        }

        fn base_convert(self, ring, dst, src, table) {
            let (to, from) = (dst.shape.limbs.len(), src.shape.limbs.len());
            let (dst, src) = (Operand::output(dst, 1), Operand::input(src, 1));
            self.primitive(ring, dst, &[src], |dst, src| {
                // The table is all the memory that this operation takes.
                let conversions = ring.conversion(table, self.recorder())?;
                let table = (&conversions.table, &conversions.list);
                self.convert(ring, table, (&dst.block, to), (&src[0].block, from), dst.shape.polys);
                Ok(())
            });
        }

        fn key_inner_product(self, ring, dst, digits, key, key_digits, galois) {
            let parts = digits.shape.polys / (dst.shape.polys / 2);
            let (dst, digits) = (Operand::output(dst, 2), Operand::input(digits, parts));
            self.primitive(ring, dst, &[digits], |dst, digits| {
                let rows = View::new(digits[0], parts);
                let product = Product {
                    digits: Some(Digits { rows, own: None, key, key_digits }),
                    galois,
                    ..Product::new(View::new(dst, 2), &dst.shape.limbs, dst.shape.polys / 2)
                };
                self.product(ring, &product);
                Ok(())
            });
        }

        fn add_assign(self, ring, dst, a) { self.position_wise(ring, Elementwise::AddAssign, dst, &[a], None) }

        fn sub_assign(self, ring, dst, a) { self.position_wise(ring, Elementwise::SubAssign, dst, &[a], None) }

        fn mul_assign(self, ring, dst, a) { self.position_wise(ring, Elementwise::MulAssign, dst, &[a], None) }

        fn scale_assign(self, ring, dst, constants) {
            self.position_wise(ring, Elementwise::ScaleAssign, dst, &[], Some(constants))
        }

        fn neg(self, ring, dst, a) { self.position_wise(ring, Elementwise::Neg, dst, &[a], None) }

        fn add_leading(self, ring, dst, a, b, leading) {
            self.leading(ring, Elementwise::AddLeading, (dst, a), Some(b), (None, leading))
        }

        fn add_constants(self, ring, dst, a, constants, leading) {
            self.leading(ring, Elementwise::AddConstants, (dst, a), None, (Some(constants), leading))
        }

        fn restrict_and_scale(self, ring, dst, a, constants) {
            self.position_wise(ring, Elementwise::Scale, dst, &[a], Some(constants))
        }

        fn rescale(self, ring, dst, src, plan) {
            let (dst, src) = (Operand::output(dst, 1), Operand::input(src, 1));
            self.in_pieces(ring, &[dst], &[src], |dst, src| {
                let polys = (1, src[0].shape.polys);
                self.rescale_rows(ring, &[View::new(dst[0], 1)], View::new(src[0], 1), polys, plan)
            })
        }

        fn mod_up(self, ring, dst, src, plan) {
            let parts = plan.digits().len();
            let (dst, src) = (Operand::output(dst, parts), Operand::input(src, 1));
            self.in_pieces(ring, &[dst], &[src], |dst, src| {
                let (dst, src) = (dst[0], src[0]);
                self.extend_digits(ring, &dst.block, View::new(src, 1), src.shape.polys, plan)?;
                self.copy_own_limbs(ring, dst, src, plan);
                Ok(())
            })
        }

        fn mod_down_and_rescale(self, ring, dst, src, addend, galois, plan) {
            let Some(addend) = addend else {
                return self.rescale(ring, dst, src, plan.rescale());
            };
            let parts = addend.shape.polys / (src.shape.polys / 2);
            let inputs = [Operand::input(src, 2), Operand::input(addend, parts)];
            self.in_pieces(ring, &[Operand::output(dst, 2)], &inputs, |dst, inputs| {
                self.add_and_down(ring, dst[0], inputs[0], inputs[1], galois, plan)
            })
        }

        fn tensor(self, ring, dst, a, b) { self.sum_of_products(ring, dst, &[a], &[b]) }

        fn sum_of_products(self, ring, dst, a, b) {
            let inputs: Vec<Operand<'_>> = a.iter().chain(b).map(|x| Operand::input(x, 2)).collect();
            self.in_pieces(ring, &[Operand::output(dst, 3)], &inputs, |dst, inputs| {
                let (a, b) = inputs.split_at(a.len());
                self.tensors(ring, dst[0], a, b);
                Ok(())
            })
        }

        fn weighted_sum(self, ring, dst, terms, weights) {
            let inputs: Vec<Operand<'_>> = terms.iter().chain(weights).map(|x| Operand::input(x, 1)).collect();
            self.in_pieces(ring, &[Operand::output(dst, 1)], &inputs, |dst, inputs| {
                let (terms, weights) = inputs.split_at(terms.len());
                self.weighted(ring, dst[0], terms, weights);
                Ok(())
            })
        }

        fn key_switch(self, ring, dst, src, addend, key, galois, plan) {
            let components = addend.map_or(0, |a| a.shape.polys / src.shape.polys);
            let mut inputs = vec![Operand::input(src, 1)];
            inputs.extend(addend.map(|a| Operand::input(a, components)));
            self.in_pieces(ring, &[Operand::output(dst, 2)], &inputs, |dst, inputs| {
                let (dst, src, batch) = (View::new(dst[0], 2), View::new(inputs[0], 1), inputs[0].shape.polys);
                let addend = inputs.get(1).map(|a| (View::new(a, components), components));
                self.switch(ring, dst, src, addend, key, galois, (plan, batch))
            })
        }

        fn relinearize(self, ring, dst, src, key, plan) {
            let (dst, src) = (Operand::output(dst, 2), Operand::input(src, 3));
            self.in_pieces(ring, &[dst], &[src], |dst, src| {
                let (dst, linear, batch) = (View::new(dst[0], 2), View::new(src[0], 3), src[0].shape.polys / 3);
                let (square, addend) = (linear.component(2), Some((linear, 2)));
                self.switch(ring, dst, square, addend, key, GaloisElement::IDENTITY, (plan, batch))
            })
        }

        fn rotate(self, ring, dst, src, key, galois, plan) {
            let (dst, src) = (Operand::output(dst, 2), Operand::input(src, 2));
            self.in_pieces(ring, &[dst], &[src], |dst, src| {
                let (dst, c0, batch) = (View::new(dst[0], 2), View::new(src[0], 2), src[0].shape.polys / 2);
                self.switch(ring, dst, c0.component(1), Some((c0, 1)), key, galois, (plan, batch))
            })
        }

        fn hoisted_rotations(self, ring, dsts, src, keys, galois, plan) {
            let dsts: Vec<Operand<'_>> = dsts.iter().map(|dst| Operand::output(dst, 2)).collect();
            self.in_pieces(ring, &dsts, &[Operand::input(src, 2)], |dsts, src| {
                self.hoisted(ring, dsts, src[0], keys, galois, plan)
            })
        }

        fn rotation_sum(self, ring, dst, src, keys, galois, weights, plan) {
            // A weight is for both components or has polynomials of its own for each.
            let mut inputs = vec![Operand::input(src, 2)];
            inputs.extend(weights.iter().map(|w| Operand::input(w, 2)));
            self.in_pieces(ring, &[Operand::output(dst, 2)], &inputs, |dst, inputs| {
                self.summed(ring, dst[0], inputs[0], keys, galois, &inputs[1..], plan)
            })
        }
    }
}
