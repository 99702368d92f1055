//! The comments of the protos.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Comments by file and by the path of what they stand before.
#[derive(Debug, Default)]
pub struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    /// Reads all comments of a pool; there are none if it was made without source info.
    pub fn read(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.file_descriptor_protos() {
            let locations = file.source_code_info.iter().flat_map(|info| &info.location);
            for location in locations {
                let text = location.leading_comments.as_deref().or(location.trailing_comments.as_deref());
                if let Some(text) = text.map(clean).filter(|text| !text.is_empty()) {
                    comments.insert((file.name().to_owned(), location.path.clone()), text);
                }
            }
        }
        Self(comments)
    }

    /// The comment at `path` of `file`.
    pub fn of(&self, file: &FileDescriptor, path: &[i32]) -> Option<&str> {
        self.0.get(&(file.name().to_owned(), path.to_vec())).map(String::as_str)
    }
}

/// Lines become paragraphs: the width of the proto file means nothing elsewhere.
fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            cleaned = cleaned.trim_end().to_owned() + "\n\n";
        } else {
            if !cleaned.is_empty() && !cleaned.ends_with('\n') {
                cleaned.push(' ');
            }
            cleaned.push_str(line);
        }
    }
    cleaned.trim().to_owned()
}

/// The first sentence.
pub fn summary(text: &str) -> &str {
    let end = text.find(". ").or_else(|| text.find(".\n")).unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_join_into_paragraphs() {
        assert_eq!(clean(" Reads a\n booking.\n\n Errors: none.\n"), "Reads a booking.\n\nErrors: none.");
        assert_eq!(summary("Reads a booking. With its history."), "Reads a booking");
        assert_eq!(summary("Reads a booking.\n\nErrors"), "Reads a booking");
    }
}
