//! The trait an engine implements.

use std::sync::Arc;

use crate::{
    ConversionTable, Domain, GaloisElement, KeySwitchPlan, LimbConstants, Limbs, ModDownPlan,
    ModUpPlan, RescalePlan, Result, RingBasis, Shape, Workers, composites,
};

/// One row of a [`Backend::copy_rows`]; limbs are positions in the buffers' lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowCopy {
    /// Polynomial written.
    pub dst_poly: u32,
    /// Limb position written.
    pub dst_limb: u32,
    /// Polynomial read.
    pub src_poly: u32,
    /// Limb position read.
    pub src_limb: u32,
}

/// The shape of a switching key: `[digit][2][limbs][N]`, component 0 the half that carries the message (b), 1
/// the uniform half (a).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyLayout {
    /// Number of digits.
    pub digits: usize,
    /// Limbs of every digit.
    pub limbs: Limbs,
}

impl KeyLayout {
    /// Number of 32-bit words for rows of `n` residues.
    pub fn words(&self, n: usize) -> usize {
        self.digits * 2 * self.limbs.len() * n
    }
}

macro_rules! define_backend {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        /// An engine: a value that stores polynomials and computes on them.
        ///
        /// The contract is the [crate documentation](crate#the-contract-of-an-engine). In short: buffers are opaque;
        /// residues are canonical at every boundary; results are those of the [reference engine](crate::Reference)
        /// to the bit, composites included; operations only enqueue, and a deferred error comes out of the next
        /// [`Backend::download`] or [`Backend::sync`].
        ///
        /// Callers keep the rules that the typed layer ([`Poly`](crate::Poly)) checks: all buffers of a call belong to the
        /// given ring, shapes are the ones stated, an `In` operand with fewer polynomials than the output has a divisor
        /// of its count and is repeated (polynomial p of the output meets polynomial p mod count). Engines only
        /// `debug_assert!`. Composites return a `Result` because they take scratch memory.
        pub trait Backend: Clone + Send + Sync + 'static {
            /// A buffer `[polys][limbs][N]`, opaque. Dropping it returns its memory to the engine.
            type Buf: Send + Sync + 'static;
            /// The engine's own state for one ring: tables, cached plans.
            type Ring: Send + Sync + 'static;
            /// A switching key in the engine's own layout.
            type Key: Send + Sync + 'static;

            /// A short name for messages, with what distinguishes this instance ("cpu, 2 threads").
            fn name(&self) -> String;

            /// Whether one call on a joined batch costs less than calls on its parts, copies to join and to split it included: so it is
            /// for engines whose calls have a price of their own, such as devices.
            fn prefers_joined_batches(&self) -> bool {
                false
            }

            /// The threads on which the host's work around this engine is done: sampling, encoding, steps side by side. Unless an
            /// engine says otherwise, the caller's alone.
            fn workers(&self) -> &Workers {
                Workers::callers()
            }

            /// Prepares for a ring.
            ///
            /// # Errors
            /// If tables do not fit or the device failed.
            fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring>;

            /// The basis a ring was made for.
            fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis>;

            /// A buffer with unspecified contents.
            ///
            /// # Errors
            /// If there is no memory for it.
            fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf>;

            /// The shape of a buffer.
            fn shape<'a>(&self, buf: &'a Self::Buf) -> &'a Shape;

            /// A buffer with these canonical residues, rows in boundary order of `domain`.
            ///
            /// # Errors
            /// If there is no memory for it.
            fn upload(&self, ring: &Self::Ring, shape: &Shape, domain: Domain, words: &[u32]) -> Result<Self::Buf>;

            /// Waits for all operations and copies a buffer out, rows in boundary order of `domain`.
            ///
            /// # Errors
            /// The first error of any operation enqueued since the last wait; `words` is then unspecified.
            fn download(&self, ring: &Self::Ring, buf: &Self::Buf, domain: Domain, words: &mut [u32]) -> Result<()>;

            /// Waits for all operations.
            ///
            /// # Errors
            /// The first error of any operation enqueued since the last wait.
            fn sync(&self) -> Result<()>;

            /// Takes a key, `[digit][2][limbs][N]` canonical evaluations in boundary order, into the engine's own layout.
            ///
            /// # Errors
            /// If there is no memory for it.
            fn prepare_key(&self, ring: &Self::Ring, layout: &KeyLayout, words: &[u32]) -> Result<Self::Key>;

            /// The layout a key was prepared with.
            fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout;

            $( $(#[$pm])* fn $p(&self, ring: &Self::Ring, $($pa: op_type!(Self: $($pk)+)),*); )*

            $(
                $(#[$cm])*
                ///
                /// # Errors
                /// If there is no scratch memory.
                fn $c(&self, ring: &Self::Ring, $($ca: op_type!(Self: $($ck)+)),*) -> Result<()> {
                    composites::$body(self, ring, $($ca),*)
                }
            )*
        }

        /// The name of every operation, in the order of the trait: primitives, then composites.
        pub const OPERATIONS: &[&str] = &[$(stringify!($p),)* $(stringify!($c),)*];
    };
}
backend_ops!(define_backend);

/// An engine that may hold secrets: key generation, encryption and decryption are generic over it.
///
/// Implement it only for an engine whose memory is the process's own and that overwrites secret buffers when
/// they are dropped. An engine on a device has no such impl, so giving it a secret does not compile.
pub trait SecretEngine: Backend {
    /// A buffer with unspecified contents that is overwritten with zeros before its memory is used for
    /// anything else.
    ///
    /// # Errors
    /// If there is no memory for it.
    fn alloc_secret(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf>;

    /// [`Backend::upload`] into a buffer as [`SecretEngine::alloc_secret`] makes them.
    ///
    /// # Errors
    /// If there is no memory for it.
    fn upload_secret(
        &self,
        ring: &Self::Ring,
        shape: &Shape,
        domain: Domain,
        words: &[u32],
    ) -> Result<Self::Buf>;
}
