//! The functions of quic.h. Each checks its arguments and calls one method of [`Endpoint`].

mod config;
mod congestion;
mod endpoint;
mod events;
mod status;
mod streams;
mod tls;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{alpn_list, text, Config};
use endpoint::{next_id, ConnectOptions, Endpoint};
use status::{guarded, Status};
use tls::{Identity, Pin};

const ABI: u32 = 1;
const REASON_MAX: usize = 256;

static ENDPOINTS: LazyLock<Mutex<HashMap<u64, Arc<Endpoint>>>> = LazyLock::new(|| {
    // Nothing is printed, not even the text of a panic that `guarded` or the runtime catches.
    std::panic::set_hook(Box::new(|_| {}));
    Mutex::default()
});

fn endpoints() -> MutexGuard<'static, HashMap<u64, Arc<Endpoint>>> {
    ENDPOINTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn endpoint(id: u64) -> Result<Arc<Endpoint>, Status> {
    endpoints().get(&id).cloned().ok_or(Status::Stale)
}

fn add_endpoint(endpoint: Arc<Endpoint>) -> u64 {
    let id = next_id();
    endpoints().insert(id, endpoint);
    id
}

/// Bytes of the caller for the duration of a call.
///
/// # Safety
/// `pointer` is null or has `length` readable bytes.
unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> Result<&'a [u8], Status> {
    match (pointer.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Status::Invalid),
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(pointer, length) }),
    }
}

/// # Safety
/// `pointer` is null or has `length` writable bytes that nobody else uses.
unsafe fn bytes_mut<'a>(pointer: *mut u8, length: usize) -> Result<&'a mut [u8], Status> {
    if pointer.is_null() || length == 0 {
        return Err(Status::Invalid);
    }
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
}

/// # Safety
/// `pointer` is null or writable; it need not be aligned.
unsafe fn store<T>(pointer: *mut T, value: T) -> Result<(), Status> {
    if pointer.is_null() {
        return Err(Status::Invalid);
    }
    unsafe { pointer.write_unaligned(value) };
    Ok(())
}

#[no_mangle]
pub extern "C" fn pf_quic_abi() -> u32 {
    ABI
}

/// # Safety
/// As quic.h has it: each pointer with its length.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_listen(
    config: *const Config,
    config_len: usize,
    address: *const u8,
    address_len: usize,
    alpn: *const u8,
    alpn_len: usize,
    certificate: *const u8,
    certificate_len: usize,
    key: *const u8,
    key_len: usize,
    endpoint: *mut u64,
) -> i32 {
    guarded(|| unsafe {
        let config = Config::read(config, config_len)?;
        let address = config.address(bytes(address, address_len)?)?;
        let alpn = alpn_list(bytes(alpn, alpn_len)?)?;
        let identity =
            Identity::from_pem(bytes(certificate, certificate_len)?, bytes(key, key_len)?)?;
        if config.connections_max() == 0 || endpoint.is_null() {
            return Err(Status::Invalid);
        }
        let server = config.server(tls::server_config(identity, alpn)?)?;
        let opened = Endpoint::open()?;
        if let Err(status) = opened.listen(address, server, config.connections_max()) {
            opened.close();
            return Err(status);
        }
        store(endpoint, add_endpoint(opened))?;
        Ok(0)
    })
}

#[no_mangle]
pub extern "C" fn pf_quic_port(id: u64) -> i32 {
    guarded(|| Ok(usize::from(endpoint(id)?.port()?)))
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_connector_open(endpoint: *mut u64) -> i32 {
    guarded(|| unsafe {
        if endpoint.is_null() {
            return Err(Status::Invalid);
        }
        store(endpoint, add_endpoint(Endpoint::open()?))?;
        Ok(0)
    })
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_connect(
    id: u64,
    config: *const Config,
    config_len: usize,
    address: *const u8,
    address_len: usize,
    server_name: *const u8,
    server_name_len: usize,
    alpn: *const u8,
    alpn_len: usize,
    certificate: *const u8,
    certificate_len: usize,
    key: *const u8,
    key_len: usize,
    fingerprint: *const u8,
    fingerprint_len: usize,
    connection: *mut u64,
) -> i32 {
    guarded(|| unsafe {
        let endpoint = endpoint(id)?;
        let config = Config::read(config, config_len)?;
        let address = config.address(bytes(address, address_len)?)?;
        let server_name = text(bytes(server_name, server_name_len)?)?;
        let alpn = alpn_list(bytes(alpn, alpn_len)?)?;
        if config.patience().is_zero() || connection.is_null() {
            return Err(Status::Invalid);
        }
        let identity = match (bytes(certificate, certificate_len)?, bytes(key, key_len)?) {
            ([], []) => None,
            (certificate, key) => Some(Identity::from_pem(certificate, key)?),
        };
        let is_violated = Arc::<AtomicBool>::default();
        let pin = match bytes(fingerprint, fingerprint_len)? {
            [] => None,
            given => Some(Pin {
                fingerprint: given.try_into().map_err(|_| Status::Invalid)?,
                is_violated: is_violated.clone(),
            }),
        };
        let options = ConnectOptions {
            config: config.client(tls::client_config(identity, alpn, pin)?)?,
            patience: config.patience(),
            is_violated,
        };
        store(connection, endpoint.connect(address, server_name, options)?)?;
        Ok(0)
    })
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_wait(
    id: u64,
    timeout_ms: i32,
    out: *mut u8,
    out_len: usize,
) -> i32 {
    guarded(|| unsafe {
        let out = bytes_mut(out, out_len)?;
        if out.len() < events::WAIT_ROOM {
            return Err(Status::Invalid);
        }
        let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        endpoint(id)?.wait(timeout, out)
    })
}

#[no_mangle]
pub extern "C" fn pf_quic_close(id: u64) -> i32 {
    guarded(|| {
        let endpoint = endpoints().remove(&id).ok_or(Status::Stale)?;
        endpoint.close();
        Ok(0)
    })
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_connection_close(
    id: u64,
    connection: u64,
    code: u32,
    reason: *const u8,
    reason_len: usize,
) -> i32 {
    guarded(|| unsafe {
        let reason = bytes(reason, reason_len)?;
        if reason.len() > REASON_MAX {
            return Err(Status::Invalid);
        }
        endpoint(id)?.close_connection(connection, code, reason)?;
        Ok(0)
    })
}

/// `struct pf_quic_path`.
#[repr(C)]
pub struct Path {
    round_trip_us: u64,
    datagram_size_max: u32,
    reserved: u32,
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_connection_path(
    id: u64,
    connection: u64,
    path: *mut Path,
    path_len: usize,
) -> i32 {
    guarded(|| unsafe {
        if path_len != size_of::<Path>() {
            return Err(Status::Invalid);
        }
        let (round_trip_us, datagram_size_max) = endpoint(id)?.path(connection)?;
        store(path, Path { round_trip_us, datagram_size_max, reserved: 0 })?;
        Ok(0)
    })
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_datagram_send(
    id: u64,
    connection: u64,
    payload: *const u8,
    payload_len: usize,
) -> i32 {
    guarded(|| unsafe {
        let payload = bytes(payload, payload_len)?;
        Ok(usize::from(endpoint(id)?.send_datagram(connection, payload)?))
    })
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_stream_open(
    id: u64,
    connection: u64,
    timeout_ms: u32,
    stream: *mut u64,
) -> i32 {
    guarded(|| unsafe {
        if stream.is_null() {
            return Err(Status::Invalid);
        }
        let patience = Duration::from_millis(u64::from(timeout_ms));
        store(stream, endpoint(id)?.open_stream(connection, patience)?)?;
        Ok(0)
    })
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_stream_read(
    id: u64,
    stream: u64,
    out: *mut u8,
    out_len: usize,
) -> i32 {
    guarded(|| unsafe { endpoint(id)?.streams().read(stream, bytes_mut(out, out_len)?) })
}

/// # Safety
/// As quic.h has it.
#[no_mangle]
pub unsafe extern "C" fn pf_quic_stream_write(
    id: u64,
    stream: u64,
    payload: *const u8,
    payload_len: usize,
) -> i32 {
    guarded(|| unsafe {
        let payload = bytes(payload, payload_len)?;
        if payload.is_empty() {
            return Err(Status::Invalid);
        }
        endpoint(id)?.streams().write(stream, payload)
    })
}

#[no_mangle]
pub extern "C" fn pf_quic_stream_finish(id: u64, stream: u64) -> i32 {
    guarded(|| endpoint(id)?.streams().finish(stream).map(|()| 0))
}

#[no_mangle]
pub extern "C" fn pf_quic_stream_abort(id: u64, stream: u64, code: u32) -> i32 {
    guarded(|| endpoint(id)?.streams().abort(stream, code).map(|()| 0))
}
