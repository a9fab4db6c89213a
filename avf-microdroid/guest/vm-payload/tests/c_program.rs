//! A C program against the static library and a manager that the test plays.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use avf_formats::secret::{Secret, SecretBytes};
use avf_formats::wire::{Attestation, MAX_REQUEST, MAX_RESPONSE, Refusal, Request, Response, read_frame, write_frame};
use p256::ecdsa::signature::Verifier;

/// An `ECPrivateKey` of P-256 whose scalar is 32 times 0x11.
fn private_key() -> Vec<u8> {
    let oid = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    [&[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20][..], &[0x11; 32], &oid].concat()
}

fn attested() -> Response {
    let certificates = vec![vec![1, 2, 3], vec![4; 700]];
    Response::Attested(Attestation { private_key: SecretBytes::new(private_key()), certificates })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The C program, compiled once against the headers and the static library that Cargo built beside this test.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program");
        let output = Command::new("cc")
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I"])
            .arg(crate_folder.join("include"))
            .arg(crate_folder.join("tests/c/program.c"))
            .arg(static_library())
            .args(["-lpthread", "-ldl", "-lm", "-o"])
            .arg(&program)
            .output()
            .expect("cc must be installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        program
    })
}

/// The newest one: older ones are those of other builds.
fn static_library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = fs::read_dir(test.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libvm_payload") && name.ends_with(".a")
    };
    built
        .filter(is_library)
        .max_by_key(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap())
        .expect("Cargo builds the static library with its tests")
}

/// A new folder with a short path, as the path of a socket has at most 107 bytes.
fn folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("vm-payload-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    folder
}

struct Ran {
    status: ExitStatus,
    out: String,
    errors: String,
    requests: usize,
}

impl Ran {
    fn succeeded(self) -> String {
        assert!(self.status.success(), "{:?}: {}", self.status, self.errors);
        self.out
    }

    fn aborted_with(&self, message: &str) {
        assert_eq!(self.status.signal(), Some(6), "{:?}: {}", self.status, self.errors);
        assert!(self.errors.contains(message), "{}", self.errors);
    }
}

type Answer = dyn Fn(&Request) -> Response + Send;

/// Runs the program with a manager that answers.
fn run(using: &str, answer: impl Fn(&Request) -> Response + Send + 'static) -> Ran {
    run_against(using, move |connection| serve(connection, &answer))
}

fn serve(connection: &mut UnixStream, answer: &Answer) -> usize {
    let mut requests = 0;
    while let Some(body) = read_frame(connection, MAX_REQUEST).unwrap() {
        requests += 1;
        let request = Request::decode(body.expose()).unwrap();
        write_frame(connection, &answer(&request).encode(), MAX_RESPONSE).unwrap();
    }
    requests
}

fn run_against(using: &str, serve: impl Fn(&mut UnixStream) -> usize + Send + 'static) -> Ran {
    let folder = folder();
    let socket = folder.join("service");
    let listener = UnixListener::bind(&socket).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let server = {
        let stop = stop.clone();
        thread::spawn(move || {
            let mut requests = 0;
            for connection in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                requests += serve(&mut connection.unwrap());
            }
            requests
        })
    };
    let mut ran = run_with(using, &socket, &folder);
    stop.store(true, Ordering::SeqCst);
    UnixStream::connect(&socket).unwrap();
    ran.requests = server.join().unwrap();
    fs::remove_dir_all(folder).unwrap();
    ran
}

/// Runs the program with the socket, whatever is there, for at most a minute.
fn run_with(using: &str, socket: &Path, folder: &Path) -> Ran {
    let (out, errors) = (folder.join("out"), folder.join("errors"));
    let mut child = Command::new(program())
        .arg(using)
        .env("AVF_VM_PAYLOAD_SERVICE", socket)
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            break child.wait().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ran { status, out: fs::read_to_string(out).unwrap(), errors: fs::read_to_string(errors).unwrap(), requests: 0 }
}

fn refuse(refusal: fn(String) -> Refusal) -> impl Fn(&Request) -> Response + Send {
    move |_| Response::Refused(refusal("the reason".into()))
}

#[test]
fn only_the_first_notification_is_sent() {
    let ran = run("ready", |request| {
        assert!(matches!(request, Request::NotifyPayloadReady));
        Response::Done
    });
    assert_eq!(ran.requests, 1);
    ran.succeeded();
}

#[test]
fn secrets_have_the_size_asked_for() {
    let ran = run("secrets", |request| match request {
        Request::GetVmInstanceSecret { size, identifier } => {
            assert_eq!(identifier.len(), if *size == 16 { 0 } else { 2 });
            Response::Bytes(SecretBytes::new(vec![*size as u8; *size as usize]))
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(ran.requests, 3);
    assert_eq!(ran.succeeded(), format!("secret={}\nsecret={}\n", "20".repeat(32), "10".repeat(16)));
}

#[test]
fn misuse_aborts_before_anything_is_asked() {
    let uses = [
        ("long-secret", "AVmPayload_getVmInstanceSecret: size must be in 0..=32 but was 33"),
        ("null-identifier", "identifier is null but has 2 bytes"),
        ("attest-null", "AVmPayload_requestAttestation: result is null"),
        ("serve-nothing", "AVmPayload_runVsockRpcServer: service is null"),
    ];
    for (using, message) in uses {
        let ran = run(using, |_| Response::Done);
        ran.aborted_with(message);
        assert_eq!(ran.requests, 0);
    }
    run("null-secret", |_| Response::Bytes(SecretBytes::new(vec![0; 32]))).aborted_with("data is null");
}

#[test]
fn chain_and_cdi_come_in_any_size() {
    let ran = run("dice", |request| match request {
        Request::GetDiceAttestationChain => Response::Bytes(SecretBytes::new(vec![0x84; 1500])),
        Request::GetDiceAttestationCdi => Response::Bytes(SecretBytes::new(vec![7; 32])),
        other => panic!("{other:?}"),
    });
    assert_eq!(ran.requests, 6);
    assert_eq!(ran.succeeded(), format!("chain={}\ncdi={}\n", "84".repeat(1500), "07".repeat(32)));
}

#[test]
fn refused_calls_abort_with_the_managers_words() {
    for using in ["dice", "secrets", "ready", "new-instance"] {
        run(using, refuse(Refusal::Security)).aborted_with("not allowed: the reason");
    }
}

#[test]
fn an_attestation_has_key_certificates_and_signatures() {
    let ran = run("attest", |request| match request {
        Request::RequestAttestation { test_mode: false, challenge } if challenge == b"challenge" => attested(),
        other => panic!("{other:?}"),
    });
    let out = ran.succeeded();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "status=0 attestation succeeded");
    assert_eq!(lines[1], format!("key={}", hex(&private_key())));
    assert_eq!(lines[2], "certificates=2");
    assert_eq!(lines[3..5], ["certificate=010203", &format!("certificate={}", "04".repeat(700))]);
    let key = p256::ecdsa::SigningKey::from_slice(&[0x11; 32]).unwrap();
    let signatures: Vec<Vec<u8>> = lines[5..].iter().map(|line| unhex(line.trim_start_matches("signature="))).collect();
    assert_eq!(signatures.len(), 2);
    assert_ne!(signatures[0], signatures[1]);
    for signature in signatures {
        let signature = p256::ecdsa::Signature::from_der(&signature).unwrap();
        key.verifying_key().verify(b"message", &signature).unwrap();
    }
}

#[test]
fn an_attestation_for_testing_says_so() {
    let ran = run("attest-testing", |request| match request {
        Request::RequestAttestation { test_mode: true, challenge } if challenge.len() == 64 => attested(),
        other => panic!("{other:?}"),
    });
    assert_eq!(ran.succeeded(), "status=0 attestation succeeded\n");
}

#[test]
fn a_challenge_has_0_to_64_bytes() {
    let ran = run("attest-nothing", |request| match request {
        Request::RequestAttestation { challenge, .. } if challenge.is_empty() => attested(),
        other => panic!("{other:?}"),
    });
    assert_eq!(ran.succeeded(), "status=0 attestation succeeded\n");
    let ran = run("attest-long", |_| attested());
    assert_eq!(ran.requests, 0);
    assert_eq!(ran.succeeded(), "status=-10001 the challenge has more than 64 bytes\n");
}

#[test]
fn an_attestation_that_is_refused_is_a_status() {
    let unsupported = run("attest", refuse(Refusal::Unsupported));
    assert_eq!(unsupported.succeeded(), "status=-10003 this virtual machine or its host cannot attest\n");
    for refusal in [Refusal::Failed as fn(String) -> Refusal, Refusal::IllegalArgument, Refusal::Security] {
        assert_eq!(run("attest", refuse(refusal)).succeeded(), "status=-10002 attestation failed\n");
    }
}

#[test]
fn an_attestation_without_key_or_certificates_has_failed() {
    let no_key = run("attest", |_| {
        let private_key = SecretBytes::new(vec![0x30, 0]);
        Response::Attested(Attestation { private_key, certificates: vec![vec![1]] })
    });
    assert_eq!(no_key.succeeded(), "status=-10002 attestation failed\n");
    let no_certificates = run("attest", |_| {
        let private_key = SecretBytes::new(private_key());
        Response::Attested(Attestation { private_key, certificates: vec![] })
    });
    assert_eq!(no_certificates.succeeded(), "status=-10002 attestation failed\n");
}

#[test]
fn misuse_of_an_attestation_aborts() {
    run("sign-nothing", |_| attested()).aborted_with("AVmAttestationResult_sign: the message is empty");
    run("certificate-beyond", |_| attested()).aborted_with("index must be in 0..2 but was 2");
}

#[test]
fn a_rollback_protected_secret_is_read_as_it_was_written() {
    let stored: Mutex<Option<Secret<32>>> = Mutex::new(None);
    let ran = run("rollback", move |request| match request {
        Request::ReadRollbackProtectedSecret => {
            Response::RollbackProtected(stored.lock().unwrap().as_ref().map(Secret::duplicate))
        }
        Request::WriteRollbackProtectedSecret(value) => {
            *stored.lock().unwrap() = Some(value.duplicate());
            Response::Done
        }
        other => panic!("{other:?}"),
    });
    let secret: Vec<u8> = (0..32).collect();
    assert_eq!(ran.succeeded(), format!("read=-1\nwrite=-2\nwrite=32\nread=32\nread=32\nsecret={}\n", hex(&secret)));
}

#[test]
fn rollback_protection_that_is_refused_is_a_status() {
    let out = run("rollback", refuse(Refusal::Unsupported)).succeeded();
    assert!(out.starts_with("read=-3\nwrite=-2\nwrite=-3\nread=-3\nread=-3\n"), "{out}");
}

#[test]
fn a_new_instance_is_one_when_the_manager_says_so() {
    assert_eq!(run("new-instance", |_| Response::Bool(true)).succeeded(), "new=1\n");
    assert_eq!(run("new-instance", |_| Response::Bool(false)).succeeded(), "new=0\n");
}

#[test]
fn paths_are_those_of_the_guest() {
    let ran = run("paths", |_| Response::Done);
    assert_eq!(ran.requests, 0);
    let storage = if Path::new("/mnt/encryptedstore").is_dir() { "/mnt/encryptedstore" } else { "none" };
    assert_eq!(ran.succeeded(), format!("apk=/mnt/apk\nstorage={storage}\n"));
}

#[test]
fn a_manager_that_is_not_there_aborts_every_call_that_needs_it() {
    let folder = folder();
    for using in ["ready", "secrets", "dice", "attest", "rollback", "new-instance"] {
        run_with(using, &folder.join("nobody"), &folder).aborted_with("payload service cannot be reached");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_manager_that_hangs_up_or_talks_nonsense_aborts_the_call() {
    run_against("new-instance", |_| 0).aborted_with("payload service cannot be reached");
    let nonsense: [(&[u8], &str); 4] = [
        (&[2, 0, 0, 0, 0, 2], "must be 0 or 1"),
        (&[1, 0, 0, 0, 9], "unknown response"),
        (&[0, 0, 0, 0], "a frame of this size is not read"),
        (&[0xff; 8], "a frame of this size is not read"),
    ];
    for (answer, message) in nonsense {
        let ran = run_against("new-instance", move |connection| {
            read_frame(connection, MAX_REQUEST).unwrap();
            connection.write_all(answer).unwrap();
            1
        });
        ran.aborted_with(message);
    }
}
