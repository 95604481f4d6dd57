package page

import (
	"crypto/sha256"
	_ "embed" // the parts of the page
	"encoding/base64"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// document returns the page and its Content-Security-Policy: it may run its own script, have its own style and listen
// to its own server, and nothing else.
func document() (html, policy string) {
	html = strings.NewReplacer("{{style}}", pageCSS, "{{script}}", pageJS).Replace(pageHTML)
	policy = "default-src 'none'; script-src " + hash(pageJS) + "; style-src " + hash(pageCSS) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return html, policy
}

// hash writes a text's hash as a source of the policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
