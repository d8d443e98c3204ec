//! Goes around `wasi:http`: by TCP, by UDP, by listening, by asking for a name.
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, way, address] = arguments.as_slice() else { panic!("a way and an address") };
    let result = match way.as_str() {
        "connect" => TcpStream::connect(address).map(drop),
        "listen" => TcpListener::bind("127.0.0.1:0").map(drop),
        "send" => UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", address)).map(drop),
        _ => "example.com:80".to_socket_addrs().map(drop),
    };
    report(way, result);
}

fn report(what: &str, result: std::io::Result<()>) {
    match result {
        Ok(()) => println!("DONE {what}"),
        Err(error) => println!("no {what}: {:?}", error.kind()),
    }
}
