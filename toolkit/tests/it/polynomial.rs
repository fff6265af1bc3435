//! Polynomials, inverses and roots.

use arras_backend_cpu::CpuEngine;
use arras_hal::Reference;
use arras_toolkit::{
    Bindings, Circuit, Cleartext, EncodingUnit, Layout, OpCount, Polynomial, Program, Recorder,
    Slots, ToolkitErrorKind, Value,
    circuit::Op,
    linalg::polynomial::{Basis, Cost, Iteration, Method, Stop},
};
use proptest::prelude::*;

use crate::support::{
    Numbers, assert_kind, attempt, case::Building, circuit, client, function, insecure, says,
    survives_json,
};

const METHODS: [Method; 4] = [
    Method::Auto,
    Method::PatersonStockmeyer,
    Method::PowerTree,
    Method::Horner,
];

fn ceil_log2(n: usize) -> usize {
    n.next_power_of_two().trailing_zeros() as usize
}

/// Products of ciphertexts and with numbers, as recorded.
fn counted(circuit: &Circuit) -> Cost {
    let count = |f: &dyn Fn(&Op) -> usize| circuit.nodes().iter().map(|n| f(n.op())).sum();
    let pairs: usize = circuit
        .nodes()
        .iter()
        .filter(|n| *n.op() == Op::SumOfProducts)
        .map(|n| n.operands().len() / 2)
        .sum();
    let products: usize = count(&|op| usize::from(*op == Op::Multiply));
    Cost {
        levels: circuit.levels_needed(),
        products: products + pairs,
        scalar_products: count(&|op| usize::from(matches!(op, Op::MultiplyScalar(_)))),
    }
}

fn relinearizations(program: &Program) -> usize {
    OpCount::of(program).kind("relinearize_and_rescale").steps
}

/// `count` numbers across an interval, both ends among them.
fn across((low, high): (f64, f64), count: usize) -> Vec<f64> {
    let at = |i: usize| low + (high - low) * i as f64 / (count - 1) as f64;
    (0..count).map(at).collect()
}

/// Records, runs in plaintext and compares with the values in clear; what was recorded is what was promised.
fn check(p: &Polynomial, method: Method) -> Cost {
    let xs = across(p.interval(), 16);
    let circuit = function(16, |x| x.polynomial_by(p, method));
    let cost = counted(&circuit);
    assert_eq!(cost, p.cost(method), "{method:?} {p:?}");
    let program = Program::new(circuit);
    assert!(relinearizations(&program) <= cost.products);
    let inputs = Bindings::new().with("x", Value::Slots(vec![xs.clone()]));
    let run = Cleartext::run(&program, &inputs).unwrap();
    let size = 1.0 + xs.iter().map(|&x| p.eval(x).abs()).fold(0.0, f64::max);
    for (&x, &y) in xs.iter().zip(&run.slots["y"][0]) {
        let expected = p.eval(x);
        assert!(
            (y - expected).abs() <= 1e-9 * size,
            "{method:?} {p:?} at {x}: {y}, expected {expected}"
        );
    }
    cost
}

fn polynomial(basis: Basis, coefficients: &[f64], (low, high): (f64, f64)) -> Polynomial {
    match basis {
        Basis::Monomial => Polynomial::monomial(coefficients).unwrap().on(low, high),
        Basis::Chebyshev => Polynomial::chebyshev(coefficients, low, high),
    }
    .unwrap()
}

#[test]
fn every_degree_in_both_bases() {
    let mut numbers = Numbers(2);
    for basis in [Basis::Monomial, Basis::Chebyshev] {
        for degree in 0..=32usize {
            let dense: Vec<f64> = (0..=degree).map(|_| numbers.next()).collect();
            let keep = |f: &dyn Fn(usize) -> bool| -> Vec<f64> {
                let pick = |(i, &c): (usize, &f64)| if f(i) { c } else { 0.0 };
                dense.iter().enumerate().map(pick).collect()
            };
            let mut padded = dense.clone();
            padded.extend([0.0, -0.0, 0.0]);
            let kinds = [
                dense.clone(),
                // Of the same parity as the degree.
                keep(&|i| (degree - i) % 2 == 0),
                keep(&|i| i == degree || i % 5 == 1),
                keep(&|i| i == degree),
                padded,
            ];
            for coefficients in kinds {
                let p = polynomial(basis, &coefficients, (-1.0, 1.0));
                assert_eq!(p.degree(), degree);
                for method in METHODS {
                    let cost = check(&p, method);
                    let levels = match method {
                        Method::Horner => degree,
                        Method::PowerTree if degree > 0 => ceil_log2(degree) + 1,
                        _ => ceil_log2(degree + 1),
                    };
                    assert_eq!(cost.levels, levels, "{method:?} {p:?}");
                }
            }
        }
    }
}

#[test]
fn products_of_dense_polynomials() {
    // Degree, products, relinearizations.
    let table = [
        (0, 0, 0),
        (1, 0, 0),
        (2, 1, 1),
        (3, 2, 2),
        (4, 3, 3),
        (5, 3, 3),
        (6, 4, 3),
        (7, 5, 4),
        (8, 5, 4),
        (12, 6, 5),
        (15, 8, 7),
        (16, 8, 7),
        (24, 10, 8),
        (31, 13, 10),
        (32, 12, 9),
        (63, 18, 15),
    ];
    let mut numbers = Numbers(3);
    for (degree, products, relinearized) in table {
        let c: Vec<f64> = (0..=degree).map(|_| numbers.next()).collect();
        for basis in [Basis::Monomial, Basis::Chebyshev] {
            let p = polynomial(basis, &c, (-1.0, 1.0));
            assert_eq!(p.cost(Method::Auto).products, products, "{degree}");
            // sqrt(2 d) + lg d products are asymptotically enough at any depth; the least depth costs one more at most.
            let optimum = (2.0 * degree as f64).sqrt() + (degree.max(1) as f64).log2();
            assert!(products as f64 <= optimum.ceil() + 1.0);
            let program = Program::new(function(16, |x| x.polynomial(&p)));
            assert_eq!(relinearizations(&program), relinearized, "{degree}");
        }
    }
    // Odd and even: half of the powers.
    let mut parity = |from: usize, terms: usize| -> Vec<f64> {
        let mut c = vec![0.0; terms];
        c.iter_mut()
            .skip(from)
            .step_by(2)
            .for_each(|c| *c = numbers.next());
        c
    };
    let (odd, even) = (parity(1, 32), parity(0, 31));
    for basis in [Basis::Monomial, Basis::Chebyshev] {
        let products = |c: &[f64]| {
            polynomial(basis, c, (-1.0, 1.0))
                .cost(Method::Auto)
                .products
        };
        assert_eq!((products(&odd), products(&even)), (12, 9));
    }
    // A power alone is squarings; an integer coefficient saves the level.
    let mut power = vec![0.0; 17];
    power[16] = 1.0;
    let p = Polynomial::monomial(&power).unwrap();
    let cost = check(&p, Method::Auto);
    let counts = (cost.levels, cost.products, cost.scalar_products);
    assert_eq!(counts, (4, 4, 0));
}

#[test]
fn intervals() {
    let mut numbers = Numbers(4);
    let cases = [
        // Interval, and the extra levels of a Chebyshev series of degrees 3, 7, 15, 31.
        ((-1.0, 1.0), [0, 0, 0, 0]),
        ((2.0, 5.0), [0, 0, 1, 1]),
        ((-16.0, 16.0), [1, 1, 1, 1]),
        ((0.0, 0.25), [0, 0, 0, 0]),
        ((-3.0, -0.5), [0, 0, 0, 1]),
    ];
    for (interval, extra) in cases {
        for (degree, extra) in [3, 7, 15, 31].into_iter().zip(extra) {
            let c: Vec<f64> = (0..=degree).map(|_| numbers.next()).collect();
            let p = polynomial(Basis::Chebyshev, &c, interval);
            for method in [Method::Auto, Method::PatersonStockmeyer] {
                let levels = ceil_log2(degree + 1) + extra;
                assert_eq!(check(&p, method).levels, levels, "{degree} {interval:?}");
            }
            check(&p, Method::PowerTree);
            check(&p, Method::Horner);
        }
        // Powers of x, where they do not overflow the comparison.
        for degree in [1, 3, 7] {
            let c: Vec<f64> = (0..=degree).map(|_| numbers.next()).collect();
            for method in METHODS {
                check(&polynomial(Basis::Monomial, &c, interval), method);
            }
        }
    }
}

#[test]
fn sigmoid() {
    let f = |x: f64| 1.0 / (1.0 + (-x).exp());
    for (degree, levels, error) in [(7, 4, 0.12), (15, 5, 0.03), (31, 6, 2e-3)] {
        let p = Polynomial::interpolate(f, -16.0, 16.0, degree).unwrap();
        println!("{degree}: {:.2e}", p.largest_error(f, |_| 1.0));
        assert!(p.largest_error(f, |_| 1.0) < error, "{degree}");
        let cost = check(&p, Method::Auto);
        assert_eq!(cost.levels, levels);
        let best = Polynomial::least_squares(f, |_| 1.0, -16.0, 16.0, degree).unwrap();
        println!("{degree}: {:.2e}", best.largest_error(f, |_| 1.0));
        assert!(best.largest_error(f, |_| 1.0) < error);
    }
}

/// The value's slots are those of the expected entries, with zeros around.
fn assert_padded(slots: &[Vec<f64>], layout: Layout, expected: &Value) {
    let packed = layout.pack("expected", expected).unwrap();
    assert_eq!(packed.len(), slots.len());
    for (a, b) in packed.iter().flatten().zip(slots.iter().flatten()) {
        assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()), "{b}, expected {a}");
    }
}

#[test]
fn objects_keep_their_padding() {
    let unit = EncodingUnit::new(8, 16).unwrap();
    let c = [1.5, -0.5, 0.25, 0.0, 0.75, 0.1, -0.2, 0.3, 0.4, 0.6];
    let shifted = Polynomial::chebyshev(&c, 2.0, 5.0).unwrap();
    let polynomials = [
        shifted.clone(),
        Polynomial::chebyshev(&c, 1.0, 6.0).unwrap(),
        Polynomial::monomial(&c[..4]).unwrap().on(2.0, 5.0).unwrap(),
        Polynomial::monomial(&[3.0]).unwrap().on(2.0, 5.0).unwrap(),
        Polynomial::chebyshev(&[3.0, -2.0], 2.0, 5.0).unwrap(),
    ];
    let mut numbers = Numbers(5);
    let a = numbers.matrix(11, 19).mapv(|x| 3.5 + 1.5 * x);
    let v = numbers.vector(21).mapv(|x| 3.5 + 1.5 * x);
    let stop = Stop::RelativeError(1e-10);
    type Apply<'a, T> = Box<dyn Fn(&T) -> T + 'a>;
    macro_rules! each {
        ($input:ident $dims:tt, $value:expr, $functions:expr) => {
            for (apply, f) in $functions {
                let recorder = Recorder::new(unit.slots()).unwrap();
                let x = each!(@input recorder $input $dims);
                let y = apply(&x);
                recorder.output("y", &y);
                let program = Program::new(recorder.finish().unwrap());
                let inputs = Bindings::new().with("x", $value.view());
                let run = Cleartext::run(&program, &inputs).unwrap();
                let layout = *program.circuit().outputs()[0].layout();
                assert_padded(&run.slots["y"], layout, &Value::from($value.mapv(&f)));
                // One operation of the author's.
                assert_eq!(program.circuit().operations().len(), 2);
            }
        };
        (@input $recorder:ident $input:ident ($($dim:expr),*)) => {
            $recorder.$input("x", $($dim,)* unit)
        };
    }
    macro_rules! functions {
        ($object:ty) => {{
            let mut functions: Vec<(Apply<'_, $object>, Box<dyn Fn(f64) -> f64 + '_>)> = vec![];
            let mut add = |apply, f| functions.push((apply, f));
            add(
                Box::new(|x| x.inverse(2.0, 5.0, stop)),
                Box::new(f64::recip),
            );
            add(
                Box::new(|x| x.inverse_sqrt(2.0, 5.0, stop)),
                Box::new(|x| 1.0 / x.sqrt()),
            );
            add(Box::new(|x| x.sqrt(2.0, 5.0, stop)), Box::new(f64::sqrt));
            for (p, method) in polynomials.iter().flat_map(|p| METHODS.map(|m| (p, m))) {
                let apply = Box::new(move |x: &$object| x.polynomial_by(p, method));
                add(apply, Box::new(|x| p.eval(x)));
            }
            functions
        }};
    }
    each!(matrix(11, 19), a, functions!(arras_toolkit::Matrix));
    each!(row_vector(21), v, functions!(arras_toolkit::RowVector));
    each!(
        column_vector(21),
        v,
        functions!(arras_toolkit::ColumnVector)
    );
}

#[test]
fn masks_cost_no_level() {
    let unit = EncodingUnit::new(8, 16).unwrap();
    let c: Vec<f64> = (0..16).map(|i| 1.0 / f64::from(i + 1)).collect();
    let p = Polynomial::chebyshev(&c, -1.0, 1.0).unwrap();
    let circuit = circuit(unit.slots(), |r| {
        r.output("y", &r.matrix("x", 5, 7, unit).polynomial(&p));
    });
    assert_eq!(counted(&circuit), p.cost(Method::Auto));
}

fn relative_error(
    iteration: &Iteration,
    apply: impl Fn(&Slots) -> Slots,
    f: fn(f64) -> f64,
) -> f64 {
    let xs = across(iteration.start().interval(), 1 << 12);
    let circuit = function(1 << 12, apply);
    let cost = counted(&circuit);
    assert_eq!(cost.levels, iteration.levels());
    assert_eq!(cost.products, iteration.products());
    let inputs = Bindings::new().with("x", Value::Slots(vec![xs.clone()]));
    let run = Cleartext::run(&Program::new(circuit), &inputs).unwrap();
    let errors = xs.iter().zip(&run.slots["y"][0]);
    errors.fold(0.0, |m, (&x, &y)| m.max((y / f(x) - 1.0).abs()))
}

#[test]
fn iterations_keep_their_promise() {
    let stops = [
        Stop::RelativeError(1e-2),
        Stop::RelativeError(1e-6),
        Stop::RelativeError(1e-12),
        Stop::Iterations(0),
        Stop::Iterations(2),
        Stop::Iterations(8),
    ];
    for stop in stops {
        let check = |i: &Iteration, measured: f64| {
            let promised = i.relative_error();
            println!(
                "{stop:?} on {:?}: degree {}, {} steps, {} levels, {} products: {measured:.1e}, promised {promised:.1e}",
                i.start().interval(),
                i.start().degree(),
                i.steps(),
                i.levels(),
                i.products()
            );
            assert!(measured <= promised * (1.0 + 1e-6) + 1e-13);
            // And not a promise that says nothing: the start's largest error is met somewhere, and what its bound
            // adds to it is squared in every step.
            assert!(measured >= 0.1 * promised.powf(1.2) - 1e-13);
            if let Stop::RelativeError(wanted) = stop {
                assert!(promised <= wanted);
            }
        };
        macro_rules! check {
            ($method:ident, $f:expr, $intervals:expr) => {
                for (low, high) in $intervals {
                    let i = Iteration::$method(low, high, stop).unwrap();
                    check(&i, relative_error(&i, |x| x.$method(low, high, stop), $f));
                }
            };
        }
        check!(inverse, f64::recip, [(0.1, 10.0), (2.0, 5.0), (-4.0, -0.5)]);
        check!(inverse_sqrt, |x| 1.0 / x.sqrt(), [(0.5, 50.0), (2.0, 5.0)]);
        check!(sqrt, f64::sqrt, [(0.5, 50.0), (2.0, 5.0)]);
    }
}

#[test]
fn norms_in_plaintext() {
    let unit = EncodingUnit::new(8, 16).unwrap();
    let mut case = Building::new(unit.slots(), 6);
    let (a, x) = case.matrix("a", (11, 19), unit);
    let (r, v) = case.row("r", 21, unit);
    let (c, w) = case.column("c", 21, unit);
    let stop = Stop::RelativeError(1e-10);
    let [aa, vv, ww] = [(&x * &x).sum(), v.dot(&v), w.dot(&w)];
    case.expect("aa", &a.norm_squared(), aa);
    case.expect("rr", &r.norm_squared(), vv);
    case.expect("cc", &c.norm_squared(), ww);
    case.expect("a", &a.norm(1.0, 20.0, stop), aa.sqrt());
    case.expect("r", &r.norm(1.0, 5.0, stop), vv.sqrt());
    case.expect("c", &c.norm(1.0, 5.0, stop), ww.sqrt());
    // In every slot.
    case.finish().in_plaintext();
}

#[test]
fn a_dozen_on_ciphertexts() {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let client = client(&insecure(13, 6), CpuEngine::new());
    let mut numbers = Numbers(8);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut dense = |degree: usize| -> Vec<f64> { (0..=degree).map(|_| numbers.next()).collect() };
    let mut of = |basis: Basis, degrees: &[usize], interval| -> Vec<Polynomial> {
        let dense = degrees.iter().map(|&degree| dense(degree));
        dense.map(|c| polynomial(basis, &c, interval)).collect()
    };
    let fifth = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let mut first = of(Basis::Monomial, &[0, 1, 3, 7], (-1.0, 1.0));
    first.push(polynomial(Basis::Monomial, &fifth, (-1.0, 1.0)));
    first.extend(of(Basis::Chebyshev, &[4, 15, 31], (-1.0, 1.0)));
    let second = of(Basis::Chebyshev, &[2, 7, 9], (2.0, 5.0));
    let third = [7, 15, 31].map(|d| Polynomial::interpolate(sigmoid, -16.0, 16.0, d).unwrap());
    for polynomials in [first, second, third.to_vec()] {
        let (low, high) = polynomials[0].interval();
        let mut numbers = Numbers(9);
        let x = numbers
            .matrix(50, 70)
            .mapv(|x| 0.5 * (low + high) + 0.5 * (high - low) * x);
        let mut case = Building::new(unit.slots(), 9);
        case.bind("x", &x);
        let hx = case.recorder.matrix("x", 50, 70, unit);
        for p in &polynomials {
            let (y, expected) = (hx.polynomial(p), x.mapv(|x| p.eval(x)));
            // A sum over everything meets what the padding holds.
            let sums = expected.sum_axis(ndarray::Axis(0));
            case.expect(&format!("sum of {p:?}"), &y.sum_rows(), sums);
            case.expect(&format!("{p:?}"), &y, expected);
        }
        // Fresh values have some 24 bits here; products, sums of many terms and the folded scale take up to 6.
        let tolerance = |name: &str| if name.starts_with("sum") { 4e-5 } else { 4e-6 };
        case.finish().on_ciphertexts(&client, tolerance);
    }
}

#[test]
fn inverse_and_roots_on_ciphertexts() {
    let unit = EncodingUnit::new(64, 64).unwrap();
    let client = client(&insecure(13, 12), CpuEngine::new());
    let mut numbers = Numbers(10);
    let x = numbers.vector(100).mapv(|x| 5.05 + 4.95 * x);
    let z = numbers.vector(80).mapv(|x| 25.25 + 24.75 * x);
    let mut case = Building::new(unit.slots(), 11);
    let (hv, v) = case.column("v", 70, unit);
    case.bind("x", &x);
    case.bind("z", &z);
    let hx = case.recorder.row_vector("x", 100, unit);
    let hz = case.recorder.column_vector("z", 80, unit);
    let stop = Stop::RelativeError(1e-5);
    let inverse_root = hz.inverse_sqrt(0.5, 50.0, stop);
    case.expect("inverse", &hx.inverse(0.1, 10.0, stop), x.mapv(f64::recip));
    case.expect("inverse root", &inverse_root, z.mapv(|z| 1.0 / z.sqrt()));
    case.expect("root", &hz.sqrt(0.5, 50.0, stop), z.mapv(f64::sqrt));
    case.expect("norm", &hv.norm(1.0, 7.0, stop), v.dot(&v).sqrt());
    case.finish().on_ciphertexts(&client, |_| 1e-5);
}

#[test]
fn on_the_reference_engine() {
    let unit = EncodingUnit::new(16, 32).unwrap();
    let client = client(&insecure(10, 5), Reference::new());
    let mut numbers = Numbers(11);
    let c = [0.3, -0.7, 0.2, 0.5, -0.1, 0.4];
    for (rows, cols) in [(16, 32), (5, 7), (17, 33)] {
        let x = numbers.matrix(rows, cols).mapv(|x| 3.5 + 1.5 * x);
        let mut case = Building::new(unit.slots(), 0);
        case.bind("x", &x);
        let hx = case.recorder.matrix("x", rows, cols, unit);
        let p = Polynomial::chebyshev(&c, 2.0, 5.0).unwrap();
        case.expect("p", &hx.polynomial(&p), x.mapv(|x| p.eval(x)));
        let inverse = hx.inverse(2.0, 5.0, Stop::RelativeError(1e-4));
        case.expect("inverse", &inverse, x.mapv(f64::recip));
        case.finish().on_ciphertexts(&client, |_| 1e-4);
    }
}

#[test]
fn refusals_say_both_sides() {
    let stop = Stop::RelativeError(1e-3);
    macro_rules! refused {
        ($($call:expr => $parts:expr;)+) => {$( says($call.unwrap_err(), &$parts); )+};
    }
    refused! {
        Polynomial::monomial(&[]) => ["polynomial", "empty list"];
        Polynomial::monomial(&[0.0, f64::NAN]) => ["coefficient is NaN at [1]"];
        Polynomial::chebyshev(&[1.0, 2.0], 3.0, 3.0) => ["lower end", "= 3", "upper end 3"];
        Polynomial::chebyshev(&[1.0], 5.0, 2.0) => ["= 5", "upper end 2"];
        Polynomial::chebyshev(&[1.0], f64::NEG_INFINITY, 2.0) => ["end of the interval is -inf"];
        Polynomial::monomial(&vec![1.0; 300]) => ["degree = 299", "0 to 255"];
        Polynomial::interpolate(|x| 1.0 / x, -1.0, 1.0, 2) => ["interpolate", "value of the function is inf"];
        Iteration::inverse(-1.0, 2.0, stop) => ["inverse", "-1", "upper end is 2"];
        Iteration::sqrt(0.0, 2.0, stop) => ["sqrt", "= 0", "upper end is 2"];
        Iteration::inverse(1.0, 2.0, Stop::RelativeError(0.0)) => ["relative error = 0", "1e-12 to 0.5"];
        Iteration::inverse(1.0, 2.0, Stop::Iterations(25)) => ["= 25", "0 to 24"];
        Iteration::inverse_sqrt(1e-9, 1.0, stop) => ["inverse_sqrt", "1e-9", "degree up to 31"];
    }
    // From a recording, with the place of the call.
    let unit = EncodingUnit::new(8, 16).unwrap();
    let error = attempt(unit.slots(), |r| {
        r.matrix("x", 5, 7, unit).inverse(-1.0, 1.0, stop)
    });
    assert_kind!(error, ToolkitErrorKind::OutOfRange { .. });
    says(&error, &["polynomial.rs", "intervals without 0"]);
    let error = attempt(unit.slots(), |r| {
        r.row_vector("v", 5, unit).norm(0.0, 1.0, stop)
    });
    says(&error, &["norm = 0", "upper end 1", "polynomial.rs"]);
}

#[test]
fn serialized_and_converted() {
    let p = Polynomial::chebyshev(&[0.5, -1.25, 0.0, 2.0, 0.0], 2.0, 5.0).unwrap();
    assert_eq!((p.degree(), p.coefficients().len()), (3, 4));
    survives_json(&p);
    let wrong = serde_json::to_string(&p).unwrap().replace("5.0", "1.0");
    let error = serde_json::from_str::<Polynomial>(&wrong).unwrap_err();
    assert!(error.to_string().contains("upper end 1"), "{error}");
    let q = p.to_monomial().unwrap();
    assert_eq!((q.basis(), q.interval()), (Basis::Monomial, (2.0, 5.0)));
    let (r, wide) = (q.to_chebyshev().unwrap(), p.on(0.0, 9.0).unwrap());
    for x in across((2.0, 5.0), 9) {
        for other in [&q, &r, &wide] {
            assert!((other.eval(x) - p.eval(x)).abs() < 1e-11);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_polynomial_on_any_interval(
        coefficients in proptest::collection::vec(
            prop_oneof![2 => Just(0.0), 1 => (-4i32..5).prop_map(f64::from), 5 => -2.0..2.0], 1..50),
        low in -20.0..20.0,
        width in 0.01..40.0,
        chebyshev in any::<bool>(),
    ) {
        let (basis, interval) = if chebyshev {
            (Basis::Chebyshev, (low, low + width))
        } else {
            (Basis::Monomial, (-1.0, 1.0))
        };
        let p = polynomial(basis, &coefficients, interval);
        for method in METHODS {
            let cost = check(&p, method);
            if matches!(method, Method::Auto | Method::PatersonStockmeyer) {
                prop_assert!(cost.levels <= ceil_log2(p.degree() + 1) + 1);
            }
        }
        prop_assert!(p.cost(Method::Auto).levels <= p.cost(Method::PatersonStockmeyer).levels);
    }
}
