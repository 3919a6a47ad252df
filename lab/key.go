package lab

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"strings"
)

// Key is an ssh key pair that belongs to nobody.
type Key struct {
	Comment string
	private ed25519.PrivateKey
}

// NewKey makes the key of a seed.
func NewKey(seed [ed25519.SeedSize]byte, comment string) *Key {
	return &Key{comment, ed25519.NewKeyFromSeed(seed[:])}
}

func field(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

func (k *Key) blob() []byte {
	return append(field([]byte("ssh-ed25519")), field(k.private.Public().(ed25519.PublicKey))...)
}

// Public gives the line of authorized_keys.
func (k *Key) Public() string {
	return strings.TrimSpace("ssh-ed25519 " + base64.StdEncoding.EncodeToString(k.blob()) + " " + k.Comment)
}

// Fingerprint gives what sshd writes into its log.
func (k *Key) Fingerprint() string {
	sum := sha256.Sum256(k.blob())
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Private gives the file that ssh reads (PROTOCOL.key of OpenSSH, without a passphrase).
func (k *Key) Private() []byte {
	secret := append(append([]byte{7, 7, 7, 7, 7, 7, 7, 7}, k.blob()...), field(k.private)...)
	secret = append(secret, field([]byte(k.Comment))...)
	for i := byte(1); len(secret)%8 != 0; i++ {
		secret = append(secret, i)
	}
	var b bytes.Buffer
	b.WriteString("openssh-key-v1\x00")
	for _, f := range [][]byte{[]byte("none"), []byte("none"), nil} {
		b.Write(field(f))
	}
	b.Write([]byte{0, 0, 0, 1})
	b.Write(field(k.blob()))
	b.Write(field(secret))
	return pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: b.Bytes()})
}
