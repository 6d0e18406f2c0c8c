//! TLS 1.3 in which a certificate counts for its key alone, and nothing is remembered between connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{
    ring::default_provider, verify_tls13_signature_with_raw_key, CryptoProvider,
    WebPkiSupportedAlgorithms,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::status::Status;

/// What one end proves itself with.
#[derive(Debug)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    /// One certificate or a chain, and a PKCS#8 key, both PEM.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, Status> {
        let chain = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Status::Identity)?;
        if chain.is_empty() {
            return Err(Status::Identity);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Status::Identity)?;
        let key =
            default_provider().key_provider.load_private_key(key).map_err(|_| Status::Identity)?;
        Ok(Identity(Arc::new(CertifiedKey::new(chain, key))))
    }

    /// Whether the key is the certificate's.
    fn is_consistent(&self) -> bool {
        let proven = self.0.key.public_key();
        let claimed = self.0.cert.first().and_then(|leaf| public_key_of(leaf));
        matches!((proven, claimed), (Some(proven), Some(claimed)) if proven.as_ref() == claimed)
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

pub fn server_config(identity: Identity, alpn: Vec<Vec<u8>>) -> Result<QuicServerConfig, Status> {
    if !identity.is_consistent() {
        return Err(Status::Identity);
    }
    let provider = Arc::new(default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| Status::Invalid)?
        .with_client_cert_verifier(Arc::new(Possession::new(&provider, None)))
        .with_cert_resolver(Arc::new(identity));
    config.alpn_protocols = alpn;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    QuicServerConfig::try_from(config).map_err(|_| Status::Invalid)
}

/// The certificate a client insists on, and whether another one was shown.
pub struct Pin {
    pub fingerprint: [u8; 32],
    pub is_violated: Arc<AtomicBool>,
}

pub fn client_config(
    identity: Option<Identity>,
    alpn: Vec<Vec<u8>>,
    pin: Option<Pin>,
) -> Result<QuicClientConfig, Status> {
    let provider = Arc::new(default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| Status::Invalid)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Possession::new(&provider, pin)));
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(identity)),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn;
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    QuicClientConfig::try_from(config).map_err(|_| Status::Invalid)
}

/// Verifies that the peer has the key of the certificate it shows.
struct Possession {
    algorithms: WebPkiSupportedAlgorithms,
    pin: Option<Pin>,
}

impl std::fmt::Debug for Possession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Possession")
    }
}

impl Possession {
    fn new(provider: &CryptoProvider, pin: Option<Pin>) -> Self {
        Possession { algorithms: provider.signature_verification_algorithms, pin }
    }

    fn check_certificate(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        if let Some(pin) = &self.pin {
            let shown = ring::digest::digest(&ring::digest::SHA256, leaf);
            if shown.as_ref() != pin.fingerprint {
                pin.is_violated.store(true, Ordering::Release);
                return Err(CertificateError::ApplicationVerificationFailure.into());
            }
        }
        match public_key_of(leaf) {
            Some(_) => Ok(()),
            None => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn check_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key_of(leaf).ok_or(CertificateError::BadEncoding)?;
        let key = SubjectPublicKeyInfoDer::from(key);
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }
}

impl ClientCertVerifier for Possession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check_certificate(leaf).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not offered".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Possession {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check_certificate(leaf).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ClientCertVerifier::verify_tls12_signature(self, message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;

/// The subjectPublicKeyInfo of a certificate of any version, as it stands there.
fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    let (body, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(body, SEQUENCE)?;
    if let Some((_, after)) = element(rest, EXPLICIT_VERSION) {
        rest = after;
    }
    // serialNumber, signature, issuer, validity, subject.
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        rest = element(rest, tag)?.1;
    }
    let (_, after) = element(rest, SEQUENCE)?;
    Some(&rest[..rest.len() - after.len()])
}

/// Content of the DER element with `tag` that `bytes` start with, and what comes after it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], mut rest) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let mut length = usize::from(first);
    if first >= 0x80 {
        // 64 KiB is more than a handshake carries.
        let size = usize::from(first & 0x7f);
        if size == 0 || size > 2 {
            return None;
        }
        let (digits, after) = rest.split_at_checked(size)?;
        length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = after;
    }
    rest.split_at_checked(length)
}
