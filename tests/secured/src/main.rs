//! The five services as one program: it is the service that it is called as.

use std::env;
use std::path::Path;
use std::process::ExitCode;

/// As the `main.rs` of the service does it.
macro_rules! run {
    ($service:ident) => {{
        let config: $service::config::Config = web::parse();
        let telemetry = telemetry::start(stringify!($service));
        web::exit(match telemetry {
            Ok(telemetry) => {
                let result = async {
                    let shutdown = web::shutdown_signal()?;
                    let listener = web::bind(config.listen_addr).await?;
                    Box::pin($service::run(config, listener, shutdown)).await
                };
                let result = result.await;
                telemetry.stop().await;
                result
            }
            Err(error) => Err(error),
        })
    }};
}

#[tokio::main]
async fn main() -> ExitCode {
    let called = env::args().next().unwrap_or_default();
    let called = Path::new(&called).file_name().unwrap_or_default();
    match called.to_str() {
        Some("classifier") => run!(classifier),
        Some("email") => run!(email),
        Some("gateway") => run!(gateway),
        Some("inventory") => run!(inventory),
        Some("orders") => run!(orders),
        _ => {
            eprintln!("call it gateway, orders, inventory, classifier or email");
            ExitCode::FAILURE
        }
    }
}
