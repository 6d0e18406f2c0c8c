//! What happened on an endpoint, from the thread that runs it to whoever sits in `pf_quic_wait`.
//!
//! The queue is bounded without a limit of its own: each connection adds at most one notice of each kind, each stream
//! one a direction, and a connection keeps its place until its end was handed over.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use bytes::Bytes;

use crate::status::Status;

pub const WAIT_ROOM: usize = 32768;
const REASON_MAX: usize = 256;
const DATAGRAMS_MAX: usize = 256;
const RECORD_SIZE: usize = 40;

/// `enum pf_quic_event_type`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    Connected = 1,
    Closed = 2,
    Stream = 3,
    Opened = 4,
    Unopened = 5,
    Readable = 6,
    Writable = 7,
    Datagram = 8,
}

/// `enum pf_quic_end`.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum EndKind {
    Application = 0,
    Idle = 1,
    Transport = 2,
    Unreachable = 3,
    Mismatch = 4,
}

/// Why a connection is over.
pub struct End {
    pub kind: EndKind,
    pub is_by_peer: bool,
    pub code: u64,
    pub reason: Vec<u8>,
}

impl End {
    pub fn bare(kind: EndKind) -> Self {
        End { kind, is_by_peer: false, code: 0, reason: Vec::new() }
    }

    pub fn of(error: &quinn::ConnectionError) -> Self {
        use quinn::ConnectionError as E;
        let (kind, is_by_peer, code, reason) = match error {
            E::ApplicationClosed(close) => {
                (EndKind::Application, true, close.error_code.into_inner(), close.reason.to_vec())
            }
            E::LocallyClosed => (EndKind::Application, false, 0, Vec::new()),
            E::TimedOut => (EndKind::Idle, false, 0, Vec::new()),
            E::ConnectionClosed(close) => (EndKind::Transport, true, 0, close.reason.to_vec()),
            E::Reset | E::VersionMismatch => (EndKind::Transport, true, 0, Vec::new()),
            E::TransportError(error) => {
                (EndKind::Transport, false, 0, error.reason.clone().into_bytes())
            }
            E::CidsExhausted => (EndKind::Transport, false, 0, Vec::new()),
        };
        End { kind, is_by_peer, code, reason }
    }
}

/// The other side of a connection whose handshake is complete.
pub struct Peer {
    pub remote: SocketAddr,
    pub local: Option<IpAddr>,
    pub alpn: Vec<u8>,
    pub certificate: Vec<u8>,
}

impl Peer {
    /// `struct pf_quic_peer` and what follows it.
    fn encode(&self) -> Vec<u8> {
        // An IPv6 scope is of no use to whoever reads this as an address to send to.
        let remote = self.remote.ip().to_canonical().to_string();
        let local = self.local.map_or(String::new(), |ip| ip.to_canonical().to_string());
        let mut bytes = Vec::with_capacity(128 + self.certificate.len());
        bytes.extend((self.certificate.len() as u32).to_ne_bytes());
        bytes.extend(u32::from(self.remote.port()).to_ne_bytes());
        for length in [remote.len(), local.len(), self.alpn.len(), 0] {
            bytes.extend((length as u16).to_ne_bytes());
        }
        for part in [remote.as_bytes(), local.as_bytes(), &self.alpn, &self.certificate] {
            bytes.extend(part);
        }
        bytes
    }
}

enum Notice {
    Connected {
        connection: u64,
        peer: Peer,
    },
    Closed {
        connection: u64,
        end: End,
    },
    /// `Kind::Stream`, `Opened` or `Unopened`.
    Stream {
        kind: Kind,
        connection: u64,
        stream: u64,
    },
    Ready(Arc<Readiness>),
    /// As many records as there are datagrams.
    Datagrams {
        connection: u64,
    },
}

#[derive(Default)]
struct State {
    notices: VecDeque<Notice>,
    datagrams: HashMap<u64, VecDeque<Bytes>>,
    connections: usize,
    is_closed: bool,
}

#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    has_news: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, notice: Notice) {
        let mut state = self.lock();
        if !state.is_closed {
            state.notices.push_back(notice);
            self.has_news.notify_one();
        }
    }

    /// A place for one more connection, unless there are `max`.
    pub fn take_place(&self, max: usize) -> bool {
        let mut state = self.lock();
        let is_free = state.connections < max;
        state.connections += usize::from(is_free);
        is_free
    }

    /// For a connection that nobody will hear of.
    pub fn free_place(&self) {
        self.lock().connections -= 1;
    }

    pub fn connected(&self, connection: u64, peer: Peer) {
        self.push(Notice::Connected { connection, peer });
    }

    pub fn closed(&self, connection: u64, end: End) {
        self.push(Notice::Closed { connection, end });
    }

    pub fn stream(&self, kind: Kind, connection: u64, stream: u64) {
        self.push(Notice::Stream { kind, connection, stream });
    }

    pub fn datagram(&self, connection: u64, payload: Bytes) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        let waiting = state.datagrams.entry(connection).or_default();
        let is_first = waiting.is_empty();
        if waiting.len() == DATAGRAMS_MAX {
            waiting.pop_front();
        }
        waiting.push_back(payload);
        if is_first {
            state.notices.push_back(Notice::Datagrams { connection });
            self.has_news.notify_one();
        }
    }

    /// From now on `wait` ends at once.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.notices.clear();
        state.datagrams.clear();
        self.has_news.notify_all();
    }

    /// Writes records into `out`, which has room for any one; returns how many.
    pub fn wait(&self, timeout: Option<Duration>, out: &mut [u8]) -> Result<usize, Status> {
        let mut state = self.lock();
        let is_quiet = |state: &mut State| state.notices.is_empty() && !state.is_closed;
        state = match timeout {
            None => {
                self.has_news.wait_while(state, is_quiet).unwrap_or_else(PoisonError::into_inner)
            }
            Some(timeout) => {
                self.has_news
                    .wait_timeout_while(state, timeout, is_quiet)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        if state.is_closed {
            return Err(Status::Closed);
        }
        let mut records = Records { out, used: 0, count: 0 };
        while let Some(notice) = state.notices.pop_front() {
            if !state.hand_over(&notice, &mut records) {
                state.notices.push_front(notice);
                break;
            }
        }
        Ok(records.count)
    }
}

impl State {
    /// False when room ran out before all of `notice` was written.
    fn hand_over(&mut self, notice: &Notice, records: &mut Records<'_>) -> bool {
        match notice {
            Notice::Connected { connection, peer } => {
                records.add(Record::new(Kind::Connected, *connection), &peer.encode())
            }
            Notice::Closed { connection, end } => {
                let reason = &end.reason[..end.reason.len().min(REASON_MAX)];
                let record = Record {
                    code: end.code,
                    end: end.kind as u32,
                    is_by_peer: u32::from(end.is_by_peer),
                    ..Record::new(Kind::Closed, *connection)
                };
                let is_over = records.add(record, reason);
                if is_over {
                    self.datagrams.remove(connection);
                    self.connections -= 1;
                }
                is_over
            }
            Notice::Stream { kind, connection, stream } => {
                records.add(Record { stream: *stream, ..Record::new(*kind, *connection) }, &[])
            }
            Notice::Ready(readiness) => {
                let record = Record {
                    stream: readiness.stream,
                    ..Record::new(readiness.kind, readiness.connection)
                };
                let is_told = records.add(record, &[]);
                if is_told {
                    readiness.is_queued.store(false, Ordering::Release);
                }
                is_told
            }
            Notice::Datagrams { connection } => {
                let Some(waiting) = self.datagrams.get_mut(connection) else { return true };
                while let Some(payload) = waiting.front() {
                    if !records.add(Record::new(Kind::Datagram, *connection), payload) {
                        return false;
                    }
                    waiting.pop_front();
                }
                true
            }
        }
    }
}

/// `struct pf_quic_event`, less its size.
struct Record {
    kind: Kind,
    connection: u64,
    stream: u64,
    code: u64,
    end: u32,
    is_by_peer: u32,
}

impl Record {
    fn new(kind: Kind, connection: u64) -> Self {
        Record { kind, connection, stream: 0, code: 0, end: 0, is_by_peer: 0 }
    }
}

struct Records<'a> {
    out: &'a mut [u8],
    used: usize,
    count: usize,
}

impl Records<'_> {
    fn add(&mut self, record: Record, bytes: &[u8]) -> bool {
        let start = self.used.next_multiple_of(8);
        let end = start + RECORD_SIZE + bytes.len();
        let Some(room) = self.out.get_mut(start..end) else { return false };
        let (head, body) = room.split_at_mut(RECORD_SIZE);
        head[0..4].copy_from_slice(&(record.kind as u32).to_ne_bytes());
        head[4..8].copy_from_slice(&(bytes.len() as u32).to_ne_bytes());
        head[8..16].copy_from_slice(&record.connection.to_ne_bytes());
        head[16..24].copy_from_slice(&record.stream.to_ne_bytes());
        head[24..32].copy_from_slice(&record.code.to_ne_bytes());
        head[32..36].copy_from_slice(&record.end.to_ne_bytes());
        head[36..40].copy_from_slice(&record.is_by_peer.to_ne_bytes());
        body.copy_from_slice(bytes);
        self.used = end;
        self.count += 1;
        true
    }
}

/// Waker of one direction of a stream: puts a notice into the queue, unless one waits there.
pub struct Readiness {
    queue: Arc<Queue>,
    kind: Kind,
    connection: u64,
    stream: u64,
    is_queued: AtomicBool,
}

impl Readiness {
    /// `kind` is `Readable` or `Writable`.
    pub fn waker(queue: &Arc<Queue>, kind: Kind, connection: u64, stream: u64) -> Waker {
        Waker::from(Arc::new(Readiness {
            queue: queue.clone(),
            kind,
            connection,
            stream,
            is_queued: AtomicBool::new(false),
        }))
    }
}

impl Wake for Readiness {
    fn wake(self: Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            let queue = self.queue.clone();
            queue.push(Notice::Ready(self));
        }
    }
}
