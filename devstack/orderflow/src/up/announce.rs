//! What is said once everything is ready.

use crate::screen::Screen;
use crate::settings::Addresses;
use crate::stack::Extent;

/// Where people look first, what they do next, and what `stops` it.
pub(super) fn tell_ready(screen: &Screen, addresses: &Addresses, extent: Extent, stops: &str) {
    let (traces, mail) = (addresses.jaeger_url(), addresses.mail_url());
    let (orders, next) = match extent {
        Extent::Everything => (
            format!("orders at {}/orders, ", addresses.gateway_url()),
            "`orderflow traffic` sends orders",
        ),
        Extent::Servers => (
            String::new(),
            "`orderflow env` tells what services have to know",
        ),
    };
    screen.tell(&format!(
        "\nready: {orders}traces at {traces}, mail at {mail}"
    ));
    screen.tell(&format!("{next}, {stops} stops everything\n"));
}
