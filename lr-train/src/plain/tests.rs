use super::*;
use crate::{
    data::{csv, mnist, tests::external},
    metrics::Quality,
    preprocess::*,
    sigmoid::Approximation,
    split::Order,
};

#[test]
fn measure() {
    let folder = external("mnist").unwrap();
    let parts = mnist::three_against_eight(&folder).unwrap();
    let p = Preprocessor::fit(&parts.train, Scheme::MaxAbs).unwrap();
    let x = p.apply(&parts.train).unwrap();
    let xt = p.apply(&parts.test).unwrap();
    let z = signed_rows(x.view(), parts.train.labels()).unwrap();
    for (mb, lr) in [
        (128, 1.0),
        (128, 1.5),
        (128, 2.0),
        (128, 3.0),
        (64, 1.0),
        (1024, 1.0),
    ] {
        for order in [
            Order::Original,
            Order::Shuffled { seed: 0 },
            Order::Shuffled { seed: 1 },
            Order::Shuffled { seed: 2 },
            Order::Shuffled { seed: 3 },
            Order::Shuffled { seed: 4 },
        ] {
            let s = Settings {
                iterations: 32,
                rate: Rate::Constant(lr),
                sigmoid: Sigmoid::Polynomial(Approximation::cubic_16()),
                batches: Minibatches::new(z.nrows(), mb, order).unwrap(),
            };
            match nesterov(&z, &s, State::zero(z.ncols())) {
                Ok((h, _)) => {
                    print!("mb {mb} lr {lr} {order:?}: ");
                    for k in [8, 13, 16, 20, 32] {
                        let q = Quality::measure(
                            &scores(xt.view(), h.iterations()[k - 1].weights.view()).unwrap(),
                            parts.test.labels(),
                        )
                        .unwrap();
                        print!("{k}: {:.2} {:.4}; ", 100.0 * q.accuracy, q.auc.unwrap());
                    }
                    println!("largest {:.2} left {:?}", h.largest_t(), h.left_interval());
                }
                Err(e) => println!("mb {mb} lr {lr} {order:?} {e}"),
            }
        }
    }
    let folder = external("clinical").unwrap();
    for name in ["edin", "lbw", "nhanes3", "pcs", "uis"] {
        let d = csv::read_file(
            &folder.join(format!("{name}.txt")),
            &csv::Options::new(csv::Label::Index(-1)),
        )
        .unwrap();
        let p = Preprocessor::fit(&d, Scheme::MaxAbs).unwrap();
        let x = p.apply(&d).unwrap();
        let z = signed_rows(x.view(), d.labels()).unwrap();
        let s = |sig| Settings {
            iterations: 7,
            rate: Rate::Harmonic(10.0),
            sigmoid: sig,
            batches: Minibatches::full(z.nrows()).unwrap(),
        };
        for sig in [
            Sigmoid::Polynomial(Approximation::quintic_8()),
            Sigmoid::Exact,
        ] {
            let (h, _) = nesterov(&z, &s(sig), State::zero(z.ncols())).unwrap();
            let q = Quality::measure(
                &scores(x.view(), h.weights().unwrap().view()).unwrap(),
                d.labels(),
            )
            .unwrap();
            println!(
                "{name} {:?} largest {:.2} left {:?}",
                q,
                h.largest_t(),
                h.left_interval()
            );
        }
        // 5-fold
        for seed in 0..3 {
            let mut aucs = vec![];
            for f in crate::split::k_fold(d.labels(), 5, seed).unwrap() {
                let tr = d.select(&f.train).unwrap();
                let te = d.select(&f.test).unwrap();
                let p = Preprocessor::fit(&tr, Scheme::MaxAbs).unwrap();
                let z = signed_rows(p.apply(&tr).unwrap().view(), tr.labels()).unwrap();
                let s = Settings {
                    iterations: 7,
                    rate: Rate::Harmonic(10.0),
                    sigmoid: Sigmoid::Polynomial(Approximation::quintic_8()),
                    batches: Minibatches::full(z.nrows()).unwrap(),
                };
                let (h, _) = nesterov(&z, &s, State::zero(z.ncols())).unwrap();
                let q = Quality::measure(
                    &scores(p.apply(&te).unwrap().view(), h.weights().unwrap().view()).unwrap(),
                    te.labels(),
                )
                .unwrap();
                aucs.push(q.auc.unwrap());
            }
            println!(
                "   5-fold {seed} mean {:.4} {:?}",
                aucs.iter().sum::<f64>() / 5.0,
                aucs
            );
        }
    }
}
