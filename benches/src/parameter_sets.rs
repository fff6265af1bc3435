//! The parameter sets that everything is measured with.

use std::{fmt, str::FromStr};

use arras::ckks::{
    Parameters,
    params::{Dnum, LevelWidth, ParamsError, deepest},
};

/// The standard set of ring degree `2^log_n`: 128-bit security, 38.8 bits per level, digits chosen by cost. 7, 15 and 30 levels at `2^14`,
/// `2^15` and `2^16`; as many as are secure elsewhere.
pub(crate) fn standard(log_n: u32) -> Result<Parameters, ParamsError> {
    let levels = match log_n {
        14 => 7,
        15 => 15,
        16 => 30,
        _ => deepest(log_n, LevelWidth::Bits39, Dnum::Auto).unwrap_or(0),
    };
    Set { log_n, levels }.parameters()
}

/// A set as a command line names it, `LOG_N:LEVELS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) log_n: u32,
    pub(crate) levels: usize,
}

impl Set {
    /// 38.8 bits per level, digits chosen by cost.
    pub(crate) fn parameters(self) -> Result<Parameters, ParamsError> {
        Parameters::builder()
            .log_n(self.log_n)
            .levels(self.levels)
            .level_width(LevelWidth::Bits39)
            .dnum(Dnum::Auto)
            .build()
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2^{}, {} levels", self.log_n, self.levels)
    }
}

impl FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (log_n, levels) = text.split_once(':')?;
            Some(Self {
                log_n: log_n.parse().ok()?,
                levels: levels.parse().ok()?,
            })
        };
        let set = parse().filter(|set| set.levels > 0);
        set.ok_or_else(|| format!("a set is LOG_N:LEVELS, 15:15 for instance, not {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_two_numbers() {
        let set: Set = "16:34".parse().unwrap();
        assert_eq!((set.log_n, set.levels), (16, 34));
        assert_eq!(set.to_string(), "2^16, 34 levels");
        assert_eq!(set.parameters().unwrap().max_level(), 34);
        for wrong in ["16", "16:", ":3", "16:3:1", "a:b", "14:0"] {
            assert!(wrong.parse::<Set>().unwrap_err().contains(wrong));
        }
    }

    #[test]
    fn every_standard_set_is_secure_and_deep_enough_for_the_fourth_power() {
        for log_n in 13..=16 {
            let set = standard(log_n).unwrap();
            assert!(set.max_level() >= 2, "2^{log_n}: {set}");
        }
        assert_eq!(standard(14).unwrap().max_level(), 7);
        assert_eq!(standard(15).unwrap().max_level(), 15);
        assert_eq!(standard(16).unwrap().max_level(), 30);
    }
}
