//! The engine's state for one ring: twiddles on the device, moduli, conversion tables.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};

use arras_hal::{ConversionMode, ConversionTable, Limbs, ModUpPlan, Modulus, Result, RingBasis};
use arras_shaders::{
    Prelude, TARGETS_PER_GROUP,
    layout::{Entry, MODE_CENTRED, MODE_QUOTIENT, NONE, Source},
};

use crate::{
    device::lock,
    memory::{Block, Memory},
    recorder::Recorder,
};

/// The engine's tables for one ring.
pub struct GpuRing {
    pub(crate) basis: Arc<RingBasis>,
    pub(crate) prelude: Prelude,
    /// Pairs (w, Shoup companion), one row of N per prime.
    pub(crate) forward: Block,
    pub(crate) inverse: Block,
    moduli: Vec<Entry>,
    conversions: Mutex<HashMap<ConversionKey, Arc<Conversions>>>,
}

#[derive(PartialEq, Eq, Hash)]
enum ConversionKey {
    One(Limbs, Limbs, ConversionMode),
    /// All digits of the plan with this id.
    Digits(u64),
}

/// Base conversions that run in one dispatch.
pub(crate) struct Conversions {
    pub(crate) table: Block,
    /// Groups of [`TARGETS_PER_GROUP`]; `dst` of an entry counts the targets of all conversions, or is [`NONE`].
    pub(crate) entries: Vec<Entry>,
}

impl GpuRing {
    pub(crate) fn new(
        basis: &Arc<RingBasis>,
        int64: bool,
        memory: &Arc<Memory>,
        recorder: &Recorder,
    ) -> Result<Self> {
        let prelude = if int64 {
            Prelude::Int64
        } else {
            Prelude::portable_for(basis.moduli().iter().map(|q| q.value()))
        };
        let table = |powers: &dyn Fn(usize) -> Vec<u32>| -> Result<Block> {
            let block = memory.alloc(basis.len() * basis.n() * 2)?;
            let mut words = Vec::with_capacity(basis.len() * basis.n() * 2);
            for i in 0..basis.len() {
                let q = basis.modulus(i);
                words.extend(powers(i).into_iter().flat_map(|w| [w, q.shoup(w)]));
            }
            recorder.upload(&block, &words);
            Ok(block)
        };
        Ok(Self {
            forward: table(&|i| basis.forward_twiddles(i))?,
            inverse: table(&|i| basis.inverse_twiddles(i))?,
            moduli: basis
                .moduli()
                .iter()
                .map(|q| Entry::of_modulus(q.value()))
                .collect(),
            conversions: Mutex::default(),
            prelude,
            basis: basis.clone(),
        })
    }

    /// An entry with the modulus of a limb and no rows.
    pub(crate) fn entry(&self, limb: usize) -> Entry {
        self.moduli[limb]
    }

    /// One conversion; its sources are the rows of the input in order.
    pub(crate) fn conversion(
        &self,
        table: &ConversionTable,
        memory: &Arc<Memory>,
        recorder: &Recorder,
    ) -> Result<Arc<Conversions>> {
        let key = ConversionKey::One(table.from().clone(), table.to().clone(), table.mode());
        let rows: Vec<usize> = (0..table.from().len()).collect();
        self.cached(key, &[(table, &rows)], memory, recorder)
    }

    /// The conversions of all digits; their sources are rows of the window.
    pub(crate) fn digit_conversions(
        &self,
        plan: &ModUpPlan,
        memory: &Arc<Memory>,
        recorder: &Recorder,
    ) -> Result<Arc<Conversions>> {
        let parts: Vec<(&ConversionTable, &[usize])> = plan
            .digits()
            .iter()
            .map(|d| (&**d.table(), d.source_in_window()))
            .collect();
        self.cached(ConversionKey::Digits(plan.id()), &parts, memory, recorder)
    }

    fn cached(
        &self,
        key: ConversionKey,
        parts: &[(&ConversionTable, &[usize])],
        memory: &Arc<Memory>,
        recorder: &Recorder,
    ) -> Result<Arc<Conversions>> {
        let mut cache = lock(&self.conversions);
        if let Some(found) = cache.get(&key) {
            return Ok(found.clone());
        }
        let (words, entries) = self.conversion_words(parts);
        let table = memory.alloc(words.len())?;
        recorder.upload(&table, &words);
        let made = Arc::new(Conversions { table, entries });
        cache.insert(key, made.clone());
        Ok(made)
    }

    fn conversion_words(&self, parts: &[(&ConversionTable, &[usize])]) -> (Vec<u32>, Vec<Entry>) {
        let mut words: Vec<u32> = Vec::new();
        let mut entries = Vec::new();
        let mut targets = 0;
        for &(table, rows) in parts {
            let list = words.len() as u32;
            let (mode, quotient) = match table.mode() {
                ConversionMode::Centred => (MODE_CENTRED, false),
                ConversionMode::Quotient => (MODE_QUOTIENT, true),
            };
            words.extend([rows.len() as u32, mode, 0, 0]);
            for (i, (limb, &row)) in table.from().iter().zip(rows).enumerate() {
                let source = Source {
                    row: row as u32,
                    q: self.basis.modulus(limb).value(),
                    half: table.half()[i],
                    reciprocal: table.reciprocal()[i],
                };
                words.extend_from_slice(bytemuck::cast_slice(&[source]));
            }
            for (t, limb) in table.to().iter().enumerate() {
                let q = self.basis.modulus(limb);
                let offset = table.offset()[t];
                entries.push(Entry {
                    dst: targets,
                    table: words.len() as u32,
                    list,
                    k0: if quotient {
                        montgomery(q, offset)
                    } else {
                        offset
                    },
                    ..self.entry(limb)
                });
                targets += 1;
                words.extend(table.row(t).iter().map(|&w| montgomery(q, w)));
            }
            // A group has the sources of one conversion: the rest of the last group computes nothing of use.
            let padded = entries.len().next_multiple_of(TARGETS_PER_GROUP);
            let filler = entries.last().map(|&e| Entry { dst: NONE, ..e });
            entries.resize(padded, filler.unwrap_or_default());
        }
        (words, entries)
    }
}

impl fmt::Debug for GpuRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpuRing")
            .field("n", &self.basis.n())
            .field("primes", &self.basis.len())
            .field("prelude", &self.prelude)
            .finish_non_exhaustive()
    }
}

/// `w 2^32 mod q`.
pub(crate) fn montgomery(q: Modulus, w: u32) -> u32 {
    ((u64::from(w) << 32) % u64::from(q.value())) as u32
}
