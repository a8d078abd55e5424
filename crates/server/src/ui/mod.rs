//! The web pages. They are whole without JavaScript, except that a picture can only be requested or deleted with it;
//! the scripts below `static/` add live updates and the preview. Nothing here knows of stores or routes: a handler
//! passes in what it has read and gets HTML back.
//!
//! The pages keep to `default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'`: there are
//! neither inline scripts nor inline styles.

mod assets;
mod format;
mod pages;
#[cfg(test)]
mod tests;
mod words;

pub use assets::asset;

use askama::Template;
use faafo_model::Fractal;

/// How many fractals are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for a worker.
    pub queued: u64,
    /// With a worker.
    pub rendering: u64,
    /// Pictures in the gallery.
    pub done: u64,
    /// Given up.
    pub failed: u64,
    /// Withdrawn.
    pub cancelled: u64,
}

/// Whoever looks at a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Viewer {
    /// There are things here that need a token.
    pub guarded: bool,
    /// They have signed in.
    pub signed_in: bool,
    /// They may create and delete.
    pub may_write: bool,
}

impl Viewer {
    /// Somebody where everything is free.
    pub const FREE: Self = Self {
        guarded: false,
        signed_in: false,
        may_write: true,
    };
}

/// What the page to sign in on shows.
#[derive(Debug, Clone, Copy)]
pub struct SignInPage<'a> {
    /// Whoever looks at it.
    pub viewer: Viewer,
    /// The scope of the token that they have signed in with.
    pub scope: Option<&'a str>,
    /// What that token is for.
    pub label: &'a str,
    /// Where to go afterwards.
    pub next: &'a str,
    /// What was wrong with the last try, or nothing.
    pub wrong: &'a str,
}

/// What one page of the gallery shows.
#[derive(Debug, Clone, Copy)]
pub struct GalleryPage<'a> {
    /// The pictures of this page, newest first.
    pub done: &'a [Fractal],
    /// Some of those that are queued or rendering; only page 1 shows them.
    pub active: &'a [Fractal],
    /// Which page this is, from 1.
    pub page: u64,
    /// How many pages there are.
    pub total_pages: u64,
    /// How many fractals there are in all.
    pub counts: Counts,
}

/// One page of the gallery.
///
/// # Errors
/// Only if formatting fails, which no content causes.
pub fn gallery(page: &GalleryPage, viewer: Viewer) -> Result<String, askama::Error> {
    pages::Gallery::new(page, viewer).render()
}

/// The page of one fractal, in any state.
///
/// # Errors
/// Only if formatting fails, which no content causes.
pub fn picture(fractal: &Fractal, preview: bool, viewer: Viewer) -> Result<String, askama::Error> {
    pages::Picture::new(fractal, preview, viewer).render()
}

/// The form that requests a picture of at most `max_area` pixels.
///
/// # Errors
/// Only if formatting fails, which no content causes.
pub fn new_form(max_area: u64, viewer: Viewer) -> Result<String, askama::Error> {
    pages::NewForm { max_area, viewer }.render()
}

/// The page to sign in on, or out.
///
/// # Errors
/// Only if formatting fails, which no content causes.
pub fn sign_in(page: &SignInPage) -> Result<String, askama::Error> {
    pages::SignIn {
        page,
        viewer: page.viewer,
    }
    .render()
}

/// The page that describes the REST interface and lets people try it.
///
/// # Errors
/// Only if formatting fails, which no content causes.
pub fn docs(viewer: Viewer) -> Result<String, askama::Error> {
    pages::Docs { viewer }.render()
}

/// The page for a request that could not be served.
///
/// # Errors
/// Only if formatting fails, which no content causes.
pub fn error(status: u16, title: &str, detail: &str) -> Result<String, askama::Error> {
    pages::ErrorPage {
        status,
        title,
        detail,
        viewer: Viewer::FREE,
    }
    .render()
}
