// Node's Socket.IO as its documentation sets it up, doing what benchmarks/hub_server.py does:
// everybody is in the room `all` and in one of their own; `bcast` tells all, `pm` tells one.
// Run from the folder that holds node_modules: node node_socketio.mjs PORT
import { createServer } from "node:http";
import { Server } from "socket.io";

const port = Number(process.argv[2]);
const http = createServer();
const io = new Server(http, { serveClient: false });

io.on("connection", (socket) => {
  socket.join(["all", socket.handshake.auth.uid]);
  socket.on("bcast", (body) => io.to("all").emit("bcast", body));
  socket.on("pm", (body, ack) => {
    io.to(body.to).emit("pm", body);
    ack({ ok: 1 });
  });
});

http.listen({ port, host: "127.0.0.1", backlog: 4096 }, () => console.log("listening"));
