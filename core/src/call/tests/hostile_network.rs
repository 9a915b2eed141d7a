//! Three people with random wishes over a network that loses, doubles, delays and reorders what they say, and cuts media and
//! server off. Once it heals and the timers have run, nobody disagrees and nothing is left over.

use super::sim::{Network, World, cases};
use crate::call::{CallState, Command};
use crate::facing::FacingMode;
use crate::signaling::message::MediaState;
use proptest::prelude::*;

const NAMES: [&str; 3] = ["ana", "rui", "eva"];

/// What one of them does.
#[derive(Debug, Clone)]
enum Wish {
    Call(usize),
    Accept,
    Decline,
    HangUp,
    Camera(bool),
    Screen(bool),
    Facing(bool),
    LoseServer,
    FindServer,
    ComeBackAsSomebodyElse,
    Media(bool),
    UserList,
    LosePeer,
    NewNetwork,
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        6 => (0_usize..3).prop_map(Wish::Call),
        6 => Just(Wish::Accept),
        1 => Just(Wish::Decline),
        2 => Just(Wish::HangUp),
        1 => any::<bool>().prop_map(Wish::Camera),
        1 => any::<bool>().prop_map(Wish::Screen),
        1 => any::<bool>().prop_map(Wish::Facing),
        1 => Just(Wish::LoseServer),
        2 => Just(Wish::FindServer),
        1 => Just(Wish::ComeBackAsSomebodyElse),
        1 => any::<bool>().prop_map(Wish::Media),
        1 => Just(Wish::UserList),
        1 => Just(Wish::LosePeer),
        1 => Just(Wish::NewNetwork),
    ]
}

fn network() -> impl Strategy<Value = Network> {
    (0_u64..30, 0_u64..30, 0_u64..8, 1_u64..2_000, any::<bool>(), any::<bool>()).prop_map(
        |(lost, twice, failing, delay, in_order, calm)| {
            let (lost, failing) = if calm { (0, 0) } else { (lost, failing) };
            Network { lost, twice, failing, delay, wire: 0, in_order, media: true }
        },
    )
}

/// The third person wishes less often.
fn who() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0_usize), 4 => Just(1_usize), 1 => Just(2_usize)]
}

fn fulfil(world: &mut World, who: usize, wish: &Wish) {
    let media = MediaState::default();
    let command = match *wish {
        Wish::Call(whom) => Command::Call { to: world.phones[whom].name.clone(), media },
        Wish::Accept => Command::Accept { media },
        Wish::Decline => Command::Decline,
        Wish::HangUp => Command::HangUp,
        Wish::Camera(on) => Command::SetCamera(on),
        Wish::Screen(on) => Command::SetScreen(on),
        Wish::Facing(user) => Command::SetFacing(if user { FacingMode::User } else { FacingMode::Environment }),
        Wish::LoseServer => return world.go_offline(who),
        Wish::FindServer => {
            let name = world.phones[who].name.clone();
            return world.come_back(who, &name);
        }
        Wish::ComeBackAsSomebodyElse => {
            let name = format!("{}{}", NAMES[who], world.below(1_000));
            return world.come_back(who, &name);
        }
        Wish::Media(up) => {
            world.net.media = up;
            return;
        }
        Wish::UserList => return world.tell_users(),
        Wish::LosePeer => return world.kill_peer(who),
        Wish::NewNetwork => return world.network_changes(who),
    };
    // A wish that is refused at this moment is refused, and that is all.
    let _ = world.command(who, command);
}

fn check(world: &World) {
    for phone in &world.phones {
        let now = phone.snapshot();
        let in_call = now.state != CallState::Idle;
        assert!(
            matches!(now.state, CallState::Idle | CallState::Connected),
            "{} is still {:?} after everything healed",
            phone.name,
            now
        );
        assert_eq!(phone.begun, phone.ends().len() + usize::from(in_call), "{}: one end for each call", phone.name);
        assert_eq!(phone.open_peers().count(), usize::from(in_call), "{}: peer connections", phone.name);
        assert_eq!(phone.engine.poll_timeout(), None, "{}: timers", phone.name);
        assert!(phone.engine.history.len() <= 200, "{}: memory", phone.name);
        if in_call {
            let others: Vec<_> = world
                .phones
                .iter()
                .filter(|p| p.name != phone.name && p.engine.call_in_messages() == phone.engine.call_in_messages())
                .collect();
            assert_eq!(others.len(), 1, "{} is in a call with one other", phone.name);
            let peer = phone.open_peers().next().unwrap();
            assert!(others[0].open_peers().all(|other| peer.meets(other)), "{}: the right connection", phone.name);
        }
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn nobody_disagrees_for_ever(
        seed in any::<u64>(),
        network in network(),
        wishes in prop::collection::vec((0_u64..4_000, who(), wish()), 1..40),
    ) {
        let mut world = World::of(&NAMES);
        world.seed(seed);
        world.net = network;
        for (pause, who, wish) in &wishes {
            world.run(*pause);
            fulfil(&mut world, *who, wish);
        }
        world.net = Network::GOOD;
        for who in 0..NAMES.len() {
            let name = world.phones[who].name.clone();
            world.come_back(who, &name);
        }
        world.run(200_000);
        check(&world);
    }
}
