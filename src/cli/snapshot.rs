//! `ecsim snapshot`: worlds of a running emulator, saved there under names, or here in files.

use http::Method;

use super::client::Client;
use super::{Failure, given, is_standard, print, wait};
use crate::config::{ControlArgs, NamedSnapshotArgs, SavedSnapshotArgs, SnapshotCommand, SnapshotFileArgs};
use crate::files::{Readers, write_out};

pub(super) fn run(command: &SnapshotCommand) -> Result<(), Failure> {
    match command {
        SnapshotCommand::Save(args) => print(&named(args, "save")?),
        SnapshotCommand::Load(args) => print(&named(args, "load")?),
        SnapshotCommand::List(args) => print(&wait(client(args)?.call(Method::GET, "/snapshots", None))?),
        SnapshotCommand::Show(SavedSnapshotArgs { name, control }) => {
            print(&wait(client(control)?.text(Method::GET, &format!("/snapshots/{name}"), None))?)
        }
        SnapshotCommand::Delete(SavedSnapshotArgs { name, control }) => {
            print(&wait(client(control)?.call(Method::DELETE, &format!("/snapshots/{name}"), None))?)
        }
        SnapshotCommand::Export(args) => export(args),
        SnapshotCommand::Import(args) => import(args),
    }
}

fn client(args: &ControlArgs) -> Result<Client<'_>, Failure> {
    Client::new(args, "the snapshot")
}

fn named(NamedSnapshotArgs { saved, scope }: &NamedSnapshotArgs, what: &str) -> Result<String, Failure> {
    let path = format!("/snapshots/{}/{what}?namespace={}", saved.name, scope.namespace);
    wait(client(&saved.control)?.call(Method::POST, &path, None))
}

fn export(SnapshotFileArgs { file, control, scope }: &SnapshotFileArgs) -> Result<(), Failure> {
    let path = format!("/snapshot?namespace={}", scope.namespace);
    let snapshot = wait(client(control)?.text(Method::GET, &path, None))?;
    if is_standard(file) {
        return print(&snapshot);
    }
    write_out(file, snapshot.as_bytes(), Readers::Owner)
        .map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", file.display())))
}

fn import(SnapshotFileArgs { file, control, scope }: &SnapshotFileArgs) -> Result<(), Failure> {
    let hint = "name a snapshot's file, or give one on standard input".to_owned();
    let snapshot = given(file, |message| Failure::Seed { message, hint })?;
    let path = format!("/snapshot?namespace={}", scope.namespace);
    print(&wait(client(control)?.call(Method::PUT, &path, Some(snapshot)))?)
}
