// What a program written against Socket.IO and nothing of ours does with the server: sign in, get a
// ticket, connect, send, hear, drop, come back and catch up. Prints one JSON object for the test.
//
//   node npm_client.mjs URL TRANSPORTS CLIENT_MODULE     TRANSPORTS as websocket or polling,websocket

import { pathToFileURL } from "node:url";

const [, , url, transports, clientModule] = process.argv;
const { io } = await import(pathToFileURL(clientModule).href);

async function post(path, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function signIn(account) {
  return (await post("/api/v1/auth/login", { account, password: "correct horse" })).token;
}

async function connect(token) {
  const { ticket } = await post("/api/v1/auth/ticket", {}, token);
  const socket = io(url, {
    auth: { ticket },
    transports: transports.split(","),
    reconnection: false,
    forceNew: true,
  });
  const opened = [];
  socket.io.on("open", () => opened.push(socket.io.engine.transport.name));
  const heard = [];
  socket.onAny((name, event) => heard.push({ name, event }));
  await new Promise((resolve, reject) => {
    socket.on("connect", resolve);
    socket.on("connect_error", reject);
  });
  const ask = async (name, fields = {}) => {
    const ack = await socket.timeout(5000).emitWithAck(name, fields);
    if (!ack.ok) throw new Error(`${name}: ${JSON.stringify(ack)}`);
    return ack.result;
  };
  const hears = async (name, within = 5000) => {
    const until = Date.now() + within;
    while (Date.now() < until) {
      const found = heard.find((entry) => entry.name === name);
      if (found) return found.event;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${name} was not heard; heard ${JSON.stringify(heard)}`);
  };
  return { socket, opened, ask, hears };
}

// Which transports carried the socket, the first and the last.
async function roadsOf({ socket, opened }) {
  const wanted = transports.split(",").at(-1);
  while (socket.io.engine.transport.name !== wanted) await new Promise((resolve) => setTimeout(resolve, 10));
  return [opened[0], wanted];
}

const text = (words) => ({ kind: "text", text: words });
const [annToken, bobToken] = [await signIn("ann"), await signIn("bob")];
const [ann, bob] = [await connect(annToken), await connect(bobToken)];

const { conversation_id } = await ann.ask("chat.open", { person_id: "bob" });
await bob.hears("chat.joined");
const sent = await ann.ask("chat.send", { conversation_id, client_id: `${transports}-1`, content: text("早上好") });
const heard = await bob.hears("chat.sent");

const roads = await roadsOf(bob);
await roadsOf(ann);
const stood = await bob.ask("stream.catch_up");

const gone = new Promise((resolve) => bob.socket.on("disconnect", resolve));
bob.socket.io.engine.close();
await gone;
const missed = await ann.ask("chat.send", { conversation_id, client_id: `${transports}-2`, content: text("你在吗？") });

const back = await connect(bobToken);
const positions = Object.fromEntries(Object.entries(stood.channels).map(([channel, tail]) => [channel, tail.position]));
const caughtUp = await back.ask("stream.catch_up", { epoch: stood.epoch, positions });
const unknown = await back.socket.timeout(5000).emitWithAck("no.such.command", {});

const refused = await new Promise((resolve) => {
  const socket = io(url, { auth: { ticket: "made-up" }, transports: transports.split(","), reconnection: false, forceNew: true });
  socket.on("connect", () => resolve("let in"));
  socket.on("connect_error", (error) => {
    socket.close();
    resolve({ message: error.message, data: error.data });
  });
});

console.log(JSON.stringify({ conversation_id, sent, heard, roads, missed, caughtUp, unknown, refused }));
for (const { socket } of [ann, back]) socket.close();
