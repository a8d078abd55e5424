//! What each template is given.

use super::words::{self, Fact};
use super::{Counts, GalleryPage, SignInPage, Viewer, format};
use askama::Template;
use faafo_model::formula::{Constant, KINDS, Kind, Parameter, all_parameters, having};
use faafo_model::{Colouring, Format, Fractal, Palette, State, Uuid};

/// A longer side than this is not decoded by the page; it shows the thumbnail and links to the picture.
const HUGE: u32 = 8000;
/// Thumbnails are no larger.
const THUMBNAIL: u32 = 300;

#[derive(Template)]
#[template(path = "gallery.html")]
pub struct Gallery<'a> {
    done: Vec<Card<'a>>,
    active: Vec<Card<'a>>,
    counts: Vec<(String, &'static str)>,
    page: u64,
    total_pages: u64,
    empty: bool,
    viewer: Viewer,
}

impl<'a> Gallery<'a> {
    pub fn new(page: &GalleryPage<'a>, viewer: Viewer) -> Self {
        Self {
            done: page.done.iter().map(Card::new).collect(),
            active: page.active.iter().map(Card::new).collect(),
            counts: counts(&page.counts),
            page: page.page,
            total_pages: page.total_pages.max(1),
            empty: page.done.is_empty(),
            viewer,
        }
    }

    /// Where a page of the gallery is found.
    fn url(&self, page: u64) -> String {
        match page {
            0 | 1 => "/".to_owned(),
            page => format!("/index/{page}"),
        }
    }

    /// The page before this one; for a page beyond the end the last there is.
    fn newer(&self) -> Option<String> {
        let newer = self.page.saturating_sub(1).min(self.total_pages);
        (self.page > 1).then(|| self.url(newer))
    }

    fn older(&self) -> Option<String> {
        (self.page < self.total_pages).then(|| self.url(self.page + 1))
    }
}

/// The counts worth telling: the pictures always, the others unless zero.
fn counts(counts: &Counts) -> Vec<(String, &'static str)> {
    let pictures = if counts.done == 1 {
        "picture"
    } else {
        "pictures"
    };
    let mut told = vec![(format::thousands(counts.done), pictures)];
    for (count, label) in [
        (counts.rendering, "rendering"),
        (counts.queued, "queued"),
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
    ] {
        if count > 0 {
            told.push((format::thousands(count), label));
        }
    }
    told
}

/// A fractal in a list.
struct Card<'a> {
    fractal: &'a Fractal,
    id: Uuid,
}

impl<'a> Card<'a> {
    fn new(fractal: &'a Fractal) -> Self {
        Self {
            fractal,
            id: fractal.id,
        }
    }

    fn kind(&self) -> &'static str {
        words::kind(&self.fractal.recipe.formula)
    }

    fn size(&self) -> String {
        let size = words::size(self.fractal);
        match self.fractal.recipe.format {
            Format::Png => size,
            Format::Npy => format!("{size} numbers"),
        }
    }

    fn state(&self) -> State {
        self.fractal.state
    }

    fn progress(&self) -> f64 {
        self.fractal.progress.clamp(0.0, 1.0)
    }

    fn percent(&self) -> u32 {
        format::percent(self.fractal.progress)
    }

    fn describe(&self) -> String {
        words::describe(self.fractal)
    }
}

#[derive(Template)]
#[template(path = "picture.html")]
pub struct Picture<'a> {
    fractal: &'a Fractal,
    id: Uuid,
    title: &'static str,
    place: String,
    size: String,
    describe: String,
    facts: Vec<Fact>,
    parameters: Vec<(&'static str, String)>,
    /// The form with the same recipe.
    again: String,
    /// The same, asking for numbers instead of the picture or the other way round.
    other: String,
    numbers: bool,
    /// How the name of the file ends.
    extension: &'static str,
    percent: u32,
    progress: f64,
    /// What it will look like, about.
    preview: bool,
    /// How long it will take, if that is known.
    left: Option<String>,
    /// The thumbnail is shown instead, as large as the picture would be.
    huge: bool,
    viewer: Viewer,
}

impl<'a> Picture<'a> {
    pub fn new(fractal: &'a Fractal, preview: bool, viewer: Viewer) -> Self {
        let recipe = &fractal.recipe;
        let parameters = words::parameters(fractal);
        let numbers = recipe.format == Format::Npy;
        let other = parameters.iter().filter(|(name, _)| *name != "format");
        let other = form(other) + if numbers { "" } else { "&format=npy" };
        let largest = if numbers { THUMBNAIL } else { HUGE };
        Self {
            fractal,
            id: fractal.id,
            title: words::title(&recipe.formula),
            place: words::place(fractal),
            size: words::size(fractal),
            describe: words::describe(fractal),
            facts: words::facts(fractal),
            again: form(parameters.iter()),
            parameters,
            other,
            numbers,
            extension: recipe.format.name(),
            percent: format::percent(fractal.progress),
            progress: fractal.progress.clamp(0.0, 1.0),
            preview,
            left: fractal
                .eta
                .map(|seconds| format!("about {} left", format::duration(seconds))),
            huge: recipe.width.max(recipe.height) > largest,
            viewer,
        }
    }

    fn done(&self) -> bool {
        self.fractal.state == State::Done
    }

    fn pending(&self) -> bool {
        !self.fractal.state.is_final()
    }

    fn failed(&self) -> bool {
        self.fractal.state == State::Failed
    }
}

/// The address of the form with these parameters.
fn form<'p>(parameters: impl Iterator<Item = &'p (&'static str, String)>) -> String {
    let query: Vec<_> = parameters
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("/new?{}", query.join("&"))
}

#[derive(Template)]
#[template(path = "new.html")]
pub struct NewForm {
    pub max_area: u64,
    pub viewer: Viewer,
}

impl NewForm {
    fn kinds(&self) -> &'static [&'static Kind] {
        KINDS
    }

    /// What else formulas are told, once each, with the kinds that are told it and their defaults.
    fn parameters(&self) -> Vec<(&'static Parameter, String)> {
        let known = all_parameters().into_values();
        known
            .map(|parameter| (parameter, having(parameter.name).join(" ")))
            .collect()
    }

    fn palettes(&self) -> [&'static str; 8] {
        Palette::ALL.map(Palette::name)
    }

    fn colourings(&self) -> [&'static str; 8] {
        Colouring::ALL.map(Colouring::name)
    }

    fn limit(&self) -> String {
        format::thousands(self.max_area)
    }
}

#[derive(Template)]
#[template(path = "docs.html")]
pub struct Docs {
    pub viewer: Viewer,
}

#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    pub status: u16,
    pub title: &'a str,
    pub detail: &'a str,
    pub viewer: Viewer,
}

#[derive(Template)]
#[template(path = "login.html")]
pub struct SignIn<'a> {
    pub page: &'a SignInPage<'a>,
    pub viewer: Viewer,
}
