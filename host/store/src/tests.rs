//! State as the sandbox uses them, on real files.

use std::path::Path;

use super::*;

const ROOM: Quota = Quota { bytes: 1000, keys: 100 };

fn bucket(plugin: &str, name: &str) -> Bucket {
    Bucket { plugin: plugin.parse().unwrap(), name: name.to_owned() }
}

fn at(home: &Path) -> State {
    State::at(home.join("state.db"))
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
}

#[tokio::test]
async fn what_is_set_is_there_for_the_next_process_and_for_no_other_plugin() {
    let home = tempfile::tempdir().unwrap();
    let mine = bucket("notes", "default");
    at(home.path()).set(&mine, pairs(&[("a", "one")]), ROOM).await.unwrap();
    let store = at(home.path());
    assert_eq!(store.get(&mine, "a").await.unwrap().as_deref(), Some(b"one".as_slice()));
    for other in [bucket("other", "default"), bucket("notes", "other"), bucket("note", "sdefault")] {
        assert_eq!(store.get(&other, "a").await.unwrap(), None);
        assert!(!store.exists(&other, "a").await.unwrap());
        assert_eq!(store.list(&other, None, 10).await.unwrap(), Keys::default());
    }
    store.delete(&mine, vec!["a".to_owned(), "never".to_owned()]).await.unwrap();
    assert!(!store.exists(&mine, "a").await.unwrap());
}

#[tokio::test]
async fn a_full_bucket_takes_nothing_and_keeps_what_it_has() {
    let home = tempfile::tempdir().unwrap();
    let (store, mine) = (at(home.path()), bucket("notes", "default"));
    let quota = Quota { bytes: 10, keys: 2 };
    store.set(&mine, pairs(&[("a", "1234")]), quota).await.unwrap();
    assert_eq!(store.set(&mine, pairs(&[("b", "12345")]), quota).await, Err(KeyValueError::Full));
    assert_eq!(store.set(&mine, pairs(&[("b", "1"), ("c", "1")]), quota).await, Err(KeyValueError::Full));
    assert!(!store.exists(&mine, "b").await.unwrap(), "all or none");
    // Replacing frees what was there.
    store.set(&mine, pairs(&[("a", "123456789")]), quota).await.unwrap();
    store.set(&mine, pairs(&[("a", "1")]), quota).await.unwrap();
    store.set(&mine, pairs(&[("b", "1234567")]), quota).await.unwrap();
    store.delete(&mine, vec!["b".to_owned()]).await.unwrap();
    store.set(&mine, pairs(&[("c", "1234567")]), quota).await.unwrap();
    // Another bucket has its own room.
    store.set(&bucket("notes", "other"), pairs(&[("a", "123456789")]), quota).await.unwrap();
}

#[tokio::test]
async fn keys_are_listed_in_pieces_each_once() {
    let home = tempfile::tempdir().unwrap();
    let (store, mine) = (at(home.path()), bucket("notes", "default"));
    let all: Vec<String> = (0..25).map(|n| format!("key-{n:02}")).collect();
    let set: Vec<_> = all.iter().map(|key| (key.clone(), Vec::new())).collect();
    store.set(&mine, set, ROOM).await.unwrap();
    let (mut seen, mut cursor, mut rounds) = (Vec::new(), None, 0);
    loop {
        let page = store.list(&mine, cursor, 10).await.unwrap();
        assert!(page.keys.len() <= 10);
        seen.extend(page.keys);
        rounds += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen, rounds), (all, 3));
    assert_eq!(store.list(&mine, Some(u64::MAX), 10).await.unwrap(), Keys::default());
}

#[tokio::test]
async fn counting_together_loses_no_count() {
    let home = tempfile::tempdir().unwrap();
    let mine = bucket("notes", "default");
    let count = |store: State| {
        let mine = mine.clone();
        async move {
            for _ in 0..25 {
                store.increment(&mine, "n", 2, ROOM).await.unwrap();
            }
        }
    };
    // Each with a connection of its own, as processes have.
    futures::future::join_all((0..4).map(|_| count(at(home.path())))).await;
    let store = at(home.path());
    assert_eq!(store.increment(&mine, "n", 0, ROOM).await.unwrap(), 200);
    assert_eq!(store.get(&mine, "n").await.unwrap().as_deref(), Some(b"200".as_slice()));
    store.set(&mine, pairs(&[("text", "abc")]), ROOM).await.unwrap();
    assert_eq!(store.increment(&mine, "text", 1, ROOM).await, Err(KeyValueError::NotANumber));
    assert_eq!(store.increment(&mine, "n", u64::MAX, ROOM).await, Err(KeyValueError::NotANumber));
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state.db");
    std::fs::write(&path, "no database at all, but long enough to be looked at as one, and more of it").unwrap();
    let text = std::fs::read(&path).unwrap();
    let error = at(home.path()).get(&bucket("a", "b"), "k").await.unwrap_err();
    assert!(error.to_string().contains("is damaged, and is left as it is"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), text);
    std::fs::remove_file(&path).unwrap();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(foreign);
    let error = at(home.path()).get(&bucket("a", "b"), "k").await.unwrap_err();
    assert!(error.to_string().contains("a database of another program"), "{error}");
}

fn line(text: &str) -> RatedLine {
    let grant = toolcrib_policy::HttpGrant::parse(&format!("GET https://a.example.com/**, {text}")).unwrap();
    RatedLine { plugin: "notes".parse().unwrap(), text: grant.to_string(), rate: grant.rate().unwrap() }
}

#[test]
fn what_was_spent_comes_back_evenly_and_in_no_other_way() {
    let home = tempfile::tempdir().unwrap();
    let mut connection = schema::open(&home.path().join("state.db")).unwrap();
    let mut take = |line: &RatedLine, at: u64| rates::take(&mut connection, line, Duration::from_secs(at)).unwrap();
    let four = line("4 per minute");
    for _ in 0..4 {
        assert_eq!(take(&four, 1_000), None);
    }
    assert_eq!(take(&four, 1_000), Some(Duration::from_secs(15)));
    assert_eq!(take(&four, 1_014), Some(Duration::from_secs(1)));
    assert_eq!(take(&four, 1_015), None);
    assert_eq!(take(&four, 1_015), Some(Duration::from_secs(15)));
    // Another line, and the same line of another plugin, have their own.
    assert_eq!(take(&line("5 per minute"), 1_015), None);
    assert_eq!(take(&RatedLine { plugin: "other".parse().unwrap(), ..four.clone() }, 1_015), None);
    // After a pause there is no more than one period's worth.
    for _ in 0..4 {
        assert_eq!(take(&four, 90_000), None);
    }
    assert!(take(&four, 90_000).is_some());
    // A clock that was set back by a day does not lock anybody out for a day.
    assert!(take(&four, 3_600).is_some_and(|wait| wait <= Duration::from_secs(60)));
}

#[tokio::test]
async fn a_rate_holds_across_processes() {
    let home = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let left = at(home.path()).take(&line("3 per hour")).await.unwrap();
        assert_eq!(left.is_some(), round >= 3, "{round}");
    }
}
