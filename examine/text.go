package examine

import "strings"

// printable makes text from evidence fit for JSON: bytes that are not UTF-8 become U+FFFD. What must be
// exact stands in quotations, which keep every byte.
func printable(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
