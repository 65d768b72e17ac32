//! Receivers with TLS and generated certificates.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use super::clock;

/// A certificate with its key.
pub(crate) struct Identity {
    certificate: X509,
    key: PKey<Private>,
}

/// Validity of a certificate: days from now, from and to.
pub(crate) type Validity = (i64, i64);

/// Valid today.
pub(crate) const GOOD: Validity = (-1, 1);

impl Identity {
    /// An authority that signs others.
    pub(crate) fn authority(name: &str) -> Identity {
        Identity::make(name, None, GOOD)
    }

    /// A certificate for this host, signed by the authority.
    pub(crate) fn signed_by(&self, host: &str, validity: Validity) -> Identity {
        Identity::make(host, Some(self), validity)
    }

    fn make(name: &str, signer: Option<&Identity>, (from, to): Validity) -> Identity {
        let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(2).unwrap();
        let mut serial = BigNum::new().unwrap();
        serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        let subject = subject.build();
        builder.set_subject_name(&subject).unwrap();
        builder.set_issuer_name(signer.map_or(&subject, |s| s.certificate.subject_name())).unwrap();
        builder.set_pubkey(&key).unwrap();
        let time = |days: i64| Asn1Time::from_unix(now() + days * 86_400).unwrap();
        builder.set_not_before(&time(from)).unwrap();
        builder.set_not_after(&time(to)).unwrap();
        let mut constraints = BasicConstraints::new();
        if signer.is_none() {
            constraints.critical().ca();
        }
        builder.append_extension(constraints.build().unwrap()).unwrap();
        if let Some(signer) = signer {
            let context = builder.x509v3_context(Some(&signer.certificate), None);
            let names = SubjectAlternativeName::new().dns(name).build(&context).unwrap();
            builder.append_extension(names).unwrap();
        }
        builder.sign(signer.map_or(&key, |s| &s.key), MessageDigest::sha256()).unwrap();
        Identity { certificate: builder.build(), key }
    }

    /// Accepts connections with this certificate.
    pub(super) fn acceptor(&self) -> SslAcceptor {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&self.key).unwrap();
        acceptor.set_certificate(&self.certificate).unwrap();
        acceptor.build()
    }

    /// Writes the certificate as a client's list of authorities.
    pub(crate) fn write(&self, file: &Path) {
        std::fs::write(file, self.certificate.to_pem().unwrap()).unwrap();
    }

    /// Writes certificate and key for a server. Answers both files.
    pub(crate) fn write_to(&self, folder: &Path) -> [PathBuf; 2] {
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
        self.write(&certificate);
        std::fs::write(&key, self.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        [certificate, key]
    }
}

fn now() -> i64 {
    i64::try_from(clock::now().as_secs()).unwrap()
}

/// A receiver that responds 200 to clients that trust its certificate.
pub(crate) struct TlsReceiver {
    port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    connections: AtomicUsize,
    requests: AtomicUsize,
    stop: AtomicBool,
}

impl TlsReceiver {
    pub(crate) fn start(identity: &Identity) -> TlsReceiver {
        let acceptor = identity.acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &acceptor, &state));
            }
        });
        TlsReceiver { port, state, thread: Some(thread) }
    }

    /// By host name, which the certificate contains.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/hook", self.port)
    }

    /// Number of attempted connections.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Number of requests.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl Drop for TlsReceiver {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        let woken = TcpStream::connect(("127.0.0.1", self.port));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn serve(stream: TcpStream, acceptor: &SslAcceptor, state: &State) -> Option<()> {
    state.connections.fetch_add(1, Ordering::SeqCst);
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    // A client that does not trust the certificate ends here.
    let mut stream = acceptor.accept(stream).ok()?;
    let read = stream.read(&mut [0; 16 * 1024]).ok()?;
    if read == 0 {
        return None;
    }
    state.requests.fetch_add(1, Ordering::SeqCst);
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").ok()?;
    stream.shutdown().ok().map(|_| ())
}
