//! A plain HTTP/1.1 client that hides nothing and mends nothing.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Between two pieces of an answer; then it is a failure.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A request. The client adds `Host`, unless it is given, and `Content-Length`.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// `GET target`
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(value.to_string())
    }

    /// As it goes over the wire to this address.
    pub fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has_host = self.headers.iter().any(|(name, _)| name == "Host");
        if !has_host {
            head += &format!("Host: {address}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        [head.as_bytes(), self.body.as_deref().unwrap_or_default()].concat()
    }
}

/// An answer; without a body where only its head was asked for.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// The header, whose name is in lower case. It must not come twice.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice: {self:?}");
        value
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A connection that stays open from request to request.
pub struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    #[track_caller]
    pub fn open(address: SocketAddr) -> Self {
        Self::try_open(address).unwrap()
    }

    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn try_open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            address,
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request and reads the whole answer.
    #[track_caller]
    pub fn send(&mut self, request: &Request) -> Answer {
        self.try_send(request).unwrap()
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection breaks, or the answer is no HTTP.
    pub fn try_send(&mut self, request: &Request) -> io::Result<Answer> {
        self.write(&request.bytes(self.address))?;
        let (mut answer, framing) = read_head(&mut self.stream, request)?;
        let mut body = Body {
            stream: &mut self.stream,
            framing,
        };
        body.read_to_end(&mut answer.body)?;
        Ok(answer)
    }

    /// Sends a request and reads the head of the answer; the body is read by and by.
    #[track_caller]
    pub fn begin(self, request: &Request) -> (Answer, Body<BufReader<TcpStream>>) {
        self.try_begin(request).unwrap()
    }

    /// Sends a request and reads the head of the answer; the body is read by and by.
    ///
    /// # Errors
    /// The connection breaks, or the answer is no HTTP.
    pub fn try_begin(
        mut self,
        request: &Request,
    ) -> io::Result<(Answer, Body<BufReader<TcpStream>>)> {
        self.write(&request.bytes(self.address))?;
        let (answer, framing) = read_head(&mut self.stream, request)?;
        let body = Body {
            stream: self.stream,
            framing,
        };
        Ok((answer, body))
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }
}

/// How the end of a body is known.
enum Framing {
    /// This many bytes are left.
    Length(u64),
    /// This many bytes of a chunk are left; none at its end.
    Chunked(u64),
    /// The last chunk has been read.
    Ended,
}

/// A body that is read by and by. A connection that ends before the body does is an error.
pub struct Body<R> {
    stream: R,
    framing: Framing,
}

impl<R: BufRead> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Framing::Chunked(0) = self.framing {
            let size = read_line(&mut self.stream)?;
            let size = u64::from_str_radix(&size, 16).map_err(|_| invalid(&size))?;
            self.framing = Framing::Chunked(size);
            if size == 0 {
                read_line(&mut self.stream)?;
                self.framing = Framing::Ended;
            }
        }
        let (Framing::Length(left) | Framing::Chunked(left)) = &mut self.framing else {
            return Ok(0);
        };
        let most = buffer
            .len()
            .min(usize::try_from(*left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.stream.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        *left -= read as u64;
        if let Framing::Chunked(0) = self.framing {
            read_line(&mut self.stream)?;
        }
        Ok(read)
    }
}

fn read_head(stream: &mut impl BufRead, request: &Request) -> io::Result<(Answer, Framing)> {
    let line = read_line(stream)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| invalid(&line))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid(&line))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    let framing = if request.method == "HEAD" || matches!(status, 204 | 304) {
        Framing::Ended
    } else if answer.header("transfer-encoding") == Some("chunked") {
        Framing::Chunked(0)
    } else {
        let length = answer.header("content-length").unwrap_or_default();
        Framing::Length(length.parse().map_err(|_| invalid("no content-length"))?)
    };
    Ok((answer, framing))
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, text.to_owned())
}
