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

/// A plan with the functions that read it.
macro_rules! plan {
    (
        $(#[$doc:meta])*
        struct $plan:ident;
        copied { $( $(#[$copied_doc:meta])* $copied:ident: $value:ty, )* }
        borrowed { $( $(#[$field_doc:meta])* $field:ident: $stored:ty => $read:ty, )* }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $plan {
            $( $copied: $value, )*
            $( $field: $stored, )*
        }

        impl $plan {
            $( $(#[$copied_doc])* pub fn $copied(&self) -> $value { self.$copied } )*
            $( $(#[$field_doc])* pub fn $field(&self) -> $read { &self.$field } )*
        }
    };
}

plan! {
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
    struct RescalePlan;
    copied {
        /// Unique in the process.
        id: u64,
    }
    borrowed {
        /// Limbs of the input.
        from: Limbs => &Limbs,
        /// Limbs of the output.
        to: Limbs => &Limbs,
        /// Limbs of the input that the output lacks.
        dropped: Limbs => &Limbs,
        /// Limbs of the output that the input lacks.
        restored: Limbs => &Limbs,
        /// Positions of the dropped limbs in the input.
        dropped_in_from: Box<[usize]> => &[usize],
        /// For every limb of the output its position in the input; `None` where it is restored.
        to_in_from: Box<[Option<usize>]> => &[Option<usize>],
        /// (S/s_i)^-1 * R modulo the dropped primes (N^-1 is not folded in).
        source_scale: LimbConstants => &LimbConstants,
        /// The conversion from the dropped limbs to all limbs of the output.
        table: Arc<ConversionTable> => &Arc<ConversionTable>,
        /// R modulo the output's primes.
        restored_product: LimbConstants => &LimbConstants,
        /// S^-1 modulo the output's primes.
        dropped_inverse: LimbConstants => &LimbConstants,
    }
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

plan! {
    /// One digit of a [`ModUpPlan`].
    struct DigitPlan;
    copied {
        /// Index of the group in the specification, and of the digit in the key.
        key_digit: usize,
    }
    borrowed {
        /// The limbs of the group that the window has.
        source: Limbs => &Limbs,
        /// Their positions in the window.
        source_in_window: Box<[usize]> => &[usize],
        /// Their positions in the extended list.
        source_in_ext: Box<[usize]> => &[usize],
        /// Positions in the extended list of the conversion's targets.
        target_in_ext: Box<[usize]> => &[usize],
        /// (D/d_i)^-1 modulo the digit's primes.
        source_scale: LimbConstants => &LimbConstants,
        /// The centred conversion from the digit's limbs to the rest of the extended list.
        table: Arc<ConversionTable> => &Arc<ConversionTable>,
    }
}

plan! {
    /// Extension of all digits of a polynomial from a window to the window and the special limbs.
    struct ModUpPlan;
    copied {
        /// Unique in the process.
        id: u64,
    }
    borrowed {
        /// Limbs of the input.
        window: Limbs => &Limbs,
        /// Limbs of every digit of the output: the window and the special limbs.
        ext: Limbs => &Limbs,
        /// The digits in use at this window.
        digits: Vec<DigitPlan> => &[DigitPlan],
        /// [`DigitPlan::key_digit`] of every digit.
        key_digits: Vec<usize> => &[usize],
    }
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
}

plan! {
    /// Division by P, merged with a rescale where the target is another level's window.
    struct ModDownPlan;
    copied {
        /// Unique in the process.
        id: u64,
    }
    borrowed {
        /// Limbs of the addend.
        window: Limbs => &Limbs,
        /// Positions of the window's limbs in the extended list.
        window_in_ext: Box<[usize]> => &[usize],
        /// P modulo the window's primes.
        special_product: LimbConstants => &LimbConstants,
        /// The rescale from the extended list to the target.
        rescale: Arc<RescalePlan> => &Arc<RescalePlan>,
    }
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

    /// The extended list: limbs of the input.
    pub fn ext(&self) -> &Limbs {
        self.rescale.from()
    }

    /// Limbs of the output.
    pub fn to(&self) -> &Limbs {
        self.rescale.to()
    }
}

plan! {
    /// A whole key switch at a window.
    struct KeySwitchPlan;
    copied {
        /// Unique in the process.
        id: u64,
    }
    borrowed {
        /// Extension of the digits.
        mod_up: Arc<ModUpPlan> => &Arc<ModUpPlan>,
        /// Division by P and, where the target is a lower level, rescale.
        mod_down: ModDownPlan => &ModDownPlan,
    }
}

impl KeySwitchPlan {
    pub(crate) fn new(mod_up: Arc<ModUpPlan>, mod_down: ModDownPlan) -> Self {
        Self {
            id: next_id(),
            mod_up,
            mod_down,
        }
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
