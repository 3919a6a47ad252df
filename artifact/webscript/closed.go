package webscript

import "strings"

// closedOff says that a folder's settings let nobody ask for what lies in it or below.
const closedOff = "nobody may ask for what lies here"

// closing follows the lines of a .htaccess for orders that hold for the whole folder.
type closing struct {
	depth        int // of blocks that hold for some files or methods only
	denies, lets bool
}

// line takes one in lower case.
func (c *closing) line(s string) {
	s = strings.Join(strings.Fields(s), " ")
	switch {
	case s == "" || s[0] == '#' || strings.HasPrefix(s, "<ifmodule") || strings.HasPrefix(s, "</ifmodule") || strings.HasPrefix(s, "<ifversion") || strings.HasPrefix(s, "</ifversion"):
	case strings.HasPrefix(s, "</"):
		c.depth--
	case s[0] == '<':
		c.depth++
	case s == "deny from all" || s == "require all denied":
		c.denies = c.denies || c.depth == 0
	case strings.HasPrefix(s, "allow ") || strings.HasPrefix(s, "require ") || strings.HasPrefix(s, "satisfy any"):
		c.lets = true
	}
}

// all tells whether nobody is let in.
func (c *closing) all() bool { return c.denies && !c.lets && c.depth == 0 }
