//! What can go wrong at the seam.

use std::fmt;

use crate::{Domain, Limbs};

/// The result of operations at the seam.
pub type Result<T, E = HalError> = std::result::Result<T, E>;

crate::named_error! {
    /// Errors of rings, engines and the typed layer. Each message names the operation, what it was given and what it needs.
    #[derive(Clone, PartialEq)]
    pub struct HalError(HalErrorKind);
    alone(HalErrorKind::BadGaloisElement { .. }
        | HalErrorKind::OutOfMemory { .. }
        | HalErrorKind::Device { .. }
        | HalErrorKind::OtherProcess { .. }
        | HalErrorKind::Mismatch(_));
}

/// The kinds of [`HalError`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HalErrorKind {
    /// The ring's degree is outside what any engine supports.
    #[error("log2(N) = {log_n} is outside 3..=17; choose a degree in that range")]
    LogN {
        /// The refused value.
        log_n: u32,
    },
    /// A modulus cannot serve the ring.
    #[error(
        "modulus {modulus} at index {index} {why}; moduli are distinct primes q = 1 mod 2N below 2^30"
    )]
    BadModulus {
        /// Position in the list of moduli.
        index: usize,
        /// The refused value.
        modulus: u32,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A ring needs at least one and at most 65,535 moduli.
    #[error("{count} moduli; a ring has 1 to 65,535")]
    ModulusCount {
        /// The refused count.
        count: usize,
    },
    /// A limb index outside the ring's basis, or a list that is not strictly ascending.
    #[error(
        "limb list {limbs} does not fit a basis of {basis} moduli; indices are ascending, distinct and below that"
    )]
    BadLimbs {
        /// The refused list.
        limbs: Limbs,
        /// Length of the ring's basis.
        basis: usize,
    },
    /// Two operands have different limbs.
    #[error("limbs {left} and {right} differ; bring both operands to one level first")]
    LimbMismatch {
        /// Limbs of the first operand, or the ones needed.
        left: Limbs,
        /// Limbs of the second operand.
        right: Limbs,
    },
    /// A number of polynomials that the operation cannot take.
    #[error(
        "{got} polynomials where {expected} are needed (an operand may also have a divisor of that count and is then repeated)"
    )]
    PolyCount {
        /// What is needed.
        expected: usize,
        /// What was given.
        got: usize,
    },
    /// Lists that belong together have different lengths, or a list is empty.
    #[error("lists of {left} and {right} entries; they must have the same length, at least one")]
    ListLength {
        /// Length of the first list.
        left: usize,
        /// Length of the second list.
        right: usize,
    },
    /// Operands of two different rings, or of two engine instances.
    #[error(
        "the operands belong to two different rings (N = {left}, N = {right}); make both with one Ring"
    )]
    RingMismatch {
        /// Degree of the first ring.
        left: usize,
        /// Degree of the second ring.
        right: usize,
    },
    /// A slice of residues with the wrong number of words.
    #[error("{got} words given, {expected} needed (polynomials x limbs x N)")]
    WordCount {
        /// Words needed.
        expected: usize,
        /// Words given.
        got: usize,
    },
    /// A residue that is not below its modulus.
    #[error(
        "residue {value} at polynomial {poly}, limb {limb}, index {index} is not below its modulus {modulus}; reduce it first"
    )]
    NotCanonical {
        /// The refused value.
        value: u32,
        /// Its modulus.
        modulus: u32,
        /// Polynomial of the buffer.
        poly: usize,
        /// Absolute limb index.
        limb: usize,
        /// Position in the row.
        index: usize,
    },
    /// Constants of another ring.
    #[error(
        "the constant {value} at limb {limb} was made for another modulus than this ring's {modulus}; make it with this ring's basis"
    )]
    ForeignConstant {
        /// The constant.
        value: u32,
        /// The ring's modulus.
        modulus: u32,
        /// Absolute limb index.
        limb: usize,
    },
    /// A Galois element must be odd and below 2N.
    #[error("Galois element {element} is not an odd number below 2N = {two_n}")]
    BadGaloisElement {
        /// The refused value.
        element: u64,
        /// 2N.
        two_n: u64,
    },
    /// A conversion between these limbs cannot be planned.
    #[error("{why} (from {from} to {to})")]
    Plan {
        /// The reason and the way out.
        why: &'static str,
        /// Source limbs.
        from: Limbs,
        /// Target limbs.
        to: Limbs,
    },
    /// A key lacks limbs or digits that the operation needs.
    #[error(
        "the key covers limbs {have} in {digits} digits, the operation needs limbs {need}; use a key made for this level"
    )]
    KeyTooSmall {
        /// Limbs of the key.
        have: Limbs,
        /// Digits of the key.
        digits: usize,
        /// Limbs needed.
        need: Limbs,
    },
    /// A rotation other than the identity was asked for without a key.
    #[error("no key given for Galois element {element}; only the identity needs none")]
    KeyMissing {
        /// The element that has no key.
        element: u32,
    },
    /// An engine in a process that was forked from the one that made it: its threads are not there.
    #[error(
        "the engine was made in process {made} and is used in process {used}; make a new engine after fork"
    )]
    OtherProcess {
        /// Where it was made.
        made: u32,
        /// Where it is used.
        used: u32,
    },
    /// The engine cannot hold the data.
    #[error(
        "{engine}: {bytes} bytes asked for, {available} available; use a smaller batch or a larger device"
    )]
    OutOfMemory {
        /// Engine name.
        engine: String,
        /// Bytes asked for.
        bytes: u64,
        /// Bytes available, as far as the engine knows.
        available: u64,
    },
    /// The engine failed; results computed since the last successful wait are lost.
    #[error("{engine}: device error: {message}")]
    Device {
        /// Engine name.
        engine: String,
        /// The driver's words.
        message: String,
    },
    /// A checked engine differed from its oracle.
    #[error("{0}")]
    Mismatch(Box<Mismatch>),
}

/// Refuses what is not `right`.
pub(crate) fn ensure(right: bool, kind: impl FnOnce() -> HalErrorKind) -> Result<()> {
    if right { Ok(()) } else { Err(kind().into()) }
}

/// The first fault that a checked engine showed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Mismatch {
    /// What is wrong with the word.
    pub kind: MismatchKind,
    /// The operation after which it was found; also `upload`, `upload_secret` or `download`.
    pub op: &'static str,
    /// How many operations ran before it.
    pub op_index: u64,
    /// Which output of the operation, counted from zero; which input for [`MismatchKind::InputChanged`].
    pub output: usize,
    /// Polynomial of the buffer.
    pub poly: usize,
    /// Absolute limb index.
    pub limb: usize,
    /// Position in the row, in boundary order.
    pub index: usize,
    /// Value of the engine under test.
    pub got: u32,
    /// Value of the oracle; the value before the operation for [`MismatchKind::InputChanged`].
    pub expected: u32,
    /// Domain in which the buffer was read.
    pub domain: Domain,
}

/// The kinds of [`Mismatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MismatchKind {
    /// A word of an output is not the oracle's.
    Output,
    /// A word of an output is not below its modulus, whatever the oracle says.
    NotCanonical,
    /// A word of an input is not what it was before the operation.
    InputChanged,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, verdict) = match self.kind {
            MismatchKind::Output => ("output", "the oracle says"),
            MismatchKind::NotCanonical => {
                ("output", "not below its modulus, where the oracle says")
            }
            MismatchKind::InputChanged => ("input", "before the operation it was"),
        };
        write!(
            f,
            "{}: operation number {}, {role} {}: polynomial {}, limb {}, index {} ({:?} domain) is {}, {verdict} {}",
            self.op,
            self.op_index,
            self.output,
            self.poly,
            self.limb,
            self.index,
            self.domain,
            self.got,
            self.expected
        )
    }
}
