//! Algebraic laws that hold for every input, by proptest: they need no other engine.
//!
//! All equalities are of bits. Failing scenarios shrink to a small shape; inputs follow from the scenario's seed.

mod switching;

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    rig::Rig,
    suite::Bed,
    values::{Values, Words},
};
use crate::{Backend, Domain, GaloisElement, Limbs, Shape, composites};

pub use switching::*;

#[derive(Clone, Debug)]
struct Scenario {
    log_n: u32,
    batch: usize,
    /// Number of limbs for element-wise laws, index of the window for key switching.
    window: usize,
    /// A half of a Galois element.
    galois: u32,
    seed: u64,
}

/// A scenario on an engine: operations that return their outputs.
struct Lab<B: Backend> {
    rig: Rc<Rig<B>>,
    scenario: Scenario,
    values: RefCell<Values>,
}

fn for_all<B: Backend>(bed: &Bed<'_, B>, cases: u32, law: impl Fn(&Lab<B>)) {
    let config = Config {
        cases,
        max_shrink_iters: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let strategy = (3u32..=6, 1usize..=3, 0usize..6, any::<u32>(), any::<u64>()).prop_map(
        |(log_n, batch, window, galois, seed)| Scenario {
            log_n,
            batch,
            window,
            galois,
            seed,
        },
    );
    let rigs: RefCell<HashMap<u32, Rc<Rig<B>>>> = RefCell::default();
    let result = TestRunner::new_with_rng(config, rng).run(&strategy, |scenario| {
        let rig = rigs
            .borrow_mut()
            .entry(scenario.log_n)
            .or_insert_with(|| Rc::new(bed.standard(scenario.log_n)))
            .clone();
        let values = RefCell::new(Values::new("laws", scenario.seed));
        law(&Lab {
            rig,
            scenario,
            values,
        });
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

impl<B: Backend> Lab<B> {
    /// Limbs for element-wise laws.
    fn limbs(&self) -> Limbs {
        let all = self.rig.basis.all_limbs();
        self.values
            .borrow_mut()
            .some_limbs(&all, self.scenario.window + 1)
    }

    fn shape(&self) -> Shape {
        Shape::new(self.scenario.batch, self.limbs())
    }

    fn words(&self, shape: &Shape, domain: Domain) -> Words {
        let mut values = self.values.borrow_mut();
        values.words(&self.rig.basis, shape, domain)
    }

    fn eval(&self, shape: &Shape) -> B::Buf {
        self.rig.upload(&self.words(shape, Domain::Eval))
    }

    fn out(&self, shape: &Shape) -> B::Buf {
        let seed = u64::from(self.values.borrow_mut().word());
        self.rig.garbage(shape, seed)
    }

    /// A Galois element made from the scenario's.
    fn galois(&self, k: u32) -> GaloisElement {
        let two_n = 2u32 << self.scenario.log_n;
        let odd = self.scenario.galois.wrapping_mul(2 * k + 1) | 1;
        GaloisElement::new(u64::from(odd % two_n), self.scenario.log_n).expect("odd and below 2N")
    }

    fn product_of(&self, a: GaloisElement, b: GaloisElement) -> GaloisElement {
        let two_n = 2u64 << self.scenario.log_n;
        let product = u64::from(a.value()) * u64::from(b.value()) % two_n;
        GaloisElement::new(product, self.scenario.log_n).expect("odd and below 2N")
    }

    fn binary(
        &self,
        op: impl Fn(&B, &B::Ring, &mut B::Buf, &B::Buf, &B::Buf),
        a: &B::Buf,
        b: &B::Buf,
    ) -> B::Buf {
        let mut dst = self.out(self.rig.engine.shape(a));
        op(&self.rig.engine, &self.rig.ring, &mut dst, a, b);
        dst
    }

    fn add(&self, a: &B::Buf, b: &B::Buf) -> B::Buf {
        self.binary(B::add, a, b)
    }

    fn sub(&self, a: &B::Buf, b: &B::Buf) -> B::Buf {
        self.binary(B::sub, a, b)
    }

    fn mul(&self, a: &B::Buf, b: &B::Buf) -> B::Buf {
        self.binary(B::mul, a, b)
    }

    fn neg(&self, a: &B::Buf) -> B::Buf {
        let mut dst = self.out(self.rig.engine.shape(a));
        let done = self.rig.neg(&mut dst, a);
        done.expect("neg");
        dst
    }

    fn ntt(&self, mut a: B::Buf) -> B::Buf {
        self.rig.ntt(&mut a);
        a
    }

    fn intt(&self, mut a: B::Buf) -> B::Buf {
        self.rig.intt(&mut a);
        a
    }

    fn automorphism(&self, a: &B::Buf, g: GaloisElement) -> B::Buf {
        let mut dst = self.out(self.rig.engine.shape(a));
        self.rig.automorphism(&mut dst, a, g);
        dst
    }

    /// Polynomials `first..first + count`.
    fn part(&self, a: &B::Buf, first: usize, count: usize) -> B::Buf {
        let shape = self.rig.engine.shape(a).with_polys(count);
        let limbs = (0..shape.limbs.len()).map(|l| (l, l));
        let rows = composites::rows((0..count).map(|p| (p, first + p)), limbs);
        let mut dst = self.out(&shape);
        self.rig.copy_rows(&mut dst, a, &rows);
        dst
    }

    fn same(&self, a: &B::Buf, b: &B::Buf, domain: Domain, what: &str) {
        let b = self.rig.download(b, domain, what);
        self.rig.download(a, domain, what).assert_same(&b, what);
    }

    fn same_eval(&self, a: &B::Buf, b: &B::Buf, what: &str) {
        self.same(a, b, Domain::Eval, what);
    }
}

/// intt(ntt(x)) = x and ntt(intt(x)) = x.
pub fn transforms_are_inverse<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 24, |lab| {
        let shape = lab.shape();
        for domain in [Domain::Coeff, Domain::Eval] {
            let words = lab.words(&shape, domain);
            let there = lab.rig.upload(&words);
            let back = match domain {
                Domain::Coeff => lab.intt(lab.ntt(there)),
                Domain::Eval => lab.ntt(lab.intt(there)),
            };
            lab.rig
                .download(&back, domain, "there and back")
                .assert_same(&words, "there and back");
        }
    });
}

/// ntt(a + b) = ntt(a) + ntt(b), and ntt(c a) = c ntt(a).
pub fn transforms_are_linear<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 24, |lab| {
        let shape = lab.shape();
        let [a, b] = [0, 1].map(|_| lab.words(&shape, Domain::Coeff));
        let up = |words| lab.rig.upload(words);
        let sum_first = lab.ntt(lab.add(&up(&a), &up(&b)));
        let (na, nb) = (lab.ntt(up(&a)), lab.ntt(up(&b)));
        lab.same_eval(&sum_first, &lab.add(&na, &nb), "ntt of a sum");
        let seed = lab.scenario.galois;
        let (e, r) = (&lab.rig.engine, &lab.rig.ring);
        let constants = lab.rig.basis.constants(&shape.limbs, |q| seed % q.value());
        let (mut scaled, mut expected) = (lab.out(&shape), lab.out(&shape));
        e.scale(r, &mut scaled, &up(&a), &constants);
        e.scale(r, &mut expected, &na, &constants);
        lab.same_eval(&lab.ntt(scaled), &expected, "ntt of a multiple");
    });
}

/// Addition and multiplication make a commutative ring.
pub fn products_and_sums_make_a_ring<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 24, |lab| {
        let shape = lab.shape();
        let [a, b, c] = [0, 1, 2].map(|_| lab.eval(&shape));
        lab.same_eval(&lab.add(&a, &b), &lab.add(&b, &a), "a + b = b + a");
        lab.same_eval(&lab.mul(&a, &b), &lab.mul(&b, &a), "a b = b a");
        let left = lab.add(&lab.add(&a, &b), &c);
        lab.same_eval(
            &left,
            &lab.add(&a, &lab.add(&b, &c)),
            "(a + b) + c = a + (b + c)",
        );
        let left = lab.mul(&lab.mul(&a, &b), &c);
        lab.same_eval(&left, &lab.mul(&a, &lab.mul(&b, &c)), "(a b) c = a (b c)");
        let left = lab.mul(&lab.add(&a, &b), &c);
        let right = lab.add(&lab.mul(&a, &c), &lab.mul(&b, &c));
        lab.same_eval(&left, &right, "(a + b) c = a c + b c");
        lab.same_eval(
            &lab.sub(&a, &b),
            &lab.add(&a, &lab.neg(&b)),
            "a - b = a + (-b)",
        );
        let mut zero = lab.out(&shape);
        lab.rig.zero(&mut zero);
        lab.same_eval(&lab.sub(&a, &a), &zero, "a - a = 0");
        let mut acc = lab.part(&c, 0, shape.polys);
        lab.rig.mul_acc(&mut acc, &a, &b);
        lab.same_eval(&acc, &lab.add(&c, &lab.mul(&a, &b)), "mul_acc = c + a b");
    });
}

/// A tensor is its three products.
pub fn tensors_are_products<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 16, |lab| {
        let batch = lab.scenario.batch;
        let shape = Shape::new(2 * batch, lab.limbs());
        let (a, b) = (lab.eval(&shape), lab.eval(&shape));
        let mut d = lab.out(&shape.with_polys(3 * batch));
        let done = lab.rig.tensor(&mut d, &a, &b);
        done.expect("tensor");
        let [a0, a1] = [0, batch].map(|first| lab.part(&a, first, batch));
        let [b0, b1] = [0, batch].map(|first| lab.part(&b, first, batch));
        let [d0, d1, d2] = [0, batch, 2 * batch].map(|first| lab.part(&d, first, batch));
        lab.same_eval(&d0, &lab.mul(&a0, &b0), "d0 = a0 b0");
        let cross = lab.add(&lab.mul(&a0, &b1), &lab.mul(&a1, &b0));
        lab.same_eval(&d1, &cross, "d1 = a0 b1 + a1 b0");
        lab.same_eval(&d2, &lab.mul(&a1, &b1), "d2 = a1 b1");
    });
}

/// Automorphisms compose, and are homomorphisms of the ring.
pub fn automorphisms_compose<B: Backend>(bed: &Bed<'_, B>) {
    for_all(bed, 24, |lab| {
        let shape = lab.shape();
        let (a, b) = (lab.eval(&shape), lab.eval(&shape));
        let (g, h) = (lab.galois(0), lab.galois(1));
        let twice = lab.automorphism(&lab.automorphism(&a, g), h);
        let once = lab.automorphism(&a, lab.product_of(g, h));
        lab.same_eval(&twice, &once, "X -> X^g, then X -> X^h");
        let identity = lab.automorphism(&a, GaloisElement::IDENTITY);
        lab.same_eval(&identity, &a, "X -> X");
        let [ga, gb] = [&a, &b].map(|x| lab.automorphism(x, g));
        let product = lab.automorphism(&lab.mul(&a, &b), g);
        lab.same_eval(&product, &lab.mul(&ga, &gb), "image of a product");
        let sum = lab.automorphism(&lab.add(&a, &b), g);
        lab.same_eval(&sum, &lab.add(&ga, &gb), "image of a sum");
    });
}
