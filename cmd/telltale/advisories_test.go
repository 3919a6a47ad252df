package main

import (
	"errors"
	"os"
	"testing"
)

// TestAdvisoriesOfNoFile: what is no regular file is not opened, for a pipe may wait for ever.
func TestAdvisoriesOfNoFile(t *testing.T) {
	if _, err := advisoriesOf(t.Context(), []string{os.DevNull}); !errors.Is(err, errNotRegular) || !errors.Is(err, errUsage) {
		t.Error(err)
	}
}
