//! Takes the long list of a streamed document apart, one object at a time, in constant memory.

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// The largest row taken, and the largest rest of the document, in bytes.
const MOST: usize = 1024 * 1024;

/// Reads `{"num_results": …, "objects": [{…}, …], …}` in pieces of any size.
#[derive(Default)]
pub struct Splitter {
    place: Place,
    /// The document without the objects, and without white space.
    envelope: Vec<u8>,
    /// The object being read, without white space.
    object: Vec<u8>,
    /// Brackets open in the envelope or in the object.
    depth: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Place {
    #[default]
    Envelope,
    /// In the list, before its first object.
    ListStart,
    /// In the list, after a comma.
    Next,
    /// In the list, after an object.
    After,
    Object,
}

/// What the document says besides its objects.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    /// The list, whose objects have been taken out; it must be there.
    #[serde(rename = "objects")]
    _objects: [(); 0],
    /// How many pages there are; this document is the first.
    #[serde(default)]
    pub total_pages: u64,
}

impl Splitter {
    /// Reads a piece, and hands out every object that ends in it, as compact JSON on one line. Whether it is JSON
    /// inside its braces is for the caller to see.
    ///
    /// # Errors
    /// The document is no list of objects, or the caller's error.
    pub fn push(
        &mut self,
        piece: &[u8],
        mut each: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for &byte in piece {
            match self.place {
                Place::Envelope => self.envelope_byte(byte)?,
                Place::Object => {
                    if self.object_byte(byte)? {
                        each(&self.object)?;
                        self.object.clear();
                        self.place = Place::After;
                    }
                }
                Place::ListStart | Place::Next | Place::After => self.list_byte(byte)?,
            }
        }
        Ok(())
    }

    /// Makes sure that the document was whole.
    ///
    /// # Errors
    /// It ended early, or is not of the form expected.
    pub fn finish(self) -> anyhow::Result<Envelope> {
        ensure!(
            self.place == Place::Envelope && self.depth == 0 && !self.envelope.is_empty(),
            "the answer was cut short"
        );
        serde_json::from_slice(&self.envelope).context("the answer is no list")
    }

    fn envelope_byte(&mut self, byte: u8) -> anyhow::Result<()> {
        ensure!(self.envelope.len() < MOST, "the answer is no list");
        if !self.take(byte) {
            return Ok(());
        }
        self.envelope.push(byte);
        let starts = |text: &[u8]| self.envelope.ends_with(text);
        if !self.in_string
            && self.depth == 2
            && (starts(b"{\"objects\":[") || starts(b",\"objects\":["))
        {
            self.place = Place::ListStart;
        }
        Ok(())
    }

    fn list_byte(&mut self, byte: u8) -> anyhow::Result<()> {
        match (byte, self.place) {
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            (b'{', Place::ListStart | Place::Next) => {
                self.object.push(byte);
                self.depth = 1;
                self.place = Place::Object;
            }
            (b',', Place::After) => self.place = Place::Next,
            (b']', Place::ListStart | Place::After) => {
                self.envelope.push(byte);
                self.depth = 1;
                self.place = Place::Envelope;
            }
            _ => bail!("the answer is no list of objects"),
        }
        Ok(())
    }

    /// Whether the object ends with this byte.
    fn object_byte(&mut self, byte: u8) -> anyhow::Result<bool> {
        ensure!(self.object.len() < MOST, "a row of the list is too long");
        if self.take(byte) {
            self.object.push(byte);
        }
        Ok(!self.in_string && self.depth == 0)
    }

    /// Follows strings and brackets; false for white space between them.
    fn take(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return true;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return false,
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = r#" {"num_results": 3, "note": ",\"objects\":[{", "nested": {"objects": [1]},
        "objects": [ {"a": "} ] { [ \" \\", "b": [1, {"c": "\\\""}]}, {} ,{"é": "日本 \u007d"}
        ], "page": 1, "total_pages": 1 } "#;

    fn split(pieces: &[&[u8]]) -> anyhow::Result<(Vec<String>, Envelope)> {
        let mut splitter = Splitter::default();
        let mut objects = Vec::new();
        for piece in pieces {
            splitter.push(piece, |object| {
                serde_json::from_slice::<serde::de::IgnoredAny>(object)?;
                objects.push(String::from_utf8(object.to_vec())?);
                Ok(())
            })?;
        }
        Ok((objects, splitter.finish()?))
    }

    #[test]
    fn objects_come_out_whole_wherever_the_pieces_are_cut() {
        let bytes = NASTY.as_bytes();
        let expected = [
            r#"{"a":"} ] { [ \" \\","b":[1,{"c":"\\\""}]}"#,
            "{}",
            r#"{"é":"日本 \u007d"}"#,
        ];
        for cut in 0..=bytes.len() {
            let (objects, envelope) = split(&[&bytes[..cut], &bytes[cut..]]).unwrap();
            assert_eq!(objects, expected);
            assert_eq!(envelope.total_pages, 1);
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(split(&single).unwrap().0, expected);
    }

    #[test]
    fn a_document_cut_anywhere_is_an_error() {
        let bytes = NASTY.trim_end().as_bytes();
        for end in 0..bytes.len() {
            assert!(split(&[&bytes[..end]]).is_err(), "{end}");
        }
    }

    #[test]
    fn an_empty_list_is_fine() {
        let (objects, _) = split(&[br#"{"objects":[],"num_results":0}"#]).unwrap();
        assert!(objects.is_empty());
    }

    #[test]
    fn what_is_no_list_of_objects_is_an_error() {
        for text in [
            r#"{"objects":[1]}"#,
            r#"{"objects":[{}{}]}"#,
            r#"{"objects":[{},]}"#,
            r#"{"objects":[,{}]}"#,
            r#"{"objects":{}}"#,
            r#"{"num_results":1}"#,
            r#"{"objects":[{]}]}"#,
            r#"{"objects":[]}}"#,
            r#"[]"#,
            "<html></html>",
            "null",
        ] {
            assert!(split(&[text.as_bytes()]).is_err(), "{text}");
        }
    }

    #[test]
    fn an_endless_row_or_envelope_is_refused() {
        let row = format!(r#"{{"objects":[{{"a":"{}"#, "x".repeat(MOST));
        assert!(split(&[row.as_bytes()]).is_err());
        assert!(split(&["x".repeat(MOST + 1).as_bytes()]).is_err());
    }
}
