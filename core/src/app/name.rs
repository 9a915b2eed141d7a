//! Names of people and addresses of servers as they are typed.

use crate::signaling::{check_name, is_local_network};

/// What can be wrong with what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadInput {
    Name,
    Address,
}

/// Where to log in, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) server: String,
    pub(super) name: String,
    /// Outside one's own network only encrypted connections are made; in it, where a developer's server has no certificate, others too.
    pub(super) allow_insecure: bool,
}

/// The name is judged by the protocol's own rule, so that most mistakes are told without asking the server.
pub(super) fn address(server: &str, name: &str) -> Result<Address, BadInput> {
    let name = check_name(name).map_err(|_| BadInput::Name)?;
    let server = server.trim();
    if server.is_empty() {
        return Err(BadInput::Address);
    }
    Ok(Address { server: server.to_owned(), name, allow_insecure: is_local_network(server) })
}

/// What stands for a person in place of a picture: the first letter of the name.
pub(super) fn initial(name: &str) -> String {
    name.trim().chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_have_1_to_32_characters_none_of_them_invisible() {
        let name = |name: &str| address("wss://call.example.org", name).map(|address| address.name);
        assert_eq!(name(" ana\n"), Ok("ana".to_owned()));
        assert_eq!(name(&"é".repeat(32)), Ok("é".repeat(32)));
        for bad in ["", "  ", "a\tb", "a\u{0}b", &"é".repeat(33)] {
            assert_eq!(name(bad), Err(BadInput::Name), "{bad:?}");
        }
    }

    #[test]
    fn only_in_ones_own_network_a_server_is_spoken_to_without_encryption() {
        let insecure = |server| address(server, "ana").map(|address| address.allow_insecure);
        assert_eq!(insecure(" 192.168.1.7:8080 "), Ok(true));
        assert_eq!(insecure("wss://call.example.org"), Ok(false));
        assert_eq!(insecure(" "), Err(BadInput::Address));
    }

    #[test]
    fn a_person_is_shown_by_the_first_letter() {
        assert_eq!(["ana", "élise", "", "ßeta", "李"].map(initial), ["A", "É", "", "SS", "李"]);
    }
}
