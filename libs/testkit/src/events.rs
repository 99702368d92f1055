//! Which events there are.

use prost::Message;
use prost_types::FileDescriptorSet;

/// The full names of all messages of `package` whose first field is a `facts` of the same package: all events about one
/// sort of thing, also those that are new. On the wire they differ in what follows that field only.
pub fn events_about(package: &str, facts: &str) -> Vec<String> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTOR_SET).expect("the descriptors of the suite");
    let wanted = format!(".{package}.{facts}");
    let messages = set.file.iter().filter(|file| file.package() == package).flat_map(|file| &file.message_type);
    messages
        .filter(|message| message.field.iter().any(|field| field.number() == 1 && field.type_name() == wanted))
        .map(|message| format!("{package}.{}", message.name()))
        .collect()
}
