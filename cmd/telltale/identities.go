package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// maxSmallFile bounds a file of keys, bytes.
const maxSmallFile = 1 << 20

// smallFile reads a file of keys.
func smallFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, maxSmallFile+1)
	n, err := io.ReadFull(f, b)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%q is longer than %d bytes", name, maxSmallFile)
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	}
	return b[:n], nil
}

// identities reads files of age identities (AGE-SECRET-KEY-1...).
func identities(files []string) (out []age.Identity, err error) {
	for _, name := range files {
		b, err := smallFile(name)
		if err != nil {
			return nil, fmt.Errorf("--identity: %w", err)
		}
		ids, err := age.ParseIdentities(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%w: --identity %q: %w", errUsage, name, err)
		}
		out = append(out, ids...)
	}
	return out, nil
}

const identityUsage = "file of age identities that open an encrypted collection; may be repeated"

const signerUsage = "public Ed25519 key, or a file of one, that a collection must be signed by; may be repeated"

// signers reads public keys: each a file of one, or the key itself. OpenSSH's form, PEM, or the 32 bytes in base64, as a collection names its signer.
func signers(all []string) (out []ed25519.PublicKey, err error) {
	for _, s := range all {
		k := publicKey([]byte(s))
		if k == nil {
			b, err := smallFile(s)
			if err != nil {
				return nil, fmt.Errorf("--signer: %w", err)
			}
			k = publicKey(b)
		}
		if k == nil {
			return nil, fmt.Errorf("%w: --signer %q is no public Ed25519 key", errUsage, s)
		}
		out = append(out, k)
	}
	return out, nil
}

func publicKey(b []byte) ed25519.PublicKey {
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b))); err == nil && len(raw) == ed25519.PublicKeySize {
		return raw
	}
	if p, _ := pem.Decode(b); p != nil {
		if k, err := x509.ParsePKIXPublicKey(p.Bytes); err == nil {
			out, _ := k.(ed25519.PublicKey)
			return out
		}
	}
	k, _, _, _, err := ssh.ParseAuthorizedKey(b)
	if err != nil {
		return nil
	}
	if c, ok := k.(ssh.CryptoPublicKey); ok {
		out, _ := c.CryptoPublicKey().(ed25519.PublicKey)
		return out
	}
	return nil
}
