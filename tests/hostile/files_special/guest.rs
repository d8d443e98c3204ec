//! Touches what is neither file nor folder: a pipe that nobody writes to, a socket, a device.
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{NewTimestamp, PathFlags};

fn main() {
    for name in std::env::args().skip(1) {
        let path = format!("/data/{name}");
        report("read", &path, std::fs::read(&path).map(drop));
        report("write", &path, std::fs::write(&path, "x"));
        let mount = get_directories().into_iter().find(|(_, at)| at == "/data").expect("granted").0;
        let times = mount.set_times_at(PathFlags::empty(), &name, NewTimestamp::Now, NewTimestamp::Now);
        report("times", &path, times.map_err(|code| std::io::Error::other(code.name())));
    }
}

fn report(what: &str, path: &str, result: std::io::Result<()>) {
    match result {
        Ok(()) => println!("DONE {what} {path}"),
        Err(error) => println!("no {what} {path}: {:?}", error.kind()),
    }
}
