use super::*;
use faafo_model::{Colours, Format, Formula, Palette, Recipe, State, Timestamp, Uuid, View};

const HOSTILE: &str = "<script>alert(\"x\")</script>'&";

fn fractal(state: State) -> Fractal {
    Fractal {
        id: Uuid::from_u128(7),
        recipe: Recipe {
            formula: Formula::Julia {
                cx: -0.8,
                cy: 0.156,
            },
            view: View {
                xa: -2.0,
                xb: 2.0,
                ya: -1.5,
                yb: 1e-9,
            },
            width: 640,
            height: 480,
            iterations: 1500,
            palette: Palette::Aurora,
            colours: Colours::default(),
            format: Format::Png,
        },
        state,
        priority: 0,
        attempt: 1,
        progress: 0.25,
        error: None,
        created_at: Timestamp(1_790_000_000_123_000),
        finished_at: None,
        duration: None,
        checksum: None,
        size: Some(1_234_567),
        generated_by: None,
        url: None,
        eta: None,
    }
}

fn page<'a>(done: &'a [Fractal], active: &'a [Fractal]) -> GalleryPage<'a> {
    GalleryPage {
        done,
        active,
        page: 1,
        total_pages: 1,
        counts: Counts::default(),
    }
}

fn sign_in_page<'a>(viewer: Viewer) -> SignInPage<'a> {
    SignInPage {
        viewer,
        scope: viewer.signed_in.then_some("write"),
        label: HOSTILE,
        next: HOSTILE,
        wrong: HOSTILE,
    }
}

/// Somebody who may only look.
const GUEST: Viewer = Viewer {
    guarded: true,
    signed_in: false,
    may_write: false,
};

/// What the content security policy forbids.
fn assert_no_inline_code(html: &str) {
    assert!(!html.contains(" style="), "{html}");
    assert!(!html.contains("<style"), "{html}");
    assert!(!html.contains(" onclick="), "{html}");
    for script in html.split("<script").skip(1) {
        assert!(script.contains("></script>"), "{script}");
        assert!(script.starts_with(" type=\"module\" src=\"/static/"));
    }
}

#[test]
fn hostile_texts_are_escaped_wherever_they_come_from() {
    let hostile = || Some(HOSTILE.to_owned());
    for state in State::ALL {
        let hostile = Fractal {
            error: hostile(),
            generated_by: hostile(),
            checksum: hostile(),
            url: hostile(),
            ..fractal(state)
        };
        let html = picture(&hostile, false, Viewer::FREE).unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&#60;script&#62;alert"), "{html}");
        assert_no_inline_code(&html);
    }
    let html = error(404, HOSTILE, HOSTILE).unwrap();
    assert!(!html.contains("<script>"), "{html}");
    assert_no_inline_code(&html);
}

#[test]
fn the_page_to_sign_in_on_fits_whoever_sees_it() {
    let signed_in = Viewer {
        signed_in: true,
        may_write: true,
        ..GUEST
    };
    for (viewer, holds) in [
        (Viewer::FREE, "no need"),
        (GUEST, "name=\"token\""),
        (signed_in, "action=\"/logout\""),
    ] {
        let html = sign_in(&sign_in_page(viewer)).unwrap();
        assert!(html.contains(holds), "{html}");
        assert!(!html.contains("<script>"), "{html}");
        assert_no_inline_code(&html);
    }
}

#[test]
fn who_may_only_look_is_offered_nothing_else() {
    let done = fractal(State::Done);
    let guest = picture(&done, false, GUEST).unwrap();
    assert!(guest.contains("href=\"/login?next=/picture/") && !guest.contains("id=\"delete\""));
    let guest = new_form(1, GUEST).unwrap();
    assert!(guest.contains("href=\"/login?next=/new\"") && !guest.contains("id=\"create\""));
    let free = picture(&done, false, Viewer::FREE).unwrap();
    assert!(!free.contains("/login") && free.contains("id=\"delete\""));
}

#[test]
fn a_failed_picture_tells_why_and_shows_no_picture() {
    let failed = Fractal {
        error: Some("the disk is full".to_owned()),
        ..fractal(State::Failed)
    };
    let html = picture(&failed, false, Viewer::FREE).unwrap();
    assert!(html.contains("the disk is full"));
    assert!(!html.contains("src=\"/fractal/"));
}

#[test]
fn a_finished_picture_comes_with_its_recipe_in_words_command_and_link() {
    let html = picture(&fractal(State::Done), false, Viewer::FREE).unwrap();
    let id = Uuid::from_u128(7);
    assert!(html.contains(&format!("src=\"/fractal/{id}\"")));
    assert!(html.contains(&format!("href=\"/fractal/{id}?download\"")));
    let command = html.replace("<span>", "").replace("</span>", "");
    assert!(command.contains("faafo create --kind=julia --cx=-0.8 --cy=0.156 --xa=-2 --xb=2"));
    assert!(command.contains("--palette=aurora --tasks=1</code>"));
    assert!(html.contains("1.2 MB") && html.contains("1,500"));
    assert!(html.contains("-1.5 … 1e-9"));
}

#[test]
fn a_picture_s_colours_can_be_asked_for_again() {
    let mut fractal = fractal(State::Done);
    fractal.recipe.palette = Palette::Magma;
    fractal.recipe.colours.colouring = Some(faafo_model::Colouring::Slope);
    fractal.recipe.colours.interior = Some(faafo_model::Rgb([1, 2, 254]));
    let html = picture(&fractal, false, Viewer::FREE).unwrap();
    let command = html.replace("<span>", "").replace("</span>", "");
    assert!(
        command.contains("--palette=magma --colouring=slope --interior=0102fe --tasks=1</code>")
    );
    let link = html.replace("&amp;", "&").replace("&#38;", "&");
    assert!(link.contains("&palette=magma&colouring=slope&interior=0102fe\""));
}

#[test]
fn numbers_are_offered_as_a_file_and_shown_by_their_thumbnail() {
    let mut numbers = fractal(State::Done);
    numbers.recipe.format = Format::Npy;
    let id = numbers.id;
    let html = picture(&numbers, false, Viewer::FREE).unwrap();
    assert!(html.contains(&format!("src=\"/fractal/{id}/thumbnail\"")));
    assert!(!html.contains(&format!("src=\"/fractal/{id}\"")));
    assert!(html.contains(&format!("download=\"{id}.npy\">Download numbers</a>")));
    assert!(html.contains("NumPy (npy)"));
    let link = html.replace("&amp;", "&").replace("&#38;", "&");
    assert!(link.contains("&palette=aurora&format=npy\">Make another like this"));
    assert!(link.contains("&palette=aurora\">Ask for the picture"));
    let command = html.replace("<span>", "").replace("</span>", "");
    assert!(command.contains("--palette=aurora --format=npy --tasks=1</code>"));
    assert_no_inline_code(&html);
    let html = gallery(&page(&[numbers], &[]), Viewer::FREE).unwrap();
    assert!(html.contains("640 × 480 numbers"));
    assert!(!html.contains(&format!("src=\"/fractal/{id}\"")));
}

#[test]
fn a_picture_s_numbers_are_one_link_away() {
    let html = picture(&fractal(State::Done), false, Viewer::FREE).unwrap();
    let link = html.replace("&amp;", "&").replace("&#38;", "&");
    assert!(link.contains("&palette=aurora\">Make another like this"));
    assert!(link.contains("&palette=aurora&format=npy\">Ask for its numbers"));
    assert!(!html.contains("NumPy"));
}

#[test]
fn a_very_large_picture_is_not_loaded_by_its_page() {
    let mut large = fractal(State::Done);
    large.recipe.width = 8001;
    let html = picture(&large, false, Viewer::FREE).unwrap();
    assert!(html.contains(&format!("src=\"/fractal/{}/thumbnail\"", large.id)));
    assert!(!html.contains(&format!("src=\"/fractal/{}\"", large.id)));
}

#[test]
fn the_gallery_links_every_picture_and_pages_through() {
    let done = [fractal(State::Done)];
    let second = GalleryPage {
        page: 2,
        total_pages: 3,
        ..page(&done, &[])
    };
    let html = gallery(&second, Viewer::FREE).unwrap();
    assert!(html.contains(&format!("href=\"/picture/{}\"", done[0].id)));
    assert!(html.contains("href=\"/\"") && html.contains("href=\"/index/3\""));
    assert!(html.contains("Page 2 of 3"));
    assert_no_inline_code(&html);
}

#[test]
fn a_page_beyond_the_end_leads_back_to_the_last_one() {
    let beyond = GalleryPage {
        page: 90,
        total_pages: 3,
        ..page(&[], &[])
    };
    let html = gallery(&beyond, Viewer::FREE).unwrap();
    assert!(html.contains("href=\"/index/3\""));
    assert!(!html.contains("href=\"/index/91\""));
}

#[test]
fn an_empty_gallery_shows_the_way_to_the_first_picture() {
    let html = gallery(&page(&[], &[]), Viewer::FREE).unwrap();
    assert!(html.contains("href=\"/new\"") && html.contains("faafo create"));
}

#[test]
fn what_is_in_work_shows_its_progress() {
    let html = gallery(&page(&[], &[fractal(State::Rendering)]), Viewer::FREE).unwrap();
    assert!(html.contains("value=\"0.25\"") && html.contains("25&#8239;%"));
}

#[test]
fn the_form_knows_the_limit() {
    let html = new_form(400_000_000, Viewer::FREE).unwrap();
    assert!(html.contains("data-max-area=\"400000000\"") && html.contains("400,000,000"));
    assert_no_inline_code(&html);
}

#[test]
fn every_file_that_pages_and_scripts_name_is_there() {
    let done = [fractal(State::Done)];
    let mut texts = vec![
        gallery(&page(&done, &[]), Viewer::FREE).unwrap(),
        picture(&done[0], false, Viewer::FREE).unwrap(),
        new_form(1, Viewer::FREE).unwrap(),
        error(404, "Not found", "").unwrap(),
        sign_in(&sign_in_page(Viewer::FREE)).unwrap(),
    ];
    for name in ["gallery.js", "picture.js", "form.js", "preview.js"] {
        let bytes = asset(name).unwrap().bytes;
        texts.push(String::from_utf8(bytes.to_vec()).unwrap());
    }
    let mut found = 0;
    for text in &texts {
        for mark in ["\"/static/", "from \"./"] {
            for rest in text.split(mark).skip(1) {
                let name = rest.split(['"', '?']).next().unwrap();
                assert!(asset(name).is_some(), "{name}");
                found += 1;
            }
        }
    }
    assert!(found > 10);
    assert_eq!(asset("../Cargo.toml"), None);
}
