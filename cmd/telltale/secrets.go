package main

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"telltale/volume"
)

// maxKeyFile bounds a key file, as cryptsetup does.
const maxKeyFile = 8 << 20 // bytes

// secrets gives passphrases for encrypted volumes: the key files first, then what is typed at the terminal. A passphrase is
// never taken from the command line, where every user of the machine could read it.
func secrets(keyFiles []string) func(what string, try int) ([]byte, error) {
	return func(what string, try int) ([]byte, error) {
		if try < len(keyFiles) {
			f, err := os.Open(keyFiles[try])
			if err != nil {
				return nil, fmt.Errorf("key file: %w", err)
			}
			defer f.Close()
			b := make([]byte, maxKeyFile+1)
			n := 0
			for n < len(b) {
				k, err := f.Read(b[n:])
				if n += k; err != nil {
					break
				}
			}
			if n > maxKeyFile {
				return nil, fmt.Errorf("key file %q is bigger than %d bytes", keyFiles[try], maxKeyFile)
			}
			return b[:n], nil
		}
		tty := int(os.Stdin.Fd())
		if try-len(keyFiles) >= 3 || !term.IsTerminal(tty) {
			return nil, volume.ErrNoSecret
		}
		fmt.Fprintf(os.Stderr, "passphrase of %q: ", what)
		b, err := term.ReadPassword(tty)
		fmt.Fprintln(os.Stderr)
		if err != nil || len(b) == 0 {
			return nil, volume.ErrNoSecret
		}
		return b, nil
	}
}
