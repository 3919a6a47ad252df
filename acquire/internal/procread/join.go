package procread

import "fmt"

// Join makes one error of several, on one line, as the terminal shows it; nil ones are left out.
func Join(errs ...error) error {
	var out error
	for _, err := range errs {
		switch {
		case out == nil:
			out = err
		case err != nil:
			out = fmt.Errorf("%w; %w", out, err)
		}
	}
	return out
}
