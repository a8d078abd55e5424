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
    /// Whether every recipe has had it from the beginning. It is told even where it has its default.
    pub classic: bool,
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

/// All fields, in the order of the document.
pub static FIELDS: &[Field] = &[
    Field {
        range: Range::Named(|| Formula::kinds().collect()),
        default: Some(Literal::Text("julia")),
        classic: true,
        filterable: true,
        group: Group::Kind,
        title: "Formula",
        help: "Formula to iterate",
        ..text("kind", |recipe| name(recipe.formula.kind()))
    },
    Field {
        range: Range::Between(-MAX_COORDINATE, MAX_COORDINATE),
        classic: true,
        filterable: true,
        group: Group::Constant,
        title: "Real",
        help: "Real part of the constant of a Julia set, random if omitted, or of another formula's Julia form",
        ..real("cx", |recipe| constant(recipe, |(cx, _)| cx))
    },
    Field {
        range: Range::Between(-MAX_COORDINATE, MAX_COORDINATE),
        classic: true,
        filterable: true,
        group: Group::Constant,
        title: "Imaginary",
        help: "Imaginary part of the constant",
        ..real("cy", |recipe| constant(recipe, |(_, cy)| cy))
    },
    Field {
        title: "Left",
        help: "Real part at the left edge",
        ..edge("xa", |recipe| Some(Value::Real(recipe.view.edges()[0])))
    },
    Field {
        title: "Right",
        help: "Real part at the right edge",
        ..edge("xb", |recipe| Some(Value::Real(recipe.view.edges()[1])))
    },
    Field {
        title: "Top",
        help: "Imaginary part at the top edge",
        ..edge("ya", |recipe| Some(Value::Real(recipe.view.edges()[2])))
    },
    Field {
        title: "Bottom",
        help: "Imaginary part at the bottom edge",
        ..edge("yb", |recipe| Some(Value::Real(recipe.view.edges()[3])))
    },
    Field {
        range: Range::Between(-360.0, 360.0),
        default: Some(Literal::Real(0.0)),
        filterable: true,
        group: Group::View,
        title: "Rotation",
        help: "Degrees by which the picture is turned counter-clockwise about its centre",
        ..real("rotation", |recipe| {
            Some(Value::Real(recipe.view.rotation()))
        })
    },
    Field {
        range: Range::Between(1.0, MAX_SIDE as f64),
        required: true,
        classic: true,
        filterable: true,
        group: Group::Size,
        title: "Width",
        help: "Width in pixels",
        ..whole("width", |recipe| number(recipe.width))
    },
    Field {
        range: Range::Between(1.0, MAX_SIDE as f64),
        required: true,
        classic: true,
        filterable: true,
        group: Group::Size,
        title: "Height",
        help: "Height in pixels",
        ..whole("height", |recipe| number(recipe.height))
    },
    Field {
        range: Range::Between(1.0, MAX_ITERATIONS as f64),
        required: true,
        classic: true,
        filterable: true,
        group: Group::Colours,
        title: "Iterations",
        help: "Most iterations spent on a pixel",
        ..whole("iterations", |recipe| number(recipe.iterations))
    },
    Field {
        range: Range::Named(|| Palette::ALL.map(Palette::name).to_vec()),
        default: Some(Literal::Text("aurora")),
        classic: true,
        filterable: true,
        group: Group::Colours,
        title: "Palette",
        help: "Palette; gradient is the one given as stops",
        ..text("palette", |recipe| name(recipe.palette.name()))
    },
    Field {
        range: Range::Named(|| Colouring::ALL.map(Colouring::name).to_vec()),
        group: Group::Colours,
        title: "Colouring",
        help: "What determines a colour; if omitted, classic for the classic palette and smooth for others",
        ..text("colouring", |recipe| {
            let usual = recipe.palette.colouring();
            let other = recipe
                .colours
                .colouring
                .filter(|&colouring| colouring != usual);
            other.map(Colouring::name).and_then(name)
        })
    },
    Field {
        holds: Holds::Gradient,
        group: Group::Colours,
        title: "Gradient",
        help: "Stops of your own palette, by rising position",
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
        help: "Factor by which the palette repeats faster than usual",
        ..real("density", |recipe| {
            Some(Value::Real(recipe.colours.density))
        })
    },
    Field {
        range: Range::Between(*colours::OFFSETS.start(), *colours::OFFSETS.end()),
        default: Some(Literal::Real(0.0)),
        group: Group::Colours,
        title: "Offset",
        help: "Where in the palette colours begin, in lengths of the palette",
        ..real("offset", |recipe| Some(Value::Real(recipe.colours.offset)))
    },
    Field {
        holds: Holds::Colour,
        group: Group::Colours,
        title: "Interior",
        help: "Colour of points that never escape",
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
        title: "Adaptive anti-aliasing",
        help: "Take only four samples of a pixel where these look alike",
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
        title: "Bits per channel",
        help: "Bits per colour channel",
        ..whole("depth", |recipe| number(recipe.colours.depth))
    },
    Field {
        range: Range::Named(|| Format::ALL.map(Format::name).to_vec()),
        default: Some(Literal::Text("png")),
        filterable: true,
        group: Group::File,
        title: "Format",
        help: "File to make: a picture (png), or the iterations and continuous escape time of each pixel for NumPy (npy)",
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
        classic: false,
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
        classic: true,
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
    /// Those that fractals can be filtered and sorted by.
    pub fn filterable() -> impl Iterator<Item = &'static Self> {
        FIELDS.iter().filter(|field| field.filterable)
    }

    /// The field of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// Whether a recipe says nothing about it but what goes without saying.
    pub fn is_default(&self, recipe: &Recipe) -> bool {
        recipe.value(self) == self.default.map(Value::from)
    }

    /// Whether a value is within the field's range.
    ///
    /// # Errors
    /// Names the field and its range.
    pub fn check(&self, value: &Value) -> Result<(), FieldError> {
        if self.allows(value) {
            return Ok(());
        }
        let reason = format!("must be {}, and is {value}", self.expected());
        Err(FieldError::new(self.name, Mistake::Range, reason))
    }

    pub(crate) fn allows(&self, value: &Value) -> bool {
        match (self.range, value) {
            (Range::Between(least, most), Value::Real(number)) => (least..=most).contains(number),
            (Range::Between(least, most), Value::Whole(number)) => {
                (least..=most).contains(&(*number as f64))
            }
            (Range::OneOf(numbers), Value::Whole(number)) => numbers.contains(number),
            (Range::Named(names), Value::Text(name)) => names().contains(&name.as_str()),
            (Range::Any, _) => true,
            _ => false,
        }
    }

    /// What the field may be, for people: "a whole number from 1 to 8".
    pub fn expected(&self) -> String {
        let what = self.holds.expected();
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

impl Holds {
    /// What is held, for people.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Whole => "a whole number",
            Self::Real => "a finite number",
            Self::Text => "a name",
            Self::Flag => "true or false",
            Self::Colour => "a colour such as #1c5ec2",
            Self::Gradient => "a list of stops",
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

    /// All that the recipe says, by the names of the wire and the command line: every field but those that have their
    /// defaults, and between constant and view what its formula is told.
    pub fn said(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let of_formula = |field: &Field| matches!(field.group, Group::Kind | Group::Constant);
        let (before, after) = FIELDS.split_at(FIELDS.partition_point(of_formula));
        let say = |field: &'static Field| {
            let needed = field.classic || !field.is_default(self);
            Some((field.name, self.value(field).filter(|_| needed)?))
        };
        let parameters = self.formula.parameters();
        let parameters = parameters.map(|(name, value)| (name, Value::Real(value)));
        let before = before.iter().filter_map(say);
        before.chain(parameters).chain(after.iter().filter_map(say))
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

    #[test]
    fn values_that_make_no_sense_name_their_field() {
        type Change = fn(&mut Recipe);
        let changes: [(Change, &str); 8] = [
            (|recipe| recipe.colours.density = 0.0, "density"),
            (|recipe| recipe.colours.density = f64::NAN, "density"),
            (|recipe| recipe.colours.offset = 2.5, "offset"),
            (|recipe| recipe.colours.supersampling = 0, "supersampling"),
            (|recipe| recipe.colours.supersampling = 9, "supersampling"),
            (|recipe| recipe.colours.adaptive = true, "adaptive"),
            (|recipe| recipe.colours.depth = 10, "depth"),
            (|recipe| recipe.width = 0, "width"),
        ];
        for (change, field) in changes {
            let mut recipe = recipe();
            recipe.check().unwrap();
            change(&mut recipe);
            assert_eq!(recipe.check().unwrap_err().field, field);
        }
    }

    #[test]
    fn what_goes_without_saying_is_not_said() {
        let mut recipe = recipe();
        let names = |recipe: &Recipe| -> Vec<_> { recipe.said().map(|(name, _)| name).collect() };
        let classic = [
            "xa",
            "xb",
            "ya",
            "yb",
            "width",
            "height",
            "iterations",
            "palette",
        ];
        assert_eq!(names(&recipe), [&["kind", "power"][..], &classic].concat());
        recipe.colours.colouring = Some(Colouring::Smooth);
        recipe.colours.depth = 16;
        assert_eq!(names(&recipe).last(), Some(&"depth"));
        assert_eq!(names(&recipe).len(), 11);
    }

    fn recipe() -> Recipe {
        let text = r#"{"kind":"multibrot","parameters":{"power":3},"xa":-2,"xb":2,"ya":-1.5,"yb":1.5,"width":640,
            "height":480,"iterations":500,"palette":"aurora"}"#;
        Recipe::from_json(text).unwrap()
    }
}
