//! Depths, counts, rotations, and pairs of interpretations.

use arras_ckks::{Parameters, params::LevelWidth};
use arras_toolkit::{
    Circuit, Cleartext, Depth, EncodingUnit, OpCount, Program, Recorder, RotationSet, Samples,
    ToolkitErrorKind,
    cost::CostTable,
    interpret::{DepthReport, Interpretation, walk},
    linalg::Dot,
};

fn fourth_power(shallow: bool) -> Circuit {
    let recorder = Recorder::new(4096).unwrap();
    let x = recorder.slots_input("x", 1);
    let power = if shallow {
        x.square().square()
    } else {
        x.multiply(&x).multiply(&x).multiply(&x)
    };
    recorder.output("y", &power.add_scalar(2.0));
    recorder.finish().unwrap()
}

fn matrix_by_vector(rows: usize, cols: usize) -> Program {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let recorder = Recorder::new(unit.slots()).unwrap();
    let a = recorder.matrix("a", rows, cols, unit);
    let x = recorder.column_vector("x", cols, unit);
    recorder.output("ax", &a.dot(&x));
    Program::new(recorder.finish().unwrap())
}

#[test]
fn the_fourth_power_has_depth_three_or_two() {
    for (shallow, depth, operations) in [
        (
            false,
            3,
            ["input", "multiply", "multiply", "multiply", "add_scalar"].as_slice(),
        ),
        (true, 2, &["input", "square", "square", "add_scalar"]),
    ] {
        let circuit = fourth_power(shallow);
        let report = Depth::of(&circuit);
        assert_eq!(report.levels_needed(), depth);
        assert_eq!(report.outputs()["y"], depth);
        assert_eq!(report.inputs()["x"], Some(depth));
        let path = report.critical_path();
        let found: Vec<&str> = path.iter().map(|o| o.place.operation.as_str()).collect();
        let expected: Vec<&str> = operations
            .iter()
            .map(|&o| if o == "square" { "multiply" } else { o })
            .collect();
        let found: Vec<&str> = found
            .into_iter()
            .map(|o| if o == "square" { "multiply" } else { o })
            .collect();
        assert_eq!(found, expected);
        let depths: Vec<usize> = path.iter().map(|o| o.depth).collect();
        let own: usize = path.iter().map(|o| o.own).sum();
        assert!(depths.is_sorted() && own == depth, "{report}");
        assert_eq!(path.last().unwrap().level, Some(0));

        let program = Program::new(circuit);
        let mut walked = Depth::new();
        let mut of_output = vec![];
        walk(&program, &mut walked, |_, &depth| {
            of_output.push(depth);
            Ok(())
        })
        .unwrap();
        assert_eq!((walked.deepest(), of_output), (depth, vec![depth]));

        let text = report.to_string();
        assert!(
            text.contains(&format!("levels needed: {depth}"))
                && text.contains("interpretations.rs")
        );
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<DepthReport>(&json).unwrap(), report);
    }
}

#[test]
fn an_output_at_a_level_and_an_operation_off_the_path() {
    let recorder = Recorder::new(16).unwrap();
    let (x, y) = (recorder.slots_input("x", 1), recorder.slots_input("y", 1));
    let lone = recorder.slots_input("unused", 1);
    let _ = lone.square();
    let product = x.square().multiply(&y);
    recorder.output("shallow", &y.rotate(1));
    recorder.output_at("product", &product, 2);
    let report = Depth::of(&recorder.finish().unwrap());
    assert_eq!(report.levels_needed(), 4);
    assert_eq!(
        (report.outputs()["product"], report.outputs()["shallow"]),
        (2, 0)
    );
    assert_eq!(
        (report.inputs()["y"], report.inputs()["unused"]),
        (Some(3), None)
    );
    let path = report.critical_path();
    assert_eq!(path[0].place.label.as_deref(), Some("x"));
    assert!(path.iter().all(|o| o.place.operation != "rotate"));
    let levels: Vec<Option<usize>> = report.operations().iter().map(|o| o.level).collect();
    assert!(levels.contains(&None) && levels.contains(&Some(4)));
}

#[test]
fn operations_of_a_matrix_by_vector_product() {
    // Two units above two: 2 V lg n rotations.
    let program = matrix_by_vector(128, 100);
    let count = OpCount::of(&program);
    assert_eq!(count.ciphertext_products(), 4);
    assert_eq!(count.rotations(), 2 * 2 * 6);
    let relinearized = count.kind("relinearize_and_rescale").ciphertexts;
    assert_eq!(count.key_switches(), count.rotations() + relinearized);
    assert_eq!(count.steps(), program.steps().len());
    assert_eq!(count.plaintext_products(), 2);
    assert_eq!(count.kind("no such kind").steps, 0);
    let by_level: usize = count
        .levels()
        .values()
        .flat_map(|kinds| kinds.values())
        .map(|k| k.steps)
        .sum();
    assert_eq!(by_level, count.steps());
    assert_eq!(count.seconds(), 0.0);

    let rotations = RotationSet::of(&program);
    assert_eq!(rotations.len(), 12);
    let ciphertexts: usize = rotations.rotations().values().map(|r| r.ciphertexts).sum();
    assert_eq!(ciphertexts, count.rotations());
    let level = |steps| rotations.get(steps).unwrap().highest_level;
    // After the mask: the first is done at the window of the pending product, the next a level lower.
    assert_eq!((level(1), level(-1), level(-2)), (1, 1, 0));
    assert_eq!(rotations.get(3), None);
    let json = serde_json::to_string(&rotations).unwrap();
    assert_eq!(
        serde_json::from_str::<RotationSet>(&json).unwrap(),
        rotations
    );
    assert!(rotations.to_string().lines().count() >= 14);
}

#[test]
fn costs_add_up_and_grow_with_the_work() {
    let params = Parameters::builder()
        .log_n(13)
        .levels(2)
        .level_width(LevelWidth::Bits39)
        .build()
        .unwrap();
    let table = CostTable::built_in(&params, 1).unwrap();
    let small = OpCount::with_costs_of(&matrix_by_vector(64, 64), &table).unwrap();
    let large = OpCount::with_costs_of(&matrix_by_vector(640, 64), &table).unwrap();
    let ratio = large.seconds() / small.seconds();
    assert!((4.0..=15.0).contains(&ratio), "{ratio}");
    let rotate = small.kind("rotate").seconds + small.kind("rotation_sum").seconds;
    assert!(rotate > 0.5 * small.seconds(), "{small}");
    assert!(small.encoding_seconds() > 0.0);
    let by_level: f64 = small
        .levels()
        .values()
        .flat_map(|kinds| kinds.values())
        .map(|k| k.seconds)
        .sum();
    assert!((by_level / small.seconds() - 1.0).abs() < 1e-9);

    let text = small.to_string();
    assert!(
        text.contains("key switches") && text.contains("time of all steps"),
        "{text}"
    );
    let json = serde_json::to_string(&small).unwrap();
    assert_eq!(serde_json::from_str::<OpCount>(&json).unwrap(), small);

    // Too deep for the table.
    let error = OpCount::with_costs_of(&Program::new(fourth_power(false)), &table).unwrap_err();
    assert!(matches!(error.kind(), ToolkitErrorKind::Cost(_)), "{error}");
}

#[test]
fn pairs_are_what_their_parts_are() {
    let program = matrix_by_vector(40, 70);
    let inputs = Samples::uniform(-1.0, 1.0)
        .draw(program.circuit(), 0)
        .unwrap();
    let plaintext = || Cleartext::new(&program, &inputs).unwrap();
    let mut all = (
        plaintext(),
        (Depth::new(), (OpCount::new(), RotationSet::new())),
    );
    let mut seen = vec![];
    walk(&program, &mut all, |i, (slots, (depth, _))| {
        seen.push((i, slots.clone(), *depth));
        Ok(())
    })
    .unwrap();
    let alone = Cleartext::run(&program, &inputs).unwrap();
    assert_eq!(seen, [(0, alone.slots["ax"].clone(), 2)]);
    assert_eq!(all.0.largest(), alone.largest);
    assert_eq!(all.1.1.0, OpCount::of(&program));
    assert_eq!(all.1.1.1, RotationSet::of(&program));
    fn is_interpretation<I: Interpretation>(_: &I) {}
    is_interpretation(&all);
}

#[test]
fn samples_say_what_they_lack() {
    let program = matrix_by_vector(4, 4);
    let circuit = program.circuit();
    let draw = |samples: Samples| samples.draw(circuit, 1);
    let error = draw(Samples::default().with_bounds("a", 0.0, 1.0)).unwrap_err();
    assert!(error.to_string().contains("\"x\""), "{error}");
    let error = draw(Samples::uniform(0.0, 1.0).with_bounds("b", 0.0, 1.0)).unwrap_err();
    assert!(error.to_string().contains("\"b\""), "{error}");
    let error = draw(Samples::uniform(1.0, f64::NAN)).unwrap_err();
    assert!(
        matches!(error.kind(), ToolkitErrorKind::OutOfRange { .. }),
        "{error}"
    );
    let samples = Samples::uniform(2.0, 3.0)
        .with_bounds("x", -1.0, 0.0)
        .seed(4);
    let drawn = draw(samples.clone()).unwrap();
    let within = |name: &str, low: f64, high: f64| {
        let entries = drawn.get(name).unwrap().entries();
        entries.iter().all(|x| (low..=high).contains(x))
    };
    assert!(within("a", 2.0, 3.0) && within("x", -1.0, 0.0));
    assert_eq!(draw(samples.clone()).unwrap().get("a"), drawn.get("a"));
    assert_ne!(samples.draw(circuit, 2).unwrap().get("a"), drawn.get("a"));
}
