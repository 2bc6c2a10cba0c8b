//! Arguments to exit code, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ecsim::cli::main(std::env::args_os())
}
