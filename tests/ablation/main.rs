//! The bench `ablation` in small, so that it cannot rot: some tasks, three rows.

#[path = "../benches/ablation/faults.rs"]
mod faults;
#[path = "../benches/ablation/judge.rs"]
mod judge;
#[path = "../benches/ablation/replay.rs"]
mod replay;
#[path = "../benches/ablation/table.rs"]
mod table;
#[path = "../benches/ablation/tasks.rs"]
mod tasks;
#[path = "../benches/ablation/world.rs"]
mod world;

use table::{Cell, Critic};

#[test]
fn the_critic_recovers_runs_and_a_judge_that_is_wrong_harms_none() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = world::World::new().await;
        let names = ["builtin: copy a file", "append to a log once", "order a given number", "convert and send"];
        let tasks: Vec<_> = tasks::tasks().into_iter().filter(|task| names.contains(&task.name)).collect();
        assert_eq!(tasks.len(), names.len());
        let all = |wrong| Cell::of(Critic::All { wrong });
        let cells = vec![Cell::of(Critic::Off), Cell::of(Critic::Replans), Cell::of(Critic::Checks), all(0), all(40)];
        let table = table::measure(&world, &tasks, cells).await;
        let [off, _, checks, right, wrong] = table.0.as_slice() else { panic!("five rows") };
        // Without a fault every task is done in every way, or the comparison would say nothing.
        for cell in &table.0 {
            assert_eq!(cell.plain.are, cell.plain.of, "{table}");
            assert_eq!(cell.harmed, [""; 0], "{table}");
        }
        assert!(off.faulty.are < checks.faulty.are && checks.faulty.are < right.faulty.are, "{table}");
        assert!(wrong.faulty.are >= checks.faulty.are, "{table}");
        assert!(off.unnoticed > checks.unnoticed, "{table}");
    });
}
