//! The frames of the connection: a length of 32 bits and a body, which is a kind and its fields, all little-endian.

use alloc::vec::Vec;

/// The longest body, in bytes.
pub const MAX_BODY: usize = 65536;

const CHALLENGE: usize = 32;
const MAX_CHALLENGE: usize = 64;

/// What the host asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A keyed digest of this.
    Challenge([u8; CHALLENGE]),
    /// The DICE chain, and this signed by its last key.
    Chain(Vec<u8>),
    /// Where the secret is.
    Where,
    /// To switch the machine off.
    Off,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestError {
    /// No kind of request has this number.
    Kind(u8),
    /// The fields of this kind have another length.
    Length(u8),
    /// There is no body, or it is too long.
    Body(u32),
}

impl core::fmt::Display for RequestError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Kind(kind) => write!(out, "request {kind} is unknown"),
            Self::Length(kind) => write!(out, "the fields of request {kind} have another length"),
            Self::Body(length) => write!(out, "a body has 1 to {MAX_BODY} bytes but this one {length}"),
        }
    }
}

impl core::error::Error for RequestError {}

impl Request {
    /// The length of a body, from the bytes before it.
    pub fn body_length(prefix: [u8; 4]) -> Result<usize, RequestError> {
        match u32::from_le_bytes(prefix) {
            length if (1..=MAX_BODY as u32).contains(&length) => Ok(length as usize),
            length => Err(RequestError::Body(length)),
        }
    }

    /// Takes a body apart.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let (&kind, fields) = body.split_first().ok_or(RequestError::Body(0))?;
        let length = Err(RequestError::Length(kind));
        match kind {
            1 => fields.try_into().map(Self::Challenge).or(length),
            2 if (1..=MAX_CHALLENGE).contains(&fields.len()) => Ok(Self::Chain(fields.to_vec())),
            3 if fields.is_empty() => Ok(Self::Where),
            4 if fields.is_empty() => Ok(Self::Off),
            2..=4 => length,
            other => Err(RequestError::Kind(other)),
        }
    }
}

/// What the payload answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The keyed digest of a challenge.
    Digest([u8; 32]),
    /// The chain and the signature; both empty where there is no chain.
    Chain {
        /// As the handover has it.
        chain: &'a [u8],
        /// Over label and challenge.
        signature: &'a [u8],
    },
    /// The memory that holds the secret.
    Place {
        /// Guest-physical.
        address: u64,
        /// In bytes.
        length: u64,
    },
    /// It cannot be answered.
    Failed(&'a str),
}

impl Answer<'_> {
    /// The whole frame.
    pub fn frame(&self) -> Vec<u8> {
        let mut frame = alloc::vec![0; 4];
        match self {
            Self::Digest(digest) => {
                frame.push(1);
                frame.extend_from_slice(digest);
            }
            Self::Chain { chain, signature } => {
                frame.push(2);
                frame.extend_from_slice(&(chain.len() as u32).to_le_bytes());
                frame.extend_from_slice(chain);
                frame.extend_from_slice(signature);
            }
            Self::Place { address, length } => {
                frame.push(3);
                frame.extend_from_slice(&address.to_le_bytes());
                frame.extend_from_slice(&length.to_le_bytes());
            }
            Self::Failed(reason) => {
                frame.push(255);
                frame.extend_from_slice(reason.as_bytes());
            }
        }
        let body = (frame.len() - 4) as u32;
        frame[..4].copy_from_slice(&body.to_le_bytes());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_to_the_last_byte() {
        assert_eq!(Request::parse(&[&[1][..], &[7; 32]].concat()), Ok(Request::Challenge([7; 32])));
        assert_eq!(Request::parse(&[2, 5, 6]), Ok(Request::Chain(vec![5, 6])));
        assert_eq!(Request::parse(&[3]), Ok(Request::Where));
        assert_eq!(Request::parse(&[4]), Ok(Request::Off));
        for (body, error) in [
            (vec![], RequestError::Body(0)),
            (vec![0], RequestError::Kind(0)),
            (vec![5], RequestError::Kind(5)),
            (vec![1; 32], RequestError::Length(1)),
            (vec![1; 34], RequestError::Length(1)),
            (vec![2], RequestError::Length(2)),
            (vec![2; 66], RequestError::Length(2)),
            (vec![3, 0], RequestError::Length(3)),
            (vec![4, 0], RequestError::Length(4)),
        ] {
            assert_eq!(Request::parse(&body), Err(error));
        }
    }

    #[test]
    fn lengths_are_bounded() {
        assert_eq!(Request::body_length([1, 0, 0, 0]), Ok(1));
        assert_eq!(Request::body_length([0, 0, 1, 0]), Ok(65536));
        assert_eq!(Request::body_length([0; 4]), Err(RequestError::Body(0)));
        assert_eq!(Request::body_length([1, 0, 1, 0]), Err(RequestError::Body(65537)));
        assert_eq!(Request::body_length([0xff; 4]), Err(RequestError::Body(u32::MAX)));
    }

    #[test]
    fn frames_begin_with_the_length_of_their_body() {
        assert_eq!(Answer::Digest([9; 32]).frame(), [&[33, 0, 0, 0, 1][..], &[9; 32]].concat());
        assert_eq!(
            Answer::Place { address: 0x8020_0000, length: 0x1000 }.frame(),
            [17, 0, 0, 0, 3, 0, 0, 0x20, 0x80, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(Answer::Chain { chain: &[], signature: &[] }.frame(), [5, 0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(
            Answer::Chain { chain: &[0x82, 1], signature: &[3] }.frame(),
            [8, 0, 0, 0, 2, 2, 0, 0, 0, 0x82, 1, 3]
        );
        assert_eq!(Answer::Failed("no").frame(), [3, 0, 0, 0, 255, b'n', b'o']);
    }
}
