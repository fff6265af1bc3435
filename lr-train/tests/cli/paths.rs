//! Other things in the place of files, and folders that somebody else made: nothing waits, nothing outside is read or written.
#![cfg(unix)]

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    process::Command,
};

use crate::support::{DECRYPT, Desk, ENCRYPT, Ran, TRAIN, finished};

const DESK: &str = "keys plan.toml data.arras result.arras model.json train.csv";

/// Each file that verbs read, and a verb that reads it.
fn inputs(desk: &Desk) -> Vec<(String, String)> {
    let evaluate = "evaluate --model model.json --data train.csv --label y";
    let mut inputs: Vec<(String, String)> = [
        ("plan.toml", "keygen --plan plan.toml --out new"),
        ("plan.toml", "inspect plan.toml"),
        (
            "costs.toml",
            "plan --features 5 --rows 40 --minibatch 16 --iterations 1 --costs costs.toml",
        ),
        ("data.arras", TRAIN),
        (
            "data.arras",
            "decrypt --keys keys --result result.arras --dataset data.arras --out out.json",
        ),
        (
            "data.arras",
            "encrypt --keys keys --data train.csv --label y --out data.arras --resume",
        ),
        (
            "state.arras",
            "train --eval-keys keys/eval --data data.arras --state state.arras --out out.arras",
        ),
        (
            "result.arras",
            "train --eval-keys keys/eval --data data.arras --out result.arras --resume",
        ),
        (
            "result.arras",
            "refresh --keys keys --state result.arras --out out.arras",
        ),
        ("result.arras", "inspect result.arras"),
        ("result.arras", DECRYPT),
        ("model.json", evaluate),
        (
            "model.json",
            "predict --model model.json --data train.csv --label y",
        ),
        ("keys/eval/plan.toml", TRAIN),
        ("keys/eval/keys.json", TRAIN),
        ("keys/eval/evaluation-keys.arras", TRAIN),
        ("keys/secret/owner.json", ENCRYPT),
        ("keys/secret/plan.toml", ENCRYPT),
        ("keys/secret/secret-key.arras", ENCRYPT),
    ]
    .map(|(file, verb)| (file.to_owned(), verb.to_owned()))
    .into();
    // What is kept of the data set.
    let records = desk.listing("keys/secret/datasets");
    inputs.extend(records.into_iter().map(|file| (file, DECRYPT.to_owned())));
    inputs
}

fn pipe(desk: &Desk, name: &str) {
    let made = Command::new("mkfifo").arg(desk.path(name)).status();
    assert!(made.unwrap().success());
}

/// Puts something into the place of each input; its verb ends soon, names it and writes nothing.
fn in_the_place_of_inputs(put: impl Fn(&Desk, &str)) {
    let desk = finished().copy_of(DESK);
    for (file, verb) in inputs(&desk) {
        let aside = desk.path("aside");
        let there = desk.path(&file).exists();
        if there {
            fs::rename(desk.path(&file), &aside).unwrap();
        }
        put(&desk, &file);
        let before = desk.listing(".");
        let ran = desk.run_soon(&verb);
        assert!(matches!(ran.code, Some(4 | 5)), "{file}: {ran}");
        ran.notes(file.rsplit('/').next().unwrap());
        assert_eq!(desk.listing("."), before, "{file}: {ran}");
        let place = desk.path(&file);
        match place.symlink_metadata() {
            Ok(put) if put.is_dir() => fs::remove_dir(place).unwrap(),
            Ok(_) => fs::remove_file(place).unwrap(),
            Err(_) => {}
        }
        if there {
            fs::rename(&aside, desk.path(&file)).unwrap();
        }
    }
}

#[test]
fn a_pipe_that_nobody_writes_to() {
    in_the_place_of_inputs(pipe);
}

#[test]
fn a_socket() {
    in_the_place_of_inputs(|desk, name| {
        // A name as short as sockets have them.
        let here = desk.path("s");
        drop(UnixListener::bind(&here).unwrap());
        fs::rename(here, desk.path(name)).unwrap();
    });
}

#[test]
fn a_folder() {
    in_the_place_of_inputs(|desk, name| fs::create_dir(desk.path(name)).unwrap());
}

#[test]
fn a_link_to_itself() {
    in_the_place_of_inputs(|desk, name| symlink(desk.path(name), desk.path(name)).unwrap());
}

#[test]
fn a_file_that_may_not_be_read() {
    let desk = Desk::new();
    desk.write("closed", "");
    let set = |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(desk.path("closed"), 0o000);
    if fs::read(desk.path("closed")).is_ok() {
        eprintln!("SKIPPED: root may read everything");
        return;
    }
    in_the_place_of_inputs(|desk, name| {
        desk.write(name, "closed");
        set(desk.path(name), 0o000);
    });
}

/// Runs a verb whose standard input is what a shell command writes.
fn piped(desk: &Desk, writer: &str, verb: &str) -> Ran {
    let script = format!("({writer}) | {} {verb}", env!("CARGO_BIN_EXE_lr-train"));
    let mut shell = Command::new("sh");
    Ran::of(shell.args(["-c", &script]).current_dir(desk.root()))
}

/// A pipe with a writer is read to its end, and what it gives is looked at whole: names and delimiter, too.
#[test]
fn a_pipe_with_a_writer_is_an_input() {
    let desk = finished().copy_of("model.json train.csv result.arras");
    let evaluate = "evaluate --model model.json --label y";
    let expected = desk.ok(&format!("{evaluate} --data train.csv")).stdout;
    piped(
        &desk,
        "cat model.json",
        "evaluate --model /dev/stdin --label y --data train.csv",
    )
    .ends_with(0)
    .says("accuracy");
    for (start, options) in [("", ""), ("\\357\\273\\277", "--delimiter ;")] {
        let slowly = format!(
            "printf '{start}a'; sleep .3; printf ';same;'; sleep .3; printf 'b;y\\n'; sed 1d train.csv | tr , ';'"
        );
        let options = options.replace(';', "';'");
        let verb = format!("{evaluate} {options} --data /dev/stdin");
        let ran = piped(&desk, &slowly, &verb).ends_with(0);
        assert_eq!(
            ran.stdout.replace("/dev/stdin", "train.csv"),
            expected,
            "{ran}"
        );
    }
    for file in ["result.arras", "model.json"] {
        piped(&desk, &format!("cat {file}"), "inspect /dev/stdin")
            .ends_with(4)
            .notes("/dev/stdin: is no file | into a file");
    }
}

#[test]
fn a_pipe_in_the_place_of_an_output() {
    let desk = finished().copy_of(DESK);
    for (verb, out) in [
        (ENCRYPT, "out.arras"),
        (TRAIN, "out.arras"),
        (DECRYPT, "out.json"),
    ] {
        pipe(&desk, out);
        desk.run_soon(verb)
            .ends_with(5)
            .notes(&format!("{out} | exists"));
        assert!(desk.path(out).metadata().unwrap().file_type().is_fifo());
        desk.run_soon(&format!("{verb} --force")).ends_with(0);
        assert!(desk.path(out).metadata().unwrap().is_file());
        fs::remove_file(desk.path(out)).unwrap();
    }
}

#[test]
fn a_folder_of_evaluation_keys_leads_nowhere_else() {
    let desk = finished().copy_of("keys data.arras plan.toml");
    for file in ["plan.toml", "keys.json", "evaluation-keys.arras"] {
        let (place, aside) = (desk.path(&format!("keys/eval/{file}")), desk.path(file));
        fs::rename(&place, &aside).unwrap();
        symlink(&aside, &place).unwrap();
        let ran = desk.run_soon(TRAIN).ends_with(5);
        ran.notes(&format!("{file} | leads out of the folder"));
        // Within the folder it may, as where folders are mounted.
        fs::create_dir_all(desk.path("keys/eval/..data")).unwrap();
        fs::rename(&aside, desk.path(&format!("keys/eval/..data/{file}"))).unwrap();
        fs::remove_file(&place).unwrap();
        symlink(format!("..data/{file}"), &place).unwrap();
    }
    desk.ok(TRAIN);
}

/// What lies in a folder under the name of a leftover is removed, and what it is another name of stays.
#[test]
fn leftovers_that_are_other_names_of_files() {
    let desk = finished().copy_of("keys result.arras");
    fs::create_dir(desk.path("received")).unwrap();
    desk.write("precious", "mine");
    for name in [".out.json.abc123.partial", ".out.json.lock"] {
        fs::hard_link(
            desk.path("precious"),
            desk.path(&format!("received/{name}")),
        )
        .unwrap();
    }
    desk.ok("decrypt --keys keys --result result.arras --out received/out.json");
    assert_eq!(desk.listing("received"), ["received/out.json"]);
    assert_eq!(desk.read("precious"), b"mine");
}
