//! How well the catalog's search finds the functions of BFCL v4 by what users say.
//!
//! ```console
//! $ tests/benches/bfcl/fetch
//! $ cargo bench -p toolcrib-catalog --bench bfcl
//! ```
//!
//! The pool is every function of the three categories, one for each name, as the tools of plugins in a catalog that is opened
//! in the usual way. The query is the user's text as it stands, the truth the functions of the answer; the recall at k of a
//! question is the share of them among the first k hits. Plain BM25 over the same texts is measured in the same run.
//! `BFCL_SHOW=5` prints the questions of the first halves whose functions are not among the first five.
#![allow(clippy::print_stdout, reason = "it is a program that prints")]

mod bm25;
#[path = "../data.rs"]
mod data;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use toolcrib_catalog::{Catalog, CatalogConfig, Inspect, InspectError, Snapshot, Sources};
use toolcrib_policy::{Digest, PluginName};
use toolcrib_sandbox::{PluginInfo, PluginKind, ToolInfo};

use bm25::Bm25;
use data::{CATEGORIES, Case, Function, cases, folder, json_schema, qualified};

/// The places in the list of hits that are asked about.
const AT: [usize; 3] = [1, 5, 20];

/// The functions, by the name that they have in the catalog.
type Pool = BTreeMap<String, Function>;

/// The plugins' names, by what is left of them without their hyphens: a catalog refuses two that look the same, so that
/// `boardgame` and `board-game` are one plugin here.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// The qualified name of a function.
    fn of(&mut self, function: &str) -> String {
        let (plugin, tool) = qualified(function);
        let plugin = self.0.entry(plugin.replace('-', "")).or_insert(plugin);
        format!("{plugin}.{tool}")
    }
}

/// Says of each plugin what tools it has; its component is a stand-in.
struct Describer(Arc<Pool>);

#[async_trait]
impl Inspect for Describer {
    async fn inspect(&self, name: &PluginName, component: Bytes) -> Result<PluginInfo, InspectError> {
        let prefix = format!("{name}.");
        let own = self.0.iter().filter_map(|(qualified, function)| Some((qualified.strip_prefix(&prefix)?, function)));
        let tools = own.map(|(tool, function)| ToolInfo {
            name: tool.to_owned(),
            title: None,
            description: function.description.clone(),
            input_schema: json_schema(&function.parameters),
            output_schema: None,
            effect: None,
            open_world: false,
        });
        Ok(PluginInfo {
            digest: Digest::of(&component),
            kind: PluginKind::Describing,
            tools: tools.collect(),
            imports: Vec::new(),
            exports: vec!["toolcrib:tool/tools@0.1.0".to_owned()],
            skipped: Vec::new(),
        })
    }
}

/// A catalog with all functions, opened from a folder as any other.
async fn snapshot(pool: &Arc<Pool>) -> Arc<Snapshot> {
    let folder = tempfile::tempdir().expect("a folder");
    let plugins: BTreeSet<&str> = pool.keys().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    for plugin in &plugins {
        std::fs::write(folder.path().join(format!("{plugin}.wasm")), plugin).expect("a file is written");
    }
    let config = CatalogConfig {
        sources: Sources { project: vec![folder.path().to_owned()], ..Sources::default() },
        cache_dir: None,
        engine: "bench".to_owned(),
        parallel: None,
    };
    let snapshot = Catalog::open(config, Arc::new(Describer(Arc::clone(pool)))).await.snapshot();
    assert_eq!(snapshot.tools().len(), pool.len(), "{:?}", snapshot.problems());
    snapshot
}

/// The sums of the recalls at the places of [`AT`], over some cases.
#[derive(Default, Clone, Copy)]
struct Recall {
    cases: usize,
    sums: [f64; AT.len()],
}

impl Recall {
    fn count(&mut self, wanted: &BTreeSet<String>, hits: &[String]) {
        self.cases += 1;
        for (sum, at) in self.sums.iter_mut().zip(AT) {
            let found = hits.iter().take(at).filter(|hit| wanted.contains(*hit)).count();
            *sum += found as f64 / wanted.len() as f64;
        }
    }

    fn print(&self, search: &str, category: &str, half: &str) {
        print!("{search:<10} {category:<14} {half:<7} {:>5}", self.cases);
        for sum in self.sums {
            print!("  {:>7.3}", sum / self.cases.max(1) as f64);
        }
        println!();
    }
}

fn main() {
    // `cargo test --benches` runs benches for their compilation alone.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(folder) = folder() else { return };
    let all: Vec<(&str, Vec<Case>)> = CATEGORIES.map(|category| (category, cases(&folder, category))).into();
    let (mut pool, mut names) = (Pool::new(), Names::default());
    for function in all.iter().flat_map(|(_, cases)| cases).flat_map(|case| &case.functions) {
        pool.entry(names.of(&function.name)).or_insert_with(|| function.clone());
    }
    let pool = Arc::new(pool);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the runtime starts");
    let snapshot = runtime.block_on(snapshot(&pool));
    let plain = Bm25::new(&pool);
    println!("{} functions", pool.len());
    println!("search     category       half    cases       @1       @5      @20");
    let most = AT[AT.len() - 1];
    let hits_of = |text: &str| snapshot.search(text, most).iter().map(|hit| hit.tool.name().to_string()).collect();
    measure("catalog", &all, &mut names, hits_of);
    measure("plain BM25", &all, &mut names, |text| plain.search(text, most));
}

fn measure(search: &str, all: &[(&str, Vec<Case>)], names: &mut Names, hits_of: impl Fn(&str) -> Vec<String>) {
    let show = std::env::var("BFCL_SHOW").ok().and_then(|at| at.parse::<usize>().ok());
    let mut total = [Recall::default(); 3];
    for (category, cases) in all {
        let mut halves = [Recall::default(); 2];
        for (at, case) in cases.iter().enumerate() {
            let half = usize::from(at >= cases.len() / 2);
            let wanted: BTreeSet<String> = case.wanted().into_iter().map(|name| names.of(name)).collect();
            let hits = hits_of(&case.text);
            halves[half].count(&wanted, &hits);
            total[half].count(&wanted, &hits);
            total[2].count(&wanted, &hits);
            if let Some(show) = show
                && half == 0
                && wanted.iter().any(|name| !hits.iter().take(show).any(|hit| hit == name))
            {
                println!(
                    "{search} {category} {at}: {}\n    wanted {wanted:?}\n    found  {:?}",
                    case.text,
                    &hits[..show.min(hits.len())]
                );
            }
        }
        for (recall, half) in halves.iter().zip(["first", "second"]) {
            recall.print(search, category, half);
        }
    }
    for (recall, half) in total.iter().zip(["first", "second", "both"]) {
        recall.print(search, "all", half);
    }
}
