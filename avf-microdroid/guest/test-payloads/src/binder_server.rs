//! An RPC Binder server for tests of clients, outside of virtual machines.
//!
//! `binder-server SOCKET THREADS` serves `demo.IAdd` on a Unix socket until its standard input ends, and says `ready` when
//! clients can connect.
//!
//! | code | method |
//! |---|---|
//! | 1 | `int add(int a, int b)` |
//! | 2 | `oneway void remember(int value)` |
//! | 3 | `int callBack(ICallback callback, int value)`: what `callback.twice(value)` gives, code 1 |
//! | 4 | `IBinder echo(IBinder binder)` |
//! | 5 | `String remembered()` |
//! | 6 | `void fail(int code, int error, String message)`: throws; -129 fails with the status `error` |
//! | 7 | `byte[] bytes(int count)` |
//! | 8 | `void later(ICallback callback, int value)`: `callback.notify(value)`, code 2, oneway |
//! | 9 | everything, read and written again |
//! | 10 | `IBinder fresh()`: a new object of the same interface |
//! | 11 | `void hang()`: for ever |

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use binder_ndk::exception::Exception;
use binder_ndk::server::{Limits, Server};
use binder_ndk::status::{self, Status};
use binder_ndk::{Binder, Parcel, Service};

#[derive(Default)]
struct Adder {
    remembered: Mutex<Vec<i32>>,
}

impl Service for Adder {
    fn descriptor(&self) -> &str {
        "demo.IAdd"
    }

    fn on_transact(self: Arc<Self>, code: u32, data: &Parcel, reply: &mut Parcel) -> Result<(), Status> {
        let ok = Exception::default();
        match code {
            1 => {
                let sum = data.read_i32()?.wrapping_add(data.read_i32()?);
                ok.write(reply)?;
                reply.write_i32(sum);
            }
            2 => self.remembered.lock().unwrap().push(data.read_i32()?),
            3 => {
                let callback = data.read_binder()?.ok_or(status::UNEXPECTED_NULL)?;
                let answer = callback.transact(1, callback_parcel(data.read_i32()?), 0)?;
                let exception = Exception::read(&answer)?;
                exception.write(reply)?;
                if exception.is_ok() {
                    reply.write_i32(answer.read_i32()?);
                }
            }
            4 => {
                let binder = data.read_binder()?;
                ok.write(reply)?;
                reply.write_binder(binder.as_ref());
            }
            5 => {
                ok.write(reply)?;
                reply.write_string(Some(&format!("{:?}", self.remembered.lock().unwrap())));
            }
            6 => {
                let (code, error) = (data.read_i32()?, data.read_i32()?);
                Exception { code, message: data.read_string()?, error }.write(reply)?;
            }
            7 => {
                let count = usize::try_from(data.read_i32()?).map_err(|_| status::BAD_VALUE)?;
                ok.write(reply)?;
                reply.write_bytes(Some(&vec![7; count]));
            }
            8 => {
                let callback = data.read_binder()?.ok_or(status::UNEXPECTED_NULL)?;
                callback.transact(2, callback_parcel(data.read_i32()?), 1)?;
                ok.write(reply)?;
            }
            9 => everything(data, reply)?,
            10 => {
                ok.write(reply)?;
                reply.write_binder(Some(&Binder::new(Self::default())));
            }
            11 => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            _ => return Err(status::UNKNOWN_TRANSACTION),
        }
        Ok(())
    }
}

fn callback_parcel(value: i32) -> Parcel {
    let mut parcel = Parcel::new();
    parcel.write_string(Some("demo.ICallback"));
    parcel.write_i32(value);
    parcel
}

fn everything(data: &Parcel, reply: &mut Parcel) -> Result<(), Status> {
    Exception::default().write(reply)?;
    reply.write_bool(data.read_bool()?);
    reply.write_byte(data.read_byte()?);
    reply.write_char(data.read_char()?);
    reply.write_i32(data.read_i32()?);
    reply.write_i64(data.read_i64()?);
    reply.write_f32(data.read_f32()?);
    reply.write_f64(data.read_f64()?);
    reply.write_string(data.read_string()?.as_deref());
    reply.write_string(data.read_string()?.as_deref());
    reply.write_bytes(data.read_bytes()?);
    reply.write_bytes(data.read_bytes()?);
    reply.write_packed::<4>(data.read_packed()?);
    reply.write_packed::<8>(data.read_packed()?);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [socket, threads] = arguments.as_slice() else { return Err("usage: binder-server SOCKET THREADS".into()) };
    let listener = UnixListener::bind(socket)?;
    let limits = Limits { threads: threads.parse()?, ..Limits::default() };
    let server = Server::new(Some(Binder::new(Adder::default())), limits);
    println!("ready");
    std::thread::spawn(move || eprintln!("binder-server: {}", server.serve(listener.as_fd(), |_| true)));
    // The end of the test is the end of the server.
    let _ = std::io::stdin().read(&mut [0; 1]);
    Ok(())
}
