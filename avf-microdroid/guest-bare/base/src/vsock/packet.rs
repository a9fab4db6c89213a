//! The header of a packet.

/// Its length in bytes.
pub const HEADER: usize = 44;

/// Shutdown: the peer receives nothing any more.
pub const NO_MORE_RECEIVE: u32 = 1;
/// Shutdown: the peer sends nothing any more.
pub const NO_MORE_SEND: u32 = 2;

const STREAM: u16 = 1;

/// What a packet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Asks for a connection.
    Request,
    /// Accepts one.
    Response,
    /// Ends or refuses one.
    Reset,
    /// Says that one direction or both have ended.
    Shutdown,
    /// Carries data.
    Data,
    /// Tells the credit.
    CreditUpdate,
    /// Asks for it.
    CreditRequest,
    /// Anything else.
    Unknown(u16),
}

impl Op {
    const KNOWN: [Self; 7] = [
        Self::Request,
        Self::Response,
        Self::Reset,
        Self::Shutdown,
        Self::Data,
        Self::CreditUpdate,
        Self::CreditRequest,
    ];

    fn of(number: u16) -> Self {
        let index = usize::from(number).wrapping_sub(1);
        Self::KNOWN.get(index).copied().unwrap_or(Self::Unknown(number))
    }

    fn number(self) -> u16 {
        match self {
            Self::Request => 1,
            Self::Response => 2,
            Self::Reset => 3,
            Self::Shutdown => 4,
            Self::Data => 5,
            Self::CreditUpdate => 6,
            Self::CreditRequest => 7,
            Self::Unknown(number) => number,
        }
    }
}

/// What stands before the data of a packet; little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Who sends.
    pub source_cid: u64,
    /// Who receives.
    pub target_cid: u64,
    /// The sender's port.
    pub source_port: u32,
    /// The receiver's port.
    pub target_port: u32,
    /// The bytes of data that follow.
    pub length: u32,
    /// Whether it is about a stream; other types are not known here.
    pub is_stream: bool,
    /// What it does.
    pub op: Op,
    /// Of a shutdown.
    pub flags: u32,
    /// How many bytes the sender can buffer.
    pub buffer: u32,
    /// How many bytes the sender has taken out of its buffer, modulo 2^32.
    pub forwarded: u32,
}

impl Header {
    /// Takes a header apart.
    pub fn read(bytes: &[u8; HEADER]) -> Self {
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        Self {
            source_cid: u64_at(0),
            target_cid: u64_at(8),
            source_port: u32_at(16),
            target_port: u32_at(20),
            length: u32_at(24),
            is_stream: u16_at(28) == STREAM,
            op: Op::of(u16_at(30)),
            flags: u32_at(32),
            buffer: u32_at(36),
            forwarded: u32_at(40),
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&self.source_cid.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.target_cid.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.source_port.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.target_port.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.length.to_le_bytes());
        bytes[28..30].copy_from_slice(&u16::from(self.is_stream).to_le_bytes());
        bytes[30..32].copy_from_slice(&self.op.number().to_le_bytes());
        bytes[32..36].copy_from_slice(&self.flags.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.buffer.to_le_bytes());
        bytes[40..].copy_from_slice(&self.forwarded.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for op in Op::KNOWN.into_iter().chain([Op::Unknown(0), Op::Unknown(8), Op::Unknown(u16::MAX)]) {
            let header = Header {
                source_cid: 0x0102_0304_0506_0708,
                target_cid: 2,
                source_port: 0x1112_1314,
                target_port: 0x2122_2324,
                length: 0x3132_3334,
                is_stream: true,
                op,
                flags: 3,
                buffer: 0x4142_4344,
                forwarded: 0x5152_5354,
            };
            assert_eq!(Header::read(&header.bytes()), header);
        }
        let bytes = [0x01, 0x02, 0x03];
        let mut packet = [0; HEADER];
        packet[28..31].copy_from_slice(&bytes);
        assert!(!Header::read(&packet).is_stream);
    }
}
