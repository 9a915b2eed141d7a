//! An old server's ways, as the protocol's description tells them.

use serde_json::{Value, json};

/// Who is there.
#[derive(Default)]
pub(super) struct Old {
    people: Vec<Person>,
    last_id: u64,
}

struct Person {
    line: usize,
    id: u64,
    name: Option<String>,
}

/// Old servers count from the time of their start, in milliseconds since 1970.
const FIRST_ID: u64 = 1_500_000_000_000;

impl Old {
    /// Somebody connects; gives their `id` message.
    pub(super) fn enter(&mut self, line: usize) -> String {
        self.last_id = self.last_id.max(FIRST_ID) + 1;
        self.people.push(Person { line, id: self.last_id, name: None });
        json!({"type": "id", "id": self.last_id}).to_string()
    }

    /// Somebody is gone; gives the list for everyone, if they were here.
    pub(super) fn leave(&mut self, line: usize) -> Option<String> {
        let before = self.people.len();
        self.people.retain(|person| person.line != line);
        (self.people.len() < before).then(|| self.list())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Option<String>> {
        self.people.iter().map(|person| person.name.clone())
    }

    fn list(&self) -> String {
        json!({"type": "userlist", "users": self.names().collect::<Vec<_>>()}).to_string()
    }

    /// Somebody says something; gives what is sent, and on which lines.
    pub(super) fn hear(&mut self, line: usize, mut message: Value) -> Vec<(usize, String)> {
        match message["type"].as_str() {
            Some("username") => return self.username(line, &message),
            Some("message") => {
                // Whoever's number it is.
                let speaker = self.people.iter().find(|person| Some(person.id) == message["id"].as_u64());
                if let Some(name) = speaker.map(|person| person.name.clone()) {
                    message["name"] = json!(name);
                }
                if let Some(text) = message["text"].as_str() {
                    message["text"] = json!(without_complete_tags(text));
                }
            }
            _ => {}
        }
        let frame = message.to_string();
        match message["target"].as_str().filter(|target| !target.is_empty()) {
            Some(target) => {
                let person = self.people.iter().find(|person| person.name.as_deref() == Some(target));
                person.map(|person| (person.line, frame)).into_iter().collect()
            }
            None => self.to_everyone(&frame),
        }
    }

    fn username(&mut self, line: usize, message: &Value) -> Vec<(usize, String)> {
        let (Some(wanted), Some(id)) = (message["name"].as_str(), message["id"].as_u64()) else { return Vec::new() };
        let mut name = wanted.to_owned();
        let mut number = 1;
        while self.names().flatten().any(|taken| taken == name) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        let mut out = Vec::new();
        if name != wanted {
            out.push((line, json!({"type": "rejectusername", "id": id, "name": name}).to_string()));
        }
        if let Some(person) = self.people.iter_mut().find(|person| person.id == id) {
            person.name = Some(name);
        }
        out.extend(self.to_everyone(&self.list()));
        out
    }

    fn to_everyone(&self, frame: &str) -> Vec<(usize, String)> {
        self.people.iter().map(|person| (person.line, frame.to_owned())).collect()
    }
}

/// Takes away each `<…>` with something inside; an unclosed tag stays as it is.
fn without_complete_tags(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(open) = rest.find('<') {
        match rest[open + 1..].find('>') {
            Some(0) => {
                out.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
            Some(close) => {
                out.push_str(&rest[..open]);
                rest = &rest[open + 1 + close + 1..];
            }
            None => break,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(frame: &str) -> Value {
        serde_json::from_str(frame).unwrap()
    }

    /// Two people with names and one without, on lines 0 to 2.
    fn three() -> Old {
        let mut old = Old::default();
        for line in 0..3 {
            assert_eq!(value(&old.enter(line))["id"], FIRST_ID + 1 + line as u64);
        }
        old.hear(0, json!({"type": "username", "name": "ana", "id": FIRST_ID + 1}));
        old.hear(1, json!({"type": "username", "name": "bia", "id": FIRST_ID + 2}));
        old
    }

    #[test]
    fn who_has_no_name_is_null_in_the_list_and_gets_the_list_too() {
        let mut old = three();
        let list = json!({"type": "userlist", "users": ["ana", "bia", null]}).to_string();
        assert_eq!(old.list(), list);
        let out = old.hear(1, json!({"type": "username", "name": "bia", "id": FIRST_ID + 2}));
        assert_eq!(value(&out[0].1)["name"], "bia1", "even one's own name is taken");
        assert_eq!(out[1..].iter().map(|(line, _)| *line).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(old.leave(1).unwrap(), json!({"type": "userlist", "users": ["ana", null]}).to_string());
        assert_eq!(old.leave(1), None);
    }

    #[test]
    fn a_chat_line_gets_the_name_of_whose_number_it_claims_and_goes_to_everyone() {
        let mut old = three();
        let out =
            old.hear(2, json!({"type": "message", "text": "<b>a</b> <img <>x", "id": FIRST_ID + 1, "name": "eva"}));
        assert_eq!(out.len(), 3);
        assert_eq!((&value(&out[0].1)["name"], &value(&out[0].1)["text"]), (&json!("ana"), &json!("a x")));
        assert_eq!(without_complete_tags("<img onerror=x"), "<img onerror=x");
        assert_eq!(without_complete_tags("<>b"), "<>b");
    }

    #[test]
    fn what_has_a_target_goes_there_as_it_is_and_the_rest_to_everyone() {
        let mut old = three();
        for frame in [
            json!({"type": "new-ice-candidate", "target": "bia", "candidate": null}),
            json!({"type": "video-offer", "name": "eva", "target": "bia", "sdp": {"type": "offer", "sdp": ""}}),
            json!({"type": "wave", "target": "bia", "n": [1]}),
        ] {
            assert_eq!(old.hear(0, frame.clone()), [(1, frame.to_string())]);
        }
        assert!(old.hear(0, json!({"type": "hang-up", "target": "zé"})).is_empty());
        for target in [Value::Null, json!("")] {
            let out = old.hear(0, json!({"type": "hang-up", "name": "ana", "target": target}));
            assert_eq!(out.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [0, 1, 2]);
        }
    }
}
