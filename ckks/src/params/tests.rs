//! Whole parameter sets: budgets, adversarial specifications, determinism.

use arras_hal::is_prime;

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
        let log2_qp = params.log2_qp();
        assert!(log2_qp <= f64::from(max_log2_qp(log_n).unwrap()), "{name}");
        assert!(params.margin_bits() >= f64::from(MARGIN_BITS), "{name}");
        if let Some((mains, specials, expected)) = counts {
            let found = (params.spec().mains.len(), params.special_limbs());
            assert_eq!(found, (mains, specials), "{name}");
            let near = (log2_qp - expected).abs() < 1.0;
            assert!(near, "{name}: log2 QP {log2_qp}");
        }
        let expected = if width == Bits39 { 8.7 } else { 13.55 };
        let headroom = params.headroom_bits(0);
        assert!((headroom - expected).abs() < 0.2, "{name}: {headroom}");
        // What is promised as the deepest is what a build reaches.
        let deepest = deepest(log_n, width, Dnum::Fixed(dnum)).unwrap();
        assert!(deepest >= levels, "{name}");
        let promised = build(log_n, deepest, width, dnum);
        assert!(promised.is_ok(), "{name}: {deepest} levels were promised");
        refused! { build(log_n, deepest + 1, width, dnum) => ParamsError::DoesNotFit { .. } }
    }
}

#[test]
fn accessors_describe_one_consistent_set() {
    let params = build(15, 14, LevelWidth::Bits39, 3).unwrap();
    let spec = params.spec();
    let sizes = (params.n(), params.slots(), params.max_level());
    assert_eq!(sizes, (32_768, 16_384, 14));
    assert_eq!(params.basis_len(), 4 + 17 + 7);
    assert_eq!(params.special_range(), 21..28);
    assert_eq!(params.chain_range(), 0..21);
    assert_eq!(&params.moduli()[params.special_range()], &spec.specials[..]);
    assert_eq!(params.moduli()[3], spec.terminals[0]);
    assert_eq!(params.moduli()[4], spec.mains[0]);
    assert_eq!(params.window(0), 2..4);
    assert_eq!(params.window(1), 4..7);
    assert_eq!(params.window(14), 0..21);
    let in_digits: usize = params.digit_groups().iter().map(Range::len).sum();
    assert_eq!(in_digits, 21);
    let list = |limbs: Result<Vec<u16>, _>| limbs.unwrap().into_iter();
    assert!(list(params.key_limbs(14)).eq(0..28));
    assert!(list(params.key_limbs(1)).eq((2..7).chain(21..28)));
    refused! { params.key_limbs(15) => ParamsError::NoSuchLevel { level: 15, max: 14, .. } }
    assert_eq!(params.pi(1).unwrap(), (vec![4, 5, 6], vec![2, 3]));
    assert!(params.pi(0).is_err() && params.pi(15).is_err());
    assert!(params.dropped(14, 0).into_iter().eq((0..2).chain(4..21)));
    assert!(params.restored(14, 0).is_empty());
    for level in 0..=14 {
        let window = params.window(level);
        let digits = params.active_digits(level).into_iter();
        assert!(digits.flat_map(|d| d.limbs).eq(window.clone()));
        let moduli = params.moduli()[window].iter();
        let log2_q: f64 = moduli.map(|&q| f64::from(q).log2()).sum();
        assert!((params.log2_q(level) - log2_q).abs() < 1e-9);
        let log2_scale = params.scale(level).log2();
        let headroom = log2_q - 1.0 - log2_scale;
        assert!((params.headroom_bits(level) - headroom).abs() < 1e-9);
        assert!((log2_scale - 38.8).abs() < 8.0);
    }
    assert!((params.headroom_bits(0) - 8.7).abs() < 0.1);
    assert_eq!(params.scale(0), LevelWidth::Bits39.base_scale());
    assert_eq!(params.active_digits(1).len(), 1);
    let narrow = build(15, 15, LevelWidth::Bits34, 2).unwrap();
    assert!(narrow.headroom_bits(0) > 13.4);
    says! { params => ["N = 2^15", "14, 38.8 bits per level", "801.6 of at most 868", "128-bit", "3 digits"] }
}

#[test]
fn fingerprints_are_golden_and_differ() {
    let params = build(14, 5, LevelWidth::Bits39, 2).unwrap();
    let moduli = params.moduli().iter();
    let primes: Vec<u8> = moduli.flat_map(|q| q.to_le_bytes()).collect();
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
    let json = serde_json::to_string(params.spec()).unwrap();
    let from_bytes: ParametersSpec = postcard::from_bytes(&bytes).unwrap();
    let from_json: ParametersSpec = serde_json::from_str(&json).unwrap();
    for spec in [from_bytes, from_json] {
        assert_eq!(Parameters::try_from(spec).unwrap(), params);
    }
}

#[test]
fn insecure_sets_are_opt_in_and_loud() {
    let builder = Parameters::builder().log_n(5).levels(3);
    refused! { builder.build() => ParamsError::NoSecurityBound { log_n: 5 } }
    let builder = builder.security(Security::InsecureForTests);
    let insecure = builder.build().unwrap();
    assert_eq!(insecure.n(), 32);
    says! { insecure => ["INSECURE", "NO bound"] }
    refused! { Parameters::try_from(insecure.spec().clone()) => ParamsError::InsecureRefused }
    let again = Parameters::from_spec_allowing_insecure(insecure.spec().clone());
    assert_eq!(again.unwrap(), insecure);
    // Calling an insecure set secure does not make it pass.
    let mut disguised = insecure.spec().clone();
    disguised.security = Security::Classical128;
    refused! { Parameters::try_from(disguised) => ParamsError::NoSecurityBound { log_n: 5 } }
}

#[test]
fn requests_that_do_not_fit_say_what_would() {
    use ParamsError::*;
    let of = |log_n| Parameters::builder().log_n(log_n);
    let deep = build(14, 9, LevelWidth::Bits39, 2);
    says! { deep.as_ref().unwrap_err() => ["5 levels fit here, and log_n = 15 has room"] }
    refused! {
        deep => DoesNotFit { deepest: Some(5), sufficient_log_n: Some(15), .. },
        of(17).levels(120).build() => DoesNotFit { sufficient_log_n: None, deepest: Some(77..), .. },
        of(18).levels(1).build() => RingDegree { log_n: 18, .. },
        of(4).levels(1).build() => RingDegree { .. },
        of(15).build() => NotGiven { what: "the number of levels", method: "levels" },
        build(15, 3, LevelWidth::Bits39, 0) => NoDigits,
        of(15).levels(128).build() => Count { got: 128, .. },
    }
}

#[test]
fn automatic_digits_fit_and_are_few() {
    let log_ns = [13, 14, 14, 15, 15, 15, 16, 16, 17];
    for (log_n, levels) in log_ns.into_iter().zip([1, 5, 7, 10, 14, 16, 20, 32, 60]) {
        let builder = Parameters::builder().log_n(log_n).levels(levels);
        let params = builder.build().unwrap();
        let dnum = params.dnum();
        assert!((1..=6).contains(&dnum), "N = 2^{log_n}, {levels}: {dnum}");
        let cost = params.key_switch_cost().weighted(log_n);
        for dnum in 1..=8 {
            if let Ok(other) = build(log_n, levels, LevelWidth::Bits39, dnum) {
                let others = other.key_switch_cost().weighted(log_n);
                assert!(cost <= others, "dnum {dnum} is cheaper");
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

#[test]
fn adversarial_counts_and_windows_are_refused() {
    use ParamsError::*;
    for log_n in [0, 4, 18, 64, u32::MAX] {
        refused! { mutated(|s| s.log_n = log_n) => RingDegree { .. } }
    }
    refused! {
        mutated(|s| s.windows.clear()) => Count { what: "windows", got: 0, .. },
        mutated(|s| s.windows = vec![BASE; 129]) => Count { what: "windows", got: 129, .. },
        mutated(|s| s.terminals = vec![0; 9]) => Count { what: "terminal primes", .. },
        mutated(|s| s.mains = vec![0; 1_000_000]) => Count { what: "main primes", .. },
        mutated(|s| (s.mains, s.terminals) = (vec![], vec![])) => Count { what: "terminal and main primes", .. },
        mutated(|s| s.specials.clear()) => Count { what: "special primes", .. },
        mutated(|s| s.specials = vec![0; 61]) => Count { what: "special primes", .. },
        mutated(|s| s.digit_sizes.clear()) => Count { what: "digits", .. },
        mutated(|s| s.digit_sizes = vec![1; 10]) => Count { what: "digits", .. },
        mutated(|s| s.windows[3].mains = usize::MAX) => WindowOutsideChain { level: 3, .. },
        mutated(|s| s.windows[5].terminals = 5) => WindowOutsideChain { level: 5, .. },
        mutated(|s| s.windows[0] = Window::new(0, 0)) => WindowOutsideChain { level: 0, .. },
        mutated(|s| s.windows.truncate(5)) => UnusedPrimes { .. },
        mutated(|s| s.windows.swap(1, 2)) => ScaleDrift { .. },
        mutated(|s| s.windows.reverse()) => ScaleDrift { level: 1, .. },
        mutated(|s| s.windows[2] = s.windows[1]) => ScaleDrift { level: 2, .. },
        mutated(|s| s.windows[0] = Window::new(1, 0)) => Headroom { level: 0, .. },
        mutated(|s| s.windows = [&s.windows[..3], &s.windows[4..]].concat()) => ScaleDrift { .. },
    }
}

#[test]
fn adversarial_primes_are_refused() {
    use ParamsError::*;
    let spare = |n: usize| pool(14).into_iter().rev().nth(n).unwrap();
    refused! {
        mutated(|s| s.terminals[0] = s.mains[0]) => DuplicatePrime { .. },
        mutated(|s| s.specials[1] = s.specials[0]) => DuplicatePrime { .. },
        mutated(|s| s.mains[1] = 0) => PrimeSize { prime: 0, role: "main", .. },
        mutated(|s| s.mains[1] = u32::MAX) => PrimeSize { role: "main", .. },
        mutated(|s| s.mains[1] = spare(30)) => PrimeSize { role: "main", .. },
        mutated(|s| s.terminals[1] = 786_433) => PrimeSize { role: "terminal", prime: 786_433, .. },
        mutated(|s| s.specials[0] = (1 << 30) + 1) => PrimeSize { role: "special", .. },
    }
    // Composite, but 1 modulo 2^17.
    let mut candidates = (1u32 << 29..).step_by(1 << 17).map(|q| q + 1);
    let composite = candidates.find(|&q| !is_prime(q)).unwrap();
    refused! {
        mutated(|s| s.specials[0] = composite) => NotPrime { role: "special", .. },
        // Prime, but not 1 modulo 2^17.
        mutated(|s| s.mains[0] = 536_870_923) => Congruence { prime: 536_870_923, role: "main", .. },
        // At N = 2^17 the step is 2^18; not every prime of this set is 1 modulo that.
        mutated(|s| s.log_n = 17) => Congruence { step_log2: 18, .. },
        // A main in a terminal's place.
        mutated(|s| s.terminals[0] = pool(14).into_iter().rfind(|q| *q < s.mains[0] - (1 << 25)).unwrap()) => ScaleDrift { .. },
    }
}

#[test]
fn adversarial_digits_scales_and_sizes_are_refused() {
    use ParamsError::*;
    refused! {
        mutated(|s| s.digit_sizes[0] += 1) => DigitPartition { covered: 10, limbs: 9, .. },
        mutated(|s| s.digit_sizes[0] = usize::MAX) => DigitPartition { .. },
        mutated(|s| s.digit_sizes.push(0)) => DigitPartition { empty: 1, .. },
        mutated(|s| s.digit_sizes = vec![9]) => DigitMargin { digit: 0, .. },
        mutated(|s| s.digit_sizes = vec![1, 8]) => DigitMargin { digit: 1, .. },
        mutated(|s| s.specials.truncate(4)) => DigitMargin { digit: 0, .. },
    }
    let others = [2f64.powi(38), LevelWidth::Bits34.base_scale()];
    for scale in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.0, 1e300]
        .into_iter()
        .chain(others)
    {
        refused! { mutated(|s| s.base_scale = scale) => BaseScale { .. } }
    }
    refused! {
        mutated(|s| s.level_width = LevelWidth::Bits34) => BaseScale { .. },
        mutated(|s| (s.level_width, s.base_scale) = (LevelWidth::Bits34, LevelWidth::Bits34.base_scale())) => ScaleDrift { .. },
        mutated(|s| s.log_n = 13) => SecurityBound { limit: 214, log_n: 13, .. },
        mutated(|s| s.log_n = 11) => NoSecurityBound { log_n: 11 },
        mutated(|s| s.specials = pool(14).into_iter().rev().take(8).collect()) => SecurityBound { limit: 430, .. },
        mutated(|s| s.specials = pool(14).into_iter().rev().take(58).collect()) => ConversionSources { level: _, sources: 60.., max: 60 },
        mutated(|s| s.security = Security::InsecureForTests) => InsecureRefused,
    }
    assert!(mutated(|_| ()).is_ok());
}

/// A prime more, just past the bound: the bound applies to the product of every prime, specials included.
#[test]
fn the_bound_is_on_the_product_of_all_primes() {
    let params = build(15, 17, LevelWidth::Bits39, 6).unwrap();
    let mut spec = params.spec().clone();
    let mut largest_first = pool(15).into_iter().rev();
    let more = largest_first.find(|q| !spec.specials.contains(q));
    spec.specials.push(more.unwrap());
    let outcome = Parameters::try_from(spec);
    says! { outcome.as_ref().unwrap_err() => ["exceeds 868"] }
    refused! { outcome => ParamsError::SecurityBound { limit: 868, log_n: 15, .. } }
}
