//! The streams of an endpoint. Each is tried once when asked; a try that must wait leaves a waker with quinn, which
//! puts a notice into the queue.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use quinn::{ReadError, RecvStream, SendStream, VarInt, WriteError};

use crate::events::{Kind, Queue, Readiness};
use crate::status::Status;

#[derive(Default)]
pub struct Streams(HashMap<u64, Stream>);

/// Each half until it is over.
struct Stream {
    connection: u64,
    send: Option<SendStream>,
    receive: Option<RecvStream>,
    on_readable: Waker,
    on_writable: Waker,
}

impl Streams {
    pub fn add(
        &mut self,
        connection: u64,
        id: u64,
        (send, receive): (SendStream, RecvStream),
        queue: &Arc<Queue>,
    ) {
        let stream = Stream {
            connection,
            send: Some(send),
            receive: Some(receive),
            on_readable: Readiness::waker(queue, Kind::Readable, connection, id),
            on_writable: Readiness::waker(queue, Kind::Writable, connection, id),
        };
        self.0.insert(id, stream);
    }

    pub fn drop_of(&mut self, connection: u64) {
        self.0.retain(|_, stream| stream.connection != connection);
    }

    fn get(&mut self, id: u64) -> Result<&mut Stream, Status> {
        self.0.get_mut(&id).ok_or(Status::Stale)
    }

    fn forget_if_over(&mut self, id: u64) {
        if self.0.get(&id).is_some_and(|one| one.send.is_none() && one.receive.is_none()) {
            self.0.remove(&id);
        }
    }

    /// Bytes read, 0 when none are there yet.
    pub fn read(&mut self, id: u64, out: &mut [u8]) -> Result<usize, Status> {
        let stream = self.get(id)?;
        let receive = stream.receive.as_mut().ok_or(Status::Stale)?;
        let end = match receive.poll_read(&mut Context::from_waker(&stream.on_readable), out) {
            Poll::Pending => return Ok(0),
            Poll::Ready(Ok(0)) => Status::Finished,
            Poll::Ready(Ok(count)) => return Ok(count),
            Poll::Ready(Err(ReadError::Reset(_))) => Status::Reset,
            Poll::Ready(Err(ReadError::ConnectionLost(_))) => Status::Lost,
            Poll::Ready(Err(_)) => Status::Stale,
        };
        stream.receive = None;
        self.forget_if_over(id);
        Err(end)
    }

    /// Bytes taken, 0 when there is no room yet.
    pub fn write(&mut self, id: u64, bytes: &[u8]) -> Result<usize, Status> {
        let stream = self.get(id)?;
        let send = stream.send.as_mut().ok_or(Status::Stale)?;
        let mut context = Context::from_waker(&stream.on_writable);
        let end = match Pin::new(send).poll_write(&mut context, bytes) {
            Poll::Pending => return Ok(0),
            Poll::Ready(Ok(count)) => return Ok(count),
            Poll::Ready(Err(WriteError::Stopped(_))) => Status::Reset,
            Poll::Ready(Err(WriteError::ConnectionLost(_))) => Status::Lost,
            Poll::Ready(Err(_)) => Status::Stale,
        };
        stream.send = None;
        self.forget_if_over(id);
        Err(end)
    }

    pub fn finish(&mut self, id: u64) -> Result<(), Status> {
        let mut send = self.get(id)?.send.take().ok_or(Status::Stale)?;
        // The peer may have stopped reading: then there is nothing to finish.
        let _ = send.finish();
        self.forget_if_over(id);
        Ok(())
    }

    pub fn abort(&mut self, id: u64, code: u32) -> Result<(), Status> {
        let mut stream = self.0.remove(&id).ok_or(Status::Stale)?;
        let code = VarInt::from_u32(code);
        // What is over already needs no abort.
        let _ = stream.send.as_mut().map(|send| send.reset(code));
        let _ = stream.receive.as_mut().map(|receive| receive.stop(code));
        Ok(())
    }
}
