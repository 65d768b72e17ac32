//! The binary: runs the library's command line.

fn main() -> std::process::ExitCode {
    litegate::cli::run()
}
