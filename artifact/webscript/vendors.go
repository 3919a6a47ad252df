package webscript

import (
	"bytes"
	"slices"
	"strings"

	"telltale/internal/urls"
)

// Here is what sold scripts do for the site's owner that looks like what is done to its visitors.

// embedded are hosts whose frames and scripts sites show on purpose. Those that serve what anybody puts there are none.
var embedded = []string{"youtube.com", "youtube-nocookie.com", "youtu.be", "vimeo.com", "dailymotion.com", "soundcloud.com", "spotify.com", "www.google.com", "maps.google.com", "ajax.googleapis.com", "maps.googleapis.com", "gstatic.com", "googletagmanager.com", "google-analytics.com", "doubleclick.net",
	"googlesyndication.com", "facebook.com", "facebook.net", "twitter.com", "instagram.com", "linkedin.com", "pinterest.com", "jquery.com", "cdnjs.cloudflare.com", "challenges.cloudflare.com", "paypal.com", "stripe.com", "amazon-adsystem.com", "openstreetmap.org"}

// embeds tells whether all the addresses in s, in lower case, are of such hosts.
func embeds(s string) bool {
	return urls.EveryHost(s, "://", "/?#:'\"\\ <>", func(host string) bool {
		return slices.ContainsFunc(embedded, func(e string) bool { return host == e || strings.HasSuffix(host, "."+e) })
	})
}

// authorizes tells that what is encoded behind b is who asks: "Authorization: 'Basic ' + btoa(key)".
func authorizes(b []byte) bool {
	b = bytes.ToLower(bytes.TrimRight(b, " +.(,"))
	b = bytes.TrimRight(b, " '\"`${")
	return bytes.HasSuffix(b, []byte("basic"))
}

// leavesOut tells a list of fields that a recorder of visits is not to read: passwords stand beside the cards.
func leavesOut(s string) bool {
	return strings.Contains(s, `"password",`) || strings.Contains(s, `,"password"`) || strings.Contains(s, `'password',`) || strings.Contains(s, `,'password'`)
}
