//! The engine's WGSL in a browser: headless Chromium's own compiler takes every kernel, and runs number-theoretic
//! transforms through WebGPU, on its software adapter; the words must be those of the reference engine.
//!
//! A test tool only: nothing here is a way to use Arras in a browser. `ARRAS_CHROMIUM` names the browser; without it `chromium` is
//! looked for in the path, and without that the test skips and says so.

#[path = "../common/mod.rs"]
mod common;
mod server;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use arras_hal::{Coeff, Eval, Poly, Reference, RingBasis, Shape};
use arras_shaders::{
    Direction, Kernel, NttKernel, NttLoad, NttStore, Prelude, Twiddles,
    layout::{Entry, Header},
};
use common::{Words, chain, toy};
use server::Server;

const VARIABLE: &str = "ARRAS_CHROMIUM";
const BATCH: usize = 2;

/// The browser; one that was named has to be there.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let path = PathBuf::from(named);
        assert!(path.is_file(), "{VARIABLE}: no file {}", path.display());
        return Some(path);
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths)
        .map(|folder| folder.join("chromium"))
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {VARIABLE} is not set and there is no chromium in the path");
    }
    found
}

/// A kernel as the page reads it; Rust's escapes of these texts are JavaScript's.
fn kernel(kernel: Kernel, prelude: Prelude, more: &str) -> String {
    let name = format!("{kernel:?}, {prelude:?}");
    let code = kernel.source(prelude);
    format!("{{name: {name:?}, code: {code:?}{more}}}")
}

/// All limbs of two polynomials, in place, there or back.
fn transform(basis: &Arc<RingBasis>, direction: Direction) -> String {
    let (n, log_n, limbs) = (basis.n(), basis.log_n(), basis.all_limbs());
    let shape = Shape::new(BATCH, limbs.clone());
    let data = Words::new(31).rows(basis, BATCH, &limbs);
    let ring = common::ring(&Reference::new(), basis);
    let expected = match direction {
        Direction::Forward => {
            let x = Poly::<_, Coeff>::from_words(&ring, &shape, &data).unwrap();
            x.ntt().to_words().unwrap()
        }
        Direction::Inverse => {
            let x = Poly::<_, Eval>::from_words(&ring, &shape, &data).unwrap();
            x.intt().to_words().unwrap()
        }
    };
    let layout = Twiddles::new(log_n);
    let mut twiddles = vec![0; basis.len() * layout.row * 2];
    for (limb, row) in twiddles.chunks_exact_mut(2 * layout.row).enumerate() {
        let q = basis.modulus(limb);
        let powers = match direction {
            Direction::Forward => basis.forward_twiddles(limb),
            Direction::Inverse => basis.inverse_twiddles(limb),
        };
        for (w, &place) in powers.into_iter().zip(&layout.places).skip(1) {
            row[2 * place..][..2].copy_from_slice(&[w, q.shoup(w)]);
        }
    }
    let header = Header {
        n: n as u32,
        log_n,
        batch: BATCH as u32,
        dst_stride: basis.len() as u32,
        a_count: BATCH as u32,
        entries: basis.len() as u32,
        ..Header::default()
    };
    let mut params: Vec<u32> = bytemuck::cast_slice(&[header]).to_vec();
    for limb in 0..basis.len() {
        let n_inverse = basis.n_inverse(limb);
        let entry = Entry {
            dst: limb as u32,
            table: limb as u32,
            k0: n_inverse.value,
            k0_shoup: n_inverse.shoup,
            ..Entry::of_modulus(basis.modulus(limb).value())
        };
        params.extend_from_slice(bytemuck::cast_slice(&[entry]));
    }
    let prelude = Prelude::portable_for(basis.moduli().iter().map(|q| q.value()));
    let steps: Vec<String> = NttKernel::parts(log_n, direction)
        .iter()
        .map(|&part| {
            let ntt = NttKernel {
                log_n,
                direction,
                part,
                load: NttLoad::InPlace,
                store: NttStore::Plain,
            };
            let grid = [ntt.tiles(), basis.len() as u32, BATCH as u32];
            let more = format!(", params: {params:?}, grid: {grid:?}");
            kernel(Kernel::Ntt(ntt), prelude, &more)
        })
        .collect();
    format!(
        "{{name: \"{direction:?}, N = 2^{log_n}, {prelude:?}\", data: {data:?}, twiddles: {twiddles:?}, expected: {expected:?}, steps: [{}]}}",
        steps.join(",\n")
    )
}

fn work() -> String {
    let kernels: Vec<String> = [Prelude::Portable, Prelude::PortableFermat]
        .into_iter()
        .flat_map(|prelude| {
            let all = Kernel::all(13).into_iter().chain(Kernel::all(8));
            all.map(move |k| kernel(k, prelude, ""))
        })
        .collect();
    let transforms: Vec<String> = [toy(6), chain(13, 1, 1, 1)]
        .iter()
        .flat_map(|basis| [Direction::Forward, Direction::Inverse].map(|d| transform(basis, d)))
        .collect();
    format!(
        "const work = {{kernels: [{}], transforms: [{}]}};\n",
        kernels.join(",\n"),
        transforms.join(",\n")
    )
}

#[test]
fn a_browser_computes_the_same_transforms() {
    let Some(browser) = browser() else {
        return;
    };
    let work = work();
    let server = Server::new();
    let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("browser-profile-{}", std::process::id()));
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--no-first-run"])
        .args(["--disable-dev-shm-usage", "--enable-unsafe-webgpu"])
        .arg("--use-webgpu-adapter=swiftshader")
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://{}/", server.address))
        // It brings a driver of its own.
        .env_remove("VK_ICD_FILENAMES")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let files = [
        ("/", "text/html", include_str!("page.html")),
        ("/work.js", "text/javascript", &work),
    ];
    let gone = || matches!(child.try_wait(), Ok(Some(_)));
    let report = server.report(&files, Duration::from_secs(240), gone);
    let _ = child.kill();
    let _ = child.wait();
    let _ = std::fs::remove_dir_all(&profile);
    let report = report.expect("the browser ended or gave no report");
    println!("{report}");
    assert!(report.starts_with("passed: "), "{report}");
}
