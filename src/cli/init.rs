//! `litegate init`: writes a configuration, secrets and keys. It never overwrites a file.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bip39::Mnemonic;
use bitcoin::bip32::KeySource;
use bitcoin::hex::DisplayHex;
use clap::Args;
use serde::Serialize;
use zeroize::{Zeroize, Zeroizing};

use super::failure::Failure;
use super::mnemonic_confirmation::Terminal;
use super::output::{Format, print_json, print_line};
use crate::config::{self, Layout, NewFile};
use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::network::Network;
use crate::node::conf;
use crate::safe_file::{Directory, directory_of};
use crate::secret::{self, KeyPair, MasterSecret, row_key_file};
use crate::sweeper::{encrypted, private_file};

#[derive(Args)]
#[command(after_help = "Example: litegate init --network regtest --dir ./gateway")]
pub(super) struct Init {
    /// main, test or regtest
    #[arg(long)]
    network: Network,
    /// The directory for the files; created if it does not exist
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// The public key of an existing account; no private key is created, sweeps are signed
    /// elsewhere (PSBT)
    #[arg(long)]
    xpub: Option<String>,
    /// A file with the passphrase that encrypts the signing key; a final newline is ignored.
    /// `serve` decrypts the key with it
    #[arg(long, value_name = "FILE", conflicts_with = "xpub")]
    passphrase_file: Option<PathBuf>,
    /// The gateway's public URL, with which payment URLs begin
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Also write the node's configuration: the gateway then uses a separate RPC user that may
    /// make only the calls that it needs
    #[arg(long, value_name = "FILE")]
    litecoin_conf: Option<PathBuf>,
    /// Ask no questions, even on a terminal; on main the terminal is asked anyway
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    network: &'static str,
    config: String,
    xpub: String,
    /// Why the wallet of the key may not find payments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mnemonic: Option<Zeroized>,
    first_addresses: Vec<String>,
}

/// A text that is wiped when dropped.
struct Zeroized(Zeroizing<String>);

impl Serialize for Zeroized {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A new account.
struct Account {
    mnemonic: Zeroizing<String>,
    signing_key: Zeroizing<String>,
    key_origin: KeySource,
    xpub: AccountXpub,
}

impl Init {
    pub(super) fn run(self, format: Format) -> Result<(), Failure> {
        let (account, xpub, spelled) = match &self.xpub {
            Some(text) => {
                let xpub = AccountXpub::parse(text.trim(), self.network)
                    .map_err(|error| Failure::Usage(format!("--xpub {error}")))?;
                (None, xpub, text.trim().to_owned())
            }
            None => {
                let account = new_account(self.network)?;
                let xpub = account.xpub.clone();
                let spelled = xpub.to_string();
                (Some(account), xpub, spelled)
            }
        };
        if self.dir.exists() {
            refuse_open_directory(&self.dir)?; // Before the words are shown.
        }
        let addresses = first_addresses(&xpub, self.network);
        let asked = self.asks(format);
        if asked {
            self.mnemonic_confirmation(account.as_ref(), &addresses)?;
        }
        let dir = make_dir(&self.dir)?;
        if let Some(file) = &self.litecoin_conf {
            refuse_open_directory(directory_of(file))?;
        }
        self.write(&dir, account.as_ref(), &spelled)?;
        let made = Made {
            network: self.network.as_str(),
            config: dir.join("litegate.toml").display().to_string(),
            xpub: spelled,
            warnings: xpub.warnings(),
            first_addresses: addresses,
            // A user who typed words back has seen them.
            mnemonic: account.filter(|_| !asked).map(|account| Zeroized(account.mnemonic)),
        };
        match format {
            Format::Json => print_json(&made),
            Format::Text => print_made(&made, &dir),
        }
    }

    /// Whether a user at a terminal can be asked.
    fn asks(&self, format: Format) -> bool {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let waived = self.yes && self.network != Network::Main;
        terminal && format == Format::Text && !waived
    }

    fn mnemonic_confirmation(
        &self,
        account: Option<&Account>,
        addresses: &[String],
    ) -> Result<(), Failure> {
        let mut person =
            Terminal { answers: std::io::stdin().lock(), screen: std::io::stdout().lock() };
        match account {
            Some(account) => {
                if self.network == Network::Main {
                    person.accept_key_on_this_machine()?;
                }
                person.confirm_words(&account.mnemonic)
            }
            None if self.network == Network::Main => person.confirm_addresses(addresses),
            None => Ok(()),
        }
    }

    /// Writes all files or none.
    fn write(&self, dir: &Path, account: Option<&Account>, xpub: &str) -> Result<(), Failure> {
        let passphrase_file = self.passphrase_file.as_deref().map(absolute).transpose()?;
        let signing_key = match (account, &passphrase_file) {
            (Some(account), Some(file)) => {
                let passphrase = private_file::read(file)?;
                let text = encrypted::encrypt(&account.signing_key, &passphrase, encrypted::LOG_N)?;
                Some(Zeroizing::new(text))
            }
            (Some(account), None) => Some(account.signing_key.clone()),
            (None, _) => None,
        };
        let text = config::new_file(&NewFile {
            network: self.network,
            layout: &Layout::of(dir),
            xpub,
            has_signing_key: account.is_some(),
            passphrase_file: passphrase_file.as_deref(),
            key_origin: account.map(|account| &account.key_origin),
            public_url: self.public_url.as_deref(),
            node_user: self.litecoin_conf.as_ref().map(|_| conf::USER),
        });
        let bytes = Zeroizing::new(secret::random_bytes::<32>());
        let secret = Zeroizing::new(bytes.to_lower_hex_string());
        let row_key = MasterSecret::new(*bytes).row_key();
        let row_keys = row_key_file::print(&KeyPair { current: row_key, previous: None });
        let seal = Zeroizing::new(secret::random_bytes::<32>().to_lower_hex_string());
        let password = conf::new_password();
        let mut files: Vec<(PathBuf, &str)> = vec![
            (dir.join("secret"), &secret),
            (dir.join("seal.key"), &seal),
            (dir.join("row.key"), &row_keys),
            (dir.join("litegate.toml"), &text),
        ];
        if let Some(signing_key) = &signing_key {
            files.push((dir.join("signing.key"), signing_key));
        }
        let node_text = conf::litecoin_conf(self.network, &password);
        if let Some(file) = &self.litecoin_conf {
            files.push((dir.join("rpc_password"), password.reveal()));
            files.push((file.clone(), &node_text));
        }
        write_all_new(&files)?;
        share_with_group(&dir.join("litegate.toml"))?;
        self.litecoin_conf.as_deref().map_or(Ok(()), share_with_group)
    }
}

/// Creates a BIP39 mnemonic of 24 words and its BIP84 account m/84'/coin'/0'.
pub(super) fn new_key(network: Network) -> Result<(String, AccountXpub), Failure> {
    let account = new_account(network)?;
    Ok((account.signing_key.to_string(), account.xpub))
}

fn new_account(network: Network) -> Result<Account, Failure> {
    let failed = |what: &str| Failure::Failed(format!("cannot create a key: {what}"));
    let mut entropy = secret::random_bytes::<32>();
    let mnemonic = Mnemonic::from_entropy(&entropy).map_err(|_| failed("mnemonic"))?;
    entropy.zeroize();
    let seed = Zeroizing::new(mnemonic.to_seed(""));
    let (key, key_origin) = AccountXpriv::from_mnemonic_seed(seed.as_slice(), network);
    Ok(Account {
        mnemonic: Zeroizing::new(mnemonic.to_string()),
        signing_key: key.to_text(),
        key_origin,
        xpub: key.to_xpub(),
    })
}

fn first_addresses(xpub: &AccountXpub, network: Network) -> Vec<String> {
    use crate::domain::address::Address;
    let index = (0..3).filter_map(DerivationIndex::new);
    let scripts = index.map(|index| xpub.script_at(index));
    scripts.filter_map(|s| Address::from_script(&s, network)).map(|a| a.to_string()).collect()
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize()
        .map_err(|error| Failure::Usage(format!("--passphrase-file {}: {error}", path.display())))
}

fn make_dir(dir: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", dir.display()));
    if !dir.exists() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    }
    let dir = dir.canonicalize().map_err(failed)?;
    refuse_open_directory(&dir)?;
    Ok(dir)
}

/// Refuses a directory in which other users could replace keys and configuration.
fn refuse_open_directory(dir: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", dir.display()));
    if Directory::open(dir).map_err(failed)?.is_open_to_others() {
        let dir = dir.display();
        return Err(Failure::Refused(format!(
            "other users can write {dir}, or a directory above it, and so replace keys and \
             configuration: take that right away (chmod go-w) or choose another; nothing was written"
        )));
    }
    Ok(())
}

/// Writes all files, or none if one of them exists.
pub(super) fn write_all_new(files: &[(PathBuf, &str)]) -> Result<(), Failure> {
    for (path, _) in files {
        if path.exists() {
            let message = format!("{} already exists; nothing was written", path.display());
            return Err(Failure::Refused(message));
        }
    }
    for (path, text) in files {
        let failed = |error| Failure::Failed(format!("{}: {error}", path.display()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let end = if text.ends_with('\n') { "" } else { "\n" };
        file.write_all(format!("{text}{end}").as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
    }
    Ok(())
}

/// Makes a file without secrets readable for the group of its directory, if that group may
/// enter the directory and is not ours: a service that runs as another user.
fn share_with_group(file: &Path) -> Result<(), Failure> {
    let share = || -> std::io::Result<()> {
        let folder = std::fs::metadata(directory_of(file))?;
        let group = folder.gid();
        if folder.mode() & 0o050 == 0o050 && group != std::fs::metadata(file)?.gid() {
            std::os::unix::fs::chown(file, None, Some(group))?;
            std::fs::set_permissions(file, PermissionsExt::from_mode(0o640))?;
        }
        Ok(())
    };
    share().map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))
}

fn print_made(made: &Made, dir: &Path) -> Result<(), Failure> {
    print_line(&format!("network  {}", made.network))?;
    print_line(&format!("config   {}", made.config))?;
    print_line(&format!("xpub     {}", made.xpub))?;
    for warning in &made.warnings {
        print_line(&format!("warning  --xpub {warning}"))?;
    }
    for address in &made.first_addresses {
        print_line(&format!("address  {address}"))?;
    }
    if let Some(mnemonic) = &made.mnemonic {
        print_line("")?;
        print_line("These words control the money. They are shown once and stored nowhere: write")?;
        print_line("them down on paper, and compare the addresses above with your wallet.")?;
        print_line("")?;
        print_line(&mnemonic.0)?;
    }
    let config = if Layout::of(dir).is_system() {
        String::new() // Commands search there by default.
    } else {
        format!(" --config {}", made.config)
    };
    print_line("")?;
    print_line("Compare the addresses with your wallet, edit public_url and [node], then:")?;
    print_line(&format!("  litegate check-config{config}"))?;
    print_line(&format!("  litegate doctor{config}"))?;
    if Layout::of(dir).is_system() {
        print_line("  systemctl enable --now litegate litegate-sweeper")?;
    } else {
        print_line(&format!("  litegate serve{config}"))?;
    }
    let add = "litegate merchant add --name 'My shop' --payout-address ADDRESS --days 30";
    print_line(&format!("  {add}{config}"))
}
