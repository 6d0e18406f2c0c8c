//! One endpoint: its thread, its sockets and its connections.
//!
//! Locks are taken in this order: `tables` or `streams`, then quinn's own of a connection, then the queue's. Wakers
//! run under quinn's and touch the queue alone.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use quinn::crypto::rustls::HandshakeData;
use quinn::{
    Connecting, Connection, ConnectionError, EndpointConfig, Incoming, SendDatagramError, VarInt,
};
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::congestion;
use crate::events::{End, EndKind, Kind, Peer, Queue};
use crate::status::Status;
use crate::streams::Streams;

const HANDSHAKES_PER_SECOND: f64 = 250.0;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long peers may take to acknowledge that the endpoint closes.
const FAREWELL: Duration = Duration::from_millis(500);

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A number for an endpoint, connection or stream that no other has or will have.
pub fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

pub struct Endpoint {
    queue: Arc<Queue>,
    tables: Mutex<Tables>,
    streams: Mutex<Streams>,
    runtime: tokio::runtime::Handle,
    stop: Arc<Notify>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Tables {
    /// A listener has one, a connector one for each address family that it used.
    sockets: Vec<quinn::Endpoint>,
    connections: HashMap<u64, Connection>,
}

impl Endpoint {
    /// An endpoint without sockets, and its thread.
    pub fn open() -> Result<Arc<Self>, Status> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let endpoint = Arc::new(Endpoint {
            queue: Arc::default(),
            tables: Mutex::default(),
            streams: Mutex::default(),
            runtime: runtime.handle().clone(),
            stop: Arc::default(),
            thread: Mutex::default(),
        });
        let stop = endpoint.stop.clone();
        let thread = std::thread::Builder::new()
            .name("pf-quic".into())
            .spawn(move || runtime.block_on(stop.notified()))?;
        *endpoint.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(endpoint)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bind(
        &self,
        address: SocketAddr,
        config: Option<quinn::ServerConfig>,
    ) -> Result<quinn::Endpoint, Status> {
        let socket = UdpSocket::bind(address)?;
        let _context = self.runtime.enter();
        let runtime = Arc::new(quinn::TokioRuntime);
        Ok(quinn::Endpoint::new(EndpointConfig::default(), config, socket, runtime)?)
    }

    /// Binds and accepts up to `connections_max` connections at a time from now on.
    pub fn listen(
        self: &Arc<Self>,
        address: SocketAddr,
        config: quinn::ServerConfig,
        connections_max: usize,
    ) -> Result<(), Status> {
        let socket = self.bind(address, Some(config))?;
        self.tables().sockets.push(socket.clone());
        self.runtime.spawn(self.clone().accept(socket, connections_max));
        Ok(())
    }

    pub fn port(&self) -> Result<u16, Status> {
        let tables = self.tables();
        let socket = tables.sockets.first().ok_or(Status::Stale)?;
        Ok(socket.local_addr()?.port())
    }

    async fn accept(self: Arc<Self>, socket: quinn::Endpoint, connections_max: usize) {
        let mut pace = Pace::new();
        while let Some(incoming) = socket.accept().await {
            if !incoming.remote_address_validated() {
                // Fails for addresses that were validated, which this one was not.
                let _ = incoming.retry();
            } else if !pace.allows_one() {
                incoming.ignore();
            } else if !self.queue.take_place(connections_max) {
                incoming.refuse();
            } else {
                self.runtime.spawn(self.clone().shake_hands(incoming));
            }
        }
    }

    async fn shake_hands(self: Arc<Self>, incoming: Incoming) {
        let connecting = match incoming.accept() {
            Ok(connecting) => connecting,
            Err(_) => return self.queue.free_place(),
        };
        match timeout(HANDSHAKE_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => self.serve(next_id(), connection).await,
            _ => self.queue.free_place(),
        }
    }

    /// Starts a connection whose first record is Connected or Closed.
    pub fn connect(
        self: &Arc<Self>,
        address: SocketAddr,
        server_name: &str,
        options: ConnectOptions,
    ) -> Result<u64, Status> {
        let socket = self.client_socket(address)?;
        let context = self.runtime.enter();
        let connecting = socket
            .connect_with(options.config, address, server_name)
            .map_err(|_| Status::Invalid)?;
        drop(context);
        let id = next_id();
        self.queue.take_place(usize::MAX);
        self.runtime.spawn(self.clone().dial(
            id,
            connecting,
            options.patience,
            options.is_violated,
        ));
        Ok(id)
    }

    fn client_socket(&self, to: SocketAddr) -> Result<quinn::Endpoint, Status> {
        let mut tables = self.tables();
        for socket in &tables.sockets {
            if socket.local_addr()?.is_ipv4() == to.is_ipv4() {
                return Ok(socket.clone());
            }
        }
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = self.bind(SocketAddr::new(any, 0), None)?;
        tables.sockets.push(socket.clone());
        Ok(socket)
    }

    async fn dial(
        self: Arc<Self>,
        id: u64,
        connecting: Connecting,
        patience: Duration,
        is_violated: Arc<AtomicBool>,
    ) {
        let end = match timeout(patience, connecting).await {
            Ok(Ok(connection)) => return self.serve(id, connection).await,
            Ok(Err(_)) if is_violated.load(Ordering::Acquire) => End::bare(EndKind::Mismatch),
            Ok(Err(ConnectionError::TimedOut)) | Err(_) => End::bare(EndKind::Unreachable),
            Ok(Err(error)) => End::of(&error),
        };
        self.queue.closed(id, end);
    }

    /// From the end of the handshake to the end of the connection.
    async fn serve(self: Arc<Self>, id: u64, connection: Connection) {
        self.tables().connections.insert(id, connection.clone());
        self.queue.connected(id, peer_of(&connection));
        // Both take what had come before the end first.
        tokio::join!(
            async {
                while let Ok(halves) = connection.accept_bi().await {
                    let stream = next_id();
                    self.streams().add(id, stream, halves, &self.queue);
                    self.queue.stream(Kind::Stream, id, stream);
                }
            },
            async {
                while let Ok(payload) = connection.read_datagram().await {
                    self.queue.datagram(id, payload);
                }
            }
        );
        self.tables().connections.remove(&id);
        self.queue.closed(id, End::of(&connection.closed().await));
    }

    pub fn wait(&self, timeout: Option<Duration>, out: &mut [u8]) -> Result<usize, Status> {
        self.queue.wait(timeout, out)
    }

    /// Blocks until the peers know, or for `FAREWELL`; the sockets are closed then, and the thread has ended.
    pub fn close(&self) {
        self.queue.close();
        let sockets = {
            let mut tables = self.tables();
            tables.connections.values().for_each(congestion::let_go);
            std::mem::take(&mut tables.sockets)
        };
        for socket in &sockets {
            socket.close(VarInt::from_u32(0), b"");
        }
        self.runtime.spawn({
            let stop = self.stop.clone();
            async move {
                let farewell = async {
                    for socket in sockets {
                        socket.wait_idle().await;
                    }
                };
                let _ = timeout(FAREWELL, farewell).await;
                stop.notify_one();
            }
        });
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        *self.streams() = Streams::default();
        *self.tables() = Tables::default();
    }

    fn connection(&self, id: u64) -> Result<Connection, Status> {
        self.tables().connections.get(&id).cloned().ok_or(Status::Stale)
    }

    pub fn close_connection(&self, id: u64, code: u32, reason: &[u8]) -> Result<(), Status> {
        let connection = self.connection(id)?;
        self.streams().drop_of(id);
        congestion::let_go(&connection);
        connection.close(VarInt::from_u32(code), reason);
        Ok(())
    }

    /// Smoothed round trip in microseconds, and the largest datagram.
    pub fn path(&self, id: u64) -> Result<(u64, u32), Status> {
        let connection = self.connection(id)?;
        let round_trip_us = u64::try_from(connection.rtt().as_micros()).unwrap_or(u64::MAX);
        Ok((round_trip_us, connection.max_datagram_size().unwrap_or(0) as u32))
    }

    /// False when `payload` is too large, or the peer takes none.
    pub fn send_datagram(&self, id: u64, payload: &[u8]) -> Result<bool, Status> {
        match self.connection(id)?.send_datagram(Bytes::copy_from_slice(payload)) {
            Ok(()) => Ok(true),
            Err(SendDatagramError::ConnectionLost(_)) => Err(Status::Lost),
            Err(_) => Ok(false),
        }
    }

    /// The stream's number; its first record is Opened or Unopened.
    pub fn open_stream(self: &Arc<Self>, id: u64, patience: Duration) -> Result<u64, Status> {
        let connection = self.connection(id)?;
        let stream = next_id();
        let endpoint = self.clone();
        self.runtime.spawn(async move {
            match timeout(patience, connection.open_bi()).await {
                Ok(Ok(halves)) => {
                    endpoint.streams().add(id, stream, halves, &endpoint.queue);
                    endpoint.queue.stream(Kind::Opened, id, stream);
                }
                _ => endpoint.queue.stream(Kind::Unopened, id, stream),
            }
        });
        Ok(stream)
    }
}

pub struct ConnectOptions {
    pub config: quinn::ClientConfig,
    pub patience: Duration,
    /// Set by TLS when another certificate than the pinned one was shown.
    pub is_violated: Arc<AtomicBool>,
}

fn peer_of(connection: &Connection) -> Peer {
    let alpn = connection
        .handshake_data()
        .and_then(|data| data.downcast::<HandshakeData>().ok())
        .and_then(|data| data.protocol);
    let chain = connection
        .peer_identity()
        .and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok());
    Peer {
        remote: connection.remote_address(),
        local: connection.local_ip(),
        alpn: alpn.unwrap_or_default(),
        certificate: chain
            .and_then(|chain| chain.first().map(|leaf| leaf.to_vec()))
            .unwrap_or_default(),
    }
}

/// Allows a second's worth of handshakes at once, and `HANDSHAKES_PER_SECOND` in the long run.
struct Pace {
    allowance: f64,
    at: Instant,
}

impl Pace {
    fn new() -> Self {
        Pace { allowance: HANDSHAKES_PER_SECOND, at: Instant::now() }
    }

    fn allows_one(&mut self) -> bool {
        let now = Instant::now();
        let earned = (now - self.at).as_secs_f64() * HANDSHAKES_PER_SECOND;
        self.allowance = (self.allowance + earned).min(HANDSHAKES_PER_SECOND);
        self.at = now;
        let is_allowed = self.allowance >= 1.0;
        if is_allowed {
            self.allowance -= 1.0;
        }
        is_allowed
    }
}
