// The upstream of upstream.py on the npm package `ws`: the same commands; prints one JSON line when it listens and
// one for each connection that ended. Ends when its standard input ends, so it cannot outlive the test.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const [mail, refusal, deflate] = process.argv.slice(2);
const print = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: deflate === "deflate",
  handleProtocols: (offered) => (offered.has("chat.v1") ? "chat.v1" : false),
});

function pairs(raw) {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index], raw[2 * index + 1]]);
}

function answer(socket, data, binary) {
  const [command, first, ...rest] = binary ? [] : data.toString().split(" ");
  if (command === "/tell") socket.send(mail);
  else if (command === "/burst") for (let index = 0; index < Number(first); index++) socket.send(`number ${index}`);
  else if (command === "/close") socket.close(Number(first), rest.join(" "));
  else if (command === "/ping") socket.once("pong", () => socket.send("the pong came")).ping("from the upstream");
  else socket.send(data, { binary });
}

const server = createServer();
server.on("upgrade", (request, socket, head) => {
  if (request.url.startsWith("/private")) {
    const fields = `WWW-Authenticate: Bearer\r\nContent-Length: ${refusal.length}\r\nConnection: close`;
    socket.end(`HTTP/1.1 401 Unauthorized\r\n${fields}\r\n\r\n${refusal}`);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (connection) => {
    const seen = { path: request.url, headers: pairs(request.rawHeaders), messages: [] };
    connection.on("message", (data, binary) => {
      seen.messages.push(binary ? ["bytes", data.toString("base64")] : ["text", data.toString()]);
      answer(connection, data, binary);
    });
    connection.on("close", (code, reason) => print({ ...seen, closed: [code, reason.toString()] }));
  });
});
server.listen(0, "127.0.0.1", () => print({ port: server.address().port }));
process.stdin.on("end", () => process.exit(0)).resume();
