//! Inputs on which a bootstrap could go wrong.

use super::{BootstrapPlan, Party, bits, cpu, party, toy, values};

#[test]
fn special_vectors_keep_their_precision() {
    let party = party();
    let bootstrapper = party.bootstrapper(1.0);
    let alternating = |j: usize| if j.is_multiple_of(2) { 1.0 } else { -1.0 };
    let mut one = vec![0.0; 32];
    one[5] = 1.0;
    let positive: Vec<f64> = values(3, 32).iter().map(|z| z.abs()).collect();
    let vectors = [
        ("zeros", vec![0.0; 32]),
        ("ones", vec![1.0; 32]),
        ("minus ones", vec![-1.0; 32]),
        ("alternating signs", (0..32).map(alternating).collect()),
        ("one slot", one),
        ("in [0, 1]", positive),
    ];
    let all: Vec<&[f64]> = vectors.iter().map(|(_, z)| z.as_slice()).collect();
    let input = party.encrypt(&all, 1.0);
    let together = bootstrapper.bootstrap(&input).unwrap();
    assert_eq!(
        (together.level(), together.bound(), together.batch()),
        (17, 1.0, 6)
    );
    let out = party.decrypt(&together);
    let predicted = crate::NoiseModel::new(party.context.params())
        .bootstrap(1.0)
        .unwrap();
    for (i, (name, z)) in vectors.iter().enumerate() {
        let bits = bits(z, out[i].iter().copied());
        assert!(bits >= 23.0, "{name}: {bits:.1} bits");
        let squares = out[i]
            .iter()
            .zip(z.iter().cycle())
            .map(|(a, e)| (a - e).powi(2));
        let measured = (squares.sum::<f64>() / out[i].len() as f64).sqrt();
        // The prediction is for the worst values: those at the bound.
        let least = if *name == "ones" {
            predicted / 2.0
        } else {
            0.0
        };
        assert!(
            (least..=predicted).contains(&measured),
            "{name}: {measured:e}, not {predicted:e}"
        );
        // A batch is its ciphertexts, one by one.
        let alone = bootstrapper.bootstrap(&input.pick(&[i]).unwrap()).unwrap();
        let same = together.pick(&[i]).unwrap().poly().to_words().unwrap();
        assert_eq!(alone.poly().to_words().unwrap(), same, "{name}");
    }
}

#[test]
fn copies_that_differ_come_back_as_their_mean() {
    let party = party();
    let z = values(4, 128);
    let mean: Vec<f64> = (0..32)
        .map(|j| (0..4).map(|b| z[32 * b + j]).sum::<f64>() / 4.0)
        .collect();
    let out = party
        .bootstrapper(1.0)
        .bootstrap(&party.encrypt(&[&z], 1.0))
        .unwrap();
    let bits = bits(&mean, party.decrypt(&out).remove(0));
    assert!(bits >= 23.0, "{bits:.1} bits");
}

#[test]
fn values_beyond_the_bound_bend_smoothly() {
    let party = party();
    let bootstrapper = party.bootstrapper(1.0);
    // What the sine makes of them, and what noise may take of it.
    for (times, least, most) in [(1.5, 20.2, 21.5), (2.0, 18.9, 20.0), (3.0, 17.2, 18.2)] {
        let z = vec![times; 32];
        let ct = party.encrypt(&[&z], 4.0).assume(1.0).unwrap();
        let out = bootstrapper.bootstrap(&ct).unwrap();
        let bits = bits(&z, party.decrypt(&out).remove(0));
        assert!(
            (least..=most).contains(&bits),
            "{times} times: {bits:.1} bits"
        );
    }
}

#[test]
fn a_larger_bound_costs_its_own_size() {
    let party = party();
    for bound in [8.0, 256.0, 2f64.powi(-6)] {
        let z: Vec<f64> = values(5, 32).iter().map(|z| z * bound).collect();
        let out = party
            .bootstrapper(bound)
            .bootstrap(&party.encrypt(&[&z], bound))
            .unwrap();
        assert_eq!(out.bound(), bound);
        let bits = bits(&z, party.decrypt(&out).remove(0)) + bound.log2();
        // At a small bound the last rescale is what remains.
        let least = if bound >= 1.0 { 23.0 } else { 19.0 };
        assert!(bits >= least, "up to {bound}: {bits:.1} bits");
    }
}

#[test]
fn six_in_a_row_lose_little() {
    let party = party();
    let bootstrapper = party.bootstrapper(1.0);
    let z: Vec<f64> = values(6, 32).iter().map(|z| 0.9 * z).collect();
    let mut ct = party.encrypt(&[&z], 1.0);
    for round in 1..=6 {
        ct = bootstrapper.bootstrap(&ct).unwrap();
        let bits = bits(&z, party.decrypt(&ct).remove(0));
        // What the sine is off by is the same each time.
        let least = if round == 1 { 23.0 } else { 21.0 };
        assert!(bits >= least, "after {round}: {bits:.1} bits");
    }
    // And it can be computed with: x^2.
    let evaluator = party.evaluator();
    let square = evaluator.square(&ct).unwrap();
    assert_eq!(square.level(), 16);
    let want: Vec<f64> = z.iter().map(|z| z * z).collect();
    assert!(bits(&want, party.decrypt(&square).remove(0)) >= 20.5);
}

#[test]
fn all_slots_in_three_stages() {
    let params = toy(9, 16, 1 << 13);
    assert_eq!(params.bootstrap().unwrap().coefficients_to_slots, 3);
    let party = Party::new(&params, cpu(1), 256);
    let z = values(7, 256);
    let out = party
        .bootstrapper(1.0)
        .bootstrap(&party.encrypt(&[&z], 1.0))
        .unwrap();
    let bits = bits(&z, party.decrypt(&out).remove(0));
    assert!(bits >= 22.5, "{bits:.1} bits");
}

/// Baby steps and giant steps, with sums of few rotations so that there are some in a small ring.
#[test]
fn giant_steps_give_the_same_values() {
    let plan = BootstrapPlan::with_terms(&toy(8, 17, 32), 32, false, 4).unwrap();
    let fewer = plan.rotations().len();
    assert!(fewer < super::party().plan.rotations().len());
    let party = Party::of_plan(plan, cpu(1));
    let z = values(8, 32);
    let out = party
        .bootstrapper(1.0)
        .bootstrap(&party.encrypt(&[&z], 1.0))
        .unwrap();
    let bits = bits(&z, party.decrypt(&out).remove(0));
    assert!(bits >= 23.0, "{bits:.1} bits");
}

#[test]
fn two_vectors_come_in_as_one_and_out_side_by_side() {
    let plan = BootstrapPlan::of_pairs(&toy(8, 17, 32), 32).unwrap();
    assert_eq!((plan.period(), plan.values()), (16, 32));
    assert!(plan.rotations().len() < party().plan.rotations().len());
    let party = Party::of_plan(plan, cpu(1));
    let bootstrapper = party.bootstrapper(2.0);
    let (v, w) = (values(11, 16), values(12, 16));
    let both = [v.clone(), w.clone()].concat();
    let (v, w) = (party.encrypt(&[&v], 2.0), party.encrypt_at(5, &[&w], 1.0));
    let out = bootstrapper.bootstrap_pair(&v, &w).unwrap();
    assert_eq!((out.level(), out.bound()), (17, 2.0));
    let precision = bits(&both, party.decrypt(&out).remove(0));
    assert!(precision >= 22.0, "{precision:.1} bits");
    // Part by part is each bound.
    let large = party.encrypt(&[&both[..16]], 4.0);
    assert!(bootstrapper.bootstrap_pair(&v, &large).is_err());
    assert!(bootstrapper.bootstrap_pair(&large, &w).is_err());
    let single = super::party().bootstrapper(1.0);
    let one = super::party().encrypt(&[&both], 1.0);
    let error = single.bootstrap_pair(&one, &one).unwrap_err();
    assert!(
        error.to_string().contains("BootstrapPlan::of_pairs"),
        "{error}"
    );
}
