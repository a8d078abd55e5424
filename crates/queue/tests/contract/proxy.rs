//! A TCP proxy that can be broken on purpose.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// Stands between a client and a server.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    listening: JoinHandle<()>,
    connections: Arc<Mutex<Vec<Connection>>>,
}

struct Connection {
    forward: AbortHandle,
    flow: watch::Sender<Flow>,
}

/// Which bytes still pass; the others are kept.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    All,
    Requests,
    Nothing,
}

impl Proxy {
    pub async fn start(server: &str) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), server).await
    }

    pub async fn start_at(address: SocketAddr, server: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<Mutex<Vec<Connection>>>::default();
        let (server, opened) = (server.to_owned(), Arc::clone(&connections));
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (flow, allowed) = watch::channel(Flow::All);
                let server = server.clone();
                let forward = tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else {
                        return;
                    };
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::select! {
                        () = pass(from_client, to_server, allowed.clone(), &[Flow::All, Flow::Requests]) => {}
                        () = pass(from_server, to_client, allowed, &[Flow::All]) => {}
                    }
                })
                .abort_handle();
                opened.lock().unwrap().push(Connection { forward, flow });
            }
        });
        Self {
            address,
            listening,
            connections,
        }
    }

    /// Breaks every connection; new ones are welcome.
    pub fn cut(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.forward.abort();
        }
    }

    /// Nothing passes any more over the connections there are, and nobody is told; new ones are welcome.
    pub fn stall(&self) {
        self.flow(Flow::Nothing);
    }

    /// What the client sends passes, answers don't.
    pub fn stall_answers(&self) {
        self.flow(Flow::Requests);
    }

    fn flow(&self, flow: Flow) {
        for connection in &*self.connections.lock().unwrap() {
            connection.flow.send_replace(flow);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut allowed: watch::Receiver<Flow>,
    when: &[Flow],
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if allowed.wait_for(|flow| when.contains(flow)).await.is_err()
            || to.write_all(&bytes[..read]).await.is_err()
        {
            return;
        }
    }
}
