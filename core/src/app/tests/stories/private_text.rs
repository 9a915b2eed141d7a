//! Private text in a call.

use crate::app::tests::World;
use crate::app::tests::world::PEER;
use crate::app::{CHAT_LIMIT, ClientCommand, ClientNews, PrivateTextView, TextDelivery, UserAction};
use crate::call::CallState;
use crate::text::{MAX_WAITING, TextEvent, TextId};

fn view(world: &World) -> Option<PrivateTextView> {
    world.app.state().call.as_ref()?.private_text.clone()
}

fn write(world: &mut World, text: &str) -> Option<u64> {
    world.user(UserAction::SendPrivateText(text.to_owned()));
    match world.commands()[..] {
        [ClientCommand::SendText { line, .. }] => Some(*line),
        [] => None,
        ref others => panic!("{others:?}"),
    }
}

fn deliveries(world: &World) -> Vec<Option<TextDelivery>> {
    world.app.private_text().iter().map(|line| line.delivery).collect()
}

fn talking() -> World {
    let mut world = World::connected();
    world.client(ClientNews::Text(TextEvent::Available));
    world
}

#[test]
fn it_is_offered_once_the_other_side_is_known_to_take_it() {
    let mut world = World::connected();
    assert_eq!(view(&world), None);
    world.user(UserAction::ShowPrivateText(true));
    assert_eq!(write(&mut world, "oi"), None);
    world.client(ClientNews::Text(TextEvent::Available));
    let offered = view(&world).unwrap();
    assert_eq!((offered.open, offered.unread, offered.title.arguments[0].1.as_str()), (false, 0, PEER));
}

#[test]
fn what_is_written_is_sent_and_marked_in_whatever_order_the_client_tells() {
    let mut world = talking();
    let (one, two, three) =
        (write(&mut world, " one \n").unwrap(), write(&mut world, "two").unwrap(), write(&mut world, "three").unwrap());
    assert_eq!(write(&mut world, "  "), None);
    assert_eq!(deliveries(&world), [Some(TextDelivery::Sending); 3]);
    assert_eq!(world.app.private_text()[0].text, "one");
    let [first, second] = [TextId::random(), TextId::random()];
    world.client(ClientNews::TextTaken { line: one, text: Some(first) });
    world.client(ClientNews::Text(TextEvent::Delivered { id: first }));
    // The mark was faster.
    world.client(ClientNews::Text(TextEvent::Delivered { id: second }));
    world.client(ClientNews::TextTaken { line: two, text: Some(second) });
    world.client(ClientNews::TextTaken { line: three, text: None });
    use TextDelivery::{Delivered, Refused};
    assert_eq!(deliveries(&world), [Some(Delivered), Some(Delivered), Some(Refused)]);
}

#[test]
fn what_comes_is_counted_until_it_is_looked_at() {
    let mut world = talking();
    let received = |text: &str| ClientNews::Text(TextEvent::Received { id: TextId::random(), text: text.to_owned() });
    world.client(ClientNews::Text(TextEvent::Typing(true)));
    assert!(view(&world).unwrap().typing.is_some());
    world.client(received("<b>oi</b>"));
    let seen = view(&world).unwrap();
    assert_eq!((seen.unread, seen.typing), (1, None));
    world.user(UserAction::ShowPrivateText(true));
    world.client(received("again"));
    assert_eq!((view(&world).unwrap().unread, world.app.private_text().len()), (0, 2));
    world.client(ClientNews::Text(TextEvent::Typing(true)));
    world.peer(CallState::Reconnecting);
    world.deliver();
    assert_eq!(view(&world).unwrap().typing, None, "nobody knows");
}

#[test]
fn typing_is_told_and_taken_back_when_the_text_is_closed() {
    let mut world = talking();
    world.user(UserAction::ShowPrivateText(true));
    let call = world.call.as_ref().unwrap().id;
    world.user(UserAction::SetTyping(true));
    assert_eq!(world.commands(), [&ClientCommand::SetTyping { call, on: true }]);
    world.user(UserAction::ShowPrivateText(false));
    assert_eq!(world.commands(), [&ClientCommand::SetTyping { call, on: false }]);
    world.user(UserAction::ShowPrivateText(false));
    assert!(world.commands().is_empty(), "once");
}

#[test]
fn a_million_lines_are_not_kept_and_too_many_at_once_are_not_sent() {
    let mut world = talking();
    for _ in 0..2 * CHAT_LIMIT {
        world.client(ClientNews::Text(TextEvent::Received { id: TextId::random(), text: "x".to_owned() }));
        world.client(ClientNews::Text(TextEvent::Delivered { id: TextId::random() }));
    }
    assert_eq!(world.app.private_text().len(), CHAT_LIMIT);
    let sent = (0..MAX_WAITING + 3).filter(|_| write(&mut world, "y").is_some()).count();
    assert_eq!((sent, deliveries(&world).last().unwrap()), (MAX_WAITING, &Some(TextDelivery::Refused)));
}

#[test]
fn nothing_of_it_is_left_when_the_call_is_over() {
    let mut world = talking();
    write(&mut world, "oi");
    world.user(UserAction::HangUp);
    world.deliver();
    assert!(world.app.private_text().is_empty() && world.app.state().call.is_none());
}
