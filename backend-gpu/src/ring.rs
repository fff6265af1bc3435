//! The engine's state for one ring: twiddles on the device, moduli, conversion tables.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};

use arras_hal::{
    ConversionMode, ConversionTable, KeyLayout, Limbs, ModUpPlan, Modulus, Result, RingBasis,
};
use arras_shaders::{
    Prelude, TARGETS_PER_GROUP, Twiddles,
    layout::{Entry, MODE_CENTRED, MODE_QUOTIENT, NONE, Source},
};

use crate::{
    device::lock,
    lists::{List, Lists},
    memory::Block,
    recorder::Recorder,
};

/// The engine's tables for one ring.
pub struct GpuRing {
    pub(crate) basis: Arc<RingBasis>,
    pub(crate) prelude: Prelude,
    /// Pairs (w, Shoup companion), one row per prime, laid out by [`Twiddles`].
    pub(crate) forward: Block,
    pub(crate) inverse: Block,
    moduli: Vec<Entry>,
    pub(crate) lists: Lists,
    layouts: Mutex<HashMap<(KeyLayout, usize), usize>>,
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
    pub(crate) list: Arc<List>,
}

impl GpuRing {
    pub(crate) fn new(basis: &Arc<RingBasis>, int64: bool, recorder: &Recorder) -> Result<Self> {
        let prelude = if int64 {
            Prelude::Int64
        } else {
            Prelude::portable_for(basis.moduli().iter().map(|q| q.value()))
        };
        let layout = Twiddles::new(basis.log_n());
        let table = |powers: &dyn Fn(usize) -> Vec<u32>| -> Result<Block> {
            let block = recorder.alloc(basis.len() * layout.row * 2)?;
            let mut words = vec![0; basis.len() * layout.row * 2];
            for (i, row) in words.chunks_exact_mut(2 * layout.row).enumerate() {
                let q = basis.modulus(i);
                for (w, &place) in powers(i).into_iter().zip(&layout.places).skip(1) {
                    row[2 * place..][..2].copy_from_slice(&[w, q.shoup(w)]);
                }
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
            lists: Lists::default(),
            layouts: Mutex::default(),
            conversions: Mutex::default(),
            prelude,
            basis: basis.clone(),
        })
    }

    /// An entry with the modulus of a limb and no rows.
    pub(crate) fn entry(&self, limb: usize) -> Entry {
        self.moduli[limb]
    }

    /// A number for a key's layout with so many limbs a block, the same for the same ones.
    pub(crate) fn layout_number(&self, layout: &KeyLayout, per_block: usize) -> usize {
        let mut layouts = lock(&self.layouts);
        let next = layouts.len();
        *layouts.entry((layout.clone(), per_block)).or_insert(next)
    }

    /// One conversion; its sources are the rows of the input in order.
    pub(crate) fn conversion(
        &self,
        table: &ConversionTable,
        recorder: &Recorder,
    ) -> Result<Arc<Conversions>> {
        let key = ConversionKey::One(table.from().clone(), table.to().clone(), table.mode());
        let rows: Vec<usize> = (0..table.from().len()).collect();
        self.cached(key, &[(table, &rows)], recorder)
    }

    /// The conversions of all digits; their sources are rows of the window.
    pub(crate) fn digit_conversions(
        &self,
        plan: &ModUpPlan,
        recorder: &Recorder,
    ) -> Result<Arc<Conversions>> {
        let parts: Vec<(&ConversionTable, &[usize])> = plan
            .digits()
            .iter()
            .map(|d| (&**d.table(), d.source_in_window()))
            .collect();
        self.cached(ConversionKey::Digits(plan.id()), &parts, recorder)
    }

    fn cached(
        &self,
        key: ConversionKey,
        parts: &[(&ConversionTable, &[usize])],
        recorder: &Recorder,
    ) -> Result<Arc<Conversions>> {
        let mut cache = lock(&self.conversions);
        if let Some(found) = cache.get(&key) {
            return Ok(found.clone());
        }
        let (words, entries) = self.conversion_words(parts);
        let table = recorder.alloc(words.len())?;
        recorder.upload(&table, &words);
        let list = List::kept(entries, Vec::new());
        let made = Arc::new(Conversions { table, list });
        cache.insert(key, made.clone());
        Ok(made)
    }

    fn conversion_words(&self, parts: &[(&ConversionTable, &[usize])]) -> (Vec<u32>, Vec<Entry>) {
        let mut words: Vec<u32> = Vec::new();
        let mut entries = Vec::new();
        let mut targets = 0;
        for &(table, rows) in parts {
            let list = (words.len() / 4) as u32;
            let (mode, quotient) = match table.mode() {
                ConversionMode::Centred => (MODE_CENTRED, false),
                ConversionMode::Quotient => (MODE_QUOTIENT, true),
            };
            let columns = table.to().len().next_multiple_of(TARGETS_PER_GROUP);
            words.extend([rows.len() as u32, mode, columns as u32 / 4, 0]);
            for (i, (limb, &row)) in table.from().iter().zip(rows).enumerate() {
                let source = Source {
                    row: row as u32,
                    q: self.basis.modulus(limb).value(),
                    half: table.half()[i],
                    reciprocal: table.reciprocal()[i],
                };
                words.extend_from_slice(bytemuck::cast_slice(&[source]));
            }
            let matrix = words.len();
            words.resize(matrix + rows.len() * columns, 0);
            for (t, limb) in table.to().iter().enumerate() {
                let q = self.basis.modulus(limb);
                let offset = table.offset()[t];
                entries.push(Entry {
                    dst: targets,
                    table: (t / 4) as u32,
                    list,
                    k0: if quotient {
                        montgomery(q, offset)
                    } else {
                        offset
                    },
                    ..self.entry(limb)
                });
                targets += 1;
                for (s, &w) in table.row(t).iter().enumerate() {
                    words[matrix + s * columns + t] = montgomery(q, w);
                }
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
