//! The engine's operations by name.

use std::sync::Arc;

use arras_hal::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, Shape,
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

    fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring> {
        GpuRing::new(basis, self.gpu().int64, self.recorder())
    }

    fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis> {
        &ring.basis
    }

    fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
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
        self.recorder().download(&buf.block, words)
    }

    fn sync(&self) -> Result<()> {
        self.recorder().sync()
    }

    fn prepare_key(
        &self,
        ring: &Self::Ring,
        layout: &KeyLayout,
        words: &[u32],
    ) -> Result<Self::Key> {
        self.load_key(ring, layout, words)
    }

    fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout {
        &key.layout
    }

    fn copy_rows(&self, ring: &Self::Ring, dst: &mut GpuBuf, src: &GpuBuf, rows: &[RowCopy]) {
        if !self.transfer_rows(ring, dst, src, rows) {
            self.copy(ring, dst, src, rows);
        }
    }

    fn zero(&self, ring: &Self::Ring, dst: &mut GpuBuf) {
        self.keep_error(self.position_wise(
            ring,
            Elementwise::Zero,
            Operand::output(dst, 1),
            &[],
            None,
        ));
    }

    fn ntt(&self, ring: &Self::Ring, x: &mut GpuBuf) {
        self.primitive(ring, Operand::updated(x, 1), &[], |x, _| {
            self.transform_buffer(ring, x, Direction::Forward);
            Ok(())
        });
    }

    fn intt(&self, ring: &Self::Ring, x: &mut GpuBuf) {
        self.primitive(ring, Operand::updated(x, 1), &[], |x, _| {
            self.transform_buffer(ring, x, Direction::Inverse);
            Ok(())
        });
    }

    fn add(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.keep_error(self.position_wise(
            ring,
            Elementwise::Add,
            Operand::output(dst, 1),
            &[a, b],
            None,
        ));
    }

    fn sub(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.keep_error(self.position_wise(
            ring,
            Elementwise::Sub,
            Operand::output(dst, 1),
            &[a, b],
            None,
        ));
    }

    fn mul(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.keep_error(self.position_wise(
            ring,
            Elementwise::Mul,
            Operand::output(dst, 1),
            &[a, b],
            None,
        ));
    }

    fn mul_acc(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.keep_error(self.position_wise(
            ring,
            Elementwise::MulAcc,
            Operand::updated(dst, 1),
            &[a, b],
            None,
        ));
    }

    fn scale(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, constants: &LimbConstants) {
        self.keep_error(self.position_wise(
            ring,
            Elementwise::Scale,
            Operand::output(dst, 1),
            &[a],
            Some(constants),
        ));
    }

    fn automorphism(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, g: GaloisElement) {
        let (dst, a) = (Operand::output(dst, 1), Operand::input(a, 1));
        self.primitive(ring, dst, &[a], |dst, a| {
            self.gather(ring, dst, a[0], g);
            Ok(())
        });
    }

    fn base_convert(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        table: &ConversionTable,
    ) {
        let (to, from) = (dst.shape.limbs.len(), src.shape.limbs.len());
        let (dst, src) = (Operand::output(dst, 1), Operand::input(src, 1));
        self.primitive(ring, dst, &[src], |dst, src| {
            // The table is all the memory that this operation takes.
            let conversions = ring.conversion(table, self.recorder())?;
            self.convert(
                ring,
                (&conversions.table, &conversions.list),
                (&dst.block, to),
                (&src[0].block, from),
                dst.shape.polys,
            );
            Ok(())
        });
    }

    fn key_inner_product(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        digits: &GpuBuf,
        key: &GpuKey,
        key_digits: &[usize],
        galois: GaloisElement,
    ) {
        let parts = digits.shape.polys / (dst.shape.polys / 2);
        let (dst, digits) = (Operand::output(dst, 2), Operand::input(digits, parts));
        self.primitive(ring, dst, &[digits], |dst, digits| {
            let batch = dst.shape.polys / 2;
            self.product(
                ring,
                &Product {
                    plan: None,
                    dst: View::new(dst, 2),
                    limbs: &dst.shape.limbs,
                    batch,
                    digits: Some(Digits {
                        rows: View::new(digits[0], parts),
                        own: None,
                        key,
                        key_digits,
                    }),
                    galois,
                    more: &[],
                    unmoved: false,
                    addend: None,
                    weight: None,
                    accumulate: false,
                },
            );
            Ok(())
        });
    }

    fn add_assign(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.position_wise(
            ring,
            Elementwise::AddAssign,
            Operand::updated(dst, 1),
            &[a],
            None,
        )
    }

    fn sub_assign(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.position_wise(
            ring,
            Elementwise::SubAssign,
            Operand::updated(dst, 1),
            &[a],
            None,
        )
    }

    fn mul_assign(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.position_wise(
            ring,
            Elementwise::MulAssign,
            Operand::updated(dst, 1),
            &[a],
            None,
        )
    }

    fn scale_assign(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        constants: &LimbConstants,
    ) -> Result<()> {
        self.position_wise(
            ring,
            Elementwise::ScaleAssign,
            Operand::updated(dst, 1),
            &[],
            Some(constants),
        )
    }

    fn neg(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.position_wise(ring, Elementwise::Neg, Operand::output(dst, 1), &[a], None)
    }

    fn add_leading(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        a: &GpuBuf,
        b: &GpuBuf,
        leading: usize,
    ) -> Result<()> {
        self.leading(
            ring,
            Elementwise::AddLeading,
            (dst, a),
            Some(b),
            (None, leading),
        )
    }

    fn add_constants(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        a: &GpuBuf,
        constants: &LimbConstants,
        leading: usize,
    ) -> Result<()> {
        let constants = (Some(constants), leading);
        self.leading(ring, Elementwise::AddConstants, (dst, a), None, constants)
    }

    fn restrict_and_scale(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        a: &GpuBuf,
        constants: &LimbConstants,
    ) -> Result<()> {
        let dst = Operand::output(dst, 1);
        self.position_wise(ring, Elementwise::Scale, dst, &[a], Some(constants))
    }

    fn rescale(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        plan: &RescalePlan,
    ) -> Result<()> {
        let (dst, src) = (Operand::output(dst, 1), Operand::input(src, 1));
        self.in_pieces(ring, &[dst], &[src], |dst, src| {
            let polys = (1, src[0].shape.polys);
            self.rescale_rows(
                ring,
                &[View::new(dst[0], 1)],
                View::new(src[0], 1),
                polys,
                plan,
            )
        })
    }

    fn mod_up(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        plan: &ModUpPlan,
    ) -> Result<()> {
        let parts = plan.digits().len();
        let (dst, src) = (Operand::output(dst, parts), Operand::input(src, 1));
        self.in_pieces(ring, &[dst], &[src], |dst, src| {
            let (dst, src) = (dst[0], src[0]);
            self.extend_digits(ring, &dst.block, View::new(src, 1), src.shape.polys, plan)?;
            self.copy_own_limbs(ring, dst, src, plan);
            Ok(())
        })
    }

    fn mod_down_and_rescale(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        addend: Option<&GpuBuf>,
        galois: GaloisElement,
        plan: &ModDownPlan,
    ) -> Result<()> {
        let Some(addend) = addend else {
            return self.rescale(ring, dst, src, plan.rescale());
        };
        let parts = addend.shape.polys / (src.shape.polys / 2);
        let inputs = [Operand::input(src, 2), Operand::input(addend, parts)];
        self.in_pieces(ring, &[Operand::output(dst, 2)], &inputs, |dst, inputs| {
            self.add_and_down(ring, dst[0], inputs[0], inputs[1], galois, plan)
        })
    }

    fn tensor(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) -> Result<()> {
        self.sum_of_products(ring, dst, &[a], &[b])
    }

    fn sum_of_products(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        a: &[&GpuBuf],
        b: &[&GpuBuf],
    ) -> Result<()> {
        let inputs: Vec<Operand<'_>> = a.iter().chain(b).map(|x| Operand::input(x, 2)).collect();
        self.in_pieces(ring, &[Operand::output(dst, 3)], &inputs, |dst, inputs| {
            let (a, b) = inputs.split_at(a.len());
            self.tensors(ring, dst[0], a, b);
            Ok(())
        })
    }

    fn weighted_sum(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        terms: &[&GpuBuf],
        weights: &[&GpuBuf],
    ) -> Result<()> {
        let all = terms.iter().chain(weights);
        let inputs: Vec<Operand<'_>> = all.map(|x| Operand::input(x, 1)).collect();
        self.in_pieces(ring, &[Operand::output(dst, 1)], &inputs, |dst, inputs| {
            let (terms, weights) = inputs.split_at(terms.len());
            self.weighted(ring, dst[0], terms, weights);
            Ok(())
        })
    }

    fn key_switch(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        addend: Option<&GpuBuf>,
        key: &GpuKey,
        galois: GaloisElement,
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let components = addend.map_or(0, |a| a.shape.polys / src.shape.polys);
        let mut inputs = vec![Operand::input(src, 1)];
        inputs.extend(addend.map(|a| Operand::input(a, components)));
        self.in_pieces(ring, &[Operand::output(dst, 2)], &inputs, |dst, inputs| {
            let (dst, src) = (View::new(dst[0], 2), View::new(inputs[0], 1));
            let addend = inputs
                .get(1)
                .map(|a| (View::new(a, components), components));
            let batch = inputs[0].shape.polys;
            self.switch(ring, dst, src, addend, key, galois, (plan, batch))
        })
    }

    fn relinearize(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        key: &GpuKey,
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let (dst, src) = (Operand::output(dst, 2), Operand::input(src, 3));
        self.in_pieces(ring, &[dst], &[src], |dst, src| {
            let (linear, batch) = (View::new(src[0], 3), src[0].shape.polys / 3);
            self.switch(
                ring,
                View::new(dst[0], 2),
                linear.component(2),
                Some((linear, 2)),
                key,
                GaloisElement::IDENTITY,
                (plan, batch),
            )
        })
    }

    fn rotate(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        key: &GpuKey,
        galois: GaloisElement,
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let (dst, src) = (Operand::output(dst, 2), Operand::input(src, 2));
        self.in_pieces(ring, &[dst], &[src], |dst, src| {
            let (c0, batch) = (View::new(src[0], 2), src[0].shape.polys / 2);
            self.switch(
                ring,
                View::new(dst[0], 2),
                c0.component(1),
                Some((c0, 1)),
                key,
                galois,
                (plan, batch),
            )
        })
    }

    fn hoisted_rotations(
        &self,
        ring: &Self::Ring,
        dsts: &mut [&mut GpuBuf],
        src: &GpuBuf,
        keys: &[Option<&GpuKey>],
        galois: &[GaloisElement],
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let dsts: Vec<Operand<'_>> = dsts.iter().map(|dst| Operand::output(dst, 2)).collect();
        self.in_pieces(ring, &dsts, &[Operand::input(src, 2)], |dsts, src| {
            self.hoisted(ring, dsts, src[0], keys, galois, plan)
        })
    }

    fn rotation_sum(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        keys: &[Option<&GpuKey>],
        galois: &[GaloisElement],
        weights: &[&GpuBuf],
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        // A weight is for both components or has polynomials of its own for each.
        let mut inputs = vec![Operand::input(src, 2)];
        inputs.extend(weights.iter().map(|w| Operand::input(w, 2)));
        self.in_pieces(ring, &[Operand::output(dst, 2)], &inputs, |dst, inputs| {
            self.summed(ring, dst[0], inputs[0], keys, galois, &inputs[1..], plan)
        })
    }
}
