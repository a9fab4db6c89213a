//! Frames on a stream.

use std::io::{self, Read, Write};

use zeroize::{Zeroize, Zeroizing};

use crate::secret::SecretBytes;

/// Writes a frame. A body that is too long is a mistake of the caller and is not sent.
pub fn write_frame(to: &mut impl Write, body: &SecretBytes, limit: usize) -> io::Result<()> {
    if body.is_empty() || body.len() > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a frame of this size is not sent"));
    }
    to.write_all(&(body.len() as u32).to_le_bytes())?;
    to.write_all(body.expose())?;
    to.flush()
}

/// Reads the body of a frame; nothing at the end of the stream. Memory grows with what arrives, not with what a lying
/// length announces.
pub fn read_frame(from: &mut impl Read, limit: usize) -> io::Result<Option<SecretBytes>> {
    let mut length = [0; 4];
    let (first, others) = length.split_at_mut(1);
    loop {
        match from.read(first) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    from.read_exact(others)?;
    let length = u32::from_le_bytes(length) as usize;
    if length == 0 || length > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of this size is not read"));
    }
    let mut body = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new([0; 4096]);
    while body.len() < length {
        let wanted = chunk.len().min(length - body.len());
        from.read_exact(&mut chunk[..wanted])?;
        append_wiping(&mut body, &chunk[..wanted]);
    }
    Ok(Some(SecretBytes::new(std::mem::take(&mut body))))
}

/// Appends without leaving the outgrown array behind.
fn append_wiping(body: &mut Vec<u8>, bytes: &[u8]) {
    if body.len() + bytes.len() > body.capacity() {
        let mut larger = Vec::with_capacity(2 * (body.len() + bytes.len()));
        larger.extend_from_slice(body);
        body.zeroize();
        *body = larger;
    }
    body.extend_from_slice(bytes);
}
