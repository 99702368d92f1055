//! What `up` tells when everything runs.

use runtime::Settings;

use crate::{say, seed};

/// Prints where everything is, who can sign in, and what to try first.
pub fn print(settings: &Settings) {
    let base = format!("http://{}", settings.http.addr);
    let mut lines = vec![
        String::new(),
        "Meridian is up.".to_owned(),
        format!("  HTTP      {base}  (try it: {base}/docs, description: {base}/openapi.json)"),
    ];
    let services: Vec<String> = super::addresses(settings).map(|(service, addr)| format!("{service} {addr}")).collect();
    lines.push(format!("  gRPC      {}", services.join(", ")));
    lines.push(format!("  metrics   http://{}/metrics", settings.admin.addr));
    if settings.sandbox.enabled {
        lines.push(format!("  sandbox   {}", settings.sandbox.url()));
    }
    lines.push(format!("  data      {}", settings.data_dir.display()));
    lines.push(String::new());
    lines.push(format!("Sign-ins of the demo chain, all with the password {}", seed::PASSWORD));
    lines.extend(seed::sign_ins().map(|(user, what)| format!("  {user:<20}{what}")));
    lines.push(String::new());
    lines.push("To begin with:".to_owned());
    lines.push(format!("  curl {base}/v1/stores"));
    lines.push(format!(
        "  curl {base}/v1/auth:sendCode -H 'content-type: application/json' -d '{{\"phone\":\"+8613900000000\",\"requestId\":\"'$(cat \
         /proc/sys/kernel/random/uuid)'\"}}'"
    ));
    lines.push(format!("  curl {base}/v1/mailbox/+8613900000000/messages"));
    // As this program was called: it need not be in the PATH.
    let program = std::env::args().next().unwrap_or_else(|| "meridian".to_owned());
    lines.push(format!("  {program} demo   takes one visit from search to points"));
    lines.push(String::new());
    lines.push("Ctrl-C stops it; the data is kept.".to_owned());
    lines.iter().for_each(say::line);
}
