//! What `ios/stubs` declares, read line by line: each declaration stands on one.

/// A declaration, what it is in, and what is said of its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Declaration {
    /// The line as it stands there, to be shown.
    pub(super) line: String,
    pub(super) what: What,
    pub(super) inside: Vec<Scope>,
    pub(super) note: Note,
}

/// A type that others are declared in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scope {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// Its name in Objective-C where Swift calls it otherwise.
    pub(super) renamed: Option<String>,
    /// What it inherits and conforms to.
    pub(super) parents: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Class,
    Protocol,
    Struct,
    Enum,
    Extension,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Type(Scope),
    /// A method, an initialiser (`init`) or a function.
    Function {
        name: String,
        parameters: Vec<Parameter>,
        result: String,
        of_class: bool,
        throws: bool,
        waits: bool,
    },
    Variable {
        name: String,
        kind: String,
        of_class: bool,
        settable: bool,
    },
    Case {
        name: String,
        value: Option<i128>,
    },
    Alias {
        name: String,
    },
    Subscript,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) label: Option<String>,
    pub(super) kind: String,
}

/// What a comment above a declaration says of its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Note {
    #[default]
    None,
    /// `// Objective-C: NAME`.
    Renamed(String),
    /// `// Swift's own`: it is in no header.
    Own,
}

const MODIFIERS: [&str; 11] = [
    "public",
    "open",
    "final",
    "static",
    "class",
    "weak",
    "nonisolated",
    "convenience",
    "required",
    "override",
    "mutating",
];

pub(super) fn read(stub: &str) -> Vec<Declaration> {
    let mut found = Vec::new();
    // With whether it is Swift's own, and so is all in it.
    let mut inside: Vec<(Scope, bool)> = Vec::new();
    let mut note = Note::None;
    for line in stub.lines() {
        let text = line.trim();
        if let Some(comment) = text.strip_prefix("//") {
            let comment = comment.trim();
            if let Some(name) = comment.strip_prefix("Objective-C: ") {
                note = Note::Renamed(name.to_owned());
            } else if comment == "Swift's own" {
                note = Note::Own;
            }
            continue;
        }
        if text == "}" {
            inside.pop();
            continue;
        }
        let said = std::mem::take(&mut note);
        let Some(what) = declaration(text) else {
            // An attribute on a line of its own is about what follows.
            if text.starts_with('@') {
                note = said;
            }
            continue;
        };
        let own = inside.last().is_some_and(|(_, own)| *own);
        let note = if own && said == Note::None { Note::Own } else { said };
        let opened = match &what {
            What::Type(scope) if text.ends_with('{') => {
                let renamed = if let Note::Renamed(name) = &note { Some(name.clone()) } else { None };
                Some((Scope { renamed, ..scope.clone() }, note == Note::Own))
            }
            _ => None,
        };
        let scopes = inside.iter().map(|(scope, _)| scope.clone()).collect();
        found.push(Declaration { line: text.to_owned(), what, inside: scopes, note });
        inside.extend(opened);
    }
    found
}

fn declaration(text: &str) -> Option<What> {
    let mut rest = text;
    let mut of_class = false;
    loop {
        if let Some(attribute) = rest.strip_prefix('@') {
            let end = attribute.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
            let after = &attribute[end..];
            rest = match after.strip_prefix('(') {
                Some(arguments) => arguments.split_once(')')?.1,
                None => after,
            }
            .trim_start();
            continue;
        }
        let (word, after) = split_word(rest);
        let is_type = word == "class" && !["func", "var"].contains(&split_word(after).0);
        if !MODIFIERS.contains(&word) || is_type {
            break;
        }
        of_class |= word == "static" || word == "class";
        rest = after;
    }
    let (word, after) = split_word(rest);
    match word {
        "class" => Some(What::Type(scope(Kind::Class, after))),
        "protocol" => Some(What::Type(scope(Kind::Protocol, after))),
        "struct" => Some(What::Type(scope(Kind::Struct, after))),
        "enum" => Some(What::Type(scope(Kind::Enum, after))),
        "extension" => Some(What::Type(scope(Kind::Extension, after))),
        "func" => function(after, of_class),
        "var" | "let" => Some(variable(after, of_class)),
        "case" => {
            let (name, value) =
                after.split_once('=').map_or((after, None), |(name, value)| (name, value.trim().parse().ok()));
            Some(What::Case { name: plain(name), value })
        }
        "typealias" => Some(What::Alias { name: plain(after.split('=').next()?) }),
        _ if word.starts_with("init") => function(rest, of_class),
        _ if word.starts_with("subscript") => Some(What::Subscript),
        _ => None,
    }
}

fn split_word(text: &str) -> (&str, &str) {
    text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

fn plain(name: &str) -> String {
    name.trim().trim_matches('`').to_owned()
}

fn scope(kind: Kind, text: &str) -> Scope {
    let head = text.split('{').next().unwrap_or_default();
    let head = head.split(" where ").next().unwrap_or_default();
    let (name, parents) = head.split_once(" : ").unwrap_or((head, ""));
    let name = plain(name.split('<').next().unwrap_or_default());
    let parents = parents.split(',').map(plain).filter(|name| !name.is_empty()).collect();
    Scope { kind, name, renamed: None, parents }
}

fn function(text: &str, of_class: bool) -> Option<What> {
    let open = text.find('(')?;
    let close = open + closing(&text[open..])?;
    let name = text[..open].split('<').next()?.trim_end_matches('?');
    let (head, result) = text[close + 1..].split_once("->").unwrap_or((&text[close + 1..], ""));
    let parameters = split_list(&text[open + 1..close]).into_iter().filter_map(parameter).collect();
    let has = |word| head.split_whitespace().any(|it| it == word);
    let result = result.split(" where ").next().unwrap_or_default().trim().to_owned();
    Some(What::Function { name: plain(name), parameters, result, of_class, throws: has("throws"), waits: has("async") })
}

fn parameter(text: &str) -> Option<Parameter> {
    let (names, kind) = text.split_once(':')?;
    let label = names.split_whitespace().next().filter(|label| *label != "_").map(plain);
    Some(Parameter { label, kind: kind.split(" = ").next()?.trim().to_owned() })
}

fn variable(text: &str, of_class: bool) -> What {
    let (name, rest) = text.split_once(':').unwrap_or((text, ""));
    let (kind, accessors) = rest.split_once(" {").unwrap_or((rest, "get"));
    What::Variable { name: plain(name), kind: kind.trim().to_owned(), of_class, settable: accessors.contains("set") }
}

/// Where the bracket that the text begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, letter)| {
        depth += nesting(letter);
        (depth == 0).then_some(at)
    })
}

fn nesting(letter: char) -> i32 {
    i32::from("([{".contains(letter)) - i32::from(")]}".contains(letter))
}

/// At the commas between parameters. A `>` closes a type's bracket where it is no arrow's.
fn split_list(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut before) = (0, 0, ' ');
    let mut parts = Vec::new();
    for (at, letter) in text.char_indices() {
        depth += nesting(letter) + i32::from(letter == '<') - i32::from(letter == '>' && before != '-');
        before = letter;
        if letter == ',' && depth == 0 {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> What {
        read(text).pop().unwrap().what
    }

    #[test]
    fn a_method_has_its_labels_and_what_it_throws_and_waits_for() {
        let text = "@discardableResult open class func ask(_ a: [Int : Any] = [:], for b: any B, c: @escaping (Int, D) -> Void) async throws -> E?";
        let What::Function { name, parameters, result, of_class, throws, waits } = only(text) else {
            panic!("no function")
        };
        let labels: Vec<_> = parameters.iter().map(|it| (it.label.as_deref(), it.kind.as_str())).collect();
        assert_eq!(labels, [(None, "[Int : Any]"), (Some("for"), "any B"), (Some("c"), "@escaping (Int, D) -> Void")]);
        assert_eq!((name.as_str(), result.as_str(), of_class, throws, waits), ("ask", "E?", true, true, true));
    }

    #[test]
    fn what_is_declared_in_a_type_knows_it_and_a_note_is_about_what_follows_it() {
        let text = "@MainActor open class A : B, C {\n  // Objective-C: other:\n  @available(iOS 17, *)\n  open func one(_ it: Int)\n  weak open var two: Int? { get set }\n  // Swift's own\n  public struct D : E {\n    public init?(raw: Int)\n  }\n}\npublic enum F : Int {\n  case `default` = -3\n}";
        let found = read(text);
        assert_eq!(found.len(), 7);
        assert_eq!(found[1].note, Note::Renamed("other:".to_owned()));
        assert_eq!(found[1].inside[0].parents, ["B", "C"]);
        assert!(matches!(&found[2].what, What::Variable { settable: true, .. }) && found[2].note == Note::None);
        assert_eq!(found[4].note, Note::Own, "with all that is in it");
        assert_eq!(found[6].what, What::Case { name: "default".to_owned(), value: Some(-3) });
        assert_eq!(found[6].inside.len(), 1);
    }
}
