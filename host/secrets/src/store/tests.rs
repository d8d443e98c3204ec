//! The store as its users see it, on real files.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::forms::forms;

const VALUE: &str = "s3cr3t/Token+42";

fn store_with(home: &Path, sources: &[&str], environment: &[(&str, &str)]) -> SecretStore {
    SecretStore::new(StoreConfig {
        sources: sources.iter().map(|text| SecretSource::parse(text, home).unwrap()).collect(),
        file: home.join("data/secrets.age"),
        identity: home.join("config/secrets.key"),
        environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    })
}

fn store(home: &Path) -> SecretStore {
    store_with(home, &["file"], &[])
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn value(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn got(store: &SecretStore, wanted: &str) -> Option<String> {
    store.get(&name(wanted)).unwrap().map(|secret| secret.reveal().to_owned())
}

#[test]
fn what_is_set_is_there_for_the_next_process_and_on_no_disk() {
    let home = tempfile::tempdir().unwrap();
    assert!(!store(home.path()).set(&name("github"), &value(VALUE)).unwrap());
    assert!(store(home.path()).set(&name("github"), &value("other-value")).unwrap());
    store(home.path()).set(&name("github"), &value(VALUE)).unwrap();
    assert_eq!(got(&store(home.path()), "github").as_deref(), Some(VALUE));
    for file in ["data/secrets.age", "config/secrets.key"] {
        let path = home.path().join(file);
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(forms(VALUE).iter().all(|form| !text.contains(form)) && !text.contains("github"), "{file}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    assert!(store(home.path()).remove(&name("github")).unwrap());
    assert!(!store(home.path()).remove(&name("github")).unwrap());
    assert_eq!(got(&store(home.path()), "github"), None);
}

#[test]
fn a_store_that_was_opened_before_sees_what_another_process_sets() {
    let home = tempfile::tempdir().unwrap();
    let reader = store(home.path());
    assert_eq!(got(&reader, "a"), None);
    for text in ["first", "second", "third!"] {
        store(home.path()).set(&name("a"), &value(text)).unwrap();
        assert_eq!(got(&reader, "a").as_deref(), Some(text));
    }
}

#[test]
fn writers_that_come_together_lose_nothing() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let writer = |number: usize| {
        let home = home.clone();
        std::thread::spawn(move || {
            for round in 0..5 {
                store(home.path()).set(&name(&format!("s{number}-{round}")), &value("value")).unwrap();
            }
        })
    };
    let writers: Vec<_> = (0..4).map(writer).collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(store(home.path()).list().unwrap().len(), 20);
}

#[test]
fn a_value_that_could_not_be_masked_is_not_taken() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(store(home.path()).set(&name("a"), &value("abc")), Err(StoreError::TooShort(4))));
    assert!(!home.path().join("data").exists());
}

#[test]
fn an_identity_that_others_can_read_decrypts_nothing() {
    let home = tempfile::tempdir().unwrap();
    store(home.path()).set(&name("a"), &value(VALUE)).unwrap();
    let key = home.path().join("config/secrets.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = store(home.path()).get(&name("a")).err().unwrap();
    assert!(error.to_string().contains("can be read by others (mode 640)"), "{error}");
}

#[test]
fn a_damaged_or_foreign_file_is_named_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    store(home.path()).set(&name("a"), &value(VALUE)).unwrap();
    let path = home.path().join("data/secrets.age");
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for bad in [flipped.as_slice(), &good[..good.len() - 1], b"", b"not age"] {
        std::fs::write(&path, bad).unwrap();
        assert!(matches!(store(home.path()).get(&name("a")), Err(StoreError::Damaged { .. })));
        assert!(matches!(store(home.path()).set(&name("b"), &value(VALUE)), Err(StoreError::Damaged { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), bad);
    }
    std::fs::write(&path, &good).unwrap();
    let key = home.path().join("config/secrets.key");
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(store(home.path()).set(&name("b"), &value(VALUE)), Err(StoreError::NoIdentity { .. })));
    assert!(!key.exists(), "no new identity takes the place of the lost one");
    std::fs::write(&key, "AGE-SECRET-KEY-1NONSENSE\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(store(home.path()).get(&name("a")), Err(StoreError::BadIdentity(_))));
}

#[test]
fn the_first_place_that_has_a_name_counts() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("api-key"), "from-folder\n").unwrap();
    std::fs::write(folder.join("NOT A NAME"), "x").unwrap();
    let environment = [("TOOLCRIB_SECRET_API_KEY", "from-env"), ("TOOLCRIB_SECRET_EMPTY", ""), ("OTHER", "x")];
    let all = store_with(home.path(), &["file", "env", "folder run"], &environment);
    assert_eq!(got(&all, "api-key").as_deref(), Some("from-env"));
    assert_eq!(got(&all, "empty"), None);
    all.set(&name("api-key"), &value("from-file")).unwrap();
    assert_eq!(got(&all, "api-key").as_deref(), Some("from-file"));
    let listed = all.list().unwrap();
    let shown = |source: &SecretSource| source.to_string();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), shown(&listed[0].source).as_str()), ("api-key", "file"));
    assert_eq!(listed[0].shadowed.len(), 2);
    let mounted = store_with(home.path(), &["folder run"], &environment);
    assert_eq!(got(&mounted, "api-key").as_deref(), Some("from-folder"));
    assert!(matches!(mounted.set(&name("a"), &value(VALUE)), Err(StoreError::NotWritable)));
}

#[test]
fn a_mounted_file_is_read_through_links_inside_its_folder_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    std::fs::create_dir_all(folder.join("..data")).unwrap();
    std::fs::write(folder.join("..data/inside"), "inside-value").unwrap();
    std::fs::write(home.path().join("outside"), "outside-value").unwrap();
    symlink("..data/inside", folder.join("inside")).unwrap();
    symlink("../outside", folder.join("outside")).unwrap();
    std::fs::write(folder.join("binary"), [0xff, 0xfe]).unwrap();
    std::fs::write(folder.join("long"), vec![b'x'; 70_000]).unwrap();
    let store = store_with(home.path(), &["folder run"], &[]);
    assert_eq!(got(&store, "inside").as_deref(), Some("inside-value"));
    assert!(matches!(store.get(&name("outside")), Err(StoreError::Outside(_))));
    assert!(matches!(store.get(&name("binary")), Err(StoreError::NotText(_))));
    assert!(matches!(store.get(&name("long")), Err(StoreError::TooLong { .. })));
}

#[cfg(feature = "keyring")]
#[test]
fn the_keyring_of_the_system_is_a_place_like_the_others() {
    let home = tempfile::tempdir().unwrap();
    let store = store_with(home.path(), &["keyring", "env"], &[("TOOLCRIB_SECRET_KEYRING_TEST", "from-env")]);
    let mine = name("keyring-test");
    match store.set(&mine, &value(VALUE)) {
        Ok(_) => {}
        // Some containers have no keyring; then it says so, and nothing else counts in its place.
        Err(error) => {
            assert!(matches!(error, StoreError::Keyring(_)), "{error}");
            assert!(matches!(store.get(&mine), Err(StoreError::Keyring(_))));
            return;
        }
    }
    assert_eq!(got(&store, "keyring-test").as_deref(), Some(VALUE));
    assert!(store.set(&mine, &value("another-value")).unwrap(), "it was there");
    assert_eq!(got(&store, "keyring-test").as_deref(), Some("another-value"));
    assert!(store.remove(&mine).unwrap() && !store.remove(&mine).unwrap());
    assert_eq!(got(&store, "keyring-test").as_deref(), Some("from-env"));
    assert!(!home.path().join("data").exists(), "no file is written");
}
