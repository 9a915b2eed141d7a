//! Any order of actions: never two calls that ring, never a microphone that is open without a call, never a state without a way out.
//! What holds after each action is [`World`]'s to check.

use super::World;
use super::world::{GRANTED, PEER};
use crate::app::{
    AppConfig, AudioInterruption, CameraTrouble, ClientNews, Failure, Permissions, SystemAction, SystemCallNews,
    UserAction, Visibility,
};
use crate::call::{CallState, EndReason};
use crate::client::Verification;
use crate::security::{CheckResult, WORDS};
use crate::signaling::message::{CallId, PushedKind};
use proptest::prelude::*;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Step {
    User(UserAction),
    System(SystemAction),
    /// The system's calls tell something of the call that they have.
    SystemCall(SystemCallNews),
    /// A push, of the client's call if there is one, or of another.
    Push {
        ours: bool,
        kind: PushedKind,
    },
    /// A push that nobody understands.
    UnknownPush,
    /// One piece of news arrives.
    Deliver,
    DeliverAll,
    Answer {
        granted: bool,
    },
    Recover(usize, usize),
    PeerCalls(bool),
    Peer(CallState),
    PeerEnds(EndReason),
    SessionEnds,
    ServerLost,
    /// The check of the other end got so far.
    Checked(CheckResult),
    NextCommandFails,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    use Step as S;
    let bools = any::<bool>();
    let user = prop_oneof![
        Just(UserAction::SignIn { server: "wss://a".to_owned(), name: "ana".to_owned(), token: None }),
        Just(UserAction::StartDemo { name: "ana".to_owned() }),
        Just(UserAction::SignOut),
        bools.prop_map(|video| UserAction::Call { to: PEER.to_owned(), video }),
        bools.prop_map(|video| UserAction::Accept { video }),
        Just(UserAction::Decline),
        Just(UserAction::HangUp),
        bools.prop_map(UserAction::SetMicrophone),
        bools.prop_map(UserAction::SetCamera),
        bools.prop_map(UserAction::SetHold),
        bools.prop_map(|same| UserAction::ConfirmVerification { same }),
    ];
    let system = prop_oneof![
        Just(SystemAction::VisibilityChanged(Visibility::Foreground)),
        bools.prop_map(|camera_allowed| SystemAction::VisibilityChanged(Visibility::Background { camera_allowed })),
        Just(SystemAction::PermissionsChanged(Permissions::default())),
        Just(SystemAction::PermissionsChanged(GRANTED)),
        bools.prop_map(|available| SystemAction::CamerasChanged { available }),
        Just(SystemAction::AudioInterrupted(AudioInterruption::Began)),
        Just(SystemAction::AudioInterrupted(AudioInterruption::Ended)),
        Just(SystemAction::AudioInterrupted(AudioInterruption::Lost)),
        Just(SystemAction::CameraTrouble(Some(CameraTrouble::InUse))),
        Just(SystemAction::CallsReset),
    ];
    let system_call = prop_oneof![
        Just(SystemCallNews::Taken),
        Just(SystemCallNews::Refused),
        bools.prop_map(|video| SystemCallNews::Answered { video }),
        Just(SystemCallNews::Ended),
        bools.prop_map(SystemCallNews::Muted),
        bools.prop_map(SystemCallNews::Held),
    ];
    let reason = prop_oneof![
        Just(EndReason::HungUpRemotely),
        Just(EndReason::Timeout),
        Just(EndReason::CancelledRemotely),
        Just(EndReason::AnsweredElsewhere),
    ];
    let kind = prop_oneof![3 => Just(PushedKind::Ring), 2 => Just(PushedKind::Cancel)];
    let state = prop_oneof![
        Just(CallState::RingingRemotely),
        Just(CallState::RingingByPush),
        Just(CallState::Connecting),
        Just(CallState::Connected),
        Just(CallState::Reconnecting),
    ];
    let result = prop_oneof![
        Just(CheckResult::Checking),
        Just(CheckResult::Compare),
        Just(CheckResult::Changed),
        Just(CheckResult::Differs),
    ];
    prop_oneof![
        1 => result.prop_map(S::Checked),
        6 => user.prop_map(S::User),
        2 => system.prop_map(S::System),
        2 => system_call.prop_map(S::SystemCall),
        2 => (any::<bool>(), kind).prop_map(|(ours, kind)| S::Push { ours, kind }),
        1 => Just(S::UnknownPush),
        6 => Just(S::Deliver),
        3 => Just(S::DeliverAll),
        2 => bools.prop_map(|granted| S::Answer { granted }),
        1 => (0..3usize, 0..3usize).prop_map(|(banner, recovery)| S::Recover(banner, recovery)),
        3 => bools.prop_map(S::PeerCalls),
        4 => state.prop_map(S::Peer),
        1 => reason.prop_map(S::PeerEnds),
        1 => Just(S::SessionEnds),
        1 => Just(S::ServerLost),
        1 => Just(S::NextCommandFails),
        1 => (1..30u64).prop_map(S::Wait),
    ]
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::User(action) => world.user(action),
        Step::System(action) => world.system(action),
        Step::SystemCall(news) => {
            let call = world.reported.unwrap_or_else(CallId::random);
            world.system(SystemAction::Call { call, news });
        }
        Step::Push { ours, kind } => {
            let id = world.call.as_ref().filter(|_| ours).map_or_else(CallId::random, |call| call.id);
            world.pushed(kind, id);
        }
        Step::UnknownPush => world.system(SystemAction::PushReceived(None)),
        Step::Deliver => drop(world.deliver_one()),
        Step::DeliverAll => world.deliver(),
        Step::Answer { granted } => world.answer(if granted { GRANTED } else { Permissions::default() }),
        Step::Recover(banner, recovery) => {
            let banner = world.app.state().banners.get(banner).cloned();
            if let Some((banner, recovery)) = banner.and_then(|b| Some((b.id, *b.recoveries.get(recovery)?))) {
                world.user(UserAction::Recover { banner, recovery });
            }
        }
        Step::PeerCalls(known) => world.rings(if known { PEER } else { "caio" }),
        Step::Peer(state) => {
            let placed = world.call.as_ref().is_some_and(|call| call.state != CallState::RingingLocally);
            if placed {
                world.peer(state);
            }
        }
        Step::PeerEnds(reason) => world.ends(reason),
        Step::SessionEnds => {
            // What was never there cannot end.
            let is_there = world.app.state().me.is_some();
            if let Some(session) = world.session.take_if(|_| is_there) {
                world.call = None;
                world.news.push_back((session, ClientNews::Closed(Some(Failure::ServerGone))));
            }
        }
        Step::ServerLost => world.client(ClientNews::Reconnecting),
        Step::Checked(result) => {
            let words = (result != CheckResult::Checking).then(|| [WORDS[0], WORDS[1], WORDS[2], WORDS[3]]);
            world.client(ClientNews::Verification(Verification { words, result }));
        }
        Step::NextCommandFails => world.fails = Some(Failure::DeviceNotReadable),
        Step::Wait(seconds) => world.wait(Duration::from_secs(seconds)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_actions_leaves_one_call_at_most_and_a_way_out(
        config in (any::<bool>(), any::<bool>()),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (system_rings, reports_every_push) = config;
        let mut world = World::new(AppConfig { system_rings, reports_every_push, demo: true });
        world.sign_in();
        world.deliver();
        for step in steps {
            take(&mut world, step);
        }
        world.comes_to_rest();
    }
}
