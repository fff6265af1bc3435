//! What is measured: operations of a ring and of the scheme at one level, and whole trainings, on any engine.

use std::{cell::RefCell, rc::Rc};

use arras::{
    ckks::{Ciphertext, Context, Evaluator, SeededCiphertext},
    hal::{Backend, Coeff, ConversionMode, Domain, Limbs, Poly, Shape},
};

use crate::{
    Result,
    fixture::{Loaded, ROTATIONS, values},
    roofline::{Counts, Work},
    scheme::{Call, key_switching_calls},
    training::circuit::Prepared,
};

/// What a run left on its engine: downloads its residues.
pub(super) type Output<'a> = Box<dyn FnOnce() -> Result<Vec<Vec<u32>>> + 'a>;

/// One operation on operands that are there already.
pub(super) struct Case<'a> {
    pub(super) name: &'static str,
    /// Limbs of the operands.
    pub(super) limbs: usize,
    /// Ciphertexts, polynomials or minibatches at once.
    pub(super) batch: usize,
    /// What it takes at least, the whole batch, where that is counted.
    pub(super) work: Option<Work>,
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
            work: Some(Work::of_transforms(limbs)),
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
        let work = Work::of_conversion(limbs, to.len());
        let shape = Shape::new(1, from);
        let source = Poly::<B, Coeff>::from_words(context.ring(), &shape, &words)?;
        Ok(Case {
            name,
            limbs,
            batch: 1,
            work: Some(work),
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

/// The calls of an evaluator that engines are compared by.
pub(super) fn calls<B: Backend>() -> [(&'static str, Call<B>); 5] {
    let [multiply, rotate, hoisted, sum] = key_switching_calls();
    let rescale: Call<B> = |e, x, y| Ok(vec![e.level_down(&e.add(x, y)?, x.level() - 1)?]);
    [multiply, rotate, hoisted, sum, ("rescale", rescale)]
}

/// Two ciphertexts, each `batch` times in one.
pub(super) fn operands<B: Backend>(
    context: &Context<B>,
    inputs: &[SeededCiphertext; 2],
    batch: usize,
) -> Result<[Ciphertext<B>; 2]> {
    let [x, y] = [inputs[0].expand(context)?, inputs[1].expand(context)?];
    let repeat = |x: &Ciphertext<B>| Ciphertext::concat(&vec![x; batch]);
    Ok([repeat(&x)?, repeat(&y)?])
}

/// Operations of the scheme on a batch.
pub(super) fn scheme<'a, B: Backend>(
    evaluator: &'a Evaluator<B>,
    inputs: &[SeededCiphertext; 2],
    batch: usize,
) -> Result<Vec<Case<'a>>> {
    let context = evaluator.context();
    let [x, y] = operands(context, inputs, batch)?.map(Rc::new);
    let counts = Counts::new(context.params(), x.level());
    let limbs = x.limbs().len();
    let works = [
        Some((counts.multiply(), 1)),
        Some((counts.rotations(1), 1)),
        Some((counts.rotations(ROTATIONS.len()), ROTATIONS.len())),
        None,
        None,
    ];
    let case = |((name, call), work): ((_, Call<B>), Option<(Work, usize)>)| {
        let (x, y) = (x.clone(), y.clone());
        Case {
            name,
            limbs,
            batch,
            work: work.map(|(work, keys)| work.batched(batch, keys * counts.key_rows())),
            run: Box::new(move || {
                let results = call(evaluator, &x, &y)?;
                Ok(Box::new(move || {
                    let words = results.iter().map(|result| Ok(result.poly().to_words()?));
                    words.collect()
                }))
            }),
        }
    };
    Ok(calls().into_iter().zip(works).map(case).collect())
}

/// A whole training run.
pub(super) fn training<'a, B: Backend>(prepared: &Prepared, loaded: &'a Loaded<B>) -> Case<'a> {
    let params = &prepared.circuit.params;
    Case {
        name: prepared.circuit.training.spec().kind.name(),
        limbs: params.window(params.max_level()).len(),
        batch: prepared.iterations,
        work: None,
        run: Box::new(move || {
            let outputs = loaded.run()?.outputs;
            Ok(Box::new(move || {
                let words = outputs.values().map(|output| output.ciphertext().poly());
                words.map(|poly| Ok(poly.to_words()?)).collect()
            }))
        }),
    }
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
