//! Operations position by position, in pieces where buffers exceed a binding.

use arras_hal::{LimbConstants, Result};
use arras_shaders::Elementwise;

use super::Operand;
use crate::{GpuBuf, GpuEngine, GpuRing};

impl GpuEngine {
    /// An operation position by position, with operands of one part.
    pub(super) fn position_wise(
        &self,
        ring: &GpuRing,
        op: Elementwise,
        dst: &GpuBuf,
        inputs: &[&GpuBuf],
        constants: Option<&LimbConstants>,
    ) -> Result<()> {
        let dst = if op.updates() {
            Operand::updated(dst, 1)
        } else {
            Operand::output(dst, 1)
        };
        let inputs: Vec<Operand<'_>> = inputs.iter().map(|a| Operand::input(a, 1)).collect();
        let constants = constants.map(LimbConstants::as_slice);
        self.in_pieces(ring, &[dst], &inputs, |dst, inputs| {
            self.elementwise(ring, op, dst[0], inputs, (constants, 0));
            Ok(())
        })
    }

    /// An operation that changes the first `leading` polynomials and copies the others.
    pub(super) fn leading(
        &self,
        ring: &GpuRing,
        op: Elementwise,
        (dst, a): (&GpuBuf, &GpuBuf),
        b: Option<&GpuBuf>,
        (constants, leading): (Option<&LimbConstants>, usize),
    ) -> Result<()> {
        // In pieces, each has its share of the leading polynomials.
        let item = gcd(leading, dst.shape.polys);
        let (parts, leading_parts) = (dst.shape.polys / item, leading / item);
        let mut inputs = vec![Operand::input(a, parts)];
        inputs.extend(b.map(|b| Operand::input(b, leading_parts)));
        let constants = constants.map(LimbConstants::as_slice);
        self.in_pieces(
            ring,
            &[Operand::output(dst, parts)],
            &inputs,
            |dst, inputs| {
                let leading = dst[0].shape.polys / parts * leading_parts;
                self.elementwise(ring, op, dst[0], inputs, (constants, leading));
                Ok(())
            },
        )
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
