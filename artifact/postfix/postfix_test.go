package postfix_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/postfix"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, postfix.New()) }

func FuzzRead(f *testing.F) {
	artifacttest.Fuzz(f, postfix.New, "4F1AB: client=a[::1]:5, sasl_method=PLAIN, sasl_username=", "warning: [1.2.3.4]: SASL x authentication failed", "4F1AB: to=<>, relay=")
}
