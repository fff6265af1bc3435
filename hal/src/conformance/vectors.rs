//! Recorded answers, made from big integers by a program that shares nothing with this crate
//! (`tests/vectors/make_vectors.py`).

use serde::Deserialize;

use super::{rig::Rig, rings, suite::Bed, values::Words};
use crate::{Backend, Domain, GaloisElement, KeyLayout, KeySwitchSpec, Limbs, Shape};

type Rows = Vec<Vec<u32>>;

#[derive(Deserialize)]
struct File {
    n: usize,
    moduli: Vec<u32>,
    psi: Vec<u32>,
    ntt: Vec<Ntt>,
    automorphism: Vec<Automorphism>,
    rescale: Vec<Rescale>,
    mod_up: Vec<ModUp>,
    key_switch: Vec<KeySwitch>,
}

#[derive(Deserialize)]
struct Ntt {
    name: String,
    limbs: Vec<usize>,
    input: Rows,
    output: Rows,
}

#[derive(Deserialize)]
struct Automorphism {
    galois: u64,
    permutation: Vec<u32>,
    limbs: Vec<usize>,
    input_coefficients: Rows,
    output_coefficients: Rows,
    input: Rows,
    output: Rows,
}

#[derive(Deserialize)]
struct Rescale {
    name: String,
    from: Vec<usize>,
    to: Vec<usize>,
    input: Rows,
    output: Rows,
}

#[derive(Deserialize)]
struct ModUp {
    name: String,
    window: Vec<usize>,
    special: Vec<usize>,
    groups: Vec<usize>,
    input: Rows,
    digits: Vec<Digit>,
}

#[derive(Deserialize)]
struct Digit {
    group: usize,
    source: Vec<usize>,
    output: Rows,
}

#[derive(Deserialize)]
struct KeySwitch {
    name: String,
    window: Vec<usize>,
    special: Vec<usize>,
    groups: Vec<usize>,
    to: Vec<usize>,
    galois: u64,
    d: Rows,
    addend: Vec<Rows>,
    key: Vec<Vec<Rows>>,
    output: Vec<Rows>,
}

fn limbs(list: &[usize]) -> Limbs {
    Limbs::new(list.iter().copied())
}

fn words(list: &[usize], domain: Domain, polys: &[&Rows]) -> Words {
    Words {
        shape: Shape::new(polys.len(), limbs(list)),
        domain,
        words: polys
            .iter()
            .flat_map(|rows| rows.iter().flatten())
            .copied()
            .collect(),
    }
}

fn spec(groups: &[usize], special: &[usize]) -> KeySwitchSpec {
    rings::groups(groups, limbs(special))
}

fn check<B: Backend>(bed: &Bed<'_, B>, json: &str) {
    let file: File = serde_json::from_str(json).expect("the file of recorded answers is valid");
    let log_n = file.n.trailing_zeros();
    let rig = bed.rig(&rings::ring(log_n, file.moduli.clone()));
    for (k, &psi) in file.psi.iter().enumerate() {
        assert_eq!(rig.basis.psi(k), psi, "psi of limb {k}");
    }
    for case in &file.ntt {
        transform(&rig, case);
    }
    for case in &file.automorphism {
        automorphism(&rig, case);
    }
    for case in &file.rescale {
        let (from, to) = (limbs(&case.from), limbs(&case.to));
        let plan = rig.basis.rescale_plan(&from, &to).expect("a valid pair");
        let src = rig.upload(&words(&case.from, Domain::Eval, &[&case.input]));
        let mut dst = rig.garbage(&Shape::new(1, to), 0);
        rig.rescale(&mut dst, &src, &plan).expect("rescale");
        let expected = words(&case.to, Domain::Eval, &[&case.output]);
        rig.expect(&dst, &expected, &format!("rescale, {}", case.name));
    }
    for case in &file.mod_up {
        mod_up(&rig, case);
    }
    for case in &file.key_switch {
        key_switch(&rig, case);
    }
}

fn transform<B: Backend>(rig: &Rig<B>, case: &Ntt) {
    let input = words(&case.limbs, Domain::Coeff, &[&case.input]);
    let output = words(&case.limbs, Domain::Eval, &[&case.output]);
    let mut x = rig.upload(&input);
    rig.ntt(&mut x);
    rig.expect(&x, &output, &format!("ntt, {}", case.name));
    rig.intt(&mut x);
    rig.expect(&x, &input, &format!("intt, {}", case.name));
}

fn automorphism<B: Backend>(rig: &Rig<B>, case: &Automorphism) {
    let what = format!("automorphism, X^{}", case.galois);
    let g = GaloisElement::new(case.galois, rig.basis.log_n()).expect("a valid element");
    assert_eq!(
        g.evaluation_permutation(rig.basis.log_n()),
        case.permutation
    );
    let input = words(&case.limbs, Domain::Eval, &[&case.input]);
    let src = rig.upload(&input);
    let mut dst = rig.garbage(&input.shape, 0);
    rig.automorphism(&mut dst, &src, g);
    let output = words(&case.limbs, Domain::Eval, &[&case.output]);
    rig.expect(&dst, &output, &what);
    rig.intt(&mut dst);
    let output = words(&case.limbs, Domain::Coeff, &[&case.output_coefficients]);
    rig.expect(&dst, &output, &format!("{what}, coefficients"));
    let mut x = rig.upload(&words(
        &case.limbs,
        Domain::Coeff,
        &[&case.input_coefficients],
    ));
    rig.ntt(&mut x);
    rig.expect(&x, &input, &format!("{what}, the input's transform"));
}

fn mod_up<B: Backend>(rig: &Rig<B>, case: &ModUp) {
    let spec = spec(&case.groups, &case.special);
    let window = limbs(&case.window);
    let plan = rig.basis.mod_up_plan(&spec, &window).expect("a valid plan");
    for (digit, recorded) in plan.digits().iter().zip(&case.digits) {
        assert_eq!(digit.key_digit(), recorded.group, "{}", case.name);
        assert_eq!(digit.source(), &limbs(&recorded.source), "{}", case.name);
    }
    let ext: Vec<usize> = window.union(&spec.special).iter().collect();
    let src = rig.upload(&words(&case.window, Domain::Eval, &[&case.input]));
    let mut dst = rig.garbage(&Shape::new(case.digits.len(), limbs(&ext)), 0);
    rig.mod_up(&mut dst, &src, &plan).expect("mod_up");
    let digits: Vec<&Rows> = case.digits.iter().map(|d| &d.output).collect();
    let expected = words(&ext, Domain::Eval, &digits);
    rig.expect(&dst, &expected, &format!("mod_up, {}", case.name));
}

fn key_switch<B: Backend>(rig: &Rig<B>, case: &KeySwitch) {
    let (window, to) = (limbs(&case.window), limbs(&case.to));
    let spec = spec(&case.groups, &case.special);
    let plan = rig
        .basis
        .key_switch_plan(&spec, &window, &to)
        .expect("a valid plan");
    let all: Vec<usize> = (0..rig.basis.len()).collect();
    let key: Vec<&Rows> = case.key.iter().flatten().collect();
    let layout = KeyLayout {
        digits: case.key.len(),
        limbs: limbs(&all),
    };
    let key = words(&all, Domain::Eval, &key);
    let key = rig.key(&layout, &key.words);
    let src = rig.upload(&words(&case.window, Domain::Eval, &[&case.d]));
    let addend: Vec<&Rows> = case.addend.iter().collect();
    let addend =
        (!addend.is_empty()).then(|| rig.upload(&words(&case.window, Domain::Eval, &addend)));
    let g = GaloisElement::new(case.galois, rig.basis.log_n()).expect("a valid element");
    let mut dst = rig.garbage(&Shape::new(2, to), 0);
    rig.key_switch(&mut dst, &src, addend.as_ref(), &key, g, &plan)
        .expect("key_switch");
    let output: Vec<&Rows> = case.output.iter().collect();
    let expected = words(&case.to, Domain::Eval, &output);
    rig.expect(&dst, &expected, &format!("key_switch, {}", case.name));
}

/// All recorded answers at N = 8.
pub fn recorded_answers_n8<B: Backend>(bed: &Bed<'_, B>) {
    check(bed, include_str!("../../tests/vectors/n8.json"));
}

/// All recorded answers at N = 64.
pub fn recorded_answers_n64<B: Backend>(bed: &Bed<'_, B>) {
    check(bed, include_str!("../../tests/vectors/n64.json"));
}
