//! A TCP proxy that can be broken on purpose.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::spawn;
use std::time::Duration;

/// Stands between clients and a server, which may move. Gone when dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where the server is; nowhere once the proxy ends.
    server: Mutex<Option<SocketAddr>>,
    connections: Mutex<Vec<Arc<Connection>>>,
    is_down: AtomicBool,
    failures: AtomicU32,
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Flowing,
    Stalled,
    Ended,
}

impl Proxy {
    /// Starts one before this server.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server: Mutex::new(Some(server)),
            connections: Mutex::default(),
            is_down: AtomicBool::new(false),
            failures: AtomicU32::new(0),
        });
        spawn({
            let shared = Arc::clone(&shared);
            move || {
                for client in listener.incoming().flatten() {
                    let server = *shared.server.lock().unwrap();
                    match server {
                        Some(server) => shared.connect(client, server),
                        None => return,
                    }
                }
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server is elsewhere now; connections to where it was stay as they are.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap() = Some(server);
    }

    /// The server is away, until [`back`](Self::back).
    pub fn down(&self) {
        self.shared.is_down.store(true, SeqCst);
        self.cut();
    }

    /// The server is there again.
    pub fn back(&self) {
        self.shared.is_down.store(false, SeqCst);
    }

    /// The next so many connections get no server, but the answer of a web server that fails.
    pub fn answer_500(&self, number: u32) {
        self.shared.failures.store(number, SeqCst);
    }

    /// How many of these are still to come.
    pub fn failures_left(&self) -> u32 {
        self.shared.failures.load(SeqCst)
    }

    /// Breaks every connection; new ones are welcome.
    pub fn cut(&self) {
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            connection.end();
        }
    }

    /// Nothing passes any more over the connections there are, and nobody is told; new ones are welcome.
    pub fn stall(&self) {
        self.shared.all(State::Stalled);
    }

    /// What was stalled goes on.
    pub fn go_on(&self) {
        self.shared.all(State::Flowing);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        *self.shared.server.lock().unwrap() = None;
        self.cut();
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// A server that is away closes the connection, as its system would.
    fn connect(self: &Arc<Self>, client: TcpStream, server: SocketAddr) {
        if self.is_down.load(SeqCst) {
            return;
        }
        let one_less = |left: u32| left.checked_sub(1);
        if self.failures.fetch_update(SeqCst, SeqCst, one_less).is_ok() {
            spawn(move || fail(client));
            return;
        }
        let Ok(server) = TcpStream::connect(server) else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let connection = Arc::new(Connection {
            client,
            server,
            state: Mutex::new(State::Flowing),
            changed: Condvar::new(),
        });
        let mut connections = self.connections.lock().unwrap();
        connections.retain(|known| *known.state.lock().unwrap() != State::Ended);
        connections.push(Arc::clone(&connection));
        let back = Arc::clone(&connection);
        spawn(move || connection.pass(&connection.client, &connection.server));
        spawn(move || back.pass(&back.server, &back.client));
    }

    fn all(&self, state: State) {
        for connection in &*self.connections.lock().unwrap() {
            connection.change_to(state);
        }
    }
}

/// Reads what there is, so that the answer is not lost by a reset.
fn fail(mut client: TcpStream) {
    let _ = client.set_read_timeout(Some(Duration::from_millis(500)));
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(1..) = client.read(&mut bytes) {}
    let answer =
        "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let _ = client.write_all(answer.as_bytes());
}

impl Connection {
    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let state = self.state.lock().unwrap();
            let stalled = |state: &mut State| *state == State::Stalled;
            let state = *self.changed.wait_while(state, stalled).unwrap();
            if state == State::Ended || to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        self.end();
    }

    fn change_to(&self, state: State) {
        let mut current = self.state.lock().unwrap();
        if *current != State::Ended {
            *current = state;
        }
        self.changed.notify_all();
    }

    fn end(&self) {
        self.change_to(State::Ended);
        // The other side may have been quicker.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}
