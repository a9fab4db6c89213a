//! Parcels of RPC Binder: arguments and results, at multiples of four bytes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::binder::{Binder, is_stability};
use crate::session::Session;
use crate::status::{self, Status};
use crate::wire::{Address, u32_at, u64_at};

const TYPE_BINDER: i32 = 1;

/// Type and address; the stability after them is ordinary data.
const BINDER_OBJECT: usize = 12;

/// Data that is written and read at one position, as the NDK does it: whoever reads what was written goes back first.
///
/// A binder that was written has a place in the data whose address is filled in when the parcel is sent. Every read is
/// bounded by the data, and counts are checked before anything is allocated for them.
#[derive(Default)]
pub struct Parcel {
    data: Vec<u8>,
    position: Cell<usize>,
    objects: BTreeMap<usize, Binder>,
    /// For received parcels: binders that were read before version 2 listed them.
    received: RefCell<BTreeMap<usize, Binder>>,
    source: Source,
}

/// Where binders in the data come from.
#[derive(Default, Clone)]
enum Source {
    /// They were written here.
    #[default]
    Written,
    /// The message listed them, and they were received with it.
    Listed,
    /// They are received when they are read.
    Inline(Arc<Session>),
}

impl Parcel {
    pub fn new() -> Self {
        Self::default()
    }

    /// A received parcel. From version 2 on, its binders are received now, in the order of the table.
    pub(crate) fn received(data: &[u8], table: &[u8], session: &Arc<Session>) -> Result<Self, Status> {
        if session.version() < 2 {
            // Before, the table has descriptors only, and these are never sent on such a session.
            return if table.is_empty() {
                Ok(Self { data: data.into(), source: Source::Inline(session.clone()), ..Self::default() })
            } else {
                Err(status::BAD_VALUE)
            };
        }
        let mut parcel = Self { data: data.into(), source: Source::Listed, ..Self::default() };
        let mut free = 0;
        for entry in table.chunks_exact(4) {
            let at = u32_at(entry, 0) as usize;
            if at < free || at % 4 != 0 {
                return Err(status::BAD_VALUE);
            }
            let binder = parcel.receive(at, session)?;
            parcel.objects.insert(at, binder);
            free = at + BINDER_OBJECT;
        }
        Ok(parcel)
    }

    /// Receives the binder at a position.
    fn receive(&self, at: usize, session: &Arc<Session>) -> Result<Binder, Status> {
        let object = self.data.get(at..).and_then(|rest| rest.get(..16)).ok_or(status::NOT_ENOUGH_DATA)?;
        if u32_at(object, 0) as i32 != TYPE_BINDER {
            return Err(status::BAD_TYPE);
        }
        let stability = u32_at(object, 12) as i32;
        if !is_stability(stability) {
            return Err(status::BAD_TYPE);
        }
        session.receive(Address(u64_at(object, 4)), stability)
    }

    pub fn data(&self) -> &[u8] {
        &self.data
    }

    pub(crate) fn objects(&self) -> &BTreeMap<usize, Binder> {
        &self.objects
    }

    pub fn position(&self) -> usize {
        self.position.get()
    }

    /// Reads go on there.
    pub fn set_position(&self, position: usize) -> Result<(), Status> {
        if position > self.data.len() {
            return Err(status::BAD_VALUE);
        }
        self.position.set(position);
        Ok(())
    }

    /// How many bytes there are to read.
    pub fn remaining(&self) -> usize {
        self.data.len() - self.position.get()
    }

    /// Makes the parcel empty.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Writes bytes at the position, and zeros up to the next multiple of four.
    fn put(&mut self, bytes: &[u8]) {
        let start = self.position.get();
        let end = start + bytes.len();
        let padded = end.next_multiple_of(4);
        if padded > self.data.len() {
            self.data.resize(padded, 0);
        }
        self.data[start..end].copy_from_slice(bytes);
        self.data[end..padded].fill(0);
        self.objects.retain(|&at, _| at >= padded || at + BINDER_OBJECT <= start);
        self.position.set(padded);
    }

    pub fn write_i32(&mut self, value: i32) {
        self.put(&value.to_le_bytes());
    }

    pub fn write_i64(&mut self, value: i64) {
        self.put(&value.to_le_bytes());
    }

    pub fn write_f32(&mut self, value: f32) {
        self.put(&value.to_le_bytes());
    }

    pub fn write_f64(&mut self, value: f64) {
        self.put(&value.to_le_bytes());
    }

    pub fn write_bool(&mut self, value: bool) {
        self.write_i32(value.into());
    }

    pub fn write_byte(&mut self, value: i8) {
        self.write_i32(value.into());
    }

    pub fn write_char(&mut self, value: u16) {
        self.write_i32(value.into());
    }

    pub fn write_string(&mut self, value: Option<&str>) {
        let Some(value) = value else {
            return self.write_i32(-1);
        };
        let units: Vec<u16> = value.encode_utf16().collect();
        self.write_i32(units.len() as i32);
        let bytes: Vec<u8> = units.into_iter().chain([0]).flat_map(u16::to_le_bytes).collect();
        self.put(&bytes);
    }

    pub fn write_bytes(&mut self, value: Option<&[u8]>) {
        let Some(value) = value else {
            return self.write_i32(-1);
        };
        self.write_i32(value.len() as i32);
        self.put(value);
    }

    /// Writes numbers of `N` bytes, packed.
    pub fn write_packed<const N: usize>(&mut self, values: Option<&[[u8; N]]>) {
        let Some(values) = values else {
            return self.write_i32(-1);
        };
        self.write_i32(values.len() as i32);
        self.put(values.as_flattened());
    }

    pub fn write_binder(&mut self, binder: Option<&Binder>) {
        let Some(binder) = binder else {
            self.write_i32(0);
            return self.write_i32(0);
        };
        let stability = match binder {
            Binder::Local(_) => crate::binder::SYSTEM_STABILITY,
            Binder::Proxy(proxy) => proxy.stability,
        };
        let at = self.position.get();
        self.write_i32(TYPE_BINDER);
        self.write_i64(0);
        self.write_i32(stability);
        self.objects.insert(at, binder.clone());
    }

    /// The next bytes, and the padding after them passed over.
    fn take(&self, size: usize) -> Result<&[u8], Status> {
        let start = self.position.get();
        if size > self.remaining() {
            return Err(status::NOT_ENOUGH_DATA);
        }
        let end = start + size;
        // Addresses are not plain data.
        let overlapping = self.objects.range(..end).next_back().is_some_and(|(at, _)| at + BINDER_OBJECT > start);
        if overlapping {
            return Err(status::PERMISSION_DENIED);
        }
        self.position.set(end.next_multiple_of(4).min(self.data.len()));
        Ok(&self.data[start..end])
    }

    fn array<const N: usize>(&self) -> Result<[u8; N], Status> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn read_i32(&self) -> Result<i32, Status> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn read_i64(&self) -> Result<i64, Status> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn read_f32(&self) -> Result<f32, Status> {
        self.array().map(f32::from_le_bytes)
    }

    pub fn read_f64(&self) -> Result<f64, Status> {
        self.array().map(f64::from_le_bytes)
    }

    pub fn read_bool(&self) -> Result<bool, Status> {
        self.read_i32().map(|value| value != 0)
    }

    pub fn read_byte(&self) -> Result<i8, Status> {
        self.read_i32().map(|value| value as i8)
    }

    pub fn read_char(&self) -> Result<u16, Status> {
        self.read_i32().map(|value| value as u16)
    }

    /// A string, its unpaired surrogates replaced; or none.
    pub fn read_string(&self) -> Result<Option<String>, Status> {
        let count = self.read_i32()?;
        let Some(count) = usize::try_from(count).ok().filter(|&count| count != i32::MAX as usize) else {
            return if count == -1 { Ok(None) } else { Err(status::BAD_VALUE) };
        };
        // One unit more: it is terminated.
        let bytes = self.take((count + 1) * 2)?;
        let mut units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        if units.pop() != Some(0) {
            return Err(status::BAD_VALUE);
        }
        Ok(Some(String::from_utf16_lossy(&units)))
    }

    /// The count of an array whose elements have at least this many bytes each; or none.
    pub fn read_count(&self, least: usize) -> Result<Option<usize>, Status> {
        match self.read_i32()? {
            -1 => Ok(None),
            count => match usize::try_from(count) {
                Ok(count) if count <= self.remaining() / least => Ok(Some(count)),
                Ok(_) => Err(status::NOT_ENOUGH_DATA),
                Err(_) => Err(status::BAD_VALUE),
            },
        }
    }

    pub fn read_bytes(&self) -> Result<Option<&[u8]>, Status> {
        self.read_count(1)?.map(|count| self.take(count)).transpose()
    }

    /// Numbers of `N` bytes, packed; or none.
    pub fn read_packed<const N: usize>(&self) -> Result<Option<&[[u8; N]]>, Status> {
        let Some(count) = self.read_count(N)? else { return Ok(None) };
        Ok(Some(self.take(count * N)?.as_chunks_of()))
    }

    pub fn read_binder(&self) -> Result<Option<Binder>, Status> {
        let at = self.position.get();
        if let Some(binder) = self.objects.get(&at) {
            self.position.set(at + 16);
            return Ok(Some(binder.clone()));
        }
        let kind = self.read_i32()?;
        let result = match (kind & TYPE_BINDER, &self.source) {
            (0, _) => match self.read_i32()? {
                0 => return Ok(None),
                _ => Err(status::BAD_TYPE),
            },
            (_, Source::Inline(session)) => self.read_inline(at, session),
            _ => Err(status::BAD_VALUE),
        };
        if result.is_err() {
            self.position.set(at);
        }
        result.map(Some)
    }

    /// A binder that is read twice was sent once.
    fn read_inline(&self, at: usize, session: &Arc<Session>) -> Result<Binder, Status> {
        let known = self.received.borrow().get(&at).cloned();
        let binder = match known {
            Some(binder) => binder,
            None => {
                let binder = self.receive(at, session)?;
                self.received.borrow_mut().insert(at, binder.clone());
                binder
            }
        };
        self.position.set(at + 16);
        Ok(binder)
    }
}

/// `as_chunks` of the standard library, which is younger than the oldest compiler that builds this.
trait AsChunksOf {
    fn as_chunks_of<const N: usize>(&self) -> &[[u8; N]];
}

impl AsChunksOf for [u8] {
    fn as_chunks_of<const N: usize>(&self) -> &[[u8; N]] {
        // SAFETY: an array of bytes has the alignment of a byte, and as many as fit are within the slice.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), self.len() / N) }
    }
}
