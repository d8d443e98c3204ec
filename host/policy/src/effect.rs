//! What a call does to the world, and which class counts: the worse of what a plugin says and what it could do.

use serde::{Deserialize, Serialize};

use crate::authority::Authority;

/// What a call of a tool does to the world outside the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Changes nothing that anyone else could notice. May be repeated, reordered and skipped.
    Read,
    /// Changes something, and doing it twice with the same arguments is the same as doing it once.
    Idempotent,
    /// Changes something that another tool can put back.
    Reversible {
        /// The tool that puts it back, by its name in the same plugin.
        undo: String,
    },
    /// Changes something that no tool can put back.
    Irreversible,
}

impl Effect {
    /// The place in the order from harmless (0) to final (3).
    pub const fn rank(&self) -> u8 {
        match self {
            Effect::Read => 0,
            Effect::Idempotent => 1,
            Effect::Reversible { .. } => 2,
            Effect::Irreversible => 3,
        }
    }

    /// The worse of both. Two reversible effects with different ways back are irreversible: neither tool puts back both.
    #[must_use]
    pub fn worse(self, other: Effect) -> Effect {
        match (&self, &other) {
            (Effect::Reversible { undo: one }, Effect::Reversible { undo: two }) if one != two => Effect::Irreversible,
            _ if other.rank() > self.rank() => other,
            _ => self,
        }
    }

    /// The class as it is written in files and messages.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Idempotent => "idempotent",
            Effect::Reversible { .. } => "reversible",
            Effect::Irreversible => "irreversible",
        }
    }
}

/// Whether a plugin's own declaration of an effect is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The declaration comes with the product itself and is taken as it stands.
    FirstParty,
    /// The declaration is a claim, and grants that permit more outweigh it.
    Stranger,
}

/// The effect class of a tool that counts when nobody vouches for the plugin: the worse of the declared one and what the
/// grants permit. An undeclared effect is irreversible, or read where nothing is granted.
///
/// Where all that may be changed is changed by requests that carry an idempotency key, the operator says that doing it
/// again is doing it once: what would be irreversible is idempotent.
pub fn effective_effect(declared: Option<&Effect>, authority: &Authority) -> Effect {
    match declared {
        None | Some(Effect::Irreversible) if authority.is_keyed() => Effect::Idempotent,
        Some(declared) => declared.clone().worse(authority.worst_effect()),
        None if authority.reaches_nothing() => Effect::Read,
        None => Effect::Irreversible,
    }
}

impl Authority {
    /// Whether the operator says what the effect class of the tool `tool` is.
    pub fn says_effect_of(&self, tool: &str) -> bool {
        self.effects.contains_key(tool)
    }

    /// The effect class of the tool `tool` (its name inside the plugin) that counts: what the operator says about it,
    /// else the declared one of a first-party plugin, else [`effective_effect`].
    pub fn effect_of(&self, tool: &str, declared: Option<&Effect>, trust: Trust) -> Effect {
        match (self.effects.get(tool), declared, trust) {
            (Some(said), _, _) => said.clone(),
            (None, Some(Effect::Irreversible), Trust::FirstParty) if self.is_keyed() => Effect::Idempotent,
            (None, Some(declared), Trust::FirstParty) => declared.clone(),
            (None, declared, _) => effective_effect(declared, self),
        }
    }
}
