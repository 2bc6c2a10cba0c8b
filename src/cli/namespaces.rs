//! `ecsim namespaces`.

use http::Method;

use super::client::Client;
use super::{Failure, wait};
use crate::config::{DeleteNamespaceArgs, NamespacesCommand};

pub(super) fn text(command: &NamespacesCommand) -> Result<String, Failure> {
    let (control, method, path) = match command {
        NamespacesCommand::List(control) => (control, Method::GET, "/namespaces".to_owned()),
        NamespacesCommand::Delete(DeleteNamespaceArgs { name, control }) => {
            (control, Method::DELETE, format!("/namespaces/{name}"))
        }
    };
    wait(Client::new(control, "the namespaces")?.call(method, &path, None))
}
