//! The engine.

use std::{fmt, sync::Arc};

use arras_hal::{
    Backend, ConversionTable, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants,
    ModDownPlan, ModUpPlan, RescalePlan, Result, RingBasis, RowCopy, Shape,
};
use arras_shaders::{Elementwise, Kernel};

use crate::{
    AdapterReport, GpuBuf, GpuError, GpuKey, GpuOptions, GpuRing, KernelTime, MemoryReport,
    buffer::KeyBlock,
    device::Gpu,
    memory::Memory,
    ops::{Digits, Product, View},
    profile::Profiler,
    recorder::Recorder,
    ring::montgomery,
};

/// An engine on one device. Clones share it.
///
/// Safe to use from several threads: operations of each are executed in its order.
#[derive(Clone)]
pub struct GpuEngine(Arc<Inner>);

struct Inner {
    gpu: Arc<Gpu>,
    memory: Arc<Memory>,
    recorder: Recorder,
}

impl GpuEngine {
    /// Opens the device that the options ask for.
    ///
    /// # Errors
    /// [`GpuError`]: no usable adapter, a feature that it lacks, or the driver's refusal.
    pub fn new(options: &GpuOptions) -> Result<Self, GpuError> {
        let gpu = Arc::new(Gpu::open(options)?);
        let memory = Memory::new(&gpu, options);
        let recorder = Recorder::new(&gpu, &memory, options.profile);
        Ok(Self(Arc::new(Inner {
            gpu,
            memory,
            recorder,
        })))
    }

    /// The adapter in use.
    pub fn adapter(&self) -> &AdapterReport {
        &self.0.gpu.report
    }

    /// Why this adapter, in words.
    pub fn reason(&self) -> &str {
        &self.0.gpu.reason
    }

    /// Device memory in use.
    pub fn memory_report(&self) -> MemoryReport {
        self.0.memory.report()
    }

    /// Kernel dispatches recorded since the engine was made.
    pub fn dispatch_count(&self) -> u64 {
        self.0.recorder.dispatches()
    }

    /// Submissions to the device since the engine was made.
    pub fn submit_count(&self) -> u64 {
        self.0.recorder.submissions()
    }

    /// Device time by kernel since the last call, the longest first; empty without [`GpuOptions::profile`].
    pub fn take_profile(&self) -> Vec<KernelTime> {
        let profiler = self.0.recorder.profiler();
        profiler.map(Profiler::take).unwrap_or_default()
    }

    /// Compiles every kernel that a ring uses, instead of at its first use.
    ///
    /// # Errors
    /// [`arras_hal::HalError::Device`] if one does not compile, or the engine has failed before.
    pub fn warm_up(&self, ring: &GpuRing) -> Result<()> {
        for kernel in Kernel::all(ring.basis.log_n()) {
            self.0.gpu.pipeline(kernel, ring.prelude);
        }
        self.0.gpu.check()
    }

    /// Gives the device back to the driver at once. Every later wait of every clone is an error.
    pub fn destroy_device(&self) {
        self.0
            .gpu
            .faults
            .record("the device was destroyed by its owner; make a new engine");
        self.0.gpu.device.destroy();
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.0.memory
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    #[cfg(test)]
    pub(crate) fn gpu(&self) -> &Gpu {
        &self.0.gpu
    }
}

impl fmt::Debug for GpuEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuEngine({})", self.name())
    }
}

impl Backend for GpuEngine {
    type Buf = GpuBuf;
    type Ring = GpuRing;
    type Key = GpuKey;

    fn name(&self) -> String {
        self.0.gpu.name()
    }

    fn prefers_joined_batches(&self) -> bool {
        true
    }

    fn ring(&self, basis: &Arc<RingBasis>) -> Result<Self::Ring> {
        GpuRing::new(basis, self.0.gpu.int64, &self.0.memory, &self.0.recorder)
    }

    fn basis<'a>(&self, ring: &'a Self::Ring) -> &'a Arc<RingBasis> {
        &ring.basis
    }

    fn alloc(&self, ring: &Self::Ring, shape: &Shape) -> Result<Self::Buf> {
        Ok(GpuBuf {
            block: self.0.memory.alloc(shape.words(ring.basis.n()))?,
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
        self.0.recorder.upload(&buf.block, words);
        Ok(buf)
    }

    fn download(
        &self,
        _: &Self::Ring,
        buf: &Self::Buf,
        _: Domain,
        words: &mut [u32],
    ) -> Result<()> {
        self.0.recorder.download(&buf.block, words)
    }

    fn sync(&self) -> Result<()> {
        self.0.recorder.sync()
    }

    fn prepare_key(
        &self,
        ring: &Self::Ring,
        layout: &KeyLayout,
        words: &[u32],
    ) -> Result<Self::Key> {
        let n = ring.basis.n();
        let limbs = layout.limbs.len();
        let limb_words = layout.digits * 2 * n;
        let largest = usize::try_from(self.0.memory.largest() / 4).unwrap_or(usize::MAX);
        let per_block = (largest / limb_words).clamp(1, limbs);
        let mut blocks = Vec::new();
        for first in (0..limbs).step_by(per_block) {
            let count = per_block.min(limbs - first);
            let block = self.0.memory.alloc(count * limb_words)?;
            let mut own = Vec::with_capacity(count * limb_words);
            for position in first..first + count {
                let q = ring.basis.modulus(layout.limbs.at(position));
                let r = q.constant(montgomery(q, 1));
                for half in 0..layout.digits * 2 {
                    let row = &words[(half * limbs + position) * n..][..n];
                    own.extend(row.iter().map(|&w| q.mul(w, r.value)));
                }
            }
            self.0.recorder.upload(&block, &own);
            blocks.push(KeyBlock {
                first,
                limbs: count,
                block,
            });
        }
        Ok(GpuKey {
            layout: layout.clone(),
            blocks,
        })
    }

    fn key_layout<'a>(&self, key: &'a Self::Key) -> &'a KeyLayout {
        &key.layout
    }

    fn copy_rows(&self, ring: &Self::Ring, dst: &mut GpuBuf, src: &GpuBuf, rows: &[RowCopy]) {
        self.copy(ring, dst, src, rows);
    }

    fn zero(&self, ring: &Self::Ring, dst: &mut GpuBuf) {
        self.elementwise(ring, Elementwise::Zero, dst, &[], None);
    }

    fn ntt(&self, ring: &Self::Ring, x: &mut GpuBuf) {
        self.transform_buffer(ring, x, true);
    }

    fn intt(&self, ring: &Self::Ring, x: &mut GpuBuf) {
        self.transform_buffer(ring, x, false);
    }

    fn add(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.elementwise(ring, Elementwise::Add, dst, &[a, b], None);
    }

    fn sub(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.elementwise(ring, Elementwise::Sub, dst, &[a, b], None);
    }

    fn mul(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.elementwise(ring, Elementwise::Mul, dst, &[a, b], None);
    }

    fn mul_acc(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) {
        self.elementwise(ring, Elementwise::MulAcc, dst, &[a, b], None);
    }

    fn scale(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, constants: &LimbConstants) {
        let constants = constants.as_slice();
        self.elementwise(ring, Elementwise::Scale, dst, &[a], Some(constants));
    }

    fn automorphism(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, g: GaloisElement) {
        self.gather(ring, dst, a, g);
    }

    fn base_convert(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        table: &ConversionTable,
    ) {
        let conversions = match ring.conversion(table, &self.0.memory, &self.0.recorder) {
            Ok(conversions) => conversions,
            // The table is the only memory this operation takes; without it the result is lost, as after a device error.
            Err(error) => {
                self.0.gpu.faults.record(error.to_string());
                return;
            }
        };
        let (to, from) = (dst.shape.limbs.len(), src.shape.limbs.len());
        self.convert(
            ring,
            &conversions,
            (&dst.block, to),
            |target| target,
            (&src.block, from),
            dst.shape.polys,
        );
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
        let batch = dst.shape.polys / 2;
        self.product(
            ring,
            &Product {
                dst: View::new(dst, 2),
                limbs: &dst.shape.limbs,
                batch,
                digits: Some(Digits {
                    rows: View::of_block(&digits.block, digits.shape.limbs.len(), batch),
                    own: None,
                    key,
                    key_digits,
                }),
                galois,
                addend: None,
                weight: None,
                accumulate: false,
            },
        );
    }

    fn add_assign(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.elementwise(ring, Elementwise::AddAssign, dst, &[a], None);
        Ok(())
    }

    fn sub_assign(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.elementwise(ring, Elementwise::SubAssign, dst, &[a], None);
        Ok(())
    }

    fn mul_assign(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.elementwise(ring, Elementwise::MulAssign, dst, &[a], None);
        Ok(())
    }

    fn scale_assign(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        constants: &LimbConstants,
    ) -> Result<()> {
        let constants = constants.as_slice();
        self.elementwise(ring, Elementwise::ScaleAssign, dst, &[], Some(constants));
        Ok(())
    }

    fn neg(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf) -> Result<()> {
        self.elementwise(ring, Elementwise::Neg, dst, &[a], None);
        Ok(())
    }

    fn rescale(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        plan: &RescalePlan,
    ) -> Result<()> {
        let polys = (1, src.shape.polys);
        self.rescale_rows(ring, &[View::new(dst, 1)], View::new(src, 1), polys, plan)
    }

    fn mod_up(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        plan: &ModUpPlan,
    ) -> Result<()> {
        let batch = src.shape.polys;
        self.extend_digits(ring, &dst.block, View::new(src, 1), batch, plan)?;
        self.copy_own_limbs(ring, dst, src, plan);
        Ok(())
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
        match addend {
            None => self.rescale(ring, dst, src, plan.rescale()),
            Some(addend) => self.add_and_down(ring, dst, src, addend, galois, plan),
        }
    }

    fn tensor(&self, ring: &Self::Ring, dst: &mut GpuBuf, a: &GpuBuf, b: &GpuBuf) -> Result<()> {
        self.tensors(ring, dst, &[a], &[b]);
        Ok(())
    }

    fn sum_of_products(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        a: &[&GpuBuf],
        b: &[&GpuBuf],
    ) -> Result<()> {
        self.tensors(ring, dst, a, b);
        Ok(())
    }

    fn weighted_sum(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        terms: &[&GpuBuf],
        weights: &[&GpuBuf],
    ) -> Result<()> {
        self.weighted(ring, dst, terms, weights);
        Ok(())
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
        let batch = src.shape.polys;
        let addend = addend.map(|a| {
            let components = a.shape.polys / batch;
            (View::new(a, components), components)
        });
        let (dst, src) = (View::new(dst, 2), View::new(src, 1));
        self.switch(ring, dst, src, addend, key, galois, (plan, batch))
    }

    fn relinearize(
        &self,
        ring: &Self::Ring,
        dst: &mut GpuBuf,
        src: &GpuBuf,
        key: &GpuKey,
        plan: &KeySwitchPlan,
    ) -> Result<()> {
        let batch = src.shape.polys / 3;
        let linear = View::new(src, 3);
        self.switch(
            ring,
            View::new(dst, 2),
            linear.component(2),
            Some((linear, 2)),
            key,
            GaloisElement::IDENTITY,
            (plan, batch),
        )
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
        let batch = src.shape.polys / 2;
        let c0 = View::new(src, 2);
        self.switch(
            ring,
            View::new(dst, 2),
            c0.component(1),
            Some((c0, 1)),
            key,
            galois,
            (plan, batch),
        )
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
        self.hoisted(ring, dsts, src, keys, galois, plan)
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
        self.summed(ring, dst, src, keys, galois, weights, plan)
    }
}
