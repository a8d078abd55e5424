//! The one table of a recipe's fields. Request checks, query language, command line, form, `faafo show` and OpenAPI
//! follow from it: a new field is a row here, and a member of the type that holds it.
//!
//! What only some formulas can be told (`power`, …) is in their own table, [`KINDS`](crate::formula::KINDS).

use crate::limits::{FieldError, MAX_COORDINATE, MAX_ITERATIONS, MAX_SIDE, Mistake};
use crate::{Colouring, Format, Formula, Palette, Recipe, Rgb, colours, gradient};

/// What a field holds. The first three are what a column of a database can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A whole number.
    Whole,
    /// A finite number.
    Real,
    /// A name.
    Text,
    /// True or false.
    Flag,
    /// A colour such as `#1c5ec2`.
    Colour,
    /// A list of stops.
    Gradient,
}

/// A field's value. Flags, colours and gradients are given as the command line spells them, without anything that a
/// shell or an address would have to quote.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the types speak for themselves")]
pub enum Value {
    Whole(i64),
    Real(f64),
    Text(String),
}

/// A value that is known at compile time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the types speak for themselves")]
pub enum Literal {
    Whole(i64),
    Real(f64),
    Text(&'static str),
}

/// Which values a field may have.
#[derive(Debug, Clone, Copy)]
pub enum Range {
    /// From the first to the second, both included.
    Between(f64, f64),
    /// Whole numbers, only these.
    OneOf(&'static [i64]),
    /// Names, only these.
    Named(fn() -> Vec<&'static str>),
    /// All that can be read.
    Any,
}

/// What a field is about; forms show fields of one group together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the groups speak for themselves")]
pub enum Group {
    Kind,
    Constant,
    View,
    Size,
    Colours,
    File,
}

/// A field of a recipe.
#[derive(Debug)]
pub struct Field {
    /// The name on the wire, in databases and on the command line.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Which values it may have.
    pub range: Range,
    /// What an absent field means. `None` if it is required or its absence is a value of its own, in databases null.
    pub default: Option<Literal>,
    /// Whether a request must have it.
    pub required: bool,
    /// Whether fractals can be filtered and sorted by it, so that it needs a column.
    pub filterable: bool,
    /// What it is about.
    pub group: Group,
    /// Its heading on pages.
    pub title: &'static str,
    /// What it means, without a full stop.
    pub help: &'static str,
    /// Its value in a recipe.
    pub get: fn(&Recipe) -> Option<Value>,
}

/// All fields, in the order in which they are listed and checked.
pub static FIELDS: &[Field] = &[
    Field {
        range: Range::Named(|| Formula::kinds().collect()),
        default: Some(Literal::Text("julia")),
        filterable: true,
        group: Group::Kind,
        title: "Formula",
        help: "What to draw",
        ..text("kind", |recipe| name(recipe.formula.kind()))
    },
    Field {
        range: Range::Between(1.0, MAX_SIDE as f64),
        required: true,
        filterable: true,
        group: Group::Size,
        title: "Width",
        help: "Width in pixels",
        ..whole("width", |recipe| number(recipe.width))
    },
    Field {
        range: Range::Between(1.0, MAX_SIDE as f64),
        required: true,
        filterable: true,
        group: Group::Size,
        title: "Height",
        help: "Height in pixels",
        ..whole("height", |recipe| number(recipe.height))
    },
    Field {
        range: Range::Between(1.0, MAX_ITERATIONS as f64),
        required: true,
        filterable: true,
        group: Group::Colours,
        title: "Iterations",
        help: "Most iterations spent on a pixel",
        ..whole("iterations", |recipe| number(recipe.iterations))
    },
    Field {
        title: "Left",
        help: "Real part at the left edge",
        ..edge("xa", |recipe| Some(Value::Real(recipe.view.xa)))
    },
    Field {
        title: "Right",
        help: "Real part at the right edge",
        ..edge("xb", |recipe| Some(Value::Real(recipe.view.xb)))
    },
    Field {
        title: "Top",
        help: "Imaginary part at the top edge",
        ..edge("ya", |recipe| Some(Value::Real(recipe.view.ya)))
    },
    Field {
        title: "Bottom",
        help: "Imaginary part at the bottom edge",
        ..edge("yb", |recipe| Some(Value::Real(recipe.view.yb)))
    },
    Field {
        range: Range::Between(-MAX_COORDINATE, MAX_COORDINATE),
        filterable: true,
        group: Group::Constant,
        title: "Real",
        help: "Real part of the constant of a Julia set, drawn if not given, or of another formula's Julia form",
        ..real("cx", |recipe| constant(recipe, |(cx, _)| cx))
    },
    Field {
        range: Range::Between(-MAX_COORDINATE, MAX_COORDINATE),
        filterable: true,
        group: Group::Constant,
        title: "Imaginary",
        help: "Imaginary part of the constant",
        ..real("cy", |recipe| constant(recipe, |(_, cy)| cy))
    },
    Field {
        range: Range::Named(|| Palette::ALL.map(Palette::name).to_vec()),
        default: Some(Literal::Text("aurora")),
        filterable: true,
        group: Group::Colours,
        title: "Palette",
        help: "The colours",
        ..text("palette", |recipe| name(recipe.palette.name()))
    },
    Field {
        range: Range::Named(|| Colouring::ALL.map(Colouring::name).to_vec()),
        group: Group::Colours,
        title: "Colouring",
        help: "What of an orbit becomes a colour",
        ..text("colouring", |recipe| {
            recipe.colours.colouring.map(Colouring::name).and_then(name)
        })
    },
    Field {
        holds: Holds::Gradient,
        group: Group::Colours,
        title: "Gradient",
        help: "Stops of the gradient",
        ..text("gradient", |recipe| {
            let stops = &recipe.colours.gradient;
            (!stops.is_empty()).then(|| Value::Text(gradient::to_list(stops)))
        })
    },
    Field {
        range: Range::Between(*colours::DENSITIES.start(), *colours::DENSITIES.end()),
        default: Some(Literal::Real(1.0)),
        group: Group::Colours,
        title: "Density",
        help: "How much faster than usual the palette is passed through",
        ..real("density", |recipe| {
            Some(Value::Real(recipe.colours.density))
        })
    },
    Field {
        range: Range::Between(*colours::OFFSETS.start(), *colours::OFFSETS.end()),
        default: Some(Literal::Real(0.0)),
        group: Group::Colours,
        title: "Offset",
        help: "Where in the palette it begins, in lengths of the palette",
        ..real("offset", |recipe| Some(Value::Real(recipe.colours.offset)))
    },
    Field {
        holds: Holds::Colour,
        group: Group::Colours,
        title: "Interior",
        help: "The colour of what never escapes",
        ..text("interior", |recipe| {
            recipe.colours.interior.map(Rgb::digits).map(Value::Text)
        })
    },
    Field {
        range: Range::Between(1.0, colours::MOST_SAMPLES as f64),
        default: Some(Literal::Whole(1)),
        group: Group::Colours,
        title: "Supersampling",
        help: "Samples across each pixel, and as many down, averaged in linear light",
        ..whole("supersampling", |recipe| {
            number(recipe.colours.supersampling)
        })
    },
    Field {
        holds: Holds::Flag,
        default: Some(Literal::Text("false")),
        group: Group::Colours,
        title: "Adaptive",
        help: "Take only four samples where these look alike",
        ..text("adaptive", |recipe| {
            name(if recipe.colours.adaptive {
                "true"
            } else {
                "false"
            })
        })
    },
    Field {
        range: Range::OneOf(&[8, 16]),
        default: Some(Literal::Whole(8)),
        group: Group::Colours,
        title: "Bits a channel",
        help: "Bits of each channel of a pixel",
        ..whole("depth", |recipe| number(recipe.colours.depth))
    },
    Field {
        range: Range::Named(|| Format::ALL.map(Format::name).to_vec()),
        default: Some(Literal::Text("png")),
        filterable: true,
        group: Group::File,
        title: "Format",
        help: "What becomes of it: the picture, or the iterations and continuous escape time of each pixel for NumPy (npy)",
        ..text("format", |recipe| name(recipe.format.name()))
    },
];

const fn field(name: &'static str, holds: Holds, get: fn(&Recipe) -> Option<Value>) -> Field {
    Field {
        name,
        holds,
        range: Range::Any,
        default: None,
        required: false,
        filterable: false,
        group: Group::Colours,
        title: "",
        help: "",
        get,
    }
}

const fn whole(name: &'static str, get: fn(&Recipe) -> Option<Value>) -> Field {
    field(name, Holds::Whole, get)
}

const fn real(name: &'static str, get: fn(&Recipe) -> Option<Value>) -> Field {
    field(name, Holds::Real, get)
}

const fn text(name: &'static str, get: fn(&Recipe) -> Option<Value>) -> Field {
    field(name, Holds::Text, get)
}

const fn edge(name: &'static str, get: fn(&Recipe) -> Option<Value>) -> Field {
    Field {
        range: Range::Between(-MAX_COORDINATE, MAX_COORDINATE),
        required: true,
        filterable: true,
        group: Group::View,
        ..real(name, get)
    }
}

fn name(name: &str) -> Option<Value> {
    Some(Value::Text(name.to_owned()))
}

fn number(number: u32) -> Option<Value> {
    Some(Value::Whole(number.into()))
}

fn constant(recipe: &Recipe, part: fn((f64, f64)) -> f64) -> Option<Value> {
    recipe.formula.constant().map(part).map(Value::Real)
}

impl Field {
    /// The field of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// Whether a value is within the field's range.
    ///
    /// # Errors
    /// Names the field and its range.
    pub fn check(&self, value: &Value) -> Result<(), FieldError> {
        let allowed = match (self.range, value) {
            (Range::Between(least, most), Value::Real(number)) => (least..=most).contains(number),
            (Range::Between(least, most), Value::Whole(number)) => {
                (least..=most).contains(&(*number as f64))
            }
            (Range::OneOf(numbers), Value::Whole(number)) => numbers.contains(number),
            (Range::Named(names), Value::Text(name)) => names().contains(&name.as_str()),
            (Range::Any, _) => true,
            _ => false,
        };
        if allowed {
            return Ok(());
        }
        let reason = format!("must be {}, and is {value}", self.expected());
        Err(FieldError::new(self.name, Mistake::Range, reason))
    }

    /// What the field may be, for people: "a whole number from 1 to 8".
    pub fn expected(&self) -> String {
        let what = match self.holds {
            Holds::Whole => "a whole number",
            Holds::Real => "a finite number",
            Holds::Text => "a name",
            Holds::Flag => "true or false",
            Holds::Colour => "a colour such as #1c5ec2",
            Holds::Gradient => "a list of stops",
        };
        match self.range {
            Range::Between(least, most) => {
                format!("{what} from {} to {}", plain(least), plain(most))
            }
            Range::OneOf(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                numbers.join(" or ")
            }
            Range::Named(names) => format!("one of {}", names().join(", ")),
            Range::Any => what.to_owned(),
        }
    }
}

/// A bound without rows of zeros.
fn plain(bound: f64) -> String {
    if bound.abs() < 1e17 {
        bound.to_string()
    } else {
        format!("{bound:e}")
    }
}

impl Recipe {
    /// The value of a field; `None` where the recipe says nothing about it and it has no default.
    pub fn value(&self, field: &Field) -> Option<Value> {
        (field.get)(self)
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl From<Literal> for Value {
    fn from(literal: Literal) -> Self {
        match literal {
            Literal::Whole(number) => Self::Whole(number),
            Literal::Real(number) => Self::Real(number),
            Literal::Text(text) => Self::Text(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_field_has_a_name_of_its_own_and_explains_itself() {
        let names: BTreeSet<&str> = FIELDS.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), FIELDS.len());
        for field in FIELDS {
            assert!(
                !field.title.is_empty() && !field.help.is_empty(),
                "{}",
                field.name
            );
            assert!(!field.help.ends_with('.'), "{}", field.name);
        }
    }

    #[test]
    fn what_can_be_filtered_by_is_what_a_column_can_hold() {
        for field in FIELDS.iter().filter(|field| field.filterable) {
            let column = matches!(field.holds, Holds::Whole | Holds::Real | Holds::Text);
            assert!(column, "{}", field.name);
        }
    }

    #[test]
    fn defaults_are_allowed_and_of_the_field_s_own_type() {
        for field in FIELDS {
            let Some(default) = field.default else {
                continue;
            };
            assert!(!field.required, "{}", field.name);
            field.check(&default.into()).unwrap();
            let fits = match default {
                Literal::Whole(_) => field.holds == Holds::Whole,
                Literal::Real(_) => field.holds == Holds::Real,
                Literal::Text(_) => matches!(field.holds, Holds::Text | Holds::Flag),
            };
            assert!(fits, "{}", field.name);
        }
    }
}
