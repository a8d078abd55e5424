//! A TCP proxy that breaks when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the proxy does with connections that are open or begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Closes them.
    Cut,
    /// Keeps them open and passes nothing, ever again.
    Stall,
}

pub struct Proxy {
    pub address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
}

impl Proxy {
    pub async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let modes = mode.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), modes.subscribe()));
            }
        });
        Self { address, mode }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn pass(mut client: TcpStream, server: String, mut modes: watch::Receiver<Mode>) {
    let mut mode = *modes.borrow_and_update();
    if mode == Mode::Pass {
        let Ok(mut server) = TcpStream::connect(server).await else {
            return;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            changed = modes.changed() => changed.unwrap_or_default(),
        }
        mode = *modes.borrow();
        if mode == Mode::Stall {
            // Both ends stay open.
            std::future::pending::<()>().await;
        }
    }
    if mode == Mode::Stall {
        std::future::pending::<()>().await;
    }
}
