//! What the host tells a guest with a package, on the report channel.
//!
//! Frames are those of [`report`](crate::report): a length (u32, 1 to 65536) and a body, the kind (u8) and fields, all
//! little-endian.
//!
//! | kind | frame | fields |
//! |---|---|---|
//! | 1 | BOOT | u32 flags, 64 bytes instance id, if bit 3 is set a u16 length and the keeper's COSE_Key, handover up to the end |
//! | 2 | ATTESTATION_RESULT | u8 status; if it is 0, certificates up to the end, leaf first, each a u32 length and DER; else a UTF-8 reason up to the end |
//! | 3 | KEEPER_RESPONSE | u8 status; if it is 0, content up to the end; else a UTF-8 reason up to the end |
//!
//! BOOT comes once, after HELLO. Its flags: bit 0 strict boot, bit 1 new instance, bit 2 defer rollback protection, bit 3
//! a keeper of secrets is connected. The statuses: 0 OK, 1 unsupported, 2 failed. Everything else is refused.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

use avf_formats::secret::SecretBytes;
use zeroize::Zeroizing;

use crate::report::MAX_BODY_BYTES;
use crate::sys::{self, Deadline};

const BOOT: u8 = 1;
const ATTESTATION_RESULT: u8 = 2;
const KEEPER_RESPONSE: u8 = 3;

const FLAGS_AT: usize = 1;
const ID_AT: usize = 5;
const BEHIND_ID_AT: usize = ID_AT + 64;

const STRICT: u32 = 1 << 0;
const NEW: u32 = 1 << 1;
const DEFER: u32 = 1 << 2;
const KEEPER: u32 = 1 << 3;

/// The greatest number of certificates of a result, as the payload's protocol has it.
const MAX_CERTIFICATES: usize = 64;
const MAX_REASON_BYTES: usize = 4096;

/// How an instance boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Whether the host says at every boot whether the instance is new, so that the record must agree.
    pub strict: bool,
    pub new_instance: bool,
    /// Whether something else than the instance image protects against rollback.
    pub defer_rollback_protection: bool,
}

/// The frame that starts everything. It has secrets, is wiped when it is dropped, and is not printed.
pub struct Boot {
    pub flags: Flags,
    /// Where the keeper's key is in the body.
    keeper_key: Option<Range<usize>>,
    handover_at: usize,
    body: SecretBytes,
}

impl Boot {
    fn parse(body: SecretBytes) -> Result<Self, String> {
        let bytes = body.expose();
        if bytes.first() != Some(&BOOT) {
            return Err(format!("must be BOOT but is of kind {:?}", bytes.first()));
        }
        let flags = bytes.get(FLAGS_AT..ID_AT).and_then(|field| field.try_into().ok()).map(u32::from_le_bytes);
        let Some(flags) = flags.filter(|_| bytes.len() > BEHIND_ID_AT) else {
            return Err(format!("BOOT must have more than {BEHIND_ID_AT} bytes but has {}", bytes.len()));
        };
        if flags & !(STRICT | NEW | DEFER | KEEPER) != 0 {
            return Err(format!("flags of BOOT must be in 0..=15 but are {flags:#x}"));
        }
        let keeper_key = if flags & KEEPER == 0 { None } else { Some(keeper_key(bytes)?) };
        let handover_at = keeper_key.as_ref().map_or(BEHIND_ID_AT, |key| key.end);
        let flags = Flags {
            strict: flags & STRICT != 0,
            new_instance: flags & NEW != 0,
            defer_rollback_protection: flags & DEFER != 0,
        };
        Ok(Self { flags, keeper_key, handover_at, body })
    }

    pub fn instance_id(&self) -> &[u8; 64] {
        self.body.expose()[ID_AT..BEHIND_ID_AT].try_into().expect("checked when it was parsed")
    }

    /// Who the keeper of secrets must be, as a COSE_Key; nothing if none is connected.
    pub fn keeper_key(&self) -> Option<&[u8]> {
        self.keeper_key.clone().map(|range| &self.body.expose()[range])
    }

    pub fn handover(&self) -> &[u8] {
        &self.body.expose()[self.handover_at..]
    }
}

/// Where the key is in BOOT; a handover must follow.
fn keeper_key(boot: &[u8]) -> Result<Range<usize>, String> {
    let (length, behind) = boot[BEHIND_ID_AT..].split_first_chunk().ok_or("BOOT ends before the keeper's key")?;
    let length = usize::from(u16::from_le_bytes(*length));
    if length == 0 || length >= behind.len() {
        return Err(format!("the keeper's key in BOOT cannot have {length} bytes"));
    }
    let start = boot.len() - behind.len();
    Ok(start..start + length)
}

/// What became of a request for an attestation.
#[derive(Debug, PartialEq, Eq)]
pub enum AttestationResult {
    /// DER, leaf first.
    Certificates(Vec<Vec<u8>>),
    Unsupported(String),
    Failed(String),
}

impl AttestationResult {
    /// Reads the body of a frame, which must be of this kind.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let (&[kind, status], rest) =
            body.split_first_chunk().ok_or_else(|| format!("has {} bytes and cannot be a result", body.len()))?;
        if kind != ATTESTATION_RESULT {
            return Err(format!("must be ATTESTATION_RESULT but is of kind {kind}"));
        }
        match status {
            0 => certificates(rest).map(Self::Certificates),
            1 => Ok(Self::Unsupported(reason(rest))),
            2 => Ok(Self::Failed(reason(rest))),
            _ => Err(format!("status of ATTESTATION_RESULT must be in 0..=2 but is {status}")),
        }
    }
}

/// What the keeper of secrets answers, or why it does not.
#[derive(Debug, PartialEq, Eq)]
pub enum KeeperResponse {
    Content(Vec<u8>),
    Refused(String),
}

impl KeeperResponse {
    /// Reads the body of a frame, which must be of this kind.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let (&[kind, status], rest) =
            body.split_first_chunk().ok_or_else(|| format!("has {} bytes and cannot be a response", body.len()))?;
        match (kind, status) {
            (KEEPER_RESPONSE, 0) => Ok(Self::Content(rest.to_vec())),
            (KEEPER_RESPONSE, 1 | 2) => Ok(Self::Refused(reason(rest))),
            (KEEPER_RESPONSE, _) => Err(format!("status of KEEPER_RESPONSE must be in 0..=2 but is {status}")),
            _ => Err(format!("must be KEEPER_RESPONSE but is of kind {kind}")),
        }
    }
}

fn certificates(mut rest: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((certificate, behind)) = behind.split_at_checked(length).filter(|_| length > 0) else {
            return Err(format!("certificate {} of ATTESTATION_RESULT cannot have {length} bytes", found.len()));
        };
        found.push(certificate.to_vec());
        rest = behind;
    }
    match found.len() {
        1..=MAX_CERTIFICATES if rest.is_empty() => Ok(found),
        count => Err(format!(
            "ATTESTATION_RESULT must have 1 to {MAX_CERTIFICATES} whole certificates but has {count} and {} bytes",
            rest.len()
        )),
    }
}

/// For people; the host's words are cut rather than refused.
fn reason(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_REASON_BYTES)]).into_owned()
}

/// Waits for BOOT. Reads not a byte more than the frame.
pub fn receive_boot(stream: BorrowedFd<'_>, deadline: Deadline) -> Result<Boot, String> {
    let body = receive_body(stream, deadline).map_err(|reason| format!("no BOOT from the host: {reason}"))?;
    Boot::parse(body).map_err(|reason| format!("the first frame from the host {reason}"))
}

/// Waits for the body of a frame. Reads not a byte more.
pub fn receive_body(stream: BorrowedFd<'_>, deadline: Deadline) -> Result<SecretBytes, String> {
    let mut length = [0; 4];
    receive_exact(stream, &mut length, deadline)?;
    SecretBytes::fill_with(length_of(length)?, |body| receive_exact(stream, body, deadline))
}

fn receive_exact(stream: BorrowedFd<'_>, mut target: &mut [u8], deadline: Deadline) -> Result<(), String> {
    while !target.is_empty() {
        match sys::wait_readable([Some(stream)], Some(deadline.remaining())) {
            Ok([true]) => {}
            Ok([false]) => return Err("the host did not send it in time".into()),
            Err(error) => return Err(error.to_string()),
        }
        match receive_some(stream, target) {
            Ok(0) => return Err("the host closed the report channel".into()),
            Ok(count) => target = &mut target[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(format!("cannot receive it: {error}")),
        }
    }
    Ok(())
}

/// Never blocks, whatever the mode of the stream.
fn receive_some(stream: BorrowedFd<'_>, target: &mut [u8]) -> io::Result<usize> {
    // SAFETY: pointer and length are those of a slice.
    let count = unsafe { libc::recv(stream.as_raw_fd(), target.as_mut_ptr().cast(), target.len(), libc::MSG_DONTWAIT) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

fn length_of(field: [u8; 4]) -> Result<usize, String> {
    match u32::from_le_bytes(field) as usize {
        length @ 1..=MAX_BODY_BYTES => Ok(length),
        length => Err(format!("a frame from the host must have 1 to {MAX_BODY_BYTES} bytes but has {length}")),
    }
}

/// Collects the frames that come later, a piece at a time.
#[derive(Default)]
pub struct Inbox {
    bytes: Zeroizing<Vec<u8>>,
}

impl Inbox {
    /// Reads what is there. Returns the body of a frame when one is whole; an error means that nothing that comes on
    /// this stream can be understood any more.
    pub fn receive(&mut self, stream: BorrowedFd<'_>) -> Result<Option<Vec<u8>>, String> {
        let mut piece = [0; 4096];
        match receive_some(stream, &mut piece) {
            Ok(0) => Err("the host closed the report channel".into()),
            Ok(count) => self.take(&piece[..count]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
            Err(error) => Err(format!("cannot receive from the host: {error}")),
        }
    }

    fn take(&mut self, piece: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.bytes.extend_from_slice(piece);
        let Some((length, behind)) = self.bytes.split_first_chunk() else { return Ok(None) };
        let length = length_of(*length)?;
        if behind.len() > length {
            return Err("the host sent more than one answer to one request".into());
        }
        if behind.len() < length {
            return Ok(None);
        }
        let body = behind.to_vec();
        self.bytes.clear();
        Ok(Some(body))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    pub fn boot(flags: u32) -> Boot {
        parsed(frame(flags, b"x")).unwrap()
    }

    fn frame(flags: u32, handover: &[u8]) -> Vec<u8> {
        let mut body = vec![1];
        body.extend(flags.to_le_bytes());
        body.extend([0x1d; 64]);
        body.extend(handover);
        body
    }

    fn parsed(body: Vec<u8>) -> Result<Boot, String> {
        Boot::parse(SecretBytes::new(body))
    }

    #[test]
    fn reads_boot_byte_by_byte() {
        let mut body = vec![1, 5, 0, 0, 0];
        body.extend(0..64);
        body.extend([0xa2, 1, 2]);
        let boot = parsed(body).unwrap();
        assert_eq!(boot.flags, Flags { strict: true, new_instance: false, defer_rollback_protection: true });
        assert_eq!(boot.instance_id()[..3], [0, 1, 2]);
        assert_eq!(boot.instance_id()[63], 63);
        assert_eq!(boot.handover(), [0xa2, 1, 2]);
    }

    #[test]
    fn each_flag_is_its_bit() {
        for bits in 0..8 {
            let flags = parsed(frame(bits, b"x")).unwrap().flags;
            let expected =
                Flags { strict: bits & 1 != 0, new_instance: bits & 2 != 0, defer_rollback_protection: bits & 4 != 0 };
            assert_eq!(flags, expected);
        }
    }

    #[test]
    fn takes_the_key_of_a_keeper_from_before_the_handover() {
        let boot = parsed(frame(0xd, &[2, 0, 7, 8, 0xa2, 1])).unwrap();
        assert_eq!(boot.keeper_key(), Some(&[7, 8][..]));
        assert_eq!(boot.handover(), [0xa2, 1]);
        assert!(parsed(frame(5, b"x")).unwrap().keeper_key().is_none());
        for rest in [&[1][..], &[0, 0, 1], &[2, 0, 7, 8], &[0xff, 0xff, 7, 8]] {
            assert!(parsed(frame(8, rest)).err().unwrap().contains("keeper's key"), "{rest:?}");
        }
    }

    #[test]
    fn reads_what_a_keeper_answers_or_why_it_does_not() {
        assert_eq!(KeeperResponse::parse(&[3, 0, 0x81, 0]), Ok(KeeperResponse::Content(vec![0x81, 0])));
        assert_eq!(KeeperResponse::parse(&[3, 0]), Ok(KeeperResponse::Content(vec![])));
        for status in [1, 2] {
            assert_eq!(KeeperResponse::parse(&[3, status, b'n']), Ok(KeeperResponse::Refused("n".into())));
        }
        for bad in [&[][..], &[3], &[3, 3], &[2, 0, 1], &[0, 0]] {
            assert!(KeeperResponse::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn refuses_other_flags_other_kinds_and_short_frames() {
        let refused = |body| parsed(body).err().unwrap();
        assert!(refused(frame(16, b"x")).contains("0x10"));
        assert!(refused(frame(1 << 31, b"x")).contains("0x80000000"));
        assert!(refused(frame(0, b"")).contains("more than 69 bytes but has 69"));
        assert!(refused(vec![1, 0, 0]).contains("has 3"));
        assert!(refused(vec![2; 100]).contains("kind Some(2)"));
    }

    #[test]
    fn receives_boot_in_pieces_and_not_a_byte_more() {
        let (mut host, guest) = UnixStream::pair().unwrap();
        let body = frame(3, b"handover");
        let mut frame = (body.len() as u32).to_le_bytes().to_vec();
        frame.extend(&body);
        host.write_all(&frame[..2]).unwrap();
        let rest = frame[2..].to_vec();
        let sender = std::thread::spawn(move || {
            host.write_all(&rest[..10]).unwrap();
            host.write_all(&rest[10..]).unwrap();
            host.write_all(b"next").unwrap();
            host
        });
        let boot = receive_boot(guest.as_fd(), Deadline::after(Duration::from_secs(5))).unwrap();
        assert_eq!(boot.handover(), b"handover");
        let _host = sender.join().unwrap();
        let mut next = [0; 8];
        assert_eq!(receive_some(guest.as_fd(), &mut next).unwrap(), 4);
    }

    #[test]
    fn waits_for_boot_no_longer_than_its_limit_and_notices_a_host_that_closes() {
        let (host, guest) = UnixStream::pair().unwrap();
        let late = receive_boot(guest.as_fd(), Deadline::after(Duration::from_millis(5))).err().unwrap();
        assert_eq!(late, "no BOOT from the host: the host did not send it in time");
        drop(host);
        let closed = receive_boot(guest.as_fd(), Deadline::after(Duration::from_secs(5))).err().unwrap();
        assert!(closed.contains("closed the report channel"), "{closed}");
    }

    #[test]
    fn refuses_a_frame_of_an_impossible_length_before_it_is_read() {
        for length in [0, MAX_BODY_BYTES as u32 + 1, u32::MAX] {
            let (mut host, guest) = UnixStream::pair().unwrap();
            host.write_all(&length.to_le_bytes()).unwrap();
            let refused = receive_boot(guest.as_fd(), Deadline::after(Duration::from_secs(5))).err().unwrap();
            assert!(refused.contains(&format!("has {length}")), "{refused}");
        }
    }

    #[test]
    fn reads_the_certificates_of_a_result() {
        let body = [2, 0, 2, 0, 0, 0, 0x30, 0x31, 1, 0, 0, 0, 0x32];
        let expected = AttestationResult::Certificates(vec![vec![0x30, 0x31], vec![0x32]]);
        assert_eq!(AttestationResult::parse(&body), Ok(expected));
    }

    #[test]
    fn reads_why_there_is_no_result() {
        assert_eq!(AttestationResult::parse(&[2, 1, b'n', b'o']), Ok(AttestationResult::Unsupported("no".into())));
        assert_eq!(AttestationResult::parse(&[2, 2]), Ok(AttestationResult::Failed(String::new())));
    }

    #[test]
    fn refuses_results_that_are_cut_empty_or_of_another_kind() {
        let bad: [&[u8]; 8] = [
            &[],
            &[2],
            &[1, 0, 1, 0, 0, 0, 0x30],
            &[2, 3],
            &[2, 0],
            &[2, 0, 2, 0, 0, 0, 0x30],
            &[2, 0, 0, 0, 0, 0],
            &[2, 0, 1, 0, 0, 0, 0x30, 9],
        ];
        for body in bad {
            assert!(AttestationResult::parse(body).is_err(), "{body:?}");
        }
        let many = [vec![2, 0], [1, 0, 0, 0, 7].repeat(65)].concat();
        assert!(AttestationResult::parse(&many).unwrap_err().contains("has 65"));
    }

    #[test]
    fn collects_later_frames_and_refuses_two_at_once() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.take(&[3, 0]), Ok(None));
        assert_eq!(inbox.take(&[0, 0, 7, 8]), Ok(None));
        assert_eq!(inbox.take(&[9]), Ok(Some(vec![7, 8, 9])));
        assert_eq!(inbox.take(&[1, 0, 0, 0, 5]), Ok(Some(vec![5])));
        assert!(inbox.take(&[1, 0, 0, 0, 5, 1]).unwrap_err().contains("more than one"));
        assert!(Inbox::default().take(&[0; 4]).is_err());
    }
}
