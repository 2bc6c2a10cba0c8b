//! Sockets: bound first, listening later, so that nothing answers before the world is there.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixSocket, UnixStream};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// An address that could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    pub address: String,
    #[source]
    pub source: io::Error,
}

impl BindError {
    fn at(address: &Address) -> impl FnOnce(io::Error) -> Self {
        let address = address.to_string();
        move |source| Self { address, source }
    }

    /// Whether somebody else listens there.
    pub fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// A socket that has its address but does not listen yet.
#[derive(Debug)]
pub enum Bound {
    Tcp(TcpSocket),
    Unix(UnixSocket, SocketFile),
}

impl Bound {
    /// Takes an address. A socket file that nobody listens on is replaced.
    ///
    /// # Errors
    /// [`BindError`], `AddrInUse` among them.
    pub async fn bind(address: &Address) -> Result<Self, BindError> {
        match address {
            Address::Tcp(tcp) => bind_tcp(*tcp).map(Self::Tcp).map_err(BindError::at(address)),
            Address::Unix(path) => {
                bind_unix(path).await.map(|(socket, file)| Self::Unix(socket, file)).map_err(BindError::at(address))
            }
        }
    }

    /// The address taken, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(socket) => socket.local_addr().map(Address::Tcp),
            Self::Unix(_, file) => Ok(Address::Unix(file.path.clone())),
        }
    }

    /// Starts to listen.
    ///
    /// # Errors
    /// [`BindError`]: `AddrInUse` if another process was faster.
    pub fn listen(self) -> Result<Listener, BindError> {
        let address = self.address().unwrap_or_else(|_| Address::Unix(PathBuf::new()));
        match self {
            Self::Tcp(socket) => socket.listen(BACKLOG).map(Listener::Tcp),
            Self::Unix(socket, file) => socket.listen(BACKLOG).map(|listener| Listener::Unix(listener, file)),
        }
        .map_err(BindError::at(&address))
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a restart does not wait for connections of the last run to time out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn bind_unix(path: &Path) -> io::Result<(UnixSocket, SocketFile)> {
    let socket = UnixSocket::new_stream()?;
    match socket.bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path).await => {
            std::fs::remove_file(path)?;
            socket.bind(path)?;
        }
        bound => bound?,
    }
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((socket, SocketFile { path: path.to_owned(), inode: (metadata.dev(), metadata.ino()) }))
}

/// A socket that refuses connections was left behind by a process that is gone.
async fn is_abandoned(path: &Path) -> bool {
    matches!(UnixStream::connect(path).await, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// An accepted connection; of TCP with the address at its other end.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are written whole: waiting for more to send would only delay them.
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream, peer.ip()))
            }
            Self::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

/// The file of a Unix socket, removed with its socket unless another has taken its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    inode: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.inode);
        if ours {
            // Gone already is as good.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
