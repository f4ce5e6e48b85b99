//! Stands in for each of the five services in the tests of the command: it is ready at once, tells what it was
//! started with on `GET /settings`, says a lot on `GET /talk`, dies on `GET /exit`, and otherwise runs until it is stopped.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let settings: Vec<(String, String)> = env::vars().collect();
    let (_, address) = settings
        .iter()
        .find(|(name, _)| name == "LISTEN_ADDR")
        .expect("LISTEN_ADDR is set");
    let listener = TcpListener::bind(address)?;
    println!(r#"{{"level":"INFO","message":"listening","address":"{address}"}}"#);
    for stream in listener.incoming() {
        answer(&stream?, &settings)?;
    }
    Ok(())
}

fn answer(mut stream: &TcpStream, settings: &[(String, String)]) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    if request.contains("/talk") {
        for _ in 0..2000 {
            println!(
                "a line of talk that is as long as most lines of a log are, and that nobody reads"
            );
        }
    }
    if request.contains("/exit") {
        println!("these were my last words");
        std::process::exit(3);
    }
    let lines: Vec<_> = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let body = lines.join("\n");
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
