//! The statuses of quic.h, and the way from Rust's results to them.

use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// `enum pf_quic_status` without its OK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    Invalid = -1,
    Stale = -2,
    Closed = -3,
    Finished = -4,
    Reset = -5,
    Lost = -6,
    Identity = -7,
    AddressInUse = -8,
    Access = -9,
    AddressNotAvailable = -10,
    System = -11,
    Panic = -12,
}

impl From<io::Error> for Status {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Status::AddressInUse,
            io::ErrorKind::PermissionDenied => Status::Access,
            io::ErrorKind::AddrNotAvailable => Status::AddressNotAvailable,
            _ => Status::System,
        }
    }
}

/// Runs the body of an exported function: its count or status, whatever happens inside.
pub fn guarded(body: impl FnOnce() -> Result<usize, Status>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(count)) => i32::try_from(count).unwrap_or(i32::MAX),
        Ok(Err(status)) => status as i32,
        Err(_) => Status::Panic as i32,
    }
}
