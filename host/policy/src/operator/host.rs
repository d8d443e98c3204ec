//! `[host]`: the process around the sandbox.

use std::collections::BTreeSet;
use std::path::Path;

use super::OperatorFile;
use crate::error::PolicyError;
use crate::files::Access;
use crate::reader::Table;

/// Whether the process gives up, before the first guest runs, what no plugin is granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondWall {
    /// As far as the system can.
    #[default]
    Auto,
    /// All of it, or nothing is run.
    Require,
    /// Not at all.
    Off,
}

pub(crate) fn read(mut table: Table<'_>) -> Result<SecondWall, PolicyError> {
    let wall = match table.take("second-wall") {
        None => SecondWall::Auto,
        Some(node) => match node.text()? {
            "auto" => SecondWall::Auto,
            "require" => SecondWall::Require,
            "off" => SecondWall::Off,
            other => return Err(node.wrong(other, "write `auto`, `require` or `off`")),
        },
    };
    table.finish()?;
    Ok(wall)
}

impl OperatorFile {
    /// What the operator wants of the second wall.
    pub fn second_wall(&self) -> SecondWall {
        self.second_wall
    }

    /// Every folder of this machine that some plugin is granted.
    pub fn folders(&self) -> impl Iterator<Item = (&Path, Access)> {
        self.plugins.values().flat_map(|grants| grants.files.iter().map(|grant| (grant.host.as_path(), grant.access)))
    }

    /// Every TCP port that some plugin may send requests to, or where the host gets tokens for them.
    pub fn ports(&self) -> BTreeSet<u16> {
        let grants = self.plugins.values().flat_map(|grants| &grants.http);
        let granted = grants.filter_map(|grant| Some(grant.pattern().door()?.port));
        // The host asks for tokens itself.
        granted.chain(self.oauth.values().map(|client| client.port())).collect()
    }
}
