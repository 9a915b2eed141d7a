//! What Apple's frameworks have, read from what Kotlin/Native's tool prints of its metadata of them.

use std::collections::{HashMap, HashSet};

/// Of several frameworks together: their names are unique.
#[derive(Default)]
pub(super) struct Frameworks {
    /// Classes by their names, and protocols by theirs with `Protocol` behind.
    pub(super) classes: HashMap<String, Class>,
    /// Constants, functions and names of types, with the values of those whose value is known.
    pub(super) globals: HashMap<String, Option<i128>>,
}

/// Selectors, those of instances and those of the class itself, and the names of a C structure's fields.
#[derive(Default)]
pub(super) struct Class {
    pub(super) parents: Vec<String>,
    pub(super) of_instances: Members,
    pub(super) of_class: Members,
    pub(super) fields: HashSet<String>,
}

#[derive(Default)]
pub(super) struct Members {
    pub(super) methods: HashSet<String>,
    /// Those of the methods that read a property.
    pub(super) properties: HashSet<String>,
    /// Methods that are there to be refused.
    pub(super) unavailable: HashSet<String>,
}

impl Frameworks {
    /// Adds what was printed of one framework.
    pub(super) fn read(&mut self, printed: &str) {
        let mut reader =
            Reader { frameworks: self, inside: None, receiver: None, selector: None, refused: false, value: None };
        printed.lines().for_each(|line| reader.line(line));
    }

    /// The class and all that it inherits, categories with it.
    pub(super) fn with_ancestors(&self, name: &str) -> Vec<&Class> {
        let mut names = vec![name];
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        while let Some(name) = names.pop() {
            let Some(class) = self.classes.get(name).filter(|_| seen.insert(name)) else { continue };
            names.extend(class.parents.iter().map(String::as_str));
            found.push(class);
        }
        found
    }
}

/// Annotations stand before what they are about, members further in than what they belong to.
struct Reader<'a> {
    frameworks: &'a mut Frameworks,
    /// The class whose braces are open, and whether its own members are listed.
    inside: Option<Owner>,
    /// Whose property the accessors that follow are.
    receiver: Option<Owner>,
    selector: Option<String>,
    refused: bool,
    value: Option<i128>,
}

#[derive(Clone)]
struct Owner {
    class: String,
    itself: bool,
}

impl Owner {
    fn of(name: &str) -> Self {
        match name.strip_suffix("Meta") {
            Some(class) => Self { class: class.to_owned(), itself: true },
            None => Self { class: name.to_owned(), itself: false },
        }
    }
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if text.starts_with('@') {
            self.annotation(text);
        } else if depth == 4 && text == "}" {
            self.inside = None;
        } else if depth == 4 && (text.contains(" class platform/") || text.contains(" interface platform/")) {
            self.class(text);
        } else if text.starts_with("public") || text.starts_with("protected") {
            self.member(text, depth);
        } else if let Some(name) = text.strip_suffix(',').filter(|name| name.chars().all(is_of_name)) {
            let value = self.value.take();
            self.frameworks.globals.insert(name.to_owned(), value);
        }
    }

    fn annotation(&mut self, text: &str) {
        let quoted = |key: &str| {
            let (_, rest) = text.split_once(key)?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        if let Some(selector) = quoted("ObjCMethod(selector = \"").or_else(|| quoted("initSelector = \"")) {
            self.selector = Some(selector);
        }
        self.refused |= text.contains("ObjCUnavailable");
        if text.contains("ConstantValue.") {
            self.value = text.split_once("value = ").and_then(|(_, value)| number(value.trim_end_matches(')')));
        }
    }

    fn class(&mut self, text: &str) {
        let Some((_, rest)) = text.split_once(" platform/") else { return };
        let head = rest.trim_end_matches([' ', '{', '}']);
        let (name, parents) = head.split_once(" : ").unwrap_or((head, ""));
        let owner = Owner::of(last(name));
        let parents = parents.split(", ").map(last).filter(|name| !name.is_empty() && !name.ends_with("Meta"));
        let class = self.frameworks.classes.entry(owner.class.clone()).or_default();
        if !owner.itself {
            class.parents.extend(parents.map(str::to_owned));
        }
        self.frameworks.globals.entry(owner.class.clone()).or_default();
        self.inside = rest.ends_with('{').then_some(owner);
        self.forget();
    }

    fn member(&mut self, text: &str, depth: usize) {
        if text.ends_with(" get") || text.contains(" get /*") || text.contains(" set(value:") {
            let owner = self.receiver.clone().or_else(|| self.inside.clone());
            if let (Some(selector), Some(owner), true) = (self.selector.take(), owner, text.contains(" get")) {
                self.members(&owner).properties.insert(selector);
            }
            return self.forget();
        }
        let kind =
            [" fun ", " val ", " var ", " typealias ", " constructor("].into_iter().find(|kind| text.contains(kind));
        let Some((kind, (_, rest))) = kind.and_then(|kind| Some((kind, text.split_once(kind)?))) else {
            return self.forget();
        };
        let name: &str =
            rest.split(|letter: char| !is_of_name(letter) && letter != '/' && letter != '.').next().unwrap_or_default();
        // A category's member names its class before itself.
        let (category, name) =
            name.rsplit_once('.').map_or((None, name), |(class, name)| (Some(Owner::of(last(class))), name));
        let owner = category.clone().or_else(|| self.inside.clone());
        let refused = self.refused;
        match (self.selector.take(), owner) {
            (Some(selector), Some(owner)) => {
                let members = self.members(&owner);
                if refused {
                    members.unavailable.insert(selector)
                } else {
                    members.methods.insert(selector)
                };
            }
            (None, Some(owner)) if kind == " val " || kind == " var " => {
                self.frameworks.classes.entry(owner.class).or_default().fields.insert(name.to_owned());
            }
            (None, None) if depth == 6 => {
                self.frameworks.globals.insert(name.to_owned(), value(text));
            }
            _ => {}
        }
        self.forget();
        self.receiver = category;
    }

    fn members(&mut self, owner: &Owner) -> &mut Members {
        let class = self.frameworks.classes.entry(owner.class.clone()).or_default();
        if owner.itself { &mut class.of_class } else { &mut class.of_instances }
    }

    fn forget(&mut self) {
        (self.selector, self.refused, self.value) = (None, false, None);
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The last comment of a constant's line is its value.
fn value(text: &str) -> Option<i128> {
    let (_, comment) = text.rsplit_once("/* = ")?;
    number(comment.trim_end_matches(" */"))
}

fn number(text: &str) -> Option<i128> {
    text.trim_end_matches(['u', 'L']).parse().ok()
}

#[cfg(test)]
pub(super) const PRINTED: &str = r#"
    @kotlinx/cinterop/ExternalObjCClass
    public open class platform/Kit/KTDeviceMeta : platform/darwin/NSObjectMeta {

      @kotlinx/cinterop/ObjCMethod(selector = "currentDevice", encoding = "@16@0:8", isStret = false)
      public open external fun currentDevice(): platform/Kit/KTDevice

      public final val currentDevice: platform/Kit/KTDevice
        @kotlinx/cinterop/ObjCMethod(selector = "currentDevice", encoding = "@16@0:8", isStret = false)
        public final /* non-default */ external get

      @kotlinx/cinterop/ObjCMethod(selector = "deviceWithName:", encoding = "@24@0:8@16", isStret = false)
      public open external fun deviceWithName(name: kotlin/String): platform/Kit/KTDevice
    }

    @kotlinx/cinterop/ExternalObjCClass
    public open class platform/Kit/KTDevice : platform/Kit/KTThing, platform/Kit/KTOpeningProtocol {

      @kotlinx/cinterop/ObjCUnavailable
      @kotlinx/cinterop/ObjCConstructor(designated = false, initSelector = "init")
      public /* secondary */ constructor()

      @kotlinx/cinterop/ObjCMethod(selector = "reportCallWithUUID:endedAtDate:", encoding = "v32@0:8@16@24", isStret = false)
      public open external fun reportCallWithUUID(UUID: platform/Foundation/NSUUID, endedAtDate: platform/Foundation/NSDate?): kotlin/Unit

      @kotlinx/cinterop/ObjCMethod(selector = "setActive:withOptions:error:", encoding = "B36@0:8B16Q20^@28", isStret = false)
      public open external fun setActive(active: kotlin/Boolean, withOptions: kotlin/ULong, error: kotlinx/cinterop/CPointer<x>?): kotlin/Boolean

      @kotlinx/cinterop/ObjCMethod(selector = "isRunning", encoding = "B16@0:8", isStret = false)
      public open external fun isRunning(): kotlin/Boolean

      public final val running: kotlin/Boolean
        @kotlinx/cinterop/ObjCMethod(selector = "isRunning", encoding = "B16@0:8", isStret = false)
        public final /* non-default */ external get
    }

    @kotlinx/cinterop/ExternalObjCClass(protocolGetter = "kniprot_platform_Kit_KTOpening_0")
    public abstract interface platform/Kit/KTOpeningProtocol : platform/darwin/NSObjectProtocol {

      @kotlinx/cinterop/ObjCMethod(selector = "openURL:", encoding = "v24@0:8@16", isStret = false)
      public open fun openURL(URL: platform/Foundation/NSURL): kotlin/Unit
    }

    public final class platform/Kit/KTBuffer : kotlinx/cinterop/CStructVar {

      public constructor(rawPtr: kotlin/native/internal/NativePtr /* = kotlinx/cinterop/NativePtr^ */)

      public final var mData: kotlin/UInt /* = platform/darwin/UInt32^ */
        @kotlinx/cinterop/internal/CStruct.MemberAt(offset = 0L)
        public final /* non-default */ external get
    }

    public final enum class platform/Kit/KTHeat : kotlin/Enum<platform/Kit/KTHeat>, kotlinx/cinterop/CEnum {

      @kotlinx/cinterop/internal/ConstantValue.Long(value = 3L)
      KTHeatCritical,
    }

    package {

      public typealias KTReason = platform/darwin/NSInteger^ /* = kotlin/Long /* = platform/darwin/NSInteger^ */ */

      @kotlinx/cinterop/ObjCMethod(selector = "setHeat:", encoding = "v24@0:8q16", isStret = false)
      public final external fun platform/Kit/KTDevice.setHeat(heat: platform/Kit/KTHeat): kotlin/Unit

      public final var platform/Kit/KTDevice.heat: platform/Kit/KTHeat
        @kotlinx/cinterop/ObjCMethod(selector = "heat", encoding = "q16@0:8", isStret = false)
        public final /* non-default */ external get
        @kotlinx/cinterop/ObjCMethod(selector = "setHeat:", encoding = "v24@0:8q16", isStret = false)
        public final /* non-default */ external set(value: platform/Kit/KTHeat)

      public final external fun KTBufferMake(value: kotlin/Long): kotlin/Unit

      public final const val KTReasonFailed: kotlin/Long /* = platform/Kit/KTReason^ */ /* = -2L */
    }
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_those_of_their_class_and_of_its_categories() {
        let mut kit = Frameworks::default();
        kit.read(PRINTED);
        let device = &kit.classes["KTDevice"];
        assert!(device.of_class.methods.contains("deviceWithName:"));
        assert!(device.of_class.properties.contains("currentDevice"));
        assert!(device.of_instances.unavailable.contains("init") && !device.of_instances.methods.contains("init"));
        assert!(
            device.of_instances.properties.contains("isRunning") && device.of_instances.properties.contains("heat")
        );
        assert!(device.of_instances.methods.contains("setHeat:"));
        assert!(!device.of_instances.properties.contains("setHeat:"));
        assert_eq!(kit.with_ancestors("KTDevice").len(), 2);
        assert!(kit.classes["KTBuffer"].fields.contains("mData"));
    }

    #[test]
    fn constants_have_their_values_and_types_their_names() {
        let mut kit = Frameworks::default();
        kit.read(PRINTED);
        assert_eq!(kit.globals["KTReasonFailed"], Some(-2));
        assert_eq!(kit.globals["KTHeatCritical"], Some(3));
        assert!(kit.globals.contains_key("KTReason") && kit.globals.contains_key("KTBufferMake"));
        assert!(!kit.globals.contains_key("heat") && !kit.globals.contains_key("setHeat"));
    }
}
