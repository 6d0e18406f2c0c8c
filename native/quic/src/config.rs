//! `struct pf_quic_config`, and the limits of every connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, MtuDiscoveryConfig, ServerConfig, TransportConfig, ValidationTokenConfig,
};

use crate::congestion::ClosableConfig;
use crate::status::Status;

const STREAMS_MAX: u32 = 16;
const STREAM_WINDOW: u32 = 131_072;
const CONNECTION_WINDOW: u32 = 262_144;
const DATAGRAM_RECEIVE_BUFFER: usize = 65_536;
/// Ethernet's 1500 bytes, less the headers of IPv4 and UDP.
const UDP_PAYLOAD_MAX: u16 = 1472;
/// First packets that wait for the accept loop, and what may follow each and all of them.
const INCOMING_MAX: usize = 64;
const INCOMING_BUFFER: u64 = 16_384;
const INCOMING_BUFFER_TOTAL: u64 = 1_048_576;

pub fn text(bytes: &[u8]) -> Result<&str, Status> {
    std::str::from_utf8(bytes).map_err(|_| Status::Invalid)
}

/// `struct pf_quic_config`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Config {
    port: u32,
    idle_timeout_ms: u32,
    keep_alive_ms: u32,
    datagram_send_buffer: u32,
    connections_max: u32,
    timeout_ms: u32,
}

impl Config {
    /// # Safety
    /// `pointer` is null or has `length` readable bytes; it need not be aligned.
    pub unsafe fn read(pointer: *const Config, length: usize) -> Result<Config, Status> {
        if pointer.is_null() || length != size_of::<Config>() {
            return Err(Status::Invalid);
        }
        Ok(unsafe { pointer.read_unaligned() })
    }

    pub fn address(&self, address: &[u8]) -> Result<SocketAddr, Status> {
        let ip: IpAddr = text(address)?.parse().map_err(|_| Status::Invalid)?;
        let port = u16::try_from(self.port).map_err(|_| Status::Invalid)?;
        Ok(SocketAddr::new(ip, port))
    }

    pub fn connections_max(&self) -> usize {
        self.connections_max as usize
    }

    pub fn patience(&self) -> Duration {
        Duration::from_millis(u64::from(self.timeout_ms))
    }

    pub fn server(&self, crypto: QuicServerConfig) -> Result<ServerConfig, Status> {
        let mut server = ServerConfig::with_crypto(Arc::new(crypto));
        // An address is validated by a Retry alone, never by a token of an earlier connection.
        let mut tokens = ValidationTokenConfig::default();
        tokens.sent(0);
        server
            .transport_config(self.transport()?)
            .validation_token_config(tokens)
            .max_incoming(INCOMING_MAX)
            .incoming_buffer_size(INCOMING_BUFFER)
            .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL);
        Ok(server)
    }

    pub fn client(&self, crypto: QuicClientConfig) -> Result<ClientConfig, Status> {
        let mut client = ClientConfig::new(Arc::new(crypto));
        client.transport_config(self.transport()?);
        Ok(client)
    }

    fn transport(&self) -> Result<Arc<TransportConfig>, Status> {
        let is_valid = (1_000..=3_600_000).contains(&self.idle_timeout_ms)
            && (2_048..=1_048_576).contains(&self.datagram_send_buffer);
        if !is_valid {
            return Err(Status::Invalid);
        }
        let mut mtu = MtuDiscoveryConfig::default();
        mtu.upper_bound(UDP_PAYLOAD_MAX);
        let keep_alive = Duration::from_millis(u64::from(self.keep_alive_ms));
        let mut transport = TransportConfig::default();
        transport
            .max_idle_timeout(Some(quinn::VarInt::from_u32(self.idle_timeout_ms).into()))
            .keep_alive_interval(Some(keep_alive).filter(|interval| !interval.is_zero()))
            .max_concurrent_bidi_streams(STREAMS_MAX.into())
            .max_concurrent_uni_streams(0u32.into())
            .stream_receive_window(STREAM_WINDOW.into())
            .receive_window(CONNECTION_WINDOW.into())
            .send_window(CONNECTION_WINDOW.into())
            .datagram_receive_buffer_size(Some(DATAGRAM_RECEIVE_BUFFER))
            .datagram_send_buffer_size(self.datagram_send_buffer as usize)
            .mtu_discovery_config(Some(mtu))
            .congestion_controller_factory(Arc::new(ClosableConfig::default()));
        Ok(Arc::new(transport))
    }
}

/// Length bytes and names.
pub fn alpn_list(mut list: &[u8]) -> Result<Vec<Vec<u8>>, Status> {
    let mut names = Vec::new();
    while let Some((length, rest)) = list.split_first() {
        let split =
            rest.split_at_checked(usize::from(*length)).filter(|(name, _)| !name.is_empty());
        let (name, after) = split.ok_or(Status::Invalid)?;
        names.push(name.to_vec());
        list = after;
    }
    if names.is_empty() {
        Err(Status::Invalid)
    } else {
        Ok(names)
    }
}
