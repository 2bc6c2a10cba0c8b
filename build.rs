//! Tells the program which commit it is built from, where the sources are a git checkout.

use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "a build script has no other way to be told")]
fn main() {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/refs/heads");
    println!("cargo::rerun-if-env-changed=ECSIM_COMMIT");
    let given = std::env::var("ECSIM_COMMIT").ok();
    let read = || {
        let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    if let Some(commit) = given.or_else(read) {
        println!("cargo::rustc-env=ECSIM_COMMIT={commit}");
    }
}
