//! Cases of transforms, element-wise operations and sums of products.

use super::Cases;
use crate::{
    Domain, LimbConstants, Limbs, RowCopy, Shape,
    conformance::{call::Op, values::Words},
};

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
    pub(super) fn copy_rows(&mut self) {
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

    pub(super) fn zero(&mut self) {
        for shape in shapes() {
            self.written(Op::Zero, Vec::new(), &shape, Domain::Coeff);
            self.written(Op::Zero, Vec::new(), &shape, Domain::Eval);
        }
    }

    pub(super) fn transform(&mut self, shape: &Shape, from: Domain) {
        let initial = self.words(shape, from);
        match from {
            Domain::Coeff => self.updated(Op::Ntt, Vec::new(), initial, Domain::Eval),
            Domain::Eval => self.updated(Op::Intt, Vec::new(), initial, Domain::Coeff),
        }
    }

    pub(super) fn transforms(&mut self, from: Domain) {
        for shape in shapes() {
            self.transform(&shape, from);
        }
        self.transform(&Shape::new(1, self.basis.all_limbs()), from);
    }

    pub(super) fn binary(&mut self, domains: &[Domain], op: impl Fn() -> Op) {
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

    pub(super) fn mul_acc(&mut self) {
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

    pub(super) fn assign(&mut self, domains: &[Domain], op: impl Fn() -> Op) {
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

    pub(super) fn constants(&mut self, limbs: &Limbs) -> LimbConstants {
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

    pub(super) fn scale(&mut self) {
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

    pub(super) fn scale_assign(&mut self) {
        for domain in [Domain::Coeff, Domain::Eval] {
            for shape in self.few(shapes().to_vec()) {
                let op = Op::ScaleAssign(self.constants(&shape.limbs));
                let old = self.words(&shape, domain);
                self.updated(op, Vec::new(), old, domain);
            }
        }
    }

    pub(super) fn neg(&mut self) {
        for domain in [Domain::Coeff, Domain::Eval] {
            for shape in self.few(shapes().to_vec()) {
                for d in divisors(shape.polys) {
                    let a = self.words(&shape.with_polys(d), domain);
                    self.written(Op::Neg, vec![a], &shape, domain);
                }
            }
        }
    }

    pub(super) fn add_leading(&mut self) {
        for domain in [Domain::Coeff, Domain::Eval] {
            for shape in self.few(shapes().to_vec()) {
                for leading in 1..=shape.polys {
                    for d in divisors(leading) {
                        let a = self.words(&shape, domain);
                        let b = self.words(&shape.with_polys(d), domain);
                        self.written(Op::AddLeading(leading), vec![a, b], &shape, domain);
                    }
                }
            }
        }
    }

    pub(super) fn add_constants(&mut self) {
        for shape in self.few(shapes().to_vec()) {
            for leading in 1..=shape.polys {
                let op = Op::AddConstants(self.constants(&shape.limbs), leading);
                let a = self.words(&shape, Domain::Eval);
                self.written(op, vec![a], &shape, Domain::Eval);
            }
        }
    }

    pub(super) fn restrict_and_scale(&mut self) {
        for (k, shape) in self.few(shapes().to_vec()).into_iter().enumerate() {
            for domain in [Domain::Coeff, Domain::Eval] {
                // All limbs, those up to the last one that stays, these alone, and a window that does not begin at limb 0.
                let all = self.basis.all_limbs();
                let first = shape.limbs.iter().next().unwrap_or(0);
                let last = shape.limbs.iter().last().unwrap_or(0);
                let window = Limbs::new(first..=(last + 1).min(all.len() - 1));
                let whole = [all, Limbs::new(0..=last), shape.limbs.clone(), window];
                let from = Shape::new(shape.polys, whole[k % 4].clone());
                let op = Op::RestrictAndScale(self.constants(&shape.limbs));
                let a = self.words(&from, domain);
                self.written(op, vec![a], &shape, domain);
            }
        }
    }

    pub(super) fn automorphism(&mut self) {
        for shape in self.few(shapes().to_vec()) {
            for g in self.elements() {
                let a = self.words(&shape, Domain::Eval);
                self.written(Op::Automorphism(g), vec![a], &shape, Domain::Eval);
            }
        }
    }

    pub(super) fn tensor(&mut self) {
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

    pub(super) fn sum_of_products(&mut self) {
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

    pub(super) fn weighted_sum(&mut self) {
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
}
