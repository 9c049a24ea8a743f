// The WebSocket library `ws` alone, with the little of Engine.IO and Socket.IO that the client speaks
// written by hand: what a team gets that leaves the framework away. Does what
// benchmarks/hub_server.py does. Run from the folder that holds node_modules: node node_ws.mjs PORT
import { WebSocketServer } from "ws";

const PING_MS = 25_000;
const SECONDS = PING_MS / 1000;
const OPEN = JSON.stringify({ sid: "s", upgrades: [], pingInterval: PING_MS, pingTimeout: 20_000 });

const port = Number(process.argv[2]);
const all = new Set();
const own = new Map();
// A pong is not waited for: this peer is the least one can do.
const pinged = Array.from({ length: SECONDS }, () => new Set());

const server = new WebSocketServer({ port, host: "127.0.0.1", backlog: 4096 });

function emit(sockets, name, body) {
  const packet = "42" + JSON.stringify([name, body]);
  for (const socket of sockets) socket.send(packet);
}

function receive(socket, packet) {
  if (packet.startsWith("40")) {
    socket.uid = JSON.parse(packet.slice(2)).uid;
    all.add(socket);
    own.set(socket.uid, socket);
    socket.send('40{"sid":"s"}');
  } else if (packet.startsWith("42")) {
    const at = packet.indexOf("[");
    const [name, body] = JSON.parse(packet.slice(at));
    if (name === "pm") {
      const listener = own.get(body.to);
      emit(listener ? [listener] : [], name, body);
    } else {
      emit(all, name, body);
    }
    if (at > 2) socket.send(`43${packet.slice(2, at)}[{"ok":1}]`);
  }
}

let arrived = 0;
server.on("connection", (socket) => {
  const slot = pinged[arrived++ % SECONDS];
  slot.add(socket);
  socket.send("0" + OPEN);
  socket.on("message", (data) => receive(socket, data.toString()));
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    slot.delete(socket);
    all.delete(socket);
    own.delete(socket.uid);
  });
});

let second = 0;
setInterval(() => {
  for (const socket of pinged[second++ % SECONDS]) socket.send("2");
}, 1000);

server.on("listening", () => console.log("listening"));
