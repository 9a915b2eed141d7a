//! The app itself: what it remembers, and the one door for all actions.

use super::action::{Action, RingerMode, SavedSignIn, Token};
use super::audio_route::AudioRoutes;
use super::banner::{Banners, Notice, Recovery, Retry, Topic};
use super::blocked::Blocked;
use super::calls::{Call, Purpose};
use super::camera::{CameraWish, Visibility};
use super::chat::{ChatLine, ChatStore};
use super::effect::{ClientCommand, Effect, SystemEndReason};
use super::history::{CallHistory, HistoryEntry};
use super::hold::Hold;
use super::levels::{ClientLevels, Levels};
use super::name::Address;
use super::network::NetworkMonitor;
use super::permissions::{Permission, Permissions};
use super::private_text::PrivateLine;
use super::push::PushState;
use super::remembered::Remembered;
use super::state::{AppState, OutagePart, Tab};
use super::statistics::StatisticsLine;
use super::system_calls::{Announced, PUSH_TIMEOUT, SystemCalls};
use super::text::TextKey;
use super::view;
use crate::media::video::ThermalState;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// How long the client may take to end a call before the app shows it no more.
pub(super) const END_TIMEOUT: Duration = Duration::from_secs(10);

/// The time of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For what lasts or is waited for.
    pub at: Instant,
    /// Milliseconds since 1970, for what people read.
    pub unix_ms: u64,
}

/// What does not change while the app runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppConfig {
    /// The system's calls ring themselves (CallKit), so that the app does not.
    pub system_rings: bool,
    /// The system ends an app that gets a push and reports no call (PushKit): each is reported, even if it is over at once.
    pub reports_every_push: bool,
    /// The build has the demonstration.
    pub demo: bool,
}

/// Where the app stands with its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    None,
    /// The demonstration's server starts.
    Starting(u64),
    Connecting(u64),
    Online(u64),
    /// Logged in, and out of reach for a while.
    Reconnecting(u64),
}

impl Session {
    pub(super) fn id(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Starting(id) | Self::Connecting(id) | Self::Online(id) | Self::Reconnecting(id) => Some(id),
        }
    }

    pub(super) fn is_logged_in(self) -> bool {
        matches!(self, Self::Online(_) | Self::Reconnecting(_))
    }
}

/// A question that the system asks the person.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) request: u64,
    pub(super) purpose: Purpose,
}

/// The app's decisions; see the [module](super).
#[derive(Debug)]
pub struct App {
    pub(super) config: AppConfig,
    pub(super) state: AppState,
    pub(super) session: Session,
    pub(super) sessions: u64,
    /// The login that is tried or was tried last, for trying again.
    pub(super) address: Option<(Address, Option<Token>)>,
    pub(super) saved: Option<SavedSignIn>,
    pub(super) demo_name: String,
    pub(super) demo: bool,
    pub(super) me: Option<String>,
    pub(super) names: Vec<String>,
    /// Who is away, and can be rung by push.
    pub(super) away: Vec<String>,
    pub(super) search: String,
    pub(super) tab: Tab,
    pub(super) chat: ChatStore,
    pub(super) history: CallHistory,
    pub(super) blocked: Blocked,
    pub(super) remembered: Remembered,
    pub(super) statistics: Vec<StatisticsLine>,
    pub(super) shows_statistics: bool,
    pub(super) missed: u32,
    pub(super) unread: u32,
    pub(super) outages: BTreeSet<OutagePart>,
    pub(super) banners: Banners,
    pub(super) permissions: Permissions,
    pub(super) question: Option<Question>,
    pub(super) requests: u64,
    pub(super) has_camera: bool,
    pub(super) visibility: Visibility,
    pub(super) ringer: RingerMode,
    pub(super) network: NetworkMonitor,
    pub(super) thermal: ThermalState,
    pub(super) call: Option<Call>,
    pub(super) announced: Option<Announced>,
    pub(super) push_state: PushState,
    pub(super) system_calls: SystemCalls,
    pub(super) last_end: SystemEndReason,
    pub(super) camera: CameraWish,
    pub(super) microphone: bool,
    pub(super) hold: Hold,
    pub(super) routes: AudioRoutes,
    pub(super) client_levels: ClientLevels,
    pub(super) levels: Levels,
    effects: Vec<Effect>,
}

impl App {
    /// An app that has not begun: [`super::SystemAction::Started`] is the first action.
    pub fn new(config: AppConfig) -> Self {
        let mut app = Self {
            config,
            state: view::empty(),
            session: Session::None,
            sessions: 0,
            address: None,
            saved: None,
            demo_name: String::new(),
            demo: false,
            me: None,
            names: Vec::new(),
            away: Vec::new(),
            search: String::new(),
            tab: Tab::default(),
            chat: ChatStore::default(),
            history: CallHistory::default(),
            blocked: Blocked::default(),
            remembered: Remembered::default(),
            statistics: Vec::new(),
            shows_statistics: false,
            missed: 0,
            unread: 0,
            outages: BTreeSet::new(),
            banners: Banners::default(),
            permissions: Permissions::default(),
            question: None,
            requests: 0,
            has_camera: true,
            visibility: Visibility::Foreground,
            ringer: RingerMode::default(),
            network: NetworkMonitor::default(),
            thermal: ThermalState::default(),
            call: None,
            announced: None,
            push_state: PushState::default(),
            system_calls: SystemCalls::default(),
            last_end: SystemEndReason::Local,
            camera: CameraWish::default(),
            microphone: true,
            hold: Hold::default(),
            routes: AudioRoutes::default(),
            client_levels: ClientLevels::default(),
            levels: Levels::default(),
            effects: Vec::new(),
        };
        app.state = app.view();
        app
    }

    /// Takes what happened. Returns what is to be done, in this order; [`App::state`] says what is to be seen from now on.
    pub fn handle(&mut self, now: Now, action: Action) -> Vec<Effect> {
        match action {
            Action::User(action) => self.on_user(now, action),
            Action::System(action) => self.on_system(now, action),
            Action::Client { session, news } => {
                if self.session.id() == Some(session) {
                    self.on_client(now, news);
                }
            }
            Action::Tick => {}
        }
        self.expire(now);
        self.settle();
        self.state = self.view();
        std::mem::take(&mut self.effects)
    }

    /// What is to be seen.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// The public chat, oldest line first.
    pub fn chat(&self) -> &VecDeque<ChatLine> {
        self.chat.lines()
    }

    /// The private text of the call, oldest line first; empty without a call.
    pub fn private_text(&self) -> &VecDeque<PrivateLine> {
        const NONE: &VecDeque<PrivateLine> = &VecDeque::new();
        self.call.as_ref().map_or(NONE, |call| call.private.lines())
    }

    /// The calls that were, newest first.
    pub fn history(&self) -> &[HistoryEntry] {
        self.history.entries()
    }

    /// What is measured in the call; empty unless it is shown.
    pub fn statistics(&self) -> &[StatisticsLine] {
        if self.shows_statistics { &self.statistics } else { &[] }
    }

    /// When to hand in [`Action::Tick`] if nothing else comes before.
    pub fn next_wake(&self) -> Option<Instant> {
        let push = self.announced.as_ref().and_then(|announced| announced.since.checked_add(PUSH_TIMEOUT));
        let ending = self.call.as_ref().and_then(|call| call.ending?.checked_add(END_TIMEOUT));
        [self.banners.next_expiry(), push, ending].into_iter().flatten().min()
    }

    fn expire(&mut self, now: Now) {
        self.banners.expire(now.at);
        self.expire_announced(now);
        self.expire_ending(now);
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn command(&mut self, command: ClientCommand) {
        self.push(Effect::Client(command));
    }

    pub(super) fn tell(&mut self, topic: Topic, notice: Notice, retry: Option<Retry>) {
        self.banners.tell(topic, notice, retry);
    }

    pub(super) fn tell_call(&mut self, key: TextKey) {
        self.tell(Topic::Call, Notice::new(key, &[Recovery::Dismiss]), None);
    }

    /// How permissions stand; the demonstration's devices are not real, and nobody guards them.
    pub(super) fn permissions(&self) -> Permissions {
        if self.demo { Permissions::ALL } else { self.permissions }
    }

    /// Asks the person. A question that is open is forgotten: the system shows one at a time.
    pub(super) fn ask(&mut self, permissions: Vec<Permission>, purpose: Purpose) {
        self.requests = self.requests.wrapping_add(1);
        let request = self.requests;
        self.question = Some(Question { request, purpose });
        self.push(Effect::AskPermissions { request, permissions });
    }

    pub(super) fn save_history(&mut self) {
        let json = self.history.to_json();
        self.push(Effect::SaveHistory(json));
    }
}
