//! The calls on which engines are compared: for every operation of the table, shapes, windows and values that
//! have broken engines before.

use std::sync::Arc;

use super::{
    call::{Call, KeyWords, Op, Out},
    rig::Words,
    rings,
    values::{Values, quotient_ties},
};
use crate::{
    ConversionMode, Domain, GaloisElement, KeyLayout, KeySwitchPlan, LimbConstants, Limbs,
    RingBasis, RowCopy, Shape,
};

/// The calls for one operation at one size.
///
/// # Panics
/// If the suite has no cases for the operation: a new line of the op table needs them.
pub(super) fn cases(op: &str, log_n: u32) -> Vec<Call> {
    let mut c = Cases::new(rings::standard(log_n), op);
    match op {
        "copy_rows" => c.copy_rows(),
        "zero" => c.zero(),
        "ntt" => c.transforms(Domain::Coeff),
        "intt" => c.transforms(Domain::Eval),
        "add" => c.binary(&[Domain::Coeff, Domain::Eval], || Op::Add),
        "sub" => c.binary(&[Domain::Coeff, Domain::Eval], || Op::Sub),
        "mul" => c.binary(&[Domain::Eval], || Op::Mul),
        "mul_acc" => c.mul_acc(),
        "scale" => c.scale(),
        "automorphism" => c.automorphism(),
        "base_convert" => c.base_convert(),
        "key_inner_product" => c.key_inner_product(),
        "add_assign" => c.assign(&[Domain::Coeff, Domain::Eval], || Op::AddAssign),
        "sub_assign" => c.assign(&[Domain::Coeff, Domain::Eval], || Op::SubAssign),
        "mul_assign" => c.assign(&[Domain::Eval], || Op::MulAssign),
        "scale_assign" => c.scale_assign(),
        "neg" => c.neg(),
        "rescale" => c.rescale(),
        "mod_up" => c.mod_up(),
        "mod_down_and_rescale" => c.mod_down_and_rescale(),
        "tensor" => c.tensor(),
        "sum_of_products" => c.sum_of_products(),
        "weighted_sum" => c.weighted_sum(),
        "key_switch" => c.key_switch(),
        "relinearize" => c.relinearize(),
        "rotate" => c.rotate(),
        "hoisted_rotations" => c.hoisted_rotations(),
        "rotation_sum" => c.rotation_sum(),
        _ => panic!("the conformance suite has no case for {op}; add some here"),
    }
    assert!(
        !c.calls.is_empty() && c.calls.iter().all(|call| call.op.name() == op),
        "the cases for {op} are not of {op}"
    );
    c.calls
}

/// Base conversions from as many primes as a table allows, every residue as large as it can be among them.
pub(super) fn wide_conversions(log_n: u32) -> Vec<Call> {
    let mut c = Cases::new(rings::wide(log_n, 63), "wide conversions");
    for mode in [ConversionMode::Centred, ConversionMode::Quotient] {
        c.conversion(&Limbs::new(3..63), &Limbs::new(0..3), mode, 1);
        c.conversion(&Limbs::new(0..41), &Limbs::new([45, 50, 62]), mode, 2);
        c.conversion(&Limbs::new([7]), &Limbs::new(8..63), mode, 1);
    }
    c.calls
}

/// A forward and an inverse transform at one large size.
pub(super) fn large_transforms(log_n: u32) -> Vec<Call> {
    let mut c = Cases::new(rings::standard(log_n), "large transforms");
    let shape = Shape::new(2, Limbs::new([1, 6, 12]));
    c.transform(&shape, Domain::Coeff);
    c.transform(&shape, Domain::Eval);
    c.calls
}

struct Cases {
    basis: Arc<RingBasis>,
    values: Values,
    calls: Vec<Call>,
}

fn shape(polys: usize, limbs: &[usize]) -> Shape {
    Shape::new(polys, Limbs::new(limbs.iter().copied()))
}

/// Batches of 1 to 6 over single limbs, runs, gaps and the kinds of primes mixed.
fn shapes() -> [Shape; 6] {
    [
        shape(1, &[0]),
        shape(2, &[4, 5, 6]),
        shape(3, &[0, 2, 5, 9, 14]),
        shape(4, &[1, 13]),
        shape(5, &[3, 4]),
        shape(6, &[7, 12]),
    ]
}

/// The numbers of polynomials an operand may have for `polys` of the output.
fn divisors(polys: usize) -> impl Iterator<Item = usize> + Clone {
    (1..=polys).filter(move |&d| polys.is_multiple_of(d))
}

impl Cases {
    fn new(basis: Arc<RingBasis>, label: &str) -> Self {
        let seed = u64::from(basis.log_n());
        Self {
            basis,
            values: Values::new(label, seed),
            calls: Vec::new(),
        }
    }

    /// Large rings get the first few of a list only: sizes matter there, not combinations.
    fn few<T>(&self, list: Vec<T>) -> Vec<T> {
        let count = if self.basis.log_n() > 9 {
            2
        } else {
            list.len()
        };
        list.into_iter().take(count).collect()
    }

    fn words(&mut self, shape: &Shape, domain: Domain) -> Words {
        self.values.words(&self.basis, shape, domain)
    }

    fn eval(&mut self, polys: usize, limbs: &Limbs) -> Words {
        self.words(&Shape::new(polys, limbs.clone()), Domain::Eval)
    }

    fn push(&mut self, op: Op, ins: Vec<Words>, out: Out, keys: Vec<Option<KeyWords>>) {
        self.calls.push(Call {
            basis: self.basis.clone(),
            op,
            ins,
            outs: vec![out],
            keys,
        });
    }

    fn written(&mut self, op: Op, ins: Vec<Words>, shape: &Shape, domain: Domain) {
        let out = Out {
            shape: shape.clone(),
            domain,
            initial: None,
        };
        self.push(op, ins, out, Vec::new());
    }

    fn updated(&mut self, op: Op, ins: Vec<Words>, initial: Words, domain: Domain) {
        let out = Out {
            shape: initial.shape.clone(),
            domain,
            initial: Some(initial),
        };
        self.push(op, ins, out, Vec::new());
    }

    fn copy_rows(&mut self) {
        for (k, to) in shapes().into_iter().enumerate() {
            let domain = [Domain::Coeff, Domain::Eval][k % 2];
            let from = Shape::new(k % 4 + 1, self.values.some_limbs(&Limbs::new(0..15), 2));
            let mut list = Vec::new();
            for (p, (d, limb)) in (0..to.polys).flat_map(|p| {
                let limbs = to.limbs.iter().enumerate();
                limbs.map(move |entry| (p, entry)).collect::<Vec<_>>()
            }) {
                // The last shape's list stays empty: a copy of nothing is a valid call.
                if let Some(s) = from.limbs.position(limb)
                    && k != 5
                    && self.values.below(4) != 0
                {
                    list.push(RowCopy {
                        dst_poly: p as u32,
                        dst_limb: d as u32,
                        src_poly: self.values.below(from.polys as u32),
                        src_limb: s as u32,
                    });
                }
            }
            let (src, old) = (self.words(&from, domain), self.words(&to, domain));
            self.updated(Op::CopyRows(list), vec![src], old, domain);
        }
    }

    fn zero(&mut self) {
        for shape in shapes() {
            self.written(Op::Zero, Vec::new(), &shape, Domain::Coeff);
            self.written(Op::Zero, Vec::new(), &shape, Domain::Eval);
        }
    }

    fn transform(&mut self, shape: &Shape, from: Domain) {
        let initial = self.words(shape, from);
        match from {
            Domain::Coeff => self.updated(Op::Ntt, Vec::new(), initial, Domain::Eval),
            Domain::Eval => self.updated(Op::Intt, Vec::new(), initial, Domain::Coeff),
        }
    }

    fn transforms(&mut self, from: Domain) {
        for shape in shapes() {
            self.transform(&shape, from);
        }
        self.transform(&Shape::new(1, self.basis.all_limbs()), from);
    }

    fn binary(&mut self, domains: &[Domain], op: impl Fn() -> Op) {
        for &domain in domains {
            for shape in self.few(shapes().to_vec()) {
                for d in divisors(shape.polys) {
                    let whole = self.words(&shape, domain);
                    let part = self.words(&shape.with_polys(d), domain);
                    if d < shape.polys {
                        let ins = vec![part.clone(), whole.clone()];
                        self.written(op(), ins, &shape, domain);
                    }
                    self.written(op(), vec![whole, part], &shape, domain);
                }
            }
        }
    }

    fn mul_acc(&mut self) {
        for shape in self.few(shapes().to_vec()) {
            for d in divisors(shape.polys) {
                let old = self.words(&shape, Domain::Eval);
                let a = self.words(&shape, Domain::Eval);
                let b = self.words(&shape.with_polys(d), Domain::Eval);
                let ins = if d == 2 { vec![b, a] } else { vec![a, b] };
                self.updated(Op::MulAcc, ins, old, Domain::Eval);
            }
        }
    }

    fn assign(&mut self, domains: &[Domain], op: impl Fn() -> Op) {
        for &domain in domains {
            for shape in self.few(shapes().to_vec()) {
                for d in divisors(shape.polys) {
                    let old = self.words(&shape, domain);
                    let a = self.words(&shape.with_polys(d), domain);
                    self.updated(op(), vec![a], old, domain);
                }
            }
        }
    }

    fn constants(&mut self, limbs: &Limbs) -> LimbConstants {
        let list: Vec<(u32, u32)> = limbs
            .iter()
            .map(|i| self.basis.modulus(i).value())
            .map(|q| (q, self.values.residue(q)))
            .collect();
        self.basis.constants(limbs, |q| {
            let found = list.iter().find(|(modulus, _)| *modulus == q.value());
            found.map_or(0, |&(_, value)| value)
        })
    }

    fn scale(&mut self) {
        for domain in [Domain::Coeff, Domain::Eval] {
            for shape in self.few(shapes().to_vec()) {
                for d in divisors(shape.polys) {
                    let op = Op::Scale(self.constants(&shape.limbs));
                    let a = self.words(&shape.with_polys(d), domain);
                    self.written(op, vec![a], &shape, domain);
                }
            }
        }
    }

    fn scale_assign(&mut self) {
        for domain in [Domain::Coeff, Domain::Eval] {
            for shape in self.few(shapes().to_vec()) {
                let op = Op::ScaleAssign(self.constants(&shape.limbs));
                let old = self.words(&shape, domain);
                self.updated(op, Vec::new(), old, domain);
            }
        }
    }

    fn neg(&mut self) {
        for domain in [Domain::Coeff, Domain::Eval] {
            for shape in self.few(shapes().to_vec()) {
                for d in divisors(shape.polys) {
                    let a = self.words(&shape.with_polys(d), domain);
                    self.written(Op::Neg, vec![a], &shape, domain);
                }
            }
        }
    }

    /// 1, 5, 2N - 1, a right rotation, and any.
    fn elements(&mut self) -> [GaloisElement; 5] {
        let log_n = self.basis.log_n();
        let any = 2 * u64::from(self.values.below(1 << log_n)) + 1;
        [
            GaloisElement::rotation(1, log_n),
            GaloisElement::conjugation(log_n),
            GaloisElement::IDENTITY,
            GaloisElement::rotation(-1, log_n),
            GaloisElement::new(any, log_n).expect("odd and below 2N"),
        ]
    }

    fn automorphism(&mut self) {
        for shape in self.few(shapes().to_vec()) {
            for g in self.elements() {
                let a = self.words(&shape, Domain::Eval);
                self.written(Op::Automorphism(g), vec![a], &shape, Domain::Eval);
            }
        }
    }

    fn conversion(&mut self, from: &Limbs, to: &Limbs, mode: ConversionMode, polys: usize) {
        let table = self.basis.conversion_table(from, to, mode);
        let table = table.expect("the case's limbs are disjoint");
        let mut src = self.words(&Shape::new(polys, from.clone()), Domain::Coeff);
        // The first coefficients are the extremes of the representative: all 0, all q - 1, all just below and above half.
        let n = self.basis.n();
        for (row, words) in src.words.chunks_exact_mut(n).enumerate() {
            let q = self.basis.modulus(from.at(row % from.len())).value();
            words[..4].copy_from_slice(&[0, q - 1, (q - 1) / 2, q.div_ceil(2)]);
        }
        let moduli: Vec<u32> = from.iter().map(|i| self.basis.modulus(i).value()).collect();
        for (k, column) in quotient_ties(&moduli).iter().enumerate().take(n - 4) {
            for (i, &x) in column.iter().enumerate() {
                src.words[i * n + 4 + k] = x;
            }
        }
        let out = Shape::new(polys, to.clone());
        self.written(Op::BaseConvert(table), vec![src], &out, Domain::Coeff);
    }

    fn base_convert(&mut self) {
        let limbs = |list: &[usize]| Limbs::new(list.iter().copied());
        let pairs = self.few(vec![
            (limbs(&[4, 5, 6]), limbs(&[0, 1, 12]), 2),
            (limbs(&[12, 13, 14]), Limbs::new(0..12), 1),
            (limbs(&[4]), limbs(&[5]), 1),
            (limbs(&[12]), limbs(&[2, 8]), 1),
            (limbs(&[0, 2, 9]), limbs(&[1, 5, 7, 14]), 3),
            (Limbs::new(0..12), limbs(&[12]), 2),
            (limbs(&[1, 3, 5, 7, 9, 11, 13]), limbs(&[0, 2, 4]), 5),
        ]);
        for (from, to, polys) in pairs {
            for mode in [ConversionMode::Centred, ConversionMode::Quotient] {
                self.conversion(&from, &to, mode, polys);
            }
        }
    }

    fn key(&mut self, digits: usize, limbs: &Limbs) -> KeyWords {
        let rows = self.eval(2 * digits, limbs);
        KeyWords {
            layout: KeyLayout {
                digits,
                limbs: limbs.clone(),
            },
            words: rows.words,
        }
    }

    fn key_inner_product(&mut self) {
        let all = self.basis.all_limbs();
        let cases: [(&[usize], &[usize], usize, usize); 5] = [
            (&[0, 2, 5, 12, 13], &[0], 1, 1),
            (&[4, 5, 12], &[0, 1, 2], 3, 2),
            (&[1, 3, 9, 12, 13, 14], &[0, 2], 4, 1),
            (&[6], &[3, 1], 4, 3),
            (&[0, 14], &[0, 1, 2, 3, 4, 5, 6], 7, 1),
        ];
        for (k, (limbs, key_digits, digits, batch)) in
            self.few(cases.to_vec()).into_iter().enumerate()
        {
            let limbs = Limbs::new(limbs.iter().copied());
            for g in self.elements() {
                // Keys of every other case have exactly the limbs of the call, the rest are cut.
                let key = self.key(digits, if k % 2 == 0 { &all } else { &limbs });
                let extended = self.eval(key_digits.len() * batch, &limbs);
                let out = Out {
                    shape: Shape::new(2 * batch, limbs.clone()),
                    domain: Domain::Eval,
                    initial: None,
                };
                let op = Op::KeyInnerProduct(key_digits.to_vec(), g);
                self.push(op, vec![extended], out, vec![Some(key)]);
            }
        }
    }

    fn rescale(&mut self) {
        for (k, (from, to)) in self.few(rings::rescales()).into_iter().enumerate() {
            let plan = self.basis.rescale_plan(&from, &to).expect("a valid pair");
            let polys = [1, 2, 3, 5][k % 4];
            let src = self.eval(polys, &from);
            let out = Shape::new(polys, to);
            self.written(Op::Rescale(plan), vec![src], &out, Domain::Eval);
        }
    }

    fn plans(&self) -> Vec<Arc<KeySwitchPlan>> {
        let plan = |(spec, window, to)| self.basis.key_switch_plan(&spec, &window, &to);
        let all: Vec<_> = rings::switches()
            .into_iter()
            .map(|s| plan(s).expect("a valid switch"))
            .collect();
        if self.basis.log_n() > 9 {
            return vec![all[2].clone(), all[5].clone()];
        }
        all
    }

    fn mod_up(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            let plan = plan.mod_up().clone();
            let batch = k % 3 + 1;
            let src = self.eval(batch, plan.window());
            let out = Shape::new(batch * plan.digits().len(), plan.ext().clone());
            self.written(Op::ModUp(plan), vec![src], &out, Domain::Eval);
        }
    }

    /// Addends of none, one and two components in turn.
    fn addend(&mut self, k: usize, batch: usize, window: &Limbs) -> Option<Words> {
        (!k.is_multiple_of(3)).then(|| self.eval(batch * (k % 3), window))
    }

    fn mod_down_and_rescale(&mut self) {
        for plan in self.plans() {
            let elements = self.elements();
            for (k, g) in elements.into_iter().enumerate() {
                let batch = k % 2 + 1;
                let mut ins = vec![self.eval(2 * batch, plan.ext())];
                ins.extend(self.addend(k + 1, batch, plan.window()));
                let out = Shape::new(2 * batch, plan.to().clone());
                let op = Op::ModDownAndRescale(g, plan.clone());
                self.written(op, ins, &out, Domain::Eval);
            }
        }
    }

    fn tensor(&mut self) {
        for (batch, shape) in self.few(shapes().to_vec()).into_iter().enumerate() {
            let batch = batch % 3 + 1;
            let ins = vec![
                self.eval(2 * batch, &shape.limbs),
                self.eval(2 * batch, &shape.limbs),
            ];
            let out = shape.with_polys(3 * batch);
            self.written(Op::Tensor, ins, &out, Domain::Eval);
        }
    }

    fn sum_of_products(&mut self) {
        // Seventeen terms: sums kept lazily in 32 or 64 bits have to be reduced on the way.
        for (terms, batch, limbs) in self.few(vec![
            (3, 1, Limbs::new([0, 4, 12])),
            (1, 2, Limbs::new([4, 5])),
            (2, 3, Limbs::new([13])),
            (17, 1, Limbs::new([1, 12])),
        ]) {
            let ins = (0..2 * terms)
                .map(|_| self.eval(2 * batch, &limbs))
                .collect();
            let out = Shape::new(3 * batch, limbs);
            self.written(Op::SumOfProducts, ins, &out, Domain::Eval);
        }
    }

    fn weighted_sum(&mut self) {
        for (terms, polys, limbs) in self.few(vec![
            (3, 2, Limbs::new([0, 4, 12])),
            (1, 1, Limbs::new([4, 5])),
            (5, 6, Limbs::new([3, 13])),
            (33, 1, Limbs::new([12, 14])),
        ]) {
            let sizes: Vec<usize> = divisors(polys).collect();
            let mut ins: Vec<Words> = (0..terms).map(|_| self.eval(polys, &limbs)).collect();
            for k in 0..terms {
                ins.push(self.eval(sizes[k % sizes.len()], &limbs));
            }
            let out = Shape::new(polys, limbs);
            self.written(Op::WeightedSum, ins, &out, Domain::Eval);
        }
    }

    /// A key for the plan: over the whole basis, or just the limbs and digits that are needed.
    fn key_for(&mut self, plan: &KeySwitchPlan, whole: bool) -> KeyWords {
        let digits = plan.mod_up().key_digits().iter().max().map_or(0, |d| d + 1);
        if whole {
            let all = self.basis.all_limbs();
            self.key(digits + 1, &all)
        } else {
            self.key(digits, plan.ext())
        }
    }

    fn switched(
        &mut self,
        op: Op,
        ins: Vec<Words>,
        batch: usize,
        plan: &KeySwitchPlan,
        key: KeyWords,
    ) {
        let out = Out {
            shape: Shape::new(2 * batch, plan.to().clone()),
            domain: Domain::Eval,
            initial: None,
        };
        self.push(op, ins, out, vec![Some(key)]);
    }

    fn key_switch(&mut self) {
        for (j, plan) in self.plans().into_iter().enumerate() {
            for (k, g) in self.elements().into_iter().take(3).enumerate() {
                let batch = (j + k) % 3 + 1;
                let key = self.key_for(&plan, k % 2 == 0);
                let mut ins = vec![self.eval(batch, plan.window())];
                ins.extend(self.addend(j + k, batch, plan.window()));
                let op = Op::KeySwitch(g, plan.clone());
                self.switched(op, ins, batch, &plan, key);
            }
        }
    }

    fn relinearize(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            let batch = k % 2 + 1;
            let key = self.key_for(&plan, k % 2 == 0);
            let src = self.eval(3 * batch, plan.window());
            self.switched(Op::Relinearize(plan.clone()), vec![src], batch, &plan, key);
        }
    }

    fn rotate(&mut self) {
        for (j, plan) in self.plans().into_iter().enumerate() {
            for (k, g) in self.elements().into_iter().take(3).enumerate() {
                let batch = (j + k) % 2 + 1;
                let key = self.key_for(&plan, k % 2 == 1);
                let src = self.eval(2 * batch, plan.window());
                self.switched(Op::Rotate(g, plan.clone()), vec![src], batch, &plan, key);
            }
        }
    }

    /// `count` automorphisms; the identity among them has a key in every other case.
    fn terms(
        &mut self,
        plan: &KeySwitchPlan,
        count: usize,
        identity_key: bool,
    ) -> (Vec<GaloisElement>, Vec<Option<KeyWords>>) {
        let galois = self.elements()[5 - count..].to_vec();
        let mut keys = Vec::new();
        for g in &galois {
            let key = !g.is_identity() || identity_key;
            keys.push(key.then(|| self.key_for(plan, keys.len() % 2 == 0)));
        }
        (galois, keys)
    }

    fn hoisted_rotations(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            let (galois, keys) = self.terms(&plan, [4, 1, 5, 3][k % 4], k % 2 == 1);
            let batch = k % 2 + 1;
            let src = self.eval(2 * batch, plan.window());
            let out = || Out {
                shape: Shape::new(2 * batch, plan.to().clone()),
                domain: Domain::Eval,
                initial: None,
            };
            self.calls.push(Call {
                basis: self.basis.clone(),
                outs: galois.iter().map(|_| out()).collect(),
                op: Op::HoistedRotations(galois, plan.clone()),
                ins: vec![src],
                keys,
            });
        }
    }

    fn rotation_sum(&mut self) {
        for (k, plan) in self.plans().into_iter().enumerate() {
            for weighted in [false, true] {
                let (galois, keys) = self.terms(&plan, [4, 3, 1, 5][k % 4], k % 2 == 0);
                let batch = k % 2 + 1;
                let mut ins = vec![self.eval(2 * batch, plan.window())];
                if weighted {
                    for j in 0..galois.len() {
                        ins.push(self.eval([1, batch, 2 * batch][j % 3], plan.ext()));
                    }
                }
                let out = Out {
                    shape: Shape::new(2 * batch, plan.to().clone()),
                    domain: Domain::Eval,
                    initial: None,
                };
                self.push(Op::RotationSum(galois, plan.clone()), ins, out, keys);
            }
        }
    }
}
