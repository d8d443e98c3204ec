//! Who gets a name. A name, and every name that can be taken for it, belongs to one plugin: the one of the most trusted
//! rank. Two of one rank that want it both go without, so that neither adding nor renaming a file takes a name over.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use toolcrib_policy::PluginName;

use crate::names::{reserved_word, skeleton};
use crate::plugin::Plugin;
use crate::problem::Problem;
use crate::source::Rank;

/// Something that wants a name. A broken plugin wants its name too: breaking one must not give its name away.
pub(crate) struct Claim {
    pub(crate) rank: Rank,
    pub(crate) place: PathBuf,
    pub(crate) name: PluginName,
    pub(crate) plugin: Option<Arc<Plugin>>,
}

/// The plugins that have their names, and what was refused to the others.
pub(crate) fn resolve(mut claims: Vec<Claim>) -> (Vec<Arc<Plugin>>, Vec<Problem>) {
    claims.sort_by(|a, b| (a.rank, &a.name, &a.place).cmp(&(b.rank, &b.name, &b.place)));
    let looks: Vec<String> = claims.iter().map(|claim| skeleton(claim.name.as_str())).collect();
    let mut owners: HashMap<&str, &Claim> = HashMap::new();
    let mut plugins = Vec::new();
    let mut problems = Vec::new();
    let mut looks = looks.iter().map(String::as_str);
    for rank in claims.chunk_by(|a, b| a.rank == b.rank) {
        let rank: Vec<(&Claim, &str)> = rank.iter().zip(looks.by_ref()).collect();
        let mut rivals: HashMap<&str, Vec<&Claim>> = HashMap::new();
        for (claim, look) in &rank {
            rivals.entry(look).or_default().push(claim);
        }
        for (claim, look) in &rank {
            let same_rank = rivals.get(look).map_or(&[][..], Vec::as_slice);
            let rival = same_rank.iter().copied().find(|rival| rival.place != claim.place);
            match refusal(claim, owners.get(look).copied(), rival) {
                Some(problem) => problems.push(problem.of(&claim.name)),
                None => plugins.extend(claim.plugin.clone()),
            }
        }
        // Names are taken only when the whole rank has been looked at: within one, order must not matter.
        for (claim, look) in rank {
            owners.entry(look).or_insert(claim);
        }
    }
    plugins.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    (plugins, problems)
}

fn refusal(claim: &Claim, owner: Option<&Claim>, rival: Option<&Claim>) -> Option<Problem> {
    let (name, place) = (&claim.name, &claim.place);
    if let Some(word) = reserved_word(name).filter(|_| claim.rank != Rank::Embedded) {
        let message = format!("the name `{name}` is reserved: `{word}` speaks for the host; {}", way_out(claim));
        return Some(Problem::refused(place, "name-reserved", message));
    }
    let other = owner.or(rival)?;
    let place_of_other = other.place.display();
    let (code, cause) = if other.name == *name {
        ("name-taken", format!("the name `{name}` is taken by {place_of_other} ({})", other.rank.as_str()))
    } else {
        let cause = format!(
            "the name `{name}` looks like `{}`, which is {place_of_other} ({})",
            other.name,
            other.rank.as_str()
        );
        ("name-lookalike", cause)
    };
    let message = match owner {
        Some(_) => format!("{cause}; {}", way_out(claim)),
        None => format!("{cause}, and neither is used; {} or that one", way_out(claim)),
    };
    Some(Problem::refused(place, code, message))
}

fn way_out(claim: &Claim) -> &'static str {
    let is_file = claim.place.extension().is_some_and(|extension| extension == "wasm");
    if is_file { "rename or remove this file" } else { "change `name` in its plugin.toml, or remove this folder" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(rank: Rank, place: &str, name: &str) -> Claim {
        let name = PluginName::try_from(name).expect("a name");
        let plugin = Some(Arc::new(crate::plugin::tests::empty(&name, rank, place)));
        Claim { rank, place: PathBuf::from(place), name, plugin }
    }

    fn resolved(claims: Vec<Claim>) -> (Vec<PathBuf>, Vec<(String, String)>) {
        let (plugins, problems) = resolve(claims);
        let places = plugins.iter().map(|plugin| plugin.origin.path()).collect();
        let refused = problems.iter().map(|p| (p.path.display().to_string(), p.code.to_string())).collect();
        (places, refused)
    }

    fn pair(place: &str, code: &str) -> (String, String) {
        (place.to_owned(), code.to_owned())
    }

    #[test]
    fn a_directory_can_not_shadow_what_is_embedded_nor_a_project_what_the_user_has() {
        let (places, refused) = resolved(vec![
            claim(Rank::Project, "/p/files.wasm", "files"),
            claim(Rank::Project, "/p/notes.wasm", "notes"),
            claim(Rank::User, "/u/notes.wasm", "notes"),
            claim(Rank::Embedded, "embedded:files", "files"),
        ]);
        assert_eq!(places, [PathBuf::from("embedded:files"), PathBuf::from("/u/notes.wasm")]);
        assert_eq!(refused, [pair("/p/files.wasm", "name-taken"), pair("/p/notes.wasm", "name-taken")]);
    }

    #[test]
    fn of_two_of_one_rank_neither_wins_and_nobody_below_gets_the_name() {
        let (places, refused) = resolved(vec![
            claim(Rank::User, "/u/a/notes.wasm", "notes"),
            claim(Rank::User, "/u/b", "notes"),
            claim(Rank::Project, "/p/notes.wasm", "notes"),
        ]);
        assert!(places.is_empty());
        let expected = ["/u/a/notes.wasm", "/u/b", "/p/notes.wasm"].map(|place| pair(place, "name-taken"));
        assert_eq!(refused, expected);
    }

    #[test]
    fn a_look_alike_is_refused_and_says_what_it_looks_like() {
        let (_, problems) = resolve(vec![
            claim(Rank::Embedded, "embedded:files", "files"),
            claim(Rank::User, "/u/flles.wasm", "flles"),
        ]);
        let expected = "/u/flles.wasm: the name `flles` looks like `files`, which is embedded:files (embedded); \
                        rename or remove this file";
        assert_eq!(problems.iter().map(Problem::to_string).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn a_name_that_speaks_for_the_host_is_refused_outside_the_program() {
        let (places, refused) = resolved(vec![claim(Rank::Project, "/p/g", "grant-permission")]);
        assert!(places.is_empty());
        assert_eq!(refused, [pair("/p/g", "name-reserved")]);
    }

    #[test]
    fn a_broken_plugin_keeps_its_name_from_others() {
        let broken = Claim { plugin: None, ..claim(Rank::User, "/u/notes.wasm", "notes") };
        let (places, refused) = resolved(vec![broken, claim(Rank::Project, "/p/notes.wasm", "notes")]);
        assert!(places.is_empty());
        assert_eq!(refused, [pair("/p/notes.wasm", "name-taken")]);
    }

    #[test]
    fn the_order_of_the_claims_does_not_matter() {
        let claims = || {
            vec![
                claim(Rank::Project, "/p/a.wasm", "mail"),
                claim(Rank::Project, "/p/b.wasm", "mall"),
                claim(Rank::Project, "/p/c.wasm", "data"),
            ]
        };
        let mut reversed = claims();
        reversed.reverse();
        assert_eq!(resolved(claims()), resolved(reversed));
        assert_eq!(resolved(claims()).0, [PathBuf::from("/p/c.wasm")]);
    }
}
