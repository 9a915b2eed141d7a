//! The keys of a phone.

use crate::app::tests::World;
use crate::app::tests::world::PEER;
use crate::app::{ClientCommand, ClientNews, KeypadView, UserAction};
use crate::call::CallState;
use crate::media::dtmf::DtmfTone;

fn keypad(world: &World) -> KeypadView {
    world.app.state().call.as_ref().and_then(|call| call.keypad.clone()).unwrap()
}

#[test]
fn keys_are_sent_in_a_connected_call_alone_and_shown() {
    let mut calling = World::online();
    calling.user(UserAction::Call { to: PEER.to_owned(), video: true });
    calling.user(UserAction::PressKey('1'));
    assert_eq!((calling.commands().len(), &calling.app.state().call.as_ref().unwrap().keypad), (0, &None));

    let mut world = World::connected();
    let call = world.call.as_ref().unwrap().id;
    world.user(UserAction::ShowKeypad(true));
    for key in "1#x".chars() {
        world.user(UserAction::PressKey(key));
    }
    assert!(world.commands().is_empty(), "x is none");
    world.user(UserAction::PressKey('*'));
    let tone = DtmfTone::new('*').unwrap();
    assert_eq!(world.commands(), [&ClientCommand::SendDtmf { call, tone }]);
    world.client(ClientNews::Dtmf(tone));
    let seen = KeypadView { open: true, sent: "1#*".to_owned(), received: "*".to_owned() };
    assert_eq!(keypad(&world), seen);

    world.peer(CallState::Reconnecting);
    world.deliver();
    world.user(UserAction::PressKey('2'));
    assert_eq!((world.commands().len(), keypad(&world)), (0, seen), "nobody would hear it");
}

#[test]
fn of_many_keys_the_newest_are_shown() {
    let mut world = World::connected();
    for _ in 0..1_000 {
        world.user(UserAction::PressKey('1'));
        world.client(ClientNews::Dtmf(DtmfTone::new('2').unwrap()));
    }
    world.user(UserAction::PressKey('3'));
    let KeypadView { sent, received, .. } = keypad(&world);
    assert_eq!((sent.as_str(), received), (&*("1".repeat(31) + "3"), "2".repeat(32)));
}
