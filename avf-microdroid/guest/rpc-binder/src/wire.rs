//! The structures of RPC Binder's wire protocol, versions 0 to 2; little-endian and without padding.

use std::fmt;

/// The highest version that is spoken here: Android 16 QPR2's.
pub const MAX_VERSION: u32 = 2;

pub const CONNECTION_HEADER: usize = 16;
pub const SESSION_ID: usize = 32;
pub const INIT: [u8; 8] = *b"cci\0\0\0\0\0";

pub const HEADER: usize = 16;
pub const TRANSACT: usize = 40;
pub const DEC_STRONG: usize = 16;

/// The longest body that is read.
pub const MAX_BODY: usize = 600 * 1024;

/// The longest body that is written is shorter, by the sender's rule.
pub const MAX_SENT_BODY: usize = MAX_BODY - HEADER;

pub const COMMAND_TRANSACT: u32 = 0;
pub const COMMAND_REPLY: u32 = 1;
pub const COMMAND_DEC_STRONG: u32 = 2;

pub const FLAG_ONEWAY: u32 = 1;

/// Why a session ends: the peer broke the protocol, or the connection did.
#[derive(Debug)]
pub enum Broken {
    Protocol(&'static str),
    Io(std::io::Error),
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(reason) => f.write_str(reason),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Broken {}

/// `RpcWireAddress`: options in the low half, the number of the object in the high one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Address(pub u64);

impl Address {
    /// The target of special transactions.
    pub const SPECIAL: Self = Self(0);
    const CREATED: u32 = 1;
    const FOR_SERVER: u32 = 2;

    /// The address of an object that lives here, in the server.
    pub fn of_server(number: u32) -> Self {
        Self(u64::from(number) << 32 | u64::from(Self::CREATED | Self::FOR_SERVER))
    }

    fn options(self) -> u32 {
        self.0 as u32
    }

    pub fn has_unknown_options(self) -> bool {
        self.options() & !(Self::CREATED | Self::FOR_SERVER) != 0
    }

    /// Whether the client made it.
    pub fn is_of_client(self) -> bool {
        self.options() == Self::CREATED
    }
}

/// `RpcConnectionHeader`, without the session id that may follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionHeader {
    pub version: u32,
    pub incoming: bool,
    pub descriptors: u8,
    pub id_size: u16,
}

impl ConnectionHeader {
    /// Unknown options and reserved bytes are ignored, as libbinder does.
    pub fn decode(bytes: &[u8; CONNECTION_HEADER]) -> Self {
        Self {
            version: u32_at(bytes, 0),
            incoming: bytes[4] & 1 != 0,
            descriptors: bytes[5],
            id_size: u16::from_le_bytes([bytes[14], bytes[15]]),
        }
    }
}

/// `RpcWireHeader`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub command: u32,
    pub body_size: usize,
}

impl Header {
    /// Checks command and size, so that nothing is allocated for what is never read. A reply may be longer than other
    /// bodies, by its fixed part.
    pub fn decode(bytes: &[u8; HEADER], version: u32) -> Result<Self, Broken> {
        let header = Self { command: u32_at(bytes, 0), body_size: u32_at(bytes, 4) as usize };
        let (least, most) = match header.command {
            COMMAND_TRANSACT => (TRANSACT, MAX_BODY),
            COMMAND_REPLY => (reply_size(version), reply_size(version) + MAX_BODY),
            COMMAND_DEC_STRONG => (DEC_STRONG, DEC_STRONG),
            _ => return Err(Broken::Protocol("there is no such command")),
        };
        if header.body_size < least || header.body_size > most {
            return Err(Broken::Protocol("a body of this size is not read"));
        }
        Ok(header)
    }

    fn encode(command: u32, body_size: usize, to: &mut Vec<u8>) {
        to.extend(command.to_le_bytes());
        to.extend((body_size as u32).to_le_bytes());
        to.extend([0; 8]);
    }
}

/// The fixed part of a REPLY.
pub fn reply_size(version: u32) -> usize {
    if version == 0 { 4 } else { 20 }
}

/// The fixed part of a TRANSACT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transaction {
    pub target: Address,
    pub code: u32,
    pub flags: u32,
    pub number: u64,
}

impl Transaction {
    pub fn is_oneway(&self) -> bool {
        self.flags & FLAG_ONEWAY != 0
    }

    /// Splits a body into its fixed part, the parcel, and the positions of objects.
    pub fn decode(body: &[u8], version: u32) -> Result<(Self, &[u8], &[u8]), Broken> {
        if body.len() < TRANSACT {
            return Err(Broken::Protocol("a transaction is too short"));
        }
        let transaction = Self {
            target: Address(u64_at(body, 0)),
            code: u32_at(body, 8),
            flags: u32_at(body, 12),
            number: u64_at(body, 16),
        };
        let (parcel, table) = split(&body[TRANSACT..], u32_at(body, 24), version)?;
        Ok((transaction, parcel, table))
    }

    pub fn encode(&self, parcel: &[u8], table: &[u8], to: &mut Vec<u8>) {
        Header::encode(COMMAND_TRANSACT, TRANSACT + parcel.len() + table.len(), to);
        to.extend(self.target.0.to_le_bytes());
        to.extend(self.code.to_le_bytes());
        to.extend(self.flags.to_le_bytes());
        to.extend(self.number.to_le_bytes());
        to.extend((parcel.len() as u32).to_le_bytes());
        to.extend([0; 12]);
        to.extend(parcel);
        to.extend(table);
    }
}

/// Splits the body of a REPLY into its status, the parcel, and the positions of objects.
pub fn decode_reply(body: &[u8], version: u32) -> Result<(i32, &[u8], &[u8]), Broken> {
    let fixed = reply_size(version);
    if body.len() < fixed {
        return Err(Broken::Protocol("a reply is too short"));
    }
    let status = u32_at(body, 0) as i32;
    let size = if version == 0 { 0 } else { u32_at(body, 4) };
    let (parcel, table) = split(&body[fixed..], size, version)?;
    Ok((status, parcel, table))
}

pub fn encode_reply(version: u32, status: i32, parcel: &[u8], table: &[u8], to: &mut Vec<u8>) {
    Header::encode(COMMAND_REPLY, reply_size(version) + parcel.len() + table.len(), to);
    to.extend(status.to_le_bytes());
    if version > 0 {
        to.extend((parcel.len() as u32).to_le_bytes());
        to.extend([0; 12]);
    }
    to.extend(parcel);
    to.extend(table);
}

/// The address and how many references are given back.
pub fn decode_dec_strong(body: &[u8]) -> Result<(Address, u32), Broken> {
    if body.len() != DEC_STRONG {
        return Err(Broken::Protocol("DEC_STRONG has 16 bytes"));
    }
    Ok((Address(u64_at(body, 0)), u32_at(body, 8)))
}

pub fn encode_dec_strong(address: Address, amount: u32, to: &mut Vec<u8>) {
    Header::encode(COMMAND_DEC_STRONG, DEC_STRONG, to);
    to.extend(address.0.to_le_bytes());
    to.extend(amount.to_le_bytes());
    to.extend([0; 4]);
}

/// At version 0 there is no table, and what is said of the parcel's size is not to be trusted.
fn split(rest: &[u8], size: u32, version: u32) -> Result<(&[u8], &[u8]), Broken> {
    if version == 0 {
        return Ok((rest, &[]));
    }
    let (parcel, table) =
        rest.split_at_checked(size as usize).ok_or(Broken::Protocol("a parcel is longer than its message"))?;
    if table.len() % 4 != 0 {
        return Err(Broken::Protocol("a table of objects has an odd size"));
    }
    Ok((parcel, table))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
