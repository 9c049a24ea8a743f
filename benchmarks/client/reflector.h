// The least a server can do: epoll, one `send` per listener and read, nothing parsed that need not be.
//
// What the client achieves against it is the client's headroom: no server measured with this client can
// be faster. It does what benchmarks/hub_server.py does, for people called `u0`, `u1`, …
#pragma once

// Serves until the process is ended; an exit code when it cannot.
int reflect(int port);
