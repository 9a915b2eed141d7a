//! The app without its screens and its system, as one object ([`AppCore`]): actions in, state and effects out. What it decides is
//! [`chamada::app`]'s; here it is given a clock, a client and a way across the language border.
//!
//! Client commands are carried out in here. What is left to Kotlin and Swift is drawing [`AppState`], carrying out [`AppEffect`]s, and
//! telling what the person and the system do.

mod action;
mod call_view;
mod effect;
mod facts;
mod runner;
mod state;

pub use action::AppAction;
pub use call_view::{
    AppAudioRouteKind, AppAudioRouteView, AppCallPhase, AppCallView, AppKeypad, AppPrivateText, AppTrust,
    AppVerification,
};
pub use effect::{AppCallService, AppEffect, AppField, AppPermission, AppSettingsPage, AppSystemCall, AppSystemEnd};
pub use facts::{
    AppAudioInterruption, AppAudioRoute, AppCameraTrouble, AppNetwork, AppPermissionStatus, AppPermissions,
    AppPhotoOutcome, AppRingerMode, AppSavedSignIn, AppSystemCallNews, AppVisibility,
};
pub use state::{
    AppBanner, AppButton, AppChatLine, AppHistoryEntry, AppHistoryKind, AppMessage, AppOutage, AppPerson,
    AppPrivateLine, AppRecovery, AppScreen, AppState, AppStatisticsLine, AppTab, AppTopic,
};

use crate::client::core_devices;
use crate::config::Devices;
use crate::error::{AppError, ChamadaError, ErrorKind};
use crate::runtime;
use chamada::app as core;
use runner::Runner;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Instant, SystemTime};
use tokio::sync::{Notify, mpsc};

/// Is told that there is something to fetch.
#[uniffi::export(foreign)]
pub trait AppObserver: Send + Sync {
    /// State or effects changed by what the client told or by time: call `AppCore.poll` on the thread that draws. Called on a thread of the
    /// library's, `chamada-app`, once for any number of changes; what `AppCore.dispatch` did is in its own result and not told.
    ///
    /// # Errors
    /// What it throws is logged.
    fn on_change(&self) -> Result<(), AppError>;
}

/// What differs by platform, and does not change while the app runs.
#[derive(Debug, Clone, uniffi::Record)]
pub struct AppConfig {
    /// The system's calls ring themselves (CallKit), so that the app does not.
    pub system_rings: bool,
    /// The system ends an app that gets a push and reports no call (PushKit).
    pub reports_every_push: bool,
    /// Names this installation, so that a server can ring it by push: 1 to 64 printable ASCII characters, made at random once and kept.
    #[uniffi(default = None)]
    pub device: Option<String>,
}

/// What changed since the last one. What is absent is as it was.
#[derive(uniffi::Record)]
pub struct AppUpdate {
    /// What is to be seen.
    pub state: Option<AppState>,
    /// The public chat, oldest line first; 500 lines at most.
    pub chat: Option<Vec<AppChatLine>>,
    /// The private text of the call, oldest line first; 500 lines at most. Empty without a call.
    #[uniffi(default = None)]
    pub private_text: Option<Vec<AppPrivateLine>>,
    /// The calls that were, newest first; 100 at most.
    pub history: Option<Vec<AppHistoryEntry>>,
    /// What is measured in the call; empty unless it is shown.
    pub statistics: Option<Vec<AppStatisticsLine>>,
    /// What is to be done, in this order, each once.
    pub effects: Vec<AppEffect>,
}

/// The decisions of an app. All of its updates are to be fetched on one thread, the one that draws: then effects are carried out in the
/// order in which they were decided.
#[derive(uniffi::Object)]
pub struct AppCore {
    shared: Arc<Shared>,
}

#[uniffi::export]
impl AppCore {
    /// An app with these devices. `AppAction.Started` is its first action.
    ///
    /// # Errors
    /// `INTERNAL` where the system gives no thread.
    #[uniffi::constructor]
    pub fn new(config: AppConfig, devices: Devices, observer: Arc<dyn AppObserver>) -> Result<Arc<Self>, ChamadaError> {
        let AppConfig { system_rings, reports_every_push, device } = config;
        let demo = crate::demo_available();
        let app = core::App::new(core::AppConfig { system_rings, reports_every_push, demo });
        let (commands, inbox) = mpsc::unbounded_channel();
        let (changed, changes) = sync_channel(1);
        let inner = Mutex::new(Inner { app, effects: Vec::new(), fetched: Fetched::default() });
        let shared = Arc::new(Shared { inner, commands, changed, wake: Arc::default() });
        std::thread::Builder::new()
            .name("chamada-app".into())
            .spawn(move || {
                while changes.recv().is_ok() {
                    if let Err(error) = observer.on_change() {
                        log::error!("the app's observer failed: {error}");
                    }
                }
            })
            .map_err(|error| ChamadaError::new(ErrorKind::Internal, format!("no thread for the app: {error}")))?;
        let runner = Runner::new(Arc::downgrade(&shared), core_devices(devices), device);
        drop(runtime::runtime()?.spawn(runner.run(inbox)));
        Ok(Arc::new(Self { shared }))
    }

    /// Tells what happened. Returns what changed by it and before it. Returns at once.
    pub fn dispatch(&self, action: AppAction) -> AppUpdate {
        if let Some(action) = action.into_core() {
            self.shared.handle(action, false);
        }
        self.poll()
    }

    /// What changed since it was asked last.
    pub fn poll(&self) -> AppUpdate {
        self.shared.lock().update()
    }
}

/// What the app, the runner and the client's news share.
struct Shared {
    inner: Mutex<Inner>,
    commands: mpsc::UnboundedSender<core::ClientCommand>,
    /// Has room for one: changes that nobody fetched yet are told once.
    changed: SyncSender<()>,
    /// The time to wake may be another.
    wake: Arc<Notify>,
}

struct Inner {
    app: core::App,
    /// Decided and not fetched.
    effects: Vec<core::Effect>,
    fetched: Fetched,
}

/// What was handed out last.
#[derive(Default)]
struct Fetched {
    state: Option<core::AppState>,
    /// Number and last of the lines.
    chat: Option<(usize, Option<u64>)>,
    private_text: Vec<core::PrivateLine>,
    history: Option<Vec<core::HistoryEntry>>,
    statistics: Vec<core::StatisticsLine>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `tell` says whether whoever draws is to be told: not if it fetches the update itself.
    fn handle(&self, action: core::Action, tell: bool) {
        let mut inner = self.lock();
        for effect in inner.app.handle(now(), action) {
            match effect {
                // Under the lock, so that commands are begun in the order in which they were decided. The runner lives as long as this.
                core::Effect::Client(command) => drop(self.commands.send(command)),
                effect => inner.effects.push(effect),
            }
        }
        drop(inner);
        self.wake.notify_one();
        if tell {
            // Full: it is about to be told anyway.
            let _ = self.changed.try_send(());
        }
    }

    fn news(shared: &Weak<Self>, session: u64, news: core::ClientNews) {
        if let Some(shared) = shared.upgrade() {
            shared.handle(core::Action::Client { session, news }, true);
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        self.lock().app.next_wake()
    }
}

impl Inner {
    fn update(&mut self) -> AppUpdate {
        let Self { app, effects, fetched } = self;
        let state = (fetched.state.as_ref() != Some(app.state())).then(|| {
            fetched.state = Some(app.state().clone());
            app.state().into()
        });
        let newest = Some((app.chat().len(), app.chat().back().map(|line| line.id)));
        let chat = (std::mem::replace(&mut fetched.chat, newest) != newest)
            .then(|| app.chat().iter().map(Into::into).collect());
        let private_text = (!app.private_text().iter().eq(&fetched.private_text)).then(|| {
            fetched.private_text = app.private_text().iter().cloned().collect();
            app.private_text().iter().map(Into::into).collect()
        });
        let history = (fetched.history.as_deref() != Some(app.history())).then(|| {
            fetched.history = Some(app.history().to_vec());
            app.history().iter().map(Into::into).collect()
        });
        let statistics = (fetched.statistics != app.statistics()).then(|| {
            fetched.statistics = app.statistics().to_vec();
            app.statistics().iter().map(Into::into).collect()
        });
        let effects = std::mem::take(effects).into_iter().filter_map(AppEffect::from_core).collect();
        AppUpdate { state, chat, private_text, history, statistics, effects }
    }
}

fn now() -> core::Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    core::Now { at: Instant::now(), unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
}
