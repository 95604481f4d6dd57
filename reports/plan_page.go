package reports

import (
	"bytes"
	_ "embed" // the page's template
	"fmt"
	"html/template"

	"i3bench/loadgen/plan"
)

//go:embed plan.tmpl.html
var planSource string

var planTemplate = template.Must(template.Must(pageTemplate.Clone()).New("plan").Parse(planSource))

// PlanHTML writes the answer as one self-contained page, as [HTML] does a report; command is what made it.
func PlanHTML(a plan.Answer, command []string) ([]byte, error) {
	p := struct {
		page
		Sections []pageSection
	}{page: page{
		Title: "i3bench: capacity plan", Policy: policy(), CSS: template.CSS(pageCSS), Reproduce: quote(command),
		Subtitle: fmt.Sprintf("%s nodes, 80 %% of draws %s to %s", num(a.Nodes.P50), num(a.Nodes.P10), num(a.Nodes.P90)),
	}}
	for _, s := range planSections(a) {
		p.Sections = append(p.Sections, drawn(s))
	}
	var b bytes.Buffer
	if err := planTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("reports: write page of a plan: %w", err)
	}
	return b.Bytes(), nil
}
