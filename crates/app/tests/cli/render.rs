//! `faafo render`: pictures without a service.

use crate::{Faafo, complaint};

const VIEW: &str =
    "render --kind=mandelbrot --xa=-2 --xb=1 --ya=-1 --yb=1 --width=60 --height=40 --iterations=50";

#[test]
fn a_picture_and_its_numbers_are_written_without_a_service() {
    let faafo = Faafo::default();
    let run = |flags: &str| faafo.run(&format!("{VIEW} {flags}"));
    let output = run("--colouring=distance --palette=magma -o a.png");
    assert!(output.status.success(), "{output:?}");
    let picture = std::fs::read(faafo.folder.path().join("a.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    let told = br#"tEXtRecipe"#;
    assert!(picture.windows(told.len()).any(|bytes| bytes == told));

    assert!(run("--format=npy -o a.npy").status.success());
    let numbers = std::fs::read(faafo.folder.path().join("a.npy")).unwrap();
    assert!(numbers.starts_with(b"\x93NUMPY\x01\x00"));
    let header = usize::from(numbers[8]) + 256 * usize::from(numbers[9]) + 10;
    assert_eq!(header % 64, 0);
    assert_eq!(numbers.len() - header, 60 * 40 * 8);
    let shape = b"'shape': (40, 60)";
    assert!(
        numbers[..header]
            .windows(shape.len())
            .any(|bytes| bytes == shape)
    );
    // The middle is inside: all iterations, and no time.
    let middle = &numbers[header + (20 * 60 + 40) * 8..][..8];
    assert_eq!(middle[..4], 50u32.to_le_bytes());
    assert!(f32::from_le_bytes([middle[4], middle[5], middle[6], middle[7]]).is_nan());
}

#[test]
fn a_recipe_that_makes_no_sense_names_its_field_and_leaves_no_file() {
    let faafo = Faafo::default();
    for (flag, field) in [
        ("--palette=gradient", "gradient"),
        ("--adaptive", "adaptive"),
    ] {
        let said = complaint(&faafo.run(&format!("{VIEW} {flag} -o a.png")));
        assert!(said.contains(field), "{said}");
        assert!(!faafo.folder.path().join("a.png").exists());
    }
}
