//! Blocks of addresses.

use std::fmt;
use std::net::Ipv4Addr;

/// A block of IPv4 addresses, such as `172.16.0.0/12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    first: Ipv4Addr,
    /// From 8 to 29, as those of VPCs and vSwitches are.
    prefix: u8,
}

impl Cidr {
    /// The block of that size around an address.
    fn around(address: Ipv4Addr, prefix: u8) -> Self {
        Self { first: Ipv4Addr::from(u32::from(address) & mask(prefix)), prefix }
    }

    /// Reads `172.16.0.0/12`: the first address of the block, and how many of its bits all of them share.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, prefix) = text.split_once('/')?;
        let (first, prefix) = (first.parse().ok()?, prefix.parse().ok().filter(|prefix| (8..=29).contains(prefix))?);
        let block = Self::around(first, prefix);
        // The second test is for spellings such as `/08`.
        (block.first == first && block.to_string() == text).then_some(block)
    }

    /// The block of a VPC that an address is in, if nothing is said: the private block (inferred).
    pub fn of_vpc(address: Ipv4Addr) -> Self {
        Self::around(
            address,
            match address.octets() {
                [172, 16..=31, ..] => 12,
                [192, 168, ..] => 16,
                _ => 8,
            },
        )
    }

    /// The block of a vSwitch that an address is in, if nothing is said: the largest that a vSwitch can have (inferred).
    pub fn of_vswitch(address: Ipv4Addr) -> Self {
        Self::around(address, 16)
    }

    pub fn first(self) -> Ipv4Addr {
        self.first
    }

    pub fn contains(self, address: Ipv4Addr) -> bool {
        Self::around(address, self.prefix) == self
    }

    /// Whether all of `other` is in this block.
    pub fn covers(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.first)
    }

    pub fn netmask(self) -> Ipv4Addr {
        Ipv4Addr::from(mask(self.prefix))
    }

    /// The third address from the end, which the vendor keeps for the gateway (inferred).
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from((u32::from(self.first) | !mask(self.prefix)) - 2)
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX << (32 - u32::from(prefix))
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap_or_else(|| panic!("{text} is a block"))
    }

    #[test]
    fn only_whole_blocks_in_their_one_spelling_are_read() {
        for good in ["10.0.0.0/8", "172.16.0.0/12", "192.168.1.0/24", "192.168.1.8/29"] {
            assert_eq!(cidr(good).to_string(), good);
        }
        for bad in ["", "10.0.0.0", "10.0.0.0/7", "10.0.0.0/30", "10.0.0.1/8", "10.0.0.0/08", "10.0.0/8", "::/8"] {
            assert_eq!(Cidr::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_block_knows_its_addresses_its_mask_and_its_gateway() {
        let block = cidr("172.16.16.0/20");
        assert_eq!(block.netmask(), Ipv4Addr::new(255, 255, 240, 0));
        assert_eq!(block.gateway(), Ipv4Addr::new(172, 16, 31, 253));
        assert!(block.contains(Ipv4Addr::new(172, 16, 31, 255)) && !block.contains(Ipv4Addr::new(172, 16, 32, 0)));
        assert!(cidr("172.16.0.0/12").covers(block) && !block.covers(cidr("172.16.0.0/12")));
        assert!(!cidr("10.0.0.0/8").covers(block));
    }

    #[test]
    fn an_address_by_itself_is_in_the_private_block_of_its_kind() {
        for (address, vpc, vswitch) in [
            ([172, 16, 0, 10], "172.16.0.0/12", "172.16.0.0/16"),
            ([172, 31, 9, 9], "172.16.0.0/12", "172.31.0.0/16"),
            ([192, 168, 1, 2], "192.168.0.0/16", "192.168.0.0/16"),
            ([10, 1, 2, 3], "10.0.0.0/8", "10.1.0.0/16"),
            ([172, 40, 0, 1], "172.0.0.0/8", "172.40.0.0/16"),
        ] {
            let address = Ipv4Addr::from(address);
            assert_eq!((Cidr::of_vpc(address), Cidr::of_vswitch(address)), (cidr(vpc), cidr(vswitch)), "{address}");
        }
    }
}
