//! What is measured: operations of a ring and of the scheme at one level, on any engine.

use std::{cell::RefCell, rc::Rc};

use arras::{
    ckks::{Ciphertext, Context, Evaluator, Result, SeededCiphertext},
    hal::{Backend, Coeff, ConversionMode, Domain, Limbs, Poly, Shape},
};

use crate::{
    fixture::{ROTATIONS, values},
    floor::Floor,
    roofline::{Counts, Work},
    scheme::{Call, key_switching_calls},
};

/// What a run left on its engine: downloads its residues.
pub(super) type Output<'a> = Box<dyn FnOnce() -> Result<Vec<Vec<u32>>> + 'a>;

/// One operation on operands that are there already.
pub(super) struct Case<'a> {
    pub(super) name: &'static str,
    /// Limbs of the operands.
    pub(super) limbs: usize,
    /// Ciphertexts, or polynomials, at once.
    pub(super) batch: usize,
    /// What it takes at least, the whole batch.
    pub(super) floor: Floor,
    /// Enqueues it.
    pub(super) run: Box<dyn FnMut() -> Result<Output<'a>> + 'a>,
}

type Transform<B> = fn(&B, &<B as Backend>::Ring, &mut <B as Backend>::Buf);

/// Transforms of the first `limbs` limbs of the basis.
pub(super) fn transforms<B: Backend>(context: &Context<B>, limbs: usize) -> Result<Vec<Case<'_>>> {
    let params = context.params();
    let (engine, ring) = (context.engine(), context.ring().inner());
    let rows = Limbs::new(0..limbs);
    let words = residues(params.moduli(), &rows, params.n());
    let shape = Shape::new(1, rows);
    let ways: [(_, _, Transform<B>); 2] = [
        ("NTT", Domain::Coeff, B::ntt),
        ("inverse NTT", Domain::Eval, B::intt),
    ];
    let case = |(name, domain, transform): (_, _, Transform<B>)| {
        let rows = engine.upload(ring, &shape, domain, &words)?;
        let rows = Rc::new(RefCell::new(rows));
        let download = move |rows: &B::Buf| {
            let mut words = vec![0; engine.shape(rows).words(params.n())];
            engine.download(ring, rows, Domain::Eval, &mut words)?;
            Ok(vec![words])
        };
        Ok(Case {
            name,
            limbs,
            batch: 1,
            floor: Floor::of(params.n(), &Work::of_transforms(limbs)),
            // The output of one run is the input of the next: any residues take the same time.
            run: Box::new(move || {
                transform(engine, ring, &mut rows.borrow_mut());
                let rows = rows.clone();
                Ok(Box::new(move || download(&rows.borrow())))
            }),
        })
    };
    ways.into_iter().map(case).collect()
}

/// Base conversions of the sizes that a key switch has at a level.
pub(super) fn conversions<B: Backend>(context: &Context<B>, level: usize) -> Result<Vec<Case<'_>>> {
    let params = context.params();
    let window = context.window(level)?.clone();
    let special = Limbs::new(params.special_range());
    let digits = params.active_digits(level).into_iter();
    let digits = digits.map(|digit| Limbs::new(digit.limbs));
    let Some(digit) = digits.max_by_key(Limbs::len) else {
        return Ok(Vec::new());
    };
    let rest = window.union(&special).without(&digit);
    let (centred, quotient) = (ConversionMode::Centred, ConversionMode::Quotient);
    let case = |(name, from, to, mode): (_, Limbs, Limbs, _)| {
        let words = residues(params.moduli(), &from, params.n());
        let limbs = from.len();
        let floor = Floor::of(params.n(), &Work::of_conversion(limbs, to.len()));
        let shape = Shape::new(1, from);
        let source = Poly::<B, Coeff>::from_words(context.ring(), &shape, &words)?;
        Ok(Case {
            name,
            limbs,
            batch: 1,
            floor,
            run: Box::new(move || {
                let converted = source.base_convert(&to, mode)?;
                Ok(Box::new(move || Ok(vec![converted.to_words()?])))
            }),
        })
    };
    [
        ("base conversion, centred", digit, rest, centred),
        ("base conversion, quotient", special, window, quotient),
    ]
    .into_iter()
    .map(case)
    .collect()
}

/// Operations of the scheme on a batch.
pub(super) fn scheme<'a, B: Backend>(
    evaluator: &'a Evaluator<B>,
    inputs: &[SeededCiphertext; 2],
    batch: usize,
) -> Result<Vec<Case<'a>>> {
    let context = evaluator.context();
    let [x, y] = [inputs[0].expand(context)?, inputs[1].expand(context)?];
    let counts = Counts::new(context.params(), x.level());
    let (n, limbs) = (context.params().n(), x.limbs().len());
    let key = 4.0 * n as f64 * counts.key_rows() as f64;
    let x = Rc::new(Ciphertext::concat(&vec![&x; batch])?);
    let y = Rc::new(Ciphertext::concat(&vec![&y; batch])?);
    let works = [
        (counts.multiply(), key),
        (counts.rotations(1), key),
        (
            counts.rotations(ROTATIONS.len()),
            key * ROTATIONS.len() as f64,
        ),
    ];
    let cases = key_switching_calls().into_iter().zip(works);
    let case = |((name, call), (work, shared)): ((_, Call<B>), (Work, f64))| {
        let (x, y) = (x.clone(), y.clone());
        Case {
            name,
            limbs,
            batch,
            floor: Floor::of(n, &work).batched(batch, shared),
            run: Box::new(move || {
                let results = call(evaluator, &x, &y)?;
                Ok(Box::new(move || {
                    let words = results.iter().map(|result| result.poly().to_words());
                    Ok(words.collect::<std::result::Result<_, _>>()?)
                }))
            }),
        }
    };
    Ok(cases.map(case).collect())
}

/// Residues that are the same everywhere, `[limbs][N]`.
fn residues(moduli: &[u32], limbs: &Limbs, n: usize) -> Vec<u32> {
    let unit = values(11, n);
    limbs
        .iter()
        .flat_map(|limb| {
            let q = f64::from(moduli[limb]);
            unit.iter()
                .map(move |value| ((value + 1.0) / 2.0 * (q - 1.0)) as u32)
        })
        .collect()
}
