//! Limits: each a named value with a default and the reason for it. A limit is lowered by a manifest, the operator or
//! a caller, and raised by nobody.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{self, Unit};

/// Defines every limit once: its type, its field in [`Limits`], its key in TOML, its unit and its default.
macro_rules! limits {
    ($( $(#[$doc:meta])* $field:ident, $type:ident, $key:literal, $unit:ident, $default:expr; )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $type(u64);

            impl $type {
                /// The value without manifest and operator, and the most that either may ask for.
                pub const DEFAULT: Self = Self($default);
                /// The limit of `raw` bytes, operations, or milliseconds.
                pub const fn new(raw: u64) -> Self {
                    Self(raw)
                }
                limits!(@get $unit);
            }

            impl Default for $type {
                fn default() -> Self {
                    Self::DEFAULT
                }
            }

            impl fmt::Display for $type {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&units::print(self.0, Unit::$unit))
                }
            }
        )*

        /// Every limit of one call.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, rename_all = "kebab-case")]
        pub struct Limits {
            $( $(#[$doc])* pub $field: $type, )*
        }

        /// The limits that a manifest, an operator or a caller wants lower. Absent fields stay as they are.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct LimitRequest {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }

        /// Which limit a message or a refusal speaks of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum LimitName {
            $( $(#[$doc])* $type, )*
        }

        impl LimitName {
            /// Every limit, in the order of [`Limits`].
            pub const ALL: &'static [LimitName] = &[$( LimitName::$type ),*];

            /// The key in TOML, such as `http-requests`.
            pub const fn key(self) -> &'static str {
                match self { $( Self::$type => $key, )* }
            }

            /// The stable error code, such as `limit-http-requests`.
            pub const fn code(self) -> &'static str {
                match self { $( Self::$type => concat!("limit-", $key), )* }
            }

            /// The unit of the value.
            pub(crate) const fn unit(self) -> Unit {
                match self { $( Self::$type => Unit::$unit, )* }
            }

            const fn default_raw(self) -> u64 {
                match self { $( Self::$type => $type::DEFAULT.0, )* }
            }
        }

        impl Limits {
            /// These limits, each lowered to what `by` asks for. What `by` would raise stays as it is.
            #[must_use]
            pub fn lowered(&self, by: &LimitRequest) -> Limits {
                Limits { $( $field: by.$field.map_or(self.$field, |wanted| wanted.min(self.$field)), )* }
            }

            /// The lower of both, limit by limit.
            #[must_use]
            pub fn lower_of(&self, other: &Limits) -> Limits {
                Limits { $( $field: self.$field.min(other.$field), )* }
            }

            /// The value of `name` with its unit, for messages.
            pub fn shown(&self, name: LimitName) -> String {
                match name { $( LimitName::$type => self.$field.to_string(), )* }
            }
        }

        impl LimitRequest {
            pub(crate) fn set(&mut self, name: LimitName, raw: u64) {
                match name { $( LimitName::$type => self.$field = Some($type(raw)), )* }
            }

            /// The limits that `ceiling` has lower: each with the value here and the one there.
            pub(crate) fn above(&self, ceiling: &LimitRequest) -> Vec<(LimitName, String, String)> {
                let mut above = Vec::new();
                $(
                    if let (Some(here), Some(there)) = (self.$field, ceiling.$field) && here > there {
                        above.push((LimitName::$type, here.to_string(), there.to_string()));
                    }
                )*
                above
            }

            /// The limits that are asked for, each with its key and its value with unit.
            pub fn entries(&self) -> Vec<(LimitName, String)> {
                let mut entries = Vec::new();
                $( entries.extend(self.$field.map(|value| (LimitName::$type, value.to_string()))); )*
                entries
            }
        }
    };
    (@get Time) => {
        /// The limit as a duration.
        pub const fn get(self) -> Duration {
            Duration::from_millis(self.0)
        }
    };
    (@get $unit:ident) => {
        /// The limit as a plain number.
        pub const fn get(self) -> u64 {
            self.0
        }

        /// The limit as a size in memory, saturating where the platform counts less far.
        pub fn as_usize(self) -> usize {
            usize::try_from(self.0).unwrap_or(usize::MAX)
        }
    };
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const SECOND: u64 = 1000;

limits! {
    /// Fuel, about one unit per executed instruction. 20 G is some ten seconds of a tight loop: what a language
    /// runtime needs to start and parse a large file, and far below what would starve other calls.
    fuel, Fuel, "fuel", Count, 20_000_000_000;
    /// Time from the start of the call to its end, time inside host calls included. 60 s is as long as a person waits
    /// and longer than one exchange on the network may take.
    wall, WallTime, "wall", Time, 60 * SECOND;
    /// All linear memories and tables of the call together. 256 MiB holds a Python runtime and its data; larger data
    /// belongs into a file.
    memory, MemoryBytes, "memory", Bytes, 256 * MIB;
    /// The stack of the guest. 1 MiB is what language runtimes expect; the host's own stack is larger.
    stack, StackBytes, "stack", Bytes, MIB;
    /// Core instances in one component. Toolchains make fewer than ten; composed components some dozens.
    instances, InstanceCount, "instances", Count, 64;
    /// Live resource handles: streams, descriptors, requests, pollables. 1,000 is far above honest use and keeps the
    /// table of the host small.
    handles, HandleCount, "handles", Count, 1_000;
    /// Calls from the guest into the host. 1,000,000 lets a tool read a large file in small pieces and stops a loop of
    /// cheap calls that fuel would barely see.
    host_calls, HostCallCount, "host-calls", Count, 1_000_000;
    /// Bytes that cross between guest and host, summed over the call, so that many small copies count like a large one.
    host_call_bytes, HostCallBytes, "host-call-bytes", Bytes, 256 * MIB;
    /// The result of the call. 4 MiB is already more than a model can read.
    result, ResultBytes, "result", Bytes, 4 * MIB;
    /// Standard output, and standard error on its own. More is counted and dropped.
    output, OutputBytes, "output", Bytes, MIB;
    /// Lines of standard output, and of standard error on its own. More are counted and dropped.
    output_lines, OutputLines, "output-lines", Count, 10_000;
    /// Text in the log of the call, progress reports included. More is counted and dropped.
    log, LogBytes, "log", Bytes, 256 * KIB;
    /// Lines in the log of the call, progress reports included. More are counted and dropped.
    log_lines, LogLines, "log-lines", Count, 1_000;
    /// The arguments of the call as JSON. Equal to the result: what one tool gives, the next can take.
    argument_bytes, ArgumentBytes, "argument-bytes", Bytes, 4 * MIB;
    /// Nesting of arguments and results. 64 is deeper than any schema in use and shallow enough for every recursive
    /// reader behind it.
    argument_depth, ArgumentDepth, "argument-depth", Count, 64;
    /// Calls of other tools. 200 goes over every entry of a long list and stops a storm.
    tool_calls, ToolCallCount, "tool-calls", Count, 200;
    /// Requests on the network. 100 pages through a large listing and stops a flood.
    http_requests, HttpRequestCount, "http-requests", Count, 100;
    /// Bytes sent, request lines and headers included, so that an address is no way around it. 16 MiB is a large upload.
    http_out, HttpOutBytes, "http-out", Bytes, 16 * MIB;
    /// Bytes received, headers included, as they came from the network: compressed data counts as it arrived.
    http_in, HttpInBytes, "http-in", Bytes, 64 * MIB;
    /// Resolving, connecting and the TLS handshake together.
    http_connect, ConnectTime, "http-connect", Time, 10 * SECOND;
    /// From the sent request to the first byte of the answer. 30 s suits slow services and ends a silent one.
    http_first_byte, FirstByteTime, "http-first-byte", Time, 30 * SECOND;
    /// One whole exchange, so that a server which sends a byte per second ends too.
    http_total, ExchangeTime, "http-total", Time, 60 * SECOND;
    /// Exchanges at the same time. 8 is what a browser opens to one host.
    http_parallel, ParallelRequests, "http-parallel", Count, 8;
    /// All headers of one request, and of one answer. 64 KiB is what large servers accept.
    http_header_bytes, HeaderBytes, "http-header-bytes", Bytes, 64 * KIB;
    /// Bytes written to files.
    file_bytes_written, FileWriteBytes, "file-bytes-written", Bytes, 256 * MIB;
    /// Bytes read from files. A file larger than this is read in part.
    file_bytes_read, FileReadBytes, "file-bytes-read", Bytes, 1024 * MIB;
    /// Files and directories open at the same time. The process has some thousand for all calls together.
    files_open, OpenFiles, "files-open", Count, 64;
    /// Files and directories created. Inodes run out before bytes do.
    files_created, CreatedFiles, "files-created", Count, 10_000;
}

/// Why a value is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// The value cannot be read in the unit of the limit.
    #[error("`{key}` cannot be `{value}`: {source}; the most is {most}")]
    Unreadable {
        /// The key of the limit.
        key: &'static str,
        /// The value as it was written.
        value: String,
        /// What is wrong with it.
        source: units::UnitError,
        /// The most that it can be.
        most: String,
    },
    /// Nothing at all would be left.
    #[error("`{key}` cannot be `{value}`: zero would leave nothing: leave the grant out instead")]
    Zero {
        /// The key of the limit.
        key: &'static str,
        /// The value as it was written.
        value: String,
    },
    /// The limit is the same for all calls.
    #[error("`{key}` is {value} for every call and cannot be set; leave the key out")]
    Fixed {
        /// The key of the limit.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// The value is above the default.
    #[error("`{key}` cannot be `{value}`: a limit is lowered, never raised, and this one is at most {most}")]
    Raised {
        /// The key of the limit.
        key: &'static str,
        /// The value as it was written.
        value: String,
        /// The most that it can be.
        most: String,
    },
}

impl LimitRequest {
    /// Reads `value` in the unit of `name` and sets the limit: `64 MiB`, `5 s`, `200 M`, or a plain number of bytes
    /// or operations.
    pub fn parse_into(&mut self, name: LimitName, value: &str) -> Result<(), LimitError> {
        let key = name.key();
        // The engine has one stack size for all calls: a lower one could not be enforced.
        if name == LimitName::StackBytes {
            return Err(LimitError::Fixed { key, value: StackBytes::DEFAULT.to_string() });
        }
        let shown = || crate::names::shortened(value);
        let most = units::print(name.default_raw(), name.unit());
        let raw = match units::parse(value, name.unit()) {
            Ok(raw) => raw,
            Err(units::UnitError::Zero { .. }) => return Err(LimitError::Zero { key, value: shown() }),
            // Where the number itself is read, it is the size that is wrong.
            Err(units::UnitError::TooLarge) => return Err(LimitError::Raised { key, value: shown(), most }),
            Err(source) => return Err(LimitError::Unreadable { key, value: shown(), source, most }),
        };
        if raw > name.default_raw() {
            return Err(LimitError::Raised { key, value: shown(), most });
        }
        self.set(name, raw);
        Ok(())
    }
}
