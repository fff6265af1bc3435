//! Cost tables: measured, interpolated, scaled, written and read; what is wrong in a file is named.

use arras_ckks::{
    Context, Encryptor, EvaluationKeys, Evaluator, KeyGenerator, Parameters, SecretKey,
    params::{LevelWidth, Security},
    random::Seed,
};
use arras_hal::Reference;
use arras_toolkit::cost::{
    CostEntry, CostError, CostTable, CostTableSpec, MEASURED_STEPS, MeasureOptions, OperationKind,
};

fn params(log_n: u32, levels: usize, width: LevelWidth) -> Parameters {
    Parameters::builder()
        .log_n(log_n)
        .levels(levels)
        .level_width(width)
        .security(Security::InsecureForTests)
        .build()
        .unwrap()
}

/// Made up: costs that rise with the level, at a few levels.
fn spec(params: &Parameters, measured: &[usize]) -> CostTableSpec {
    let mut entries = Vec::new();
    for (k, operation) in OperationKind::ALL.into_iter().enumerate() {
        for &level in measured.iter().filter(|&&l| l >= operation.lowest_level()) {
            let single = 1e-5 * (1 + k) as f64 * (2 + level) as f64;
            let terms = if operation.has_terms() { 0.25 } else { 0.0 };
            entries.push(CostEntry {
                operation,
                level,
                single,
                batched: 0.75 * single,
                single_per_term: terms * single,
                batched_per_term: 0.5 * terms * single,
            });
        }
    }
    CostTableSpec {
        parameters: params.spec().clone(),
        engine: "made up".into(),
        machine: "none".into(),
        threads: 1,
        batch: 8,
        entries,
    }
}

fn close(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

#[test]
fn measured_points_are_hit() {
    let params = params(10, 12, LevelWidth::Bits39);
    let spec = spec(&params, &[0, 1, 5, 12]);
    let table = CostTable::from_spec(spec.clone()).unwrap();
    for e in &spec.entries {
        let cost = |batch, terms| table.cost(e.operation, e.level, batch, terms).unwrap();
        assert!(close(cost(1, 0), e.single));
        assert!(close(cost(8, 0), 8.0 * e.batched));
        assert!(close(cost(1, 3), e.single + 3.0 * e.single_per_term));
        let each = e.batched + 3.0 * e.batched_per_term;
        assert!(close(cost(8, 3), 8.0 * each));
        // Halfway between 1 and 8, and as far beyond.
        let ends = cost(1, 0) + cost(8, 0);
        assert!(close(cost(4, 0) + cost(5, 0), ends));
        assert!(close(cost(15, 0), 2.0 * cost(8, 0) - cost(1, 0)));
        assert_eq!(cost(0, 3), 0.0);
    }
}

#[test]
fn costs_rise_with_level_batch_and_terms_where_the_measurements_do() {
    for width in LevelWidth::ALL {
        let params = params(10, 14, width);
        let table = CostTable::from_spec(spec(&params, &[0, 1, 4, 9, 14])).unwrap();
        for operation in OperationKind::ALL {
            for level in operation.lowest_level()..14 {
                for (batch, terms) in [(1, 1), (8, 1), (3, 5)] {
                    let cost =
                        |level, batch, terms| table.cost(operation, level, batch, terms).unwrap();
                    let here = cost(level, batch, terms);
                    assert!(here > 0.0);
                    let above = cost(level + 1, batch, terms);
                    assert!(above >= here, "{operation} at {level}");
                    assert!(cost(level, batch + 1, terms) >= here);
                    let more = cost(level, batch, terms + 1);
                    assert_eq!(more > here, operation.has_terms());
                }
            }
            // Strictly between the measured ones, not a step.
            let at = |level| table.cost(operation, level, 1, 2).unwrap();
            assert!(at(4) < at(9) && at(4) <= at(6) && at(6) <= at(9));
            if operation != OperationKind::LevelDown && operation != OperationKind::Rescale {
                assert!(at(4) < at(6) && at(6) < at(9), "{operation}");
            }
        }
    }
}

#[test]
fn a_batch_that_was_measured_cheaper_than_one_ciphertext_costs_as_much() {
    let params = params(10, 2, LevelWidth::Bits39);
    let mut spec = spec(&params, &[0, 1, 2]);
    for entry in &mut spec.entries {
        entry.batched = entry.single / 100.0;
    }
    let table = CostTable::from_spec(spec).unwrap();
    let one = table.cost(OperationKind::Add, 1, 1, 0).unwrap();
    assert_eq!(table.cost(OperationKind::Add, 1, 8, 0).unwrap(), one);
}

#[test]
fn questions_without_an_answer_are_refused() {
    let params = params(10, 3, LevelWidth::Bits39);
    let mut spec = spec(&params, &[0, 1, 3]);
    spec.entries.retain(|e| !e.operation.needs_secret());
    let table = CostTable::from_spec(spec).unwrap();
    assert!(table.has(OperationKind::Add) && !table.has(OperationKind::Encrypt));
    let error = table.cost(OperationKind::Encrypt, 1, 1, 0).unwrap_err();
    assert!(matches!(error, CostError::NotMeasured { .. }));
    assert!(error.to_string().contains("encrypt") && error.to_string().contains("made up"));
    for (operation, level) in [(OperationKind::Tensor, 0), (OperationKind::Add, 4)] {
        let error = table.cost(operation, level, 1, 0).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, CostError::NoSuchLevel { most: 3, .. }));
        assert!(message.contains(&format!("level {level}")), "{message}");
    }
}

#[test]
fn tables_survive_json() {
    for width in LevelWidth::ALL {
        let params = params(10, 3, width);
        let table = CostTable::from_spec(spec(&params, &[0, 1, 3])).unwrap();
        let json = table.to_json().unwrap();
        assert_eq!(CostTable::from_json(&json).unwrap(), table);
        assert_eq!(serde_json::to_string(&table).unwrap(), json);
        let read: CostTable = serde_json::from_str(&json).unwrap();
        assert!(read == table && read.params() == &params);
        for operation in OperationKind::ALL {
            let name = format!("\"{}\"", operation.name());
            assert_eq!(serde_json::to_string(&operation).unwrap(), name);
            assert!(json.contains(&name));
        }
    }
}

#[test]
fn hostile_tables_are_refused_and_say_why() {
    let params = params(10, 3, LevelWidth::Bits39);
    let good = spec(&params, &[0, 1, 3]);
    assert!(CostTable::from_spec(good.clone()).is_ok());
    let refused = |what: &str, change: &dyn Fn(&mut CostTableSpec)| {
        let mut spec = good.clone();
        change(&mut spec);
        let error = CostTable::from_spec(spec.clone()).unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
        // The same through serde, unless JSON itself cannot carry it.
        let json = serde_json::to_string(&spec).unwrap();
        assert!(CostTable::from_json(&json).is_err(), "{what}");
        assert!(serde_json::from_str::<CostTable>(&json).is_err(), "{what}");
    };
    macro_rules! refused {
        (|$spec:ident| $($change:expr => $what:expr;)+) => {$(
            refused($what, &|$spec: &mut CostTableSpec| $change);
        )+};
    }
    refused! { |s|
        s.entries.retain(|e| e.operation != OperationKind::Settle || e.level != 3) => "settle has no entry at level 3";
        s.entries.retain(|e| e.operation != OperationKind::Settle || e.level != 1) => "settle has no entry at level 1";
        s.entries.retain(|e| e.operation != OperationKind::Rotate) => "no entry for rotate";
        s.entries.clear() => "no entry for add";
        s.entries.push(s.entries[0]) => "two entries for add at level 0";
        s.entries[0].level = 4 => "add at level 4";
        s.entries[0].level = usize::MAX => "add at level 18446744073709551615";
        s.entries[0].operation = OperationKind::Tensor => "tensor at level 0";
        s.entries[0].batched = 0.0 => "not all zero";
        s.entries[0].single_per_term = 1.0 => "no terms";
        s.batch = 1 => "larger batch is 1";
        s.threads = 0 => "0 threads";
        s.parameters.mains[0] += 2 => "no valid set";
        s.parameters.log_n = 60 => "no valid set";
    }
    let sum = |e: &&mut CostEntry| e.operation == OperationKind::RotationSum;
    for bad in [-1e-9, f64::NAN, f64::INFINITY] {
        refused! { |s|
            s.entries[0].single = bad => "the cost of add at level 0 is";
            s.entries[0].batched = bad => "the cost in a batch of add";
            s.entries.iter_mut().find(sum).unwrap().single_per_term = bad => "a term's cost of rotation_sum";
        }
    }

    let json = serde_json::to_string(&good).unwrap();
    for (from, to) in [
        ("\"batch\":8", "\"batch\":8,\"more\":1"),
        ("\"batch\":8", "\"batch\":-8"),
        ("\"single\":", "\"single\":1e999,\"x\":"),
        ("\"level\":0,", ""),
        ("\"add_plain\"", "\"add_plane\""),
    ] {
        assert!(json.contains(from));
        let error = CostTable::from_json(&json.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(error, CostError::Json(_)), "{error}");
    }
    let error = CostTable::from_json(&json[..500]).unwrap_err();
    assert!(matches!(error, CostError::Json(_)), "{error}");
}

#[test]
fn everything_is_measured_where_secrets_may_be_and_the_rest_elsewhere() {
    let params = params(6, 4, LevelWidth::Bits39);
    let context = Context::new(&params, Reference::new()).unwrap();
    let mut options = MeasureOptions::new(4, 1, "a test");
    options.levels = vec![3];
    options.batch = 2;
    options.samples = 1;
    options.seconds = 0.0;
    let table = CostTable::measure(&context, &options).unwrap();
    assert_eq!(table.params(), &params);
    assert_eq!((table.spec().threads, table.spec().batch), (1, 2));
    for operation in OperationKind::ALL {
        let entries = table.spec().entries.iter();
        let entries = entries.filter(|e| e.operation == operation);
        let levels: Vec<usize> = entries.map(|e| e.level).collect();
        let expected = &[0, 1, 3, 4][operation.lowest_level()..];
        assert_eq!(levels, expected, "{operation}");
        assert!(table.cost(operation, 2, 3, 2).unwrap() > 0.0);
    }
    let json = table.to_json().unwrap();
    assert_eq!(CostTable::from_json(&json).unwrap(), table);

    let secret = SecretKey::from_seed(&context, &Seed::from_bytes([1; 32])).unwrap();
    let generator = KeyGenerator::with_seed(&secret, Seed::from_bytes([2; 32]));
    let keys = generator.evaluation_keys(&MEASURED_STEPS).unwrap();
    let evaluator = Evaluator::new(&context, keys.load(&context).unwrap()).unwrap();
    let encryptor = Encryptor::with_seed(&secret, Seed::from_bytes([3; 32])).largest_value(2.0);
    let encrypted = encryptor.encrypt(&[&[1.0], &[2.0]], 4).unwrap();
    let fresh = encrypted.expand(&context).unwrap();
    let table = CostTable::measure_with(&evaluator, &fresh, &options).unwrap();
    for operation in OperationKind::ALL {
        assert_eq!(table.has(operation), !operation.needs_secret());
    }

    let lower = evaluator.level_down(&fresh, 3).unwrap();
    let error = CostTable::measure_with(&evaluator, &lower, &options).unwrap_err();
    assert!(matches!(error, CostError::NotFresh { level: 3, top: 4 }));
    let keyless = Evaluator::new(&context, EvaluationKeys::none(&context)).unwrap();
    let error = CostTable::measure_with(&keyless, &fresh, &options).unwrap_err();
    assert!(matches!(error, CostError::Ckks(_)), "{error}");
    let wrong = |change: &dyn Fn(&mut MeasureOptions)| {
        let mut options = options.clone();
        change(&mut options);
        let error = CostTable::measure_with(&evaluator, &fresh, &options);
        error.unwrap_err().to_string()
    };
    assert!(wrong(&|o| o.samples = 0).contains("samples is 0"));
    assert!(wrong(&|o| o.seconds = f64::NAN).contains("seconds is NaN"));
    assert!(wrong(&|o| o.batch = 1).contains("larger batch is 1"));
    assert!(wrong(&|o| o.levels = vec![5]).contains("level 5 is above 4"));
}

#[test]
fn parameters_without_levels_have_tables_too() {
    let params = params(6, 0, LevelWidth::Bits39);
    let context = Context::new(&params, Reference::new()).unwrap();
    let mut options = MeasureOptions::new(0, 1, "a test");
    (options.samples, options.seconds) = (1, 0.0);
    let table = CostTable::measure(&context, &options).unwrap();
    assert!(table.has(OperationKind::Rotate) && !table.has(OperationKind::Tensor));
}

#[test]
fn estimates_for_other_parameters_scale_with_the_ring() {
    let small = params(10, 6, LevelWidth::Bits39);
    let table = CostTable::from_spec(spec(&small, &[0, 1, 3, 6])).unwrap();
    assert_eq!(table.estimate_for(&small).unwrap(), table);
    let large = params(12, 6, LevelWidth::Bits39);
    let estimate = table.estimate_for(&large).unwrap();
    assert_eq!(estimate.params(), &large);
    assert!(estimate.summary().contains("estimated from N = 2^10"));
    // Digits and special primes differ little between the two, so costs are about N log N apart.
    let scaling = 4.0 * 12.0 / 10.0;
    for operation in OperationKind::ALL {
        for level in operation.lowest_level()..=6 {
            let cost = |table: &CostTable| table.cost(operation, level, 3, 2).unwrap();
            let ratio = cost(&estimate) / cost(&table);
            assert!(
                (0.6..1.5).contains(&(ratio / scaling)),
                "{operation} at {level}: {ratio}, N log N {scaling}"
            );
        }
    }
    // More levels than were measured: beyond the last point costs grow.
    let deep = params(10, 12, LevelWidth::Bits39);
    let deep = table.estimate_for(&deep).unwrap();
    use OperationKind::{Add, Rotate, Settle};
    for operation in [Add, Settle, Rotate] {
        let [measured, beyond] = [6, 12].map(|level| deep.cost(operation, level, 1, 0).unwrap());
        assert!(beyond > measured, "{operation}");
    }
}

#[test]
fn the_built_in_tables_answer_for_every_ring() {
    for (log_n, levels) in [(13, 2), (14, 6), (15, 15), (16, 34), (17, 70)] {
        let builder = Parameters::builder().log_n(log_n).levels(levels);
        let params = builder.build().unwrap();
        for threads in [1, 2, 64] {
            let table = CostTable::built_in(&params, threads).unwrap();
            assert_eq!(table.params(), &params);
            assert!(table.spec().threads <= threads);
            assert_eq!(table.spec().engine.contains("estimated"), log_n == 17);
            for operation in OperationKind::ALL {
                let cost = |level| table.cost(operation, level, 1, 4).unwrap();
                let seconds = cost(levels);
                // Between a microsecond and a minute, and no less than on the lowest level but for noise.
                assert!((1e-6..60.0).contains(&seconds), "{operation}: {seconds}");
                let lowest = cost(operation.lowest_level());
                assert!(seconds > 0.4 * lowest, "{operation}");
            }
            let cost = |operation| table.cost(operation, levels, 1, 0).unwrap();
            assert!(cost(OperationKind::Settle) > cost(OperationKind::Add));
        }
    }
    let small = params(11, 3, LevelWidth::Bits34);
    let table = CostTable::built_in(&small, 0).unwrap();
    assert!(table.spec().engine.contains("estimated from N = 2^13"));
}
