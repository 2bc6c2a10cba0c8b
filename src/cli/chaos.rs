//! `ecsim chaos`: what goes wrong on purpose in a running emulator.

use http::Method;

use super::client::Client;
use super::{Failure, given, print, wait};
use crate::config::{Chaos, ChaosArgs, ChaosCommand, ChaosFileArgs, ClearChaosArgs, ControlArgs, ScopeArgs};

pub(super) fn run(command: &ChaosCommand) -> Result<(), Failure> {
    match command {
        ChaosCommand::List(ChaosArgs { what, control, scope }) => {
            print(&ask(control, scope, Method::GET, *what, None)?)
        }
        ChaosCommand::Set(args) => print(&put(args, Method::POST)?),
        ChaosCommand::Add(args) => print(&put(args, Method::PATCH)?),
        ChaosCommand::Remove(args) if args.what != Chaos::Faults => Err(Failure::Usage {
            message: "faults are removed one by one, effects and limits are not".to_owned(),
            hint: "`ecsim chaos clear` removes them all, `ecsim chaos set` puts others in their place".to_owned(),
        }),
        ChaosCommand::Remove(args) => print(&put(args, Method::DELETE)?),
        ChaosCommand::Clear(ClearChaosArgs { what, control, scope }) => {
            let all = [Chaos::Faults, Chaos::Effects, Chaos::Limits];
            for what in what.map_or(all.to_vec(), |one| vec![one]) {
                print(&ask(control, scope, Method::DELETE, what, None)?)?;
            }
            Ok(())
        }
    }
}

fn put(ChaosFileArgs { what, file, control, scope }: &ChaosFileArgs, method: Method) -> Result<String, Failure> {
    let hint = "name a file of JSON, or give that on standard input".to_owned();
    let text = given(file, |message| Failure::Seed { message, hint })?;
    ask(control, scope, method, *what, Some(text))
}

fn ask(
    control: &ControlArgs,
    scope: &ScopeArgs,
    method: Method,
    what: Chaos,
    body: Option<String>,
) -> Result<String, Failure> {
    let (name, subject) = match what {
        Chaos::Faults => ("faults", "the faults"),
        Chaos::Effects => ("effects", "the effects"),
        Chaos::Limits => ("limits", "the limits"),
    };
    let client = Client::new(control, subject)?;
    wait(client.call(method, &format!("/chaos/{name}?namespace={}", scope.namespace), body))
}
