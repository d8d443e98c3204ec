import http.server, sys
PAGES = {"/v1/prices": (503, "text/plain", "closed for stocktaking"),
         "/v2/prices": (200, "application/json", '{"items":[{"name":"pen","price":3},{"name":"desk","price":120}]}')}
class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, kind, body = PAGES.get(self.path, (404, "text/plain", "nothing here"))
        self.send_response(status)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(body.encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
