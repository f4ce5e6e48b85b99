// A mail server that wants STARTTLS and a login, on the port it is given; it prints a line of JSON per mail.
// `smtp-server` is what MailDev stands on; MailDev itself hides STARTTLS.
const fs = require("fs");
const { SMTPServer } = require("smtp-server");
const [port, folder, user, password] = process.argv.slice(2);

const server = new SMTPServer({
  cert: fs.readFileSync(`${folder}/server.pem`),
  key: fs.readFileSync(`${folder}/server.key`),
  onAuth(auth, session, done) {
    const known = auth.username === user && auth.password === password;
    done(known ? null : new Error("who is that?"), { user });
  },
  onData(stream, session, done) {
    let text = "";
    stream.on("data", (chunk) => (text += chunk));
    stream.on("end", () => {
      console.log(JSON.stringify({ tls: session.secure, user: session.user, text }));
      done();
    });
  },
});
server.listen(Number(port), "127.0.0.1");
