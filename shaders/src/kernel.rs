//! Kernels as values.

use std::fmt;

use crate::{
    Elementwise, NttKernel, PAIRS_PER_DISPATCH, Prelude, ROTATIONS_PER_DISPATCH, convert,
    elementwise, key_product,
    layout::{self, Header, RowPair},
    products,
};

/// Threads of a workgroup of every kernel but the transforms of tiny rings.
pub const WORKGROUP_SIZE: u32 = 256;

/// Workgroup memory that kernels use at most: what WebGPU promises on every device.
pub const WORKGROUP_BYTES: u32 = 16 << 10;

/// The constants of an entry of [`layout`] as the prelude takes them.
const ENTRY_MODULUS: &str =
    "fn entry_modulus(e: Entry) -> Modulus { return Modulus(e.q, e.inverse, e.r2, e.mu); }\n";

/// A compute kernel; its entry point is `main`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Position by position.
    Elementwise(Elementwise),
    /// Copies rows named by [`RowPair`]s.
    CopyRows,
    /// X -> X^g in the evaluation domain.
    Automorphism,
    /// Sum of the tensors of this many pairs of ciphertexts.
    Tensor {
        /// 1 to [`PAIRS_PER_DISPATCH`].
        pairs: usize,
    },
    /// Sum of this many products.
    WeightedSum {
        /// 1 to [`PAIRS_PER_DISPATCH`].
        pairs: usize,
    },
    /// Base conversion.
    Convert,
    /// Inner product with a switching key, or the sum of those of several rotations.
    KeyProduct {
        /// Ciphertexts per thread.
        width: usize,
        /// Rotations, each with its key, of digits and addend; 0 for one key and nothing moved, at most
        /// [`ROTATIONS_PER_DISPATCH`].
        rotations: usize,
    },
    /// A part of a number-theoretic transform.
    Ntt(NttKernel),
}

impl Kernel {
    /// Number of read-only bindings after the parameters and the output.
    pub fn inputs(self) -> usize {
        match self {
            Self::Elementwise(op) => op.inputs(),
            Self::CopyRows | Self::Automorphism => 1,
            Self::Tensor { pairs } | Self::WeightedSum { pairs } => 2 * pairs,
            Self::Convert => 2,
            Self::KeyProduct { rotations, .. } => 5 + usize::from(rotations > 2),
            Self::Ntt(kernel) => kernel.inputs(),
        }
    }

    /// The WGSL text.
    pub fn source(self, prelude: Prelude) -> String {
        let body = match self {
            // Pairs of rows take the place of the entries, and nothing is computed.
            Self::CopyRows => {
                return format!(
                    "{}{}struct Params {{ header: Header, rows: array<RowPair> }}\n\
                     @group(0) @binding(0) var<storage, read> params: Params;\n{}",
                    Header::WGSL,
                    RowPair::WGSL,
                    elementwise::copy_rows_source()
                );
            }
            Self::Elementwise(op) => op.source(),
            Self::Automorphism => elementwise::automorphism_source(),
            Self::Tensor { pairs } => products::tensor_source(pairs),
            Self::WeightedSum { pairs } => products::weighted_sum_source(pairs),
            Self::Convert => convert::source(),
            Self::KeyProduct { width, rotations } => key_product::source(width, rotations),
            Self::Ntt(kernel) => kernel.source(),
        };
        let declarations = layout::declarations();
        format!("{declarations}{}{ENTRY_MODULUS}{body}", prelude.source())
    }

    /// Every kernel that a ring of degree `2^log_n` may use, for tests and warm-up.
    pub fn all(log_n: u32) -> Vec<Self> {
        let mut all = vec![Self::CopyRows, Self::Automorphism, Self::Convert];
        all.extend(Elementwise::ALL.map(Self::Elementwise));
        for pairs in 1..=PAIRS_PER_DISPATCH {
            all.push(Self::Tensor { pairs });
            all.push(Self::WeightedSum { pairs });
        }
        for rotations in 0..=ROTATIONS_PER_DISPATCH {
            all.extend([1, 4].map(|width| Self::KeyProduct { width, rotations }));
        }
        all.extend(NttKernel::all(log_n).into_iter().map(Self::Ntt));
        all
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elementwise(op) => write!(f, "{}", format!("{op:?}").to_lowercase()),
            Self::CopyRows => f.write_str("copy rows"),
            Self::Automorphism => f.write_str("automorphism"),
            Self::Tensor { pairs } => write!(f, "tensor of {pairs}"),
            Self::WeightedSum { pairs } => write!(f, "weighted sum of {pairs}"),
            Self::Convert => f.write_str("base conversion"),
            Self::KeyProduct { width, rotations } => {
                write!(f, "key product, {width} wide")?;
                match rotations {
                    0 => Ok(()),
                    1 => f.write_str(", permuted"),
                    _ => write!(f, ", {rotations} rotations"),
                }
            }
            Self::Ntt(kernel) => write!(f, "{kernel}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    fn check(kernel: Kernel, prelude: Prelude) {
        let source = kernel.source(prelude);
        let module = naga::front::wgsl::parse_str(&source)
            .unwrap_or_else(|e| panic!("{kernel:?}, {prelude:?}: {}", e.emit_to_string(&source)));
        let capabilities = match prelude {
            Prelude::Int64 => Capabilities::SHADER_INT64,
            _ => Capabilities::empty(),
        };
        let info = Validator::new(ValidationFlags::all(), capabilities)
            .validate(&module)
            .unwrap_or_else(|e| panic!("{kernel:?}, {prelude:?}: {}", e.emit_to_string(&source)));
        let entry = &module.entry_points[0];
        assert_eq!(
            (module.entry_points.len(), entry.name.as_str()),
            (1, "main")
        );
        let threads: u32 = entry.workgroup_size.iter().product();
        assert!(threads <= WORKGROUP_SIZE, "{kernel:?}: {threads} threads");
        let mut storage = 0;
        let mut workgroup = 0;
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        for (handle, variable) in module.global_variables.iter() {
            match variable.space {
                naga::AddressSpace::Storage { .. } => {
                    storage += 1;
                    assert!(
                        !info.get_entry_point(0)[handle].is_empty(),
                        "{kernel:?}: {:?} unused",
                        variable.name
                    );
                }
                naga::AddressSpace::WorkGroup => workgroup += layouter[variable.ty].size,
                _ => {}
            }
        }
        assert_eq!(storage, kernel.inputs() + 2, "{kernel:?}");
        assert!(storage <= 8, "{kernel:?}: {storage} storage buffers");
        assert!(
            workgroup <= WORKGROUP_BYTES,
            "{kernel:?}: {workgroup} bytes"
        );
    }

    #[test]
    fn every_kernel_is_valid_with_every_prelude() {
        for prelude in Prelude::ALL {
            for log_n in [3, 4, 5, 8, 12, 13, 15, 16, 17] {
                for kernel in Kernel::all(log_n) {
                    // Kernels but the transforms do not depend on the degree.
                    if log_n == 3 || matches!(kernel, Kernel::Ntt(_)) {
                        check(kernel, prelude);
                    }
                }
            }
        }
    }

    #[test]
    fn portable_preludes_have_no_64_bit_type() {
        for prelude in [Prelude::Portable, Prelude::PortableFermat] {
            for kernel in Kernel::all(13) {
                assert!(!kernel.source(prelude).contains("u64"), "{kernel:?}");
            }
        }
    }

    #[test]
    fn the_fermat_prelude_is_for_the_primes_it_is_exact_for() {
        assert_eq!(
            Prelude::portable_for([0x1fff_0001]),
            Prelude::PortableFermat
        );
        assert_eq!(Prelude::portable_for([0x1fff_0001, 97]), Prelude::Portable);
        assert_eq!(
            Prelude::portable_for([0x3fff_0001]),
            Prelude::PortableFermat
        );
        assert_eq!(Prelude::portable_for([0x3fff_8001]), Prelude::Portable);
    }
}
