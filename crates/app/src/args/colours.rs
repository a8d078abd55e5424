//! Flags about colours.

use super::create::finite;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use faafo_model::gradient::{self, MOST_BYTES};
use faafo_model::{Colouring, Palette, Rgb, Stop};
use serde::Serialize;
use std::fs::File;
use std::io::Read;

/// Flags about colours, and how a request spells them; what is not given is left to the service.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize)]
#[command(next_help_heading = "Colours")]
pub struct ColourArgs {
    /// The colours [default: the service's, or the gradient's where one is given]
    #[arg(long, value_parser = palettes())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub palette: Option<Palette>,
    /// What of an orbit becomes a colour [default: classic for the classic palette, smooth for others]
    #[arg(long, value_parser = colourings())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colouring: Option<Colouring>,
    /// Own colours: a file of Fractint (.map), GIMP (.gpl) or Ultra Fractal (.ugr), or stops such as
    /// 0:03051a,0.5:ffffff
    #[arg(long, value_name = "FILE|STOPS", value_parser = gradient)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<Gradient>,
    /// How much faster than usual the palette is passed through, 0.001 to 1000
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub density: Option<f64>,
    /// Where in the palette it begins, in lengths of the palette, -2 to 2
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// The colour of what never escapes, such as 102030
    #[arg(long, value_name = "RRGGBB", value_parser = |text: &str| text.parse::<Rgb>())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interior: Option<Rgb>,
    /// Samples across each pixel, and as many down, averaged in linear light
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersampling: Option<u32>,
    /// Take only four samples where these look alike
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<bool>,
    /// Bits of each channel of a pixel: 8 or 16
    #[arg(long, value_name = "BITS", value_parser = depth)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
}

/// Stops of a gradient.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Gradient(pub Vec<Stop>);

fn palettes() -> impl TypedValueParser<Value = Palette> {
    PossibleValuesParser::new(Palette::ALL.map(Palette::name))
        .try_map(|name| Palette::named(&name).ok_or("no such palette"))
}

fn colourings() -> impl TypedValueParser<Value = Colouring> {
    PossibleValuesParser::new(Colouring::ALL.map(Colouring::name))
        .try_map(|name| Colouring::named(&name).ok_or("no such colouring"))
}

fn depth(text: &str) -> Result<u32, &'static str> {
    match text {
        "8" => Ok(8),
        "16" => Ok(16),
        _ => Err("must be 8 or 16"),
    }
}

/// Stops as they are given, or those of a file.
fn gradient(text: &str) -> Result<Gradient, String> {
    let given = gradient::parse_list(text);
    if let Ok(stops) = given {
        return Ok(Gradient(stops));
    }
    let mut bytes = Vec::new();
    let most = MOST_BYTES as u64 + 1;
    File::open(text)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| {
            format!("neither stops such as 0:03051a,0.5:ffffff nor a file: {error}")
        })?;
    let stops = gradient::read(&bytes).map_err(|error| error.to_string())?;
    Ok(Gradient(stops))
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, ColourArgs, Command};
    use clap::Parser;

    fn parse(flags: &[&str]) -> Result<ColourArgs, clap::Error> {
        let line = ["faafo", "create"].iter().chain(flags);
        match Cli::try_parse_from(line)?.command {
            Some(Command::Create(args)) => Ok(args.recipe.colours),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_given_is_sent_as_the_wire_spells_it() {
        let colours = parse(&[
            "--palette=magma",
            "--colouring=slope",
            "--density=2.5",
            "--offset",
            "-0.5",
            "--interior=102030",
            "--supersampling=4",
            "--adaptive",
            "--depth=16",
        ]);
        assert_eq!(
            serde_json::to_string(&colours.unwrap()).unwrap(),
            r##"{"palette":"magma","colouring":"slope","density":2.5,"offset":-0.5,"interior":"#102030","supersampling":4,"adaptive":true,"depth":16}"##
        );
        let nothing = parse(&[]).unwrap();
        assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
    }

    #[test]
    fn a_gradient_is_given_by_its_stops_or_by_a_file() {
        let stops = r##"{"gradient":[{"position":0.0,"colour":"#000000"},{"position":0.5,"colour":"#ff8000"}]}"##;
        let given = parse(&["--gradient", "0:000000,0.5:ff8000"]).unwrap();
        assert_eq!(serde_json::to_string(&given).unwrap(), stops);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0 0 0\n255 128 0\n").unwrap();
        let read = parse(&["--gradient", file.path().to_str().unwrap()]).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stops);
        std::fs::write(file.path(), "0 0 0\nrubbish\n").unwrap();
        let error = parse(&["--gradient", file.path().to_str().unwrap()]).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        let error = parse(&["--gradient", "no/such/file"]).unwrap_err();
        assert!(error.to_string().contains("nor a file"), "{error}");
    }

    #[test]
    fn colours_that_nobody_can_mean_are_usage_errors() {
        for flag in [
            "--palette=neon",
            "--colouring=neon",
            "--interior=red",
            "--supersampling=9",
            "--supersampling=0",
            "--depth=12",
            "--density=x",
        ] {
            assert!(parse(&[flag]).is_err(), "{flag}");
        }
    }
}
