//! One TCP connection to one host.

use super::address::{Address, Host};
use super::trouble::Trouble;
use async_compat::{Compat, CompatExt};
use lapin::tcp::{AsyncTcpStream, OwnedTLSConfig};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties};
use std::io;
use std::net::Shutdown;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For TCP, TLS and the broker's welcome together.
const CONNECT: Duration = Duration::from_secs(10);
/// For saying goodbye.
const CLOSE: Duration = Duration::from_secs(2);

/// A connection that is really gone when it is dropped, also when the other side has fallen silent: lapin alone would
/// wait for an answer, and keep a thread and a socket as long as TCP keeps hoping.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    socket: Arc<Socket>,
}

/// A second handle to the connection's socket.
#[derive(Default)]
struct Socket(OnceLock<std::net::TcpStream>);

impl Socket {
    fn cut(&self) {
        if let Some(socket) = self.0.get() {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Link {
    /// `purpose` is what operators see in the broker's list of connections.
    pub(crate) async fn connect(
        address: &Address,
        host: &Host,
        purpose: &str,
    ) -> Result<Self, Trouble> {
        let tls = OwnedTLSConfig {
            identity: None,
            cert_chain: match &address.ca_file {
                Some(file) => Some(read(file).await?),
                None => None,
            },
        };
        let options =
            ConnectionProperties::default().with_connection_name(format!("faafo {purpose}").into());
        let socket = Arc::new(Socket::default());
        let keep = Arc::downgrade(&socket);
        let connecting = Connection::connector(
            uri(address, host),
            lapin::runtime::default_runtime()?,
            async move |uri, _runtime| {
                let connecting = tcp(&uri, &tls, |clone| match keep.upgrade() {
                    // Nobody waits for this connection any more: it closes again.
                    None => drop(clone.shutdown(Shutdown::Both)),
                    Some(socket) => drop(socket.0.set(clone)),
                });
                match timeout(CONNECT, connecting).await {
                    Ok(connected) => connected.map_err(lapin::Error::from),
                    Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
                }
            },
            options,
        );
        match timeout(CONNECT, connecting).await {
            Ok(Ok(connection)) => Ok(Self { connection, socket }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Trouble::new(format!(
                "no answer within {} s",
                CONNECT.as_secs()
            ))),
        }
    }

    /// Everything sent before arrives, if the broker still listens.
    pub(crate) async fn close(&self) {
        let _ = timeout(CLOSE, self.connection.close(200, "bye".into())).await;
    }

    /// Breaks the connection.
    pub(crate) fn cut(&self) {
        self.socket.cut();
    }
}

async fn read(file: &Path) -> Result<String, Trouble> {
    tokio::fs::read_to_string(file)
        .await
        .map_err(|error| Trouble::new(format!("can't read {}: {error}", file.display())))
}

async fn tcp(
    uri: &AMQPUri,
    tls: &OwnedTLSConfig,
    keep: impl FnOnce(std::net::TcpStream),
) -> io::Result<AsyncTcpStream<Compat<TcpStream>>> {
    let AMQPAuthority { host, port, .. } = &uri.authority;
    let stream = TcpStream::connect((host.as_str(), *port)).await?;
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    keep(stream.try_clone()?);
    let stream = AsyncTcpStream::Plain(TcpStream::from_std(stream)?.compat());
    match uri.scheme {
        AMQPScheme::AMQP => Ok(stream),
        AMQPScheme::AMQPS => stream.into_tls(host, tls.as_ref()).await,
    }
}

fn uri(address: &Address, host: &Host) -> AMQPUri {
    AMQPUri {
        scheme: if address.tls {
            AMQPScheme::AMQPS
        } else {
            AMQPScheme::AMQP
        },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: host.user.clone(),
                password: host.password.clone(),
            },
            host: host.name.clone(),
            port: host.port,
        },
        vhost: address.vhost.clone(),
        query: AMQPQueryString {
            heartbeat: Some(address.heartbeat),
            ..AMQPQueryString::default()
        },
    }
}
