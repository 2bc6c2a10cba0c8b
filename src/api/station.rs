//! The checks that a call goes through, one by one: where it is, and where it was refused.

use std::cell::Cell;

macro_rules! stations {
    ($($(#[$doc:meta])* $station:ident = ($name:literal, $sentence:literal);)*) => {
        /// A check of calls.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Station {
            $($(#[$doc])* $station,)*
        }

        impl Station {
            /// Every station, in the order in which a call comes to them (protocol.md 12, inferred; decision 21).
            pub const ALL: &[Self] = &[$(Self::$station,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$station => $name,)*
                }
            }

            /// What is the matter with a call that is refused there; its message says more.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$station => $sentence,)*
                }
            }
        }
    };
}

stations! {
    /// The limits of size and time.
    #[default]
    Transport = ("transport", "The transport refused the request before anybody looked at what it asks for.");
    /// The namespace that key and headers name.
    Namespace = ("namespace", "Key id and headers name no namespace that the call could be of.");
    /// Whether query and body can be decoded, and how many parameters they have.
    Encoding = ("encoding", "The parameters in query and body cannot be read.");
    /// Method and path.
    Method = ("method", "The gateway knows GET and POST of the path /, and the RPC style.");
    Format = ("format", "There are answers in JSON and XML only.");
    /// Action, version, product.
    Action = ("action", "The call names no action that is emulated.");
    CommonParameters = ("common_parameters", "What every signed call has is not whole.");
    Key = ("key", "The AccessKey cannot sign.");
    Time = ("time", "The time of the signature is not accepted.");
    Signature = ("signature", "The signature is not the one that the server calculates with the secret of the key.");
    Nonce = ("nonce", "The nonce was used before.");
    Token = ("token", "The key is a temporary one, whose token has to come along.");
    /// Limits and faults, where there are any.
    Fault = ("fault", "A limit or a fault has the call fail.");
    /// Presence and syntax of what the action takes.
    Parameters = ("parameters", "A parameter of the action is absent, or has a value that it cannot have.");
    /// What RAM policies say.
    Permission = ("permission", "RAM policies do not allow the call.");
    /// What the action checks against the world.
    Rules = ("rules", "What the call asks for does not go with what there is.");
}

impl Station {
    /// One by its place in [`Station::ALL`].
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// How far a call has come.
#[derive(Debug, Default)]
pub struct Stations {
    at: Cell<Station>,
    passed: Cell<u32>,
}

impl Stations {
    /// The call has passed the station where it was, and comes to this one.
    pub fn enter(&self, station: Station) {
        self.passed.set(self.passed.get() | self.at.get().bit());
        self.at.set(station);
    }

    /// The call is refused by what it was let pass before, and so has passed nothing from there on.
    pub fn go_back(&self, station: Station) {
        self.passed.set(self.passed.get() & (station.bit() - 1));
        self.at.set(station);
    }

    /// Where the call is.
    pub fn at(&self) -> Station {
        self.at.get()
    }

    /// A bit for each station that it has passed and is not at.
    pub fn passed(&self) -> u32 {
        self.passed.get() & !self.at.get().bit()
    }

    /// The same of a call that has come to its end.
    pub fn all_passed(&self) -> u32 {
        self.passed.get() | self.at.get().bit()
    }

    /// The stations that such bits stand for.
    pub fn of(bits: u32) -> impl Iterator<Item = Station> {
        Station::ALL.iter().copied().filter(move |station| bits & station.bit() != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_passed_where_it_was_and_not_where_it_is() {
        let stations = Stations::default();
        assert_eq!((stations.at(), stations.passed()), (Station::Transport, 0));
        for station in [Station::Key, Station::Permission, Station::Rules, Station::Permission] {
            stations.enter(station);
        }
        let named = |bits| Stations::of(bits).map(Station::name).collect::<Vec<_>>();
        assert_eq!(named(stations.passed()), ["transport", "key", "rules"]);
        assert_eq!(named(stations.all_passed()), ["transport", "key", "permission", "rules"]);
        stations.go_back(Station::Key);
        assert_eq!((stations.at(), named(stations.passed())), (Station::Key, vec!["transport"]));
    }

    #[test]
    fn stations_are_told_by_their_numbers() {
        for station in Station::ALL {
            assert_eq!(Station::numbered(*station as u8), Some(*station));
        }
        assert_eq!(Station::numbered(200), None);
    }
}
