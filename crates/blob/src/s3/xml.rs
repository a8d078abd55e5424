//! As much XML as S3's answers need: elements by name, without attributes that matter and never nested in their like.

/// The contents of every `<name>`, still escaped.
pub(super) fn elements<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find('<')?;
            rest = &rest[start + 1..];
            let Some(after) = rest.strip_prefix(name) else {
                continue;
            };
            if !after.starts_with(['>', ' ', '/']) {
                continue;
            }
            let (attributes, after) = after.split_once('>')?;
            if attributes.ends_with('/') {
                rest = after;
                return Some("");
            }
            let end = format!("</{name}>");
            let (content, after) = after.split_once(end.as_str())?;
            rest = after;
            return Some(content);
        }
    })
}

/// The text in the first `<name>`.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next().map(unescape)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((entity, after)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            break;
        };
        out.extend(character(entity));
        rest = after;
    }
    out + rest
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_and_unescaped() {
        let xml = "<?xml version=\"1.0\"?><R xmlns=\"x\"><Keys/><Key>a&amp;b&#x20;c&quot;</Key><E/>\
                   <KeyCount>2</KeyCount><Key>d</Key></R>";
        assert_eq!(text(xml, "Key").unwrap(), "a&b c\"");
        assert_eq!(elements(xml, "Key").count(), 2);
        assert_eq!(text(xml, "E").unwrap(), "");
        assert_eq!(text(xml, "None"), None);
        assert!(text(xml, "R").unwrap().contains("KeyCount"));
    }

    #[test]
    fn broken_text_harms_nobody() {
        for xml in ["", "<", "<Key", "<Key>", "<Key>x", "<Key>&</Key>", "&&;<"] {
            let _ = text(xml, "Key");
        }
        assert_eq!(text("<Key>a&b</Key>", "Key").unwrap(), "a&b");
    }
}
