//! The reduction modulo Q_0: a scaled sine, as a polynomial and three double angles, in eight levels.
//!
//! With t = m + Q_0 I and u = (t / Q_0 - 1/4) / (K + 1/4) in [-1, 1], the message is what the sine of 2 pi t / Q_0 keeps:
//!
//! ```text
//! C_0 = a_0 cos(2 pi (K + 1/4) u / 8)        degree 15 in w = T_2(u), because it is even in u: degree 30
//! C_i = C_{i-1}^2 - a_i = a_i cos(2 pi (K + 1/4) u / 2^(3-i))      a_i = sqrt(2 a_{i+1}), i = 1, 2, 3
//! C_3 = a_3 cos(2 pi (t / Q_0 - 1/4)) = a_3 sin(2 pi t / Q_0)
//! ```
//! (Han and Ki, ePrint 2019/688, for the double angles; the amplitude is spread over them, so that the last ones, at small scales, need no more than they.)
//! The polynomial is p = q T_8 + r, q = q1 T_4 + q0, r = r1 T_4 + r0 in the Chebyshev basis of w, with W_k = 2 T_k.
//!
//! **Nothing goes down a level by a rescale of its own.** The windows of these levels differ in mains alone, so going down is dropping limbs.
//! A number of level i then stands at s_i where its level j has s_j: in a sum its coefficient takes s_j / s_i along, in a product the
//! other factor's coefficients do.

use arras_hal::{Backend, Eval, Poly};
use num_bigint::BigInt;
use num_traits::FromPrimitive;

use crate::{CkksErrorKind, Evaluator, Result, params::INTEGER_BOUND};

/// Coefficients of cos(2 pi (K + 1/4) u / 8), K = 13, in the Chebyshev polynomials of T_2(u). A table, because cosines differ between platforms.
const COSINE: [f64; 16] = [
    -0.243_004_689_337_817_24,
    -0.464_090_651_597_256_4,
    -0.295_484_885_577_921_13,
    0.203_804_620_756_902_53,
    0.586_646_387_333_544_1,
    -0.481_246_202_025_107_04,
    0.168_829_557_517_290_95,
    -0.035_694_589_591_459_58,
    0.005_182_349_925_152_31,
    -0.000_555_240_677_544_099_3,
    4.599_804_601_278_395e-5,
    -3.045_868_280_851_455_8e-6,
    1.652_948_702_722_726_8e-7,
    -7.497_477_156_167_679e-9,
    2.887_906_458_982_732e-10,
    -9.571_555_662_861_268e-12,
];

/// 2^12.5: how much smaller than Q_0 a message is.
pub(super) const MESSAGE_RATIO: f64 = 4096.0 * std::f64::consts::SQRT_2;

/// K + 1/4: the largest |t / Q_0 - 1/4|.
pub(super) const REACH: f64 = INTEGER_BOUND as f64 + 0.25;

/// The numbers of the reduction for values up to a bound.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// The polynomial, in Chebyshev polynomials of T_2(u).
    pub(super) polynomial: [f64; 16],
    /// a_1, a_2, a_3.
    pub(super) angles: [f64; 3],
}

impl Numbers {
    /// For values up to `bound`: a_3 sin(2 pi x / (bound 2^12.5)) is about x. The divisor is the cubic term in the mean: it straightens the sine.
    pub(super) fn new(bound: f64) -> Self {
        let y = std::f64::consts::TAU / MESSAGE_RATIO;
        let a3 = bound * MESSAGE_RATIO / std::f64::consts::TAU / (1.0 - y * y / 8.0);
        let [a2, a1, a0] = {
            let a2 = (2.0 * a3).sqrt();
            let a1 = (2.0 * a2).sqrt();
            [a2, a1, (2.0 * a1).sqrt()]
        };
        Self {
            polynomial: COSINE.map(|c| c * a0),
            angles: [a1, a2, a3],
        }
    }
}

/// `p = q T_m + r` of `2 m` coefficients each of m: `T_(m+j) = 2 T_m T_j - T_(m-j)`.
fn divide<const TWICE: usize, const M: usize>(p: [f64; TWICE]) -> ([f64; M], [f64; M]) {
    let (mut q, mut r) = ([0.0; M], [0.0; M]);
    r.copy_from_slice(&p[..M]);
    q[0] = p[M];
    for j in 1..M {
        q[j] = 2.0 * p[M + j];
        r[M - j] -= p[M + j];
    }
    (q, r)
}

/// A batch `[2][B]` at a level.
struct At<B: Backend> {
    level: usize,
    poly: Poly<B, Eval>,
}

/// Evaluates lines of the circuit.
struct Lines<'a, B: Backend>(&'a Evaluator<B>);

impl<B: Backend> Lines<'_, B> {
    fn scale(&self, level: usize) -> f64 {
        self.0.context().params().scale(level)
    }

    /// The sum of products, of numbers with coefficients, and of a constant: relinearized and rescaled once, from `level` to the level below. Operands
    /// of higher levels are taken at the limbs of `level`; a coefficient takes their scale along, a product does not.
    fn line(
        &self,
        level: usize,
        products: &[(&At<B>, &At<B>)],
        linear: &[(f64, &At<B>)],
        constant: f64,
    ) -> Result<At<B>> {
        let context = self.0.context();
        context.stopped()?;
        let window = context.raised_window(level)?;
        let below = level.saturating_sub(1);
        let to = context.raised_window(below)?;
        let mut sum: Option<Poly<B, Eval>> = None;
        for &(coefficient, x) in linear {
            let integer =
                coefficient * (self.scale(level) / self.scale(x.level)) * self.scale(level);
            let integer = BigInt::from_f64(integer.round()).unwrap_or_default();
            let constants = context.integer_constants(&integer, window);
            let term = x.poly.restrict_and_scale(&constants)?;
            match &mut sum {
                Some(sum) => sum.add_assign(&term)?,
                None => sum = Some(term),
            }
        }
        let poly = if products.is_empty() {
            sum.ok_or(CkksErrorKind::Empty)?.rescale(to)?
        } else {
            let cut = |x: &At<B>| -> Result<Option<Poly<B, Eval>>> {
                let cut = (x.level != level).then(|| x.poly.restrict(window));
                Ok(cut.transpose()?)
            };
            let cuts = products
                .iter()
                .map(|(x, y)| Ok((cut(x)?, cut(y)?)))
                .collect::<Result<Vec<_>>>()?;
            let (left, right): (Vec<_>, Vec<_>) = products
                .iter()
                .zip(&cuts)
                .map(|((x, y), (a, b))| {
                    (a.as_ref().unwrap_or(&x.poly), b.as_ref().unwrap_or(&y.poly))
                })
                .unzip();
            let mut product = Poly::sum_of_products(&left, &right)?;
            if let Some(sum) = sum {
                product = product.add_leading(&sum, sum.polys())?;
            }
            let key = self.0.relinearization_key(level)?;
            product.relinearize(key, context.switching(), to)?
        };
        let poly = if constant == 0.0 {
            poly
        } else {
            self.plus(&poly, constant, below)?
        };
        Ok(At { level: below, poly })
    }

    /// A constant in every slot of a batch `[2][B]` of `level`.
    fn plus(&self, poly: &Poly<B, Eval>, constant: f64, level: usize) -> Result<Poly<B, Eval>> {
        let integer = BigInt::from_f64((constant * self.scale(level)).round()).unwrap_or_default();
        let constants = self.0.context().integer_constants(&integer, poly.limbs());
        Ok(poly.add_constants(&constants, poly.polys() / 2)?)
    }
}

/// v = 2 u from the sum of the coefficients' slots and their conjugates: the shift by 1/4.
pub(super) fn shifted<B: Backend>(
    evaluator: &Evaluator<B>,
    sum: &Poly<B, Eval>,
    level: usize,
) -> Result<Poly<B, Eval>> {
    Lines(evaluator).plus(sum, -0.5 / REACH, level)
}

/// C_0 from v = 2 u at `level`: four levels lower in limbs, five in scale, at `level - 5`.
pub(super) fn cosine<B: Backend>(
    evaluator: &Evaluator<B>,
    numbers: &Numbers,
    v: Poly<B, Eval>,
    level: usize,
) -> Result<Poly<B, Eval>> {
    let e = Lines(evaluator);
    let (q, r): ([f64; 8], [f64; 8]) = divide(numbers.polynomial);
    let ([q1, q0], [r1, r0]): ([[f64; 4]; 2], [[f64; 4]; 2]) = (divide(q).into(), divide(r).into());
    let top = level;
    let v = At { level, poly: v };
    let w1 = e.line(top, &[(&v, &v)], &[], -2.0)?;
    drop(v);
    let w2 = e.line(top - 1, &[(&w1, &w1)], &[], -2.0)?;
    let qa = e.line(top - 1, &[], &[(q1[3] / 8.0, &w1)], q1[2] / 8.0)?;
    // W1 is a level above W2: their product stands this much too large, and so does what is subtracted from it.
    let ph = e.scale(top - 1) / e.scale(top - 2);
    let w4 = e.line(top - 2, &[(&w2, &w2)], &[], -2.0)?;
    let w3 = e.line(top - 2, &[(&w1, &w2)], &[(-ph, &w1)], 0.0)?;
    // q1 / 4
    let qb = e.line(
        top - 2,
        &[(&qa, &w2)],
        &[((q1[1] - q1[3]) / 8.0, &w1)],
        q1[0] / 4.0,
    )?;
    let low = |a: [f64; 4], f: f64| {
        [
            (a[1] * f / 2.0, &w1),
            (a[2] * f / 2.0, &w2),
            (a[3] * f / 2.0 / ph, &w3),
        ]
    };
    let w8 = e.line(top - 3, &[(&w4, &w4)], &[], -2.0)?;
    // q / 2
    let qc = e.line(top - 3, &[(&qb, &w4)], &low(q0, 0.5), q0[0] / 2.0)?;
    // r1 / 2, for a product with W4, which is a level above.
    let k = e.scale(top - 4) / e.scale(top - 3);
    let rb = e.line(top - 3, &[], &low(r1, 0.5 * k), r1[0] / 2.0 * k)?;
    let c0 = e.line(top - 4, &[(&qc, &w8), (&rb, &w4)], &low(r0, 1.0), r0[0])?;
    Ok(c0.poly)
}

/// C_3 from C_0 at `level`, three levels lower.
pub(super) fn double_angles<B: Backend>(
    evaluator: &Evaluator<B>,
    numbers: &Numbers,
    poly: Poly<B, Eval>,
    level: usize,
) -> Result<Poly<B, Eval>> {
    let mut c = At { level, poly };
    for angle in numbers.angles {
        c = Lines(evaluator).line(c.level, &[(&c, &c)], &[], -angle)?;
    }
    Ok(c.poly)
}
