//! Operations with operands of every kind, on any engine: what two engines compute is then compared, to the bit.

use std::sync::Arc;

use arras_backend_gpu::GpuEngine;
use arras_hal::{
    Backend, Coeff, ConversionMode, Domain, Eval, GaloisElement, Key, KeyLayout, Limbs, Poly,
    PolyDomain, Ring, RingBasis, Shape,
};

use super::{Words, ring, spec};

/// What an engine computed, by name.
pub type Results = Vec<(String, Vec<u32>)>;

pub struct Case<B: Backend> {
    pub ring: Arc<Ring<B>>,
    pub words: Words,
    pub results: Results,
}

impl<B: Backend> Case<B> {
    pub fn new(engine: &B, basis: &Arc<RingBasis>, seed: u64) -> Self {
        Self {
            ring: ring(engine, basis),
            words: Words::new(seed),
            results: Vec::new(),
        }
    }

    pub fn poly<D: PolyDomain>(&mut self, polys: usize, limbs: &Limbs) -> Poly<B, D> {
        let words = self.words.rows(self.ring.basis(), polys, limbs);
        Poly::from_words(&self.ring, &Shape::new(polys, limbs.clone()), &words).unwrap()
    }

    pub fn key(&mut self, digits: usize) -> Key<B> {
        let limbs = self.ring.basis().all_limbs();
        let words = self.words.rows(self.ring.basis(), digits * 2, &limbs);
        Key::prepare(&self.ring, &KeyLayout { digits, limbs }, &words).unwrap()
    }

    /// A buffer below the typed layer.
    pub fn keep_buffer(&mut self, name: &str, buf: &B::Buf) {
        let (engine, ring) = (self.ring.engine(), self.ring.inner());
        let mut words = vec![0; engine.shape(buf).words(self.ring.basis().n())];
        engine
            .download(ring, buf, Domain::Eval, &mut words)
            .unwrap();
        self.results.push((name.into(), words));
    }

    pub fn keep<D: PolyDomain>(&mut self, name: &str, poly: &Poly<B, D>) {
        self.results.push((name.into(), poly.to_words().unwrap()));
    }
}

pub fn compare(engine: &GpuEngine, case: &str, got: &Results, expected: &Results) {
    assert_eq!(got.len(), expected.len());
    for ((name, got), (_, expected)) in got.iter().zip(expected) {
        let wrong = got.iter().zip(expected).filter(|(g, e)| g != e).count();
        let first = got.iter().zip(expected).position(|(g, e)| g != e);
        assert_eq!(
            first,
            None,
            "{case}, {name} on {}: {wrong} of {} words differ",
            engine.name(),
            expected.len()
        );
    }
}

pub fn arithmetic<B: Backend>(engine: &B, basis: &Arc<RingBasis>) -> Results {
    let mut case = Case::new(engine, basis, 1);
    let limbs = Limbs::new((0..basis.len()).filter(|i| i % 3 != 1));
    let a: Poly<B, Eval> = case.poly(4, &limbs);
    let b: Poly<B, Eval> = case.poly(4, &limbs);
    let half: Poly<B, Eval> = case.poly(2, &limbs);
    let one: Poly<B, Eval> = case.poly(1, &limbs);
    case.keep("upload and download", &a);
    case.keep("add", &a.add(&b).unwrap());
    case.keep("sub", &a.sub(&half).unwrap());
    case.keep("mul", &a.mul(&b).unwrap());
    case.keep("mul broadcast", &a.mul(&one).unwrap());
    case.keep("square", &a.mul(&a).unwrap());
    case.keep("neg", &a.neg().unwrap());
    let mut x = a.try_clone().unwrap();
    x.mul_acc(&b, &half).unwrap();
    case.keep("mul_acc", &x);
    x.add_assign(&one).unwrap();
    x.mul_assign(&half).unwrap();
    x.sub_assign(&b).unwrap();
    case.keep("assign", &x);
    let constants = basis.constants(&limbs, |q| q.value() / 3 + 1);
    case.keep("scale", &a.scale(&constants).unwrap());
    x.scale_assign(&constants).unwrap();
    case.keep("scale_assign", &x);
    case.keep(
        "zeros",
        &Poly::<B, Eval>::zeros(&case.ring, a.shape()).unwrap(),
    );
    let part = Limbs::new(limbs.iter().skip(1).step_by(2));
    case.keep("select", &a.select(1..3, &part).unwrap());
    let log_n = basis.log_n();
    for g in [
        GaloisElement::rotation(1, log_n),
        GaloisElement::rotation(-3, log_n),
        GaloisElement::conjugation(log_n),
        GaloisElement::IDENTITY,
    ] {
        case.keep("automorphism", &a.automorphism(g).unwrap());
    }
    case.keep("tensor", &a.tensor(&b).unwrap());
    let terms = [&a, &b, &x, &a];
    let others = [&b, &a, &a, &x];
    case.keep(
        "sum_of_products",
        &Poly::sum_of_products(&terms, &others).unwrap(),
    );
    let weights = [&half, &b, &one, &one];
    case.keep(
        "weighted_sum",
        &Poly::weighted_sum(&terms, &weights).unwrap(),
    );
    case.results
}

pub fn transforms<B: Backend>(engine: &B, basis: &Arc<RingBasis>) -> Results {
    let mut case = Case::new(engine, basis, 2);
    let limbs = basis.all_limbs();
    let a: Poly<B, Coeff> = case.poly(2, &limbs);
    let b: Poly<B, Eval> = case.poly(2, &limbs);
    let a = a.ntt();
    case.keep("ntt", &a);
    let b = b.intt();
    case.keep("intt", &b);
    case.keep("there and back", &a.intt());
    case.results
}

pub fn conversions<B: Backend>(engine: &B, basis: &Arc<RingBasis>) -> Results {
    let mut case = Case::new(engine, basis, 3);
    let count = basis.len();
    for (from, to) in [
        (Limbs::new(0..1), Limbs::new(1..count)),
        (Limbs::new(1..count), Limbs::new(0..1)),
        (
            Limbs::new((0..count).filter(|i| i % 2 == 0)),
            Limbs::new((0..count).filter(|i| i % 2 == 1)),
        ),
    ] {
        let x: Poly<B, Coeff> = case.poly(3, &from);
        for mode in [ConversionMode::Centred, ConversionMode::Quotient] {
            case.keep("base_convert", &x.base_convert(&to, mode).unwrap());
        }
    }
    for (from, to) in [
        (Limbs::new(0..count), Limbs::new(0..count - 2)),
        (Limbs::new(2..count), Limbs::new(0..count - 3)),
        (Limbs::new(1..3), Limbs::new(2..count)),
    ] {
        let x: Poly<B, Eval> = case.poly(3, &from);
        case.keep("rescale", &x.rescale(&to).unwrap());
    }
    case.results
}

pub fn key_switches<B: Backend>(engine: &B, basis: &Arc<RingBasis>, batches: &[usize]) -> Results {
    let mut case = Case::new(engine, basis, 4);
    let log_n = basis.log_n();
    let special = 2;
    let spec = spec(basis, special, 2);
    let top = Limbs::new(0..basis.len() - special);
    let window = Limbs::new(top.iter().skip(1));
    let lower = Limbs::new(top.iter().filter(|i| *i != 2 && *i != 3));
    let rotate = GaloisElement::rotation(3, log_n);
    let conjugate = GaloisElement::conjugation(log_n);
    let key = case.key(spec.groups.len());
    let other = case.key(spec.groups.len());
    for &batch in batches {
        for (window, to) in [(&top, &top), (&window, &window), (&window, &lower)] {
            let d: Poly<B, Eval> = case.poly(3 * batch, window);
            let c: Poly<B, Eval> = case.poly(2 * batch, window);
            let one: Poly<B, Eval> = case.poly(batch, window);
            case.keep("mod_up", &one.mod_up(&spec).unwrap());
            let switched = one.key_switch(None, &key, rotate, &spec, to).unwrap();
            case.keep("key_switch", &switched);
            let switched = one.key_switch(Some(&c), &key, rotate, &spec, to).unwrap();
            case.keep("key_switch with addend", &switched);
            case.keep("relinearize", &d.relinearize(&key, &spec, to).unwrap());
            case.keep("rotate", &c.rotate(&key, conjugate, &spec, to).unwrap());
            let terms = [
                (rotate, Some(&key)),
                (GaloisElement::IDENTITY, None),
                (conjugate, Some(&other)),
            ];
            for (k, p) in c
                .hoisted_rotations(&terms, &spec, to)
                .unwrap()
                .iter()
                .enumerate()
            {
                case.keep(&format!("hoisted {k}"), p);
            }
            case.keep(
                "rotation_sum",
                &c.rotation_sum(&terms, &[], &spec, to).unwrap(),
            );
            // More rotations than one launch takes, and the identity twice.
            let many: Vec<_> = (0..9)
                .map(|k| match k {
                    2 | 6 => (GaloisElement::IDENTITY, None),
                    _ => {
                        let key = if k % 2 == 0 { &key } else { &other };
                        (GaloisElement::rotation(k - 4, log_n), Some(key))
                    }
                })
                .collect();
            let sum = c.rotation_sum(&many, &[], &spec, to).unwrap();
            case.keep("rotation_sum of many", &sum);
            let ext = window.union(&spec.special);
            let w: [Poly<B, Eval>; 3] = [1, batch, 2 * batch].map(|polys| case.poly(polys, &ext));
            let weights = [&w[0], &w[1], &w[2]];
            let sum = c.rotation_sum(&terms, &weights, &spec, to).unwrap();
            case.keep("weighted rotation_sum", &sum);
            let only = [(GaloisElement::IDENTITY, None)];
            case.keep("identity", &c.rotation_sum(&only, &[], &spec, to).unwrap());
        }
    }
    case.results
}
