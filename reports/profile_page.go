package reports

import (
	"bytes"
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"strings"

	"i3bench/reports/profile"
)

//go:embed profile.tmpl.html
var profileSource string

var profileTemplate = template.Must(template.Must(pageTemplate.Clone()).Parse(profileSource))

// maxListed bounds the files that a page names.
const maxListed = 8

// ProfilePage writes a CPU profile, beside another if that is not nil, as one self-contained page.
func ProfilePage(p, base *profile.Profile) ([]byte, error) {
	data := struct {
		Title, Subtitle, Policy string
		CSS                     template.CSS
		Section                 pageSection
	}{
		Title: "i3bench: CPU profile", Subtitle: listed(p.Files), Policy: policy(), CSS: template.CSS(pageCSS),
		Section: drawn(ProfileSection(p, base)),
	}
	if base != nil {
		data.Subtitle += "; baseline: " + listed(base.Files)
	}
	var b bytes.Buffer
	if err := profileTemplate.ExecuteTemplate(&b, "profile", data); err != nil {
		return nil, fmt.Errorf("reports: write page of a profile: %w", err)
	}
	return b.Bytes(), nil
}

// listed names some files.
func listed(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}
