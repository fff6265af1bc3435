//! A server for one page on this machine: it hands the page out and takes its report.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

pub(crate) struct Server {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// Answers requests for `files` until something is posted; `None` once the time is over, or `gone` says that nobody will ask.
    pub(crate) fn report(
        &self,
        files: &[(&str, &str, &str)],
        patience: Duration,
        mut gone: impl FnMut() -> bool,
    ) -> Option<String> {
        let start = Instant::now();
        while start.elapsed() < patience && !gone() {
            match self.listener.accept() {
                // A browser opens connections that it then does not use.
                Ok((stream, _)) => {
                    if let Ok(Some(report)) = answer(stream, files) {
                        return Some(report);
                    }
                }
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        None
    }
}

fn answer(mut stream: TcpStream, files: &[(&str, &str, &str)]) -> std::io::Result<Option<String>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut words = request.split_whitespace();
    let (method, path) = (words.next(), words.next().unwrap_or_default());
    let mut respond = |status: &str, kind: &str, body: &str| {
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    if method == Some("POST") {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        respond("200 OK", "text/plain", "")?;
        return Ok(Some(String::from_utf8_lossy(&body).into_owned()));
    }
    match files.iter().find(|(name, ..)| *name == path) {
        Some((_, kind, body)) => respond("200 OK", kind, body)?,
        None => respond("404 Not Found", "text/plain", "")?,
    }
    Ok(None)
}
