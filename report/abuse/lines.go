package abuse

import (
	"fmt"
	"strings"

	"telltale/story"
)

// about gives the lines of a claim that name an address whole, and no secret.
func about(c *story.Claim, address string) (out []string) {
	for _, q := range c.For {
		if names(q.Quote, address) && !secret(q.Quote) {
			out = append(out, q.Quote)
		}
	}
	return out
}

// names tells whether a line holds an address that is not part of a longer one.
func names(line, address string) bool {
	part := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == ':'
	}
	for from := 0; ; {
		i := strings.Index(line[from:], address)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(address)
		dotted := end+1 < len(line) && line[end] == '.' && line[end+1] >= '0' && line[end+1] <= '9'
		hexed := end < len(line) && part(line[end]) && line[end] != ':'
		if (i == 0 || !part(line[i-1]) && line[i-1] != '.' || strings.HasSuffix(line[:i], "::ffff:")) && !hexed && !dotted {
			return true
		}
		from = i + 1
	}
}

// secret tells whether a line may hold a password: in a request, a command, an address of the web.
func secret(line string) bool {
	low := strings.ToLower(line)
	for _, word := range []string{"pass=", "passwd=", "password=", "pwd=", "pw=", "token=", "secret=", "key=", "--password", "authorization:"} {
		if strings.Contains(low, word) {
			return true
		}
	}
	_, behind, ok := strings.Cut(low, "://")
	host, _, _ := strings.Cut(behind, "/")
	return ok && strings.Contains(host, "@")
}

// clip shortens a line and says so.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + fmt.Sprintf(" [%d bytes more]", len(s)-n)
}
