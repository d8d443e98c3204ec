//! Headers between guest and host: every one counted in both directions.

use wasmtime::component::Resource;
use wasmtime_wasi_http::FieldMap;
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::p2::{HeaderError, HeaderResult};

use super::view::HttpView;

type Entries = Vec<(String, Vec<u8>)>;

impl HttpView<'_> {
    fn charge_header(&self, bytes: usize) -> HeaderResult<()> {
        self.charge(bytes).map_err(HeaderError::trap)
    }
}

impl types::HostFields for HttpView<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<FieldMap>> {
        types::HostFields::new(&mut self.inner)
    }

    fn from_list(&mut self, entries: Entries) -> HeaderResult<Resource<FieldMap>> {
        self.charge_header(size(&entries))?;
        types::HostFields::from_list(&mut self.inner, entries).map_err(|error| self.header_error(error))
    }

    fn get(&mut self, fields: Resource<FieldMap>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.charge(name.len())?;
        let values = types::HostFields::get(&mut self.inner, fields, name)?;
        self.charge(values.iter().map(Vec::len).sum())?;
        Ok(values)
    }

    fn has(&mut self, fields: Resource<FieldMap>, name: String) -> wasmtime::Result<bool> {
        self.charge(name.len())?;
        types::HostFields::has(&mut self.inner, fields, name)
    }

    fn set(&mut self, fields: Resource<FieldMap>, name: String, values: Vec<Vec<u8>>) -> HeaderResult<()> {
        self.charge_header(name.len() + values.iter().map(Vec::len).sum::<usize>())?;
        types::HostFields::set(&mut self.inner, fields, name, values).map_err(|error| self.header_error(error))
    }

    fn delete(&mut self, fields: Resource<FieldMap>, name: String) -> HeaderResult<()> {
        self.charge_header(name.len())?;
        types::HostFields::delete(&mut self.inner, fields, name)
    }

    fn append(&mut self, fields: Resource<FieldMap>, name: String, value: Vec<u8>) -> HeaderResult<()> {
        self.charge_header(name.len() + value.len())?;
        types::HostFields::append(&mut self.inner, fields, name, value).map_err(|error| self.header_error(error))
    }

    fn entries(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<Entries> {
        let entries = types::HostFields::entries(&mut self.inner, fields)?;
        self.charge(size(&entries))?;
        Ok(entries)
    }

    /// A copy costs what its text would: the host has it once more as soon as it is changed.
    fn clone(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<Resource<FieldMap>> {
        let size = self.inner.table.get(&fields)?.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        self.charge(size)?;
        types::HostFields::clone(&mut self.inner, fields)
    }

    fn drop(&mut self, fields: Resource<FieldMap>) -> wasmtime::Result<()> {
        types::HostFields::drop(&mut self.inner, fields)
    }
}

fn size(entries: &Entries) -> usize {
    entries.iter().map(|(name, value)| name.len() + value.len()).sum()
}
