//! Who may need a stored object, and as what.

use faafo_model::Uuid;

/// A kind of things that need stored objects. A new kind is one more constant: nothing goes through a list of them, so
/// none can be forgotten where it is decided what is still needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerKind(&'static str);

impl OwnerKind {
    /// A requested picture: its file, its thumbnail.
    pub const FRACTAL: Self = Self("fractal");
    /// A unit of work: what it has made of its owner, and what it is to work on.
    pub const TASK: Self = Self("task");

    /// A kind of that name, of at most 16 letters.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name, as the database spells it.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// One of those who need stored objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// What it is.
    pub kind: OwnerKind,
    /// Which one.
    pub id: Uuid,
}

impl Owner {
    /// The fractal of that id.
    pub const fn fractal(id: Uuid) -> Self {
        let kind = OwnerKind::FRACTAL;
        Self { kind, id }
    }

    /// The task of that id.
    pub const fn task(id: Uuid) -> Self {
        let kind = OwnerKind::TASK;
        Self { kind, id }
    }
}

/// What an owner needs a stored object as. It has one object in each role at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role(&'static str);

impl Role {
    /// The file that was asked for.
    pub const PICTURE: Self = Self("picture");
    /// A small picture of it. What has none is its own thumbnail.
    pub const THUMBNAIL: Self = Self("thumbnail");
    /// A band of a poster.
    pub const FRAGMENT: Self = Self("fragment");
    /// Which fragments make a poster.
    pub const MANIFEST: Self = Self("manifest");

    /// A role of that name, of at most 16 letters.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name, as the database spells it.
    pub const fn name(self) -> &'static str {
        self.0
    }
}
