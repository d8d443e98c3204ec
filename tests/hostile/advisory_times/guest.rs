//! Sets times of files that no clock shows.
use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{DescriptorFlags, NewTimestamp, OpenFlags, PathFlags};

fn main() {
    let folder = get_directories().into_iter().find(|(_, at)| at == "/data").expect("the folder is granted").0;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = folder.open_at(PathFlags::empty(), "file.txt", OpenFlags::empty(), flags).expect("a file");
    for (seconds, nanoseconds) in [
        (u64::MAX, 0),
        (u64::MAX, u32::MAX),
        (i64::MAX as u64, 999_999_999),
        (i64::MAX as u64 + 1, 0),
        (0, u32::MAX),
        (1 << 40, 1_000_000_000),
    ] {
        let time = || NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
        let ways = [
            ("file", file.set_times(time(), time())),
            ("path", folder.set_times_at(PathFlags::empty(), "file.txt", time(), time())),
            ("folder", folder.set_times(NewTimestamp::NoChange, time())),
        ];
        for (way, result) in ways {
            println!("{way} {seconds} {nanoseconds}: {result:?}");
        }
        // What was set can be read, whatever it is.
        println!("{:?}", file.stat().map(|stat| stat.size));
    }
}
