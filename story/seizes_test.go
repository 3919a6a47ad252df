package story

import "testing"

func TestSeizesHost(t *testing.T) {
	for command, want := range map[string]bool{
		"/usr/bin/docker run -v /:/mnt -it alpine chroot /mnt": true, "podman run --volume=/:/host alpine": true, "docker run -v /srv/data:/data app": false, "docker pull alpine": false, "apt-get install docker": false, "": false,
	} {
		if got := seizesHost(command); got != want {
			t.Errorf("%q: %v", command, got)
		}
	}
}
