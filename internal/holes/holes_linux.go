package holes

import (
	"errors"
	"syscall"
)

// nothingBehind tells whether an error of lseek means that there are no data up to the end.
func nothingBehind(err error) bool { return errors.Is(err, syscall.ENXIO) }
