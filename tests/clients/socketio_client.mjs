// One Socket.IO conversation with the npm package `socket.io-client`, as socketio_clients.py describes it: reads
// {url, token, words, file, stay, deadline} from standard input, prints the report.
import { readFileSync } from "node:fs";
import { io } from "socket.io-client";

const { url, token, words, file, stay, deadline } = JSON.parse(readFileSync(0, "utf8"));
const http = url.replace(/^ws/, "http");
const socket = io(`${http}/chat`, { transports: ["websocket"], auth: { token }, reconnection: false, forceNew: true });
const once = (event) => new Promise((resolve) => socket.once(event, resolve));
const fail = (what) => (error) => (console.error(what, error), process.exit(1));
socket.on("connect_error", fail("refused:"));
socket.on("disconnect", (reason) => reason === "io client disconnect" || fail("disconnected:")(reason));

await once("connect");
const report = [["connected"]];
for (const word of words) {
  const said = once("said");
  report.push(["ack", await socket.timeout(deadline).emitWithAck("say", word)], ["said", await said]);
}
const [name, content] = await socket.timeout(deadline).emitWithAck("file", "a.bin", Buffer.from(file, "hex"));
report.push(["file", name, Buffer.from(content).toString("hex")]);
const news = once("news");
socket.emit("tell");
report.push(["news", await news]);
await new Promise((resolve) => setTimeout(resolve, stay)); // some heartbeats pass
report.push(["ack", await socket.timeout(deadline).emitWithAck("say", "still here")]);
socket.disconnect();
process.stdout.write(JSON.stringify(report), () => process.exit(0));
