//! Cubic, which lets a connection that closes say so.
//!
//! While anything else waits to be sent, quinn holds CONNECTION_CLOSE back with it until the congestion window has room.
//! A closed connection takes no more acknowledgements, so that this may be never, and the peer would learn of the end
//! by its idle timeout alone.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Instant;

use quinn::congestion::{Controller, ControllerFactory, ControllerMetrics, CubicConfig};
use quinn::Connection;
use quinn_proto::RttEstimator;

/// Past this there is no pacing either.
const WINDOW_OPEN: u64 = 1 << 40;

/// Call before closing.
pub fn let_go(connection: &Connection) {
    if let Ok(controller) = connection.congestion_state().into_any().downcast::<Closable>() {
        controller.is_closing.store(true, Ordering::Release);
    }
}

#[derive(Default)]
pub struct ClosableConfig(Arc<CubicConfig>);

impl ControllerFactory for ClosableConfig {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        let cubic = self.0.clone().build(now, current_mtu);
        Box::new(Closable { cubic, is_closing: Arc::default() })
    }
}

struct Closable {
    cubic: Box<dyn Controller>,
    /// Shared with clones.
    is_closing: Arc<AtomicBool>,
}

impl Controller for Closable {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.cubic.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.cubic.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest_packet_num_acked: Option<u64>,
    ) {
        self.cubic.on_end_acks(now, in_flight, app_limited, largest_packet_num_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.cubic.on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.cubic.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        if self.is_closing.load(Ordering::Acquire) {
            WINDOW_OPEN
        } else {
            self.cubic.window()
        }
    }

    fn metrics(&self) -> ControllerMetrics {
        self.cubic.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Closable { cubic: self.cubic.clone_box(), is_closing: self.is_closing.clone() })
    }

    fn initial_window(&self) -> u64 {
        self.cubic.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
