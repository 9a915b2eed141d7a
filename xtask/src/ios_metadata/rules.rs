//! Where a declaration in Swift is in Objective-C's headers: by the rules by which Swift's compiler names what it imports, as far as the
//! declarations need them. What has another name there says so.

use super::apple::{Class, Frameworks, Members};
use super::declared::{Declaration, Kind, Note, Parameter, Scope, What};

/// What is not as the headers have it, and how much is.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) same: usize,
    pub(super) own: usize,
    pub(super) faults: Vec<String>,
}

pub(super) fn compare(kit: &Frameworks, declarations: &[Declaration]) -> Compared {
    let mut compared = Compared::default();
    for declaration in declarations {
        let fault = match (&declaration.note, find(kit, declaration)) {
            (Note::Own, Err(_)) => {
                compared.own += 1;
                continue;
            }
            (Note::Own, Ok(())) if declaration.inside.iter().all(|it| it.kind == Kind::Extension) => {
                "is in the headers, not Swift's own".to_owned()
            }
            (_, Err(fault)) => fault,
            (_, Ok(())) => {
                compared.same += 1;
                continue;
            }
        };
        let inside: String = declaration.inside.iter().map(|it| format!("{}.", it.name)).collect();
        compared.faults.push(format!("{inside} {}: {fault}", declaration.line));
    }
    compared
}

fn find(kit: &Frameworks, declaration: &Declaration) -> Result<(), String> {
    let Some(container) = declaration.inside.last() else { return find_global(kit, declaration) };
    if let What::Type(scope) = &declaration.what {
        return find_type(kit, &declaration.inside, scope, &declaration.note);
    }
    if is_of_raw_value(&declaration.what) || is_code_of_error(container, &declaration.what) {
        return Ok(());
    }
    if container.name == "Notification.Name" {
        let What::Variable { name, .. } = &declaration.what else { return Err("not a name".to_owned()) };
        return constant(kit, &[name, &format!("{name}Notification")], None);
    }
    let owner = type_name(kit, &declaration.inside);
    if let Note::Renamed(name) = &declaration.note
        && !owner.as_ref().is_some_and(|owner| kit.classes.contains_key(owner) && container.kind != Kind::Struct)
    {
        // Of what is no class: constants and functions.
        return constant(kit, &[name], if let What::Case { value, .. } = &declaration.what { *value } else { None });
    }
    let owner = owner.ok_or("its type is not there")?;
    let classes = kit.with_ancestors(&owner);
    match &declaration.what {
        What::Case { name, value } => constants_of(kit, &owner, name, *value),
        What::Variable { name, of_class: true, .. } if container.kind == Kind::Struct => {
            constants_of(kit, &owner, name, None)
        }
        What::Variable { name, .. } if container.kind == Kind::Struct => {
            let there = classes.iter().any(|it| it.fields.contains(name));
            there.then_some(()).ok_or_else(|| format!("no field of {owner}"))
        }
        What::Variable { name, kind, of_class, settable } => {
            let property = property(&classes, name, kind, *of_class, *settable);
            if *of_class { property.or_else(|_| constants_of(kit, &owner, name, None)) } else { property }
        }
        What::Function { .. } => method(&classes, &owner, declaration),
        What::Alias { name } => constant(kit, &[name], None),
        What::Type(_) | What::Subscript => Err("not in a header".to_owned()),
    }
}

fn find_global(kit: &Frameworks, declaration: &Declaration) -> Result<(), String> {
    match (&declaration.what, &declaration.note) {
        (What::Type(scope), note) => find_type(kit, &[], scope, note),
        (_, Note::Renamed(name)) => constant(kit, &[name], None),
        (What::Function { name, .. } | What::Variable { name, .. } | What::Alias { name }, _) => {
            constant(kit, &[name, &format!("{name}Ref")], None)
        }
        (What::Case { .. } | What::Subscript, _) => Err("outside of a type".to_owned()),
    }
}

fn find_type(kit: &Frameworks, inside: &[Scope], scope: &Scope, note: &Note) -> Result<(), String> {
    let renamed = if let Note::Renamed(name) = note { Some(name.clone()) } else { None };
    let path: Vec<_> = inside.iter().cloned().chain([Scope { renamed, ..scope.clone() }]).collect();
    if scope.name == "Notification.Name" {
        return Ok(());
    }
    let name = type_name(kit, &path).ok_or("no such type")?;
    let above = scope.parents.first().filter(|_| scope.kind == Kind::Class);
    let Some(above) = above.filter(|it| *it != "NSObject") else { return Ok(()) };
    let class = kit.classes.get(&name).ok_or("no such class")?;
    let found = kit.with_ancestors(&name).len() > 1 && class.parents.iter().any(|it| it == above);
    found.then_some(()).ok_or_else(|| format!("inherits {}", class.parents.join(", ")))
}

/// The name in the headers of the innermost of types.
fn type_name(kit: &Frameworks, path: &[Scope]) -> Option<String> {
    let is_there = |name: &String| kit.classes.contains_key(name) || kit.globals.contains_key(name);
    let mut outer: Option<(String, &Scope)> = None;
    for (depth, scope) in path.iter().enumerate() {
        let candidates = match (&scope.renamed, &outer) {
            (Some(name), _) => vec![name.clone()],
            // The codes of an error are the headers' error.
            (None, Some((name, around))) if is_error(around) => vec![name.clone()],
            (None, Some((name, _))) => joined(name, &scope.name),
            (None, None) if depth > 0 => Vec::new(),
            (None, None) if scope.kind == Kind::Protocol => vec![format!("{}Protocol", scope.name)],
            (None, None) => vec![scope.name.clone(), format!("NS{}", scope.name), format!("{}Ref", scope.name)],
        };
        outer = candidates.into_iter().find(is_there).map(|name| (name, scope));
    }
    outer.map(|(name, _)| name)
}

/// One behind the other, and with a word that both have there once.
fn joined(outer: &str, inner: &str) -> Vec<String> {
    let shared =
        (1..inner.len()).filter(|length| inner.is_char_boundary(*length) && outer.ends_with(&inner[..*length]));
    std::iter::once(0).chain(shared).map(|length| format!("{outer}{}", &inner[length..])).collect()
}

fn is_error(scope: &Scope) -> bool {
    scope.kind == Kind::Struct && scope.parents.iter().any(|it| it == "Error")
}

fn is_code_of_error(container: &Scope, what: &What) -> bool {
    is_error(container) && matches!(what, What::Variable { name, .. } if name == "code")
}

/// What Swift gives each type that stands for another value.
fn is_of_raw_value(what: &What) -> bool {
    match what {
        What::Variable { name, .. } => name == "rawValue",
        What::Function { name, parameters, .. } => {
            name == "init" && parameters.len() == 1 && parameters[0].label.as_deref() == Some("rawValue")
        }
        _ => false,
    }
}

fn constants_of(kit: &Frameworks, owner: &str, name: &str, value: Option<i128>) -> Result<(), String> {
    let single = owner.strip_suffix('s').unwrap_or(owner);
    constant(kit, &[&format!("{owner}{name}"), &format!("{single}{name}"), &format!("k{owner}_{name}")], value)
}

fn constant(kit: &Frameworks, names: &[&str], value: Option<i128>) -> Result<(), String> {
    let named = |it: &str| names.iter().any(|name| name.eq_ignore_ascii_case(it));
    let (name, there) =
        kit.globals.iter().find(|(it, _)| named(it)).ok_or_else(|| format!("there is no {}", names.join(" nor ")))?;
    match (value, there) {
        (Some(said), Some(there)) if said != *there => Err(format!("{name} is {there}")),
        _ => Ok(()),
    }
}

fn members<'a>(classes: &'a [&'a Class], of_class: bool) -> impl Iterator<Item = &'a Members> {
    classes.iter().copied().map(move |class| if of_class { &class.of_class } else { &class.of_instances })
}

fn property(classes: &[&Class], name: &str, kind: &str, of_class: bool, settable: bool) -> Result<(), String> {
    let reads = |selector: &&String| is_piece(selector, name, kind);
    let selector =
        members(classes, of_class).find_map(|it| it.properties.iter().find(reads)).ok_or("no such property")?;
    if !settable {
        return Ok(());
    }
    let bare = selector.strip_prefix("is").unwrap_or(selector);
    let sets = [format!("set{selector}:"), format!("set{bare}:")];
    let has_setter =
        |it: &Members| it.methods.iter().any(|method| sets.iter().any(|set| set.eq_ignore_ascii_case(method)));
    members(classes, of_class).any(has_setter).then_some(()).ok_or_else(|| "cannot be set".to_owned())
}

fn method(classes: &[&Class], owner: &str, declaration: &Declaration) -> Result<(), String> {
    let What::Function { name, parameters, result, of_class, throws, waits } = &declaration.what else { return Ok(()) };
    let is_init = name == "init";
    if is_init && parameters.is_empty() {
        let refused = classes.first().is_some_and(|it| it.of_instances.unavailable.contains("init"));
        return if refused { Err("is refused".to_owned()) } else { Ok(()) };
    }
    let extra = usize::from(*throws || *waits);
    let result = if result.is_empty() || result == "Self" { owner } else { result.as_str() };
    let fits = |selector: &str, of_class: bool| match &declaration.note {
        Note::Renamed(name) => name == selector,
        _ => {
            let Some(pieces) = without_extra(selector, parameters.len(), extra) else { return false };
            let first = parameters.first();
            let said = first.and_then(|it| it.label.as_deref()).unwrap_or_default();
            let kind = first.map_or(result, |it| it.kind.as_str());
            let begins = if !is_init {
                is_piece(&pieces[0], &format!("{name}{said}"), kind)
            } else if of_class {
                // A factory of the class.
                let end = pieces[0].len().checked_sub(said.len() + "With".len());
                end.and_then(|end| pieces[0].get(end..))
                    .is_some_and(|it| it.eq_ignore_ascii_case(&format!("With{said}")))
            } else {
                is_piece(&pieces[0], &format!("initWith{said}"), kind)
                    || is_piece(&pieces[0], &format!("init{said}"), kind)
            };
            begins && pieces.iter().zip(parameters).skip(1).all(|(piece, parameter)| is_parameter(piece, parameter))
        }
    };
    let has = |of_class: bool| {
        let mut sides = members(classes, of_class);
        sides.any(|it| it.methods.iter().any(|selector| fits(selector, of_class) && !it.properties.contains(selector)))
    };
    let there = if is_init { has(false) || has(true) } else { has(*of_class) };
    there.then_some(()).ok_or_else(|| format!("no such method of {owner}"))
}

/// A selector's pieces, one for each parameter, or one for none: errors are thrown and what completes is waited for.
fn without_extra(selector: &str, parameters: usize, extra: usize) -> Option<Vec<String>> {
    let mut pieces: Vec<String> = selector.split(':').map(str::to_owned).collect();
    if selector.ends_with(':') {
        pieces.pop();
    }
    let takes = selector.matches(':').count();
    if takes != parameters + extra {
        return None;
    }
    for _ in 0..extra {
        let piece = pieces.pop()?;
        if !pieces.is_empty() && ["error", "handler", "completionHandler"].contains(&piece.as_str()) {
            continue;
        }
        // The first piece carries both.
        pieces.push(piece.strip_suffix("AndReturnError").unwrap_or(&piece).to_owned());
        return (pieces.len() == 1 && parameters == 0).then_some(pieces);
    }
    Some(pieces)
}

fn is_parameter(piece: &str, parameter: &Parameter) -> bool {
    let Some(label) = &parameter.label else { return piece.is_empty() };
    is_piece(piece, label, &parameter.kind) || is_piece(piece, &format!("with{label}"), &parameter.kind)
}

/// Whether a piece of a selector is what Swift says, or that with the end of the type's name behind, which Swift leaves out.
fn is_piece(piece: &str, said: &str, kind: &str) -> bool {
    let Some((start, rest)) = piece.split_at_checked(said.len()) else { return false };
    start.eq_ignore_ascii_case(said) && (rest.is_empty() || bare(kind).to_lowercase().ends_with(&rest.to_lowercase()))
}

/// A type's own name, without what is around it.
fn bare(kind: &str) -> &str {
    let kind = kind.trim_start_matches("@escaping ").trim_start_matches(['[', '(']).trim_start_matches("any ");
    let kind = kind.split(['<', '?', '!', ')', ']', ' ']).next().unwrap_or_default();
    kind.rsplit('.').next().unwrap_or(kind)
}

#[cfg(test)]
mod tests {
    use super::super::apple::PRINTED;
    use super::super::declared::read;
    use super::*;

    fn faults(stub: &str) -> Vec<String> {
        let mut kit = Frameworks::default();
        kit.read(PRINTED);
        compare(&kit, &read(stub)).faults
    }

    const RIGHT: &str = "
open class KTDevice : KTThing {
  public init(name: String)
  open class var current: KTDevice { get }
  open func reportCall(with UUID: UUID, endedAt dateEnded: Date?)
  open func setActive(_ active: Bool, options: Options = []) throws
  open func open(_ url: URL)
  open var isRunning: Bool { get }
  open var heat: KTHeat { get set }
}
public protocol KTOpening : NSObjectProtocol {
  // Objective-C: openURL:
  func unlock(_ address: String)
}
public struct KTBuffer {
  public var mData: UInt32
  // Swift's own
  public init(_ data: UInt32)
}
public enum KTHeat : Int {
  case critical = 3
}
public enum KTReason : Int {
  case failed = -2
}
// Swift's own
public func lock()
// Objective-C: KTBufferMake
public func buffer(of value: Int)
";

    #[test]
    fn what_is_in_the_headers_is_found_there() {
        assert_eq!(faults(RIGHT), Vec::<String>::new());
    }

    #[test]
    fn each_thing_that_is_not_there_is_told() {
        for (right, wrong) in [
            ("class KTDevice : KTThing", "class KTDevice : KTOther"),
            ("init(name: String)", "init(title: String)"),
            ("class var current", "class var newest"),
            ("class var current", "var current"),
            ("endedAt dateEnded", "endedWhen dateEnded"),
            ("endedAt dateEnded: Date?", "endedAt dateEnded: Int"),
            (" throws", ""),
            ("isRunning: Bool { get }", "isRunning: Bool { get set }"),
            ("var isRunning: Bool { get }", "func isRunning() -> Bool"),
            ("func open(_ url: URL)", "var openURL: URL { get }"),
            ("Objective-C: openURL:", "Objective-C: closeURL:"),
            ("var mData", "var mCount"),
            ("critical = 3", "critical = 4"),
            ("failed = -2", "gone = -2"),
            ("enum KTReason", "enum KTCause"),
            ("func lock()", "func KTBufferMake()"),
            ("Objective-C: KTBufferMake", "Objective-C: KTBufferCreate"),
            ("  open var heat", "  public init()\n  open var heat"),
        ] {
            assert!(RIGHT.contains(right), "{right}");
            assert!(!faults(&RIGHT.replacen(right, wrong, 1)).is_empty(), "{wrong} is not seen");
        }
    }
}
