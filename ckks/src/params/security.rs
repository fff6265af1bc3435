//! The security bound on the size of the keys' modulus.
//!
//! Ring-LWE with a given degree N and error is the easier to break the larger the modulus. The bound applies to the product
//! of *every* prime of which any key or ciphertext under the secret carries a residue: all terminals, all mains and all
//! specials, whichever level the data is at.

use core::fmt;

use serde::{Deserialize, Serialize};

/// What a parameter set promises about the hardness of its ring-LWE problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Security {
    /// At least 128 bits against known classical attacks, for uniform ternary secrets and error of standard deviation 3.19
    /// or more: Security Guidelines for Implementing Homomorphic Encryption, ePrint 2024/463. See [`max_log2_qp`].
    #[default]
    Classical128,
    /// **No security at all.** The modulus is not compared with any bound, and the ring degree may be as small as 2^5.
    /// Anyone can decrypt. For tests only: no default and no planner ever chooses it, and
    /// `Parameters::try_from` refuses it.
    InsecureForTests,
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Security::Classical128 => "128-bit security (ePrint 2024/463)",
            Security::InsecureForTests => "INSECURE, FOR TESTS ONLY",
        })
    }
}

/// The largest `log2(QP)` that gives 128-bit classical security with ternary secrets at ring degree `2^log_n`, or `None`
/// where no bound is tabulated (outside 12..=17). ePrint 2024/463, stricter than the 2018 standard's figures.
pub const fn max_log2_qp(log_n: u32) -> Option<u32> {
    match log_n {
        12 => Some(106),
        13 => Some(214),
        14 => Some(430),
        15 => Some(868),
        16 => Some(1747),
        17 => Some(3523),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_secure_and_the_insecure_one_says_so() {
        assert_eq!(Security::default(), Security::Classical128);
        assert!(Security::InsecureForTests.to_string().contains("INSECURE"));
        assert!(!Security::Classical128.to_string().contains("INSECURE"));
    }

    #[test]
    fn the_table_never_exceeds_the_2018_standard() {
        for (log_n, standard) in [(12, 109), (13, 218), (14, 438), (15, 881)] {
            assert!(max_log2_qp(log_n).unwrap() < standard);
        }
        assert_eq!(max_log2_qp(11), None);
        assert_eq!(max_log2_qp(18), None);
    }
}
