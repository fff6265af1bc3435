//! The parameter sets of the suite.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use arras_hal::Reference;

use super::{Fixture, Program, Record};
use crate::{
    Parameters,
    params::{Dnum, LevelWidth, ParametersBuilder, RingRequest, Security},
};

/// A parameter set with what is made once for it.
pub struct Set {
    name: &'static str,
    params: Parameters,
    fixture: OnceLock<Fixture>,
    records: Mutex<BTreeMap<String, Arc<Record>>>,
}

impl Set {
    fn new(name: &'static str, builder: &ParametersBuilder<RingRequest>) -> Self {
        Self {
            name,
            params: builder
                .build()
                .expect("the parameters of the suite are valid"),
            fixture: OnceLock::new(),
            records: Mutex::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The parameters.
    pub fn params(&self) -> &Parameters {
        &self.params
    }

    /// Keys and ciphertexts, made on the reference engine.
    pub fn fixture(&self) -> &Fixture {
        self.fixture.get_or_init(|| Fixture::new(&self.params))
    }

    /// A program's record on the reference engine, computed once per process.
    pub(super) fn on_reference(&self, name: &str, program: Program<Reference>) -> Arc<Record> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = records.get(name) {
            return record.clone();
        }
        let record = program(self.fixture(), Reference::new())
            .unwrap_or_else(|error| panic!("{}::{name} on the reference: {error}", self.name));
        let record = Arc::new(record);
        records.insert(name.to_owned(), record.clone());
        record
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Set({}, {:?})", self.name, self.params)
    }
}

fn insecure(
    log_n: u32,
    levels: usize,
    width: LevelWidth,
    dnum: usize,
) -> ParametersBuilder<RingRequest> {
    Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .level_width(width)
        .dnum(Dnum::Fixed(dnum))
        .security(Security::InsecureForTests)
}

/// N = 2^7, 5 levels of 38.8 bits, 3 digits. **Insecure.**
pub fn bits39() -> &'static Set {
    static SET: LazyLock<Set> =
        LazyLock::new(|| Set::new("bits39", &insecure(7, 5, LevelWidth::Bits39, 3)));
    &SET
}

/// N = 2^8, 6 levels of 34 bits, 2 digits. **Insecure.**
pub fn bits34() -> &'static Set {
    static SET: LazyLock<Set> =
        LazyLock::new(|| Set::new("bits34", &insecure(8, 6, LevelWidth::Bits34, 2)));
    &SET
}

/// N = 2^9, 4 levels of 38.8 bits, as many digits as there are. **Insecure.**
pub fn one_limb_digits() -> &'static Set {
    static SET: LazyLock<Set> = LazyLock::new(|| {
        Set::new(
            "one_limb_digits",
            &insecure(9, 4, LevelWidth::Bits39, usize::MAX),
        )
    });
    &SET
}

/// N = 2^13, 2 levels of 38.8 bits, digits chosen by cost, 128-bit security.
pub fn secure() -> &'static Set {
    static SET: LazyLock<Set> =
        LazyLock::new(|| Set::new("secure", &Parameters::builder().log_n(13).levels(2)));
    &SET
}

/// N = 2^8, 3 levels of 38.8 bits and 10 for bootstrapping, 3 digits. **Insecure.**
pub fn bootstrapping() -> &'static Set {
    static SET: LazyLock<Set> = LazyLock::new(|| {
        let builder = insecure(8, 3, LevelWidth::Bits39, 3);
        Set::new("bootstrapping", &builder.bootstrapping(BOOTSTRAPPED))
    });
    &SET
}

/// Real values in a ciphertext that programs bootstrap.
pub(super) const BOOTSTRAPPED: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_differ_where_engines_may_err() {
        assert_eq!(bits39().params().dnum(), 3);
        assert_eq!(bits34().params().dnum(), 2);
        assert!(one_limb_digits().params().dnum() > 3);
        assert_eq!(secure().params().security(), Security::Classical128);
        // Rescales that bring primes back, and that only drop them.
        for set in [bits39(), bits34(), one_limb_digits()] {
            let params = set.params();
            let restores = |l: usize| !params.restored(l, l - 1).is_empty();
            let levels = 1..=params.max_level();
            assert!(levels.clone().any(restores) && !levels.clone().all(restores));
        }
    }
}
