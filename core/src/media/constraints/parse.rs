//! From W3C's JSON. By hand, so that an error names the member that is wrong.

use super::{
    ConstraintError, ConstraintSet, MediaStreamConstraints, NumberConstraint, StringConstraint, VideoConstraints,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// More sets or words than this are nobody's wish.
const MAX_LIST: usize = 100;

impl MediaStreamConstraints {
    /// From the JSON that a page would hand to `getUserMedia`.
    ///
    /// # Errors
    /// [`ConstraintError::Type`] if it is no JSON, has another shape, or asks for neither sound nor video.
    pub fn from_json(json: &str) -> Result<Self, ConstraintError> {
        let value = serde_json::from_str(json).map_err(|error| wrong("constraints", error))?;
        Self::from_value(&value)
    }

    fn from_value(value: &Value) -> Result<Self, ConstraintError> {
        let members = value.as_object().ok_or_else(|| wrong("constraints", "an object is needed"))?;
        let audio = match members.get("audio") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true) | Value::Object(_)) => true,
            Some(_) => return Err(wrong("audio", "true, false or an object is needed")),
        };
        let video = match members.get("video") {
            None | Some(Value::Null | Value::Bool(false)) => None,
            Some(value) => Some(VideoConstraints::from_value("video", value)?),
        };
        if !audio && video.is_none() {
            return Err(wrong("constraints", "at least one of audio and video is needed"));
        }
        Ok(Self { audio, video })
    }
}

impl VideoConstraints {
    fn from_value(at: &str, value: &Value) -> Result<Self, ConstraintError> {
        let members = match value {
            Value::Bool(true) => return Ok(Self::default()),
            Value::Object(members) => members,
            _ => return Err(wrong(at, "true or an object is needed")),
        };
        let advanced = match members.get("advanced") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(sets)) if sets.len() <= MAX_LIST => sets
                .iter()
                .enumerate()
                .map(|(index, set)| {
                    let at = format!("{at}.advanced[{index}]");
                    let members = set.as_object().ok_or_else(|| wrong(&at, "an object is needed"))?;
                    set_from(&at, members, Bare::Exact)
                })
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(wrong(&format!("{at}.advanced"), "a short list of objects is needed")),
        };
        Ok(Self { basic: set_from(at, members, Bare::Ideal)?, advanced })
    }
}

impl<'de> Deserialize<'de> for MediaStreamConstraints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for VideoConstraints {
    /// `true` or an object.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value("video", &Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What a value without a word before it means: `ideal` in the basic set, `exact` in an advanced one.
#[derive(Clone, Copy, PartialEq)]
enum Bare {
    Ideal,
    Exact,
}

fn set_from(at: &str, members: &Map<String, Value>, bare: Bare) -> Result<ConstraintSet, ConstraintError> {
    let number = |name| number_from(&format!("{at}.{name}"), members.get(name), bare);
    let string = |name| string_from(&format!("{at}.{name}"), members.get(name), bare);
    Ok(ConstraintSet {
        width: number("width")?,
        height: number("height")?,
        aspect_ratio: number("aspectRatio")?,
        frame_rate: number("frameRate")?,
        facing_mode: string("facingMode")?,
        device_id: string("deviceId")?,
    })
}

fn number_from(at: &str, value: Option<&Value>, bare: Bare) -> Result<NumberConstraint, ConstraintError> {
    let value = match value {
        None | Some(Value::Null) => return Ok(NumberConstraint::default()),
        Some(value) => value,
    };
    if let Value::Object(members) = value {
        let part = |name| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => positive(&format!("{at}.{name}"), value).map(Some),
        };
        return Ok(NumberConstraint {
            min: part("min")?,
            max: part("max")?,
            exact: part("exact")?,
            ideal: part("ideal")?,
        });
    }
    let value = positive(at, value)?;
    Ok(if bare == Bare::Exact { NumberConstraint::exact(value) } else { NumberConstraint::ideal(value) })
}

fn positive(at: &str, value: &Value) -> Result<f64, ConstraintError> {
    value
        .as_f64()
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| wrong(at, "a number that is not negative is needed"))
}

fn string_from(at: &str, value: Option<&Value>, bare: Bare) -> Result<StringConstraint, ConstraintError> {
    let value = match value {
        None | Some(Value::Null) => return Ok(StringConstraint::default()),
        Some(value) => value,
    };
    if let Value::Object(members) = value {
        let part = |name| match members.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(value) => words(&format!("{at}.{name}"), value),
        };
        return Ok(StringConstraint { exact: part("exact")?, ideal: part("ideal")? });
    }
    let words = words(at, value)?;
    Ok(match bare {
        Bare::Exact => StringConstraint { exact: words, ..StringConstraint::default() },
        Bare::Ideal => StringConstraint { ideal: words, ..StringConstraint::default() },
    })
}

fn words(at: &str, value: &Value) -> Result<Vec<String>, ConstraintError> {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) if list.len() <= MAX_LIST => list.iter().map(word).collect(),
        _ => None,
    }
    .ok_or_else(|| wrong(at, "a text or a short list of texts is needed"))
}

fn wrong(at: &str, message: impl ToString) -> ConstraintError {
    ConstraintError::Type { member: at.to_owned(), message: message.to_string() }
}
