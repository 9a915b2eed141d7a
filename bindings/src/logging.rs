//! The library's log, for the app.

use crate::error::{AppError, ChamadaError, ErrorKind};
use chamada::platform::logging::{self, LevelFilter, LogConfig, LogRecord};
use std::sync::Arc;

/// How grave a line of the log is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed that should not have.
    Error,
    /// Something failed, and the call goes on.
    Warn,
    /// What happens, in few lines. Up to here a log tells neither names nor addresses nor keys.
    Info,
    /// What happens, in many lines, names and addresses among them: to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// Takes the library's log into the app.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// One line. Called from any thread, also those of media: it must be quick. What it throws is lost.
    ///
    /// # Errors
    /// Is lost.
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), AppError>;
}

/// Starts logging, once for the whole process: to the system's log on Android and Apple systems, under `subsystem` as tag or
/// subsystem, and to `sink` everywhere.
///
/// # Errors
/// `INTERNAL` if this process logs already.
#[uniffi::export]
pub fn start_logging(level: LogLevel, subsystem: String, sink: Option<Arc<dyn LogSink>>) -> Result<(), ChamadaError> {
    let sink = sink.map(|app| Arc::new(Sink(app)) as Arc<dyn logging::LogSink>);
    let config = LogConfig { level: level.into(), subsystem, system: true, sink };
    logging::init(config).map_err(|error| ChamadaError::new(ErrorKind::Internal, error))
}

/// Changes the level of the log that was started.
#[uniffi::export]
pub fn set_log_level(level: LogLevel) {
    logging::set_level(level.into());
}

struct Sink(Arc<dyn LogSink>);

impl logging::LogSink for Sink {
    fn log(&self, record: LogRecord<'_>) {
        // An app that cannot log has nowhere to be told so.
        let _ = self.0.log(record.level.into(), record.target.to_owned(), record.message.to_owned());
    }
}

same_cases!(logging::Level => LogLevel { Error, Warn, Info, Debug, Trace });
same_cases!(LogLevel => LevelFilter { Error, Warn, Info, Debug, Trace });
