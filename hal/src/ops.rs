//! The op table: every operation of an engine, once.
//!
//! The [`Backend`](crate::Backend) trait, its decorators and its type-erased twin are generated from this table, so
//! that none of them can forget an operation. A callback macro receives lines of the form
//!
//! ```text
//!   fn name(operand: [Kind], ..) => Domain of the output;                      a primitive: engines implement it
//!   fn name(operand: [Kind], ..) => Domain of the output = default body;       a composite
//! ```
//!
//! Operand kinds: `Out` a buffer that is written (or updated), `Outs` a list of them, `In` / `OptIn` / `Ins` buffers
//! that are read, `Key` / `Keys` prepared keys, `Val T` plain data. The output's domain is `Eval`,
//! `Coeff`, or `Same` as the first buffer read (the output's own if none is).

macro_rules! backend_ops {
    ($callback:ident $($dollar:tt)?) => {
        $callback! {
            $($dollar)?
            primitives {
                /// Copies whole rows: `dst[dst_poly][dst_limb] = src[src_poly][src_limb]` for every entry, where
                /// limbs are positions in the buffers' lists. Rows of `dst` that no entry names keep their
                /// contents; no destination is named twice. Concatenation, splitting, changes of window.
                fn copy_rows(dst: [Out], src: [In], rows: [Val &[RowCopy]]) => Same;
                /// Fills every row with zeros; the rows are the zero polynomial in both domains.
                fn zero(dst: [Out]) => Same;
                /// Coefficients to evaluations, in place, every row.
                fn ntt(x: [Out]) => Eval;
                /// Evaluations to coefficients, in place, every row, the factor N^-1 included.
                fn intt(x: [Out]) => Coeff;
                /// `dst = a + b`.
                fn add(dst: [Out], a: [In], b: [In]) => Same;
                /// `dst = a - b`.
                fn sub(dst: [Out], a: [In], b: [In]) => Same;
                /// `dst = a * b`, point by point.
                fn mul(dst: [Out], a: [In], b: [In]) => Same;
                /// `dst += a * b`, point by point.
                fn mul_acc(dst: [Out], a: [In], b: [In]) => Same;
                /// `dst = a * c` with one constant per limb.
                fn scale(dst: [Out], a: [In], constants: [Val &LimbConstants]) => Same;
                /// X -> X^g of every polynomial, in the evaluation domain: an index permutation.
                fn automorphism(dst: [Out], a: [In], galois: [Val GaloisElement]) => Eval;
                /// Base conversion of coefficients: `src` has the table's source limbs, residues already multiplied
                /// by (S/s_i)^-1; `dst` has its target limbs.
                fn base_convert(dst: [Out], src: [In], table: [Val &ConversionTable]) => Coeff;
                /// Inner product of extended digits with a key, the automorphism X -> X^g applied to the digits first.
                /// `digits` is `[digit][B]` over some limbs of the key, `dst` is `[2][B]` over the same limbs:
                /// `dst[c][i] = sum over j of sigma_g(digits[j][i]) * key[key_digits[j]][c]`.
                fn key_inner_product(dst: [Out], digits: [In], key: [Key], key_digits: [Val &[usize]], galois: [Val GaloisElement]) => Eval;
            }
            composites {
                /// `dst += a`.
                fn add_assign(dst: [Out], a: [In]) => Same = add_assign;
                /// `dst -= a`.
                fn sub_assign(dst: [Out], a: [In]) => Same = sub_assign;
                /// `dst *= a`, point by point.
                fn mul_assign(dst: [Out], a: [In]) => Same = mul_assign;
                /// `dst *= c` with one constant per limb.
                fn scale_assign(dst: [Out], constants: [Val &LimbConstants]) => Same = scale_assign;
                /// `dst = -a`.
                fn neg(dst: [Out], a: [In]) => Same = neg;
                /// `dst = a`, with `b` added to its first `leading` polynomials; `b` has a divisor of that many.
                fn add_leading(dst: [Out], a: [In], b: [In], leading: [Val usize]) => Same = add_leading;
                /// `dst = a`, with one constant per limb added at every point of its first `leading` polynomials.
                fn add_constants(dst: [Out], a: [In], constants: [Val &LimbConstants], leading: [Val usize]) => Eval = add_constants;
                /// `dst = a * c` with one constant per limb, at the limbs of `dst`, which are among those of `a`.
                fn restrict_and_scale(dst: [Out], a: [In], constants: [Val &LimbConstants]) => Same = restrict_and_scale;
                /// Rational rescale ([`RescalePlan`]), any number of polynomials, evaluations in and out. Mod-down is
                /// this operation with the special limbs dropped.
                fn rescale(dst: [Out], src: [In], plan: [Val &RescalePlan]) => Eval = rescale;
                /// Extends every digit of `src` (`[B]` over the plan's window) to the window and the special limbs:
                /// `dst` is `[digit][B]` over [`ModUpPlan::ext`].
                fn mod_up(dst: [Out], src: [In], plan: [Val &ModUpPlan]) => Eval = mod_up;
                /// `dst = rescale(src + P * sigma_g(addend))`: `src` and `dst` are `[2][B]` over the extended and the
                /// target limbs; `addend` is `[1][B]` (added to component 0) or `[2][B]` over the window.
                fn mod_down_and_rescale(dst: [Out], src: [In], addend: [OptIn], galois: [Val GaloisElement], plan: [Val &ModDownPlan]) => Eval = mod_down_and_rescale;
                /// `(d0, d1, d2) = (a0 b0, a0 b1 + a1 b0, a1 b1)`: `a` and `b` are `[2][B]`, `dst` is `[3][B]`.
                fn tensor(dst: [Out], a: [In], b: [In]) => Eval = tensor;
                /// The sum of the tensors of the pairs `(a_k, b_k)`, all of one shape.
                fn sum_of_products(dst: [Out], a: [Ins], b: [Ins]) => Eval = sum_of_products;
                /// `dst = sum of weight_k * term_k`, point by point; weights may have fewer polynomials.
                fn weighted_sum(dst: [Out], terms: [Ins], weights: [Ins]) => Eval = weighted_sum;
                /// Switches `src` (`[B]` over the window), after X -> X^g, to the key's target and adds `addend`, after
                /// X -> X^g, as [`Backend::mod_down_and_rescale`] does. `dst` is `[2][B]` over the plan's target.
                fn key_switch(dst: [Out], src: [In], addend: [OptIn], key: [Key], galois: [Val GaloisElement], plan: [Val &KeySwitchPlan]) => Eval = key_switch;
                /// Key switch of d2 of a tensor (`[3][B]`), added to (d0, d1).
                fn relinearize(dst: [Out], src: [In], key: [Key], plan: [Val &KeySwitchPlan]) => Eval = relinearize;
                /// X -> X^g of a ciphertext (`[2][B]`) with a key switch back.
                fn rotate(dst: [Out], src: [In], key: [Key], galois: [Val GaloisElement], plan: [Val &KeySwitchPlan]) => Eval = rotate;
                /// Several automorphisms of one ciphertext with one mod_up. Entry k of `dsts`, `keys` and `galois` belong
                /// together; the identity needs no key.
                fn hoisted_rotations(dsts: [Outs], src: [In], keys: [Keys], galois: [Val &[GaloisElement]], plan: [Val &KeySwitchPlan]) => Eval = hoisted_rotations;
                /// `dst = sum of weight_k * sigma_k(src)`, summed over the extended limbs, with one mod_up and one
                /// mod_down. `weights` is empty (all one) or has an entry per term: polynomials over the extended limbs.
                fn rotation_sum(dst: [Out], src: [In], keys: [Keys], galois: [Val &[GaloisElement]], weights: [Ins], plan: [Val &KeySwitchPlan]) => Eval = rotation_sum;
            }
        }
    };
}

/// The Rust type of an operand kind: `Buf` and `Key` are those of `$on`, the engine or `Self`.
#[doc(hidden)]
#[macro_export]
macro_rules! op_type {
    ($on:ident: Out) => { &mut $on::Buf };
    ($on:ident: Outs) => { &mut [&mut $on::Buf] };
    ($on:ident: In) => { &$on::Buf };
    ($on:ident: OptIn) => { Option<&$on::Buf> };
    ($on:ident: Ins) => { &[&$on::Buf] };
    ($on:ident: Key) => { &$on::Key };
    ($on:ident: Keys) => { &[Option<&$on::Key>] };
    ($on:ident: Val $t:ty) => { $t };
}

/// The output domain of a line as an `Option<Domain>`; `None` for `Same`.
macro_rules! op_domain {
    (Eval) => {
        Some($crate::Domain::Eval)
    };
    (Coeff) => {
        Some($crate::Domain::Coeff)
    };
    (Same) => {
        None
    };
}

/// An operand's output buffers as a `Vec<&mut Buf>`, empty if it has none. All operands of a call:
/// `[$(op_outputs!($arg, $kind)),*].into_iter().flatten()`.
macro_rules! op_outputs {
    ($a:ident, Out) => {
        vec![&mut *$a]
    };
    ($a:ident, Outs) => {
        $a.iter_mut().map(|buf| &mut **buf).collect::<Vec<_>>()
    };
    ($a:ident, $($other:tt)+) => {
        Vec::new()
    };
}

/// An operand's input buffers as a `Vec<&Buf>`, empty if it has none.
macro_rules! op_inputs {
    ($a:ident, In) => {
        vec![$a]
    };
    ($a:ident, OptIn) => {
        $a.into_iter().collect::<Vec<_>>()
    };
    ($a:ident, Ins) => {
        $a.to_vec()
    };
    ($a:ident, $($other:tt)+) => {
        Vec::new()
    };
}

/// An operand for another engine: each buffer read goes through `$buf`, each written one through
/// `$buf_mut`, each key through `$key`; plain data stays.
macro_rules! op_map {
    ($a:ident, ($buf:expr, $buf_mut:expr, $key:expr), Out) => {
        $buf_mut($a)
    };
    ($a:ident, ($buf:expr, $buf_mut:expr, $key:expr), Outs) => {
        &mut $a.iter_mut().map(|buf| $buf_mut(buf)).collect::<Vec<_>>()
    };
    ($a:ident, ($buf:expr, $buf_mut:expr, $key:expr), In) => {
        $buf($a)
    };
    ($a:ident, ($buf:expr, $buf_mut:expr, $key:expr), OptIn) => {
        $a.map(|buf| $buf(buf))
    };
    ($a:ident, ($buf:expr, $buf_mut:expr, $key:expr), Ins) => {
        &$a.iter().map(|buf| $buf(buf)).collect::<Vec<_>>()
    };
    ($a:ident, ($buf:expr, $buf_mut:expr, $key:expr), Key) => {
        $key($a)
    };
    ($a:ident, ($buf:expr, $buf_mut:expr, $key:expr), Keys) => {
        &$a.iter()
            .map(|key| key.map(|key| $key(key)))
            .collect::<Vec<_>>()
    };
    ($a:ident, $maps:tt, Val $t:ty) => {
        $a
    };
}

macro_rules! define_operations {
    (
        $d:tt
        primitives { $( $(#[$pm:meta])* fn $p:ident( $($pa:ident : [$($pk:tt)+]),* ) => $pd:ident; )* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        /// Operations of an engine without their types, which [`Backend`](crate::Backend) has: for the inside of its impl.
        ///
        /// Bring it into scope by `use arras_hal::operations;`, with the types of plain data that the operations take:
        ///
        /// ```text
        ///   fn add(self, ring, dst, a, b) { self.binary(ring, dst, a, b, Modulus::add); }
        ///   fn neg(self, ring, dst, a) { self.unary(ring, dst, a, Modulus::neg) }          a composite: a Result
        /// ```
        #[macro_export]
        macro_rules! operations {
            () => {};
            $(
                (fn $p($d this:ident, $d ring:pat_param $(, $d $pa:pat_param)*) $d body:block $d($d rest:tt)*) => {
                    fn $p(&$d this, $d ring: &Self::Ring $(, $d $pa: $crate::op_type!(Self: $($pk)+))*) $d body
                    operations! { $d($d rest)* }
                };
            )*
            $(
                (fn $c($d this:ident, $d ring:pat_param $(, $d $ca:pat_param)*) $d body:block $d($d rest:tt)*) => {
                    fn $c(&$d this, $d ring: &Self::Ring $(, $d $ca: $crate::op_type!(Self: $($ck)+))*) -> $crate::Result<()> $d body
                    operations! { $d($d rest)* }
                };
            )*
        }
    };
}
backend_ops!(define_operations $);

macro_rules! define_default_bodies {
    (
        $d:tt
        primitives { $($primitives:tt)* }
        composites { $( $(#[$cm:meta])* fn $c:ident( $($ca:ident : [$($ck:tt)+]),* ) => $cd:ident = $body:ident; )* }
    ) => {
        /// Default bodies of composites, without the types that the table has.
        macro_rules! default_bodies {
            () => {};
            $(
                (fn $c($d e:ident, $d ring:ident $(, $d $ca:ident)*) $d body:block $d($d rest:tt)*) => {
                    #[doc = concat!("See [`Backend::", stringify!($c), "`].")]
                    pub fn $c<B: Backend>($d e: &B, $d ring: &B::Ring $(, $d $ca: op_type!(B: $($ck)+))*) -> Result<()> $d body
                    default_bodies! { $d($d rest)* }
                };
            )*
        }
    };
}
backend_ops!(define_default_bodies $);
