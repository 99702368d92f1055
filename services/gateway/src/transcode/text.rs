//! A text out of a path or query → the value of a field.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};
use serde::de::value::{Error as TextError, StrDeserializer};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Whether a message is written as one text (times, durations, masks, wrappers).
pub fn is_scalar_message(message: &MessageDescriptor) -> bool {
    matches!(
        message.full_name(),
        "google.protobuf.Timestamp" | "google.protobuf.Duration" | "google.protobuf.FieldMask"
    ) || is_wrapper(message)
}

/// Reads one value of `kind`; the error says what the text must be.
pub fn parse(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("must be true or false".to_owned()),
        },
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => whole(text, i32::MIN, i32::MAX).map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => whole(text, i64::MIN, i64::MAX).map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => whole(text, u32::MIN, u32::MAX).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => whole(text, u64::MIN, u64::MAX).map(Value::U64),
        Kind::Float => text.parse().map(Value::F32).map_err(|_| "must be a number".to_owned()),
        Kind::Double => text.parse().map(Value::F64).map_err(|_| "must be a number".to_owned()),
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bytes => STANDARD
            .decode(text)
            .or_else(|_| URL_SAFE.decode(text))
            .map(|bytes| Value::Bytes(Bytes::from(bytes)))
            .map_err(|_| "must be base64".to_owned()),
        Kind::Enum(kind) => {
            let by_number = || kind.get_value(text.parse().ok()?);
            kind.get_value_by_name(text).or_else(by_number).map(|value| Value::EnumNumber(value.number())).ok_or_else(
                || {
                    let names: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
                    format!("must be one of {}", names.join(", "))
                },
            )
        }
        Kind::Message(message) => scalar_message(message, text),
    }
}

fn whole<T: std::str::FromStr + std::fmt::Display>(text: &str, min: T, max: T) -> Result<T, String> {
    text.parse().map_err(|_| format!("must be a whole number from {min} to {max}"))
}

fn scalar_message(message: &MessageDescriptor, text: &str) -> Result<Value, String> {
    if is_wrapper(message)
        && let Some(inner) = message.get_field(1)
    {
        let value = parse(&inner.kind(), text)?;
        let mut wrapper = DynamicMessage::new(message.clone());
        wrapper.set_field(&inner, value);
        return Ok(Value::Message(wrapper));
    }
    let from = |text: &str| DynamicMessage::deserialize(message.clone(), StrDeserializer::<TextError>::new(text));
    match message.full_name() {
        // In a query an unescaped plus is a space; a time has no other use for one.
        "google.protobuf.Timestamp" => from(text).or_else(|_| from(&text.replace(' ', "+"))).map_err(|_| {
            "must be an RFC 3339 time such as 2026-05-01T10:00:00Z or 2026-05-01T18:00:00+08:00".to_owned()
        }),
        "google.protobuf.Duration" => from(text).map_err(|_| "must be seconds with an s, such as 5400s".to_owned()),
        "google.protobuf.FieldMask" => Ok(field_mask(message, text)),
        _ => Err("is a message; give its fields, joined with a dot".to_owned()),
    }
    .map(Value::Message)
}

/// Takes both spellings, `displayName` (the canonical one) and `display_name`.
fn field_mask(message: &MessageDescriptor, text: &str) -> DynamicMessage {
    let paths = text.split(',').filter(|path| !path.is_empty()).map(|path| Value::String(snake_case(path)));
    let mut mask = DynamicMessage::new(message.clone());
    mask.set_field_by_number(1, Value::List(paths.collect()));
    mask
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn is_wrapper(message: &MessageDescriptor) -> bool {
    matches!(
        message.full_name(),
        "google.protobuf.BoolValue"
            | "google.protobuf.BytesValue"
            | "google.protobuf.DoubleValue"
            | "google.protobuf.FloatValue"
            | "google.protobuf.Int32Value"
            | "google.protobuf.Int64Value"
            | "google.protobuf.StringValue"
            | "google.protobuf.UInt32Value"
            | "google.protobuf.UInt64Value"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_their_range() {
        assert_eq!(parse(&Kind::Int32, "-7"), Ok(Value::I32(-7)));
        assert_eq!(
            parse(&Kind::Int32, "2147483648"),
            Err("must be a whole number from -2147483648 to 2147483647".to_owned())
        );
        assert!(parse(&Kind::Uint64, "-1").is_err() && parse(&Kind::Uint64, "").is_err());
        assert!(parse(&Kind::Bool, "yes").is_err());
    }

    #[test]
    fn bytes_in_both_alphabets_with_and_without_padding() {
        let expected = Ok(Value::Bytes(Bytes::from_static(&[0xfb, 0xff])));
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(parse(&Kind::Bytes, text), expected, "{text}");
        }
    }

    #[test]
    fn masks_in_both_spellings() {
        assert_eq!(snake_case("displayName"), "display_name");
        assert_eq!(snake_case("display_name"), "display_name");
    }
}
