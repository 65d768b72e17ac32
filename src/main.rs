//! Parse, run, one error line, exit code. Everything else lives in the library.

fn main() -> std::process::ExitCode {
    litegate::cli::run()
}
