// Holds one conversation with the npm package `ws`: reads a call as JSON from standard input, prints the report.
// The vocabulary is that of script.py.
import { readFileSync } from "node:fs";
import WebSocket from "ws";

const call = JSON.parse(readFileSync(0, "utf8"));
const options = { headers: call.headers, maxPayload: 0 };
if (!call.deflate) options.perMessageDeflate = false;
if (call.ca) options.ca = readFileSync(call.ca);
const socket = new WebSocket(call.url, call.subprotocols, options);

const inbox = []; // events that came and were not asked for yet
let wanted; // resolves the step that waits for the next one
const put = (event) => (wanted ? wanted(event) : inbox.push(event));
const next = () =>
  inbox.length
    ? Promise.resolve(inbox.shift())
    : new Promise((resolve) => (wanted = (event) => ((wanted = undefined), resolve(event))));

socket.on("open", () => put(["opened", socket.protocol || null, socket.extensions.includes("permessage-deflate")]));
socket.on("message", (data, binary) => put(binary ? ["bytes", data.toString("base64")] : ["text", data.toString()]));
socket.on("pong", (data) => put(["pong", data.toString()]));
socket.on("close", (code, reason) => put(["closed", code, reason.toString()]));
socket.on("unexpected-response", async (_, response) => {
  let body = "";
  for await (const piece of response) body += piece;
  put(["refused", response.statusCode, body]);
});
socket.on("error", (error) => put(["failed", error.message]));

const steps = {
  send: (text) => socket.send(text),
  bytes: (packed) => socket.send(Buffer.from(packed, "base64")),
  fragments: (parts) => parts.forEach((part, index) => socket.send(part, { fin: index === parts.length - 1 })),
  ping: async (text) => (socket.ping(text), report.push(await next())),
  receive: async (count) => {
    for (let got = 0; got < count; got++) report.push(await next());
  },
  close: (code, reason) => socket.close(code, reason),
  closed: async () => report.push(await next()),
};

const report = [await next()];
if (report[0][0] === "opened") for (const [verb, ...rest] of call.script) await steps[verb](...rest);
process.stdout.write(JSON.stringify(report), () => process.exit(0));
