//! Engines with one fault each: wrappers of the reference engine that can do what a decorator cannot, such as write
//! to inputs.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use arras_hal::{
    Backend, ConversionMode, ConversionTable, Domain, GaloisElement, HalErrorKind, KeyLayout,
    LimbConstants, Reference, RescalePlan, Result, RingBasis, RowCopy, Shape, composites,
    operations,
};

type Inner = <Reference as Backend>::Buf;
type InnerRing = <Reference as Backend>::Ring;
type InnerKey = <Reference as Backend>::Key;

/// What is wrong with a [`Faulty`] engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// `automorphism` leaves its input permuted, as an in-place kernel would.
    MutatesInput,
    /// `mul` adds to its output and trusts that memory is fresh and zero.
    TrustsZeroedMemory,
    /// A fused `rescale` that is off by one in restored limbs.
    WrongFusedRescale,
    /// The quotient of a conversion is rounded down on ties.
    RoundsTiesDown,
    /// The quotient of a conversion is truncated.
    Truncates,
    /// Centred conversions convert plain residues.
    ConvertsPlainResidues,
    /// Tables are cached by degree alone, so a second ring gets the first one's.
    SharesTables,
    /// A device failure is forgotten.
    SwallowsErrors,
    /// Element-wise operations read operand 0 wherever an operand is repeated.
    RepeatsTheFirst,
}

/// The reference engine with a fault, and a device that fails on demand.
#[derive(Clone)]
pub(crate) struct Faulty {
    fault: Fault,
    rings: Arc<Mutex<HashMap<u32, Arc<InnerRing>>>>,
    fail_next: Arc<AtomicBool>,
    failed: Arc<AtomicBool>,
}

pub(crate) struct FaultyBuf {
    shape: Shape,
    inner: RwLock<Inner>,
}

pub(crate) struct FaultyRing {
    basis: Arc<RingBasis>,
    inner: Arc<InnerRing>,
}

impl FaultyBuf {
    fn new(inner: Inner) -> Self {
        Self {
            shape: Reference.shape(&inner).clone(),
            inner: RwLock::new(inner),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&mut self) -> &mut Inner {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            rings: Arc::default(),
            fail_next: Arc::default(),
            failed: Arc::default(),
        }
    }

    pub(crate) fn fail_next(&self) {
        self.fail_next.store(true, Ordering::SeqCst);
    }

    /// Runs an operation, unless it is to fail.
    fn run(&self, operation: impl FnOnce()) {
        if !self.fail_next.swap(false, Ordering::SeqCst) {
            operation();
        } else if self.fault != Fault::SwallowsErrors {
            self.failed.store(true, Ordering::SeqCst);
        }
    }

    fn element_wise(
        &self,
        ring: &FaultyRing,
        dst: &mut FaultyBuf,
        a: &FaultyBuf,
        b: &FaultyBuf,
        op: fn(&Reference, &InnerRing, &mut Inner, &Inner, &Inner),
    ) {
        self.run(|| {
            let polys = dst.shape.polys;
            let edited = [a, b].map(|operand| self.operand(ring, operand, polys));
            let (a, b) = (
                edited[0].as_ref().unwrap_or(a),
                edited[1].as_ref().unwrap_or(b),
            );
            op(&Reference, &ring.inner, dst.write(), &a.read(), &b.read());
        });
    }

    /// `a` with its polynomial 0 in place of all, where that is this engine's fault.
    fn operand(&self, ring: &FaultyRing, a: &FaultyBuf, polys: usize) -> Option<FaultyBuf> {
        let repeated = a.shape.polys < polys && a.shape.polys > 1;
        if self.fault != Fault::RepeatsTheFirst || !repeated {
            return None;
        }
        let mut first = self.alloc(ring, &a.shape).ok()?;
        let limbs = (0..a.shape.limbs.len()).map(|l| (l, l));
        let rows = composites::rows((0..a.shape.polys).map(|p| (p, 0)), limbs);
        Reference.copy_rows(&ring.inner, first.write(), &a.read(), &rows);
        Some(first)
    }

    fn words(ring: &FaultyRing, buf: &Inner) -> Vec<u32> {
        let mut words = vec![0; Reference.shape(buf).words(ring.basis.n())];
        // The reference engine's download cannot fail.
        let _ = Reference.download(&ring.inner, buf, Domain::Coeff, &mut words);
        words
    }

    /// The buffer with every word replaced by `f(polynomial, limb position, index, word)`.
    fn edit(ring: &FaultyRing, buf: &mut Inner, f: impl Fn(usize, usize, usize, u32) -> u32) {
        let shape = Reference.shape(buf).clone();
        let (n, limbs) = (ring.basis.n(), shape.limbs.len());
        let words: Vec<u32> = Self::words(ring, buf)
            .iter()
            .enumerate()
            .map(|(at, &w)| f(at / n / limbs, at / n % limbs, at % n, w))
            .collect();
        if let Ok(edited) = Reference.upload(&ring.inner, &shape, Domain::Coeff, &words) {
            *buf = edited;
        }
    }

    /// Corrects a right conversion to the wrong quotient: subtracts the difference of the quotients times S.
    fn requote(
        ring: &FaultyRing,
        dst: &mut Inner,
        src: &Inner,
        table: &ConversionTable,
        wrong: impl Fn(u32, u32) -> u32,
    ) {
        let (x, n, sources) = (Self::words(ring, src), ring.basis.n(), table.from().len());
        Self::edit(ring, dst, |p, t, k, word| {
            let q = ring.basis.modulus(table.to().at(t));
            let column = (0..sources).map(|i| x[(p * sources + i) * n + k]);
            let sum = column.clone().zip(table.reciprocal());
            let sum = sum.fold(0u32, |acc, (x, &r)| {
                acc.wrapping_add((x >> 14).wrapping_mul(r))
            });
            let right = table.quotient(column);
            let wrong = wrong(right, sum);
            let offset = table.offset()[t];
            q.add(q.sub(word, q.mul(right, offset)), q.mul(wrong, offset))
        });
    }
}

impl Backend for Faulty {
    type Buf = FaultyBuf;
    type Ring = FaultyRing;
    type Key = InnerKey;

    fn name(&self) -> String {
        format!("faulty ({:?})", self.fault)
    }

    fn ring(&self, basis: &Arc<RingBasis>) -> Result<FaultyRing> {
        let mut inner = Arc::new(Reference.ring(basis)?);
        if self.fault == Fault::SharesTables {
            let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
            inner = rings.entry(basis.log_n()).or_insert(inner).clone();
        }
        Ok(FaultyRing {
            basis: basis.clone(),
            inner,
        })
    }

    fn basis<'a>(&self, ring: &'a FaultyRing) -> &'a Arc<RingBasis> {
        &ring.basis
    }

    fn alloc(&self, ring: &FaultyRing, shape: &Shape) -> Result<FaultyBuf> {
        let mut buf = Reference.alloc(&ring.inner, shape)?;
        if self.fault == Fault::TrustsZeroedMemory {
            Reference.zero(&ring.inner, &mut buf);
        }
        Ok(FaultyBuf::new(buf))
    }

    fn shape<'a>(&self, buf: &'a FaultyBuf) -> &'a Shape {
        &buf.shape
    }

    fn upload(
        &self,
        ring: &FaultyRing,
        shape: &Shape,
        domain: Domain,
        words: &[u32],
    ) -> Result<FaultyBuf> {
        let buf = Reference.upload(&ring.inner, shape, domain, words)?;
        Ok(FaultyBuf::new(buf))
    }

    fn download(
        &self,
        ring: &FaultyRing,
        buf: &FaultyBuf,
        domain: Domain,
        words: &mut [u32],
    ) -> Result<()> {
        self.sync()?;
        Reference.download(&ring.inner, &buf.read(), domain, words)
    }

    fn sync(&self) -> Result<()> {
        if self.failed.swap(false, Ordering::SeqCst) {
            return Err(HalErrorKind::Device {
                engine: self.name(),
                message: "a failure that was asked for".into(),
            }
            .into());
        }
        Ok(())
    }

    fn prepare_key(
        &self,
        ring: &FaultyRing,
        layout: &KeyLayout,
        words: &[u32],
    ) -> Result<InnerKey> {
        Reference.prepare_key(&ring.inner, layout, words)
    }

    fn key_layout<'a>(&self, key: &'a InnerKey) -> &'a KeyLayout {
        Reference.key_layout(key)
    }

    operations! {
        fn copy_rows(self, ring, dst, src, rows) {
            self.run(|| Reference.copy_rows(&ring.inner, dst.write(), &src.read(), rows));
        }

        fn zero(self, ring, dst) { self.run(|| Reference.zero(&ring.inner, dst.write())); }

        fn ntt(self, ring, x) { self.run(|| Reference.ntt(&ring.inner, x.write())); }

        fn intt(self, ring, x) { self.run(|| Reference.intt(&ring.inner, x.write())); }

        fn add(self, ring, dst, a, b) { self.element_wise(ring, dst, a, b, Reference::add); }

        fn sub(self, ring, dst, a, b) { self.element_wise(ring, dst, a, b, Reference::sub); }

        fn mul(self, ring, dst, a, b) {
            if self.fault == Fault::TrustsZeroedMemory {
                self.mul_acc(ring, dst, a, b);
            } else {
                self.run(|| Reference.mul(&ring.inner, dst.write(), &a.read(), &b.read()));
            }
        }

        fn mul_acc(self, ring, dst, a, b) { self.element_wise(ring, dst, a, b, Reference::mul_acc); }

        fn scale(self, ring, dst, a, constants) {
            self.run(|| Reference.scale(&ring.inner, dst.write(), &a.read(), constants));
        }

        fn automorphism(self, ring, dst, a, galois) {
            self.run(|| {
                Reference.automorphism(&ring.inner, dst.write(), &a.read(), galois);
                if self.fault == Fault::MutatesInput
                    && let Ok(copy) = composites::copy_all(&Reference, &ring.inner, dst.write())
                {
                    *a.inner.write().unwrap_or_else(PoisonError::into_inner) = copy;
                }
            });
        }

        fn base_convert(self, ring, dst, src, table) {
            self.run(|| {
                let (dst, src) = (dst.write(), src.read());
                Reference.base_convert(&ring.inner, dst, &src, table);
                match (self.fault, table.mode()) {
                    (Fault::RoundsTiesDown, ConversionMode::Quotient) => {
                        Self::requote(ring, dst, &src, table, |_, sum| (sum + (1 << 25) - 1) >> 26);
                    }
                    (Fault::Truncates, ConversionMode::Quotient) => {
                        Self::requote(ring, dst, &src, table, |_, sum| sum >> 26);
                    }
                    (Fault::ConvertsPlainResidues, ConversionMode::Centred) => {
                        let (x, n, sources) = (Self::words(ring, &src), ring.basis.n(), table.from().len());
                        Self::edit(ring, dst, |p, t, k, _| {
                            let q = ring.basis.modulus(table.to().at(t));
                            (0..sources).fold(0, |acc, i| {
                                q.add(acc, q.mul(x[(p * sources + i) * n + k], table.row(t)[i]))
                            })
                        });
                    }
                    _ => {}
                }
            });
        }

        fn key_inner_product(self, ring, dst, digits, key, key_digits, galois) {
            self.run(|| {
                let digits = &digits.read();
                Reference.key_inner_product(&ring.inner, dst.write(), digits, key, key_digits, galois);
            });
        }

        fn rescale(self, ring, dst, src, plan) {
            composites::rescale(self, ring, dst, src, plan)?;
            if self.fault == Fault::WrongFusedRescale {
                Self::edit(ring, dst.write(), |_, l, _, word| {
                    let q = ring.basis.modulus(plan.to().at(l));
                    q.add(word, u32::from(plan.to_in_from()[l].is_none()))
                });
            }
            Ok(())
        }
    }
}
