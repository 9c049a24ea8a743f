// Node's Socket.IO as its documentation sets it up, doing what benchmarks/hub_server.py does:
// everybody is in the room `all` and in one of their own; `bcast` tells all, `pm` tells one.
// With tickets, as many as people are written to a file, and nobody gets in without one of them, once.
// Run from the folder that holds node_modules: node node_socketio.mjs PORT [--tickets FILE PEOPLE]
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Server } from "socket.io";

const [port, , file, people] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, { serveClient: false });

if (file) {
  const holders = new Map();
  for (let n = 0; n < Number(people); n++) holders.set(randomBytes(24).toString("base64url"), `u${n}`);
  writeFileSync(file, [...holders.keys()].join("\n") + "\n");
  io.use((socket, next) => {
    const { ticket } = socket.handshake.auth;
    const uid = holders.get(ticket);
    holders.delete(ticket);
    next(uid === undefined ? new Error("unauthenticated") : undefined);
    socket.data.uid = uid;
  });
}

io.on("connection", (socket) => {
  socket.join(["all", socket.data.uid ?? socket.handshake.auth.uid]);
  socket.on("bcast", (body) => io.to("all").emit("bcast", body));
  socket.on("pm", (body, ack) => {
    io.to(body.to).emit("pm", body);
    ack({ ok: 1 });
  });
});

http.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 }, () => console.log("listening"));
