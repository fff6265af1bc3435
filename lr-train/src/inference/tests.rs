//! Networks applied to encrypted rows, beside the same in the clear.

use arras_backend_cpu::CpuEngine;
use arras_ckks::{
    Context,
    params::Security,
    wire::{AtomicFile, Overwrite},
};
use arras_toolkit::{ToolkitErrorKind, run::Options};
use ndarray::{Array1, Array2, array};

use super::*;
use crate::{
    TrainError,
    data::DataError,
    sigmoid::Approximation,
    trainer::{
        ExchangeError,
        files::{load_request, save_request},
    },
};

const DIGITS: &str = include_str!("../../data/digits-network.json");
const HELD_BACK: &str = include_str!("../../data/digits-held-back.csv");

/// Entries between -1 and 1 that look like nothing.
fn some(rows: usize, columns: usize, seed: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(r, c)| {
        let mixed = (r * 7919 + c * 104_729 + seed * 1_299_709) % 2003;
        mixed as f64 / 1001.0 - 1.0
    })
}

fn linear(features: usize, outputs: usize) -> Network {
    let layer = Layer::new(
        some(features, outputs, 1),
        Array1::from_iter((0..outputs).map(|o| o as f64 / 10.0)),
        Activation::None,
    );
    Network::new(vec![layer.unwrap()]).unwrap()
}

fn two_layers(features: usize) -> Network {
    let mut layers = vec![];
    for (inputs, outputs, activation) in
        [(features, 5, Activation::Square), (5, 3, Activation::None)]
    {
        let bias = some(1, outputs, inputs).row(0).to_owned();
        layers.push(Layer::new(some(inputs, outputs, 2), bias, activation).unwrap());
    }
    Network::new(layers).unwrap()
}

fn insecure(rows: usize) -> InferenceOptions {
    let options = InferenceOptions::new(rows).threads(1);
    options.security(Security::InsecureForTests)
}

/// Scores of encrypted rows, each request with fresh keys.
fn scored(network: &Network, options: &InferenceOptions, rows: &Array2<f64>) -> Array2<f64> {
    let (plan, report) = plan(network, options).unwrap();
    println!("{report}");
    let engine = CpuEngine::new();
    let context = Context::new(plan.params(), engine.clone()).unwrap();
    let (owner, keys) = InferenceOwner::generate(plan.clone(), &context, |_| ()).unwrap();
    let sent = (plan.spec().weights == Weights::Encrypted)
        .then(|| owner.encrypt_weights(network).unwrap());
    let weights = match &sent {
        Some(sent) => ServedWeights::Encrypted(sent),
        None => ServedWeights::Plain(network),
    };
    let server = InferenceServer::new(plan, keys, &weights, engine, Options::default()).unwrap();
    let (scores, report) = server.score(&owner.encrypt(rows).unwrap()).unwrap();
    println!("{report}");
    owner.decrypt(&scores).unwrap()
}

fn worst(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    a.iter().zip(b).fold(0.0, |m, (x, y)| m.max((x - y).abs()))
}

#[test]
fn networks_score_encrypted_rows_as_in_the_clear() {
    let rows = some(70, 9, 3);
    for network in [linear(9, 1), linear(9, 4), two_layers(9)] {
        for weights in [Weights::Plain, Weights::Encrypted] {
            let options = insecure(100).weights(weights);
            let clear = network.scores(&rows, None).unwrap();
            let error = worst(&scored(&network, &options, &rows), &clear);
            assert!(
                error < 2f64.powi(-12),
                "{weights:?} {:?}: {error}",
                network.outputs()
            );
        }
    }
}

#[test]
fn a_single_score_is_squared_where_the_network_says_so() {
    let layer = Layer::new(array![[0.5]], array![0.25], Activation::Square).unwrap();
    let network = Network::new(vec![layer]).unwrap();
    let rows = array![[1.0], [0.0], [-1.0]];
    for weights in [Weights::Plain, Weights::Encrypted] {
        let found = scored(&network, &insecure(3).weights(weights), &rows);
        assert!(worst(&found, &array![[0.5625], [0.0625], [0.0625]]) < 1e-3);
    }
}

#[test]
fn the_server_can_make_probabilities() {
    let (network, rows) = (linear(6, 1), some(40, 6, 4));
    let sigmoid = Approximation::least_squares(7, 8.0).unwrap();
    for weights in [Weights::Plain, Weights::Encrypted] {
        let options = insecure(40).sigmoid(sigmoid.clone()).weights(weights);
        let clear = network.scores(&rows, Some(&sigmoid)).unwrap();
        assert!(clear.iter().any(|&p| p > 0.6) && clear.iter().any(|&p| p < 0.4));
        let scores = network.scores(&rows, None).unwrap();
        let agree = |row: usize| (scores[(row, 0)] > 0.0) == (clear[(row, 0)] > 0.5);
        assert!((0..40).all(agree));
        assert!(worst(&scored(&network, &options, &rows), &clear) < 2f64.powi(-10));
    }
}

#[test]
fn handwritten_digits_are_told_apart_by_a_network_with_squares() {
    let network = Network::from_json(DIGITS).unwrap();
    let mut lines = HELD_BACK.lines().skip(1);
    let mut labels = vec![];
    let mut entries = vec![];
    for line in lines.by_ref().take(256) {
        let (pixels, label) = line.rsplit_once(',').unwrap();
        entries.extend(pixels.split(',').map(|p| p.parse::<f64>().unwrap()));
        labels.push(label.to_owned());
    }
    let rows = Array2::from_shape_vec((256, 64), entries).unwrap();
    // 128-bit parameters: this is what is promised.
    let scores = scored(&network, &InferenceOptions::new(256), &rows);
    let clear = network.scores(&rows, None).unwrap();
    assert!(worst(&scores, &clear) < 2f64.powi(-12));
    let best = |row: usize| {
        let row = scores.row(row);
        let most = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        &network.classes()[most]
    };
    let right = (0..256).filter(|&row| *best(row) == labels[row]).count();
    assert!(right as f64 / 256.0 >= 0.97, "{right} of 256");
}

#[test]
fn plans_and_networks_survive_text_and_nonsense_is_refused() {
    let network = two_layers(4).largest_input(2.0).unwrap();
    assert_eq!(
        Network::from_json(&network.to_json().unwrap()).unwrap(),
        network
    );
    let (plan, _) = plan(&network, &InferenceOptions::new(10).threads(1)).unwrap();
    let again = InferencePlan::from_toml(&plan.to_toml().unwrap()).unwrap();
    assert_eq!((&again, again.id()), (&plan, plan.id()));

    type Change = fn(&mut InferenceSpec);
    let changes: [(&str, Change); 9] = [
        ("version", |spec| spec.version = 9),
        ("no rows", |spec| spec.rows = 0),
        ("too many rows", |spec| spec.rows = usize::MAX),
        ("too many entries", |spec| spec.rows = 1 << 20),
        ("no layers", |spec| spec.layers.clear()),
        ("no width", |spec| spec.layers[0].outputs = 0),
        ("a level that is not there", |spec| spec.level = 99),
        ("delivered above the rows", |spec| {
            spec.delivered = spec.level + 1;
        }),
        ("a bound of nothing", |spec| spec.largest_input = f64::NAN),
    ];
    for (what, change) in changes {
        let mut spec = plan.spec().clone();
        if what == "too many entries" {
            spec.features = 1 << 10;
        }
        change(&mut spec);
        assert!(InferencePlan::new(spec).is_err(), "{what}");
    }
    for (text, why) in [
        ("{\"version\":2,\"layers\":[]}", "version"),
        ("{\"version\":1,\"layers\":[]}", "layers"),
        (
            "{\"version\":1,\"layers\":[{\"weights\":[[1],[1,2]],\"bias\":[0]}]}",
            "weights of an input",
        ),
        (
            "{\"version\":1,\"layers\":[{\"weights\":[[1e300]],\"bias\":[0]}]}",
            "2^20",
        ),
        (
            "{\"version\":1,\"classes\":[\"a\"],\"layers\":[{\"weights\":[[1,2]],\"bias\":[0,0]}]}",
            "names of classes",
        ),
        (
            "{\"version\":1,\"layers\":[{\"weights\":[[1]],\"bias\":[0],\"activation\":\"relu\"}]}",
            "relu",
        ),
        (
            "{\"version\":1,\"layers\":[{\"weights\":[[0]],\"bias\":[1]}]}",
            "2^-30",
        ),
        (
            "{\"version\":1,\"layers\":[{\"weights\":[[1]],\"bias\":[0]},{\"weights\":[[1],[2]],\"bias\":[0]}]}",
            "rows of a layer's weights",
        ),
    ] {
        let error = Network::from_json(text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn rows_and_weights_beyond_the_plan_are_refused_before_they_are_encrypted() {
    let network = linear(3, 1);
    let options = insecure(4).weights(Weights::Encrypted);
    let (made, _) = plan(&network, &options).unwrap();
    let context = Context::new(made.params(), CpuEngine::new()).unwrap();
    let (owner, keys) = InferenceOwner::generate(made.clone(), &context, |_| ()).unwrap();
    let refused = |rows: Array2<f64>| owner.encrypt(&rows).unwrap_err();
    assert!(matches!(
        refused(some(5, 3, 1)),
        TrainError::Exchange(ExchangeError::BeyondPlan {
            found: 5,
            most: 4,
            ..
        })
    ));
    assert!(matches!(
        refused(some(4, 2, 1)),
        TrainError::Data(DataError::Length { .. })
    ));
    for wrong in [array![[1.5, 0.0, 0.0]], array![[f64::NAN, 0.0, 0.0]]] {
        let TrainError::Toolkit(error) = refused(wrong) else {
            panic!()
        };
        assert!(matches!(
            error.kind(),
            ToolkitErrorKind::BeyondPlan { .. } | ToolkitErrorKind::NonFinite { .. }
        ));
    }
    let larger = Layer::new(array![[3.0], [0.0], [0.0]], array![0.0], Activation::None);
    let larger = Network::new(vec![larger.unwrap()]).unwrap();
    let error = owner.encrypt_weights(&larger).unwrap_err();
    assert!(error.to_string().contains("largest weight"), "{error}");

    // Weights of the other kind, and of other keys.
    let plain = ServedWeights::Plain(&network);
    let engine = CpuEngine::new();
    let serve = |keys, weights: &ServedWeights<'_>| {
        InferenceServer::new(
            made.clone(),
            keys,
            weights,
            engine.clone(),
            Options::default(),
        )
    };
    assert!(serve(keys.clone(), &plain).is_err());
    let sent = owner.encrypt_weights(&network).unwrap();
    let (other, _) = InferenceOwner::generate(made.clone(), &context, |_| ()).unwrap();
    let server = serve(keys, &ServedWeights::Encrypted(&sent)).unwrap();
    let foreign = other.encrypt(&some(2, 3, 5)).unwrap();
    let error = server.score(&foreign).unwrap_err();
    assert!(error.to_string().contains("key set"), "{error}");
    let (scores, _) = server
        .score(&owner.encrypt(&some(2, 3, 5)).unwrap())
        .unwrap();
    assert!(other.decrypt(&scores).is_err());
    assert_eq!(owner.decrypt(&scores).unwrap().dim(), (2, 1));
}

#[test]
fn what_cannot_be_planned_is_refused_at_once() {
    let network = linear(3, 1);
    for (rows, bits) in [
        (0, 12.0),
        (usize::MAX, 12.0),
        (4, f64::NAN),
        (4, 0.0),
        (4, 99.0),
    ] {
        let error = plan(&network, &InferenceOptions::new(rows).bits(bits)).unwrap_err();
        assert!(
            matches!(
                error,
                TrainError::Exchange(ExchangeError::Unsuitable { .. })
            ),
            "{error}"
        );
    }
}

#[test]
fn enormous_plans_and_networks_are_refused_before_anything_is_recorded() {
    let options = insecure(10).weights(Weights::Encrypted);
    let (made, _) = plan(&two_layers(4), &options).unwrap();
    let refused = |features: usize, outputs: &[usize], change: fn(&mut InferenceSpec)| {
        let mut spec = made.spec().clone();
        let shape = spec.layers[0];
        spec.features = features;
        spec.layers = outputs
            .iter()
            .map(|&outputs| LayerShape { outputs, ..shape })
            .collect();
        change(&mut spec);
        InferencePlan::allowing_insecure(spec)
            .unwrap_err()
            .to_string()
    };
    // 16 layers of 2^28 weights each.
    let error = refused(1 << 14, &[1 << 14; 16], |_| ());
    assert!(
        error.contains("2^24") && error.contains("4294967296"),
        "{error}"
    );
    let in_the_clear = |spec: &mut InferenceSpec| spec.weights = Weights::Plain;
    let error = refused(1 << 14, &[1 << 14; 16], in_the_clear);
    assert!(error.contains("2^24"), "{error}");
    // A million weights, in units of 4 x 1024.
    let error = refused(1024, &[1024, 512], |_| ());
    assert!(
        error.contains("masks") && error.contains("narrower"),
        "{error}"
    );
    let error = refused(4, &[5, 3], |spec| {
        spec.keys.rotations.insert(1 << 40, 0);
    });
    assert!(error.contains("rotation of a key"), "{error}");
    let error = refused(4, &[5, 3], |spec| spec.keys.relinearization = Some(99));
    assert!(error.contains("level of a key"), "{error}");
    let error = refused(4, &[5, 3], |spec| {
        spec.layers[1].activation = Activation::None;
        spec.keys.rotations.clear();
    });
    assert!(error.contains("circuit of these weights"), "{error}");

    let layer = Layer::new(
        Array2::zeros((4097, 4096)),
        Array1::zeros(4096),
        Activation::None,
    );
    let error = Network::new(vec![layer.unwrap()]).unwrap_err().to_string();
    assert!(
        error.contains("2^24") && error.contains("16781312"),
        "{error}"
    );
}

#[test]
fn a_request_says_how_many_rows_count() {
    let network = linear(3, 2);
    let options = insecure(4).weights(Weights::Encrypted);
    let (made, _) = plan(&network, &options).unwrap();
    let context = Context::new(made.params(), CpuEngine::new()).unwrap();
    let (owner, keys) = InferenceOwner::generate(made.clone(), &context, |_| ()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("request.arras");
    let read = |mut request: EncryptedRequest, rows: usize| {
        let content = request.content;
        request.rows = rows;
        let file = AtomicFile::create(&path, Overwrite::Replace).unwrap();
        save_request(&made, &request, file).unwrap();
        load_request(&path, content, &made, keys.id())
    };
    let rows = owner.encrypt(&some(2, 3, 1)).unwrap();
    let weights = owner.encrypt_weights(&network).unwrap();
    assert_eq!(read(rows.clone(), 4).unwrap().rows, 4);
    assert_eq!(read(weights.clone(), 0).unwrap().rows, 0);
    for (request, count) in [(&rows, 0), (&rows, 5), (&weights, 1)] {
        let error = read(request.clone(), count).unwrap_err().to_string();
        assert!(error.contains("rows"), "{error}");
    }
}
