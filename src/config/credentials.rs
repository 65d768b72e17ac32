//! Secret files as systemd credentials: files in one directory, distinguished by name only
//! (systemd.exec(5)).

use std::path::{Path, PathBuf};

use super::money::beside;
use super::raw::{Raw, RawNode};
use super::validate::Diagnostics;

impl Raw {
    /// Refuses two secret files with the same name: as credentials they would collide.
    pub(super) fn refuse_equal_names(&self, diagnostics: &mut Diagnostics) {
        let several = self.node.len() > 1;
        let of_node = |(number, node): (usize, &'_ RawNode)| {
            let section = if several { format!("node[{number}]") } else { "node".to_owned() };
            Some((format!("{section}.rpc_password_file"), node.rpc_password_file.clone()?))
        };
        let named = |key: &str, file: &Option<PathBuf>| Some((key.to_owned(), file.clone()?));
        let mut secrets = vec![("secret_file".to_owned(), self.secret_file.clone())];
        secrets.extend((1..).zip(&self.node).filter_map(of_node));
        secrets.extend(
            [
                named(
                    "chain_guard.second_rpc_password_file",
                    &self.chain_guard.second_rpc_password_file,
                ),
                named("wallet.signing_key_file", &self.wallet.signing_key_file),
                named("wallet.passphrase_file", &self.wallet.passphrase_file),
                named("sweeper.seal_key_file", &self.sweeper.seal_key_file),
                named("sweeper.row_key_file", &self.sweeper.row_key_file),
                named("discord.token_file", &self.discord.token_file),
            ]
            .into_iter()
            .flatten(),
        );
        for (at, (key, file)) in secrets.iter().enumerate() {
            let same_name = |other: &&(String, PathBuf)| {
                other.1 != *file && other.1.file_name() == file.file_name()
            };
            if let Some((other, _)) = secrets[..at].iter().find(same_name) {
                let file = file.display();
                diagnostics.report(key, format!("{file}: has the same name as the file of {other}; systemd distinguishes credentials by name only; rename it"));
            }
        }
    }

    pub(super) fn take_credentials(&mut self, folder: &Path) {
        // The default is beside the configured key, not beside the credential.
        if let (None, Some(key_file)) = (&self.sweeper.seal_state_file, &self.sweeper.seal_key_file)
        {
            self.sweeper.seal_state_file = Some(beside(key_file));
        }
        let optional = [
            &mut self.chain_guard.second_rpc_password_file,
            &mut self.wallet.signing_key_file,
            &mut self.wallet.passphrase_file,
            &mut self.sweeper.seal_key_file,
            &mut self.sweeper.row_key_file,
            &mut self.discord.token_file,
        ];
        let of_nodes = self.node.iter_mut().filter_map(|node| node.rpc_password_file.as_mut());
        let all = optional.into_iter().flatten().chain(of_nodes).chain([&mut self.secret_file]);
        for file in all {
            let Some(name) = file.file_name() else { continue };
            let credential = folder.join(name);
            // Units set an empty credential (one newline) if the machine has no such secret.
            if std::fs::metadata(&credential).is_ok_and(|found| found.len() > 1) {
                *file = credential;
            }
        }
    }
}
