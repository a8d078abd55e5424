//! The form for a new picture, made from the table of a recipe's fields.

use super::{Viewer, format};
use askama::Template;
use faafo_model::Palette;
use faafo_model::fields::{FIELDS, Field, Group, Holds, Range, Value};
use faafo_model::formula::{Constant, KINDS, Kind, Parameter, all_parameters, having};

/// What the form begins with.
const START: [(&str, &str); 9] = [
    ("cx", "-0.8"),
    ("cy", "0.156"),
    ("xa", "-1.7"),
    ("xb", "1.7"),
    ("ya", "-0.95625"),
    ("yb", "0.95625"),
    ("width", "1920"),
    ("height", "1080"),
    ("iterations", "500"),
];

/// Fields that have a place of their own in the form.
const PLACED: [&str; 5] = ["kind", "iterations", "palette", "gradient", "format"];

#[derive(Template)]
#[template(path = "new.html")]
pub struct NewForm {
    pub max_area: u64,
    pub viewer: Viewer,
}

/// A field in the form.
struct Input {
    field: &'static Field,
    /// What it begins with, or nothing.
    value: &'static str,
    /// Its default, or nothing.
    default: String,
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

    /// Fields of a group that have no place of their own.
    fn inputs(&self, group: Group) -> Vec<Input> {
        let here = |field: &&Field| field.group == group && !PLACED.contains(&field.name);
        FIELDS.iter().filter(here).map(Input::new).collect()
    }

    /// A field that has one.
    fn input(&self, name: &str) -> Option<Input> {
        Field::named(name).map(Input::new)
    }

    fn palettes(&self) -> [&'static str; 8] {
        Palette::ALL.map(Palette::name)
    }

    fn limit(&self) -> String {
        format::thousands(self.max_area)
    }
}

impl Input {
    fn new(field: &'static Field) -> Self {
        let value = START.iter().find(|(name, _)| *name == field.name);
        let default = field
            .default
            .map(|default| Value::from(default).to_string());
        Self {
            field,
            value: value.map_or("", |(_, value)| value),
            default: default.unwrap_or_default(),
        }
    }

    /// How the script reads it: `number`, `option` (a number that may be left out), `word` or `flag`.
    fn holds(&self) -> &'static str {
        match self.field.holds {
            Holds::Whole | Holds::Real if self.value.is_empty() => "option",
            Holds::Whole | Holds::Real => "number",
            Holds::Flag => "flag",
            Holds::Text | Holds::Colour | Holds::Gradient => "word",
        }
    }

    /// What can be chosen besides the default, if that is all there is.
    fn choices(&self) -> Vec<String> {
        let all: Vec<String> = match self.field.range {
            Range::Named(names) => names().into_iter().map(str::to_owned).collect(),
            Range::OneOf(numbers) => numbers.iter().map(i64::to_string).collect(),
            Range::Between(..) | Range::Any => Vec::new(),
        };
        all.into_iter()
            .filter(|name| *name != self.default)
            .collect()
    }

    /// The name of the choice that says nothing.
    fn usual(&self) -> &str {
        match self.default.as_str() {
            "" => "Palette default",
            default => default,
        }
    }

    /// What stands in the empty field.
    fn placeholder(&self) -> &str {
        match self.field.holds {
            Holds::Colour => "#102030",
            Holds::Gradient => "0:03051a,0.5:ffffff",
            _ => &self.default,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self.field.holds, Holds::Whole | Holds::Real)
    }

    /// The bounds of a number that people come near.
    fn bounds(&self) -> Option<(f64, f64)> {
        match self.field.range {
            Range::Between(least, most) if most < 1e17 => Some((least, most)),
            _ => None,
        }
    }

    fn is_flag(&self) -> bool {
        self.field.holds == Holds::Flag
    }

    /// What is said about it besides its mistakes.
    fn hint(&self) -> &'static str {
        match (self.field.name, self.field.group) {
            ("iterations", _) => " iterations-hint",
            (_, Group::Size) => " area",
            _ => "",
        }
    }
}
