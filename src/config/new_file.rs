//! Text of a new configuration file (`litegate init`), and the layout of an installation.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bitcoin::bip32::KeySource;
use toml::Value;

use crate::domain::network::Network;

/// The configuration directory of the package, the units and the guide.
const SYSTEM_FOLDER: &str = "/etc/litegate";

/// Places of an installation's files.
pub(crate) struct Layout {
    folder: PathBuf,
    database: PathBuf,
    /// Absent: beside the seal key.
    seal_state_file: Option<PathBuf>,
}

impl Layout {
    /// The layout for a configuration in this directory. In the system's directory, data is in
    /// `/var/lib`, as the units expect; elsewhere, everything is beside the configuration.
    pub(crate) fn of(folder: &Path) -> Layout {
        let folder = folder.to_owned();
        if folder == Path::new(SYSTEM_FOLDER) {
            return Layout {
                folder,
                database: "/var/lib/litegate/litegate.db".into(),
                seal_state_file: Some("/var/lib/litegate-sweeper/record".into()),
            };
        }
        Layout { database: folder.join("litegate.db"), seal_state_file: None, folder }
    }

    /// Whether it is the layout of the package and the units.
    pub(crate) fn is_system(&self) -> bool {
        self.folder == Path::new(SYSTEM_FOLDER)
    }
}

/// Values of a new configuration file.
pub(crate) struct NewFile<'n> {
    pub(crate) network: Network,
    pub(crate) layout: &'n Layout,
    /// As given: its prefix tells which format the wallet expects.
    pub(crate) xpub: &'n str,
    pub(crate) has_signing_key: bool,
    pub(crate) passphrase_file: Option<&'n Path>,
    pub(crate) key_origin: Option<&'n KeySource>,
    pub(crate) public_url: Option<&'n str>,
    /// RPC user, with the password in `rpc_password`; absent: cookie authentication.
    pub(crate) node_user: Option<&'n str>,
}

/// The required keys, and a pointer to all others.
pub(crate) fn new_file(new: &NewFile) -> String {
    let dir = new.layout.folder.display();
    let (port, node_dir) = match new.network {
        Network::Main => (9332, "/var/lib/litecoind"),
        Network::Test => (19332, "/var/lib/litecoind/testnet4"),
        Network::Regtest => (19443, "/var/lib/litecoind/regtest"),
    };
    let public_url = new.public_url.unwrap_or(match new.network {
        Network::Main | Network::Test => "https://pay.example.com",
        Network::Regtest => "http://127.0.0.1:8080",
    });
    let login = match new.node_user {
        Some(user) => {
            format!("rpc_user = \"{user}\"\nrpc_password_file = \"{dir}/rpc_password\"")
        }
        None => format!("cookie_file = \"{node_dir}/.cookie\""),
    };
    let mut text = format!(
        "# litegate on {network}. All keys with their meaning and defaults: config/litegate.toml\n\
         # of the source, or /usr/share/doc/litegate. `litegate check-config` reads this file.\n\n\
         network = \"{network}\"\n\
         public_url = {public_url}\n\
         database = \"{database}\"\n\
         secret_file = \"{dir}/secret\"\n\n\
         [node]\n\
         rpc_url = \"http://127.0.0.1:{port}\"\n\
         {login}\n\
         zmq_rawtx = \"tcp://127.0.0.1:28332\"\n\
         zmq_hashblock = \"tcp://127.0.0.1:28332\"\n\n\
         [wallet]\n\
         xpub = \"{xpub}\"\n",
        network = new.network,
        public_url = Value::String(public_url.to_owned()),
        database = new.layout.database.display(),
        xpub = new.xpub,
    );
    if new.has_signing_key {
        let _ = writeln!(text, "signing_key_file = \"{dir}/signing.key\"");
    }
    if let Some(file) = new.passphrase_file {
        let _ = writeln!(text, "passphrase_file = \"{}\"", file.display());
    }
    if let Some((fingerprint, path)) = new.key_origin {
        let _ = writeln!(text, "key_origin = \"{fingerprint}/{path}\"");
    }
    let _ = writeln!(text, "\n[sweeper]\nseal_key_file = \"{dir}/seal.key\"");
    let _ = writeln!(text, "row_key_file = \"{dir}/row.key\"");
    if let Some(file) = &new.layout.seal_state_file {
        let _ = writeln!(text, "seal_state_file = \"{}\"", file.display());
    }
    if new.layout.is_system() {
        let _ = write!(text, "\n[metrics]\nlisten = \"127.0.0.1:9180\"\n");
    }
    text
}
