//! Each state of the app with each action: what must hold holds, and there is a way out.

use super::World;
use super::stories::saved;
use super::world::{GRANTED, PEER, server_push};
use crate::app::{
    AppConfig, AudioInterruption, CameraTrouble, ClientNews, CommandKind, Failure, Network, OutagePart, Permissions,
    PhotoOutcome, Recovery, RingerMode, SystemAction, SystemCallNews, Tab, UserAction, Visibility,
};
use crate::call::{CallState, EndReason, NoPath};
use crate::client::{CallQuality, DeviceKind, MediaKind, MissingMedia, Verification};
use crate::media::dtmf::DtmfTone;
use crate::media::video::ThermalState;
use crate::security::{CheckResult, RememberedPerson};
use crate::signaling::message::{CallId, PushPlatform, PushRegister, PushedKind};

fn logged_out() -> World {
    World::new(AppConfig { demo: true, ..AppConfig::default() })
}

/// A call that was placed here and is so far.
fn placed(state: CallState) -> World {
    let mut world = World::online();
    world.user(UserAction::Call { to: PEER.to_owned(), video: true });
    world.deliver();
    world.peer(state);
    world.deliver();
    world
}

fn after(mut world: World, acts: &[fn(&mut World)]) -> World {
    for act in acts {
        act(&mut world);
    }
    world
}

/// A state by its name.
type State = (&'static str, fn() -> World);

/// Every state that an action can find the app in.
const STATES: &[State] = &[
    ("logged out", logged_out),
    ("demo starting", || after(logged_out(), &[|world| world.user(UserAction::StartDemo { name: String::new() })])),
    ("logging in", || after(logged_out(), &[World::sign_in])),
    ("login failed", || {
        after(logged_out(), &[|world| world.fails = Some(Failure::Unreachable), World::sign_in, World::deliver])
    }),
    ("home", World::online),
    ("server lost", || after(World::online(), &[|world| world.client(ClientNews::Reconnecting)])),
    ("asked before a call", || after(World::online(), &[forbid, call])),
    ("placing", || after(World::online(), &[call])),
    ("calling", || placed(CallState::Calling)),
    ("ringing there", || placed(CallState::RingingRemotely)),
    ("ringing by push", || placed(CallState::RingingByPush)),
    ("connecting", || placed(CallState::Connecting)),
    ("connected", World::connected),
    ("reconnecting", || placed(CallState::Reconnecting)),
    ("held", || {
        after(World::connected(), &[|world| world.system(SystemAction::AudioInterrupted(AudioInterruption::Began))])
    }),
    ("ending", || after(World::connected(), &[|world| world.user(UserAction::HangUp)])),
    ("ringing here", World::ringing),
    ("answering", || after(World::ringing(), &[accept])),
    ("asked before an answer", || after(World::ringing(), &[forbid, accept])),
    ("declining", || after(World::ringing(), &[decline])),
    ("pushed", || after(World::online(), &[pushed])),
    ("pushed and answered", || after(World::online(), &[pushed, accept])),
    ("pushed and refused", || after(World::online(), &[pushed, decline])),
    ("pushed while out of reach", || {
        let fails = |world: &mut World| world.fails = Some(Failure::Unreachable);
        after(logged_out(), &[fails, started, World::deliver, pushed])
    }),
    ("pushed and taken back", || after(World::online(), &[pushed, |world| world.pushed(PushedKind::Cancel, PUSHED)])),
    ("registered for push", || after(World::online_with_token(), &[|world| world.system(registered())])),
];

fn forbid(world: &mut World) {
    world.system(SystemAction::PermissionsChanged(Permissions::default()));
}

fn call(world: &mut World) {
    world.user(UserAction::Call { to: PEER.to_owned(), video: true });
}

fn accept(world: &mut World) {
    world.user(UserAction::Accept { video: true });
}

fn decline(world: &mut World) {
    world.user(UserAction::Decline);
}

fn started(world: &mut World) {
    world.system(SystemAction::Started {
        saved: Some(saved()),
        history: None,
        blocked: None,
        remembered: None,
        permissions: GRANTED,
    });
}

const PUSHED: CallId = CallId(uuid::Uuid::from_u128(7));

fn pushed(world: &mut World) {
    world.pushed(PushedKind::Ring, PUSHED);
}

fn registered() -> SystemAction {
    SystemAction::PushRegistrationChanged(Some(PushRegister {
        platform: PushPlatform::Fcm,
        token: Some("token".to_owned()),
        endpoint: None,
        keys: None,
        locale: None,
    }))
}

type Act = Box<dyn Fn(&mut World)>;

/// One of each action, as something to do to the world.
fn actions() -> Vec<Act> {
    let mut actions: Vec<Act> = Vec::new();
    let (on, off) = (true, false);
    let text = || "x".to_owned();
    for action in [
        UserAction::SignIn { server: "wss://b".to_owned(), name: "ana".to_owned(), token: None },
        UserAction::StartDemo { name: text() },
        UserAction::SignOut,
        UserAction::ShowTab(Tab::Recents),
        UserAction::Search(text()),
        UserAction::Call { to: PEER.to_owned(), video: off },
        UserAction::Accept { video: off },
        UserAction::Decline,
        UserAction::HangUp,
        UserAction::SetMicrophone(off),
        UserAction::SetCamera(off),
        UserAction::SetCamera(on),
        UserAction::FlipCamera,
        UserAction::SetHold(on),
        UserAction::SetHold(off),
        UserAction::ChooseAudioRoute(text()),
        UserAction::TakePhoto,
        UserAction::ShowStatistics(on),
        UserAction::SetFullQuality(on),
        UserAction::Say(text()),
        UserAction::SetBlocked { name: text(), block: on },
        UserAction::ShowKeypad(on),
        UserAction::PressKey('5'),
        UserAction::ShowPrivateText(on),
        UserAction::SendPrivateText(text()),
        UserAction::SetTyping(on),
        UserAction::ConfirmVerification { same: off },
        UserAction::ClearHistory,
        UserAction::SetOutage { part: OutagePart::Calls, on },
        UserAction::BeCalled,
    ] {
        actions.push(Box::new(move |world| world.user(action.clone())));
    }
    for action in [
        SystemAction::Started {
            saved: None,
            history: Some(text()),
            blocked: None,
            remembered: None,
            permissions: GRANTED,
        },
        SystemAction::PermissionsChanged(Permissions::default()),
        SystemAction::CamerasChanged { available: off },
        SystemAction::VisibilityChanged(Visibility::Background { camera_allowed: off }),
        SystemAction::VisibilityChanged(Visibility::Foreground),
        SystemAction::NetworkChanged(None),
        SystemAction::NetworkChanged(Some(Network { id: text(), addresses: Vec::new(), metered: on })),
        SystemAction::ThermalStateChanged(ThermalState::Critical),
        SystemAction::RingerModeChanged(RingerMode::Silent),
        SystemAction::AudioRoutesChanged { routes: Vec::new(), current: Some(text()) },
        SystemAction::AudioInterrupted(AudioInterruption::Lost),
        SystemAction::AudioInterrupted(AudioInterruption::ServicesReset),
        SystemAction::CameraTrouble(Some(CameraTrouble::Gone)),
        SystemAction::CameraTrouble(None),
        SystemAction::LowMemory,
        SystemAction::CallsReset,
        registered(),
        SystemAction::PushRegistrationChanged(None),
        SystemAction::PushReceived(None),
        SystemAction::PhotoSaved(PhotoOutcome::Failed),
    ] {
        actions.push(Box::new(move |world| world.system(action.clone())));
    }
    for kind in [PushedKind::Ring, PushedKind::Cancel] {
        actions.push(Box::new(move |world| world.pushed(kind, PUSHED)));
    }
    for news in [
        SystemCallNews::Taken,
        SystemCallNews::Refused,
        SystemCallNews::Answered { video: on },
        SystemCallNews::Ended,
        SystemCallNews::Muted(on),
        SystemCallNews::Held(on),
        SystemCallNews::Silenced,
    ] {
        actions.push(Box::new(move |world| {
            let call = world.reported.unwrap_or_else(CallId::random);
            world.system(SystemAction::Call { call, news });
        }));
    }
    for news in [
        ClientNews::ConnectFailed(Failure::Internal),
        ClientNews::CommandFailed { command: CommandKind::SetCamera, why: Failure::DeviceNotAllowed },
        ClientNews::CommandFailed { command: CommandKind::FlipCamera, why: Failure::Overconstrained },
        ClientNews::CommandFailed { command: CommandKind::Other, why: Failure::TooFast },
        ClientNews::CameraOpened(None),
        ClientNews::LoggedIn { name: "ana".to_owned(), push: Some(server_push()) },
        ClientNews::Renamed { wanted: text(), name: text() },
        ClientNews::Users(vec![text()]),
        ClientNews::Away(vec![text()]),
        ClientNews::Chat { from: None, text: text(), sent_ms: 0 },
        ClientNews::Refused(Failure::TooFast),
        ClientNews::Reconnecting,
        ClientNews::NoPathYet(NoPath::NoRelay),
        ClientNews::Missing { kind: MediaKind::Video, why: Some(MissingMedia::NoPackets) },
        ClientNews::Measured { call: None, lines: Vec::new() },
        ClientNews::Quality(CallQuality::default()),
        ClientNews::Dtmf(DtmfTone::new('#').unwrap()),
        ClientNews::Verification(Verification { words: None, result: CheckResult::Changed }),
        ClientNews::Remember(RememberedPerson { name: PEER.to_owned(), secrets: Vec::new() }),
        ClientNews::DeviceFailed { device: DeviceKind::Speaker, why: Failure::DeviceNotReadable },
    ] {
        actions.push(Box::new(move |world| world.client(news.clone())));
    }
    actions.push(Box::new(|world| world.rings("caio")));
    actions.push(Box::new(|world| world.ends(EndReason::ConnectionFailed)));
    actions.push(Box::new(|world| {
        // The client ends with its session.
        world.call = None;
        world.client(ClientNews::Closed(Some(Failure::ServerGone)));
        world.session = None;
    }));
    actions.push(Box::new(|world| world.answer(Permissions::default())));
    actions.push(Box::new(|world| {
        for banner in world.app.state().banners.clone() {
            let recovery = banner.recoveries.first().copied().unwrap_or(Recovery::Dismiss);
            world.user(UserAction::Recover { banner: banner.id, recovery });
        }
    }));
    actions
}

#[test]
fn whatever_happens_in_whatever_state_there_is_a_way_out() {
    for action in actions() {
        for (name, state) in STATES {
            let mut world = state();
            action(&mut world);
            let did = format!("{name}: {:?}", world.effects);
            let rest = std::panic::AssertUnwindSafe(move || world.comes_to_rest());
            assert!(std::panic::catch_unwind(rest).is_ok(), "{did}");
        }
    }
}
