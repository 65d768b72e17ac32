//! Tests that files which another user replaced are refused.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::place::PRIVATE;
use super::*;

/// A directory with a file that must not change.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("victim"), "untouched").expect("written");
        std::fs::set_permissions(folder.path().join("victim"), Permissions::from_mode(0o640))
            .expect("changed");
        Scene { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    fn victim_is_untouched(&self) {
        let mode = std::fs::metadata(self.path("victim")).expect("there").mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(std::fs::read(self.path("victim")).expect("read"), b"untouched");
    }
}

/// Replaces a file of the gateway by other kinds of files; each is refused with its reason.
fn impostors(scene: &Scene) -> [(PathBuf, &'static str); 5] {
    symlink(scene.path("victim"), scene.path("link")).expect("made");
    symlink(scene.path("nowhere"), scene.path("dangling")).expect("made");
    std::fs::hard_link(scene.path("victim"), scene.path("hard")).expect("made");
    std::fs::create_dir(scene.path("directory")).expect("made");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        scene.path("fifo"),
        rustix::fs::FileType::Fifo,
        PRIVATE,
        0,
    )
    .expect("made");
    [
        (scene.path("link"), "is a symbolic link"),
        (scene.path("dangling"), "is a symbolic link"),
        (scene.path("hard"), "has 2 hard links"),
        (scene.path("directory"), "is a directory"),
        (scene.path("fifo"), "is a FIFO"),
    ]
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_unchanged() {
    let scene = Scene::new();
    for (path, words) in impostors(&scene) {
        let error = open_own(&path).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
        let error = open_own_to_read(&path).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
        scene.victim_is_untouched();
    }
    assert!(!scene.path("nowhere").exists());
}

#[test]
fn creating_a_file_refuses_an_existing_path() {
    let scene = Scene::new();
    for (path, _) in impostors(&scene) {
        let place = Place::of(&path).expect("a place");
        let error = place.create_new().expect_err("taken");
        let kind = (error.kind(), error.to_string());
        assert!(kind.0 == ErrorKind::AlreadyExists || kind.1.contains("symbolic"), "{kind:?}");
        scene.victim_is_untouched();
    }
    assert!(!scene.path("nowhere").exists());
}

#[test]
fn replacing_a_file_leaves_its_link_target_unchanged() {
    let scene = Scene::new();
    for (path, words) in impostors(&scene) {
        let replaced = Place::of(&path).expect("a place").replace(b"new");
        assert_eq!(replaced.is_ok(), words != "is a directory", "{words}: {replaced:?}");
        scene.victim_is_untouched();
    }
    assert_eq!(std::fs::read(scene.path("link")).expect("read"), b"new");
    symlink(scene.path("victim"), scene.path("fifo.new")).expect("made");
    Place::of(&scene.path("fifo")).expect("a place").replace(b"newer").expect("replaced");
    assert_eq!(std::fs::read(scene.path("fifo")).expect("read"), b"newer");
    scene.victim_is_untouched();
}

#[test]
fn a_configured_file_may_be_a_symlink_in_our_directory() {
    let scene = Scene::new();
    symlink("victim", scene.path("link")).expect("made");
    assert_eq!(read(&scene.path("link"), 9).expect("read"), b"untouched");
    let error = read(&scene.path("link"), 8).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    symlink("again", scene.path("again")).expect("made");
    assert!(read(&scene.path("again"), 9).expect_err("a circle").to_string().contains("link"));
}

#[test]
fn an_own_file_is_created_private_and_reopened_unchanged() {
    let scene = Scene::new();
    let (mut file, place) = open_own(&scene.path("own")).expect("made");
    assert_eq!(file.metadata().expect("there").mode() & 0o777, 0o600);
    file.write_all(b"kept").expect("written");
    drop(file);
    drop(open_own(&scene.path("own")).expect("opened"));
    assert_eq!(std::fs::read(place.path()).expect("read"), b"kept");
    place.check_suffixed(&["", "-wal"]).expect("its own");
    symlink(scene.path("victim"), scene.path("own-wal")).expect("made");
    let error = place.check_suffixed(&["", "-wal"]).expect_err("a link").to_string();
    assert!(error.contains("(-wal) is a symbolic link"), "{error}");
}

#[test]
fn an_unfinished_output_leaves_no_file() {
    let scene = Scene::new();
    let path = scene.path("out");
    let output = Output::create(&path).expect("made");
    output.file().write_all(b"half").expect("written");
    drop(output);
    assert!(!path.exists());
    std::fs::write(&path, "").expect("written");
    let output = Output::create(&path).expect("an empty one is taken");
    output.file().write_all(b"whole").expect("written");
    output.finish().expect("flushed");
    assert_eq!(std::fs::read(&path).expect("read"), b"whole");
    let taken = Output::create(&path).expect_err("there already");
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    for (path, words) in impostors(&scene) {
        Output::create(&path).expect_err(words);
        scene.victim_is_untouched();
    }
    assert!(!scene.path("nowhere").exists());
}
