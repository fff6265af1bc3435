//! What a process sees of engines: how many threads there are, and that they do not survive `fork`.
#![cfg(all(target_os = "linux", feature = "cpu"))]
#![allow(unsafe_code, reason = "fork, waitpid and _exit are the system's")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

use std::{
    collections::BTreeMap,
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use arras::{
    CpuEngine,
    ckks::{Context, Decryptor, Evaluator, Parameters, SecretKey, params::Security},
    hal::HalErrorKind,
    toolkit::{Bindings, Client, Homomorphic, Program, Recorder, Value},
};

fn params() -> Parameters {
    Parameters::builder()
        .log_n(11)
        .levels(2)
        .security(Security::InsecureForTests)
        .build()
        .unwrap()
}

/// Names of this process's threads, with how many have each.
fn threads() -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        // One may end while it is looked at.
        if let Ok(name) = fs::read_to_string(task.unwrap().path().join("comm")) {
            *names.entry(name.trim().to_owned()).or_default() += 1;
        }
    }
    names
}

/// Everything that host threads are for: keys, encryption, loading, encoding, steps side by side.
fn work(engine: CpuEngine) {
    let context = Context::new(&params(), engine).unwrap();
    let slots = context.slots();
    let recorder = Recorder::new(slots).unwrap();
    let x = recorder.slots_input("x", 4);
    let y = x.square().rotate(1).add(&x.rotate(2)).multiply_scalar(0.5);
    recorder.output("y", &y);
    let program = Program::new(recorder.finish().unwrap());
    let client = Client::generate(&context).unwrap();
    let keys = client.evaluation_keys(&program).unwrap();
    let evaluator = Evaluator::new(&context, keys.load(&context).unwrap()).unwrap();
    let inputs = Bindings::new().with("x", Value::Slots(vec![vec![0.5; slots]; 4]));
    let sent = client.encrypt_inputs(&program, &inputs).unwrap();
    let sent = sent.expand(&context).unwrap();
    let run = Homomorphic::new(evaluator).run(&program, &sent).unwrap();
    let secret = client.secret_key().unwrap();
    let found = Decryptor::new(secret)
        .decrypt(run.output("y").unwrap().ciphertext())
        .unwrap();
    assert!((found[0][0] - 0.375).abs() < 1e-3, "{}", found[0][0]);
}

/// The child's part: an error at once with the parent's engine and context, and a new engine that works. Its exit code says what failed.
fn child(context: &Context<CpuEngine>, parent: u32) -> i32 {
    let refused = SecretKey::generate(context).map(|_| ());
    let Err(error) = refused else { return 2 };
    let arras::ckks::CkksErrorKind::Hal(hal) = error.kind() else {
        return 3;
    };
    let here = std::process::id();
    match hal.kind() {
        HalErrorKind::OtherProcess { made, used } if (*made, *used) == (parent, here) => {}
        _ => return 4,
    }
    if !hal.to_string().contains("make a new engine after fork") {
        return 5;
    }
    if Context::new(&params(), context.engine().clone()).is_ok() {
        return 6;
    }
    work(CpuEngine::with_threads(3).unwrap());
    0
}

/// One test: the second part counts this process's threads, the first leaves none.
#[test]
fn engines_have_the_threads_that_were_asked_for_and_refuse_other_processes() {
    let before = threads();
    work(CpuEngine::with_threads(1).unwrap());
    assert_eq!(threads(), before, "one thread is the caller's");

    let engine = CpuEngine::with_threads(3).unwrap();
    work(engine.clone());
    let mut expected = before;
    for name in ["arras-cpu-0", "arras-cpu-1", "arras-cpu-2"] {
        expected.insert(name.to_owned(), 1);
    }
    assert_eq!(threads(), expected);

    let context = Context::new(&params(), engine).unwrap();
    let parent = std::process::id();
    // SAFETY: the child runs on a copy of this thread alone. It waits for no other, which is what is tested, and ends by `_exit`.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| child(&context, parent)));
        // SAFETY: ends the child without what the parent has to do at its end.
        unsafe { libc::_exit(outcome.unwrap_or(1)) }
    }
    let started = Instant::now();
    let mut status = 0;
    // SAFETY: the status is a valid place, and the child is this process's.
    while unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == 0 {
        if started.elapsed() > Duration::from_secs(60) {
            // SAFETY: the child was not waited for, so its number is its own.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            panic!("the child hangs");
        }
        sleep(Duration::from_millis(5));
    }
    assert!(libc::WIFEXITED(status), "the child was killed: {status}");
    assert_eq!(libc::WEXITSTATUS(status), 0, "see `child`");
    // The parent's engine goes on.
    SecretKey::generate(&context).unwrap();
}
