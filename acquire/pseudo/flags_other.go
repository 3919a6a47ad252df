//go:build !linux

package pseudo

import "os"

const flags = os.O_RDONLY
