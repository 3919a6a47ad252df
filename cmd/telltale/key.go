package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
)

// newKeys are the public halves, for --json.
type newKeys struct {
	Recipient string `json:"recipient"`
	Signer    string `json:"signer"`
	Dir       string `json:"dir"`
}

func keyCommand(out io.Writer) *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Make the keys that collections are encrypted for and signed by",
	}
	var to string
	var asJSON bool
	n := &cobra.Command{
		Use:   "new --to DIR",
		Short: "Make an age identity and a signing key, on your own machine, never on the hacked one",
		Long: `Make an age identity and an Ed25519 signing key, on your own machine, never on the hacked one.

age-identity.txt opens what was encrypted for the recipient that is printed: it never leaves your machine, and only the recipient goes to the hacked one
(telltale live --recipient). signing-key has to go there to be used (--sign), and is known to whoever is root there from then on: make a new one for
each incident, and keep signing-key.pub elsewhere, with the time. A good signature then shows that a collection was written by somebody who had the key, and
was not changed by anybody who had it not: not on its way, and not on the disk that it lies on. It does not show that the machine told the truth.`,
		Example: "  telltale key new --to incident-42",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return keyNew(out, to, asJSON) },
	}
	n.Flags().StringVar(&to, "to", "", "folder that the four files are written to")
	n.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.AddCommand(n)
	return c
}

func keyNew(out io.Writer, dir string, asJSON bool) error {
	if dir == "" {
		return fmt.Errorf("%w: give --to DIR", errUsage)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "telltale")
	if err != nil {
		return err
	}
	sshKey, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	k := newKeys{Recipient: id.Recipient().String(), Signer: string(ssh.MarshalAuthorizedKey(sshKey)), Dir: dir}
	k.Signer = k.Signer[:len(k.Signer)-1] // its line's end
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, f := range []struct{ name, content string }{
		{"age-identity.txt", fmt.Sprintf("# public key: %s\n%s\n", k.Recipient, id)},
		{"age-recipient.txt", k.Recipient + "\n"},
		{"signing-key", string(pem.EncodeToMemory(block))},
		{"signing-key.pub", k.Signer + "\n"},
	} {
		if err := writeNew(filepath.Join(dir, f.name), f.content); err != nil {
			return err
		}
	}
	if asJSON {
		return json.NewEncoder(out).Encode(k)
	}
	fmt.Fprintf(out, "recipient  %s\nsigner     %s\n", k.Recipient, k.Signer)
	return nil
}

// writeNew writes a file that was not there before, and that only its owner can read.
func writeNew(name, content string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, content)
	return errors.Join(err, f.Close())
}
