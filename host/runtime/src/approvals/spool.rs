//! Answers on their way to the process that has the ledger: one small file each, in the data folder.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toolcrib_policy::{ApprovalAnswer, ApprovalId};

/// The largest file that is read: a person's reason fits many times.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What lies in the spool for one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Word {
    /// An answer.
    Answer(ApprovalAnswer),
    /// A yes is taken back.
    Revoke,
}

impl Word {
    fn ending(&self) -> &'static str {
        match self {
            Word::Answer(_) => "answer",
            Word::Revoke => "revoke",
        }
    }
}

/// The folder. It is the data folder's, which belongs to the operator alone.
#[derive(Clone, Debug)]
pub(crate) struct Spool(PathBuf);

impl Spool {
    pub(crate) fn in_data(data: &Path) -> Self {
        Spool(data.join("answers"))
    }

    /// Leaves a word. It appears whole or not at all. The first answer to a question counts: a second one is not written.
    pub(crate) fn put(&self, id: &ApprovalId, word: &Word) -> std::io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0)?;
        let place = self.place(id, word.ending());
        let new = self.0.join(format!("{id}.{}.new", std::process::id()));
        let text = serde_json::to_vec(word)?;
        let mut file = std::fs::File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        // A link, unlike a rename, does not replace what is there.
        let linked = std::fs::hard_link(&new, &place);
        std::fs::remove_file(&new)?;
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// The answer that lies there.
    pub(crate) fn answer(&self, id: &ApprovalId) -> Option<ApprovalAnswer> {
        match self.read(&self.place(id, "answer"))? {
            Word::Answer(answer) => Some(answer),
            Word::Revoke => None,
        }
    }

    /// Whether a yes was taken back.
    pub(crate) fn is_revoked(&self, id: &ApprovalId) -> bool {
        self.place(id, "revoke").exists()
    }

    /// Takes away what was written down.
    pub(crate) fn remove(&self, id: &ApprovalId, word: &Word) {
        if let Err(error) = std::fs::remove_file(self.place(id, word.ending()))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%id, %error, "an answer that was written down stays in the spool");
        }
    }

    /// Everything that lies there, the files first that came first.
    pub(crate) fn all(&self) -> Vec<(ApprovalId, Word)> {
        let Ok(folder) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let mut found: Vec<_> = folder
            .flatten()
            .filter_map(|entry| {
                let path = entry.path();
                let id: ApprovalId = path.file_stem()?.to_str()?.parse().ok()?;
                let word = self.read(&path).filter(|word| path.extension().is_some_and(|e| e == word.ending()))?;
                Some((entry.metadata().ok()?.modified().ok()?, id, word))
            })
            .collect();
        found.sort_by_key(|(at, ..)| *at);
        found.into_iter().map(|(_, id, word)| (id, word)).collect()
    }

    fn read(&self, path: &Path) -> Option<Word> {
        let size = std::fs::metadata(path).ok()?.len();
        let text = (size <= FILE_BYTES_MAX).then(|| std::fs::read(path).ok()).flatten()?;
        match serde_json::from_slice(&text) {
            Ok(word) => Some(word),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "this is no answer; it is left where it is");
                None
            }
        }
    }

    fn place(&self, id: &ApprovalId, ending: &str) -> PathBuf {
        self.0.join(format!("{id}.{ending}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ApprovalId {
        text.parse().unwrap()
    }

    fn no(by: &str) -> Word {
        Word::Answer(ApprovalAnswer::Denied { by: by.to_owned(), reason: None })
    }

    #[test]
    fn the_first_answer_stays_and_foreign_files_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::in_data(dir.path());
        assert!(spool.all().is_empty());
        spool.put(&id("aaaaaaaa"), &no("ada")).unwrap();
        spool.put(&id("aaaaaaaa"), &no("eve")).unwrap();
        spool.put(&id("bbbbbbbb"), &Word::Revoke).unwrap();
        std::fs::write(dir.path().join("answers/cccccccc.answer"), "not json").unwrap();
        std::fs::write(dir.path().join("answers/notes.txt"), "mine").unwrap();
        assert_eq!(spool.all(), [(id("aaaaaaaa"), no("ada")), (id("bbbbbbbb"), Word::Revoke)]);
        assert!(spool.is_revoked(&id("bbbbbbbb")) && !spool.is_revoked(&id("aaaaaaaa")));
        spool.remove(&id("aaaaaaaa"), &no("ada"));
        assert_eq!(spool.answer(&id("aaaaaaaa")), None);
        assert!(dir.path().join("answers/notes.txt").exists());
    }
}
