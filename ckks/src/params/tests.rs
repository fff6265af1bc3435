//! Whole parameter sets: budgets, adversarial specifications, determinism.

use super::*;

fn build(
    log_n: u32,
    levels: usize,
    width: LevelWidth,
    dnum: usize,
) -> Result<Parameters, ParamsError> {
    Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .level_width(width)
        .dnum(Dnum::Fixed(dnum))
        .build()
}

/// Levels by ring degree and number of digits, by a search of its own in big integers; mains, specials and log2 QP of some of them.
#[test]
fn the_budget_table_is_met() {
    use LevelWidth::{Bits34, Bits39};
    for (log_n, width, dnum, levels, counts) in [
        (13, Bits39, 2, 1, None),
        (13, Bits39, 3, 2, Some((1, 2, 186.1))),
        (14, Bits39, 2, 5, Some((5, 5, 392.5))),
        (14, Bits39, 4, 6, Some((7, 4, 420.7))),
        (14, Bits39, 5, 7, Some((8, 3, 419.8))),
        (14, Bits39, 11, 8, None),
        (15, Bits39, 2, 13, Some((16, 10, 862.5))),
        (15, Bits39, 3, 14, Some((17, 7, 801.6))),
        (15, Bits39, 4, 15, Some((19, 7, 859.8))),
        (15, Bits39, 5, 16, Some((20, 6, 859.0))),
        (15, Bits39, 6, 17, Some((21, 5, 858.1))),
        (15, Bits39, 13, 18, None),
        (16, Bits39, 2, 28, None),
        (16, Bits39, 3, 32, Some((41, 15, 1739.9))),
        (16, Bits39, 4, 34, Some((44, 12, 1737.2))),
        (16, Bits39, 5, 35, None),
        (16, Bits39, 6, 36, None),
        (16, Bits39, 8, 38, None),
        (17, Bits39, 2, 58, None),
        (17, Bits39, 3, 65, Some((85, 30, 3468.3))),
        (17, Bits39, 4, 71, None),
        (17, Bits39, 5, 74, None),
        (17, Bits39, 7, 77, None),
        (15, Bits34, 2, 15, None),
        (15, Bits34, 4, 17, None),
        (15, Bits34, 5, 18, None),
        (16, Bits34, 3, 36, None),
        (16, Bits34, 4, 39, None),
    ] {
        let name = format!("N = 2^{log_n}, dnum {dnum}, {levels} levels, {width}");
        let params = build(log_n, levels, width, dnum).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(params.dnum() <= dnum, "{name}");
        assert!(
            params.log2_qp() <= f64::from(max_log2_qp(log_n).unwrap()),
            "{name}"
        );
        assert!(params.margin_bits() >= f64::from(MARGIN_BITS), "{name}");
        if let Some((mains, specials, log2_qp)) = counts {
            assert_eq!(
                (params.spec().mains.len(), params.special_limbs()),
                (mains, specials),
                "{name}"
            );
            assert!(
                (params.log2_qp() - log2_qp).abs() < 1.0,
                "{name}: log2 QP {}",
                params.log2_qp()
            );
        }
        let headroom = if width == Bits39 { 8.7 } else { 13.55 };
        assert!(
            (params.headroom_bits(0) - headroom).abs() < 0.2,
            "{name}: {}",
            params.headroom_bits(0)
        );
        // What is promised as the deepest is what a build reaches.
        let deepest = deepest(log_n, width, Dnum::Fixed(dnum)).unwrap();
        assert!(deepest >= levels, "{name}");
        assert!(
            build(log_n, deepest, width, dnum).is_ok(),
            "{name}: {deepest} levels were promised"
        );
        assert!(
            matches!(
                build(log_n, deepest + 1, width, dnum),
                Err(ParamsError::DoesNotFit { .. })
            ),
            "{name}"
        );
    }
}

#[test]
fn accessors_describe_one_consistent_set() {
    let params = build(15, 14, LevelWidth::Bits39, 3).unwrap();
    let spec = params.spec();
    assert_eq!(
        (params.n(), params.slots(), params.max_level()),
        (32_768, 16_384, 14)
    );
    assert_eq!(params.basis_len(), 4 + 17 + 7);
    assert_eq!(params.special_range(), 21..28);
    assert_eq!(params.chain_range(), 0..21);
    assert_eq!(&params.moduli()[params.special_range()], &spec.specials[..]);
    assert_eq!(params.moduli()[3], spec.terminals[0]);
    assert_eq!(params.moduli()[4], spec.mains[0]);
    assert_eq!(params.window(0), 2..4);
    assert_eq!(params.window(1), 4..7);
    assert_eq!(params.window(14), 0..21);
    assert_eq!(
        params.digit_groups().iter().map(Range::len).sum::<usize>(),
        21
    );
    assert_eq!(params.key_limbs(14).unwrap(), (0..28).collect::<Vec<u16>>());
    assert_eq!(
        params.key_limbs(1).unwrap(),
        (2..7).chain(21..28).collect::<Vec<u16>>()
    );
    assert!(matches!(
        params.key_limbs(15),
        Err(ParamsError::NoSuchLevel {
            level: 15,
            max: 14,
            ..
        })
    ));
    assert_eq!(params.pi(1).unwrap(), (vec![4, 5, 6], vec![2, 3]));
    assert!(params.pi(0).is_err() && params.pi(15).is_err());
    assert_eq!(
        params.dropped(14, 0),
        (0..2).chain(4..21).collect::<Vec<_>>()
    );
    assert!(params.restored(14, 0).is_empty());
    for level in 0..=14 {
        let window = params.window(level);
        let active: Vec<usize> = params
            .active_digits(level)
            .into_iter()
            .flat_map(|d| d.limbs)
            .collect();
        assert_eq!(active, window.clone().collect::<Vec<_>>());
        let log2_q: f64 = params.moduli()[window]
            .iter()
            .map(|&q| f64::from(q).log2())
            .sum();
        assert!((params.log2_q(level) - log2_q).abs() < 1e-9);
        assert!(
            (params.headroom_bits(level) - (log2_q - 1.0 - params.scale(level).log2())).abs()
                < 1e-9
        );
        assert!((params.scale(level).log2() - 38.8).abs() < 8.0);
    }
    assert!((params.headroom_bits(0) - 8.7).abs() < 0.1);
    assert_eq!(params.scale(0), LevelWidth::Bits39.base_scale());
    assert_eq!(params.active_digits(1).len(), 1);
    assert!(
        build(15, 15, LevelWidth::Bits34, 2)
            .unwrap()
            .headroom_bits(0)
            > 13.4
    );
    let shown = params.to_string();
    for part in [
        "N = 2^15",
        "14, 38.8 bits per level",
        "801.6 of at most 868",
        "128-bit",
        "3 digits",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

#[test]
fn fingerprints_are_golden_and_differ() {
    let params = build(14, 5, LevelWidth::Bits39, 2).unwrap();
    let primes: Vec<u8> = params
        .moduli()
        .iter()
        .flat_map(|q| q.to_le_bytes())
        .collect();
    assert_eq!(
        blake3::hash(&primes).to_hex().as_str(),
        "7282def06ca0fc4c4549dbb5efa2d6c2832884378044d9bc3c608bdd2c7e1ff7"
    );
    let hex = blake3::Hash::from(params.fingerprint()).to_hex();
    assert_eq!(
        hex.as_str(),
        "3ff7142307208e5b781a3d439b2beee05ef1a70ae144e72f47d697d1bfaa8155"
    );
    assert_eq!(build(14, 5, LevelWidth::Bits39, 2).unwrap(), params);
    assert_ne!(build(14, 4, LevelWidth::Bits39, 2).unwrap(), params);
}

#[test]
fn specifications_survive_serialization() {
    let params = build(14, 6, LevelWidth::Bits39, 4).unwrap();
    let bytes = postcard::to_stdvec(params.spec()).unwrap();
    assert_eq!(
        Parameters::try_from(postcard::from_bytes::<ParametersSpec>(&bytes).unwrap()).unwrap(),
        params
    );
    let json = serde_json::to_string(params.spec()).unwrap();
    assert_eq!(
        Parameters::try_from(serde_json::from_str::<ParametersSpec>(&json).unwrap()).unwrap(),
        params
    );
}

#[test]
fn insecure_sets_are_opt_in_and_loud() {
    let builder = Parameters::builder().log_n(5).levels(3);
    assert_eq!(
        builder.build(),
        Err(ParamsError::NoSecurityBound { log_n: 5 })
    );
    let insecure = builder
        .security(Security::InsecureForTests)
        .build()
        .unwrap();
    assert_eq!(insecure.n(), 32);
    assert!(insecure.to_string().contains("INSECURE"), "{insecure}");
    assert!(insecure.to_string().contains("NO bound"));
    assert_eq!(
        Parameters::try_from(insecure.spec().clone()),
        Err(ParamsError::InsecureRefused)
    );
    assert_eq!(
        Parameters::from_spec_allowing_insecure(insecure.spec().clone()).unwrap(),
        insecure
    );
    // Calling an insecure set secure does not make it pass.
    let mut disguised = insecure.spec().clone();
    disguised.security = Security::Classical128;
    assert_eq!(
        Parameters::try_from(disguised),
        Err(ParamsError::NoSecurityBound { log_n: 5 })
    );
}

#[test]
fn requests_that_do_not_fit_say_what_would() {
    let error = build(14, 9, LevelWidth::Bits39, 2).unwrap_err();
    let ParamsError::DoesNotFit {
        deepest: Some(5),
        sufficient_log_n: Some(15),
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert!(
        error
            .to_string()
            .contains("5 levels fit here, and log_n = 15 has room"),
        "{error}"
    );
    let error = Parameters::builder()
        .log_n(17)
        .levels(120)
        .build()
        .unwrap_err();
    assert!(
        matches!(
            error,
            ParamsError::DoesNotFit {
                sufficient_log_n: None,
                deepest: Some(77..),
                ..
            }
        ),
        "{error}"
    );
    assert!(matches!(
        Parameters::builder().log_n(18).levels(1).build(),
        Err(ParamsError::RingDegree { log_n: 18, .. })
    ));
    assert!(matches!(
        Parameters::builder().log_n(4).levels(1).build(),
        Err(ParamsError::RingDegree { .. })
    ));
    assert_eq!(
        Parameters::builder().log_n(15).build(),
        Err(ParamsError::NotGiven {
            what: "the number of levels",
            method: "levels",
        })
    );
    assert_eq!(
        build(15, 3, LevelWidth::Bits39, 0),
        Err(ParamsError::NoDigits)
    );
    assert!(matches!(
        Parameters::builder().log_n(15).levels(128).build(),
        Err(ParamsError::Count { got: 128, .. })
    ));
}

#[test]
fn automatic_digits_fit_and_are_few() {
    for (log_n, levels) in [
        (13, 1),
        (14, 5),
        (14, 7),
        (15, 10),
        (15, 14),
        (15, 16),
        (16, 20),
        (16, 32),
        (17, 60),
    ] {
        let params = Parameters::builder()
            .log_n(log_n)
            .levels(levels)
            .build()
            .unwrap();
        assert!(
            (1..=6).contains(&params.dnum()),
            "N = 2^{log_n}, {levels} levels: dnum {}",
            params.dnum()
        );
        let cost = params.key_switch_cost().weighted(log_n);
        for dnum in 1..=8 {
            if let Ok(other) = build(log_n, levels, LevelWidth::Bits39, dnum) {
                assert!(
                    cost <= other.key_switch_cost().weighted(log_n),
                    "dnum {dnum} is cheaper"
                );
            }
        }
    }
}

/// A valid specification with one thing changed.
fn mutated(change: impl FnOnce(&mut ParametersSpec)) -> Result<Parameters, ParamsError> {
    let mut spec = build(14, 5, LevelWidth::Bits39, 2).unwrap().spec().clone();
    change(&mut spec);
    Parameters::try_from(spec)
}

macro_rules! refused {
    ($change:expr, $pattern:pat) => {{
        let outcome = mutated($change);
        assert!(
            matches!(outcome, Err($pattern)),
            "{} gave {outcome:?}",
            stringify!($change)
        );
    }};
}

#[test]
fn adversarial_counts_and_windows_are_refused() {
    use ParamsError::*;
    for log_n in [0, 4, 18, 64, u32::MAX] {
        refused!(|s| s.log_n = log_n, RingDegree { .. });
    }
    refused!(
        |s| s.windows.clear(),
        Count {
            what: "windows",
            got: 0,
            ..
        }
    );
    refused!(
        |s| s.windows = vec![BASE; 129],
        Count {
            what: "windows",
            got: 129,
            ..
        }
    );
    refused!(
        |s| s.terminals = vec![0; 9],
        Count {
            what: "terminal primes",
            ..
        }
    );
    refused!(
        |s| s.mains = vec![0; 1_000_000],
        Count {
            what: "main primes",
            ..
        }
    );
    refused!(
        |s| (s.mains, s.terminals) = (vec![], vec![]),
        Count {
            what: "terminal and main primes",
            ..
        }
    );
    refused!(
        |s| s.specials.clear(),
        Count {
            what: "special primes",
            ..
        }
    );
    refused!(
        |s| s.specials = vec![0; 61],
        Count {
            what: "special primes",
            ..
        }
    );
    refused!(|s| s.digit_sizes.clear(), Count { what: "digits", .. });
    refused!(
        |s| s.digit_sizes = vec![1; 10],
        Count { what: "digits", .. }
    );
    refused!(
        |s| s.windows[3].mains = usize::MAX,
        WindowOutsideChain { level: 3, .. }
    );
    refused!(
        |s| s.windows[5].terminals = 5,
        WindowOutsideChain { level: 5, .. }
    );
    refused!(
        |s| s.windows[0] = Window::new(0, 0),
        WindowOutsideChain { level: 0, .. }
    );
    refused!(|s| s.windows.truncate(5), UnusedPrimes { .. });
    refused!(|s| s.windows.swap(1, 2), ScaleDrift { .. });
    refused!(|s| s.windows.reverse(), ScaleDrift { level: 1, .. });
    refused!(|s| s.windows[2] = s.windows[1], ScaleDrift { level: 2, .. });
    refused!(
        |s| s.windows[0] = Window::new(1, 0),
        Headroom { level: 0, .. }
    );
    refused!(
        |s| s.windows = [&s.windows[..3], &s.windows[4..]].concat(),
        ScaleDrift { .. }
    );
}

#[test]
fn adversarial_primes_are_refused() {
    use ParamsError::*;
    let spare = |n: usize| pool(14).into_iter().rev().nth(n).unwrap();
    refused!(|s| s.terminals[0] = s.mains[0], DuplicatePrime { .. });
    refused!(|s| s.specials[1] = s.specials[0], DuplicatePrime { .. });
    refused!(
        |s| s.mains[1] = 0,
        PrimeSize {
            prime: 0,
            role: "main",
            ..
        }
    );
    refused!(|s| s.mains[1] = u32::MAX, PrimeSize { role: "main", .. });
    refused!(|s| s.mains[1] = spare(30), PrimeSize { role: "main", .. });
    refused!(
        |s| s.terminals[1] = 786_433,
        PrimeSize {
            role: "terminal",
            prime: 786_433,
            ..
        }
    );
    refused!(
        |s| s.specials[0] = (1 << 30) + 1,
        PrimeSize {
            role: "special",
            ..
        }
    );
    // Composite, but 1 modulo 2^17.
    let composite = (1u32 << 29..)
        .step_by(1 << 17)
        .map(|q| q + 1)
        .find(|&q| !is_prime(q))
        .unwrap();
    refused!(
        |s| s.specials[0] = composite,
        NotPrime {
            role: "special",
            ..
        }
    );
    // Prime, but not 1 modulo 2^17.
    refused!(
        |s| s.mains[0] = 536_870_923,
        Congruence {
            prime: 536_870_923,
            role: "main",
            ..
        }
    );
    // At N = 2^17 the step is 2^18; not every prime of this set is 1 modulo that.
    refused!(|s| s.log_n = 17, Congruence { step_log2: 18, .. });
    // A main in a terminal's place.
    refused!(
        |s| s.terminals[0] = pool(14)
            .into_iter()
            .rfind(|q| *q < s.mains[0] - (1 << 25))
            .unwrap(),
        ScaleDrift { .. }
    );
}

#[test]
fn adversarial_digits_scales_and_sizes_are_refused() {
    use ParamsError::*;
    refused!(
        |s| s.digit_sizes[0] += 1,
        DigitPartition {
            covered: 10,
            limbs: 9,
            ..
        }
    );
    refused!(|s| s.digit_sizes[0] = usize::MAX, DigitPartition { .. });
    refused!(|s| s.digit_sizes.push(0), DigitPartition { empty: 1, .. });
    refused!(|s| s.digit_sizes = vec![9], DigitMargin { digit: 0, .. });
    refused!(|s| s.digit_sizes = vec![1, 8], DigitMargin { digit: 1, .. });
    refused!(|s| s.specials.truncate(4), DigitMargin { digit: 0, .. });
    for scale in [
        f64::NAN,
        f64::INFINITY,
        -1.0,
        0.0,
        1.0,
        1e300,
        2f64.powi(38),
        LevelWidth::Bits34.base_scale(),
    ] {
        refused!(|s| s.base_scale = scale, BaseScale { .. });
    }
    refused!(|s| s.level_width = LevelWidth::Bits34, BaseScale { .. });
    refused!(
        |s| (s.level_width, s.base_scale) = (LevelWidth::Bits34, LevelWidth::Bits34.base_scale()),
        ScaleDrift { .. }
    );
    refused!(
        |s| s.log_n = 13,
        SecurityBound {
            limit: 214,
            log_n: 13,
            ..
        }
    );
    refused!(|s| s.log_n = 11, NoSecurityBound { log_n: 11 });
    refused!(
        |s| s.specials = pool(14).into_iter().rev().take(8).collect(),
        SecurityBound { limit: 430, .. }
    );
    refused!(
        |s| s.specials = pool(14).into_iter().rev().take(58).collect(),
        ConversionSources {
            level: _,
            sources: 60..,
            max: 60
        }
    );
    refused!(|s| s.security = Security::InsecureForTests, InsecureRefused);
    assert!(mutated(|_| ()).is_ok());
}

/// A prime more, just past the bound: the bound applies to the product of every prime, specials included.
#[test]
fn the_bound_is_on_the_product_of_all_primes() {
    let params = build(15, 17, LevelWidth::Bits39, 6).unwrap();
    let mut spec = params.spec().clone();
    let more = pool(15)
        .into_iter()
        .rev()
        .find(|q| !spec.specials.contains(q))
        .unwrap();
    spec.specials.push(more);
    let error = Parameters::try_from(spec).unwrap_err();
    assert!(
        matches!(
            error,
            ParamsError::SecurityBound {
                limit: 868,
                log_n: 15,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("exceeds 868"), "{error}");
}
