//! A component type, copied once out of the engine into a tree that a call can walk without touching the engine.
//!
//! The engine hands types out as handles that share one reference count; walking them for every value of every call
//! would make all threads write to the same word. A [`Shape`] is built when a component is loaded, within the limits
//! of reflection, and only read afterwards.

use wasmtime::component::types::{self, Type};

use super::limits::{MEMBERS, ReflectError, SIGNATURE_BYTES, TYPE_DEPTH, check_name};
use super::number::Int;
use super::text::same_name;

/// A type of values, as far as JSON can say them.
#[derive(Debug)]
pub(super) enum Shape {
    Bool,
    Int(Int),
    F32,
    F64,
    Char,
    String,
    /// `list<u8>`.
    Bytes,
    List(Box<Shape>),
    /// `list<T, N>`.
    FixedList(Box<Shape>, u32),
    Map(MapKey, Box<Shape>),
    Record(Box<[Field]>),
    Tuple(Box<[Shape]>),
    Variant(Box<[Case]>),
    Enum(Box<[Box<str>]>),
    Option(Box<OptionShape>),
    Result(Box<ResultShape>),
    Flags(Box<[Box<str>]>),
}

/// A field of a record, or a parameter of a function.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    pub(super) shape: Shape,
}

/// A case of a variant.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: Box<str>,
    pub(super) payload: Option<Shape>,
}

/// `option<T>`.
#[derive(Debug)]
pub(super) struct OptionShape {
    pub(super) inner: Shape,
    /// `T` can itself be `null`, so that a present value is always written `{"some": …}`.
    pub(super) nested: bool,
    /// `{"some": …}` cannot be a value of `T`, so that it is understood as a tag also where it is not needed.
    pub(super) tag_is_free: bool,
}

/// `result<T, E>`.
#[derive(Debug)]
pub(super) struct ResultShape {
    pub(super) ok: Option<Shape>,
    pub(super) err: Option<Shape>,
}

/// The types that the component model allows as keys of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MapKey {
    Bool,
    Int(Int),
    Char,
    String,
}

/// Why a type has no shape.
#[derive(Debug)]
pub(super) enum NoShape {
    /// JSON cannot say it: the function is not a tool.
    Unsupported(Unsupported),
    /// The component is refused.
    Refused(ReflectError),
}

/// A type that JSON cannot say.
#[derive(Debug)]
pub(super) struct Unsupported {
    pub(super) kind: &'static str,
    /// Where in the signature, outermost first, once the error has travelled out.
    pub(super) at: Vec<String>,
}

impl From<ReflectError> for NoShape {
    fn from(error: ReflectError) -> Self {
        NoShape::Refused(error)
    }
}

impl NoShape {
    fn unsupported(kind: &'static str) -> Self {
        NoShape::Unsupported(Unsupported { kind, at: Vec::new() })
    }

    /// The same error, seen from one level further out.
    pub(super) fn inside(mut self, name: &str) -> Self {
        if let NoShape::Unsupported(unsupported) = &mut self {
            unsupported.at.insert(0, name.to_owned());
        }
        self
    }
}

/// What one signature may still take.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    function: &'a str,
    spent: usize,
    depth: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(function: &'a str) -> Self {
        Builder { function, spent: 0, depth: 0 }
    }

    /// Estimated bytes of schema so far.
    pub(super) fn spent(&self) -> usize {
        self.spent
    }

    fn spend(&mut self, bytes: usize) -> Result<(), NoShape> {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent > SIGNATURE_BYTES {
            return Err(ReflectError::SignatureTooLarge { function: self.function.to_owned() }.into());
        }
        Ok(())
    }

    fn members(&self, found: usize) -> Result<(), NoShape> {
        if found > MEMBERS {
            return Err(ReflectError::TooManyMembers { function: self.function.to_owned(), found }.into());
        }
        Ok(())
    }

    /// A checked name, paid for twice: a schema lists a property and, mostly, requires it.
    fn name(&mut self, name: &str) -> Result<Box<str>, NoShape> {
        check_name(name)?;
        self.spend(2 * name.len() + 8)?;
        Ok(name.into())
    }

    fn names<'n>(&mut self, names: impl ExactSizeIterator<Item = &'n str>) -> Result<Box<[Box<str>]>, NoShape> {
        self.members(names.len())?;
        names.map(|name| self.name(name)).collect()
    }

    /// A field or parameter.
    pub(super) fn field(&mut self, name: &str, ty: &Type) -> Result<Field, NoShape> {
        let shape = self.shape(ty).map_err(|error| error.inside(name))?;
        Ok(Field { name: self.name(name)?, shape })
    }

    /// The shape of a type, within what is left. The depth is bounded here, and with it every later walk.
    pub(super) fn shape(&mut self, ty: &Type) -> Result<Shape, NoShape> {
        if self.depth == TYPE_DEPTH {
            return Err(ReflectError::TooDeep { function: self.function.to_owned() }.into());
        }
        self.spend(48)?;
        self.depth += 1;
        let shape = self.build(ty);
        self.depth -= 1;
        shape
    }

    fn build(&mut self, ty: &Type) -> Result<Shape, NoShape> {
        Ok(match ty {
            Type::Bool => Shape::Bool,
            Type::U8 => Shape::Int(Int::U8),
            Type::U16 => Shape::Int(Int::U16),
            Type::U32 => Shape::Int(Int::U32),
            Type::U64 => Shape::Int(Int::U64),
            Type::S8 => Shape::Int(Int::S8),
            Type::S16 => Shape::Int(Int::S16),
            Type::S32 => Shape::Int(Int::S32),
            Type::S64 => Shape::Int(Int::S64),
            Type::Float32 => Shape::F32,
            Type::Float64 => Shape::F64,
            Type::Char => Shape::Char,
            Type::String => Shape::String,
            Type::List(list) => self.list(&list.ty())?,
            Type::FixedLengthList(list) => Shape::FixedList(Box::new(self.shape(&list.ty())?), list.len()),
            Type::Map(map) => Shape::Map(key(&map.key())?, Box::new(self.shape(&map.value())?)),
            Type::Record(record) => self.record(record)?,
            Type::Tuple(tuple) => self.tuple(tuple)?,
            Type::Variant(variant) => self.variant(variant)?,
            Type::Enum(names) => Shape::Enum(self.names(names.names())?),
            Type::Flags(names) => Shape::Flags(self.names(names.names())?),
            Type::Option(option) => {
                let inner = self.shape(&option.ty())?;
                let nested = matches!(inner, Shape::Option(_));
                let tag_is_free = nested || tag_is_free(&inner);
                Shape::Option(Box::new(OptionShape { inner, nested, tag_is_free }))
            }
            Type::Result(result) => {
                let ok = self.payload("ok", result.ok())?;
                let err = self.payload("err", result.err())?;
                Shape::Result(Box::new(ResultShape { ok, err }))
            }
            Type::Own(_) | Type::Borrow(_) => return Err(NoShape::unsupported("resource")),
            Type::Future(_) => return Err(NoShape::unsupported("future")),
            Type::Stream(_) => return Err(NoShape::unsupported("stream")),
            Type::ErrorContext => return Err(NoShape::unsupported("error-context")),
        })
    }

    fn list(&mut self, element: &Type) -> Result<Shape, NoShape> {
        if *element == Type::U8 {
            self.spend(128)?;
            return Ok(Shape::Bytes);
        }
        Ok(Shape::List(Box::new(self.shape(element)?)))
    }

    fn record(&mut self, record: &types::Record) -> Result<Shape, NoShape> {
        let fields = record.fields();
        self.members(fields.len())?;
        Ok(Shape::Record(fields.map(|field| self.field(field.name, &field.ty)).collect::<Result<_, _>>()?))
    }

    fn tuple(&mut self, tuple: &types::Tuple) -> Result<Shape, NoShape> {
        let elements = tuple.types();
        self.members(elements.len())?;
        let shapes =
            elements.enumerate().map(|(index, ty)| self.shape(&ty).map_err(|error| error.inside(&index.to_string())));
        Ok(Shape::Tuple(shapes.collect::<Result<_, _>>()?))
    }

    fn variant(&mut self, variant: &types::Variant) -> Result<Shape, NoShape> {
        let cases = variant.cases();
        self.members(cases.len())?;
        let cases = cases.map(|case| {
            self.spend(96)?;
            Ok(Case { payload: self.payload(case.name, case.ty)?, name: self.name(case.name)? })
        });
        Ok(Shape::Variant(cases.collect::<Result<_, NoShape>>()?))
    }

    fn payload(&mut self, name: &str, ty: Option<Type>) -> Result<Option<Shape>, NoShape> {
        ty.map(|ty| self.shape(&ty).map_err(|error| error.inside(name))).transpose()
    }
}

impl Shape {
    /// Whether a value may be left out: the value is then `none`.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self, Shape::Option(_))
    }

    /// The kind's name in WIT, as other hosts use it in tags such as `{"__option": …}`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Shape::Bool => "bool",
            Shape::Int(int) => int.name(),
            Shape::F32 => "f32",
            Shape::F64 => "f64",
            Shape::Char => "char",
            Shape::String => "string",
            Shape::Bytes | Shape::List(_) | Shape::FixedList(..) => "list",
            Shape::Map(..) => "map",
            Shape::Record(_) => "record",
            Shape::Tuple(_) => "tuple",
            Shape::Variant(_) => "variant",
            Shape::Enum(_) => "enum",
            Shape::Option(_) => "option",
            Shape::Result(_) => "result",
            Shape::Flags(_) => "flags",
        }
    }
}

fn key(ty: &Type) -> Result<MapKey, NoShape> {
    Ok(match ty {
        Type::Bool => MapKey::Bool,
        Type::U8 => MapKey::Int(Int::U8),
        Type::U16 => MapKey::Int(Int::U16),
        Type::U32 => MapKey::Int(Int::U32),
        Type::U64 => MapKey::Int(Int::U64),
        Type::S8 => MapKey::Int(Int::S8),
        Type::S16 => MapKey::Int(Int::S16),
        Type::S32 => MapKey::Int(Int::S32),
        Type::S64 => MapKey::Int(Int::S64),
        Type::Char => MapKey::Char,
        Type::String => MapKey::String,
        _ => {
            return Err(NoShape::unsupported("map whose keys are neither text nor numbers"));
        }
    })
}

fn tag_is_free(inner: &Shape) -> bool {
    match inner {
        Shape::Map(..) => false,
        Shape::Record(fields) => !fields.iter().any(|field| same_name(&field.name, "some")),
        Shape::Variant(cases) => !cases.iter().any(|case| same_name(&case.name, "some")),
        Shape::Flags(names) => !names.iter().any(|name| same_name(name, "some")),
        _ => true,
    }
}
