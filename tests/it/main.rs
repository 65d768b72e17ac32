//! Black-box tests: the real `litegate`, a real `litecoind` on regtest, real shops.
//!
//! One binary. Each module covers one part of the contract; `harness` has the actors. A test
//! may do only what a user or another program could do: run commands, edit the configuration,
//! speak HTTP, use the node. Waits have deadlines, ports are free ones, directories are
//! temporary, and every process ends with its test.
//!
//! The node is the one that `LITECOIND` names, else the one on the path.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

mod abandoned;
mod account;
mod api_keys;
mod audit;
mod audit_log;
mod authenticated;
mod backup;
mod backup_seal;
mod bare_environment;
mod bounded;
mod chain_guard;
mod checkout;
mod checkout_browser;
mod cli;
mod config;
mod core_dumps;
mod crash;
mod create;
mod damaged;
mod demo;
mod discord;
mod discord_doors;
mod discord_faults;
mod discord_languages;
mod discord_matrix;
mod discord_notifications;
mod discord_second_factor;
mod disk;
mod docs;
mod doctor;
mod doctor_proofs;
mod documented;
mod failover;
mod fee_bump;
mod fees;
mod files;
mod first_address;
mod first_sight;
mod first_start;
mod guide;
mod hang;
mod histories;
mod hostile;
mod interface;
mod kill;
mod late;
mod life;
mod limits;
mod list;
mod litestream;
mod machine;
mod many;
mod messages;
mod metrics;
mod mnemonic_confirmation;
mod mweb;
mod node_conf;
mod node_faults;
mod node_verbs;
mod openapi;
mod outbox;
mod own_addresses;
mod pages;
mod payout_address;
mod payouts;
mod pegouts;
mod powercut;
mod prices;
mod progress;
mod proxies;
mod pruned;
mod rates;
mod ready;
mod receivers;
mod recognised;
mod refusals;
mod reorg;
mod replace;
mod restart;
mod restore;
mod retention;
mod seals;
mod second_factor;
mod secret_rotation;
mod settle;
mod situations;
mod snippets;
mod soak;
mod strays;
mod style;
mod sweep;
mod sweeper_keys;
mod sweeper_notifications;
mod systemd;
mod tidy;
mod unseen_change;
mod upgrade;
mod verifiers;
mod webhooks;
mod zmq_events;
