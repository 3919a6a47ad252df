package servicelog

import (
	"bytes"

	"telltale/artifact/internal/said"
)

// arrow stands between the address of a client and that of this machine, as proxies write a connection.
var arrow = []byte("->")

// transport stands before the four parts of a connection in the logs of Oracle's and Sun's mail server: this machine's address and port, and the client's.
var transport = []byte(`tr="TCP|`)

// ofConnection gives the client of a connection that a line writes with both its ends; nil where it writes none so. The first counts, which stands before
// what the client chose in the logs that have it.
func ofConnection(t []byte) []byte {
	if i := bytes.Index(t, arrow); i > 0 {
		_, before := said.LastWord(t[:i])
		if ip, port := said.AddressPort(before); ip != nil && port != nil {
			return ip
		}
	}
	if _, rest, ok := bytes.Cut(t, transport); ok {
		if p := bytes.SplitN(rest, []byte("|"), 5); len(p) >= 4 {
			return said.Address(p[2])
		}
	}
	return nil
}
