//! Mounted files: a folder with a file for each secret, as Docker, systemd and Kubernetes make them.

use std::io::Read;
use std::path::Path;

use super::error::StoreError;
use crate::name::SecretName;
use crate::secret::Secret;

/// The longest value. A longer file is no credential.
const MAX_BYTES: u64 = 64 * 1024;

/// The value of a name, without the line's end that editors add.
pub(super) fn get(folder: &Path, name: &SecretName) -> Result<Option<Secret>, StoreError> {
    let path = folder.join(name.as_str());
    // Kubernetes leads each file through links inside the folder; one that leads out would show any file of the machine.
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::read(&path)(error)),
    };
    let inside = folder.canonicalize().map_err(StoreError::read(folder))?;
    if !real.starts_with(&inside) {
        return Err(StoreError::Outside(path));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&real).map_err(StoreError::read(&path))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(StoreError::read(&path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(StoreError::TooLong { path, most: MAX_BYTES });
    }
    let mut text = String::from_utf8(bytes).map_err(|_| StoreError::NotText(path))?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    Ok((!text.is_empty()).then(|| Secret::new(text)))
}

/// The names of its files that are names of secrets. A folder that is not there has none.
pub(super) fn names(folder: &Path) -> Result<Vec<SecretName>, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::read(folder)(error)),
    };
    let name = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse::<SecretName>().ok();
    Ok(entries.flatten().filter(|entry| entry.path().is_file()).filter_map(name).collect())
}
