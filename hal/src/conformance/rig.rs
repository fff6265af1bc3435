//! One engine with one ring, and transfers that check what crosses the boundary.

use std::sync::Arc;

use super::values::{Values, Words, place};
use crate::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, Shape,
};

/// One engine with one ring.
pub(super) struct Rig<B: Backend> {
    pub(super) engine: B,
    pub(super) basis: Arc<RingBasis>,
    pub(super) ring: B::Ring,
}

macro_rules! operations_on_the_ring {
    (
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        /// The engine's operations.
        impl<B: Backend> Rig<B> {
            $(
                pub(super) fn $p(&self, $($pa: op_type!(B: $($pk)+)),*) {
                    self.engine.$p(&self.ring, $($pa),*);
                }
            )*
            $(
                pub(super) fn $c(&self, $($ca: op_type!(B: $($ck)+)),*) -> Result<()> {
                    self.engine.$c(&self.ring, $($ca),*)
                }
            )*
        }
    };
}
backend_ops!(operations_on_the_ring);

impl<B: Backend> Rig<B> {
    pub(super) fn new(engine: &B, basis: &Arc<RingBasis>) -> Self {
        let ring = engine.ring(basis).expect("the engine prepares the ring");
        Self {
            engine: engine.clone(),
            basis: basis.clone(),
            ring,
        }
    }

    pub(super) fn upload(&self, words: &Words) -> B::Buf {
        self.engine
            .upload(&self.ring, &words.shape, words.domain, &words.words)
            .expect("upload")
    }

    /// An output whose old contents are canonical residues that mean nothing.
    pub(super) fn garbage(&self, shape: &Shape, seed: u64) -> B::Buf {
        let mut values = Values::new("garbage", seed);
        self.upload(&values.words(&self.basis, shape, Domain::Eval))
    }

    pub(super) fn key(&self, layout: &KeyLayout, words: &[u32]) -> B::Key {
        self.engine
            .prepare_key(&self.ring, layout, words)
            .expect("prepare_key")
    }

    /// Fails if the buffer holds anything else.
    pub(super) fn expect(&self, buf: &B::Buf, expected: &Words, what: &str) {
        self.download(buf, expected.domain, what)
            .assert_same(expected, what);
    }

    /// The contents of a buffer; fails if a residue is not canonical.
    pub(super) fn download(&self, buf: &B::Buf, domain: Domain, what: &str) -> Words {
        let shape = self.engine.shape(buf).clone();
        // A download that writes nothing leaves a pattern that is no residue.
        let mut words = vec![u32::MAX; shape.words(self.basis.n())];
        self.engine
            .download(&self.ring, buf, domain, &mut words)
            .unwrap_or_else(|e| panic!("{what}: download: {e}"));
        for (row, values) in words.chunks_exact(self.basis.n()).enumerate() {
            let q = self.basis.modulus(shape.limbs.at(row % shape.limbs.len()));
            if let Some(index) = values.iter().position(|&v| v >= q.value()) {
                panic!(
                    "{what}: {} is {}, not below its modulus {}",
                    place(&shape, words.len(), row * self.basis.n() + index),
                    values[index],
                    q.value()
                );
            }
        }
        Words {
            shape,
            domain,
            words,
        }
    }
}
