//! The files below `static/`, compiled in.

/// A file that the pages need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its content.
    pub bytes: &'static [u8],
    /// The value of its `Content-Type` header.
    pub content_type: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The file served as `/static/<name>`.
pub fn asset(name: &str) -> Option<Asset> {
    macro_rules! files {
        ($($name:literal: $content_type:ident,)*) => {
            match name {
                $($name => Some(Asset {
                    bytes: include_bytes!(concat!("../../static/", $name)),
                    content_type: $content_type,
                }),)*
                _ => None,
            }
        };
    }
    files! {
        "base.css": CSS,
        "gallery.css": CSS,
        "picture.css": CSS,
        "form.css": CSS,
        "docs.css": CSS,
        "login.css": CSS,
        "gallery.js": JS,
        "picture.js": JS,
        "live.js": JS,
        "form.js": JS,
        "docs.js": JS,
        "recipe.js": JS,
        "preview.js": JS,
        "preview-worker.js": JS,
        "presets.js": JS,
        "favicon.svg": SVG,
    }
}
