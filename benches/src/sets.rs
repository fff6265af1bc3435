//! The parameter sets that everything is measured with.

use arras::ckks::{
    Parameters,
    params::{Dnum, LevelWidth, ParametersBuilder, ParamsError, deepest},
};

/// Levels of the standard set of ring degree `2^log_n`: 7, 15 and 30 at `2^14`, `2^15` and `2^16`; as many as are secure elsewhere.
pub fn standard_levels(log_n: u32) -> usize {
    match log_n {
        14 => 7,
        15 => 15,
        16 => 30,
        _ => deepest(log_n, LevelWidth::Bits39, Dnum::Auto).unwrap_or(0),
    }
}

/// The standard set of ring degree `2^log_n`: 128-bit security, 38.8 bits per level, digits chosen by cost.
///
/// # Errors
/// [`ParamsError`] for a ring degree that has no set.
pub fn standard(log_n: u32) -> Result<Parameters, ParamsError> {
    ParametersBuilder::new(log_n)
        .levels(standard_levels(log_n))
        .level_width(LevelWidth::Bits39)
        .dnum(Dnum::Auto)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

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
