//! Plans: everything about a composite operation that depends on limbs only.
//!
//! Plans are made and cached by [`RingBasis`] and passed to engines by reference. Each has an
//! `id` that is unique in the process, so that an engine can cache its own form of it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use num_bigint::BigUint;
use num_traits::ToPrimitive;

use crate::{
    ConversionMode, ConversionTable, HalErrorKind, LimbConstants, Limbs, Result, RingBasis,
    convert::source_scale,
};

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Rational rescale from one list of limbs to another: multiply by R, the product of the restored
/// primes, and divide by S, the product of the dropped ones, rounding.
///
/// ```text
///   x_i = intt(in_i) * (S/s_i)^-1 * R  mod s_i        for dropped i
///   y_d = convert(x)                   mod d          for every d in `to`, quotient mode
///   out_d = (in_d * R - ntt(y)_d) * S^-1              kept d
///   out_d =           - ntt(y)_d  * S^-1              restored d
/// ```
/// The result differs from in * R / S by less than |S| units in every coefficient. Mod-down of key switching
/// is the same with S the special primes.
#[derive(Debug)]
pub struct RescalePlan {
    id: u64,
    from: Limbs,
    to: Limbs,
    dropped: Limbs,
    restored: Limbs,
    dropped_in_from: Box<[usize]>,
    to_in_from: Box<[Option<usize>]>,
    source_scale: LimbConstants,
    table: Arc<ConversionTable>,
    restored_product: LimbConstants,
    dropped_inverse: LimbConstants,
}

impl RescalePlan {
    pub(crate) fn new(ring: &RingBasis, from: &Limbs, to: &Limbs) -> Result<Self> {
        ring.check_limbs(from)?;
        ring.check_limbs(to)?;
        let dropped = from.without(to);
        let restored = to.without(from);
        let refuse = |why| {
            let (from, to) = (from.clone(), to.clone());
            Err(HalErrorKind::Plan { why, from, to }.into())
        };
        if to.is_empty() {
            return refuse("no limb would remain");
        }
        if dropped.is_empty() {
            return refuse("no limb is dropped; a rescale goes to a lower level");
        }
        let restored_product = ring.product(&restored);
        let dropped_product = ring.product(&dropped);
        let table = ring.conversion_table(&dropped, to, ConversionMode::Quotient)?;
        Ok(Self {
            id: next_id(),
            dropped_in_from: dropped.positions_in(from).unwrap_or_default().into(),
            to_in_from: to.iter().map(|i| from.position(i)).collect(),
            source_scale: source_scale(ring, &dropped, &restored_product),
            table,
            restored_product: ring.reduce(&restored_product, to),
            dropped_inverse: ring.constants(to, |q| {
                q.inv((&dropped_product % q.value()).to_u32().unwrap_or(1))
            }),
            from: from.clone(),
            to: to.clone(),
            dropped,
            restored,
        })
    }

    /// Unique in the process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Limbs of the input.
    pub fn from(&self) -> &Limbs {
        &self.from
    }

    /// Limbs of the output.
    pub fn to(&self) -> &Limbs {
        &self.to
    }

    /// Limbs of the input that the output lacks.
    pub fn dropped(&self) -> &Limbs {
        &self.dropped
    }

    /// Limbs of the output that the input lacks.
    pub fn restored(&self) -> &Limbs {
        &self.restored
    }

    /// Positions of the dropped limbs in the input.
    pub fn dropped_in_from(&self) -> &[usize] {
        &self.dropped_in_from
    }

    /// For every limb of the output its position in the input; `None` where it is restored.
    pub fn to_in_from(&self) -> &[Option<usize>] {
        &self.to_in_from
    }

    /// (S/s_i)^-1 * R modulo the dropped primes (N^-1 is not folded in).
    pub fn source_scale(&self) -> &LimbConstants {
        &self.source_scale
    }

    /// The conversion from the dropped limbs to all limbs of the output.
    pub fn table(&self) -> &Arc<ConversionTable> {
        &self.table
    }

    /// R modulo the output's primes.
    pub fn restored_product(&self) -> &LimbConstants {
        &self.restored_product
    }

    /// S^-1 modulo the output's primes.
    pub fn dropped_inverse(&self) -> &LimbConstants {
        &self.dropped_inverse
    }
}

/// How a basis is cut into key-switching digits: groups of absolute limb indices, and the special limbs.
///
/// Hybrid key switching (ePrint 2019/688, section 3, in its RNS form ePrint 2020/1118) with digits that are
/// fixed by absolute index, so that one key serves every window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeySwitchSpec {
    /// Digit groups: disjoint lists of limbs.
    pub groups: Vec<Limbs>,
    /// The special limbs, whose product P scales the key.
    pub special: Limbs,
}

/// One digit of a [`ModUpPlan`].
#[derive(Debug)]
pub struct DigitPlan {
    key_digit: usize,
    source: Limbs,
    source_in_window: Box<[usize]>,
    source_in_ext: Box<[usize]>,
    target_in_ext: Box<[usize]>,
    source_scale: LimbConstants,
    table: Arc<ConversionTable>,
}

impl DigitPlan {
    /// Index of the group in the specification, and of the digit in the key.
    pub fn key_digit(&self) -> usize {
        self.key_digit
    }

    /// The limbs of the group that the window has.
    pub fn source(&self) -> &Limbs {
        &self.source
    }

    /// Their positions in the window.
    pub fn source_in_window(&self) -> &[usize] {
        &self.source_in_window
    }

    /// Their positions in the extended list.
    pub fn source_in_ext(&self) -> &[usize] {
        &self.source_in_ext
    }

    /// Positions in the extended list of the conversion's targets.
    pub fn target_in_ext(&self) -> &[usize] {
        &self.target_in_ext
    }

    /// (D/d_i)^-1 modulo the digit's primes.
    pub fn source_scale(&self) -> &LimbConstants {
        &self.source_scale
    }

    /// The centred conversion from the digit's limbs to the rest of the extended list.
    pub fn table(&self) -> &Arc<ConversionTable> {
        &self.table
    }
}

/// Extension of all digits of a polynomial from a window to the window and the special limbs.
#[derive(Debug)]
pub struct ModUpPlan {
    id: u64,
    window: Limbs,
    ext: Limbs,
    digits: Vec<DigitPlan>,
    key_digits: Vec<usize>,
}

impl ModUpPlan {
    pub(crate) fn new(ring: &RingBasis, spec: &KeySwitchSpec, window: &Limbs) -> Result<Self> {
        ring.check_limbs(window)?;
        ring.check_limbs(&spec.special)?;
        let refuse = |why| {
            let (from, to) = (window.clone(), spec.special.clone());
            Err(HalErrorKind::Plan { why, from, to }.into())
        };
        if window.is_empty() || spec.special.is_empty() {
            return refuse("the window and the special limbs must not be empty");
        }
        if !window.intersection(&spec.special).is_empty() {
            return refuse("the window meets the special limbs");
        }
        let covered: usize = spec
            .groups
            .iter()
            .map(|g| g.intersection(window).len())
            .sum();
        let all = spec
            .groups
            .iter()
            .fold(Limbs::new([]), |acc, g| acc.union(g));
        if !all.contains_all(window) || covered != window.len() {
            return refuse("the digit groups do not hold every limb of the window exactly once");
        }
        let ext = window.union(&spec.special);
        let mut digits = Vec::new();
        for (key_digit, group) in spec.groups.iter().enumerate() {
            let source = group.intersection(window);
            if source.is_empty() {
                continue;
            }
            let target = ext.without(&source);
            digits.push(DigitPlan {
                key_digit,
                source_in_window: source.positions_in(window).unwrap_or_default().into(),
                source_in_ext: source.positions_in(&ext).unwrap_or_default().into(),
                target_in_ext: target.positions_in(&ext).unwrap_or_default().into(),
                source_scale: source_scale(ring, &source, &BigUint::from(1u32)),
                table: ring.conversion_table(&source, &target, ConversionMode::Centred)?,
                source,
            });
        }
        let key_digits = digits.iter().map(|d| d.key_digit).collect();
        Ok(Self {
            id: next_id(),
            window: window.clone(),
            ext,
            digits,
            key_digits,
        })
    }

    /// Unique in the process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Limbs of the input.
    pub fn window(&self) -> &Limbs {
        &self.window
    }

    /// Limbs of every digit of the output: the window and the special limbs.
    pub fn ext(&self) -> &Limbs {
        &self.ext
    }

    /// The digits in use at this window.
    pub fn digits(&self) -> &[DigitPlan] {
        &self.digits
    }

    /// [`DigitPlan::key_digit`] of every digit.
    pub fn key_digits(&self) -> &[usize] {
        &self.key_digits
    }
}

/// Division by P, merged with a rescale where the target is another level's window.
#[derive(Debug)]
pub struct ModDownPlan {
    id: u64,
    window: Limbs,
    window_in_ext: Box<[usize]>,
    special_product: LimbConstants,
    rescale: Arc<RescalePlan>,
}

impl ModDownPlan {
    pub(crate) fn new(
        ring: &RingBasis,
        spec: &KeySwitchSpec,
        window: &Limbs,
        to: &Limbs,
    ) -> Result<Self> {
        let ext = window.union(&spec.special);
        if !to.intersection(&spec.special).is_empty() {
            return Err(HalErrorKind::Plan {
                why: "the target has special limbs",
                from: ext,
                to: to.clone(),
            }
            .into());
        }
        Ok(Self {
            id: next_id(),
            window: window.clone(),
            window_in_ext: window.positions_in(&ext).unwrap_or_default().into(),
            special_product: ring.reduce(&ring.product(&spec.special), window),
            rescale: ring.rescale_plan(&ext, to)?,
        })
    }

    /// Unique in the process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Limbs of the addend.
    pub fn window(&self) -> &Limbs {
        &self.window
    }

    /// Positions of the window's limbs in the extended list.
    pub fn window_in_ext(&self) -> &[usize] {
        &self.window_in_ext
    }

    /// P modulo the window's primes.
    pub fn special_product(&self) -> &LimbConstants {
        &self.special_product
    }

    /// The rescale from the extended list to the target.
    pub fn rescale(&self) -> &Arc<RescalePlan> {
        &self.rescale
    }

    /// The extended list: limbs of the input.
    pub fn ext(&self) -> &Limbs {
        self.rescale.from()
    }

    /// Limbs of the output.
    pub fn to(&self) -> &Limbs {
        self.rescale.to()
    }
}

/// A whole key switch at a window.
#[derive(Debug)]
pub struct KeySwitchPlan {
    id: u64,
    mod_up: Arc<ModUpPlan>,
    mod_down: ModDownPlan,
}

impl KeySwitchPlan {
    pub(crate) fn new(mod_up: Arc<ModUpPlan>, mod_down: ModDownPlan) -> Self {
        Self {
            id: next_id(),
            mod_up,
            mod_down,
        }
    }

    /// Unique in the process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Extension of the digits.
    pub fn mod_up(&self) -> &Arc<ModUpPlan> {
        &self.mod_up
    }

    /// Division by P and, where the target is a lower level, rescale.
    pub fn mod_down(&self) -> &ModDownPlan {
        &self.mod_down
    }

    /// Limbs of the input.
    pub fn window(&self) -> &Limbs {
        self.mod_up.window()
    }

    /// The window and the special limbs.
    pub fn ext(&self) -> &Limbs {
        self.mod_up.ext()
    }

    /// Limbs of the output.
    pub fn to(&self) -> &Limbs {
        self.mod_down.to()
    }
}
