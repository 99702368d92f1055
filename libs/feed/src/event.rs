//! An event as a consumer sees it.

use bytes::Bytes;
use kernel::{Error, Result, Timestamp, Uuid, ids::EventId};
use pg::outbox::Cursor;
use prost::{Message, Name};

/// Something that happened in another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's id, the same however often it is read.
    pub id: EventId,
    /// The full name of the payload's message type.
    pub type_name: String,
    /// What it happened to.
    pub aggregate_id: Uuid,
    /// The version that it made of the aggregate. Two changes may arrive swapped: the greater version is the later one.
    pub aggregate_version: i64,
    /// When it happened.
    pub occur_time: Timestamp,
    /// The encoded message.
    pub payload: Bytes,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// Where it stands in its partition.
    pub cursor: Cursor,
}

impl Event {
    /// An event that was never in a feed, to try a consumer with.
    pub fn new<M: Message + Name>(aggregate_id: Uuid, version: i64, occur_time: Timestamp, payload: &M) -> Self {
        Self {
            id: EventId::new(occur_time),
            type_name: M::full_name(),
            aggregate_id,
            aggregate_version: version,
            occur_time,
            payload: payload.encode_to_vec().into(),
            traceparent: None,
            cursor: Cursor::default(),
        }
    }

    /// The payload as an `M`; none if it is of another type. Fails if the bytes are no `M` although they should be.
    pub fn decode<M: Message + Name + Default>(&self) -> Result<Option<M>> {
        if self.type_name != M::full_name() {
            return Ok(None);
        }
        M::decode(self.payload.clone()).map(Some).map_err(Error::internal)
    }
}

impl TryFrom<proto::feed::v1::Event> for Event {
    type Error = Error;

    /// Fails with an internal error: a peer that sends nonsense is not a matter for callers.
    fn try_from(event: proto::feed::v1::Event) -> Result<Self> {
        let nonsense = |what: &str| Error::internal(format!("event {}: {what}", event.event_id));
        Ok(Self {
            id: EventId::from_uuid(event.event_id.parse().map_err(|_| nonsense("its id is no UUID"))?),
            aggregate_id: event.aggregate_id.parse().map_err(|_| nonsense("its aggregate's id is no UUID"))?,
            aggregate_version: event.aggregate_version,
            occur_time: event
                .occur_time
                .and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())
                .ok_or_else(|| nonsense("it has no time"))?,
            cursor: event.cursor.parse().map_err(|_| nonsense("it has no cursor"))?,
            traceparent: Some(event.traceparent).filter(|text| !text.is_empty()),
            type_name: event.r#type,
            payload: event.payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use proto::feed::v1::SubscribeRequest;

    use super::*;

    #[test]
    fn a_payload_decodes_as_its_own_type_only() {
        let payload = SubscribeRequest { consumer: "analytics".to_owned(), ..Default::default() };
        let event = Event::new(Uuid::nil(), 1, Timestamp::UNIX_EPOCH, &payload);
        assert_eq!(event.decode::<SubscribeRequest>().expect("decodes"), Some(payload));
        assert_eq!(event.decode::<proto::feed::v1::Event>().expect("is another type"), None);
        let garbled = Event { payload: Bytes::from_static(&[0xff]), ..event };
        assert!(garbled.decode::<SubscribeRequest>().is_err());
    }
}
