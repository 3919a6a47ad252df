package manifest

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// What Verdict.Signature can be.
const (
	Unsigned    = "unsigned"
	SignedKnown = "good"    // by one of the keys that the reader gave
	SignedOwn   = "unknown" // by the key that the collection itself names, which proves only that it is one hand's work
	SignedOther = "other"   // as SignedOwn, and the reader gave keys, and it is none of them
	SignedNot   = "missing" // the reader gave keys, and it is not signed
	SignedBad   = "bad"     // a seal's signature is not one of the key that the collection names, or is missing
)

// What Problem.Kind can be.
const (
	Changed = "changed" // its content or what is said of it is not what its line says
	Missing = "missing" // a line without a member
	Added   = "added"   // a member without a line
	Moved   = "moved"   // it stands at another place than its line
	Broken  = "broken"  // the chain of lines is broken here
	Forged  = "forged"  // a seal's signature is not good
)

// Problem is one thing in which the archive and its manifests do not agree.
type Problem struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

// Words say it.
func (p Problem) Words() string {
	if p.Detail == "" {
		return fmt.Sprintf("%s: %q", p.Kind, p.Name)
	}
	return fmt.Sprintf("%s: %q: %s", p.Kind, p.Name, p.Detail)
}

// Verdict is what a check found. That nothing speaks against a collection is Intact, that it also ran to its end is Complete.
type Verdict struct {
	Members   int64     `json:"members"`   // seen, without the manifests
	Sealed    int64     `json:"sealed"`    // of them, as their lines say, in a manifest whose chain and seal hold
	Behind    int64     `json:"behind"`    // of them, behind the last seal: nothing is proven of them
	Seals     int64     `json:"seals"`     // that hold
	Last      string    `json:"last_seal"` // name of the last that holds: "01-process"; "" for none
	Complete  bool      `json:"complete"`  // the last seal says that it is the last, and no member stands behind it
	Why       string    `json:"why"`       // what ended it before its time, as its last seal says; "" if that seal does not say
	Cut       string    `json:"cut"`       // where the archive could not be read on, and why; "" if it was read to its end
	Signature string    `json:"signature"`
	Signer    string    `json:"signer"` // the key that the collection names, base64; "" for none
	Problems  []Problem `json:"problems"`
	Count     int64     `json:"problem_count"` // all of them: Problems holds the first
}

// maxProblems bounds what is told one by one.
const maxProblems = 50

func (v *Verdict) problem(kind, name, detail string, args ...any) {
	if v.Count++; len(v.Problems) < maxProblems {
		v.Problems = append(v.Problems, Problem{kind, name, fmt.Sprintf(detail, args...)})
	}
}

// Intact tells that nothing speaks against what the seals hold. A collection that was cut can be intact up to its last seal.
func (v *Verdict) Intact() bool {
	return v.Count == 0 && v.Seals > 0 && v.Signature != SignedBad && v.Signature != SignedOther && v.Signature != SignedNot
}

// Words say it in sentences, for people.
func (v *Verdict) Words() []string {
	if v.Seals == 0 && v.Count == 0 && v.Cut == "" {
		return []string{"it holds no manifest, so that nothing shows whether it is what was written"}
	}
	out := []string{fmt.Sprintf("%d of %d members are as %d seals say", v.Sealed, v.Members, v.Seals)}
	if s := v.Ended(); s != "" {
		out = append(out, s)
	}
	if v.Complete && v.Cut != "" {
		out = append(out, "the archive's end, behind the last seal, cannot be read: "+v.Cut+"; nothing that was sealed is missing")
	}
	if v.Behind > 0 {
		out = append(out, fmt.Sprintf("%d members stand behind the last seal: nothing shows whether they are what was written", v.Behind))
	}
	if v.Count > 0 {
		out = append(out, fmt.Sprintf("it is not what was written: in %d places the archive and its manifests do not agree", v.Count))
	}
	return append(out, v.Signed())
}

// Ended says how a collection ended that did not run to its end, "" if it did.
func (v *Verdict) Ended() string {
	if v.Complete {
		return ""
	}
	var s strings.Builder
	s.WriteString("the collection ended before its time: ")
	if v.Last == "" {
		s.WriteString("it has no seal")
	} else {
		fmt.Fprintf(&s, "the last seal is of %q", v.Last)
	}
	s.WriteString("; what the steps behind would have shown is not known")
	if v.Why != "" {
		fmt.Fprintf(&s, "; it gives the reason %q", v.Why)
	}
	if v.Cut != "" {
		fmt.Fprintf(&s, "; the archive cannot be read on: %s", v.Cut)
	}
	return s.String()
}

// Signed says by whom.
func (v *Verdict) Signed() string {
	switch v.Signature {
	case SignedKnown:
		return "its seals are signed by the key that was given (" + v.key() + ")"
	case SignedOwn:
		return "its seals are signed by a key that it names itself (" + v.key() + "): compare it with the one that was used"
	case SignedOther:
		return "its seals are signed by another key than those that were given (" + v.key() + ")"
	case SignedNot:
		return "its seals are not signed, and a key was given: it may have been written anew by somebody"
	case SignedBad:
		return "a seal is not signed by the key that the collection names (" + v.key() + ")"
	}
	return "its seals are not signed: they show accidents and cuts, and not whether somebody wrote it anew"
}

// key is the signer's key if it is one: the words are shown, and the collection may name anything.
func (v *Verdict) key() string {
	if b, err := base64.StdEncoding.DecodeString(v.Signer); err == nil && len(b) == 32 {
		return v.Signer
	}
	return fmt.Sprintf("%.60q", v.Signer)
}
