//! Fills its buckets in every way until it may not, and asks for what no bucket has.
wit_bindgen::generate!({ path: "../../wit/wasi-keyvalue", world: "wasi:keyvalue/imports", generate_all });

use wasi::keyvalue::store::{self, Bucket, Error};
use wasi::keyvalue::{atomics, batch};

fn told(error: &Error) -> String {
    match error {
        Error::NoSuchStore => "no such store".to_owned(),
        Error::AccessDenied => "access denied".to_owned(),
        Error::Other(text) => text.clone(),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let way = arguments.next().unwrap_or_default();
    let name = arguments.next().unwrap_or_else(|| "default".to_owned());
    let bucket = match store::open(&name) {
        Ok(bucket) => bucket,
        Err(error) => return println!("not opened: {}", told(&error)),
    };
    let done = match way.as_str() {
        "bytes" => fill(&bucket, |n| (format!("key-{n}"), vec![7; 1000])),
        "keys" => fill(&bucket, |n| (format!("{n}"), Vec::new())),
        "batch" => {
            let pairs = |n: u32| (0..100).map(|m| (format!("{n}-{m}"), vec![1; 100])).collect::<Vec<_>>();
            let mut n = 0;
            loop {
                if let Err(error) = batch::set_many(&bucket, &pairs(n)) {
                    break Err(format!("after {n} batches: {}", told(&error)));
                }
                n += 1;
            }
        }
        "count" => {
            let mut n = 0;
            loop {
                if let Err(error) = atomics::increment(&bucket, &format!("{n}"), 1) {
                    break Err(format!("after {n} numbers: {}", told(&error)));
                }
                n += 1;
            }
        }
        "large" => bucket.set("large", &vec![7; 2 << 20]).map_err(|error| told(&error)),
        "names" => names(&bucket),
        "list" => list(&bucket),
        "write" => bucket.set("mark", name.as_bytes()).map_err(|error| told(&error)),
        _ => bucket.get("mark").map(|found| println!("found {:?}", found.map(|f| String::from_utf8_lossy(&f).into_owned()))).map_err(|error| told(&error)),
    };
    println!("{done:?}");
}

fn fill(bucket: &Bucket, pair: impl Fn(u32) -> (String, Vec<u8>)) -> Result<(), String> {
    for n in 0..1_000_000 {
        let (key, value) = pair(n);
        bucket.set(&key, &value).map_err(|error| format!("after {n}: {}", told(&error)))?;
    }
    Ok(())
}

fn names(bucket: &Bucket) -> Result<(), String> {
    let long = "k".repeat(5000);
    for key in ["", &long, "a\0b", "../other", "'; DROP TABLE pair; --", "\u{202e}x", "%", "_"] {
        let set = bucket.set(key, key.as_bytes()).map_err(|error| told(&error));
        let got = bucket.get(key).map(|found| found.is_some_and(|found| found == key.as_bytes()));
        println!("{:?} {set:?} {:?}", &key[..key.len().min(20)], got.map_err(|error| told(&error)));
    }
    Ok(())
}

fn list(bucket: &Bucket) -> Result<(), String> {
    let (mut keys, mut cursor, mut pages) = (0, None, 0);
    loop {
        let page = bucket.list_keys(cursor).map_err(|error| told(&error))?;
        keys += page.keys.len();
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            println!("{keys} keys in {pages} pages");
            return Ok(());
        }
    }
}
