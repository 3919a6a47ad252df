"""A mail server that takes everything and keeps nothing: the Internet of the practice cases."""
import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    timeout = 60

    def handle(self):
        def say(s):
            self.wfile.write(s.encode() + b"\r\n")

        say("220 sink.example.net ESMTP")
        data = False
        for line in self.rfile:
            line = line.rstrip(b"\r\n")
            if data:
                if line == b".":
                    data = False
                    say("250 taken")
                continue
            verb = line[:4].upper()
            if verb == b"DATA":
                data = True
                say("354 go on")
            elif verb == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 sink.example.net" if verb in (b"EHLO", b"HELO") else "250 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
