//! The threads that the library waits on: one pool for the whole process, made with the first client and kept.

use crate::error::{ChamadaError, ErrorKind};
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

/// Enough for signaling and one peer connection; codecs and devices have threads of their own.
const WORKERS: usize = 2;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// It is never taken down: a client may be dropped on any thread, and a runtime must not be dropped on one of its own.
pub(crate) fn runtime() -> Result<&'static Runtime, ChamadaError> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("chamada-rt")
        .enable_all()
        .build()
        .map_err(|error| ChamadaError::new(ErrorKind::Internal, format!("no threads: {error}")))?;
    // Should another thread have been faster, ours goes again; it has run nothing yet.
    let runtime = RUNTIME.get_or_init(|| made);
    Ok(runtime)
}

/// Runs this on the library's threads and waits for it from any executor. It runs to its end even if the caller stops waiting.
pub(crate) async fn run<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, ChamadaError>
where
    T: Send + 'static,
    E: Into<ChamadaError> + Send + 'static,
{
    match runtime()?.spawn(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => Err(ChamadaError::new(ErrorKind::Internal, format!("the library failed: {error}"))),
    }
}

/// Runs what takes long on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ChamadaError> + Send + 'static,
) -> Result<T, ChamadaError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ChamadaError::new(ErrorKind::Internal, format!("the library failed: {error}"))),
    }
}
