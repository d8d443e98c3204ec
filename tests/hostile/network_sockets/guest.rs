//! Goes around `wasi:http`: by TCP, by UDP, by listening, by asking for a name.
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

fn main() {
    let address = std::env::args().nth(1).expect("an address");
    report("connect", TcpStream::connect(&address).map(drop));
    report("listen", TcpListener::bind("127.0.0.1:0").map(drop));
    report("send", UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", &address)).map(drop));
    report("look up", "example.com:80".to_socket_addrs().map(drop));
}

fn report(what: &str, result: std::io::Result<()>) {
    match result {
        Ok(()) => println!("DONE {what}"),
        Err(error) => println!("no {what}: {:?}", error.kind()),
    }
}
