# SPDX-License-Identifier: EUPL-1.2
"""A line between a client and its broker that counts what goes through it, and is as slow as a
test wants it."""
import socket
import threading
import time

PIECE = 64 * 1024


class Line:
    """Forwards connections to a port; `up` and `down` count bytes to and from the broker."""

    def __init__(self, port, bytes_per_s=0):
        self.port = port
        self.pause_s = PIECE / bytes_per_s if bytes_per_s else 0
        self.up = 0
        self.down = 0
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                near.close()
                continue
            self.sockets += [near, far]
            for source, sink, name in ((near, far, "up"), (far, near, "down")):
                source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
                threading.Thread(target=self._pump, args=(source, sink, name), daemon=True).start()

    def _pump(self, source, sink, name):
        try:
            while True:
                piece = source.recv(PIECE)
                if not piece:
                    break
                setattr(self, name, getattr(self, name) + len(piece))
                sink.sendall(piece)
                if self.pause_s:
                    time.sleep(self.pause_s * len(piece) / PIECE)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
        for one in self.sockets:
            one.close()
